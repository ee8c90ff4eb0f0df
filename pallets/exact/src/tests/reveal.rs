//! `reveal`.

use super::jobs::{Known, matmul, unusable};
use crate::{Error, Event, mock::*};
use agora_pallet_dev::ReputationDouble;
use agora_primitives::{
    TaskId,
    job::{BlobRef, Claim},
    money::{Escrow as _, Purpose, Scope},
    reputation::{Outcome, Side},
    task::Phase,
};
use agora_reference::total_work;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

type TaskError = pallet_agora_tasks::Error<Test>;

/// A claim that the job does not come to.
fn wrong() -> Claim {
    Claim::Output {
        output: BlobRef::to(b"wrong"),
        states_root: Default::default(),
    }
}

/// A refused call leaves everything as it was, and the worker may still reveal rightly.
fn refused(task: TaskId, known: &Known, evidence: &[u8], error: impl Into<DispatchError>) {
    let error: DispatchError = error.into();
    let call = || reveal(BOB, task, known.claim(), evidence).map_err(|refused| refused.error);
    assert_noop!(call(), error);
}

#[test]
fn verdict_pay_and_proof_are_there_in_the_block_of_the_reveal() {
    ExtBuilder.build_and_execute(|| {
        let known = matmul();
        let task = committed(&known.job, &known.claim());
        let before = now();
        assert_ok!(reveal(BOB, task, known.claim(), &known.evidence()));
        assert_eq!(now(), before);
        assert_eq!(phase(task), Phase::Settled);
        // Preset 0: 25 % to workers, 60 % burned, the rest and the fee to the treasury, for want of verifiers.
        let pay = (REWARD / 4) as i128;
        assert_eq!(gain(BOB), pay);
        assert_eq!(gain(ALICE), -((REWARD + FEE) as i128));
        assert_eq!(gain(TREASURY), (REWARD * 15 / 100 + FEE) as i128);
        for (purpose, who) in [
            (Purpose::TaskReward, ALICE),
            (Purpose::PublisherStake, ALICE),
            (Purpose::PublicationFee, ALICE),
            (Purpose::TaskBond, BOB),
        ] {
            assert_eq!(Escrow::held(purpose, Scope::Task(task), &who), 0, "{purpose:?}");
        }
        let leaves = ResultsDouble::leaves();
        assert_eq!(
            (leaves.len(), leaves[0].claim, leaves[0].winner),
            (1, known.claim(), BOB)
        );
        let result = pallet_agora_tasks::Results::<Test>::get(task).unwrap();
        assert_eq!((result.claim, result.best), (known.claim(), BOB));
        // The chain knows that it is right; nobody's work agrees with it, so it raises no confidence.
        let right = Outcome::Right { confirmed: false };
        let specialisation = known.job.specialisation();
        assert_eq!(
            ReputationDouble::outcomes(),
            [
                (ALICE, Side::Publisher, right),
                (BOB, Side::Worker(specialisation), right)
            ]
        );
        let work = total_work(&known.job, MAX_WORK).unwrap();
        System::assert_last_event(
            Event::Computed {
                task,
                worker: BOB,
                claim: known.claim(),
                work,
            }
            .into(),
        );
    });
}

#[test]
fn a_settled_task_is_purged_and_has_no_other_step() {
    ExtBuilder.build_and_execute(|| {
        let known = matmul();
        let task = committed(&known.job, &known.claim());
        assert_ok!(reveal(BOB, task, known.claim(), &known.evidence()));
        let origin = RuntimeOrigin::signed(CAROL);
        assert_noop!(
            Tasks::advance(origin, task).map_err(|refused| refused.error),
            TaskError::NothingDue
        );
        run_to(now() + 40);
        assert_eq!(pallet_agora_tasks::Progress::<Test>::get(task), None);
        let settled = |record: &frame_system::EventRecord<RuntimeEvent, _>| {
            matches!(
                record.event,
                RuntimeEvent::Tasks(
                    pallet_agora_tasks::Event::Settled { .. }
                        | pallet_agora_tasks::Event::Expired { .. }
                        | pallet_agora_tasks::Event::Failed { .. }
                )
            )
        };
        assert_eq!(System::events().iter().filter(|record| settled(record)).count(), 1);
    });
}

