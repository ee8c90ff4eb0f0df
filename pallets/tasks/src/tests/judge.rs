//! Judging: choosing a result, drawing more replicas, giving up.

use crate::{Error, Event, Invitations, Results, mock::*};
use agora_primitives::{
    judging::Seed as _,
    reputation::Outcome,
    task::{Phase, RoundKind},
};
use codec::Encode;
use frame_support::{assert_noop, assert_ok};

#[test]
fn chooses_the_result_that_enough_agree_on() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        (0..3).for_each(|n| accept(n, task));
        run_to(3);
        commit(1, task, 1);
        run_to(4);
        commit(0, task, 1);
        commit(2, task, 1);
        (0..3).for_each(|n| reveal(n, task, 1));
        run_to(5);
        let seed = BlockSeed::<Test>::seed(&(b"agora/judge", task).encode());
        run_to(6);
        let chosen = Results::<Test>::get(task).unwrap();
        assert_eq!(chosen.best, worker(1), "it committed in the earliest block");
        assert_eq!(chosen.claim, claim(1));
        last_event(Event::ResultChosen {
            task,
            claim: claim(1),
            best: worker(1),
            appeal_until: 9,
            seed,
        });
        let (terms, ..) = AppealWindows::get(task).unwrap();
        assert_eq!((terms.claim, terms.seed, terms.until), (claim(1), seed, 9));
        assert_eq!(terms.bond, REWARD / 10);
        assert_eq!(phase(task), Phase::Appealable);
    });
}

#[test]
fn frees_the_slots_and_keeps_the_bonds() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        answer_all(task, &[(0, 1), (1, 1), (2, 1)]);
        assert_eq!(phase(task), Phase::Appealable);
        for n in 0..3 {
            assert_eq!(world(|world| world.slots[&worker(n)]), 0);
            assert_eq!(bond_held(n, task), BOND);
        }
    });
}

#[test]
fn the_order_of_reveals_decides_nothing() {
    let chosen_after = |order: [u64; 3]| {
        let mut chosen = None;
        ExtBuilder::default().build_and_execute(|| {
            let task = publish();
            commit_all(task, &[(0, 1), (1, 1), (2, 1)]);
            order.iter().for_each(|n| reveal(*n, task, 1));
            run_to(now() + 2);
            chosen = Results::<Test>::get(task);
        });
        chosen.unwrap()
    };
    let first = chosen_after([0, 1, 2]);
    assert_eq!(chosen_after([2, 1, 0]), first);
    assert_eq!(chosen_after([1, 2, 0]), first);
}

#[test]
fn asks_for_more_replicas_when_there_is_no_agreement() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        answer_all(task, &[(0, 1), (1, 2), (2, 3)]);
        has_event(Event::ReplicasWanted {
            task,
            round: 1,
            count: 2,
        });
        let progress = progress(task);
        assert_eq!(
            (progress.phase, progress.kind),
            (Phase::Working, RoundKind::Replication)
        );
        assert_eq!((progress.round, progress.wanted, progress.contributions), (1, 2, 3));
        await_draw(task);
        let invitation = Invitations::<Test>::get(task).unwrap();
        assert_eq!(
            invitation.workers.to_vec(),
            [worker(3), worker(4)],
            "nobody who was there"
        );
    });
}

#[test]
fn earlier_answers_count_in_later_rounds() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        answer_all(task, &[(0, 1), (1, 2), (2, 3)]);
        // 2 · 2 · 2 for answer 1 against 2 + 2: 8 > (4 + 1) · 2 does not hold; one more round.
        answer_all(task, &[(3, 1), (4, 1)]);
        assert_eq!((phase(task), progress(task).round), (Phase::Working, 2));
        answer_all(task, &[(5, 1), (6, 1)]);
        assert_eq!(phase(task), Phase::Appealable);
        assert_eq!(Results::<Test>::get(task).unwrap().claim, claim(1));
        run_to(progress(task).due + 1);
        assert_eq!(phase(task), Phase::Settled);
        for n in [1, 2] {
            assert_eq!(records_of(worker(n)), [(AS_WORKER, Outcome::Wrong)]);
        }
        for n in [0, 3, 4, 5, 6] {
            assert_eq!(records_of(worker(n)), [(AS_WORKER, Outcome::Right { confirmed: true })]);
        }
    });
}

