//! Measures how fast the machine runs a program, against the interpreter of `ckb-vm` with the same one; with a record of its
//! segments, against without; what one segment costs whoever executes it from its witness; a unit of a job, against the
//! processor; and programs that are translated, against both.
//!
//! Prints a table, and writes one JSON line per figure.

mod programs;
mod translated;
mod unit;

use agora_bench_figures::{Better, Figure};
use agora_jobs::{BlobRef, ChunkProof};
use agora_machine::{
    Chunks, MAX_WITNESS_BYTES, MEMORY_BASE, Machine, PAGE_BYTES, Program, Status, execute_segment, show_segment, trace,
};
use ckb_vm::{
    Bytes, CoreMachine, DefaultCoreMachine, DefaultMachineBuilder, DefaultMachineRunner, FlatMemory, ISA_A, ISA_IMC,
    Memory, SupportMachine, TraceMachine, machine::VERSION2, memory::FLAG_EXECUTABLE,
};
use clap::Parser;
use codec::Encode;
use std::{error::Error, hint::black_box, path::PathBuf, time::Instant};

type Failure = Box<dyn Error + Send + Sync>;

/// Measures the machine.
#[derive(Parser)]
struct Arguments {
    /// Where the figures go.
    #[arg(long, default_value = "benchmarks/results/machine.jsonl")]
    output: PathBuf,
    /// Instructions of the program that is run as a whole, in millions.
    #[arg(long, default_value_t = 200)]
    instructions: u64,
    /// Repetitions; the median counts.
    #[arg(long, default_value_t = 5)]
    repetitions: usize,
    /// Measures only programs that are translated.
    #[arg(long)]
    only_translated: bool,
}

/// The input of the programs that read, and what it is addressed by.
struct Input(Vec<u8>, BlobRef);

