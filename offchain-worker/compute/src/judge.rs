//! Judging: the one step of a job that decides between two workers, computed again at the cost of that step.
//!
//! Workers who differ find the state at which they part by [`agora_math::trace::Bisection`]. A state is a job of its own: a
//! tile is a small picture, an item a batch of one, steps of training go on from a checkpoint. So the processor's code that
//! says what results are also says what is right here. An output that is *joined* from parts is no step: of two that
//! differ, the first part in which they do decides ([`judge_outputs`]).

use crate::{
    digest::output_digest,
    engine::{CancelFlag, Engine, NoProgress, cpu::CpuEngine},
    error::EngineError,
    inputs::{InputError, Inputs},
    kinds::{ItemsError, Place, Verdict, encode_items, rendering::tiles::Tile, synthetic, training},
};
use agora_math::merkle::Hash;
use agora_primitives::job::{
    BlobRef, InferenceJob, InferenceTask, JobError, JobKind, JobSpec, MatmulJob, Region, RenderingJob, SyntheticJob,
    TrainingJob,
};
use std::sync::Arc;

/// Bytes of a number of a product.
const NUMBER: usize = 4;

/// Why there is no judgement.
#[derive(thiserror::Error, Debug)]
pub enum JudgeError {
    /// The job has no such state.
    #[error("the job has {states} states, and none of number {step}")]
    NoStep {
        /// The number of the state.
        step: u32,
        /// How many there are.
        states: u32,
    },
    /// The last state is an output that is joined from parts: `judge_outputs` decides.
    #[error("the output is joined from parts: it needs both outputs to judge it")]
    Joined,
    /// The output is the last state of a chain: `judge_step` decides.
    #[error("the output is the last step of a chain: it needs the state before to judge it")]
    Chained,
    /// What both agree about can be no state: nobody who computed rightly agrees to it, so both are wrong.
    #[error("what is before the step can be no state of the job: both are wrong")]
    Before,
    /// The outputs are equal.
    #[error("the outputs are equal")]
    EqualOutputs,
    /// The step cannot be computed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl JudgeError {
    /// Whether the same call may succeed later.
    pub const fn is_recoverable(&self) -> bool {
        match self {
            Self::Engine(error) => error.is_recoverable(),
            _ => false,
        }
    }
}

