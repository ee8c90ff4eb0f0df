//! Settling: who is paid, who loses what, who is told.

use crate::{Contributions, Error, Event, Results, mock::*};
use agora_primitives::{
    judging::Ruling,
    reputation::{Outcome, Side},
    results::ResultLeaf,
    task::Phase,
};
use frame_support::{assert_noop, assert_ok};

/// Burned, to workers, to verifiers, to the treasury, of the reward.
const BURN: Balance = 6_000;
const WORKERS_PART: Balance = 2_500;
const VERIFIERS_PART: Balance = 1_000;
const TREASURY_PART: Balance = 500;

#[test]
fn a_task_is_divided_as_it_was_published_whatever_becomes_of_class_and_preset() {
    use pallet_agora_rewards::{Presets, Split};
    ExtBuilder::default().build_and_execute(|| {
        let (changed, removed) = (publish(), publish_as(BOB, 1));
        let preset = class().split;
        let mut other = class();
        other.split = 1;
        assert_ok!(Tasks::set_class(RuntimeOrigin::root(), CLASS, other));
        Presets::<Test>::insert(preset, Split::PEERS);
        answer_all(changed, &[(0, 1), (1, 1), (2, 1)]);
        run_to(progress(changed).due + 1);
        assert_eq!(burned(), BURN);

        assert_ok!(Rewards::remove_preset(RuntimeOrigin::root(), preset));
        answer_all(removed, &[(0, 1), (1, 1), (2, 1)]);
        run_to(progress(removed).due + 1);
        assert_eq!(phase(removed), Phase::Settled);
        assert_eq!(burned(), 2 * BURN);
    });
}

#[test]
fn everybody_is_paid_by_rule() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        answer_all(task, &[(0, 1), (1, 1), (2, 1)]);
        attest(task, 2, 0);
        let due = progress(task).due;
        run_to(due);
        assert_eq!(phase(task), Phase::Appealable);
        run_to(due + 1);
        assert_eq!(phase(task), Phase::Settled);
        let best = Results::<Test>::get(task).unwrap().best;
        last_event(Event::Settled {
            task,
            claim: claim(1),
            best,
        });

        assert_eq!(gain(ALICE), -((REWARD + FEE) as i128));
        assert_eq!(gain(BOB), 0);
        let best_part = WORKERS_PART * 7 / 10;
        let other_part = (WORKERS_PART - best_part) / 2;
        for who in (0..3).map(worker) {
            let expected = if who == best { best_part } else { other_part };
            assert_eq!(gain(who), expected as i128);
            assert_eq!(Balances::reserved_balance(who), 0);
            let outcome = Outcome::Right { confirmed: true };
            assert_eq!(records_of(who), [(AS_WORKER, outcome)]);
            has_event(Event::WorkerJudged {
                task,
                worker: who,
                outcome,
            });
        }
        for verifier in [VERIFIER, VERIFIER + 1] {
            assert_eq!(gain(verifier), (VERIFIERS_PART / 2) as i128);
        }
        assert_eq!(gain(TREASURY), (TREASURY_PART + FEE) as i128);
        assert_eq!(burned(), BURN);
        assert_eq!(
            records_of(ALICE),
            [(Side::Publisher, Outcome::Right { confirmed: false })]
        );
        assert_eq!(Rulings::get(), [(task, Ruling::Upheld)]);
        assert_eq!(
            world(|world| world.leaves.clone()),
            [ResultLeaf {
                task,
                job: job().job_hash(),
                claim: claim(1),
                winner: best,
            }]
        );
        assert_eq!(terminal_events().len(), 1);
        assert_eq!(Contributions::<Test>::iter_prefix(task).count(), 0);
    });
}

