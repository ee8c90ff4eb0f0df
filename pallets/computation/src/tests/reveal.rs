use super::world::*;
use crate::{Decision, Error, Event, NextTrial, OpenCases, Trials, mock::*, types::longest};
use agora_disputes::{Accusation, Fault, Phase, Target, Verdict};
use agora_primitives::{
    courts::{CaseTerms, Court, Standing},
    job::{BlobRef, ChunkProof, Claim, JobKind, JobSource, JobSpec, StateOpening, StoredJob, SyntheticJob},
    participants::Specialisation,
};
use codec::Encode;
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use sp_core::H256;

fn of_output(claim: Claim) -> Accusation {
    accusation(claim, Target::Output)
}

#[test]
fn begins_the_trial_and_is_free() {
    run(|| {
        let world = World::new();
        open_case(world.right());
        let own = Some(Claim::Unusable);
        let accusation = Accusation {
            own,
            ..of_output(world.right())
        };
        assert_ok!(commit(ALICE, &accusation));
        // What is put up in the trial is what the accuser put up, whatever it is for others now.
        CurrentBond::set(1);
        run_to_reveal();
        let revealed = Computation::reveal(
            RuntimeOrigin::signed(ALICE),
            TASK,
            Box::new(accusation),
            SALT,
            Box::new(job()),
        );
        assert_eq!(revealed.unwrap().pays_fee, Pays::No);
        CurrentBond::set(BOND);
        let trial = Trials::<Test>::get(0).unwrap();
        assert_eq!((trial.accuser, trial.bond, trial.order), (ALICE, BOND, 0));
        assert_eq!(Entered::get(), [(ALICE, Claim::Unusable)]);
        assert_eq!((trial.parts, trial.defender, trial.terms), (0, None, TERMS));
        assert!(matches!(trial.dispute.phase, Phase::Chunks { .. }));
        assert_eq!((case().hidden, case().open), (0, 1));
        assert_eq!(case().trials_until, now() + longest(&TERMS));
        let (trial, accuser) = (0, ALICE);
        let opened = Event::TrialOpened {
            task: TASK,
            trial,
            accuser,
        };
        assert_eq!(events().pop(), Some(opened));
    });
}

#[test]
fn is_possible_in_the_blocks_after_the_window_alone() {
    run(|| {
        let world = World::new();
        let accusation = of_output(world.right());
        open_case(world.right());
        for who in 1..=3 {
            assert_ok!(commit(who, &accusation));
        }
        run_to(WINDOW);
        assert_noop!(reveal(1, &accusation), Error::<Test>::Early);
        run_to(WINDOW + 1);
        assert_ok!(reveal(1, &accusation));
        run_to(WINDOW + TERMS.reveal);
        assert_ok!(reveal(2, &accusation));
        run_to(WINDOW + TERMS.reveal + 1);
        assert_noop!(reveal(3, &accusation), Error::<Test>::NotNow);
    });
}

#[test]
fn takes_nothing_but_what_was_committed_to() {
    run(|| {
        let world = World::new();
        let accusation = of_output(world.right());
        open_case(world.right());
        assert_ok!(commit(ALICE, &accusation));
        // A copier has the same hash.
        let copied = crate::HiddenAccusations::<Test>::get(0, ALICE).unwrap();
        assert_ok!(Computation::commit(
            RuntimeOrigin::signed(BOB),
            TASK,
            copied.commitment.hash
        ));
        run_to_reveal();
        assert_noop!(reveal(3, &accusation), Error::<Test>::NoAccusation);
        assert_noop!(reveal(BOB, &accusation), Error::<Test>::NotCommitted);
        let other = Accusation {
            own: Some(Claim::Unusable),
            ..accusation.clone()
        };
        assert_noop!(reveal(ALICE, &other), Error::<Test>::NotCommitted);
        let with_salt = Computation::reveal(
            RuntimeOrigin::signed(ALICE),
            TASK,
            Box::new(accusation.clone()),
            [0; 32],
            Box::new(job()),
        );
        assert_noop!(with_salt.map_err(|refused| refused.error), Error::<Test>::NotCommitted);
        let with_job = Computation::reveal(
            RuntimeOrigin::signed(ALICE),
            TASK,
            Box::new(accusation.clone()),
            SALT,
            Box::new(job_of(9)),
        );
        assert_noop!(with_job.map_err(|refused| refused.error), Error::<Test>::OtherJob);
        assert_noop!(reveal(ALICE, &of_output(Claim::Unusable)), Error::<Test>::OtherClaim);
        assert_ok!(reveal(ALICE, &accusation));
        assert_noop!(reveal(ALICE, &accusation), Error::<Test>::NoAccusation);
        assert_eq!(NextTrial::<Test>::get(), 1);
    });
}

