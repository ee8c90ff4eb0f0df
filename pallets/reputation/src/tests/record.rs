//! `Reputation::record` and what can be asked afterwards.

use crate::{Event, Record, Records, mock::*};
use agora_math::reputation::{LATE_WEIGHT, ONE, Score};
use agora_primitives::{
    participants::Specialisation,
    reputation::{Level, Outcome, Reputation as _, Side},
};
use proptest::prelude::*;
use sp_runtime::Perbill;

#[test]
fn stores_the_first_outcome_and_tells_of_it() {
    ExtBuilder::default().build_and_execute(|| {
        Reputation::record(&ALICE, WORKER, CONFIRMED);
        let score = Score {
            right: ONE,
            total: ONE,
            count: 1,
            confidence: 1,
        };
        assert_eq!(
            Records::<Test>::get(ALICE, WORKER),
            Some(Record { score, last_block: 1 })
        );
        System::assert_last_event(
            Event::OutcomeRecorded {
                who: ALICE,
                side: WORKER,
                outcome: CONFIRMED,
                level: Level::Beginner,
                confidence: 1,
            }
            .into(),
        );
    });
}

#[test]
fn each_outcome_has_its_weight() {
    ExtBuilder::default().build_and_execute(|| {
        let total = |outcome| {
            Records::<Test>::remove(ALICE, WORKER);
            Reputation::record(&ALICE, WORKER, outcome);
            let score = Records::<Test>::get(ALICE, WORKER).unwrap().score;
            (score.right, score.total, score.confidence)
        };
        assert_eq!(total(CONFIRMED), (ONE, ONE, 1));
        assert_eq!(total(Outcome::Right { confirmed: false }), (ONE, ONE, 0));
        assert_eq!(total(Outcome::Wrong), (0, ONE, 0));
        assert_eq!(total(Outcome::Late), (0, LATE_WEIGHT, 0));
    });
}

#[test]
fn accounts_and_sides_are_apart() {
    ExtBuilder::default().build_and_execute(|| {
        record(ALICE, WORKER, CONFIRMED, 7);
        record(ALICE, Side::Verifier(Specialisation::Synthetic), CONFIRMED, 6);
        record(ALICE, Side::Worker(Specialisation::Training), Outcome::Wrong, 6);
        record(BOB, Side::Publisher, CONFIRMED, 2);
        assert_eq!(Reputation::level(&ALICE, WORKER), Level::Master);
        assert_eq!(
            Reputation::level(&ALICE, Side::Worker(Specialisation::Training)),
            Level::Beginner
        );
        assert_eq!(Reputation::level(&ALICE, Side::Publisher), Level::Beginner);
        assert_eq!(Reputation::level(&BOB, WORKER), Level::Beginner);
        assert_eq!(Reputation::confidence(&ALICE, Specialisation::Synthetic), 7);
        assert_eq!(Reputation::confidence(&ALICE, Specialisation::Training), 0);
        assert_eq!(Reputation::confidence(&BOB, Specialisation::Synthetic), 0);
        assert_eq!(Reputation::success_rate(&ALICE, WORKER), Perbill::one());
        assert_eq!(Reputation::success_rate(&BOB, WORKER), Perbill::zero());
        assert_eq!(Records::<Test>::iter().count(), 4);
    });
}

#[test]
fn a_level_needs_enough_tasks() {
    ExtBuilder::default().build_and_execute(|| {
        record(ALICE, WORKER, CONFIRMED, 4);
        assert_eq!(Reputation::level(&ALICE, WORKER), Level::Beginner);
        assert_eq!(Levels::take(), []);
        record(ALICE, WORKER, CONFIRMED, 1);
        assert_eq!(Reputation::level(&ALICE, WORKER), Level::Master);
        System::assert_last_event(
            Event::LevelChanged {
                who: ALICE,
                side: WORKER,
                from: Level::Beginner,
                to: Level::Master,
            }
            .into(),
        );
        assert_eq!(Levels::take(), [(ALICE, Specialisation::Synthetic, Level::Master)]);
    });
}

#[test]
fn failures_lead_down_through_the_levels() {
    ExtBuilder::default().build_and_execute(|| {
        record(ALICE, WORKER, CONFIRMED, 20);
        Levels::take();
        record(ALICE, WORKER, Outcome::Wrong, 12);
        let levels: Vec<_> = Levels::take().into_iter().map(|(_, _, level)| level).collect();
        assert_eq!(levels, [Level::Expert, Level::Skilled, Level::Beginner]);
    });
}

#[test]
fn nobody_is_told_of_levels_of_other_sides() {
    ExtBuilder::default().build_and_execute(|| {
        record(ALICE, Side::Publisher, CONFIRMED, 5);
        record(ALICE, Side::Verifier(Specialisation::Inference), CONFIRMED, 5);
        assert_eq!(Reputation::level(&ALICE, Side::Publisher), Level::Master);
        System::assert_has_event(
            Event::LevelChanged {
                who: ALICE,
                side: Side::Publisher,
                from: Level::Beginner,
                to: Level::Master,
            }
            .into(),
        );
        assert_eq!(Levels::take(), []);
    });
}

#[test]
fn a_wrong_result_costs_a_third_of_the_confidence() {
    ExtBuilder::default().build_and_execute(|| {
        record(ALICE, WORKER, CONFIRMED, 10);
        record(ALICE, WORKER, Outcome::Late, 1);
        record(ALICE, WORKER, Outcome::Right { confirmed: false }, 1);
        assert_eq!(Reputation::confidence(&ALICE, Specialisation::Synthetic), 10);
        record(ALICE, WORKER, Outcome::Wrong, 1);
        assert_eq!(Reputation::confidence(&ALICE, Specialisation::Synthetic), 6);
    });
}

#[test]
fn time_makes_room_for_what_is_new() {
    ExtBuilder::default().build_and_execute(|| {
        record(ALICE, WORKER, Outcome::Wrong, 20);
        System::set_block_number(1 + 10 * HalfLife::get());
        record(ALICE, WORKER, CONFIRMED, 1);
        // 16.6 failures have become a 64th of one.
        assert!(Reputation::success_rate(&ALICE, WORKER) > Perbill::from_percent(98));
        assert_eq!(Records::<Test>::get(ALICE, WORKER).unwrap().last_block, 10_001);
    });
}

proptest! {
    #[test]
    fn any_history_leaves_a_sound_state(
        steps in prop::collection::vec((0u64..4, 0usize..21, 0u8..4, 0u64..3000), 1..120),
    ) {
        ExtBuilder::default().build_and_execute(|| {
            for (who, side, outcome, blocks) in steps {
                System::set_block_number(System::block_number() + blocks);
                let specialisation = Specialisation::ALL[side % 10];
                let side = match side {
                    0..10 => Side::Worker(specialisation),
                    10..20 => Side::Verifier(specialisation),
                    _ => Side::Publisher,
                };
                let outcome = match outcome {
                    0 => CONFIRMED,
                    1 => Outcome::Right { confirmed: false },
                    2 => Outcome::Wrong,
                    _ => Outcome::Late,
                };
                Reputation::record(&who, side, outcome);
                let _ = Reputation::forget(RuntimeOrigin::signed(ALICE), who, side);
                Reputation::do_try_state().unwrap();
            }
        });
    }
}