#[test]
fn unusable_inputs_are_paid_from_the_stake() {
    ExtBuilder.build_and_execute(|| {
        let known = unusable();
        assert_eq!(known.claim(), Claim::Unusable);
        let task = committed(&known.job, &Claim::Unusable);
        assert_ok!(reveal(BOB, task, Claim::Unusable, &known.evidence()));
        assert_eq!(phase(task), Phase::Settled);
        assert_eq!(gain(BOB), (STAKE / 4) as i128);
        assert_eq!(gain(ALICE), -((STAKE + FEE) as i128));
        let publisher = (ALICE, Side::Publisher, Outcome::Wrong);
        assert!(ReputationDouble::outcomes().contains(&publisher));
    });
}

#[test]
fn usable_inputs_are_not_called_unusable() {
    ExtBuilder.build_and_execute(|| {
        let known = matmul();
        let task = committed(&known.job, &Claim::Unusable);
        let call = || reveal(BOB, task, Claim::Unusable, &known.evidence()).map_err(|refused| refused.error);
        assert_noop!(call(), Error::<Test>::OtherClaim);
    });
}

#[test]
fn a_wrong_claim_is_refused_and_costs_what_silence_costs() {
    ExtBuilder.build_and_execute(|| {
        let known = matmul();
        let task = committed(&known.job, &wrong());
        let call = || reveal(BOB, task, wrong(), &known.evidence()).map_err(|refused| refused.error);
        assert_noop!(call(), Error::<Test>::OtherClaim);
        // It has committed to that, and has nothing else to say.
        refused(task, &known, &known.evidence(), TaskError::CommitmentMismatch);
        run_to(now() + 10);
        assert_eq!(phase(task), Phase::Expired);
        assert_eq!(gain(ALICE), 0);
        assert_eq!((gain(BOB), gain(TREASURY)), (-(WRONG as i128), WRONG as i128));
        assert!(ResultsDouble::leaves().is_empty());
    });
}

#[test]
fn a_right_output_after_wrong_states_is_a_wrong_claim() {
    ExtBuilder.build_and_execute(|| {
        let job = synthetic();
        let known = Known {
            name: "synthetic".into(),
            job,
            inputs: Vec::new(),
        };
        let Claim::Output { output, .. } = known.claim() else {
            panic!("no output");
        };
        let other = Claim::Output {
            output,
            states_root: Default::default(),
        };
        let task = committed(&known.job, &other);
        let call = || reveal(BOB, task, other, &[]).map_err(|refused| refused.error);
        assert_noop!(call(), Error::<Test>::OtherClaim);
    });
}

#[test]
fn evidence_that_is_anything_else_is_refused_and_nothing_is_lost() {
    ExtBuilder.build_and_execute(|| {
        let known = matmul();
        let task = committed(&known.job, &known.claim());
        let whole = known.evidence();
        for other in [&[][..], &whole[..7], &[whole.as_slice(), &[0]].concat()] {
            refused(task, &known, other, Error::<Test>::EvidenceLength);
        }
        let reordered = [known.inputs[1].as_slice(), &known.inputs[0]].concat();
        refused(task, &known, &reordered, Error::<Test>::EvidenceMismatch);
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            refused(task, &known, &changed, Error::<Test>::EvidenceMismatch);
        }
        assert_ok!(reveal(BOB, task, known.claim(), &whole));
    });
}

#[test]
fn who_copies_the_call_gains_nothing() {
    ExtBuilder.build_and_execute(|| {
        let known = matmul();
        let task = committed(&known.job, &known.claim());
        // It is in the pool: everybody sees claim, salt and evidence.
        let call = || reveal(CAROL, task, known.claim(), &known.evidence()).map_err(|refused| refused.error);
        assert_noop!(call(), TaskError::NotAccepted);
        assert_ok!(reveal(BOB, task, known.claim(), &known.evidence()));
        assert_eq!(gain(CAROL), 0);
    });
}

