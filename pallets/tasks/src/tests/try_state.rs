//! The check of the state finds what is broken: each invariant is broken once.

use crate::{
    Agenda, Classes, Contributions, DrawOrders, DrawQueue, Fallen, Invitations, NextTaskId, OpenTasks, Places,
    Progress, References, Results, ServedUpTo,
    mock::*,
    types::{DrawOrder, Queue, TaskProgress},
};
use agora_primitives::{
    ClassId, TaskId,
    courts::Cases,
    money::{Escrow as _, Purpose, Scope},
    task::{Chosen, Contribution, ContributionState, Invitation, Phase, RoundKind},
};
use frame_support::{BoundedVec, assert_ok, weights::Weight};

/// Alice's task, on which the first two workers work; its bucket in the agenda is the one after [`DEADLINE`].
const WORKING: TaskId = TaskId(0);
/// Bob's task, which is finished.
const FINISHED: TaskId = TaskId(1);
/// No task.
const UNKNOWN: TaskId = TaskId(77);
/// A block in which nothing is due.
const LATER: BlockNumber = 70;

const PUBLISHER_PURPOSES: [Purpose; 3] = [Purpose::TaskReward, Purpose::PublisherStake, Purpose::PublicationFee];

fn finds(broken: &'static str, break_it: impl FnOnce()) {
    ExtBuilder::default().build().execute_with(|| {
        assert_eq!(publish(), WORKING);
        assert_eq!(publish_as(BOB, 1), FINISHED);
        assert_ok!(Tasks::cancel(RuntimeOrigin::signed(BOB), FINISHED));
        (0..2).for_each(|n| accept(n, WORKING));
        check_state();
        break_it();
        assert_eq!(Tasks::do_try_state(), Err(broken.into()));
    });
}

fn change(task: TaskId, change: impl FnOnce(&mut TaskProgress<BlockNumber>)) {
    Progress::<Test>::mutate(task, |progress| change(progress.as_mut().unwrap()));
}

fn contribution() -> Contribution<BlockNumber> {
    Contribution {
        round: 0,
        accepted_at: 1,
        state: ContributionState::Accepted {
            commit_from: 3,
            commit_by: 9,
        },
    }
}

/// Makes `who` a worker of `task`, with a bond.
fn contribute(task: TaskId, who: AccountId) {
    assert_ok!(Escrow::hold(Purpose::TaskBond, Scope::Task(task), &who, BOND));
    Contributions::<Test>::insert(task, who, contribution());
}

fn chosen() -> Chosen<AccountId> {
    Chosen {
        claim: claim(1),
        best: worker(0),
    }
}

fn invite(task: TaskId) {
    let invitation = Invitation {
        workers: BoundedVec::truncate_from(vec![worker(0)]),
        until: 4,
    };
    Invitations::<Test>::insert(task, invitation);
}

fn put_into_agenda(block: BlockNumber, task: TaskId) {
    Agenda::<Test>::try_append(block, task).unwrap();
}

#[test]
fn an_invalid_class() {
    finds("a class is not valid", || {
        Classes::<Test>::insert(ClassId(9), Class { replicas: 0, ..class() });
    });
}

#[test]
fn records_that_do_not_belong_together() {
    finds("a task's id is not below the next", || {
        NextTaskId::<Test>::put(FINISHED)
    });
    finds("a task without progress", || Progress::<Test>::remove(WORKING));
    finds("progress without a task", || {
        Progress::<Test>::insert(UNKNOWN, progress(WORKING))
    });
    finds("a task's reference does not lead to it", || {
        References::<Test>::insert(ALICE, reference(1), FINISHED)
    });
    finds("a reference without a task", || {
        References::<Test>::insert(ALICE, reference(2), WORKING)
    });
    finds("a contribution without a task", || {
        Contributions::<Test>::insert(UNKNOWN, worker(0), contribution())
    });
    let orphan = "a result or invitation without a task";
    finds(orphan, || Results::<Test>::insert(UNKNOWN, chosen()));
    finds(orphan, || invite(UNKNOWN));
    finds("a slot is kept for somebody who has accepted", || invite(WORKING));
}

