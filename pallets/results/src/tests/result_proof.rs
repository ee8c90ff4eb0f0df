//! `result_proof`: what it makes verifies, and what is not so does not.

use crate::{mock::*, types};
use agora_math::merkle::VerifyError;
use agora_primitives::{
    TaskId,
    job::{BlobRef, Claim},
    results::{ProofError, ResultProof},
};
use codec::Encode;
use proptest::prelude::*;
use sp_core::{H256, offchain::OffchainStorage};
use sp_runtime::traits::Header as _;

/// A chain of 60 blocks, far longer than state and system remember, with results in two of three of them.
fn long_chain() -> (Chain, Vec<(u64, u64)>) {
    let mut chain = Chain::new();
    let mut settled = Vec::new();
    for block in 1u64..=60 {
        let tasks: Vec<_> = (0..[0, 1, 5][block as usize % 3]).map(|n| block * 100 + n).collect();
        settled.extend(tasks.iter().map(|task| (*task, block)));
        chain.block(tasks);
    }
    chain.empty(1);
    (chain, settled)
}

#[test]
fn every_result_is_proven_to_the_holder_of_the_newest_header() {
    let (mut chain, settled) = long_chain();
    assert_eq!(settled.len(), 120);
    let (best, root) = (*chain.best().number(), chain.compute_root(61));
    for (task, block) in settled {
        let proof = chain.proof(task, None).unwrap();
        assert_eq!(proof.leaf, leaf(task));
        assert_eq!(proof.block.block, block);
        assert_eq!(proof.block.block_hash, chain.headers[block as usize].hash());
        assert_eq!(proof.leaf_count, best);
        assert_eq!(proof.verify(root), Ok(()));
        // It is for this header and no other.
        for other in (1..best).step_by(7) {
            assert_eq!(proof.verify(chain.compute_root(other)), Err(VerifyError::NotInMountain));
        }
    }
}

#[test]
fn every_result_is_proven_to_the_holder_of_any_later_header() {
    let (mut chain, settled) = long_chain();
    for (task, block) in settled.into_iter().step_by(11) {
        for best in block + 1..=61 {
            let proof = chain.proof(task, Some(best)).unwrap();
            assert_eq!(proof.leaf_count, best);
            assert_eq!(proof.verify(chain.compute_root(best)), Ok(()));
        }
    }
}

#[test]
fn a_result_is_proven_from_the_next_block_on() {
    let mut chain = Chain::new();
    chain.block([1]);
    assert_eq!(chain.proof(1, None), Err(ProofError::TooRecent));
    chain.empty(1);
    let proof = chain.proof(1, None).unwrap();
    assert_eq!(proof.verify(chain.compute_root(2)), Ok(()));
    assert_eq!(proof.verify(chain.compute_root(1)), Err(VerifyError::NotInMountain));
}

#[test]
fn fails_for_blocks_that_cannot_know() {
    let mut chain = Chain::new();
    chain.empty(2);
    chain.block([1]);
    chain.empty(1);
    for best in [0, 1, 3, 5, u64::MAX] {
        assert_eq!(chain.proof(1, Some(best)), Err(ProofError::BlockOutOfRange), "{best}");
    }
    assert!(chain.proof(1, Some(4)).is_ok());
}

#[test]
fn fails_for_unknown_tasks() {
    let mut chain = Chain::new();
    assert_eq!(chain.proof(1, None), Err(ProofError::UnknownTask));
    chain.block([1]);
    chain.empty(30);
    assert_eq!(chain.proof(2, None), Err(ProofError::UnknownTask));
}

#[test]
fn fails_on_a_node_that_did_not_index() {
    let mut chain = Chain::new();
    chain.block([1]);
    chain.empty(3);
    assert_eq!(chain.proof_with(vec![], 1, None), Err(ProofError::DataMissing));
    chain.empty(20);
    assert_eq!(chain.proof_with(vec![], 1, None), Err(ProofError::UnknownTask));
}

