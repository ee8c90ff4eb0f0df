//! `draw_workers`.

use crate::{Event, Profile, mock::*};
use agora_primitives::{
    participants::{Participants, Role, Specialisation, Specialisations},
    reputation::{Level, OnLevelChanged},
};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use sp_io::hashing::blake2_256;
use sp_runtime::DispatchError;
use std::collections::BTreeSet;

const SYNTHETIC: Specialisation = Specialisation::Synthetic;

fn seed(number: u32) -> H256 {
    blake2_256(&number.to_le_bytes()).into()
}

fn draw(number: u32, count: u32, exclude: &[AccountId]) -> Vec<AccountId> {
    Registry::draw_workers(seed(number), SYNTHETIC, count, exclude)
}

#[test]
fn gives_distinct_workers_and_the_same_for_the_same_seed() {
    ExtBuilder::default().build_and_execute(|| {
        for who in 1..=20 {
            register_worker(who, who as u32);
        }
        let mut seen = BTreeSet::new();
        for number in 0..50 {
            let drawn = draw(number, 5, &[]);
            assert_eq!(drawn.len(), 5);
            assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), 5);
            assert_eq!(draw(number, 5, &[]), drawn);
            // Asking for fewer gives the first of them.
            assert_eq!(draw(number, 2, &[]), drawn[..2]);
            seen.extend(drawn);
        }
        assert_eq!(seen.len(), 20);
    });
}

#[test]
fn follows_priority() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        register_worker(BOB, 30);
        let alice = (0..2_000).filter(|number| draw(*number, 1, &[]) == [ALICE]).count();
        // A quarter of 2000: six standard deviations are 116.
        assert!((384..=616).contains(&alice), "{alice}");
    });
}

#[test]
fn gives_fewer_when_there_are_no_more() {
    ExtBuilder::default().build_and_execute(|| {
        assert!(draw(1, 3, &[]).is_empty());
        register_worker(ALICE, 10);
        register_worker(BOB, 10);
        assert_eq!(draw(1, 3, &[]).len(), 2);
        assert!(draw(1, 0, &[]).is_empty());
    });
}

#[test]
fn tries_no_more_workers_than_the_limit() {
    ExtBuilder::default().build_and_execute(|| {
        for who in 1..=20 {
            register_worker(who, 10);
        }
        assert_eq!(draw(1, 20, &[]).len(), MAX_TRIES as usize);
        // All but one are excluded: often it is not among those tried, and nobody is given.
        let others: Vec<AccountId> = (2..=20).collect();
        let found = (0..100).filter(|number| draw(*number, 1, &others) == [ALICE]).count();
        assert!((10..80).contains(&found), "{found}");
    });
}

#[test]
fn passes_over_the_excluded_and_never_meets_the_unsuited() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        register_worker(BOB, 10);
        let rendering = Specialisations::NONE.with(Specialisation::Rendering);
        let renderer = Profile {
            specialisations: rendering,
            ..profile(10)
        };
        assert_ok!(Registry::register(signed(CAROL), Role::Worker, WORKER_BOND, renderer));

        for number in 0..20 {
            let drawn: BTreeSet<_> = draw(number, 3, &[]).into_iter().collect();
            assert_eq!(drawn, [ALICE, BOB].into());
            assert_eq!(draw(number, 3, &[ALICE]), [BOB]);
            assert_eq!(
                Registry::draw_workers(seed(number), Specialisation::Rendering, 3, &[ALICE]),
                [CAROL]
            );
        }
        // A worker that is skipped keeps its weight.
        assert_eq!((weight_of(ALICE), weight_of(BOB)), (20, 20));
        assert_eq!(weight_for(CAROL, Specialisation::Rendering), 1);
    });
}

#[test]
fn passes_over_full_leaving_and_banned_workers_without_a_try() {
    ExtBuilder::default().build_and_execute(|| {
        for who in 1..=20 {
            register_worker(who, 1_000);
        }
        for who in 2..=20 {
            let passed_over = match who % 3 {
                0 => Registry::occupy_slot(&who).and_then(|()| Registry::occupy_slot(&who)),
                1 => Registry::request_exit(signed(who), Role::Worker),
                _ => Registry::ban(RuntimeOrigin::root(), who, None),
            };
            assert_ok!(passed_over);
        }
        System::reset_events();
        for number in 0..20 {
            assert_eq!(draw(number, 3, &[]), [ALICE]);
        }
        assert!(System::events().is_empty());
    });
}

/// More heavy workers than a draw tries, none of whom does what is asked for.
#[test]
fn crowds_of_the_unsuited_take_no_tries() {
    ExtBuilder::default().build_and_execute(|| {
        let renderer = Profile {
            specialisations: Specialisations::NONE.with(Specialisation::Rendering),
            ..profile(MAX_CAPABILITY)
        };
        for who in 2..=3 * AccountId::from(MAX_TRIES) {
            register_with(who, 2 * WORKER_BOND, renderer);
            prove(who, MAX_CAPABILITY, BlockNumber::MAX);
        }
        register_worker(ALICE, 1);
        for number in 0..100 {
            assert_eq!(draw(number, 1, &[]), [ALICE]);
        }
    });
}

