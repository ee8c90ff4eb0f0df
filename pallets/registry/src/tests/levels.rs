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
fn a_level_counts_where_it_was_reached() {
    const INFERENCE: Specialisation = Specialisation::Inference;
    const TRAINING: Specialisation = Specialisation::Training;
    const RENDERING: Specialisation = Specialisation::Rendering;
    let weights = || [INFERENCE, TRAINING, RENDERING].map(|one| weight_for(ALICE, one));
    ExtBuilder::default().build_and_execute(|| {
        register_with(ALICE, 2 * WORKER_BOND, two());
        prove(ALICE, 10, BlockNumber::MAX);
        assert_eq!(weights(), [20, 20, 0]);
        // A master of one kind of work is not drawn more often for another by declaring it.
        Registry::on_level_changed(&ALICE, INFERENCE, Level::Master);
        assert_eq!(weights(), [80, 20, 0]);
        Registry::on_level_changed(&ALICE, TRAINING, Level::Skilled);
        assert_eq!(weights(), [80, 40, 0]);
        // Not declared, but remembered.
        Registry::on_level_changed(&ALICE, RENDERING, Level::Expert);
        assert_eq!(weights(), [80, 40, 0]);

        let rendering = Profile {
            specialisations: Specialisations::NONE.with(RENDERING),
            ..profile(10)
        };
        assert_ok!(Registry::update_profile(signed(ALICE), rendering));
        assert_eq!(weights(), [0, 0, 60]);
    });
}

#[test]
fn levels_reached_earlier_count_from_the_start() {
    ExtBuilder::default().build_and_execute(|| {
        ReputationDouble::set_level(ALICE, Specialisation::Inference, Level::Master);
        ReputationDouble::set_level(ALICE, Specialisation::Training, Level::Expert);
        register_with(ALICE, WORKER_BOND, two());
        register_with(BOB, WORKER_BOND, two());
        let weights = |one| [ALICE, BOB].map(|who| weight_for(who, one));
        assert_eq!(weights(Specialisation::Inference), [4, 1]);
        assert_eq!(weights(Specialisation::Training), [3, 1]);
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
