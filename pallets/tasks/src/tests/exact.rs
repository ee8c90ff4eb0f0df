//! Tasks that the chain computes itself: what the pallet makes of a claim that is delivered. Who computes is a double here.

use crate::{Agenda, Contributions, Error, Event, Progress, Results, WeightInfo, mock::*};
use agora_primitives::{
    TaskId,
    exact::{ExactTasks, NotExact},
    judging::JudgeRule,
    money::{Escrow as _, Purpose, Scope},
    reputation::Outcome,
    task::{Chosen, Phase, RoundKind},
};
use frame_support::{assert_noop, assert_ok, storage::with_storage_layer, weights::Weight};
use sp_runtime::DispatchError;

/// As the call does that computes: all or nothing.
fn deliver(n: u64, task: TaskId, answer: u8) -> Result<Weight, DispatchError> {
    with_storage_layer(|| {
        let who = worker(n);
        <Tasks as ExactTasks<AccountId>>::revealable(task, &who, &claim(answer), &SALT)?;
        <Tasks as ExactTasks<AccountId>>::deliver(task, &who, claim(answer), &SALT)
    })
}

#[test]
fn is_settled_at_once_with_what_is_delivered() {
    ExtBuilder::default().exact().build_and_execute(|| {
        let task = publish();
        assert_eq!(progress(task).kind, RoundKind::Exact);
        commit_all(task, &[(0, 1)]);
        assert_eq!(phase(task), Phase::Revealing);
        assert_eq!(deliver(0, task, 1), Ok(<() as WeightInfo>::deliver(1)));
        assert_eq!(phase(task), Phase::Settled);
        last_event(Event::Settled {
            task,
            claim: claim(1),
            best: worker(0),
        });
        has_event(Event::Revealed {
            task,
            worker: worker(0),
            claim: claim(1),
        });
        let chosen = Chosen {
            claim: claim(1),
            best: worker(0),
        };
        assert_eq!(Results::<Test>::get(task), Some(chosen));
        assert_eq!(world(|world| world.leaves.len()), 1);
        assert!(AppealWindows::get(task).is_none() && OpenCases::get(task).is_none());
        assert_eq!(
            records_of(worker(0)),
            [(AS_WORKER, Outcome::Right { confirmed: false })]
        );
        assert_eq!(gain(worker(0)), (REWARD / 4) as i128);
        assert_eq!(bond_held(0, task), 0);
        assert_eq!(world(|world| world.slots[&worker(0)]), 0);
        // The only thing that is left to do is to forget it.
        let due = progress(task).due;
        assert_eq!(due, now() + RETENTION + 1);
        assert_eq!(Agenda::<Test>::get(due).to_vec(), [task]);
        run_to(due + 1);
        assert_eq!(Progress::<Test>::get(task), None);
        assert_eq!(terminal_events().len(), 1);
    });
}

#[test]
fn a_court_is_not_asked_and_nobody_attests() {
    ExtBuilder::default().exact().build_and_execute(|| {
        world(|world| world.has_court = true);
        let task = publish();
        commit_all(task, &[(0, 1)]);
        assert_ok!(deliver(0, task, 1));
        assert!(AppealWindows::get(task).is_none() && OpenCases::get(task).is_none());
        assert_eq!(phase(task), Phase::Settled);
    });
}

#[test]
fn unusable_inputs_are_paid_from_the_stake() {
    ExtBuilder::default().exact().build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, UNUSABLE)]);
        assert_ok!(deliver(0, task, UNUSABLE));
        assert_eq!(gain(worker(0)), (STAKE / 4) as i128);
        assert_eq!(gain(ALICE), -((STAKE + FEE) as i128));
    });
}

#[test]
fn only_what_was_committed_to_can_be_delivered() {
    ExtBuilder::default().exact().build_and_execute(|| {
        assert_noop!(deliver(0, TaskId(0), 1), Error::<Test>::UnknownTask);
        let task = publish();
        assert_noop!(deliver(0, task, 1), Error::<Test>::NotAccepted);
        accept(0, task);
        assert_noop!(deliver(0, task, 1), Error::<Test>::NotCommitted);
        run_to(now() + 2);
        commit(0, task, 1);
        assert_noop!(deliver(1, task, 1), Error::<Test>::NotAccepted);
        assert_noop!(deliver(0, task, 2), Error::<Test>::CommitmentMismatch);
        let until = progress(task).until();
        jump_to(until + 1);
        assert_noop!(deliver(0, task, 1), Error::<Test>::TooLate);
        jump_to(until);
        assert_ok!(deliver(0, task, 1));
        assert_noop!(deliver(0, task, 1), Error::<Test>::NotAccepted);
    });
}

#[test]
fn the_two_ways_to_reveal_do_not_mix() {
    ExtBuilder::default().exact().build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1)]);
        let ordinary = Tasks::reveal(RuntimeOrigin::signed(worker(0)), task, claim(1), SALT);
        assert_noop!(ordinary, Error::<Test>::RevealWithEvidence);
        assert_eq!(Contributions::<Test>::get(task, worker(0)).unwrap().claim(), None);
    });
    ExtBuilder::default().replicas(1).build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1)]);
        assert_noop!(deliver(0, task, 1), Error::<Test>::NotExact);
    });
}

