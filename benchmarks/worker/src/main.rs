//! How a worker far from its node keeps up with a full market: how long after a new block it has decided about a task, what
//! it reads of each block, and how long it needs at its start; with 100,000 open tasks on chain.
//!
//! The node, the worker and the network between them are real; the network is slowed down to the latency that is asked for.
//!
//! Prints a table, and writes one JSON line per figure.

mod far;
mod market;

use agora_bench_figures::{Better, Figure};
use agora_chain::Client;
use agora_localnet::{Agora, Node, Process};
use clap::Parser;
use far::Far;
use market::{Market, UNIT};
use std::{
    error::Error,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

type Failure = Box<dyn Error + Send + Sync>;

/// The goal: so long after a block, in seconds.
const DECIDED_WITHIN: f64 = 0.2;
/// How long the worker may take for anything.
const PATIENCE: Duration = Duration::from_secs(900);
/// How long a worker sends nothing before it counts as idle.
const QUIET: Duration = Duration::from_secs(2);
/// What it sends for a task before the end of the work, which is far away: an acceptance and a commitment.
const PER_TASK: u64 = 2;
/// Over so many blocks it is measured what a worker reads.
const BLOCKS: u32 = 20;

/// Measures how a worker keeps up with a full market.
#[derive(Parser)]
struct Arguments {
    /// Where the figures go.
    #[arg(long, default_value = "benchmarks/results/worker.jsonl")]
    output: PathBuf,
    /// How many tasks are open that the worker does not take.
    #[arg(long, default_value_t = 100_000)]
    tasks: usize,
    /// The time from the node to the worker and back, in milliseconds.
    #[arg(long, default_value_t = 50)]
    latency: u64,
    /// How many tasks it takes while it is measured; the median counts.
    #[arg(long, default_value_t = 15)]
    samples: usize,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let (mut node, mut market) = Market::start(folder.path()).await?;
    let few = arguments.tasks.min(100);
    market.publish_uninteresting(few).await?;
    let small = measure(&mut market, &node, folder.path(), &arguments, 1).await?;
    println!("{few} open tasks: {small}");
    market
        .publish_uninteresting(arguments.tasks.saturating_sub(few))
        .await?;
    let large = measure(&mut market, &node, folder.path(), &arguments, arguments.samples).await?;
    println!("{} open tasks: {large}", arguments.tasks);
    node.stop().await?;

    let about = format!(
        "{} open tasks and {} ms to the node and back",
        arguments.tasks, arguments.latency
    );
    let decision = format!("from a new block to the acceptance in the node's pool, {about}, against 200 ms");
    let reads = format!("bytes read of a block in which nothing changed, {about}, against {few} open tasks");
    let start = format!("from the start of the process to the first acceptance, {about}, against {few} open tasks");
    let figures = [
        Figure::new(decision, "s", large.decision, DECIDED_WITHIN, Better::Lower).goal(1.0),
        Figure::new(reads, "B", large.bytes_per_block, small.bytes_per_block, Better::Lower).goal(1.5),
        Figure::new(start, "s", large.start, small.start, Better::Lower),
    ];
    Figure::print(&figures);
    Figure::write(&figures, &arguments.output)?;
    println!("\nWritten to {}.", arguments.output.display());
    Ok(())
}

/// What was measured.
struct Measured {
    /// Seconds from the start of the process to the first acceptance.
    start: f64,
    /// Seconds from a block to the acceptance of a task in it.
    decision: f64,
    /// Bytes from the node in each block in which nothing changed.
    bytes_per_block: f64,
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "started in {:.2} s, decided in {:.3} s, reads {:.0} B of each block",
            self.start, self.decision, self.bytes_per_block
        )
    }
}

/// Runs a worker that takes only tasks that pay well, and measures it.
async fn measure(
    market: &mut Market,
    node: &Node,
    folder: &Path,
    arguments: &Arguments,
    samples: usize,
) -> Result<Measured, Failure> {
    let network = Far::start(node.rpc_address(), Duration::from_millis(arguments.latency)).await?;
    // It is there before the worker, which takes it first of all.
    market.publish_good().await?;
    let before = market.sent_by_worker().await?;
    let began = Instant::now();
    let agora = Agora::new(&format!("ws://{}", network.address()), market::WORKER, folder);
    let profit = (market::MIN_PROFIT / UNIT).to_string();
    let options = [
        "mine",
        "--device",
        "cpu",
        "--min-profit",
        &profit,
        "--heartbeat",
        "100000",
    ];
    let mut worker = agora.spawn(&options)?;
    let start = market.next_sent(before, began, &mut worker).await?;
    quiet(market, before + PER_TASK, &mut worker).await?;

    let bytes = network.passed();
    market.wait_blocks(BLOCKS).await?;
    let bytes_per_block = (network.passed() - bytes) as f64 / f64::from(BLOCKS);

    let mut decisions = Vec::new();
    for _ in 0..samples.max(1) {
        let before = market.sent_by_worker().await?;
        let block = market.publish_good().await?;
        decisions.push(market.next_sent(before, block, &mut worker).await?);
        // A late commitment would be taken for the next acceptance.
        quiet(market, before + PER_TASK, &mut worker).await?;
    }
    decisions.sort_by(f64::total_cmp);
    println!("  decisions: {decisions:.3?} s");
    let decision = decisions.get(decisions.len() / 2).copied().unwrap_or(f64::NAN);
    worker.stop().await?;
    Ok(Measured {
        start,
        decision,
        bytes_per_block,
    })
}

/// Waits until the worker has sent so many transactions, and then nothing for a while: it has committed to all that it has
/// taken.
async fn quiet(market: &Market, all: u64, worker: &mut Process) -> Result<(), Failure> {
    market.next_sent(all - 1, Instant::now(), worker).await?;
    let (mut sent, mut since) = (market.sent_by_worker().await?, Instant::now());
    if sent > all {
        return Err(format!("the worker has sent {sent} transactions, and not {all}").into());
    }
    while since.elapsed() < QUIET {
        worker.ensure_running()?;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = market.sent_by_worker().await?;
        if now != sent {
            (sent, since) = (now, Instant::now());
        }
    }
    Ok(())
}

/// A connection of this program's own, without the latency.
async fn near(node: &Node) -> Result<Client, Failure> {
    Ok(node.client().await?)
}
