//! One unit, computed from content alone: what a run of the machine does whose image is this crate.

use crate::{Blobs, Fault, Output, Source, Step, of};
use agora_jobs::{BlobRef, H256, JobSpec, blob::CHUNK_BYTES};
use alloc::{vec, vec::Vec};
use codec::{Decode, DecodeAll, DecodeWithMemTracking, Encode};

/// What a run is given: everything that its unit may read, by content address. Whoever holds the blobs can compute the unit.
///
/// A *list* is a blob of digests, 32 bytes each; how long the content behind each is follows from the job.
#[derive(Encode, Decode, DecodeWithMemTracking, Clone, PartialEq, Eq, Debug)]
pub struct UnitRun {
    /// The SCALE-encoded [`JobSpec`].
    pub job: BlobRef,
    /// The list of states: entry `i` is the digest of state `i`. Those before the unit's step are read.
    pub states: BlobRef,
    /// The list of what the units of [`Step::Inputs`] kept, in their order.
    pub scans: BlobRef,
    /// The list of what the units of the unit's own step kept, in their order.
    pub kept: BlobRef,
    /// The step.
    pub step: Step,
    /// The number of the unit.
    pub unit: u64,
}

/// Gives chunks of blobs by their content address.
pub trait Content {
    /// Writes chunk `index` of `blob` to `chunk`, and returns how many bytes it has, 0 if `blob` ends before. `None`: it is not at
    /// hand.
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize>;
}

/// The whole of `blob`. `None`: a part is not at hand.
pub fn whole(blob: &BlobRef, content: &dyn Content) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; CHUNK_BYTES];
    for index in 0..blob.size.div_ceil(CHUNK_BYTES as u64) {
        let length = content.chunk(blob, index, &mut chunk)?;
        bytes.extend_from_slice(chunk.get(..length)?);
    }
    Some(bytes)
}

impl UnitRun {
    /// Computes the unit.
    ///
    /// Errors: those of [`crate::Reference::compute`], and `NoUnit` if the job cannot be read or is outside of its limits.
    pub fn compute(&self, content: &dyn Content) -> Result<Vec<u8>, Fault> {
        let bytes = whole(&self.job, content).ok_or(Fault::NoUnit)?;
        let job = JobSpec::decode_all(&mut bytes.as_slice()).map_err(|_| Fault::NoUnit)?;
        job.validate().map_err(|_| Fault::NoUnit)?;
        let blobs = Listed {
            run: self,
            job: &job,
            content,
        };
        of(&job).compute(&blobs, self.step, self.unit)
    }
}

/// What the lists of a [`UnitRun`] name.
struct Listed<'a> {
    run: &'a UnitRun,
    job: &'a JobSpec,
    content: &'a dyn Content,
}

impl Listed<'_> {
    /// The blob of `size` bytes whose digest is entry `number` of `list`.
    fn entry(&self, list: &BlobRef, number: u64, size: u64) -> Option<BlobRef> {
        const ENTRY: u64 = 32;
        const CHUNK: u64 = CHUNK_BYTES as u64;
        let mut chunk = [0; CHUNK_BYTES];
        let at = number.checked_mul(ENTRY)?;
        let length = self.content.chunk(list, at / CHUNK, &mut chunk)?;
        let entry = chunk.get(..length)?.get((at % CHUNK) as usize..)?.first_chunk()?;
        Some(BlobRef {
            hash: H256(*entry),
            size,
        })
    }

    /// The blob that `source` is.
    fn blob(&self, source: &Source) -> Option<BlobRef> {
        let law = of(self.job);
        match source {
            Source::Input(blob) => Some(*blob),
            Source::State(state) => self.entry(&self.run.states, *state, law.state_size(*state)),
            Source::Kept(step, unit) => {
                let list = match step {
                    Step::Inputs => &self.run.scans,
                    step if *step == self.run.step => &self.run.kept,
                    Step::State(_) => return None,
                };
                match law.unit(*step, *unit)?.output {
                    Output::Kept { size } => self.entry(list, *unit, size),
                    Output::Part { .. } => None,
                }
            }
        }
    }
}

impl Blobs for Listed<'_> {
    fn chunk(&self, source: &Source, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        let length = self.content.chunk(&self.blob(source)?, index, chunk)?;
        (length > 0).then_some(length)
    }
}

/// The list of `digests`: see [`UnitRun`].
pub fn list(digests: &[H256]) -> Vec<u8> {
    let mut bytes = vec![0; digests.len().saturating_mul(32)];
    for (entry, digest) in bytes.chunks_exact_mut(32).zip(digests) {
        entry.copy_from_slice(&digest.0);
    }
    bytes
}