#[test]
fn a_worker_that_is_silent_pays_and_the_publisher_has_everything_back() {
    ExtBuilder::default().exact().build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1)]);
        run_to(progress(task).due + 1);
        assert_eq!(phase(task), Phase::Expired);
        assert_eq!((gain(ALICE), gain(worker(0))), (0, -(WRONG as i128)));
        assert_eq!(Results::<Test>::get(task), None);
        assert_noop!(deliver(0, task, 1), Error::<Test>::NotAccepted);
    });
}

#[test]
fn a_worker_that_is_late_loses_its_slot_to_one_that_delivers() {
    ExtBuilder::default().exact().build_and_execute(|| {
        let task = publish();
        accept(0, task);
        run_to(now() + COMMIT_WINDOW + 1);
        commit_all(task, &[(1, 1)]);
        assert_eq!(deliver(1, task, 1), Ok(<() as WeightInfo>::deliver(2)));
        assert_eq!(gain(worker(0)), -(LATE as i128));
        assert_eq!(gain(worker(1)), (REWARD / 4) as i128);
    });
}

#[test]
fn delivered_in_the_block_of_the_commitment_it_has_no_other_end() {
    ExtBuilder::default().exact().build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1)]);
        // It was hastened by the commitment, and is settled before the end of the block.
        assert_eq!(crate::Hastened::<Test>::get().to_vec(), [task]);
        assert_ok!(deliver(0, task, 1));
        run_to(now() + 10);
        assert_eq!(terminal_events().len(), 1);
        assert_eq!(phase(task), Phase::Settled);
    });
}

#[test]
fn what_keeps_it_from_being_settled_leaves_everything_as_it_was() {
    ExtBuilder::default().exact().build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1)]);
        world(|world| world.tree_is_full = true);
        // The slots that the double keeps are not in storage: they are not undone.
        let slots = world(|world| world.slots.clone());
        let refused = deliver(0, task, 1);
        world(|world| world.slots = slots);
        assert_eq!(refused, Err(DispatchError::Exhausted));
        assert_eq!((phase(task), bond_held(0, task)), (Phase::Revealing, BOND));
        let held = Escrow::held(Purpose::TaskReward, Scope::Task(task), &ALICE);
        assert_eq!(held, REWARD);
        world(|world| world.tree_is_full = false);
        assert_ok!(deliver(0, task, 1));
    });
}

#[test]
fn a_job_that_the_chain_does_not_compute_is_refused_before_money_moves() {
    ExtBuilder::default().exact().build_and_execute(|| {
        for (why, error) in [
            (NotExact::NoCourt, Error::<Test>::NoExactCourt),
            (NotExact::Stored, Error::ExactJobStored),
            (NotExact::TooMuchWork, Error::ExactJobTooMuchWork),
            (NotExact::TooMuchEvidence, Error::ExactEvidenceTooLong),
        ] {
            world(|world| world.not_exact = Some(why));
            let published = Tasks::publish(
                RuntimeOrigin::signed(ALICE),
                CLASS,
                job(),
                agora_primitives::task::Difficulty::ONE,
                REWARD,
                DEADLINE,
                reference(1),
            );
            assert_noop!(published.map_err(|refused| refused.error), error);
        }
    });
    // Other classes do not ask.
    ExtBuilder::default().build_and_execute(|| {
        world(|world| world.not_exact = Some(NotExact::TooMuchWork));
        publish();
    });
}

#[test]
fn without_such_a_court_no_class_is_exact() {
    ExtBuilder::default().exact().build_and_execute(|| {
        let class = crate::Classes::<Test>::get(CLASS).unwrap();
        world(|world| world.no_exact_court = true);
        let set = || Tasks::set_class(RuntimeOrigin::root(), CLASS, class.clone());
        assert_noop!(set(), Error::<Test>::NoExactCourt);
        world(|world| world.no_exact_court = false);
        assert_ok!(set());
    });
}

#[test]
fn views_tell_the_rule() {
    for (chain, rule) in [
        (ExtBuilder::default().exact(), JudgeRule::Exact),
        (ExtBuilder::default(), JudgeRule::Replication { trust: 3 }),
    ] {
        chain.build_and_execute(|| {
            let task = publish();
            assert_eq!(Tasks::task(task).unwrap().judge, rule);
        });
    }
}

#[test]
fn a_task_that_is_judged_though_the_chain_computes_it_is_found() {
    ExtBuilder::default().exact().build().execute_with(|| {
        let task = publish();
        assert_ok!(Tasks::do_try_state());
        Progress::<Test>::mutate(task, |progress| {
            progress.as_mut().unwrap().kind = RoundKind::Replication
        });
        let broken = "a round is for something else than the rule of its task";
        assert_eq!(Tasks::do_try_state(), Err(broken.into()));
        Progress::<Test>::mutate(task, |progress| {
            let progress = progress.as_mut().unwrap();
            (progress.kind, progress.phase) = (RoundKind::Exact, Phase::Judging);
        });
        let judged = "a task is judged that the chain computes";
        assert_eq!(Tasks::do_try_state(), Err(judged.into()));
    });
}

#[test]
fn the_most_that_delivering_weighs_is_with_all_workers_there_can_be() {
    let most = <() as WeightInfo>::deliver(MAX_CONTRIBUTIONS);
    assert_eq!(<Tasks as ExactTasks<AccountId>>::weight(), most);
}
