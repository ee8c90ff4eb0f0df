//! Tasks that nobody accepts, commits to or reveals.

use crate::{Event, mock::*};
use agora_primitives::{reputation::Outcome, task::Phase};
use frame_support::assert_ok;

#[test]
fn nobody_accepted_everything_goes_back() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        run_to(DEADLINE + 1);
        assert_eq!(phase(task), Phase::Open);
        run_to(DEADLINE + 2);
        assert_eq!(phase(task), Phase::Expired);
        last_event(Event::Expired { task });
        assert_eq!(free(ALICE), ENDOWMENT);
        assert_eq!(gain(TREASURY), 0);
        assert_eq!(terminal_events(), [Event::Expired { task }]);
        assert!(records_of(ALICE).is_empty());
    });
}

#[test]
fn nobody_committed_workers_are_late() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        accept(0, task);
        accept(1, task);
        run_to(DEADLINE + 2);
        assert_eq!(phase(task), Phase::Expired);
        assert_eq!(terminal_events(), [Event::Expired { task }]);
        assert_eq!(gain(ALICE), 0);
        for n in [0, 1] {
            assert_eq!(free(worker(n)), ENDOWMENT - LATE);
            assert_eq!(records_of(worker(n)), [(AS_WORKER, Outcome::Late)]);
            has_event(Event::WorkerJudged {
                task,
                worker: worker(n),
                outcome: Outcome::Late,
            });
        }
        assert_eq!(gain(worker(2)), 0);
        assert_eq!(gain(TREASURY), 2 * LATE as i128);
    });
}

#[test]
fn nobody_revealed_commitments_cost_as_much_as_wrong_answers() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        accept(2, task);
        commit_all(task, &[(0, 1), (1, 1)]);
        run_to(DEADLINE + 2);
        let due = progress(task).due;
        run_to(due + 1);
        assert_eq!(phase(task), Phase::Expired);
        assert_eq!(gain(ALICE), 0);
        for n in [0, 1] {
            assert_eq!(free(worker(n)), ENDOWMENT - WRONG);
            assert_eq!(records_of(worker(n)), [(AS_WORKER, Outcome::Wrong)]);
        }
        assert_eq!(free(worker(2)), ENDOWMENT - LATE);
        assert_eq!(records_of(worker(2)), [(AS_WORKER, Outcome::Late)]);
        assert_eq!(gain(TREASURY), (2 * WRONG + LATE) as i128);
        assert_eq!(terminal_events(), [Event::Expired { task }]);
    });
}

#[test]
fn workers_that_stay_away_or_silent_take_nothing_of_a_publishers_stake() {
    for accepting in 0..=3 {
        ExtBuilder::default().build_and_execute(|| {
            let task = publish();
            (0..accepting).for_each(|n| accept(n, task));
            run_to(DEADLINE + 2);
            assert_eq!(phase(task), Phase::Expired);
            assert_eq!((gain(ALICE), records_of(ALICE)), (0, vec![]));
            assert!((0..3).all(|n| gain(worker(n)) <= 0));
        });
    }
}

#[test]
fn the_publisher_may_publish_again_afterwards() {
    let cap = |class: &mut Class| class.max_open_per_publisher = 1;
    ExtBuilder::default().with_class(cap).build_and_execute(|| {
        publish();
        run_to(DEADLINE + 2);
        publish_as(ALICE, 2);
        assert_ok!(Tasks::do_try_state());
    });
}
