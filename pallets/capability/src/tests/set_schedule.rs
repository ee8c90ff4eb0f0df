use crate::{CurrentSchedule, Error, Event, Schedule, mock::*};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn holds_from_the_next_round_on() {
    in_a_round(|| {
        let before = round();
        let schedule = Some(Schedule {
            period: 60,
            quorum: 4,
            ..SCHEDULE
        });
        assert_ok!(Capability::set_schedule(RuntimeOrigin::root(), schedule));
        System::assert_last_event(Event::ScheduleSet { schedule }.into());
        assert_eq!(round(), before);
        run_to(119);
        assert_eq!(round().number, 1);
        run_to(120);
        assert_eq!((round().number, round().quorum), (2, 4));
        assert_ok!(Capability::set_schedule(RuntimeOrigin::root(), None));
        run_to(300);
        assert_eq!(round().number, 2);
    });
}

#[test]
fn refuses_what_cannot_be() {
    in_a_round(|| {
        let with = |change: fn(&mut Schedule<BlockNumber>)| {
            let mut schedule = SCHEDULE;
            change(&mut schedule);
            schedule
        };
        let refused = [
            (with(|it| it.window = 2), Error::<Test>::WindowTooShort),
            (with(|it| it.voting = 2), Error::<Test>::VotingTooShort),
            (with(|it| it.revealing = 2), Error::<Test>::VotingTooShort),
            (with(|it| it.window = 18), Error::<Test>::PeriodTooShort),
            (with(|it| it.voting = BlockNumber::MAX), Error::<Test>::PeriodTooShort),
            (with(|it| it.period = 0), Error::<Test>::PeriodTooShort),
            (with(|it| it.validity = 39), Error::<Test>::ValidityTooShort),
            (with(|it| it.quorum = 0), Error::<Test>::QuorumOutOfRange),
            (with(|it| it.quorum = 17), Error::<Test>::QuorumOutOfRange),
            (with(|it| it.seats = 17), Error::<Test>::TooManySeats),
            (with(|it| it.seats = u32::MAX), Error::<Test>::TooManySeats),
            (with(|it| it.seats = 1), Error::<Test>::QuorumOutOfRange),
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
            voting: 3,
            revealing: 3,
            period: 10,
            validity: 10,
            ..SCHEDULE
        };
        for quorum in [1, 16] {
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
