//! `remove_class`.

use crate::{Classes, Error, Event, mock::*};
use agora_primitives::{ClassId, task::Phase};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use sp_runtime::DispatchError;

fn remove(class: ClassId) -> DispatchResult {
    Tasks::remove_class(RuntimeOrigin::root(), class)
}

#[test]
fn removes_a_class() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Tasks::set_class(RuntimeOrigin::root(), ClassId(5), class()));
        assert_ok!(remove(CLASS));
        last_event(Event::ClassRemoved { class: CLASS });
        assert_eq!(Classes::<Test>::iter_keys().collect::<Vec<_>>(), [ClassId(5)]);
    });
}

#[test]
fn never_touches_a_task_under_way() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        let record = crate::Tasks::<Test>::get(task);
        assert_ok!(remove(CLASS));
        assert_eq!(crate::Tasks::<Test>::get(task), record);
        answer_all(task, &[(0, 1), (1, 1), (2, 1)]);
        run_to(progress(task).due + 1);
        assert_eq!(phase(task), Phase::Settled);
    });
}

#[test]
fn fails_for_anybody_but_the_authority() {
    ExtBuilder::default().build_and_execute(|| {
        let call = Tasks::remove_class(RuntimeOrigin::signed(ALICE), CLASS);
        assert_noop!(call, DispatchError::BadOrigin);
    });
}

#[test]
fn fails_for_a_class_that_does_not_exist() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(remove(ClassId(5)), Error::<Test>::UnknownClass);
        assert_ok!(remove(CLASS));
        assert_noop!(remove(CLASS), Error::<Test>::UnknownClass);
    });
}
