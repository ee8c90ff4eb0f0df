//! A program of the publisher's own, run by run. Specified in `docs/protocol/program.md`.
//!
//! A unit is a run. What it is follows from the job and the record before; what it comes to says the machine, which is compiled in with the
//! feature `machine` only: the image that this crate is part of does not hold an interpreter of itself, and answers such units as
//! those that there are not.

use crate::{Blobs, Fault, MAX_PART_BYTES, Output, Reference, Step, Unit};
use agora_jobs::{MAX_RECORD_BYTES, Mode, ProgramJob};
use alloc::vec::Vec;

/// Gas that a read costs at least: a segment ends with four of them, and costs four times as much.
const GAS_OF_READ: u64 = 1 << 10;
/// Reads of the segment that is not paid for: the last.
const LAST_READS: u64 = 4;

const _: () = assert!(MAX_RECORD_BYTES as u64 <= MAX_PART_BYTES);

impl Reference for ProgramJob {
    fn states(&self) -> u64 {
        match self.mode {
            Mode::Map => 1,
            Mode::Fold => self.items.into(),
        }
    }

    fn state_size(&self, _state: u64) -> u64 {
        match self.mode {
            Mode::Map => self.all_record_bytes(),
            Mode::Fold => self.record_bytes.into(),
        }
    }

    fn units(&self, step: Step) -> u64 {
        match (step, self.mode) {
            (Step::State(0), Mode::Map) => self.items.into(),
            (Step::State(state), Mode::Fold) if state < self.states() => 1,
            (Step::State(_) | Step::Inputs, _) => 0,
        }
    }

    fn unit(&self, step: Step, unit: u64) -> Option<Unit> {
        if unit >= self.units(step) {
            return None;
        }
        let size = self.record_bytes.into();
        let chunks = self.image.chunks().saturating_add(self.gas / GAS_OF_READ);
        Some(Unit {
            output: Output::Part {
                offset: unit.saturating_mul(size),
                size,
            },
            work: self.run_work(),
            // The record before is read to be named, too.
            chunks: [self.state(Default::default()).chunks(), LAST_READS]
                .into_iter()
                .fold(chunks, u64::saturating_add),
        })
    }

    fn program(&self) -> Option<&ProgramJob> {
        Some(self)
    }

    #[cfg(feature = "machine")]
    fn compute(&self, blobs: &dyn Blobs, step: Step, unit: u64) -> Result<Vec<u8>, Fault> {
        let Step::State(state) = step else {
            return Err(Fault::NoUnit);
        };
        if unit >= self.units(step) {
            return Err(Fault::NoUnit);
        }
        machine::compute(self, blobs, state, unit)
    }

    #[cfg(not(feature = "machine"))]
    fn compute(&self, _blobs: &dyn Blobs, _step: Step, _unit: u64) -> Result<Vec<u8>, Fault> {
        Err(Fault::NoUnit)
    }
}

#[cfg(feature = "machine")]
mod machine {
    use crate::{Blobs, Fault, Reader, Source};
    use agora_jobs::{
        BlobRef, ChunkProof, ProgramJob, blob,
        blob::CHUNK_BYTES,
        program::{MAX_PROGRAM_BYTES, MAX_PROGRAM_GAS},
    };
    use agora_machine::{Chunks, MAX_GAS, MAX_IMAGE_BYTES, Program, RunError};
    use alloc::vec::Vec;

    const _: () = assert!(MAX_PROGRAM_BYTES == MAX_IMAGE_BYTES && MAX_PROGRAM_GAS <= MAX_GAS);

    /// The record of the run that is unit `unit` of state `state`.
    pub fn compute(job: &ProgramJob, blobs: &dyn Blobs, state: u64, unit: u64) -> Result<Vec<u8>, Fault> {
        let before = match state.checked_sub(1) {
            // Records have at most 128 KiB.
            Some(before) => Reader::new(blobs, Source::State(before)).read_vec(0, job.record_bytes as usize)?,
            None => Vec::new(),
        };
        let digest = (state > 0).then(|| blob::hash(&before));
        let run = job.run(state.saturating_add(unit), digest);
        let input = run.input();
        // Images have at most 16 MiB.
        let image = Reader::new(blobs, Source::Input(job.image)).read_vec(0, job.image.size as usize)?;
        let reads = Reads {
            own: [(input, &run.arguments), (BlobRef::to(&before), &before)],
            blobs,
        };
        let program = Program {
            image: &image,
            input,
            gas: run.gas,
            reads: Some(&run.reads),
        };
        let (status, output) = agora_machine::run_bounded(&program, &reads).map_err(fault)?;
        let ending = status.ending().ok_or(Fault::NoUnit)?;
        Ok(job.record(ending, &output))
    }

    const fn fault(error: RunError) -> Fault {
        match error {
            RunError::Missing { blob, chunk } => Fault::Missing {
                source: Source::Input(blob),
                chunk,
            },
            RunError::Image | RunError::Gas | RunError::NoSegment => Fault::NoUnit,
        }
    }

    /// What a run reads.
    struct Reads<'a> {
        /// Its arguments, and the record before.
        own: [(BlobRef, &'a [u8]); 2],
        blobs: &'a dyn Blobs,
    }

    impl Chunks for Reads<'_> {
        fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<()> {
            let Some((_, content)) = self.own.iter().find(|(own, _)| own == blob) else {
                return self.blobs.chunk(&Source::Input(*blob), index, chunk).map(|_| ());
            };
            let from = usize::try_from(index).ok()?.checked_mul(CHUNK_BYTES)?;
            let bytes = content.get(from..)?;
            let bytes = bytes.get(..bytes.len().min(CHUNK_BYTES))?;
            chunk.get_mut(..bytes.len())?.copy_from_slice(bytes);
            Some(())
        }

        fn prove(&self, _: &BlobRef, _: u64) -> Option<ChunkProof> {
            None
        }
    }
}
