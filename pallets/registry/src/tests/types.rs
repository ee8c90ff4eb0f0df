//! The pure parts.

use crate::{
    mock::{BlockNumber, profile},
    types::*,
};
use agora_primitives::{
    participants::{Role, Specialisation, Specialisations},
    reputation::Level,
};
use proptest::prelude::*;

#[test]
fn the_factor_rises_with_the_level_up_to_its_limit() {
    let levels = [Level::Beginner, Level::Skilled, Level::Expert, Level::Master];
    assert_eq!(levels.map(level_factor), [1, 2, 3, 4]);
    assert_eq!(levels.map(level_factor).into_iter().max(), Some(MAX_LEVEL_FACTOR));
}

#[test]
fn the_lowest_of_no_levels_is_that_of_a_beginner() {
    let levels = Levels::collect(|_| Level::Master);
    assert_eq!(levels.lowest(Specialisations::NONE), Level::Beginner);
    assert_eq!(
        levels.lowest(Specialisations::NONE.with(Specialisation::Training)),
        Level::Master
    );
}

#[test]
fn roles_do_not_mix() {
    for role in [Role::Worker, Role::Verifier, Role::Orchestrator, Role::Expert] {
        let mut member = Member::<BlockNumber>::new(1);
        assert!(member.is_gone());
        match role {
            Role::Worker => member.worker = Some(Worker::new(profile(1), Levels::default(), 0)),
            Role::Verifier => member.verifier = Some(Standing::Staying),
            Role::Orchestrator => member.orchestrator = Some(Standing::Staying),
            Role::Expert => member.expert = Some(Standing::Staying),
        }
        *member.standing_mut(role).unwrap() = Standing::Leaving { withdrawable_at: 7 };
        for other in [Role::Worker, Role::Verifier, Role::Orchestrator, Role::Expert] {
            let expected = (other == role).then_some(Standing::Leaving { withdrawable_at: 7 });
            assert_eq!(member.standing(other), expected);
            assert_eq!(member.standing_mut(other).is_some(), other == role);
        }
        assert_eq!(member.take(role).is_some(), role == Role::Worker);
        assert!(member.is_gone());
    }
}

#[test]
fn minimum_bonds_are_those_of_the_role() {
    let bonds = MinimumBonds {
        worker: Some(1),
        verifier: Some(2),
        orchestrator: Some(3),
        expert: Some(4),
    };
    let roles = [Role::Worker, Role::Verifier, Role::Orchestrator, Role::Expert];
    assert_eq!(roles.map(|role| bonds.of(role)), [Some(1), Some(2), Some(3), Some(4)]);
    assert_eq!(roles.map(|role| MinimumBonds::<u8>::default().of(role)), [None; 4]);
}

proptest! {
    #[test]
    fn priority_is_the_capped_product(capability: u32, slots: u32, occupied: u32, level in 0..4usize) {
        let level = [Level::Beginner, Level::Skilled, Level::Expert, Level::Master][level];
        let declared = Profile { slots, ..profile(capability) };
        let mut worker = Worker::<BlockNumber>::new(declared, Levels::collect(|_| level), 0);
        worker.occupied = occupied;
        worker.proven = Some(Proven { capability, until: 1 });
        let free = u128::from(slots.saturating_sub(occupied));
        let product = u128::from(capability) * u128::from(level_factor(level)) * free;
        prop_assert_eq!(u128::from(worker.priority()), product.min(u64::MAX.into()));
        prop_assert_eq!(worker.weight(), worker.priority());
        worker.dormant = true;
        prop_assert_eq!(worker.weight(), 0);
        worker.dormant = false;
        worker.standing = Standing::Leaving { withdrawable_at: 1 };
        prop_assert_eq!(worker.weight(), 0);
    }
}