#[test]
fn money_of_the_publisher_that_is_missing_or_left_over() {
    let broken = "not what the publisher should have held";
    for purpose in PUBLISHER_PURPOSES {
        finds(broken, || {
            assert_ok!(Escrow::release(purpose, Scope::Task(WORKING), &ALICE, 1));
        });
        finds(broken, || {
            assert_ok!(Escrow::hold(purpose, Scope::Task(FINISHED), &BOB, 1));
        });
    }
}

#[test]
fn workers_who_cannot_be() {
    finds("not the bond a worker should have held", || {
        assert_ok!(Escrow::release(Purpose::TaskBond, Scope::Task(WORKING), &worker(0), 1));
    });
    finds("not the bond a worker should have held", || {
        Contributions::<Test>::mutate(WORKING, worker(0), |contribution| {
            contribution.as_mut().unwrap().state = ContributionState::Replaced;
        });
    });
    finds("a publisher works on its own task", || contribute(WORKING, ALICE));
    finds("a contribution from a round to come", || {
        Contributions::<Test>::mutate(WORKING, worker(0), |contribution| {
            contribution.as_mut().unwrap().round = 1;
        });
    });
    finds("more workers than wanted", || {
        change(WORKING, |progress| progress.wanted = 1)
    });
    finds("an open task has workers", || {
        change(WORKING, |progress| progress.phase = Phase::Open)
    });
    finds("too many contributions", || {
        Classes::<Test>::remove(CLASS);
        ContributionLimit::set(1);
    });
}

#[test]
fn workers_who_are_miscounted() {
    finds("contributions are miscounted", || contribute(WORKING, worker(2)));
    let broken = "a round is miscounted";
    finds("replaced workers are miscounted", || {
        change(WORKING, |progress| progress.replaced = 1)
    });
    finds(broken, || change(WORKING, |progress| progress.accepted = 1));
    finds(broken, || change(WORKING, |progress| progress.committed = 1));
    finds(broken, || change(WORKING, |progress| progress.revealed = 1));
}

#[test]
fn what_a_finished_task_must_not_have() {
    finds("a finished task has workers", || contribute(FINISHED, worker(2)));
    finds("a finished task invites", || invite(FINISHED));
}

#[test]
fn a_result_too_many_or_too_few() {
    let broken = "a result too many or too few";
    finds(broken, || Results::<Test>::insert(WORKING, chosen()));
    finds(broken, || Results::<Test>::insert(FINISHED, chosen()));
    finds(broken, || {
        change(WORKING, |progress| progress.phase = Phase::Appealable)
    });
    finds(broken, || change(WORKING, |progress| progress.kind = RoundKind::Appeal));
    finds(broken, || change(FINISHED, |progress| progress.phase = Phase::Settled));
}

#[test]
fn an_agenda_that_is_not_where_tasks_are() {
    let due = DEADLINE + 1;
    finds("an empty bucket in the agenda", || {
        Agenda::<Test>::insert(LATER, BoundedVec::default())
    });
    finds("a bucket that was served", || ServedUpTo::<Test>::put(LATER));
    finds("a task is in the agenda twice", || put_into_agenda(due, WORKING));
    finds("an agenda entry of no task", || put_into_agenda(LATER, UNKNOWN));
    finds("a task is in the wrong bucket", || {
        Agenda::<Test>::remove(due);
        put_into_agenda(LATER, WORKING);
    });
    finds("a task is not where it is scheduled", || Agenda::<Test>::remove(due));
    finds("the agenda's share of a block is too small", || {
        AgendaShare::set(Tasks::least_share() - Weight::from_parts(1, 0));
    });
    finds("the agenda's share of a block is too small", || {
        AgendaShare::set(Tasks::least_share() - Weight::from_parts(0, 1));
    });
}

#[test]
fn draws_out_of_turn_and_tasks_that_wait_for_none() {
    let order = DrawOrder {
        task: WORKING,
        round: 0,
        ordered_at: 1,
    };
    let wait = || {
        DrawOrders::<Test>::insert(0, order);
        DrawQueue::<Test>::put(Queue { first: 0, next: 1 });
    };
    finds("a draw was ordered out of turn", || {
        DrawOrders::<Test>::insert(3, order)
    });
    finds("an ordered draw is missing", || {
        DrawQueue::<Test>::put(Queue { first: 0, next: 1 });
    });
    let broken = "a task is closed that waits for no draw, or open though it waits for one";
    finds(broken, || {
        let workers = BoundedVec::new();
        Invitations::<Test>::insert(WORKING, Invitation { workers, until: 4 });
    });
    finds(broken, || {
        wait();
        let workers = BoundedVec::truncate_from(vec![worker(9)]);
        Invitations::<Test>::insert(WORKING, Invitation { workers, until: 4 });
    });
}

