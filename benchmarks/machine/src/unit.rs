//! A unit of a job, in the machine and by the same code compiled for the processor.

use crate::Failure;
use agora_bench_figures::{Better, Figure};
use agora_jobs::{BlobRef, ChunkProof, JobKind, JobSpec, SyntheticJob, blob, blob::CHUNK_BYTES};
use agora_machine::{Chunks, Machine, Program, Status, show_segment, trace, trace_with_checkpoints};
use agora_reference::{Content, Step, UnitRun, list};
use codec::Encode;
use std::{collections::BTreeMap, hint::black_box, time::Instant};

/// The program that decides disputes.
pub const IMAGE: &[u8] = include_bytes!("../../../guests/images/reference.bin");
/// Bytes of checkpoints, as an arbiter keeps.
const CHECKPOINT_BYTES: usize = 1 << 26;
/// Rows and columns of the matrices.
const SIZE: u32 = 512;

/// Blobs in memory.
#[derive(Default)]
pub struct Blobs(BTreeMap<BlobRef, Vec<u8>>);

impl Blobs {
    fn insert(&mut self, content: Vec<u8>) -> BlobRef {
        let blob = BlobRef::to(&content);
        self.0.insert(blob, content);
        blob
    }

    fn piece(&self, blob: &BlobRef, index: u64) -> Option<&[u8]> {
        let rest = self
            .0
            .get(blob)?
            .get(usize::try_from(index).ok()?.checked_mul(CHUNK_BYTES)?..)?;
        Some(&rest[..rest.len().min(CHUNK_BYTES)])
    }
}

impl Chunks for Blobs {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<()> {
        let piece = self.piece(blob, index)?;
        chunk[..piece.len()].copy_from_slice(piece);
        Some(())
    }

    fn prove(&self, blob: &BlobRef, index: u64) -> Option<ChunkProof> {
        ChunkProof::new(self.0.get(blob)?, index)
    }
}

impl Content for Blobs {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        let piece = self.piece(blob, index)?;
        chunk[..piece.len()].copy_from_slice(piece);
        Some(piece.len())
    }
}

/// Seconds that `work` takes, and what it gives.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let began = Instant::now();
    let result = black_box(work());
    (began.elapsed().as_secs_f64(), result)
}

/// A unit, and all that it reads.
pub struct Matrices {
    pub blobs: Blobs,
    pub run: UnitRun,
    pub input: BlobRef,
    work: u64,
    gas: u64,
}

impl Matrices {
    /// All that it may read.
    pub fn reads(&self) -> Vec<BlobRef> {
        self.blobs.0.keys().copied().collect()
    }
}

/// A unit of a chain of matrices.
pub fn matrices() -> Result<Matrices, Failure> {
    let mut blobs = Blobs::default();
    let job = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [7; 32],
        matrix_size: SIZE,
        iterations: 1,
    }));
    job.validate()?;
    let law = agora_reference::of(&job);
    // The state before the unit's own; any bytes are one.
    let before = vec![3; usize::try_from(law.state_size(0))?];
    let states = list(&[blob::hash(&before)]);
    let run = UnitRun {
        job: blobs.insert(job.encode()),
        states: blobs.insert(states),
        scans: BlobRef::to(&[]),
        kept: BlobRef::to(&[]),
        step: Step::State(1),
        unit: 0,
    };
    blobs.insert(before);
    let unit = law.unit(run.step, run.unit).ok_or("the job has no such unit")?;
    Ok(Matrices {
        input: blobs.insert(run.encode()),
        run,
        work: unit.work,
        gas: unit.gas(),
        blobs,
    })
}

/// Computes a unit of a chain of matrices.
///
/// Errors: the machine gives another output.
pub fn figures() -> Result<[Figure; 4], Failure> {
    let Matrices {
        blobs,
        run,
        input,
        work,
        gas,
    } = matrices()?;
    let program = Program {
        image: IMAGE,
        input,
        gas,
        reads: None,
    };

    let (native, output) = timed(|| run.compute(&blobs));
    let output = output?;
    let mut machine = Machine::new(&program, &blobs)?;
    let (seconds, status) = timed(|| machine.advance(u64::MAX));
    if status? != Status::Done || machine.output() != output {
        return Err("the machine gives another output than the reference".into());
    }
    let (instructions, operations) = (machine.gas_used() as f64, work as f64);

    // Whoever plays a dispute records the unit once, and shows any of its segments: here the last, which is the dearest.
    let (plain, traced) = timed(|| trace(&program, &blobs));
    let last = traced?.states.len() as u64 - 1;
    let (recording, recorded) = timed(|| trace_with_checkpoints(&program, &blobs, CHECKPOINT_BYTES));
    let (_, checkpoints) = recorded?;
    let (again, shown) = timed(|| show_segment(&program, &blobs, last));
    let (from_checkpoints, same) = timed(|| checkpoints.show_segment(&program, &blobs, last));
    if shown? != same? {
        return Err("the segment that is shown from checkpoints is another one".into());
    }
    Ok([
        Figure::new(
            "a unit of a chain of matrices, against the processor",
            "s",
            seconds,
            native,
            Better::Lower,
        ),
        Figure::new(
            "its instructions, against its operations",
            "count",
            instructions,
            operations,
            Better::Lower,
        )
        .goal(16.0),
        Figure::new(
            "record it with checkpoints, against without",
            "s",
            recording,
            plain,
            Better::Lower,
        )
        .goal(1.1),
        Figure::new(
            "show its last segment from these, against running up to it",
            "s",
            from_checkpoints,
            again,
            Better::Lower,
        )
        .goal(0.1),
    ])
}