impl From<JobError> for JudgeError {
    fn from(error: JobError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<InputError> for JudgeError {
    fn from(error: InputError) -> Self {
        Self::Engine(error.into())
    }
}

/// How many states the trace of `job` has, the output included.
///
/// Errors: those of [`JobSpec::validate`].
pub fn trace_length(job: &JobSpec) -> Result<u32, JobError> {
    job.validate()?;
    let JobSpec::V1(kind) = job;
    // By the limits of the jobs, all are at most 2²⁰ and a little.
    Ok(match kind {
        JobKind::Synthetic(job) => job.iterations + 1,
        JobKind::Matmul(_) => 1,
        JobKind::Inference(job) => job.items + 1,
        JobKind::Training(job) => job.steps() / job.trace_interval + 2,
        JobKind::Rendering(job) => job.tiles() as u32 + 1,
    })
}

/// Computes what a party shows the judge of step `step`: state `step − 1`, where states follow from one another; nothing
/// for the first state and for parts.
///
/// Errors: `NoStep`, and what prevents computing. Complexity: that of the steps up to there.
pub fn state_before(job: &JobSpec, inputs: &dyn Inputs, step: u32) -> Result<Vec<u8>, JudgeError> {
    let states = trace_length(job)?;
    if step >= states {
        return Err(JudgeError::NoStep { step, states });
    }
    let JobSpec::V1(kind) = job;
    match kind {
        JobKind::Synthetic(job) if step == 1 => Ok(synthetic::start(job)),
        JobKind::Synthetic(job) if step > 1 => {
            let iterations = step - 1;
            let part = JobKind::Synthetic(SyntheticJob { iterations, ..*job });
            Ok(compute(part, inputs, None)?)
        }
        JobKind::Training(job) if step > 0 => {
            let mut state = training::start(job, inputs)?;
            let mut left = (step - 1) * job.trace_interval;
            while left > 0 {
                // No job has a longer segment.
                let count = left.min(job.segment_steps);
                state = state_after(job, inputs, &state, count)?;
                left -= count;
            }
            Ok(state)
        }
        _ => Ok(Vec::new()),
    }
}

/// Computes the digest that state `step` of `job` must have.
///
/// `before` is state `step − 1`, whose digest the caller has compared with the one that both parties agree about. It is
/// needed where states follow from one another, in synthetic and training jobs, except for the first.
///
/// Errors: `NoStep`, `Joined`, `Before`, and what prevents computing. Complexity: a synthetic job's iteration; the steps of
/// one `trace_interval` of training, and reading the data set; a tile, and preparing the scene; an item, and reading the
/// model.
pub fn judge_step(job: &JobSpec, inputs: &dyn Inputs, step: u32, before: &[u8]) -> Result<Hash, JudgeError> {
    let states = trace_length(job)?;
    if step >= states {
        return Err(JudgeError::NoStep { step, states });
    }
    let JobSpec::V1(kind) = job;
    let state = match kind {
        JobKind::Synthetic(job) => iteration(job, step, before)?,
        JobKind::Matmul(_) => return Err(JudgeError::Joined),
        _ if step + 1 == states => return Err(JudgeError::Joined),
        JobKind::Inference(job) => item(job, inputs, step)?,
        JobKind::Training(job) if step == 0 => training::start(job, inputs)?,
        JobKind::Training(job) => state_after(job, inputs, before, job.trace_interval)?,
        JobKind::Rendering(job) => render(job, inputs, Tile::of(job, step))?,
    };
    Ok(output_digest(&state))
}

/// Decides between two outputs of `job`, whose digests the caller has compared with those revealed, by the first part in
/// which they differ: a number of a product, an item, a segment of training, a tile.
///
/// Right says that the output is right in that part, or has the right length where the other has not; the
/// first part that differs decides, whatever comes behind.
///
/// Errors: `Chained`, `EqualOutputs`, `Before`, and what prevents computing. Complexity: that of the part, as for
/// [`judge_step`]; a segment is `segment_steps` steps.
pub fn judge_outputs(job: &JobSpec, inputs: &dyn Inputs, outputs: [&[u8]; 2]) -> Result<[Verdict; 2], JudgeError> {
    job.validate()?;
    let expected = job.max_output_bytes();
    let lengths = outputs.map(|output| output.len() as u64);
    if lengths.iter().any(|&found| found != expected) {
        return Ok(lengths.map(|found| match found == expected {
            true => Verdict::Right,
            false => Verdict::Wrong(Place::Length { expected, found }),
        }));
    }
    let [one, other] = outputs;
    let at = one.iter().zip(other).position(|(a, b)| a != b);
    let at = at.ok_or(JudgeError::EqualOutputs)?;
    let part = first_part(job, inputs, outputs, at)?;
    Ok(part.claims.map(|claim| match claim == part.right {
        true => Verdict::Right,
        false => Verdict::Wrong(Place::Unit(part.number)),
    }))
}

/// A part of an output, computed again, and as two have it.
struct Part {
    number: u64,
    right: Vec<u8>,
    claims: [Vec<u8>; 2],
}

/// The part in which byte `at` of the outputs is: the first in which they differ.
fn first_part(job: &JobSpec, inputs: &dyn Inputs, outputs: [&[u8]; 2], at: usize) -> Result<Part, JudgeError> {
    // Parts that lie one after the other: the number of that one, and both as they have it.
    let cut = |width: usize| {
        let number = at / width;
        (number, outputs.map(|output| output[number * width..][..width].to_vec()))
    };
    let JobSpec::V1(kind) = job;
    let (number, right, claims) = match kind {
        JobKind::Synthetic(_) => return Err(JudgeError::Chained),
        JobKind::Matmul(job) => {
            let (place, claims) = cut(NUMBER);
            (place, number(job, inputs, place)?, claims)
        }
        JobKind::Inference(job) => {
            let (place, claims) = cut(job.item_output as usize);
            (place, item(job, inputs, place as u32)?, claims)
        }
        JobKind::Training(job) => {
            let (segment, claims) = cut(job.segment_bytes() as usize);
            let before = match segment.checked_sub(1) {
                None => training::start(job, inputs)?,
                // The same in both outputs.
                Some(last) => {
                    let place = last * job.segment_bytes() as usize;
                    outputs[0][place..][..job.state_bytes() as usize].to_vec()
                }
            };
            (segment, steps(job, inputs, &before, job.segment_steps)?, claims)
        }
        JobKind::Rendering(job) => {
            let place = Tile::number_at(job, at);
            let tile = Tile::of(job, place);
            let claims = outputs.map(|output| tile.rows(job).flat_map(|row| &output[row]).copied().collect());
            (place as usize, render(job, inputs, tile)?, claims)
        }
    };
    Ok(Part {
        number: number as u64,
        right,
        claims,
    })
}

/// Computes `job` from `inputs` and one more.
fn compute(job: JobKind, inputs: &dyn Inputs, more: Option<(BlobRef, Vec<u8>)>) -> Result<Vec<u8>, EngineError> {
    let more = more.map(|(blob, content)| (blob, content.into()));
    let inputs = With { inputs, more };
    let computation = CpuEngine::new().run(&JobSpec::V1(job), &inputs, &NoProgress, &CancelFlag::new())?;
    Ok(computation.output)
}

/// Inputs, and one more.
struct With<'a> {
    inputs: &'a dyn Inputs,
    more: Option<(BlobRef, Arc<[u8]>)>,
}

impl Inputs for With<'_> {
    fn get(&self, blob: &BlobRef) -> Result<Arc<[u8]>, InputError> {
        match &self.more {
            Some((own, content)) if own == blob => Ok(Arc::clone(content)),
            _ => self.inputs.get(blob),
        }
    }
}