#[test]
fn unfinished_tasks_that_are_miscounted() {
    let broken = "a publisher's unfinished tasks are miscounted";
    finds(broken, || OpenTasks::<Test>::insert(ALICE, CLASS, 2));
    finds(broken, || OpenTasks::<Test>::insert(BOB, CLASS, 1));
    finds("too many steps were paid for", || {
        change(WORKING, |progress| progress.paid_steps = 5)
    });
    finds("not what the publisher should have held", || {
        change(WORKING, |progress| progress.paid_steps = 1)
    });
    finds("a publisher's unfinished tasks are not counted", || {
        OpenTasks::<Test>::remove(ALICE, CLASS)
    });
}

/// Breaks a task of which a claim fell, as the accuser shows who says that it is 2.
fn finds_of_a_fallen(broken: &'static str, break_it: impl FnOnce(TaskId)) {
    ExtBuilder::default().build().execute_with(|| {
        world(|world| world.has_court = true);
        let task = publish();
        answer_all(task, &[(0, 1), (1, 1), (2, 1)]);
        assert!(<Tasks as Cases<AccountId>>::enter(task, &BOB, claim(2)));
        decide(task, fallen([BOB]));
        run_to(progress(task).due + 1);
        check_state();
        break_it(task);
        assert_eq!(Tasks::do_try_state(), Err(broken.into()));
    });
}

#[test]
fn claims_that_cannot_have_fallen() {
    let fell = |task, claims: Vec<u8>| {
        let fallen = claims.into_iter().map(|answer| (claim(answer), accusers([BOB])));
        Fallen::<Test>::insert(task, BoundedVec::truncate_from(fallen.collect()));
    };
    let broken = "a claim fell of a task that has no result to be appealed";
    for task in [WORKING, FINISHED, UNKNOWN] {
        finds(broken, || fell(task, vec![1]));
    }
    finds_of_a_fallen("no claim fell, and that is noted", |task| fell(task, vec![]));
    finds_of_a_fallen("a claim fell that nobody accused", |task| {
        Fallen::<Test>::insert(task, BoundedVec::truncate_from(vec![(claim(1), accusers([]))]));
    });
    finds_of_a_fallen("a claim fell twice", |task| fell(task, vec![1, 3, 1]));
    finds_of_a_fallen("a result is chosen that fell", |task| fell(task, vec![1, 2]));
}

#[test]
fn places_that_nobody_can_have() {
    let change = |task: TaskId, change: &dyn Fn(&mut crate::types::PlacesOf<Test>)| {
        Places::<Test>::mutate(task, |places| change(places));
    };
    let broken = "somebody with another part in the task has a place";
    for who in [ALICE, worker(0)] {
        finds_of_a_fallen(broken, |task| change(task, &|places| places[0].who = who));
    }
    let broken = "two places of one claim or one account";
    let second = |who, answer| crate::types::Place {
        who,
        claim: claim(answer),
        bond: 2 * BOND,
    };
    finds_of_a_fallen(broken, |task| change(task, &|places| places.force_push(second(BOB, 3))));
    finds_of_a_fallen(broken, |task| {
        change(task, &|places| places.force_push(second(VERIFIER, 2)))
    });
    let broken = "not the bond that a place costs";
    finds_of_a_fallen(broken, |task| change(task, &|places| places[0].bond += 1));
    finds_of_a_fallen(broken, |task| {
        assert_ok!(Escrow::release(Purpose::TaskBond, Scope::Task(task), &BOB, 1));
    });
    let place = || crate::types::PlacesOf::<Test>::truncate_from(vec![second(BOB, 3)]);
    let broken = "a claim was entered of a task that has no result to be accused";
    for task in [WORKING, FINISHED] {
        finds(broken, || Places::<Test>::insert(task, place()));
    }
    finds("a claim was entered of no task", || {
        Places::<Test>::insert(UNKNOWN, place())
    });
}
