//! Checking a result, and judging between two workers: what is the same for every kind of jobs.
//!
//! Two workers whose results differ find the first state in which they differ by
//! [`first_difference`](agora_primitives::job::first_difference). [`judge_step`] computes that one state again, at the cost of that state alone. An output that is *joined* from parts
//! is not computed in one step; there the first part that differs decides ([`judge_outputs`]).

use crate::{
    digest::output_digest,
    inputs::Inputs,
    kinds::{self, EngineError, JudgeError, OutputState, Place, Verdict},
};
use agora_math::merkle::Hash;
use agora_primitives::job::{Claim, H256, JobError, JobSpec, states_root};

/// Checks `output` as a result of `job`, at a small part of the work of computing it.
///
/// `seed` must have been drawn after the output was fixed: with a seed known before, a wrong output that passes can be
/// made. A right output passes with every seed. A wrong one passes with a probability that the kind's page under
/// `docs/protocol/` states. The caller compares [`crate::output_digest`] with the digest that was revealed; here only
/// the bytes count.
///
/// Errors: `Job` when the job is outside of the limits, `Input` when an input is missing.
pub fn check_output(
    job: &JobSpec,
    inputs: &dyn Inputs,
    output: &[u8],
    seed: &[u8; 32],
) -> Result<Verdict, EngineError> {
    job.validate()?;
    kinds::of(job).check(inputs, output, seed)
}

/// Checks `claim` about `job`, with the `output` that it names; that of an unusable job is empty.
///
/// The claim's length is compared, and its states root where the states follow from the output (not for chains of products
/// and training). The caller has compared the output's hash.
///
/// Errors: those of [`check_output`], but never one that says that the inputs are unusable: then the verdict tells.
pub fn check_claim(
    job: &JobSpec,
    inputs: &dyn Inputs,
    claim: &Claim,
    output: &[u8],
    seed: &[u8; 32],
) -> Result<Verdict, EngineError> {
    job.validate()?;
    let wrong = Verdict::Wrong(Place::Inputs);
    let kind = kinds::of(job);
    let found = match claim {
        Claim::Unusable => kind.ensure_usable(inputs).map(|()| wrong),
        Claim::Output {
            output: named,
            states_root: root,
        } => {
            let expected = job.max_output_bytes();
            let lengths = [named.size, output.len() as u64];
            if let Some(found) = lengths.into_iter().find(|&found| found != expected) {
                return Ok(Verdict::Wrong(Place::Length { expected, found }));
            }
            let states = |digests: Vec<Hash>| states_root(&digests.into_iter().map(H256).collect::<Vec<_>>());
            if kind.states_in(output).is_some_and(|digests| states(digests) != *root) {
                return Ok(Verdict::Wrong(Place::States));
            }
            check_output(job, inputs, output, seed)
        }
    };
    match found {
        Err(error) if error.is_unusable() => Ok(match claim {
            Claim::Unusable => Verdict::Right,
            Claim::Output { .. } => wrong,
        }),
        found => found,
    }
}

/// How many states the trace of `job` has, the output included.
///
/// Errors: those of [`JobSpec::validate`].
pub fn trace_length(job: &JobSpec) -> Result<u32, JobError> {
    job.validate()?;
    Ok(kinds::of(job).trace().states)
}

/// Computes what a party shows the judge of step `step`: state `step − 1`, where states follow from one another;
/// nothing for the first state and for parts.
///
/// Errors: `NoStep`, and what prevents computing. Complexity: that of the steps up to there.
pub fn state_before(job: &JobSpec, inputs: &dyn Inputs, step: u32) -> Result<Vec<u8>, JudgeError> {
    let states = trace_length(job)?;
    if step >= states {
        return Err(JudgeError::NoStep { step, states });
    }
    kinds::of(job).state_before(inputs, step)
}

/// Computes the digest that state `step` of `job` must have.
///
/// `before` is state `step − 1`, whose digest the caller has compared with the one that both parties agree about. It is
/// needed where states follow from one another, in synthetic and training jobs, except for the first.
///
/// Errors: `NoStep`, `Joined`, `Before`, and what prevents computing. Complexity: a synthetic job's iteration; the
/// steps of one `trace_interval` of training, and reading the data set; a tile, and preparing the scene; an item, and
/// reading the model.
pub fn judge_step(job: &JobSpec, inputs: &dyn Inputs, step: u32, before: &[u8]) -> Result<Hash, JudgeError> {
    let states = trace_length(job)?;
    if step >= states {
        return Err(JudgeError::NoStep { step, states });
    }
    let kind = kinds::of(job);
    if step + 1 == states && kind.trace().output == OutputState::Joined {
        return Err(JudgeError::Joined);
    }
    Ok(output_digest(&kind.state(inputs, step, before)?))
}

/// Decides between two outputs of `job`, whose digests the caller has compared with those revealed, by the first part
/// in which they differ: a number of a product, an item, a segment of training, a tile.
///
/// `Right` says that the output is right in that part, or has the right length while the other has not. Later parts
/// play no role.
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
    let part = kinds::of(job).part(inputs, outputs, at)?;
    Ok(part.claims.map(|claim| match claim == part.right {
        true => Verdict::Right,
        false => Verdict::Wrong(Place::Unit(part.number)),
    }))
}