/// State `step` of a synthetic job.
fn iteration(job: &SyntheticJob, step: u32, before: &[u8]) -> Result<Vec<u8>, JudgeError> {
    match step {
        0 => Ok(synthetic::start(job)),
        _ => synthetic::step(job, before)?.ok_or(JudgeError::Before),
    }
}

/// A number of a product: a job of one row and one vector.
fn number(job: &MatmulJob, inputs: &dyn Inputs, place: usize) -> Result<Vec<u8>, JudgeError> {
    let (rows, columns) = (job.rows as usize, job.columns as usize);
    let vectors = inputs.get(&job.input)?;
    let found = vectors.len();
    let wrong_length = || InputError::Length {
        hash: hex::encode(job.input.hash),
        expected: job.input.size,
        found,
    };
    let start = place / rows * columns;
    let vector = vectors.get(start..start + columns).ok_or_else(wrong_length)?;
    let input = BlobRef::to(vector).ok_or_else(wrong_length)?;
    let one = MatmulJob {
        first_row: job.first_row + (place % rows) as u32,
        rows: 1,
        input,
        vectors: 1,
        ..*job
    };
    Ok(compute(JobKind::Matmul(one), inputs, Some((input, vector.to_vec())))?)
}

/// The output for one item: a job of one item.
fn item(job: &InferenceJob, inputs: &dyn Inputs, item: u32) -> Result<Vec<u8>, JudgeError> {
    let all = inputs.get(&job.input)?;
    let content = match job.task {
        InferenceTask::Embedding => tokens(&all, item).and_then(|tokens| encode_items(&[tokens])),
        InferenceTask::Classification => {
            let image = all.len() / job.items as usize;
            let rest = all.get(item as usize * image..);
            rest.and_then(|rest| rest.get(..image)).map(<[u8]>::to_vec)
        }
        InferenceTask::Generation => return Err(JobError::Unsupported.into()),
    };
    let truncated = || EngineError::Items(ItemsError::Truncated(item));
    let content = content.ok_or_else(truncated)?;
    let input = BlobRef::to(&content).ok_or_else(truncated)?;
    let one = InferenceJob {
        input,
        items: 1,
        ..*job
    };
    Ok(compute(JobKind::Inference(one), inputs, Some((input, content)))?)
}

/// The tokens of an item of an embedding's input.
fn tokens(input: &[u8], item: u32) -> Option<Vec<u16>> {
    let (_, mut rest) = input.split_first_chunk::<4>()?;
    for _ in 0..item {
        let (length, items) = rest.split_first_chunk()?;
        rest = items.get(2 * usize::from(u16::from_le_bytes(*length))..)?;
    }
    let (length, items) = rest.split_first_chunk()?;
    let (tokens, _) = items
        .get(..2 * usize::from(u16::from_le_bytes(*length)))?
        .as_chunks::<2>();
    Some(tokens.iter().map(|&token| u16::from_le_bytes(token)).collect())
}

/// The state that is `count` steps after `before`.
fn state_after(job: &TrainingJob, inputs: &dyn Inputs, before: &[u8], count: u32) -> Result<Vec<u8>, JudgeError> {
    let mut output = steps(job, inputs, before, count)?;
    output.truncate(job.state_bytes() as usize);
    Ok(output)
}

/// The output of a segment of `count` steps from the state `before`: the state after them, and their losses.
fn steps(job: &TrainingJob, inputs: &dyn Inputs, before: &[u8], count: u32) -> Result<Vec<u8>, JudgeError> {
    let start = BlobRef::to(before).filter(|start| u64::from(start.size) == job.state_bytes());
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

/// The bytes of a tile: a job for that part of that frame.
fn render(job: &RenderingJob, inputs: &dyn Inputs, tile: Tile) -> Result<Vec<u8>, JudgeError> {
    let one = RenderingJob {
        region: Region {
            x: job.region.x + tile.x,
            y: job.region.y + tile.y,
            width: tile.width,
            height: tile.height,
        },
        first_frame: tile.frame,
        frames: 1,
        ..*job
    };
    Ok(compute(JobKind::Rendering(one), inputs, None)?)
}