#[test]
fn a_copied_commitment_cannot_be_revealed() {
    ExtBuilder.build_and_execute(|| {
        let known = matmul();
        let hidden = committed(&known.job, &known.claim());
        let contribution = pallet_agora_tasks::Contributions::<Test>::get(hidden, BOB).unwrap();
        let agora_primitives::task::ContributionState::Committed { commitment, .. } = contribution.state else {
            panic!("not committed");
        };
        let task = publish(&known.job);
        accept(CAROL, task);
        assert_ok!(Tasks::commit(RuntimeOrigin::signed(CAROL), task, commitment));
        let call = || reveal(CAROL, task, known.claim(), &known.evidence()).map_err(|refused| refused.error);
        assert_noop!(call(), TaskError::CommitmentMismatch);
    });
}

#[test]
fn fails_before_there_is_a_commitment_and_after_the_window() {
    ExtBuilder.build_and_execute(|| {
        let known = matmul();
        refused(TaskId(9), &known, &known.evidence(), TaskError::UnknownTask);
        let task = publish(&known.job);
        refused(task, &known, &known.evidence(), TaskError::NotAccepted);
        accept(BOB, task);
        refused(task, &known, &known.evidence(), TaskError::NotCommitted);
        commit_with(BOB, task, &known.claim(), &SALT);
        let until = pallet_agora_tasks::Progress::<Test>::get(task).unwrap().until();
        System::set_block_number(until + 1);
        refused(task, &known, &known.evidence(), TaskError::TooLate);
        // In the last block it is in time.
        System::set_block_number(until);
        assert_ok!(reveal(BOB, task, known.claim(), &known.evidence()));
        refused(task, &known, &known.evidence(), TaskError::NotAccepted);
    });
}

#[test]
fn fails_with_another_salt() {
    ExtBuilder.build_and_execute(|| {
        let known = matmul();
        let task = publish(&known.job);
        accept(BOB, task);
        commit_with(BOB, task, &known.claim(), &[8; 32]);
        refused(task, &known, &known.evidence(), TaskError::CommitmentMismatch);
    });
}

#[test]
fn silence_is_paid_for_as_anywhere() {
    ExtBuilder.build_and_execute(|| {
        let known = matmul();
        let task = committed(&known.job, &known.claim());
        run_to(now() + 10);
        assert_eq!(phase(task), Phase::Expired);
        assert_eq!((gain(ALICE), gain(BOB)), (0, -(WRONG as i128)));
        let silent = publish(&known.job);
        accept(CAROL, silent);
        run_to(now() + 30);
        assert_eq!(phase(silent), Phase::Expired);
        assert_eq!((gain(ALICE), gain(CAROL)), (0, -((BOND / 10) as i128)));
    });
}

#[test]
fn waits_for_room_in_the_tree_of_results() {
    ExtBuilder.build_and_execute(|| {
        let known = matmul();
        let task = committed(&known.job, &known.claim());
        ResultsDouble::set_full(true);
        refused(task, &known, &known.evidence(), DispatchError::Exhausted);
        ResultsDouble::set_full(false);
        assert_ok!(reveal(BOB, task, known.claim(), &known.evidence()));
    });
}

#[test]
fn fails_if_the_chain_computes_less_by_now() {
    ExtBuilder.build_and_execute(|| {
        let known = matmul();
        let task = committed(&known.job, &known.claim());
        let work = total_work(&known.job, MAX_WORK).unwrap();
        WorkLimit::set(work - 1);
        refused(task, &known, &known.evidence(), Error::<Test>::TooMuchWork);
        WorkLimit::set(work);
        assert_ok!(reveal(BOB, task, known.claim(), &known.evidence()));
    });
}

#[test]
fn the_ordinary_reveal_is_refused() {
    ExtBuilder.build_and_execute(|| {
        let known = matmul();
        let task = committed(&known.job, &known.claim());
        let call = Tasks::reveal(RuntimeOrigin::signed(BOB), task, known.claim(), SALT);
        assert_noop!(call, TaskError::RevealWithEvidence);
    });
}

#[test]
fn fails_unsigned() {
    ExtBuilder.build_and_execute(|| {
        let call = Exact::reveal(RuntimeOrigin::none(), TaskId(0), wrong(), SALT, Default::default());
        assert_noop!(call.map_err(|refused| refused.error), DispatchError::BadOrigin);
    });
}
