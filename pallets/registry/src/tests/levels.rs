//! Levels and priority.

use crate::{Profile, mock::*};
use agora_primitives::{
    participants::{Role, Specialisation, Specialisations},
    reputation::{Level, OnLevelChanged},
};
use frame_support::assert_ok;

fn two() -> Profile {
    let specialisations = Specialisations::NONE
        .with(Specialisation::Inference)
        .with(Specialisation::Training);
    Profile {
        specialisations,
        ..profile(10)
    }
}

#[test]
fn a_level_multiplies_the_priority_of_one_worker() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        register_worker(BOB, 10);
        for (level, weight) in [
            (Level::Skilled, 40),
            (Level::Expert, 60),
            (Level::Master, 80),
            (Level::Beginner, 20),
        ] {
            Registry::on_level_changed(&ALICE, Specialisation::Synthetic, level);
            assert_eq!((weight_of(ALICE), weight_of(BOB)), (weight, 20));
        }
    });
}

#[test]
fn the_lowest_level_among_the_declared_counts() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Registry::register(signed(ALICE), Role::Worker, WORKER_BOND, two()));
        prove(ALICE, 10, BlockNumber::MAX);
        Registry::on_level_changed(&ALICE, Specialisation::Inference, Level::Master);
        assert_eq!(weight_of(ALICE), 20);
        Registry::on_level_changed(&ALICE, Specialisation::Training, Level::Skilled);
        assert_eq!(weight_of(ALICE), 40);
        // Not declared, but remembered.
        Registry::on_level_changed(&ALICE, Specialisation::Rendering, Level::Expert);
        assert_eq!(weight_of(ALICE), 40);

        let narrow = |one| Profile {
            specialisations: Specialisations::NONE.with(one),
            ..profile(10)
        };
        assert_ok!(Registry::update_profile(
            signed(ALICE),
            narrow(Specialisation::Inference)
        ));
        assert_eq!(weight_of(ALICE), 80);
        assert_ok!(Registry::update_profile(
            signed(ALICE),
            narrow(Specialisation::Rendering)
        ));
        assert_eq!(weight_of(ALICE), 60);
    });
}

#[test]
fn levels_reached_earlier_count_from_the_start() {
    ExtBuilder::default().build_and_execute(|| {
        ReputationDouble::set_level(ALICE, Specialisation::Inference, Level::Master);
        ReputationDouble::set_level(ALICE, Specialisation::Training, Level::Expert);
        assert_ok!(Registry::register(signed(ALICE), Role::Worker, WORKER_BOND, two()));
        assert_ok!(Registry::register(signed(BOB), Role::Worker, WORKER_BOND, two()));
        assert_eq!((weight_of(ALICE), weight_of(BOB)), (6, 2));
    });
}

#[test]
fn those_who_are_no_workers_are_passed_over() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Verifier);
        Registry::on_level_changed(&ALICE, Specialisation::Synthetic, Level::Master);
        Registry::on_level_changed(&NOBODY, Specialisation::Synthetic, Level::Master);
        assert_eq!(workers(), 0);
    });
}
