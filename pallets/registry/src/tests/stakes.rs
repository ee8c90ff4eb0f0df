//! What verifiers weigh in draws.

use crate::{
    StakesLookedAt, TotalStakes,
    mock::*,
    stakes::{Stake, Totals},
};
use agora_primitives::participants::{Role, Stakes as _, TotalStake};
use frame_support::assert_ok;
use proptest::prelude::*;

/// What a verifier with the least bond weighs. It is so small here that a planck is the unit.
const LEAST: u32 = VERIFIER_BOND as u32;

fn stake(who: AccountId, at: BlockNumber) -> u32 {
    Registry::stake(&who, at)
}

fn total(verifiers: u32, weight: u32) -> TotalStake {
    TotalStake {
        verifiers,
        weight: weight.into(),
    }
}

fn now() -> TotalStake {
    TotalStakes::<Test>::get().now
}

#[test]
fn a_bond_counts_from_the_block_after_it_was_made() {
    ExtBuilder::default().build_and_execute(|| {
        run_to(5);
        register(ALICE, Role::Verifier);
        register(BOB, Role::Worker);
        assert_eq!([4, 5, 6].map(|at| stake(ALICE, at)), [0, 0, LEAST]);
        assert_eq!([stake(BOB, 6), stake(NOBODY, 6)], [0, 0], "no verifiers");
        // Frozen is what there was before this block.
        assert_eq!((Registry::freeze(), now()), (total(0, 0), total(1, LEAST)));
        run_to(6);
        assert_eq!(Registry::freeze(), total(1, LEAST));
    });
}

#[test]
fn a_raised_bond_counts_less_in_draws_that_were_made_before() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Verifier);
        run_to(39);
        assert_ok!(Registry::heartbeat(signed(ALICE)));
        assert_ok!(Registry::add_bond(signed(ALICE), Role::Verifier, VERIFIER_BOND));
        run_to(41);
        assert_ok!(Registry::add_bond(signed(ALICE), Role::Verifier, VERIFIER_BOND / 2));
        // Twice, so that the first raise is not taken for old.
        assert_eq!([38, 39, 40, 41].map(|at| stake(ALICE, at)), [LEAST; 4]);
        assert_eq!(stake(ALICE, 42), 5 * LEAST / 2);
        assert_eq!(now(), total(1, 5 * LEAST / 2));
        // After the cool-down no draw is open that was made before the first.
        run_to(42 + COOL_DOWN);
        assert_ok!(Registry::heartbeat(signed(ALICE)));
        assert_ok!(Registry::add_bond(signed(ALICE), Role::Verifier, VERIFIER_BOND));
        assert_eq!(stake(ALICE, 42 + COOL_DOWN), 5 * LEAST / 2);
        assert_eq!(stake(ALICE, 43 + COOL_DOWN), 7 * LEAST / 2);
    });
}

#[test]
fn a_bond_that_is_split_weighs_as_much() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Registry::register(
            signed(ALICE),
            Role::Verifier,
            3 * VERIFIER_BOND,
            profile(1)
        ));
        for who in [BOB, CAROL, DAVE] {
            register(who, Role::Verifier);
        }
        let split: u32 = [BOB, CAROL, DAVE].iter().map(|who| stake(*who, 2)).sum();
        assert_eq!(stake(ALICE, 2), split);
        assert_eq!(now(), total(4, 6 * LEAST));
    });
}

#[test]
fn a_cut_bond_counts_less_at_once() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Registry::register(
            signed(ALICE),
            Role::Verifier,
            2 * VERIFIER_BOND,
            profile(1)
        ));
        run_to(3);
        cut_bond(ALICE, Role::Verifier, VERIFIER_BOND);
        assert_eq!(stake(ALICE, 3), LEAST);
        // The sum hears of it when a draw looks at the verifier.
        assert_eq!(now(), total(1, 2 * LEAST));
        Registry::freeze();
        assert_eq!(now(), total(1, LEAST));
        // Below the minimum it is no active verifier.
        cut_bond(ALICE, Role::Verifier, 1);
        for _ in 0..3 {
            Registry::freeze();
        }
        assert_eq!((stake(ALICE, 3), now()), (0, total(0, 0)));
    });
}