#[test]
fn each_specialisation_is_drawn_by_its_own_weights() {
    ExtBuilder::default().build_and_execute(|| {
        let both = Specialisations::from_iter([SYNTHETIC, Specialisation::Training]);
        for who in [ALICE, BOB] {
            let profile = Profile {
                specialisations: both,
                ..profile(10)
            };
            register_with(who, WORKER_BOND, profile);
        }
        Registry::on_level_changed(&ALICE, Specialisation::Training, Level::Expert);
        let alice = |one| {
            (0..2_000)
                .filter(|number| Registry::draw_workers(seed(*number), one, 1, &[]) == [ALICE])
                .count()
        };
        // A half and three quarters of 2,000: six standard deviations are 134 and 116.
        let (synthetic, training) = (alice(SYNTHETIC), alice(Specialisation::Training));
        assert!((866..=1_134).contains(&synthetic), "{synthetic}");
        assert!((1_384..=1_616).contains(&training), "{training}");
    });
}

/// 64 slots that nothing backs weighed 64 times as much as an honest worker's one.
#[test]
fn slots_without_a_bond_or_a_proof_weigh_nothing() {
    ExtBuilder::default().build_and_execute(|| {
        let greedy = Profile {
            slots: MAX_SLOTS,
            ..profile(MAX_CAPABILITY)
        };
        let honest = Profile {
            slots: 1,
            ..profile(10)
        };
        register_with(ALICE, WORKER_BOND, honest);
        // Bonded for all slots, but nothing is proven.
        register_with(BOB, WORKER_BOND * Balance::from(MAX_SLOTS), greedy);
        // A proof, but a bond for one slot.
        register_with(CAROL, 2 * WORKER_BOND - 1, greedy);
        assert_eq!([ALICE, BOB, CAROL].map(weight_of), [1, 1, 1]);
        prove(ALICE, 10, BlockNumber::MAX);
        prove(CAROL, 10, BlockNumber::MAX);
        assert_eq!([ALICE, BOB, CAROL].map(weight_of), [10, 1, 10]);

        // Each further slot costs a bond.
        assert_ok!(Registry::add_bond(signed(CAROL), Role::Worker, 1));
        assert_eq!(weight_of(CAROL), 20);
        assert_ok!(Registry::add_bond(signed(CAROL), Role::Worker, 10 * WORKER_BOND));
        assert_eq!(weight_of(CAROL), 10 * u64::from(MAX_SLOTS));
        // A slot that is taken is taken from those that count.
        assert_ok!(Registry::occupy_slot(&ALICE));
        assert_ok!(Registry::occupy_slot(&BOB));
        assert_eq!([ALICE, BOB].map(weight_of), [0, 0]);
    });
}

#[test]
fn a_bond_that_was_cut_covers_fewer_slots_from_the_next_hit_or_heartbeat() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        register_worker(BOB, 10);
        cut_bond(ALICE, Role::Worker, 1);
        cut_bond(BOB, Role::Worker, 1);
        // Nobody noticed yet.
        assert_eq!([ALICE, BOB].map(weight_of), [20, 20]);
        assert_ok!(Registry::heartbeat(signed(BOB)));
        assert_eq!([ALICE, BOB].map(weight_of), [20, 10]);
        // Whoever weighs more than it should is not drawn by that.
        for number in 0..20 {
            let drawn = draw(number, 1, &[]);
            assert!(weight_of(ALICE) == 10 || drawn == [BOB]);
        }
        assert_eq!([ALICE, BOB].map(weight_of), [10, 10]);
        assert_eq!(draw(1, 2, &[]).len(), 2);
    });
}

#[test]
fn puts_the_silent_out_of_the_draw_when_it_hits_them() {
    ExtBuilder::default().build_and_execute(|| {
        for who in 1..=30 {
            register_worker(who, 10);
        }
        run_to(5);
        assert_ok!(Registry::heartbeat(signed(ALICE)));
        run_to(2 + TIMEOUT);
        System::reset_events();

        // At most a limited number each time, and in the end all of them.
        let mut silenced = 0;
        for number in 0..6 {
            draw(number, 1, &[]);
            let now_silenced = (2..=30).filter(|who| weight_of(*who) == 0).count();
            assert!(now_silenced - silenced <= MAX_TRIES as usize);
            assert_eq!(System::event_count() as usize, now_silenced);
            silenced = now_silenced;
            check_state();
        }
        while silenced < 29 {
            draw(100 + silenced as u32, 2, &[]);
            silenced = (2..=30).filter(|who| weight_of(*who) == 0).count();
        }
        assert_eq!(draw(1, 3, &[]), [ALICE]);
        for who in 2..=30 {
            System::assert_has_event(Event::WorkerDormant { who }.into());
        }
        assert_eq!(System::event_count(), 29);
    });
}

#[test]
#[should_panic(expected = "Corruption")]
fn a_broken_tree_is_noticed() {
    ExtBuilder::default().build_and_execute(|| {
        for who in 1..=3 {
            register_worker(who, 10);
        }
        crate::Nodes::<Test>::mutate(3, |node| node.set(SYNTHETIC, u128::MAX));
        draw(1, 1, &[]);
    });
}

#[test]
fn a_broken_tree_changes_no_more() {
    ExtBuilder::default().build().execute_with(|| {
        register_worker(ALICE, 10);
        register_worker(BOB, 10);
        crate::Nodes::<Test>::mutate(1, |node| node.set(SYNTHETIC, 1_000));
        assert_noop!(
            Registry::update_profile(signed(BOB), profile(20)),
            DispatchError::Corruption
        );
    });
}
