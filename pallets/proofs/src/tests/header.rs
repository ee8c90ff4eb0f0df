//! What the header carries.

use crate::mock::*;
use agora_math::merkle;
use agora_primitives::results::{ENGINE_ID, compute_root, compute_root_item};
use sp_runtime::{DigestItem, traits::Header as _};

#[test]
fn every_header_carries_one_compute_root() {
    let mut chain = Chain::new();
    for block in 1..20 {
        chain.block((0..block % 4).map(|task| block * 10 + task));
        let header = chain.best().clone();
        let items = header
            .digest()
            .logs()
            .iter()
            .filter(|item| matches!(item, DigestItem::Consensus(ENGINE_ID, _)));
        assert_eq!(items.count(), 1);
        let (api, range, leaves) = chain
            .ext
            .execute_with(|| (Proofs::compute_root(), Mmr::mmr_root(), Mmr::mmr_leaves()));
        assert_eq!(compute_root(header.digest()), Some(api));
        assert_eq!(api.0, merkle::compute_root(leaves, &range.0));
        assert_eq!(header.digest().logs().last(), Some(&compute_root_item(api)));
        assert_eq!(leaves, block);
    }
}

#[test]
fn chains_that_settle_differently_have_different_roots() {
    let roots = |tasks: &[u64]| {
        let mut chain = Chain::new();
        chain.block(tasks.iter().copied());
        chain.empty(1);
        chain.compute_root(2)
    };
    let different = [roots(&[]), roots(&[1]), roots(&[2]), roots(&[1, 2]), roots(&[2, 1])];
    for (position, root) in different.iter().enumerate() {
        assert!(!different[..position].contains(root));
    }
}
