//! Checking a claim: what is the same on every engine and for every kind of jobs.

use crate::{
    inputs::Inputs,
    kinds::{self, EngineError, Place, Verdict},
};
use agora_math::merkle::Hash;
use agora_primitives::job::{Claim, H256, JobSpec, states_root};

/// As [`Engine::check_claim`](super::Engine::check_claim), with the engine's check of the output.
pub(super) fn check(
    job: &JobSpec,
    inputs: &dyn Inputs,
    claim: &Claim,
    output: &[u8],
    check_output: impl FnOnce() -> Result<Verdict, EngineError>,
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
            match kind.check_all(inputs, output, root) {
                Ok(None) => check_output(),
                Ok(Some(verdict)) => Ok(verdict),
                Err(error) => Err(error),
            }
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
