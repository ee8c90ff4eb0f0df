//! The view functions.

use crate::{Contributions, Progress, TASKS_PER_PAGE, mock::*, types::TaskProgress};
use agora_primitives::{
    TaskId,
    participants::Specialisation,
    task::{Chosen, ContributionState, Difficulty, Invitation, LATE_AFTER, Phase, TaskView},
};
use codec::{DecodeAll, Encode};
use frame_support::view_functions::{DispatchViewFunction, ViewFunction};

type View = TaskView<AccountId, Balance, BlockNumber>;

/// Every page, one after the other.
fn all(page: impl Fn(Option<TaskId>) -> crate::TaskPageOf<Test>) -> Vec<View> {
    let mut views = Vec::new();
    let mut after = None;
    loop {
        let page = page(after);
        assert!(page.tasks.len() <= TASKS_PER_PAGE as usize);
        views.extend(page.tasks);
        after = page.next;
        if after.is_none() {
            views.sort_by_key(|view| view.id);
            return views;
        }
    }
}

#[test]
fn a_task_is_shown_with_its_terms_and_where_it_is_in_its_life() {
    ExtBuilder::default().priority().build_and_execute(|| {
        assert_eq!(Tasks::task(TaskId(0)), None);
        let id = publish();
        await_draw(id);
        let workers = (0..3).map(worker).collect();
        let open = View {
            id,
            publisher: ALICE,
            reference: reference(1),
            class: CLASS,
            specialisation: Specialisation::Synthetic,
            judge: class().judge,
            job: job(),
            difficulty: Difficulty::ONE,
            reward: REWARD,
            stake: STAKE,
            fee: FEE,
            bond: BOND,
            published_at: 1,
            deadline: DEADLINE,
            min_thinking: 2,
            commit_window: COMMIT_WINDOW,
            phase: Phase::Open,
            until: DEADLINE,
            appeal_until: None,
            round: 0,
            wanted: 3,
            accepted: 0,
            committed: 0,
            revealed: 0,
            slots_kept_until: None,
            invited: Some(Invitation { workers, until: 6 }),
            chosen: None,
        };
        assert_eq!(Tasks::task(id), Some(open.clone()));
        assert_eq!(open.work_until(), DEADLINE);
        assert_eq!(open.late_from(), Some(DEADLINE + 1 + u64::from(LATE_AFTER) + 1));
        assert!(open.takes(&worker(2), 3), "it is invited");
        assert!(
            !open.takes(&worker(3), 5),
            "in the next block only those who are invited may accept"
        );
        assert!(open.takes(&worker(3), 6), "the next block is open to all");

        answer_all(id, &[(0, 1), (1, 1), (2, 1)]);
        let appealable = Tasks::task(id).unwrap();
        let chosen = Chosen {
            claim: claim(1),
            best: appealable.chosen.clone().unwrap().best,
        };
        let expected = View {
            phase: Phase::Appealable,
            until: progress(id).until(),
            appeal_until: Some(progress(id).until()),
            accepted: 3,
            committed: 3,
            revealed: 3,
            invited: None,
            chosen: Some(chosen),
            ..open
        };
        assert_eq!(appealable, expected);
        assert_eq!(expected.work_until(), 0);
        assert!(!expected.takes(&worker(3), 20));
        run_to(expected.until + 2);
        assert_eq!(Tasks::task(id).unwrap().late_from(), None, "it is over");
    });
}

#[test]
fn a_contribution_is_shown_until_the_task_is_over() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        assert_eq!(Tasks::contribution(task, worker(0)), None);
        accept(0, task);
        let contribution = Tasks::contribution(task, worker(0)).unwrap();
        let (commit_from, commit_by) = (3, 1 + COMMIT_WINDOW);
        assert_eq!(
            contribution.state,
            ContributionState::Accepted { commit_from, commit_by }
        );
        assert_eq!((contribution.round, contribution.accepted_at), (0, 1));
        assert_eq!(Some(contribution), Contributions::<Test>::get(task, worker(0)));
        run_to(progress(task).due + 1);
        assert_eq!(Tasks::contribution(task, worker(0)), None);
    });
}

/// The number of a task of which no more workers are wanted.
fn is_full(n: u64) -> bool {
    n % 10 == 3
}

#[test]
fn pages_show_every_task_once() {
    ExtBuilder::default().build().execute_with(|| {
        let task = publish();
        let (record, open) = (crate::Tasks::<Test>::get(task).unwrap(), progress(task));
        let many = u64::from(TASKS_PER_PAGE) * 2 + 3;
        for n in 0..many {
            let accepted = if is_full(n) { open.wanted } else { 0 };
            crate::Tasks::<Test>::insert(TaskId(n), &record);
            Progress::<Test>::insert(
                TaskId(n),
                TaskProgress {
                    accepted,
                    ..open.clone()
                },
            );
        }
        let ids = |views: Vec<View>| views.into_iter().map(|view| view.id.0).collect::<Vec<_>>();
        assert_eq!(ids(all(Tasks::tasks)), (0..many).collect::<Vec<_>>());
        assert_eq!(Tasks::tasks(None).tasks.len(), TASKS_PER_PAGE as usize);
        let wanting: Vec<_> = (0..many).filter(|n| !is_full(*n)).collect();
        assert_eq!(ids(all(Tasks::tasks_wanting_workers)), wanting);
    });
}

#[test]
fn the_page_after_a_task_that_is_gone_goes_on_where_it_was() {
    ExtBuilder::default().build().execute_with(|| {
        for n in 1..=3 {
            publish_as(ALICE, n);
        }
        let ids = |after| Tasks::tasks(after).tasks.iter().map(|view| view.id).collect::<Vec<_>>();
        let order = ids(None);
        assert_eq!(order.len(), 3);
        assert_eq!(Tasks::tasks(None).next, None);
        assert_eq!(ids(Some(order[0])), order[1..]);
        Progress::<Test>::remove(order[0]);
        assert_eq!(ids(Some(order[0])), order[1..]);
    });
}

#[test]
fn are_called_by_id_with_encoded_arguments() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        let id = <crate::pallet::TaskViewFunction<Test> as ViewFunction>::id();
        let mut output = Vec::new();
        Tasks::dispatch_view_function(&id, &mut &task.encode()[..], &mut output).unwrap();
        let view = Option::<View>::decode_all(&mut &output[..]).unwrap();
        assert_eq!(view, Tasks::task(task));
    });
}