#[test]
fn who_is_silent_leaving_or_banned_weighs_nothing() {
    ExtBuilder::default().build_and_execute(|| {
        for who in [ALICE, BOB, CAROL, DAVE] {
            register(who, Role::Verifier);
        }
        run_to(3);
        assert_ok!(Registry::request_exit(signed(ALICE), Role::Verifier));
        assert_ok!(Registry::ban(RuntimeOrigin::root(), BOB, None));
        assert_eq!([ALICE, BOB, CAROL].map(|who| stake(who, 3)), [0, 0, LEAST]);
        assert_eq!(now(), total(2, 2 * LEAST));
        assert_eq!(Registry::freeze(), total(4, 4 * LEAST), "as it was before this block");
        assert_ok!(Registry::lift_ban(RuntimeOrigin::root(), BOB));
        assert_eq!(
            [3, 4].map(|at| stake(BOB, at)),
            [0, LEAST],
            "it comes back with the next block"
        );

        run_to(2 + TIMEOUT);
        assert_ok!(Registry::heartbeat(signed(CAROL)));
        // Nobody has noticed the silence of the others yet; each draw looks at one.
        assert_eq!(now(), total(3, 3 * LEAST));
        for _ in 0..5 {
            Registry::freeze();
        }
        assert_eq!(now(), total(1, LEAST));
        assert_ok!(Registry::heartbeat(signed(DAVE)));
        assert_eq!(now(), total(2, 2 * LEAST));
        assert_eq!([2 + TIMEOUT, 3 + TIMEOUT].map(|at| stake(DAVE, at)), [0, LEAST]);

        run_to(3 + COOL_DOWN);
        assert_ok!(Registry::withdraw_bond(signed(ALICE), Role::Verifier));
        assert_eq!(crate::Stakes::<Test>::get(ALICE), None);
        register(ALICE, Role::Verifier);
        assert_eq!([3 + COOL_DOWN, 4 + COOL_DOWN].map(|at| stake(ALICE, at)), [0, LEAST]);
    });
}

#[test]
fn every_verifier_is_looked_at_in_turn() {
    ExtBuilder::default().build_and_execute(|| {
        for who in 1..=RICH {
            register(who, Role::Verifier);
        }
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..=RICH {
            Registry::freeze();
            seen.extend(StakesLookedAt::<Test>::get());
        }
        assert_eq!(seen.len() as u64, RICH);
    });
}

#[test]
fn a_change_in_the_same_block_does_not_touch_what_was_before() {
    let mut totals = Totals::<u64>::default();
    totals.change(0, 5, 3);
    totals.change(0, 7, 3);
    assert_eq!((totals.before(3), totals.before(4)), (total(0, 0), total(2, 12)));
    totals.change(5, 0, 9);
    assert_eq!((totals.before(9), totals.now), (total(2, 12), total(1, 7)));
}

proptest! {
    #[test]
    fn no_stake_is_more_than_it_was_before_the_draw(
        changes in prop::collection::vec((0u64..9, 0u32..1000), 1..40), memory in 40u64..60,
    ) {
        let mut stake = Stake::new(0u64);
        let (mut now, mut history) = (0, vec![(0, 0)]);
        for (wait, weight) in changes {
            now += wait;
            stake.set(weight, memory, now);
            history.push((now, weight));
            // Draws are open for no longer than that.
            for drawn in now.saturating_sub(memory).max(1)..=now + 1 {
                let before = history.iter().rev().find(|(block, _)| *block < drawn).map_or(0, |(_, weight)| *weight);
                prop_assert!(stake.at(drawn) <= before, "{} in {drawn}, {before} before: {stake:?}", stake.at(drawn));
                prop_assert!(stake.at(drawn) <= weight);
            }
        }
        let quiet = now + 1;
        prop_assert_eq!(stake.at(quiet), stake.weight);
    }
}