#[test]
fn takes_a_stored_job_by_its_hash() {
    run(|| {
        let world = World::new();
        let spec = BlobRef::to(&job().encode());
        let specialisation = Specialisation::Synthetic;
        let terms = CaseTerms {
            job: JobSource::Stored(StoredJob { spec, specialisation }),
            claim: world.right(),
            until: WINDOW,
        };
        assert_ok!(Computation::open(TASK, terms));
        let accusation = of_output(world.right());
        assert_ok!(commit(ALICE, &accusation));
        run_to_reveal();
        let with_job = Computation::reveal(
            RuntimeOrigin::signed(ALICE),
            TASK,
            Box::new(accusation.clone()),
            SALT,
            Box::new(job_of(9)),
        );
        assert_noop!(with_job.map_err(|refused| refused.error), Error::<Test>::OtherJob);
        assert_ok!(reveal(ALICE, &accusation));
    });
}

#[test]
fn refuses_what_does_not_fit_the_claim() {
    run(|| {
        let world = World::new();
        open_case(world.right());
        let state = StateOpening {
            index: 0,
            digest: H256::zero(),
            siblings: vec![H256::zero(); 3000],
        };
        let chunk = ChunkProof {
            index: u64::MAX,
            chunk: vec![0; 100_000],
            siblings: vec![H256::zero(); 3000],
        };
        let wrong = accusation(world.right(), Target::Chunk { state, chunk });
        assert_ok!(commit(ALICE, &wrong));
        run_to_reveal();
        assert_noop!(reveal(ALICE, &wrong), Error::<Test>::WrongOpening);
        Computation::close(TASK);
    });
    run(|| {
        open_case(Claim::Unusable);
        let wrong = of_output(Claim::Unusable);
        assert_ok!(commit(ALICE, &wrong));
        run_to_reveal();
        assert_noop!(reveal(ALICE, &wrong), Error::<Test>::Target);
    });
}

#[test]
fn a_claim_that_does_not_fit_the_job_falls_at_once() {
    run(|| {
        let claim = Claim::Output {
            output: BlobRef::to(&[1; 5]),
            states_root: H256::zero(),
        };
        open_case(claim);
        let wrong = of_output(claim);
        assert_ok!(commit(ALICE, &wrong));
        assert_ok!(commit(BOB, &wrong));
        run_to_reveal();
        let id = reveal(ALICE, &wrong).unwrap();
        let verdict = Verdict::Falls(Fault::Fraud);
        let ended = Event::TrialEnded {
            task: TASK,
            trial: id,
            verdict,
        };
        assert_eq!(events().pop(), Some(ended));
        assert_eq!(case().decision, Some(Decision::Fallen { by: ALICE }));
        assert_eq!((Decided::get(), case().open), (vec![TASK], 0));
        // Who accused it in time has until then to say so.
        let until = case().reveal_until(0);
        assert_eq!(standing(), Standing::Pending { until });
        run_to(until + 1);
        assert_eq!(standing(), fell_by([ALICE]));
        assert_noop!(reveal(BOB, &wrong), Error::<Test>::NotNow);
        Computation::close(TASK);
        assert_noop!(reveal(BOB, &wrong), Error::<Test>::NoCase);
    });
}

#[test]
fn a_longer_job_has_longer_clocks_and_entries() {
    run(|| {
        let world = World::new();
        WorkPerBlock::set(1);
        let blocks = u64::try_from(job().work()).unwrap();
        assert!(blocks > 10);
        open_case(world.right());
        let id = accuse(ALICE, &of_output(world.right()));
        let terms = Trials::<Test>::get(id).unwrap().terms;
        WorkPerBlock::set(1_000_000);
        assert_eq!(terms.clock, TERMS.clock + blocks);
        assert_eq!(terms.entry, TERMS.entry + blocks / 2);
        assert_ok!(terms.validate());
        assert_eq!(case().trials_until, now() + longest(&terms));
    });
}