#[test]
fn fails_on_corrupt_data() {
    let corrupt = |value: Vec<u8>| {
        let mut chain = Chain::new();
        chain.block([1]);
        chain.empty(3);
        let hash = chain.headers[1].hash();
        chain.ext.offchain_db().set(b"", &types::block_key(hash), &value);
        chain.proof(1, None)
    };
    assert!(corrupt(vec![leaf(1)].encode()).is_ok());
    assert_eq!(corrupt(vec![]), Err(ProofError::DataCorrupt));
    assert_eq!(
        corrupt([vec![leaf(1)].encode(), vec![0]].concat()),
        Err(ProofError::DataCorrupt)
    );
    assert_eq!(corrupt(vec![leaf(2)].encode()), Err(ProofError::DataCorrupt));
    assert_eq!(corrupt(Vec::<u8>::new().encode()), Err(ProofError::DataCorrupt));
}

/// The output of the result, and the root of its states.
fn output(proof: &mut ResultProof<AccountId>) -> (&mut BlobRef, &mut H256) {
    match &mut proof.leaf.claim {
        Claim::Output { output, states_root } => (output, states_root),
        Claim::Unusable => panic!("the result has an output"),
    }
}

#[test]
fn nothing_in_a_proof_can_be_changed() {
    let mut chain = Chain::new();
    chain.block([1, 2, 3]);
    chain.block([4, 5, 6, 7]);
    chain.empty(4);
    let root = chain.compute_root(6);
    let good = chain.proof(6, None).unwrap();
    assert_eq!(good.verify(root), Ok(()));
    let mut bad = vec![];
    let mut change = |what: fn(&mut ResultProof<AccountId>)| {
        let mut proof = good.clone();
        what(&mut proof);
        assert_ne!(proof, good);
        bad.push(proof);
    };
    change(|proof| proof.leaf.task = TaskId(5));
    change(|proof| proof.leaf.job.0[0] ^= 1);
    change(|proof| output(proof).0.hash.0[0] ^= 1);
    change(|proof| output(proof).0.size += 1);
    change(|proof| output(proof).1.0[0] ^= 1);
    change(|proof| proof.leaf.claim = Claim::Unusable);
    change(|proof| proof.leaf.winner += 1);
    change(|proof| proof.index ^= 1);
    change(|proof| proof.siblings[0].0[31] ^= 128);
    change(|proof| proof.siblings.swap(0, 1));
    change(|proof| proof.siblings.truncate(1));
    change(|proof| proof.siblings.push(Default::default()));
    change(|proof| proof.block.version += 1);
    change(|proof| proof.block.block += 1);
    change(|proof| proof.block.block_hash.0[0] ^= 1);
    change(|proof| proof.block.results_root.0[0] ^= 1);
    change(|proof| proof.block.count += 1);
    change(|proof| proof.leaf_index ^= 1);
    change(|proof| proof.leaf_count += 1);
    change(|proof| proof.leaf_count = u64::MAX);
    change(|proof| proof.items[0].0[0] ^= 1);
    change(|proof| proof.items.reverse());
    change(|proof| proof.items.truncate(2));
    change(|proof| proof.items.push(Default::default()));
    for proof in bad {
        assert!(proof.verify(root).is_err(), "{proof:?}");
    }
}

proptest! {
    #![proptest_config(agora_test_support::cases(32))]

    #[test]
    fn any_chain_proves_all_its_results(blocks in prop::collection::vec(0u64..6, 1..50), retention in 1u64..17) {
        Retention::set(retention);
        let mut chain = Chain::new();
        let mut tasks = 0;
        for count in blocks {
            chain.block(tasks..tasks + count.min(5));
            tasks += count.min(5);
        }
        chain.empty(1);
        let root = chain.compute_root(*chain.best().number());
        for task in 0..tasks {
            let proof = chain.proof(task, None).unwrap();
            prop_assert_eq!(&proof.leaf, &leaf(task));
            prop_assert_eq!(proof.verify(root), Ok(()));
        }
    }
}
