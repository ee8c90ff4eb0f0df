//! Which jobs are taken: a formula of the job alone.

use super::jobs::{matmul, vectors};
use crate::{mock::*, scenario::most_units};
use agora_primitives::{
    exact::{ExactCourt, NotExact},
    job::{BlobRef, JobKind, JobSource, JobSpec, Mode, ProgramJob, StoredJob, SyntheticJob},
};
use agora_reference::total_work;
use frame_support::assert_noop;

type TaskError = pallet_agora_tasks::Error<Test>;

fn admits(job: &JobSpec) -> Result<(), NotExact> {
    Exact::admits(&JobSource::Inline(job.clone()))
}

#[test]
fn work_and_evidence_are_taken_up_to_their_limits() {
    for known in vectors().into_iter().chain([matmul()]) {
        let work = total_work(&known.job, u64::MAX).unwrap();
        let evidence = u32::try_from(known.job.input_bytes()).unwrap();
        assert_eq!(evidence as usize, known.evidence().len());
        WorkLimit::set(work);
        EvidenceLimit::set(evidence);
        assert_eq!(admits(&known.job), Ok(()), "{}", known.name);
        WorkLimit::set(work - 1);
        assert_eq!(admits(&known.job), Err(NotExact::TooMuchWork), "{}", known.name);
        WorkLimit::set(work);
        if let Some(less) = evidence.checked_sub(1) {
            EvidenceLimit::set(less);
            assert_eq!(admits(&known.job), Err(NotExact::TooMuchEvidence), "{}", known.name);
        }
    }
}

fn program(image: BlobRef, inputs: Vec<BlobRef>, mode: Mode, items: u32, gas: u64, record_bytes: u32) -> JobSpec {
    let job = ProgramJob {
        image,
        inputs: inputs.try_into().unwrap(),
        mode,
        items,
        gas,
        record_bytes,
    };
    JobSpec::V2(JobKind::Program(job))
}

/// Jobs whose [`JobSpec::work`] is small, or small for what they cost.
#[test]
fn what_is_not_work_is_counted_too() {
    let image = BlobRef::to(&[0; 100]);
    let large = BlobRef { size: 1 << 17, ..image };
    let synthetic = |matrix_size, iterations| {
        JobSpec::V2(JobKind::Synthetic(SyntheticJob {
            seed: [1; 32],
            matrix_size,
            iterations,
        }))
    };
    let many_states = synthetic(1, 16_384);
    assert!(many_states.work() < u128::from(MAX_WORK) / 500);
    for (name, job) in [
        ("many tiny states", many_states),
        ("many runs", program(image, vec![], Mode::Map, 1000, 1, 1024)),
        ("many steps", program(image, vec![], Mode::Fold, 1000, 1, 1024)),
        (
            "an image decoded again and again",
            program(large, vec![], Mode::Map, 14, 1, 1024),
        ),
        ("long records", program(image, vec![], Mode::Map, 14, 1, 1 << 17)),
        ("gas", program(image, vec![], Mode::Map, 1, 1 << 20, 1024)),
    ] {
        assert_eq!(job.validate(), Ok(()), "{name}");
        assert_eq!(admits(&job), Err(NotExact::TooMuchWork), "{name}");
    }
    assert_eq!(admits(&program(image, vec![], Mode::Map, 1, 700_000, 1024)), Ok(()));
    assert_eq!(admits(&synthetic(1, 1000)), Ok(()));
    let huge = BlobRef { size: 1 << 36, ..image };
    let halves = vec![
        BlobRef {
            size: u64::from(MAX_EVIDENCE) / 2,
            ..image
        };
        2
    ];
    for inputs in [vec![huge], halves] {
        let job = program(image, inputs, Mode::Map, 1, 1, 1024);
        assert_eq!(admits(&job), Err(NotExact::TooMuchEvidence));
    }
}

#[test]
fn the_most_units_are_looked_at_and_no_more() {
    let most = most_units(MAX_WORK);
    assert_eq!(admits(&most), Ok(()));
    let JobSpec::V2(JobKind::Synthetic(job)) = most else {
        panic!("no synthetic job");
    };
    let more = SyntheticJob {
        iterations: job.iterations + 1,
        ..job
    };
    let more = JobSpec::V2(JobKind::Synthetic(more));
    assert_eq!(admits(&more), Err(NotExact::TooMuchWork));
}

#[test]
fn a_job_that_does_not_fit_is_refused_before_money_moves() {
    ExtBuilder.build_and_execute(|| {
        let image = BlobRef::to(&[0; 100]);
        let inline = JobSource::Inline;
        let much = inline(program(image, vec![], Mode::Map, 1, 1 << 20, 1024));
        assert_noop!(try_publish(much), TaskError::ExactJobTooMuchWork);
        let long = BlobRef {
            size: MAX_EVIDENCE.into(),
            ..image
        };
        let long = inline(program(image, vec![long], Mode::Map, 1, 1, 1024));
        assert_noop!(try_publish(long), TaskError::ExactEvidenceTooLong);
        let stored = StoredJob {
            spec: BlobRef::to(b"job"),
            specialisation: synthetic().specialisation(),
        };
        assert_noop!(try_publish(JobSource::Stored(stored)), TaskError::ExactJobStored);
        assert_eq!(gain(ALICE), 0);
    });
}
