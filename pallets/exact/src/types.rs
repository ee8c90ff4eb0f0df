//! Which jobs are computed, and their inputs: pure.

use agora_primitives::{
    exact::NotExact,
    job::{BlobRef, JobSource, JobSpec},
};
use agora_reference::{Inputs, total_work};
use alloc::vec::Vec;

/// Succeeds if a chain computes `job` itself that takes so much `work` (see [`total_work`]) and `evidence` (bytes of all inputs) in one call at
/// most. The job is within its limits. Returns the job, and what computing it takes.
///
/// A formula of the job alone: what is admitted can be revealed whatever is in its inputs. Complexity: that of [`total_work`].
pub fn admits(job: &JobSource, work: u64, evidence: u32) -> Result<(&JobSpec, u64), NotExact> {
    let JobSource::Inline(job) = job else {
        return Err(NotExact::Stored);
    };
    if job.input_bytes() > evidence.into() {
        return Err(NotExact::TooMuchEvidence);
    }
    let work = total_work(job, work).ok_or(NotExact::TooMuchWork)?;
    Ok((job, work))
}

/// Why evidence is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EvidenceError {
    /// It is not as long as the inputs are together.
    Length,
    /// The bytes of an input have another hash.
    Mismatch,
}

/// The inputs of a job.
pub struct Evidence<'a>(Vec<(BlobRef, &'a [u8])>);

impl<'a> Evidence<'a> {
    /// The inputs of `job`, which `bytes` are, one after the other.
    ///
    /// Errors: `Length`, `Mismatch`. Complexity: O(n) in the bytes.
    pub fn open(job: &JobSpec, bytes: &'a [u8]) -> Result<Self, EvidenceError> {
        if job.input_bytes() != bytes.len() as u64 {
            return Err(EvidenceError::Length);
        }
        let mut rest = bytes;
        let mut inputs = Vec::new();
        for input in job.inputs() {
            let size = usize::try_from(input.size).map_err(|_| EvidenceError::Length)?;
            let (content, after) = rest.split_at_checked(size).ok_or(EvidenceError::Length)?;
            if BlobRef::to(content) != input {
                return Err(EvidenceError::Mismatch);
            }
            inputs.push((input, content));
            rest = after;
        }
        Ok(Self(inputs))
    }
}

impl Inputs for Evidence<'_> {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        let (_, content) = self.0.iter().find(|(input, _)| input == blob)?;
        Some(content)
    }
}
