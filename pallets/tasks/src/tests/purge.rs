//! Records of finished tasks are kept for a while and then removed.

use crate::{Agenda, Error, Event, Progress, References, Results, Tasks as TaskMap, mock::*};
use agora_primitives::task::Difficulty;
use frame_support::{assert_noop, assert_ok};

#[test]
fn removes_every_trace_after_the_retention() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        answer_all(task, &[(0, 1), (1, 1), (2, 1)]);
        run_to(progress(task).due + 1);
        let due = progress(task).due;
        assert_eq!(due, now() + RETENTION);
        run_to(due);
        assert!(TaskMap::<Test>::contains_key(task));
        run_to(due + 1);
        last_event(Event::Purged { task });
        assert!(!TaskMap::<Test>::contains_key(task));
        assert!(!Progress::<Test>::contains_key(task));
        assert!(!Results::<Test>::contains_key(task));
        assert!(!References::<Test>::contains_key(ALICE, reference(1)));
        assert_eq!(Agenda::<Test>::iter().count(), 0);
        assert_eq!(crate::OpenTasks::<Test>::iter().count(), 0);
    });
}

#[test]
fn the_reference_may_be_used_again_only_then() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        assert_ok!(Tasks::cancel(RuntimeOrigin::signed(ALICE), task));
        let again = || {
            let (origin, deadline) = (RuntimeOrigin::signed(ALICE), now() + DEADLINE);
            let difficulty = Difficulty::ONE;
            Tasks::publish(origin, CLASS, job(), difficulty, REWARD, deadline, reference(1))
        };
        assert_noop!(again(), Error::<Test>::ReferenceUsed);
        run_to(progress(task).due + 1);
        assert_ok!(again());
    });
}
