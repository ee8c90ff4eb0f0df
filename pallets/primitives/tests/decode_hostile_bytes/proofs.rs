//! Proofs of settled results: whatever they contain, nothing panics, and nothing but the truth is believed.

use crate::{mutation::hostile, rounds};
use agora_math::merkle::{
    BlockLeaf, Hash, MountainProof, Proof, compute_root, leaf_hash, prove, root, verify, verify_chunk, verify_mountain,
    verify_result,
};
use agora_primitives::{TaskId, results::ResultLeaf};
use codec::{Decode, Encode};
use mmr_lib::{MMR, Merge, util::MemStore};
use proptest::prelude::*;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;

type Account = [u8; 32];
/// All that a client is given beside the header's root: the result, its path, its block's leaf, and the leaf's path.
type Claim = (ResultLeaf<Account>, Proof, BlockLeaf, MountainProof);

struct Blake2Merge;

impl Merge for Blake2Merge {
    type Item = Hash;

    fn merge(left: &Hash, right: &Hash) -> mmr_lib::Result<Hash> {
        Ok(blake2_256(&[*left, *right].concat()))
    }
}

fn result(task: u64) -> ResultLeaf<Account> {
    let hash = |salt: u8| H256(blake2_256(&(task, salt).encode()));
    ResultLeaf {
        task: TaskId(task),
        job: hash(0),
        digest: hash(1),
        trace_root: hash(2),
        winner: hash(3).0,
    }
}

fn block(number: u64, results: u64) -> (BlockLeaf, Vec<Hash>) {
    let leaves: Vec<Hash> = (0..results)
        .map(|index| leaf_hash(&result(number * 1_000 + index).encode()))
        .collect();
    let leaf = BlockLeaf {
        version: BlockLeaf::VERSION,
        block: number,
        block_hash: blake2_256(&number.encode()),
        results_root: root(&leaves),
        count: results as u32,
    };
    (leaf, leaves)
}

/// The truth about one result of a chain with `blocks` blocks of `results` results each.
fn truth(blocks: u64, results: u64, at: u64, index: u64) -> (Hash, Claim) {
    let store = MemStore::default();
    let mut range = MMR::<Hash, Blake2Merge, _>::new(0, &store);
    for number in 0..blocks {
        range
            .push(blake2_256(&block(number, results).0.encode()))
            .expect("the store takes everything");
    }
    let proof = range
        .gen_proof(vec![mmr_lib::leaf_index_to_pos(at)])
        .expect("the leaf exists");
    let mountain = MountainProof {
        leaf_index: at,
        leaf_count: blocks,
        items: proof.proof_items().to_vec(),
    };
    let (leaf, leaves) = block(at, results);
    let path = prove(&leaves, index as usize).expect("the result exists");
    let root = compute_root(blocks, &range.get_root().expect("the range is not empty"));
    (root, (result(at * 1_000 + index), path, leaf, mountain))
}

fn claims() -> impl Strategy<Value = (Hash, Claim)> {
    (1u64..20, 1u64..20)
        .prop_flat_map(|(blocks, results)| (Just(blocks), Just(results), 0..blocks, 0..results))
        .prop_map(|(blocks, results, at, index)| truth(blocks, results, at, index))
}

fn holds(root: &Hash, claim: &Claim) -> bool {
    let (result, path, block, mountain) = claim;
    verify_result(root, &result.encode(), path, block, mountain).is_ok()
}

#[test]
fn only_the_truth_is_believed_of_a_result() {
    let strategy = claims().prop_flat_map(|(root, claim)| {
        let bytes = claim.encode();
        (Just(root), Just(claim), hostile(Just(bytes)))
    });
    rounds::run(file!(), strategy, |(root, truth, bytes)| {
        prop_assert!(holds(&root, &truth));
        if let Ok(claim) = Claim::decode(&mut &bytes[..]) {
            prop_assert_eq!(holds(&root, &claim), claim == truth);
        }
        Ok(())
    });
}

#[test]
fn proofs_of_no_sense_are_refused() {
    let valid = claims().prop_map(|(root, (_, path, _, mountain))| (root, path, mountain).encode());
    let strategy = (
        hostile(valid),
        any::<u64>(),
        any::<u16>(),
        proptest::collection::vec(any::<u8>(), 0..64),
    );
    rounds::run(file!(), strategy, |(bytes, length, chunk_size, content)| {
        let Ok((root, path, mountain)) = <(Hash, Proof, MountainProof)>::decode(&mut &bytes[..]) else {
            return Ok(());
        };
        // The roots are of something else than this content.
        prop_assert!(!verify(&root, &leaf_hash(&content), &path));
        prop_assert!(!verify_chunk(&root, length, chunk_size.into(), &content, &path));
        prop_assert!(verify_mountain(&root, &content, &mountain).is_err());
        Ok(())
    });
}