impl Chunks for Input {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; PAGE_BYTES]) -> Option<()> {
        if *blob != self.1 {
            return None;
        }
        let at = usize::try_from(index).ok()?.checked_mul(PAGE_BYTES)?;
        let bytes = self.0.get(at..)?;
        let bytes = bytes.get(..blob.chunk_len(index)?)?;
        chunk.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(())
    }

    fn prove(&self, blob: &BlobRef, index: u64) -> Option<ChunkProof> {
        (*blob == self.1).then(|| ChunkProof::new(&self.0, index))?
    }
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let repetitions = arguments.repetitions.max(1);
    if arguments.only_translated {
        let figures = translated::figures(repetitions)?;
        Figure::print(&figures);
        Figure::write(&figures, &arguments.output)?;
        return Ok(());
    }
    let mut figures = Vec::new();

    // A product of vectors of bytes, as quantised networks have it: loads, a multiplication and an addition in a loop.
    let turns = arguments.instructions.max(1) * 1_000_000 / programs::PRODUCT_LENGTH;
    let product_image = programs::product(MEMORY_BASE, turns, programs::Exit::Here);
    let product = Run::new(&product_image, Vec::new());
    let fast = median(repetitions, || product.fast())?;
    let theirs = {
        let image = programs::product(THEIR_MEMORY, turns, programs::Exit::There);
        median(repetitions, || in_ckb_vm(&image))?
    };
    figures.push(
        Figure::new(
            "a loop of byte products, against ckb-vm",
            "MIPS",
            fast.mips(),
            theirs.mips(),
            Better::Higher,
        )
        .goal(1.0),
    );
    let traced = median(repetitions, || product.traced())?;
    figures.push(
        Figure::new(
            "the same with a record, against without",
            "MIPS",
            traced.mips(),
            fast.mips(),
            Better::Higher,
        )
        .goal(0.5),
    );

    // The chain executes a segment, and hashes what it touches before and after.
    for (name, image, input, segment) in [
        (
            "of 65,536 instructions on few pages",
            product_image.clone(),
            Vec::new(),
            1,
        ),
        (
            "with a new page every second instruction",
            programs::new_pages(),
            Vec::new(),
            1000,
        ),
        ("with four chunks", programs::reads(), vec![7; 16 << 20], 1000),
    ] {
        let run = Run::new(&image, input);
        let (state, witness) = show_segment(&run.program(), &run.input, segment)?;
        let blob = BlobRef::to(&image);
        let executed = state.gas - execute_segment(&blob, None, &state, &witness)?.gas;
        let spent = median(repetitions, || {
            let start = Instant::now();
            let count = 50;
            for _ in 0..count {
                black_box(execute_segment(&blob, None, black_box(&state), black_box(&witness))?);
            }
            Ok(Spent {
                instructions: executed * count,
                seconds: start.elapsed().as_secs_f64(),
            })
        })?;
        let milliseconds = spent.seconds / 50.0 * 1e3;
        // Of two seconds that a block may take.
        figures.push(
            Figure::new(
                format!("execute a segment {name}, against a block"),
                "ms",
                milliseconds,
                2000.0,
                Better::Lower,
            )
            .goal(0.05),
        );
        let bytes = (state.encoded_size() + witness.encoded_size()) as f64 / 1024.0;
        figures.push(
            Figure::new(
                format!("state and witness {name}, against the most"),
                "KiB",
                bytes,
                MAX_WITNESS_BYTES as f64 / 1024.0,
                Better::Lower,
            )
            .goal(1.0),
        );
    }

    figures.extend(unit::figures()?);
    figures.extend(translated::figures(repetitions)?);

    // What somebody could do to those who record a run: against the same gas without its pages.
    let image = programs::new_pages();
    let hostile = Run {
        gas: 20_000_000,
        ..Run::new(&image, Vec::new())
    };
    let slow = median(1, || hostile.traced())?;
    figures.push(Figure::new(
        "record a new page every second instruction, against the loop",
        "MIPS",
        slow.mips(),
        traced.mips(),
        Better::Higher,
    ));

    // Publishers' programs run bounded: what a segment touches is noted, and it is paid for.
    let bounded = Run {
        reads: Some(&[]),
        ..Run::new(&product_image, Vec::new())
    };
    let noted = median(repetitions, || bounded.fast())?;
    figures.push(
        Figure::new(
            "the loop as a bounded run, against one that is not",
            "MIPS",
            noted.mips(),
            fast.mips(),
            Better::Higher,
        )
        .goal(0.5),
    );
    let hostile = Run {
        gas: 1_000_000_000,
        reads: Some(&[]),
        ..Run::new(&image, Vec::new())
    };
    let paid = median(1, || hostile.traced())?;
    figures.push(
        Figure::new(
            "record a new page every second instruction, paid for, against what gas counts",
            "million gas/s",
            paid.mips(),
            GAS_PER_SECOND,
            Better::Higher,
        )
        .goal(1.0),
    );

    Figure::print(&figures);
    Figure::write(&figures, &arguments.output)?;
    Ok(())
}

/// Millions of gas that clocks allow a second for: 2³¹ multiply–adds in a block of 3 s, of which a unit of gas counts 16.
const GAS_PER_SECOND: f64 = (1u64 << 31) as f64 / 3.0 / agora_jobs::program::GAS_WORK as f64 / 1e6;

/// A program that is run as a whole.
struct Run<'a> {
    image: &'a [u8],
    input: Input,
    gas: u64,
    reads: Option<&'a [BlobRef]>,
}

impl<'a> Run<'a> {
    fn new(image: &'a [u8], input: Vec<u8>) -> Self {
        Self {
            image,
            input: {
                let blob = BlobRef::to(&input);
                Input(input, blob)
            },
            gas: 1 << 34,
            reads: None,
        }
    }

    fn program(&self) -> Program<'a> {
        Program {
            image: self.image,
            input: self.input.1,
            gas: self.gas,
            reads: self.reads,
        }
    }

    fn fast(&self) -> Result<Spent, Failure> {
        let mut machine = Machine::new(&self.program(), &self.input)?;
        let start = Instant::now();
        let status = machine.advance(u64::MAX)?;
        let seconds = start.elapsed().as_secs_f64();
        if status != Status::Done {
            return Err(format!("the program ended as {status:?}").into());
        }
        Ok(Spent {
            instructions: machine.gas_used(),
            seconds,
        })
    }

    fn traced(&self) -> Result<Spent, Failure> {
        let start = Instant::now();
        let run = trace(&self.program(), &self.input)?;
        let seconds = start.elapsed().as_secs_f64();
        Ok(Spent {
            instructions: self.gas - run.end.gas,
            seconds,
        })
    }
}

