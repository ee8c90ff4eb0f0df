//! Checking an output: segments that the check's seed chooses are computed again, each from the checkpoint before. On a
//! device they come one after the other, as each fills it; the processor takes several at a time.

use super::{StateError, cpu, data::Dataset, gpu, prepare, state::Checkpoint};
use crate::{
    inputs::Inputs,
    kinds::{Drawn, EngineError, On, Place, Verdict},
    networks::classifier::Shape,
    run::{CancelFlag, NoProgress, Run},
};
use agora_math::field::Generator;
use agora_primitives::job::TrainingJob;
use rayon::prelude::*;

/// The generator's label of the segments to compute again.
const LABEL_CHECK: &[u8] = b"training check";
/// One of so many segments is computed again.
const SEGMENTS_PER_CHECK: usize = 8;
/// At least so many are, if there are as many.
const LEAST_CHECKED: usize = 2;

/// Whether `output` has the right length, possible states with the right numbers of steps, and chosen segments that
/// follow from the states before them.
pub(super) fn check(
    job: &TrainingJob,
    on: On<'_>,
    inputs: &dyn Inputs,
    output: &[u8],
    seed: &[u8; 32],
) -> Result<Verdict, EngineError> {
    let (data, start) = prepare(job, inputs)?;
    let expected = job.segment_bytes() * u64::from(job.segments);
    let found = output.len() as u64;
    if found != expected {
        return Ok(Verdict::Wrong(Place::Length { expected, found }));
    }
    let states = match states(job, start, output) {
        Ok(states) => states,
        Err(at) => return Ok(Verdict::Wrong(Place::Byte(at))),
    };
    let segments = chosen(job, seed);
    let drawn = Drawn {
        output,
        width: job.segment_bytes() as usize,
        parts: &segments,
    };
    let never = CancelFlag::new();
    let run = Run {
        inputs,
        progress: &NoProgress,
        cancel: &never,
    };
    let wrong = drawn.first_wrong(on, |on, segments| compute(job, on, &data, (&states, segments), &run))?;
    Ok(match wrong {
        Some(at) => Verdict::Wrong(Place::Byte(at as u64)),
        None => Verdict::Right,
    })
}

/// The states before each segment, or the first byte of `output` that belongs to no possible state.
fn states(job: &TrainingJob, start: Checkpoint, output: &[u8]) -> Result<Vec<Checkpoint>, u64> {
    let shape = Shape::of(job).map_err(|_| 0u64)?;
    let mut states = vec![start];
    let segments = output.chunks_exact(job.segment_bytes() as usize);
    for (at, segment) in (0u64..).step_by(job.segment_bytes() as usize).zip(segments) {
        let state = Checkpoint::decode(&shape, job.momentum_shift, &segment[..job.state_bytes() as usize]);
        let state = state.map_err(|error| match error {
            StateError::Range { at: within, .. } => at + within,
            _ => at,
        })?;
        let before = states.last().map_or(0, |state| state.step);
        if state.step != before + job.segment_steps {
            return Err(at);
        }
        states.push(state);
    }
    Ok(states)
}

/// The segments to compute again, ascending: the last, whose checkpoint is the trained network, and those with the smallest
/// words of the others.
fn chosen(job: &TrainingJob, seed: &[u8; 32]) -> Vec<usize> {
    let generator = Generator::new(seed, LABEL_CHECK);
    let last = (job.segments as usize).saturating_sub(1);
    let mut segments: Vec<usize> = (0..last).collect();
    segments.sort_unstable_by_key(|&segment| (generator.words((segment / 4) as u64)[segment % 4], segment));
    segments.truncate((last + 1).div_ceil(SEGMENTS_PER_CHECK).max(LEAST_CHECKED));
    segments.sort_unstable();
    segments.push(last);
    segments
}

/// Segments of the output, each from the one of `states` that is before it.
fn compute(
    job: &TrainingJob,
    on: On<'_>,
    data: &Dataset,
    (states, segments): (&[Checkpoint], &[usize]),
    run: &Run<'_>,
) -> Result<Vec<u8>, EngineError> {
    let one = TrainingJob {
        segments: 1,
        state_interval: job.segment_steps,
        ..*job
    };
    let outputs: Vec<Vec<u8>> = match on {
        On::Cpu => segments
            .par_iter()
            .map(|&segment| Ok(cpu::train(&one, data, states[segment].clone(), run)?.output))
            .collect::<Result<_, EngineError>>()?,
        On::Gpu(gpu) => segments
            .iter()
            .map(|&segment| Ok(gpu::train(&one, gpu, data, states[segment].clone(), run)?.output))
            .collect::<Result<_, EngineError>>()?,
    };
    Ok(outputs.concat())
}
