//! Units in the machine: the image that decides disputes gives the same bytes as the crate that it was built from.

use super::world::World;
use crate::{Step, UnitRun, list};
use agora_jobs::{BlobRef, ChunkProof, H256, JobSpec, blob, blob::CHUNK_BYTES};
use agora_machine::{Chunks, Program, Status};
use codec::Encode;
use std::collections::BTreeMap;

/// What `scripts/build-guests.sh` makes of this crate.
pub const IMAGE: &[u8] = include_bytes!("../../../../guests/images/reference.bin");

/// Everything that units may read, by content address.
pub struct Machine {
    blobs: BTreeMap<BlobRef, Vec<u8>>,
    spec: JobSpec,
    job: BlobRef,
    states: BlobRef,
    kept: BTreeMap<Step, BlobRef>,
    /// What is not at hand is noise, of which these bits are taken.
    noise: Option<u8>,
}

/// A list that names whatever is asked for.
const LIST_OF_NOISE: BlobRef = BlobRef {
    hash: H256::zero(),
    size: 1 << 34,
};

impl Machine {
    pub fn new(world: &World) -> Self {
        let mut machine = Self::of(&world.job, world.inputs.0.values().cloned());
        let digests = |contents: &[&Vec<u8>]| contents.iter().map(|content| blob::hash(content)).collect::<Vec<_>>();
        let states: Vec<_> = world.states.iter().collect();
        machine.states = machine.insert(list(&digests(&states)));
        for step in world.steps() {
            let kept: Vec<_> = world
                .kept
                .range((step, 0)..=(step, u64::MAX))
                .map(|(_, content)| content)
                .collect();
            let list = machine.insert(list(&digests(&kept)));
            machine.kept.insert(step, list);
        }
        for content in states.into_iter().chain(world.kept.values()) {
            machine.insert(content.clone());
        }
        machine
    }

    /// A job of which nothing was computed.
    pub fn of(job: &JobSpec, inputs: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut machine = Self {
            blobs: BTreeMap::new(),
            spec: job.clone(),
            job: BlobRef::to(&[]),
            states: BlobRef::to(&[]),
            kept: BTreeMap::new(),
            noise: None,
        };
        machine.job = machine.insert(job.encode());
        for input in inputs {
            machine.insert(input);
        }
        machine
    }

    /// A job of which everything that a unit may read is noise.
    pub fn of_noise(job: &JobSpec, mask: u8) -> Self {
        Self {
            states: LIST_OF_NOISE,
            noise: Some(mask),
            ..Self::of(job, [])
        }
    }

    fn insert(&mut self, content: Vec<u8>) -> BlobRef {
        let blob = BlobRef::to(&content);
        self.blobs.insert(blob, content);
        blob
    }

    /// The output of a unit.
    ///
    /// Errors: how the run ended, if not with an output.
    pub fn compute(&self, step: Step, unit: u64) -> Result<Vec<u8>, Status> {
        self.run(step, unit).0
    }

    /// What a unit gives, and the instructions that it takes.
    pub fn run(&self, step: Step, unit: u64) -> (Result<Vec<u8>, Status>, u64) {
        let none = if self.noise.is_some() {
            LIST_OF_NOISE
        } else {
            BlobRef::to(&[])
        };
        let list = |step| self.kept.get(&step).copied().unwrap_or(none);
        let law = crate::of(&self.spec);
        let run = UnitRun {
            job: self.job,
            states: self.states,
            scans: list(Step::Inputs),
            kept: list(step),
            step,
            unit,
        };
        let input = run.encode();
        let chunks = WithInput(self, &input, BlobRef::to(&input));
        let program = Program {
            image: IMAGE,
            input: BlobRef::to(&input),
            gas: law.unit(step, unit).map_or(1 << 20, |unit| unit.gas()),
            reads: None,
        };
        let mut machine = agora_machine::Machine::new(&program, &chunks).unwrap();
        let output = match machine.advance(u64::MAX).unwrap() {
            Status::Done => Ok(machine.output().to_vec()),
            other => Err(other),
        };
        (output, machine.gas_used())
    }
}

struct WithInput<'a>(&'a Machine, &'a [u8], BlobRef);

impl WithInput<'_> {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        match self.0.blobs.get(blob) {
            None => (*blob == self.2).then_some(self.1),
            content => content.map(Vec::as_slice),
        }
    }
}

impl Chunks for WithInput<'_> {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<()> {
        let Some(content) = self.content(blob) else {
            let mask = self.0.noise?;
            let mut hasher = blake3::Hasher::new();
            hasher.update(&(blob, index).encode()).finalize_xof().fill(chunk);
            chunk.iter_mut().for_each(|byte| *byte &= mask);
            return Some(());
        };
        let bytes = content.get(index as usize * CHUNK_BYTES..)?;
        let length = bytes.len().min(CHUNK_BYTES);
        chunk[..length].copy_from_slice(&bytes[..length]);
        Some(())
    }

    fn prove(&self, blob: &BlobRef, index: u64) -> Option<ChunkProof> {
        ChunkProof::new(self.content(blob)?, index)
    }
}
