//! Measures what the court costs, on the real runtime in memory: a dispute about a job of each kind, from the accusation to the
//! executed segment and the last bond, between somebody who is right and somebody who makes up what the machine does not give; what
//! settling weighs; and what attacks on the market bring to those who try them.
//!
//! Prints a table, and writes one JSON line per figure.

mod attackers;
#[path = "../../../runtime/tests/chain/mod.rs"]
mod chain;
mod dispute;
mod market;
mod trial;
mod wasm;

#[cfg(test)]
mod tests;

use agora_bench_figures::{Better, Figure};
use agora_compute::Benchmark;
use agora_runtime::Runtime;
use clap::Parser;
use dispute::Dispute;
use market::Setting;
use pallet_agora_tasks::WeightInfo as _;
use std::{error::Error, path::PathBuf};
use wasm::Wasm;

type Failure = Box<dyn Error + Send + Sync>;

/// Three-second blocks and the terms of a public chain.
const PUBLIC: Setting = Setting {
    preset: "local_two_validators",
    terms: None,
};
/// What settling five workers weighed when the goal of half of it was set, in milliseconds.
const SETTLING_MS: f64 = 7.8;

/// Measures what the court costs.
#[derive(Parser)]
struct Arguments {
    /// Where the figures go.
    #[arg(long, default_value = "benchmarks/results/courts.jsonl")]
    output: PathBuf,
    /// About how many million multiply–adds each job has.
    #[arg(long, default_value_t = 4_000)]
    work: u32,
    /// Only the kinds with this in their names; and no attackers.
    #[arg(long)]
    only: Option<String>,
    /// The runtime's Wasm, if this program was built without it.
    #[arg(long)]
    wasm: Option<PathBuf>,
}

/// `{name}1` to `{name}{count}`.
fn names(name: &str, count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("{name}{number}")).collect()
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let wasm = Wasm::new(arguments.wasm.as_deref())?;
    let mut figures = Vec::new();
    if arguments.only.is_none() {
        let attacks = attackers::all(PUBLIC)?;
        attackers::print(&attacks);
        figures.extend(attacks.iter().map(attackers::Attack::figure));
    }
    let wanted = |name: &str| arguments.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    for benchmark in Benchmark::all()?.iter().filter(|one| wanted(one.name())) {
        eprintln!("a dispute about {}", benchmark.name());
        let work = u128::from(arguments.work) * 1_000_000;
        figures.extend(Dispute::play(benchmark, work, PUBLIC, Some(&wasm))?.figures()?);
    }
    let settling = <Runtime as pallet_agora_tasks::Config>::WeightInfo::settle(5).ref_time() as f64 / 1e9;
    figures.push(
        Figure::new(
            "weight of settling five workers, against what it was",
            "ms",
            settling,
            SETTLING_MS,
            Better::Lower,
        )
        .goal(0.5),
    );
    Figure::print(&figures);
    Figure::write(&figures, &arguments.output)?;
    println!("\nWritten to {}.", arguments.output.display());
    Ok(())
}
