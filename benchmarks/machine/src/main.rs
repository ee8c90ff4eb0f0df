//! How fast the machine of disputes is: a unit of a matrix chain, computed by the reference compiled for the processor, in the
//! machine, in the machine with a record of every segment, and segment by segment from witnesses.

use agora_bench_figures::{Better, Figure};
use agora_jobs::{BlobRef, ChunkProof, JobKind, JobSpec, SyntheticJob, blob, blob::CHUNK_BYTES};
use agora_machine::{
    Chunks, MAX_WITNESS_BYTES, Machine, Program, Status, execute_segment, run_tree::RunTree, show_segment, trace,
};
use agora_reference::{Content, Step, UnitRun, list};
use clap::Parser;
use codec::Encode;
use std::{collections::BTreeMap, error::Error, hint::black_box, path::PathBuf, time::Instant};

/// The program that decides disputes.
const IMAGE: &[u8] = include_bytes!("../../../guests/images/reference.bin");

/// Measures the machine of disputes.
#[derive(Parser)]
struct Args {
    /// Rows and columns of the matrices: the unit is as many squared times the rows of one part of a state.
    #[arg(long, default_value_t = 512)]
    size: u32,
    /// How many segments are shown and executed from their witnesses, from the first to the last.
    #[arg(long, default_value_t = 8)]
    segments: u64,
    /// Where the figures are written.
    #[arg(long, default_value = "benchmarks/results/courts.jsonl")]
    output: PathBuf,
}

/// Blobs in memory.
#[derive(Default)]
struct Blobs(BTreeMap<BlobRef, Vec<u8>>);

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

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let mut blobs = Blobs::default();
    let job = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [7; 32],
        matrix_size: args.size,
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
    let program = Program {
        image: IMAGE,
        input: blobs.insert(run.encode()),
        gas: unit.gas(),
    };

    let (native, output) = timed(|| run.compute(&blobs));
    let output = output?;
    let mut machine = Machine::new(&program, &blobs)?;
    let (fast, status) = timed(|| machine.advance(u64::MAX));
    if status? != Status::Done || machine.output() != output {
        return Err("the machine gives another output than the reference".into());
    }
    let instructions = machine.gas_used() as f64;
    let (recorded, traced) = timed(|| trace(&program, &blobs));
    let traced = traced?;
    let count = traced.states.len() as u64;
    let tree = RunTree::new(traced.states.clone()).ok_or("a run has a segment")?;

    let (image, mut slowest, mut largest) = (BlobRef::to(IMAGE), 0f64, 0);
    for shown in 0..args.segments.min(count) {
        let number = shown * (count - 1) / args.segments.min(count).saturating_sub(1).max(1);
        let (state, witness) = show_segment(&program, &blobs, number)?;
        largest = largest.max(state.encoded_size() + witness.encoded_size());
        let (seconds, after) = timed(|| execute_segment(&image, &state, &witness));
        if Some(&after?.hash()) != traced.states.get(usize::try_from(number)?) {
            return Err("a segment from its witness gives another state than the run".into());
        }
        slowest = slowest.max(seconds);
    }

    println!(
        "a unit of {} operations: {instructions} instructions, {count} segments, run root {:?}",
        unit.work,
        tree.root()
    );
    let figures = [
        Figure::new(
            "machine: a unit, beside the processor's own code",
            "s",
            fast,
            native,
            Better::Lower,
        ),
        Figure::new(
            "machine: instructions of a unit, beside its operations",
            "count",
            instructions,
            unit.work as f64,
            Better::Lower,
        ),
        Figure::new(
            "machine: speed, beside 559 MIPS of a prototype",
            "MIPS",
            instructions / fast / 1e6,
            559.0,
            Better::Higher,
        ),
        Figure::new(
            "machine: a unit with a record of its segments, beside without",
            "s",
            recorded,
            fast,
            Better::Lower,
        ),
        Figure::new(
            "machine: slowest segment from its witness, beside 5 ms",
            "ms",
            slowest * 1e3,
            5.0,
            Better::Lower,
        )
        .goal(1.0),
        Figure::new(
            "machine: state and witness, beside the limit",
            "bytes",
            largest as f64,
            MAX_WITNESS_BYTES as f64,
            Better::Lower,
        )
        .goal(1.0),
    ];
    Figure::print(&figures);
    Figure::write(&figures, &args.output)?;
    Ok(())
}