#[test]
fn wrong_silent_and_late_workers_pay_the_treasury() {
    let five = |class: &mut Class| (class.replicas, class.max_replicas) = (5, 5);
    ExtBuilder::default().with_class(five).build_and_execute(|| {
        let task = publish();
        accept(4, task);
        commit_all(task, &[(0, 1), (1, 1), (2, 2), (3, 1)]);
        run_to(DEADLINE + 2);
        ReputationDouble::set_confidence(worker(0), 30);
        reveal(0, task, 1);
        reveal(1, task, 1);
        reveal(2, task, 2);
        run_to(progress(task).due + 1);
        assert_eq!(phase(task), Phase::Appealable);
        run_to(progress(task).due + 1);
        assert_eq!(phase(task), Phase::Settled);

        let best = Results::<Test>::get(task).unwrap().best;
        let other = if best == worker(0) { worker(1) } else { worker(0) };
        assert_eq!(gain(best), (WORKERS_PART * 7 / 10) as i128);
        assert_eq!(gain(other), (WORKERS_PART * 3 / 10) as i128);
        assert_eq!(gain(worker(2)), -(WRONG as i128));
        assert_eq!(gain(worker(3)), -(WRONG as i128));
        assert_eq!(gain(worker(4)), -(LATE as i128));
        assert_eq!(records_of(worker(2)), [(AS_WORKER, Outcome::Wrong)]);
        assert_eq!(records_of(worker(3)), [(AS_WORKER, Outcome::Wrong)]);
        assert_eq!(records_of(worker(4)), [(AS_WORKER, Outcome::Late)]);
        let to_treasury = TREASURY_PART + VERIFIERS_PART + FEE + 2 * WRONG + LATE;
        assert_eq!(gain(TREASURY), to_treasury as i128);
        assert_eq!(gain(ALICE), -((REWARD + FEE) as i128));
    });
}

#[test]
fn alone_a_worker_is_not_confirmed() {
    let alone = |class: &mut Class| {
        (class.replicas, class.max_replicas) = (1, 1);
        class.judge = agora_primitives::judging::JudgeRule::Replication { trust: 2 };
    };
    ExtBuilder::default().with_class(alone).build_and_execute(|| {
        let task = publish();
        answer_all(task, &[(0, 1)]);
        run_to(progress(task).due + 1);
        assert_eq!(gain(worker(0)), WORKERS_PART as i128);
        let outcome = Outcome::Right { confirmed: false };
        assert_eq!(records_of(worker(0)), [(AS_WORKER, outcome)]);
    });
}

#[test]
fn two_tasks_are_settled_each_from_its_own_money() {
    ExtBuilder::default().build_and_execute(|| {
        let (first, second) = (publish(), publish_as(BOB, 1));
        answer_all(first, &[(0, 1), (1, 1), (2, 1)]);
        answer_all(second, &[(3, 2), (4, 2), (5, 2)]);
        run_to(progress(first).due + 1);
        assert_eq!((phase(first), phase(second)), (Phase::Settled, Phase::Appealable));
        assert_eq!(gain(ALICE), -((REWARD + FEE) as i128));
        assert_eq!(gain(BOB), 0);
        run_to(progress(second).due + 1);
        assert_eq!(gain(BOB), -((REWARD + FEE) as i128));
        assert_eq!(gain(ALICE), -((REWARD + FEE) as i128));
    });
}

#[test]
fn a_settlement_that_cannot_be_done_now_leaves_nothing_behind_and_is_tried_again() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        answer_all(task, &[(0, 1), (1, 1), (2, 1)]);
        world(|world| world.tree_is_full = true);
        let due = progress(task).due;
        run_to(due + 1);
        let error = sp_runtime::DispatchError::Exhausted;
        last_event(Event::Postponed { task, error });
        assert_eq!(phase(task), Phase::Appealable);
        assert_eq!(progress(task).scheduled_at, Some(due + 5));
        assert_eq!(bond_held(0, task), BOND);
        world(|world| world.tree_is_full = false);
        run_to(due + 5);
        assert_eq!(phase(task), Phase::Appealable);
        run_to(due + 6);
        assert_eq!(phase(task), Phase::Settled);
        assert_eq!(terminal_events().len(), 1);
    });
}

#[test]
fn a_plan_that_does_not_add_up_is_refused() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        answer_all(task, &[(0, 1), (1, 1), (2, 1)]);
        world(|world| world.plan_is_short = true);
        jump_to(progress(task).due);
        let call = || Tasks::advance(RuntimeOrigin::signed(BOB), task);
        assert_noop!(call(), Error::<Test>::PlanMismatch);
        world(|world| world.plan_is_short = false);
        assert_ok!(call());
        assert_eq!(phase(task), Phase::Settled);
    });
}
