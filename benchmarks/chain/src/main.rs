//! Measures the market against what it is to be compared with, all in one run: settled tasks against transfers, GPU against CPU,
//! checking against computing, slots with very much to do against idle ones. The weights of calls are those of the runtime.
//! `make weights` measured them together with the weights of the transfers with which they are compared.
//!
//! Prints a table, and writes one JSON line per figure to `benchmarks/results/chain.jsonl`.

mod backlog;
mod chain_spec;
mod compute;
mod throughput;
mod weights;

use agora_bench_figures::Figure;
use agora_runtime::UNIT;
use clap::Parser;
use std::{error::Error, path::PathBuf};

type Failure = Box<dyn Error + Send + Sync>;

/// Measures the market, all in one run.
#[derive(Parser)]
struct Arguments {
    /// Where the figures go.
    #[arg(long, default_value = "benchmarks/results/chain.jsonl")]
    output: PathBuf,
    /// How many transfers are sent.
    #[arg(long, default_value_t = 3000)]
    transfers: usize,
    /// How many tasks are published and settled.
    #[arg(long, default_value_t = 256)]
    tasks: usize,
    /// How many tasks are due at once.
    #[arg(long, default_value_t = 10_000)]
    due: usize,
    /// Rows and columns of the matrices.
    #[arg(long, default_value_t = 512)]
    matrix_size: u32,
    /// Products.
    #[arg(long, default_value_t = 64)]
    iterations: u32,
    /// Repetitions of each computation; the median counts.
    #[arg(long, default_value_t = 3)]
    repetitions: usize,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();

    let mut figures = weights::figures();
    figures.extend(compute::measure(
        arguments.matrix_size,
        arguments.iterations,
        arguments.repetitions,
    )?);
    figures.extend(throughput::measure(arguments.transfers, arguments.tasks).await?);
    figures.extend(backlog::measure(arguments.due).await?);
    Figure::print(&figures);
    Figure::write(&figures, &arguments.output)?;
    println!("\nWritten to {}.", arguments.output.display());
    Ok(())
}
