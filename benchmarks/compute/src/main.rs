//! Measures the compute engines against what they are to be compared with, all in one run on one adapter: integer products
//! on the adapter against burn's, on the processor against the crate `gemm`'s, and checking against computing.
//!
//! What is compared runs in turn, after a warm-up in which every product is compared with the reference's, to the bit.
//! Prints a table, and writes one JSON line per figure to `benchmarks/results/compute.jsonl`.

mod jobs;
mod operands;
mod packed_dot;
mod peers;
mod processor;
mod products;
mod timing;

use agora_bench_figures::Figure;
use agora_compute::{CpuEngine, GpuEngine, GpuOptions, find_device, self_test};
use clap::Parser;
use std::{error::Error, path::PathBuf};

type Failure = Box<dyn Error + Send + Sync>;

/// Measures the compute engines against their peers, all in one run on one adapter.
#[derive(Parser)]
struct Arguments {
    /// Rows and columns of the matrices, separated by commas.
    #[arg(long, value_delimiter = ',', default_values_t = [512, 1024, 2048, 4096])]
    sizes: Vec<u32>,
    /// Repetitions of each computation; the median counts.
    #[arg(long, default_value_t = 3)]
    repetitions: usize,
    /// The adapter: `auto` for the best, an index, or a part of its name.
    #[arg(long, default_value = "auto")]
    device: String,
    /// Where the figures go.
    #[arg(long, default_value = "benchmarks/results/compute.jsonl")]
    output: PathBuf,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let device = find_device(&arguments.device)?;
    println!("adapter    {device}");
    println!("processor  {}", processor::describe());

    let gpu = GpuEngine::open(&device, &GpuOptions::default())?;
    let cpu = CpuEngine::new();
    self_test(&gpu)?;
    self_test(&cpu)?;

    let mut figures = products::measure(&gpu, &cpu, &arguments.sizes, arguments.repetitions)?;
    figures.extend(jobs::measure(&device, &gpu, &cpu, arguments.repetitions)?);
    Figure::print(&figures);
    Figure::write(&figures, &arguments.output)?;
    println!("\nWritten to {}.", arguments.output.display());
    Ok(())
}
