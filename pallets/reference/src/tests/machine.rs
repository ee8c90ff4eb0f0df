//! Units in the machine: the image that decides disputes gives the same bytes as the crate that it was built from.

use super::world::World;
use crate::{Step, UnitRun, list};
use agora_jobs::{BlobRef, ChunkProof, JobSpec, blob, blob::CHUNK_BYTES};
use agora_machine::{Chunks, Program, Status};
use codec::Encode;
use std::collections::BTreeMap;

/// What `scripts/build-guests.sh` makes of this crate.
pub const IMAGE: &[u8] = include_bytes!("../../../../guests/images/reference.bin");

/// More than any unit of the tests takes.
const GAS: u64 = 1 << 32;

/// Everything that units may read, by content address.
pub struct Machine {
    blobs: BTreeMap<BlobRef, Vec<u8>>,
    job: BlobRef,
    states: BlobRef,
    kept: BTreeMap<Step, BlobRef>,
}

impl Machine {
    pub fn new(world: &World) -> Self {
        let mut machine = Self::of(&world.job, world.inputs.0.values().cloned());
        let digests = |contents: &[&Vec<u8>]| contents.iter().map(|content| blob::hash(content)).collect::<Vec<_>>();
        let states: Vec<_> = world.states.iter().collect();
        machine.states = machine.insert(list(&digests(&states)));
        for step in world.steps() {
            let kept: Vec<_> = world.kept.range((step, 0)..=(step, u64::MAX)).map(|(_, content)| content).collect();
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
            job: BlobRef::to(&[]),
            states: BlobRef::to(&[]),
            kept: BTreeMap::new(),
        };
        machine.job = machine.insert(job.encode());
        for input in inputs {
            machine.insert(input);
        }
        machine
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
        let list = |step| self.kept.get(&step).copied().unwrap_or(BlobRef::to(&[]));
        let run = UnitRun {
            job: self.job,
            states: self.states,
            scans: list(Step::Inputs),
            kept: list(step),
            step,
            unit,
        };
        let input = run.encode();
        let chunks = WithInput(self, &input);
        let program = Program {
            image: IMAGE,
            input: BlobRef::to(&input),
            gas: GAS,
        };
        let mut machine = agora_machine::Machine::new(&program, &chunks).unwrap();
        match machine.advance(u64::MAX).unwrap() {
            Status::Done => Ok(machine.output().to_vec()),
            other => Err(other),
        }
    }
}

struct WithInput<'a>(&'a Machine, &'a [u8]);

impl WithInput<'_> {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        match self.0.blobs.get(blob) {
            None => (*blob == BlobRef::to(self.1)).then_some(self.1),
            content => content.map(Vec::as_slice),
        }
    }
}

impl Chunks for WithInput<'_> {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<()> {
        let bytes = self.content(blob)?.get(index as usize * CHUNK_BYTES..)?;
        let length = bytes.len().min(CHUNK_BYTES);
        chunk[..length].copy_from_slice(&bytes[..length]);
        Some(())
    }

    fn prove(&self, blob: &BlobRef, index: u64) -> Option<ChunkProof> {
        ChunkProof::new(self.content(blob)?, index)
    }
}
