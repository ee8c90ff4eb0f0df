//! The pure parts.

use crate::{
    mock::{BlockNumber, profile},
    types::*,
};
use agora_primitives::{
    participants::{Role, Specialisation},
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
fn a_level_is_that_of_its_specialisation() {
    let mut levels = Levels::collect(|one| match one {
        Specialisation::Training => Level::Master,
        _ => Level::Beginner,
    });
    levels.set(Specialisation::Rendering, Level::Skilled);
    for (index, one) in Specialisation::ALL.into_iter().enumerate() {
        let expected = match index {
            3 => Level::Master,
            4 => Level::Skilled,
            _ => Level::Beginner,
        };
        assert_eq!(levels.of(one), expected);
    }
}

#[test]
fn sums_of_specialisations_do_not_mix() {
    let mut sums = Sums::default();
    assert!(sums.is_zero());
    sums.set(Specialisation::Rendering, u128::MAX);
    for one in Specialisation::ALL {
        let expected = if one == Specialisation::Rendering { u128::MAX } else { 0 };
        assert_eq!(sums.of(one), expected);
    }
    assert!(!sums.is_zero());
}

#[test]
fn roles_do_not_mix() {
    for role in [Role::Worker, Role::Verifier, Role::Orchestrator, Role::Expert] {
        let mut member = Member::<BlockNumber>::new(1);
        assert!(member.is_gone());
        match role {
            Role::Worker => member.worker = Some(Worker::new(profile(1), Levels::default(), 1, 0)),
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
    fn priority_is_the_capped_product(
        capability: u32, slots: u32, covered: u32, occupied: u32, is_proven: bool, level in 0..4usize,
    ) {
        let level = [Level::Beginner, Level::Skilled, Level::Expert, Level::Master][level];
        let declared = Profile { slots, ..profile(capability) };
        let mut worker = Worker::<BlockNumber>::new(declared, Levels::collect(|_| level), covered, 0);
        worker.occupied = occupied;
        worker.proven = is_proven.then_some(Proven { capability, until: 1 });
        // What nothing backs counts nothing, or one of it.
        let (capability, most) = if is_proven { (capability, u32::MAX) } else { (capability.min(1), 1) };
        let free = u128::from(slots.min(covered).min(most).saturating_sub(occupied));
        let product = u128::from(capability) * u128::from(level_factor(level)) * free;
        let expected = u64::try_from(product).unwrap_or(u64::MAX);
        prop_assert_eq!(worker.priority(Specialisation::Synthetic), expected);
        let mut weights = Weights::default();
        weights[Specialisation::Synthetic as usize] = expected;
        prop_assert_eq!(worker.weights(), weights);
        worker.dormant = true;
        prop_assert_eq!(worker.weights(), Weights::default());
        worker.dormant = false;
        worker.standing = Standing::Leaving { withdrawable_at: 1 };
        prop_assert_eq!(worker.weights(), Weights::default());
    }
}