/// Where the other interpreter has the data of programs; their code is at 0.
const THEIR_MEMORY: u64 = 1 << 20;

fn in_ckb_vm(image: &[u8]) -> Result<Spent, Failure> {
    let core = DefaultCoreMachine::<u64, FlatMemory<u64>>::new(ISA_IMC | ISA_A, VERSION2, u64::MAX);
    // One for each instruction.
    let machine = DefaultMachineBuilder::new(core)
        .instruction_cycle_func(Box::new(|_| 1))
        .build();
    let mut machine = TraceMachine::new(machine);
    let pages = (image.len() as u64).div_ceil(4096) * 4096;
    machine
        .machine
        .memory_mut()
        .init_pages(0, pages, FLAG_EXECUTABLE, Some(Bytes::copy_from_slice(image)), 0)?;
    machine.machine.update_pc(0);
    machine.machine.commit_pc();
    let start = Instant::now();
    let code = machine.run()?;
    let seconds = start.elapsed().as_secs_f64();
    if code != 0 {
        return Err(format!("the program ended with {code} in ckb-vm").into());
    }
    Ok(Spent {
        instructions: machine.machine.cycles(),
        seconds,
    })
}

/// Instructions, and how long they took.
struct Spent {
    instructions: u64,
    seconds: f64,
}

impl Spent {
    /// Millions of instructions (or of gas) per second.
    fn mips(&self) -> f64 {
        self.instructions as f64 / self.seconds / 1e6
    }
}

fn median(repetitions: usize, mut measure: impl FnMut() -> Result<Spent, Failure>) -> Result<Spent, Failure> {
    let mut all = (0..repetitions).map(|_| measure()).collect::<Result<Vec<_>, _>>()?;
    all.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    Ok(all.swap_remove(all.len() / 2))
}
#[cfg(test)]
mod tests {
    use super::*;

    /// What is measured is what is said: the programs end, and as many instructions are executed on both machines.
    #[test]
    fn programs_run_on_both() {
        let here = programs::product(MEMORY_BASE, 100, programs::Exit::Here);
        let here = Run::new(&here, Vec::new());
        let there = programs::product(THEIR_MEMORY, 100, programs::Exit::There);
        let (fast, traced, theirs) = (here.fast().unwrap(), here.traced().unwrap(), in_ckb_vm(&there).unwrap());
        assert_eq!(fast.instructions, traced.instructions);
        assert!(fast.instructions.abs_diff(theirs.instructions) < 10);
        assert!(fast.instructions.abs_diff(100 * programs::PRODUCT_LENGTH) < 50);
    }

    #[test]
    fn segments_are_as_they_are_called() {
        let image = programs::new_pages();
        let run = Run::new(&image, Vec::new());
        let (state, witness) = show_segment(&run.program(), &run.input, 3).unwrap();
        assert!(witness.pages.len() > 20);
        let after = execute_segment(&BlobRef::to(&image), None, &state, &witness).unwrap();
        assert!(state.gas - after.gas < 60);

        let image = programs::reads();
        let run = Run::new(&image, vec![7; 1 << 16]);
        let (_, witness) = show_segment(&run.program(), &run.input, 3).unwrap();
        assert_eq!(witness.chunks.len(), 4);

        let image = programs::product(MEMORY_BASE, 100_000, programs::Exit::Here);
        let run = Run::new(&image, Vec::new());
        let (state, witness) = show_segment(&run.program(), &run.input, 1).unwrap();
        let after = execute_segment(&BlobRef::to(&image), None, &state, &witness).unwrap();
        assert_eq!(state.gas - after.gas, u64::from(agora_machine::SEGMENT_GAS));
    }
}
