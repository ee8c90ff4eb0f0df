use crate::{CurrentSchedule, Error, Event, Schedule, mock::*};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn holds_from_the_next_round_on() {
    in_a_round(|| {
        let before = round();
        let schedule = Some(Schedule {
            period: 30,
            quorum: 4,
            ..SCHEDULE
        });
        assert_ok!(Capability::set_schedule(RuntimeOrigin::root(), schedule));
        System::assert_last_event(Event::ScheduleSet { schedule }.into());
        assert_eq!(round(), before);
        run_to(30);
        assert_eq!((round().number, round().quorum), (2, 4));
        assert_ok!(Capability::set_schedule(RuntimeOrigin::root(), None));
        run_to(100);
        assert_eq!(round().number, 2);
    });
}

#[test]
fn refuses_what_cannot_be() {
    in_a_round(|| {
        let refused = [
            (Schedule { window: 2, ..SCHEDULE }, Error::<Test>::WindowTooShort),
            (Schedule { window: 11, ..SCHEDULE }, Error::<Test>::PeriodTooShort),
            (Schedule { period: 0, ..SCHEDULE }, Error::<Test>::PeriodTooShort),
            (
                Schedule {
                    validity: 19,
                    ..SCHEDULE
                },
                Error::<Test>::ValidityTooShort,
            ),
            (Schedule { quorum: 0, ..SCHEDULE }, Error::<Test>::QuorumOutOfRange),
            (Schedule { quorum: 5, ..SCHEDULE }, Error::<Test>::QuorumOutOfRange),
        ];
        for (schedule, error) in refused {
            assert_noop!(Capability::set_schedule(RuntimeOrigin::root(), Some(schedule)), error);
        }
        assert_eq!(CurrentSchedule::<Test>::get(), Some(SCHEDULE));
    });
}

#[test]
fn takes_the_shortest_times_and_the_quorums_at_the_edges() {
    in_a_round(|| {
        let shortest = Schedule {
            window: 3,
            period: 6,
            validity: 6,
            ..SCHEDULE
        };
        for quorum in [1, 4] {
            let schedule = Some(Schedule { quorum, ..shortest });
            assert_ok!(Capability::set_schedule(RuntimeOrigin::root(), schedule));
            assert_eq!(CurrentSchedule::<Test>::get(), schedule);
        }
    });
}

#[test]
fn is_for_its_origin_only() {
    in_a_round(|| {
        assert_noop!(Capability::set_schedule(signed(ALICE), None), DispatchError::BadOrigin);
    });
}
