//! Disputes: the states of the trace follow from one another; the output is joined from them.
//!
//! A state after the first is a checkpoint with the losses of the steps since the one before: the output of a job of one
//! segment.

use super::start;
use crate::{
    inputs::Inputs,
    kinds::{
        EngineError, JudgeError, Part, Trace,
        dispute::{compute, cut},
    },
};
use agora_primitives::job::{BlobRef, JobKind, TrainingJob};

/// The first state, one after each `trace_interval` of steps, and the output.
pub(super) fn trace(job: &TrainingJob) -> Trace {
    Trace::joined(job.steps() / job.trace_interval + 1)
}

/// State `step − 1`; nothing before the first.
pub(super) fn state_before(job: &TrainingJob, inputs: &dyn Inputs, step: u32) -> Result<Vec<u8>, JudgeError> {
    if step == 0 {
        return Ok(Vec::new());
    }
    let mut state = start(job, inputs)?;
    let Some(intervals) = step.checked_sub(2) else {
        return Ok(state);
    };
    let mut left = intervals * job.trace_interval;
    while left > 0 {
        // No job has a longer segment.
        let count = left.min(job.segment_steps);
        state = steps(job, inputs, checkpoint(job, &state), count)?;
        left -= count;
    }
    steps(job, inputs, checkpoint(job, &state), job.trace_interval)
}

/// The checkpoint with which a state begins.
fn checkpoint<'a>(job: &TrainingJob, state: &'a [u8]) -> &'a [u8] {
    // No state that was computed is shorter.
    state.get(..job.state_bytes() as usize).unwrap_or(state)
}

/// State `step`, from the one before, at the cost of `trace_interval` steps.
pub(super) fn state(job: &TrainingJob, inputs: &dyn Inputs, step: u32, before: &[u8]) -> Result<Vec<u8>, JudgeError> {
    let Some(last) = step.checked_sub(1) else {
        return Ok(start(job, inputs)?);
    };
    let losses = match last {
        0 => 0,
        _ => 4 * u64::from(job.trace_interval),
    };
    if before.len() as u64 != job.state_bytes() + losses {
        return Err(JudgeError::Before);
    }
    steps(job, inputs, checkpoint(job, before), job.trace_interval)
}

/// The segment that byte `at` of `outputs` belongs to.
pub(super) fn part(job: &TrainingJob, inputs: &dyn Inputs, outputs: [&[u8]; 2], at: usize) -> Result<Part, JudgeError> {
    let (segment, claims) = cut(outputs, at, job.segment_bytes() as usize);
    let before = match segment.checked_sub(1) {
        None => start(job, inputs)?,
        // The same in both outputs.
        Some(last) => {
            let place = last * job.segment_bytes() as usize;
            outputs[0][place..][..job.state_bytes() as usize].to_vec()
        }
    };
    Ok(Part {
        number: segment as u64,
        right: steps(job, inputs, &before, job.segment_steps)?,
        claims,
    })
}

/// The output of a segment of `count` steps from the state `before`: the state after them, and their losses.
fn steps(job: &TrainingJob, inputs: &dyn Inputs, before: &[u8], count: u32) -> Result<Vec<u8>, JudgeError> {
    let start = Some(BlobRef::to(before)).filter(|start| start.size == job.state_bytes());
    let start = start.ok_or(JudgeError::Before)?;
    let some = TrainingJob {
        segments: 1,
        segment_steps: count,
        trace_interval: count,
        start: Some(start),
        ..*job
    };
    compute(JobKind::Training(some), inputs, Some((start, before.to_vec()))).map_err(|error| match error {
        EngineError::State(_) => JudgeError::Before,
        error => error.into(),
    })
}
