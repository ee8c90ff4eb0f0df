//! A node that has seen two forks proves the results of both.

use crate::mock::*;
use agora_primitives::results::ProofError;
use sp_core::offchain::testing::TestPersistentOffchainDB;

/// Two chains with one history of four blocks, which then go on differently: both settle task 3, in different blocks
/// and places, and each settles tasks that the other does not.
fn forks() -> (Chain, Chain) {
    let mut one = Chain::new();
    let mut other = Chain::new();
    for chain in [&mut one, &mut other] {
        chain.block([1]);
        chain.block([2]);
        chain.empty(2);
    }
    assert_eq!(one.best().hash(), other.best().hash());
    one.block([3, 10]);
    one.block([]);
    other.block([20]);
    other.block([21, 3]);
    assert_ne!(one.headers[5].hash(), other.headers[5].hash());
    (one, other)
}

fn check(chain: &mut Chain, databases: &[TestPersistentOffchainDB], tasks: &[u64], foreign: u64) {
    let best = chain.headers.len() as u64 - 1;
    for task in tasks {
        let proof = chain.proof_with(databases.to_vec(), *task, None).unwrap();
        assert_eq!(proof.leaf, leaf(*task));
        assert_eq!(proof.block.block_hash, chain.headers[proof.block.block as usize].hash());
        assert_eq!(proof.verify(chain.compute_root(best)), Ok(()), "task {task}");
    }
    assert_eq!(
        chain.proof_with(databases.to_vec(), foreign, None),
        Err(ProofError::UnknownTask)
    );
}

#[test]
fn each_fork_proves_its_own_results_whichever_was_imported_last() {
    let (mut one, mut other) = forks();
    one.empty(1);
    other.empty(1);
    let mut databases = vec![one.ext.offchain_db(), other.ext.offchain_db()];
    for _ in 0..2 {
        check(&mut one, &databases, &[1, 2, 3, 10], 20);
        check(&mut other, &databases, &[1, 2, 20, 21, 3], 10);
        databases.reverse();
    }
}

#[test]
fn the_fork_that_lives_on_proves_everything_forever() {
    let (mut one, other) = forks();
    // The other fork ended before the blocks at which they parted were indexed for good.
    one.empty(40);
    let mut databases = vec![one.ext.offchain_db(), other.ext.offchain_db()];
    for _ in 0..2 {
        check(&mut one, &databases, &[1, 2, 3, 10], 20);
        databases.reverse();
    }
}
