//! What one pallet asks of another, or tells it, arrives there. A `()` in a `Config` compiles, and no other test would
//! fail.

mod chain;

use agora_primitives::{
    judging::Seed,
    participants::{Role, Specialisation, Specialisations},
    reputation::{Level, Outcome, Reputation as _, Side},
};
use agora_runtime::{AccountId, Registry, Reputation, Runtime, UNIT};
use chain::{Chain, account, key};
use pallet_agora_capability::Config as CapabilityConfig;
use pallet_agora_registry::{Members, Profile};
use sp_core::H256;
use std::collections::BTreeSet;

const WORKER: &str = "Worker1";

/// A chain on which [`WORKER`] is registered.
fn with_a_worker() -> Chain {
    let profile = Profile {
        specialisations: Specialisations::NONE.with(Specialisation::Synthetic),
        slots: 1,
        capability: 100,
    };
    let register = pallet_agora_registry::Call::register {
        role: Role::Worker,
        bond: 100 * UNIT,
        profile,
    };
    let mut chain = Chain::development();
    chain.must([(key(WORKER), register.into())]);
    chain
}

/// The weight with which `who` is drawn.
fn weight(who: &AccountId) -> u64 {
    let worker = Members::<Runtime>::get(who).and_then(|member| member.worker);
    let leaf = worker.expect("the worker is registered").leaf;
    Registry::tree().weight(leaf).expect("its leaf is in the tree")
}

#[test]
fn a_level_that_is_reached_raises_the_weight_in_the_draw() {
    with_a_worker().ext.execute_with(|| {
        let (who, side) = (account(WORKER), Side::Worker(Specialisation::Synthetic));
        let before = weight(&who);
        while Reputation::level(&who, side) != Level::Master {
            Reputation::record(&who, side, Outcome::Right { confirmed: true });
        }
        assert_eq!(weight(&who), 4 * before);
    });
}

#[test]
fn a_capability_that_is_proven_raises_the_weight_in_the_draw() {
    use agora_primitives::capability::Capabilities;

    with_a_worker().ext.execute_with(|| {
        let who = account(WORKER);
        assert_eq!(weight(&who), 1);
        <Runtime as CapabilityConfig>::Capabilities::prove(&who, 40, 1_000);
        assert_eq!(weight(&who), 40);
    });
}

#[test]
fn seeds_of_challenges_differ_by_block_and_subject() {
    let mut chain = Chain::development();
    let mut seeds = BTreeSet::new();
    for _ in 0..3 {
        chain.must([]);
        chain.ext.execute_with(|| {
            seeds.extend([b"one", b"two"].map(|subject| <Runtime as CapabilityConfig>::Seed::seed(subject)));
        });
    }
    assert_eq!(seeds.len(), 6);
    assert!(!seeds.contains(&H256::zero()));
}
