//! Attestations that are hidden: a task waits for the draw of chunks, and for those who reveal.

use crate::{Error, Results, mock::*};
use agora_primitives::{
    TaskId,
    courts::Standing,
    judging::{Judge, Reveals, Ruling},
    task::{LATE_AFTER, LATE_STEP_PARTS, Phase, RoundKind},
};
use frame_support::{assert_noop, assert_ok};

/// Of the class of the tests.
const REVEAL_WINDOW: BlockNumber = 5;
/// An account without a part in anything.
const CAROL: AccountId = BOB;

/// A task with a result, of which somebody has committed to an attestation, and the last block of its window.
fn hidden(has_court: bool) -> (TaskId, BlockNumber) {
    world(|world| world.has_court = has_court);
    let task = publish();
    answer_all(task, &[(0, 1), (1, 1), (2, 1)]);
    assert_eq!(phase(task), Phase::Appealable);
    hide(task);
    (task, AppealWindows::get(task).unwrap().0.until)
}

fn reveals(task: TaskId) -> Reveals<BlockNumber> {
    JudgeDouble::reveals(task)
}

#[test]
fn are_drawn_in_the_second_block_after_the_window_and_waited_for() {
    for has_court in [false, true] {
        ExtBuilder::default().build_and_execute(|| {
            let (task, until) = hidden(has_court);
            run_to(until + 2);
            assert_eq!(reveals(task), Reveals::Undrawn { from: until + 2 });
            assert_eq!(
                progress(task).due,
                until + 2,
                "asked in the block before, it was too early"
            );
            run_to(until + 3);
            let last = until + 2 + REVEAL_WINDOW;
            assert_eq!(reveals(task), Reveals::Pending { until: last });
            let view = Tasks::task(task).unwrap();
            assert_eq!((view.until, view.appeal_until), (last, Some(until)));
            run_to(last + 1);
            assert_eq!(phase(task), Phase::Appealable, "in the last block somebody may reveal");
            // Nobody has: the window is closed in the next block, and the result settled.
            run_to(last + 2);
            assert_eq!(phase(task), Phase::Settled);
            assert_eq!(Rulings::get(), [(task, Ruling::Upheld)]);
        });
    }
}

#[test]
fn end_the_wait_as_soon_as_all_are_there() {
    ExtBuilder::default().build_and_execute(|| {
        let (task, until) = hidden(true);
        run_to(until + 4);
        reveal_attestations(task, 1, 0);
        run_to(until + 5);
        assert_eq!(phase(task), Phase::Settled);
        assert!(gain(VERIFIER) > 0, "it is paid");
    });
}

#[test]
fn decide_whether_there_is_another_round() {
    ExtBuilder::default().build_and_execute(|| {
        let (task, until) = hidden(false);
        run_to(until + 4);
        reveal_attestations(task, 0, 1);
        run_to(until + 5);
        let progress = progress(task);
        assert_eq!((progress.phase, progress.kind), (Phase::Working, RoundKind::Appeal));
    });
}

#[test]
fn are_waited_for_though_the_result_fell() {
    ExtBuilder::default().build_and_execute(|| {
        let (task, until) = hidden(true);
        decide(task, fallen([BOB]));
        assert_ok!(<Tasks as agora_primitives::courts::Cases<_>>::decided(task));
        run_to(until + 4);
        assert_eq!(
            Results::<Test>::get(task).unwrap().claim,
            claim(1),
            "it is not closed before"
        );
        assert!(OpenCases::contains_key(task));
        reveal_attestations(task, 0, 1);
        run_to(until + 5);
        // All workers have said the same.
        assert_eq!(phase(task), Phase::Failed);
        assert_eq!(Rulings::get(), [(task, Ruling::Undecided)]);
    });
}

#[test]
fn and_the_court_are_waited_for_at_the_same_time() {
    ExtBuilder::default().build_and_execute(|| {
        let (task, until) = hidden(true);
        let far = until + 100;
        decide(task, Standing::Pending { until: far });
        run_to(until + 3);
        // The draw does not wait for the court.
        assert!(matches!(reveals(task), Reveals::Pending { .. }));
        assert_eq!(progress(task).due, far + 1);
        reveal_attestations(task, 1, 0);
        run_to(until + 4);
        assert_eq!(phase(task), Phase::Appealable);
        assert_eq!(progress(task).due, far + 1, "there is still the court");
        decide(task, Standing::Stands);
        assert_ok!(<Tasks as agora_primitives::courts::Cases<_>>::decided(task));
        run_to(until + 5);
        assert_eq!(phase(task), Phase::Settled);
    });
}

#[test]
fn whoever_takes_the_late_step_that_draws_is_paid_and_nobody_for_waiting() {
    ExtBuilder::default().build_and_execute(|| {
        let (task, until) = hidden(false);
        let late = until + 1 + u64::from(LATE_AFTER) + 1;
        jump_to(late);
        assert_ok!(Tasks::advance(RuntimeOrigin::signed(CAROL), task));
        assert!(matches!(reveals(task), Reveals::Pending { .. }));
        let pay = i128::try_from(FEE / Balance::from(LATE_STEP_PARTS)).unwrap();
        assert_eq!(gain(CAROL), pay);
        assert_noop!(
            Tasks::advance(RuntimeOrigin::signed(CAROL), task),
            Error::<Test>::NothingDue
        );
        // Others are waited for: whoever asks is not paid for it.
        run_to(late + 1);
        Hidden::insert(task, Some(late + 200));
        jump_to(late + 100);
        assert_ok!(Tasks::advance(RuntimeOrigin::signed(CAROL), task));
        assert_eq!((gain(CAROL), progress(task).due), (pay, late + 201));
    });
}
