//! `set_class`.

use crate::{ClassName, Classes, Error, Event, mock::*};
use agora_primitives::{
    ClassId,
    judging::JudgeRule,
    task::{Difficulty, Phase},
};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use sp_runtime::{DispatchError, Permill};

const NEW: ClassId = ClassId(5);

fn set(class: Class) -> DispatchResult {
    Tasks::set_class(RuntimeOrigin::root(), NEW, class)
}

#[test]
fn adds_a_class_and_changes_it() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(set(class()));
        last_event(Event::ClassSet { class: NEW });
        assert_eq!(Classes::<Test>::get(NEW), Some(class()));
        let dearer = Class {
            base_reward: 5_000,
            ..class()
        };
        assert_ok!(set(dearer.clone()));
        last_event(Event::ClassSet { class: NEW });
        assert_eq!(Classes::<Test>::get(NEW), Some(dearer));
    });
}

#[test]
fn never_touches_a_task_under_way() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        let terms = crate::Tasks::<Test>::get(task).unwrap().terms;
        let other = Class {
            bond_rate: Permill::from_percent(90),
            replicas: 1,
            ..class()
        };
        assert_ok!(Tasks::set_class(RuntimeOrigin::root(), CLASS, other));
        assert_eq!(crate::Tasks::<Test>::get(task).unwrap().terms, terms);
        answer_all(task, &[(0, 1), (1, 1), (2, 1)]);
        run_to(progress(task).due + 1);
        assert_eq!(phase(task), Phase::Settled);
    });
}

#[test]
fn fails_for_anybody_but_the_authority() {
    ExtBuilder::default().build_and_execute(|| {
        let call = Tasks::set_class(RuntimeOrigin::signed(ALICE), CLASS, class());
        assert_noop!(call, DispatchError::BadOrigin);
    });
}

#[test]
fn fails_for_a_class_whose_tasks_could_not_run() {
    type Spoil = fn(&mut Class);
    let cases: [(Spoil, Error<Test>); 22] = [
        (|class| class.name = ClassName::default(), Error::InvalidName),
        (
            |class| class.name = ClassName::truncate_from(vec![0xff]),
            Error::InvalidName,
        ),
        (|class| class.min_difficulty = Difficulty(0), Error::InvalidDifficulty),
        (|class| class.max_difficulty = Difficulty(999), Error::InvalidDifficulty),
        (|class| class.replicas = 0, Error::InvalidReplicas),
        (|class| class.replicas = 8, Error::InvalidReplicas),
        (|class| class.max_replicas = 10, Error::InvalidReplicas),
        (|class| class.max_replicas = u32::MAX, Error::InvalidReplicas),
        (|class| class.max_open_per_publisher = 0, Error::InvalidCap),
        (|class| class.stake_rate = Permill::zero(), Error::InvalidStake),
        (
            |class| class.late_penalty = Permill::from_percent(51),
            Error::InvalidRates,
        ),
        (
            |class| class.judge = JudgeRule::Replication { trust: 1 },
            Error::InvalidJudge,
        ),
        (
            |class| (class.judge, class.replicas) = (JudgeRule::Exact, 1),
            Error::ExactReplicas,
        ),
        (
            |class| (class.judge, class.max_replicas) = (JudgeRule::Exact, 3),
            Error::ExactReplicas,
        ),
        (|class| class.commit_window = 2, Error::InvalidWindows),
        (|class| class.commit_window = 101, Error::InvalidWindows),
        (|class| class.work_window = 0, Error::InvalidWindows),
        (|class| class.reveal_window = 0, Error::InvalidWindows),
        (|class| class.appeal_window = 101, Error::InvalidWindows),
        (|class| class.min_thinking = 7, Error::InvalidWindows),
        (|class| class.min_thinking = u64::MAX, Error::InvalidWindows),
        (|class| class.split = 77, Error::UnknownPreset),
    ];
    ExtBuilder::default().build_and_execute(|| {
        for (change, error) in cases {
            let mut class = class();
            change(&mut class);
            assert_noop!(set(class), error);
        }
        assert_ok!(set(class()));
    });
}