#[test]
fn the_longest_trial_is_the_one_that_is_waited_for() {
    run(|| {
        let world = World::new();
        open_case(world.right());
        let accusation = of_output(world.right());
        assert_ok!(commit(ALICE, &accusation));
        assert_ok!(commit(BOB, &accusation));
        run_to_reveal();
        assert_ok!(reveal(ALICE, &accusation));
        OpenCases::<Test>::mutate(TASK, |case| case.as_mut().unwrap().trials_until = 10_000);
        assert_ok!(reveal(BOB, &accusation));
        assert_eq!(case().trials_until, 10_000);
        assert_eq!(standing(), Standing::Pending { until: 10_000 });
    });
}

/// A case about a job out of the limits, of which the chain has seen the hash.
fn open_impossible(claim: Claim) -> JobSpec {
    let impossible = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [1; 32],
        matrix_size: u32::MAX,
        iterations: u32::MAX,
    }));
    let spec = BlobRef::to(&impossible.encode());
    let specialisation = Specialisation::Synthetic;
    let terms = CaseTerms {
        job: JobSource::Stored(StoredJob { spec, specialisation }),
        claim,
        until: WINDOW,
    };
    assert_ok!(Computation::open(TASK, terms));
    impossible
}

fn reveal_with(who: AccountId, accusation: &Accusation, job: &JobSpec) -> sp_runtime::DispatchResult {
    let (accusation, job) = (Box::new(accusation.clone()), Box::new(job.clone()));
    let call = crate::Call::reveal {
        task: TASK,
        accusation,
        salt: SALT,
        job,
    };
    dispatch(who, call)
}

#[test]
fn nothing_comes_of_a_stored_job_that_nobody_can_compute() {
    run(|| {
        let world = World::new();
        let impossible = open_impossible(world.right());
        let accusation = Accusation {
            own: Some(Claim::Unusable),
            ..of_output(world.right())
        };
        assert_ok!(commit(ALICE, &accusation));
        assert_ok!(commit(BOB, &accusation));
        run_to_reveal();
        assert_noop!(reveal_with(ALICE, &accusation, &job()), Error::<Test>::OtherJob);
        assert_ok!(reveal_with(BOB, &accusation, &impossible));
        assert_eq!(case().decision, Some(Decision::Fallen { by: BOB }));
        assert_ok!(reveal_with(ALICE, &accusation, &impossible));
        // There was no trial, so that nothing waits for one.
        assert_eq!(standing(), fell_by([ALICE, BOB]));
        assert_eq!(Entered::get(), [BOB, ALICE].map(|who| (who, Claim::Unusable)));
        assert_eq!(Decided::get(), [TASK]);
        assert_eq!((has(ALICE), has(BOB)), (ENDOWMENT, ENDOWMENT));
        collect_all();
    });
}

#[test]
fn nor_of_one_that_is_another_kind_of_work_than_the_task_says() {
    run(|| {
        let world = World::new();
        let spec = BlobRef::to(&job().encode());
        let specialisation = Specialisation::Program;
        let terms = CaseTerms {
            job: JobSource::Stored(StoredJob { spec, specialisation }),
            claim: world.right(),
            until: WINDOW,
        };
        assert_ok!(Computation::open(TASK, terms));
        let accusation = of_output(world.right());
        assert_ok!(commit(ALICE, &accusation));
        run_to_reveal();
        assert_ok!(reveal(ALICE, &accusation));
        assert_eq!(standing(), fell_by([ALICE]));
        collect_all();
    });
}

#[test]
fn that_a_job_is_unusable_which_nobody_can_compute_is_not_wrong() {
    run(|| {
        let impossible = open_impossible(Claim::Unusable);
        let accusation = accusation(Claim::Unusable, Target::Inputs);
        assert_ok!(commit(ALICE, &accusation));
        run_to_reveal();
        assert_noop!(reveal_with(ALICE, &accusation, &impossible), Error::<Test>::Target);
    });
}
