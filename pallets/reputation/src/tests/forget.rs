//! `forget`.

use crate::{Error, Event, Records, mock::*};
use agora_primitives::{
    participants::Specialisation,
    reputation::{Level, Reputation as _, Side},
};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use sp_runtime::DispatchError;

#[test]
fn removes_a_faded_record_for_anybody_and_for_free() {
    ExtBuilder::default().build_and_execute(|| {
        record(ALICE, Side::Publisher, CONFIRMED, 1);
        // 2^-6 is exactly the threshold.
        System::set_block_number(1 + 6 * HalfLife::get() + 1);
        let result = Reputation::forget(RuntimeOrigin::signed(BOB), ALICE, Side::Publisher);
        assert_eq!(result.unwrap().pays_fee, Pays::No);
        assert!(!Records::<Test>::contains_key(ALICE, Side::Publisher));
        System::assert_last_event(
            Event::Forgotten {
                who: ALICE,
                side: Side::Publisher,
            }
            .into(),
        );
        assert_eq!(Levels::take(), []);
    });
}

#[test]
fn takes_the_level_along() {
    ExtBuilder::default().build_and_execute(|| {
        record(ALICE, WORKER, CONFIRMED, 5);
        Levels::take();
        System::set_block_number(1 + 12 * HalfLife::get());
        assert_ok!(Reputation::forget(RuntimeOrigin::signed(BOB), ALICE, WORKER));
        assert_eq!(Reputation::level(&ALICE, WORKER), Level::Beginner);
        assert_eq!(Levels::take(), [(ALICE, Specialisation::Synthetic, Level::Beginner)]);
        System::assert_has_event(
            Event::Forgotten {
                who: ALICE,
                side: WORKER,
            }
            .into(),
        );
        System::assert_last_event(
            Event::LevelChanged {
                who: ALICE,
                side: WORKER,
                from: Level::Master,
                to: Level::Beginner,
            }
            .into(),
        );
    });
}

#[test]
fn leaves_other_sides_alone() {
    ExtBuilder::default().build_and_execute(|| {
        record(ALICE, WORKER, CONFIRMED, 1);
        record(ALICE, Side::Publisher, CONFIRMED, 1);
        System::set_block_number(1 + 12 * HalfLife::get());
        assert_ok!(Reputation::forget(RuntimeOrigin::signed(BOB), ALICE, WORKER));
        assert!(Records::<Test>::contains_key(ALICE, Side::Publisher));
    });
}

#[test]
fn fails_where_there_is_no_record() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Reputation::forget(RuntimeOrigin::signed(BOB), ALICE, WORKER),
            Error::<Test>::NoRecord
        );
    });
}

#[test]
fn fails_while_the_record_counts() {
    ExtBuilder::default().build_and_execute(|| {
        record(ALICE, WORKER, CONFIRMED, 1);
        assert_noop!(
            Reputation::forget(RuntimeOrigin::signed(BOB), ALICE, WORKER),
            Error::<Test>::NotFaded
        );
        System::set_block_number(1 + 6 * HalfLife::get());
        assert_noop!(
            Reputation::forget(RuntimeOrigin::signed(BOB), ALICE, WORKER),
            Error::<Test>::NotFaded
        );
    });
}

#[test]
fn fails_without_a_signature() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Reputation::forget(RuntimeOrigin::none(), ALICE, WORKER),
            DispatchError::BadOrigin
        );
    });
}
