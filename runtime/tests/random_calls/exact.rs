//! Tasks that the chain computes itself: small jobs, whose inputs everybody knows.

use crate::{
    calls::Call,
    rng::Rng,
    tasks::{revealed, task_in},
    world::World,
};
use agora_primitives::{
    ClassId, TaskId,
    job::{BlobRef, Claim, JobKind, JobSource, JobSpec, MatmulJob, Mode, ProgramJob},
    task::{Phase, RoundKind},
};
use agora_reference::{Inputs, run};
use agora_runtime::Runtime;
use frame_support::BoundedVec;

/// What an input is that is named by its bytes' only value and their number.
fn content(byte: u8, size: u64) -> Vec<u8> {
    vec![byte; size as usize]
}

/// The content of every input that there is.
struct Contents(Vec<(BlobRef, Vec<u8>)>);

impl Contents {
    /// `None`: it is none of ours.
    fn of(job: &JobSpec) -> Option<Self> {
        let of_input = |input: BlobRef| {
            let all = (input.size <= 64).then_some(0..=u8::MAX)?;
            let mut contents = all.map(|byte| content(byte, input.size));
            contents
                .find(|content| BlobRef::to(content) == input)
                .map(|content| (input, content))
        };
        job.inputs().into_iter().map(of_input).collect::<Option<_>>().map(Self)
    }
}

impl Inputs for Contents {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        let (_, content) = self.0.iter().find(|(input, _)| input == blob)?;
        Some(content)
    }
}

/// A job for one of the classes whose tasks are exact from the beginning on, mostly one that fits. `None`: it is another class.
pub fn job(class: ClassId, rng: &mut Rng) -> Option<JobSource> {
    let gas = if rng.chance(90) { 100 } else { 1 << 30 };
    let mut input = |size: u64| BlobRef::to(&content(rng.below(256) as u8, size));
    let kind = match class.0 {
        // No instruction: every run traps, which is a result.
        11 => JobKind::Program(ProgramJob {
            image: input(64),
            inputs: vec![input(9)].try_into().expect("one input"),
            mode: Mode::Map,
            items: 1,
            gas,
            record_bytes: 1024,
        }),
        12 => JobKind::Matmul(MatmulJob {
            matrix: input(8),
            columns: 4,
            first_row: 0,
            rows: 2,
            input: input(4),
            vectors: 1,
        }),
        _ => return None,
    };
    rng.chance(95).then_some(JobSource::Inline(JobSpec::V2(kind)))
}

/// The job of a task that the chain computes, with its inputs.
fn known(task: TaskId) -> Option<(JobSpec, Contents)> {
    let JobSource::Inline(job) = pallet_agora_tasks::Tasks::<Runtime>::get(task)?.job else {
        return None;
    };
    let contents = Contents::of(&job)?;
    Some((job, contents))
}

/// What the job of a task comes to. `None`: nobody knows its inputs.
pub fn claim(task: TaskId) -> Option<Claim> {
    let (job, contents) = known(task)?;
    Some(run(&job, &contents).expect("all inputs are at hand").claim)
}

/// Reveals with evidence: mostly the right one, of a task that the chain computes.
pub fn reveal(world: &World, rng: &mut Rng) -> Option<Call> {
    let task = task_in(&[Phase::Revealing], world, rng)?;
    let progress = pallet_agora_tasks::Progress::<Runtime>::get(task)?;
    if progress.kind != RoundKind::Exact && rng.chance(97) {
        return None;
    }
    let (who, claim, salt) = revealed(task, progress.kind, world, rng)?;
    let mut evidence: Vec<u8> = known(task)
        .map(|(_, contents)| contents.0.into_iter().flat_map(|(_, content)| content).collect())
        .unwrap_or_default();
    match rng.below(100) {
        0..2 => evidence.push(0),
        2..4 => evidence.reverse(),
        _ => {}
    }
    let evidence = BoundedVec::truncate_from(evidence);
    let call = pallet_agora_exact::Call::reveal {
        task,
        claim,
        salt,
        evidence,
    };
    Some(Call::signed(who, call))
}