#[test]
fn a_right_output_by_wrong_states_is_a_wrong_answer() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        answer_all(task, &[(0, 1), (1, 1), (2, OTHER_STATES)]);
        assert_eq!(phase(task), Phase::Working, "the three do not agree");
        answer_all(task, &[(3, 1), (4, 1)]);
        assert_eq!(Results::<Test>::get(task).unwrap().claim, claim(1));
        run_to(progress(task).due + 1);
        assert_eq!(phase(task), Phase::Settled);
        assert_eq!(records_of(worker(2)), [(AS_WORKER, Outcome::Wrong)]);
        assert_eq!(gain(worker(2)), -(WRONG as i128));
    });
}

#[test]
fn confidence_lets_fewer_decide() {
    ExtBuilder::default().build_and_execute(|| {
        ReputationDouble::set_confidence(worker(0), 300);
        let task = publish();
        answer_all(task, &[(0, 1), (1, 2), (2, 3)]);
        assert_eq!(Results::<Test>::get(task).unwrap().best, worker(0));
    });
}

#[test]
fn nobody_comes_to_a_later_round_the_task_fails() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        answer_all(task, &[(0, 1), (1, 2), (2, 3)]);
        run_to(progress(task).due + 1);
        assert_eq!(phase(task), Phase::Failed);
        last_event(Event::Failed { task });
        assert_eq!(gain(ALICE), -(FEE as i128));
        assert_eq!(gain(TREASURY), FEE as i128);
        for n in 0..3 {
            assert_eq!(gain(worker(n)), 0);
            assert!(records_of(worker(n)).is_empty());
        }
        assert_eq!(terminal_events(), [Event::Failed { task }]);
    });
}

#[test]
fn a_later_round_without_commitments_asks_for_those_that_are_left() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        answer_all(task, &[(0, 1), (1, 2), (2, 3)]);
        accept(3, task);
        run_to(progress(task).due + 1);
        has_event(Event::ReplicasWanted {
            task,
            round: 2,
            count: 2,
        });
        run_to(progress(task).due + 1);
        assert_eq!(phase(task), Phase::Failed);
        assert_eq!(gain(worker(3)), -(LATE as i128));
        assert_eq!(gain(worker(0)), 0);
        assert_eq!(gain(TREASURY), (FEE + LATE) as i128);
    });
}

#[test]
fn at_the_limit_of_replicas_the_task_fails() {
    ExtBuilder::default().replicas(3).build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1), (1, 2), (2, 2)]);
        reveal(0, task, 1);
        reveal(1, task, 2);
        run_to(progress(task).due + 1);
        assert_eq!(phase(task), Phase::Failed);
        assert_eq!(gain(ALICE), -(FEE as i128));
        assert_eq!(gain(worker(0)), 0);
        assert_eq!(gain(worker(1)), 0);
        assert_eq!(gain(worker(2)), -(WRONG as i128), "it never revealed");
        assert_eq!(records_of(worker(2)), [(AS_WORKER, Outcome::Wrong)]);
        assert_eq!(gain(TREASURY), (FEE + WRONG) as i128);
    });
}

#[test]
fn fails_if_the_judge_names_somebody_who_has_not_the_result() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1), (1, 1), (2, 1)]);
        (0..3).for_each(|n| reveal(n, task, 1));
        jump_to(now() + 1);
        world(|world| world.forced_best = Some(worker(9)));
        let slots = world(|world| world.slots.clone());
        let call = || Tasks::advance(RuntimeOrigin::signed(BOB), task);
        assert_noop!(call(), Error::<Test>::UnknownWinner);
        // The doubles are not undone with the storage.
        world(|world| (world.slots, world.forced_best) = (slots, None));
        assert_ok!(call());
        assert_eq!(phase(task), Phase::Appealable);
    });
}
