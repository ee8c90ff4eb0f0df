//! A whole job, unit by unit, with everything in memory.

use crate::{Blobs, Fault, Output, Reference, Source, Step};
use agora_jobs::{BlobRef, Claim, JobSpec, blob, blob::CHUNK_BYTES, states_root};
use alloc::vec::Vec;
use primitive_types::H256;

/// Gives the inputs of jobs.
pub trait Inputs {
    /// The content of `blob`. `None`: it is not at hand.
    fn content(&self, blob: &BlobRef) -> Option<&[u8]>;
}

/// What a job comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The claim that everybody makes who computes the job rightly.
    pub claim: Claim,
    /// The output. Empty if the job is unusable.
    pub output: Vec<u8>,
    /// The digests of the states before the output.
    pub states: Vec<H256>,
}

/// Computes `job`, one unit after the other.
///
/// Errors: `Missing` if an input is not at hand, `NoUnit` if the job is outside of its limits. A job whose
/// inputs are unusable is no error: that is its outcome.
pub fn run(job: &JobSpec, inputs: &dyn Inputs) -> Result<Outcome, Fault> {
    if job.validate().is_err() {
        return Err(Fault::NoUnit);
    }
    match compute(crate::of(job), inputs) {
        Err(Fault::Unusable { .. }) => Ok(Outcome {
            claim: Claim::Unusable,
            output: Vec::new(),
            states: Vec::new(),
        }),
        outcome => outcome,
    }
}

fn compute(job: &dyn Reference, inputs: &dyn Inputs) -> Result<Outcome, Fault> {
    let mut memory = Memory {
        inputs,
        scans: Vec::new(),
        states: Vec::new(),
        step: Step::Inputs,
        kept: Vec::new(),
    };
    for unit in 0..job.units(Step::Inputs) {
        let scan = job.compute(&memory, Step::Inputs, unit)?;
        memory.scans.push(scan);
    }
    let mut digests = Vec::new();
    for state in 0..job.states() {
        memory.step = Step::State(state);
        memory.kept.clear();
        let mut bytes = Vec::new();
        for unit in 0..job.units(memory.step) {
            let known = job.unit(memory.step, unit).ok_or(Fault::NoUnit)?;
            let output = job.compute(&memory, memory.step, unit)?;
            match known.output {
                Output::Kept { .. } => memory.kept.push(output),
                Output::Part { .. } => bytes.extend(output),
            }
        }
        digests.push(blob::hash(&bytes));
        memory.states.push(bytes);
    }
    let output = memory.states.pop().ok_or(Fault::NoUnit)?;
    let digest = digests.pop().ok_or(Fault::NoUnit)?;
    let size = output.len() as u64;
    Ok(Outcome {
        claim: Claim::Output {
            output: BlobRef { hash: digest, size },
            states_root: states_root(&digests),
        },
        output,
        states: digests,
    })
}

/// Everything that was computed so far.
struct Memory<'a> {
    inputs: &'a dyn Inputs,
    scans: Vec<Vec<u8>>,
    states: Vec<Vec<u8>>,
    step: Step,
    kept: Vec<Vec<u8>>,
}

impl Blobs for Memory<'_> {
    fn chunk(&self, source: &Source, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        let at = |number: &u64| usize::try_from(*number).ok();
        let content = match source {
            Source::Input(blob) => self.inputs.content(blob)?,
            Source::State(state) => self.states.get(at(state)?)?,
            Source::Kept(Step::Inputs, unit) => self.scans.get(at(unit)?)?,
            Source::Kept(step, unit) if *step == self.step => self.kept.get(at(unit)?)?,
            Source::Kept(..) => return None,
        };
        let from = usize::try_from(index).ok()?.checked_mul(CHUNK_BYTES)?;
        let bytes = content.get(from..)?;
        let bytes = bytes.get(..bytes.len().min(CHUNK_BYTES))?;
        chunk.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(bytes.len())
    }
}
