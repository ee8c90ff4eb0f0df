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
            .execute_with(|| (Results::compute_root(), Mmr::mmr_root(), Mmr::mmr_leaves()));
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

#[test]
fn proofs_verify_here_exactly_when_they_do_in_pallet_mmr() {
    use agora_math::merkle::{MountainProof, verify_mountain};
    use codec::Encode;
    use pallet_mmr::primitives::{DataOrHash, LeafProof};
    use sp_core::offchain::{OffchainDbExt, testing::TestOffchainExt};
    use sp_runtime::traits::BlakeTwo256;

    let mut chain = Chain::new();
    chain.empty(23);
    let (offchain, _) = TestOffchainExt::with_offchain_db(chain.ext.offchain_db());
    chain.ext.register_extension(OffchainDbExt::new(offchain));
    chain.ext.execute_with(|| {
        let (root, compute_root) = (Mmr::mmr_root(), Results::compute_root());
        for block in 1..=23 {
            let (leaves, good) = Mmr::generate_proof(vec![block], None).unwrap();
            let agree = |proof: &LeafProof<_>, expected: bool| {
                let leaf = DataOrHash::<BlakeTwo256, _>::Data(leaves[0]);
                let theirs = pallet_mmr::verify_leaves_proof(root, vec![leaf], proof.clone());
                let ours = MountainProof {
                    leaf_index: proof.leaf_indices[0],
                    leaf_count: proof.leaf_count,
                    items: proof.items.iter().map(|item| item.0).collect(),
                };
                assert_eq!(theirs.is_ok(), expected);
                assert_eq!(
                    verify_mountain(&compute_root.0, &leaves[0].encode(), &ours).is_ok(),
                    expected
                );
            };
            agree(&good, true);
            for item in 0..good.items.len() {
                let mut bad = good.clone();
                bad.items[item].0[block as usize] ^= 1;
                agree(&bad, false);
                let mut bad = good.clone();
                bad.items.remove(item);
                agree(&bad, false);
            }
        }
    });
}
