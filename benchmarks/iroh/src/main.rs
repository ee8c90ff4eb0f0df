//! Measures blobs over iroh against blobs over our HTTP: on this machine, over a link with latency, and between two peers that
//! are each behind NAT. Each side is a process of its own, so that what it costs can be told.
//!
//! Prints a table, and writes one JSON line per figure.

mod cost;
mod measure;
mod nat;
mod nets;
mod peers;
mod wire;

use agora_bench_iroh::{Failure, relay};
use clap::{Parser, Subcommand};
use std::net::IpAddr;

/// Measures blobs over iroh.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    plan: measure::Plan,
}

/// What the processes of a measurement do.
#[derive(Subcommand)]
enum Role {
    /// Serves files until its input ends. For each line of input it says what it has cost so far.
    #[command(hide = true)]
    Serve(peers::Serve),
    /// Fetches a blob, and says what that has cost.
    #[command(hide = true)]
    Fetch(peers::Fetch),
    /// Is a relay until its input ends.
    #[command(hide = true)]
    Relay {
        /// Where.
        address: IpAddr,
    },
    /// Is a link between two network devices until its input ends.
    #[command(hide = true)]
    Wire(wire::Wire),
}

fn main() -> Result<(), Failure> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    match arguments.role {
        None => measure::run(&arguments.plan),
        Some(Role::Serve(serve)) => runtime.block_on(serve.run()),
        Some(Role::Fetch(fetch)) => runtime.block_on(fetch.run()),
        Some(Role::Relay { address }) => runtime.block_on(async {
            let (server, relay) = relay::start(address).await?;
            println!("{}", serde_json::to_string(&relay)?);
            cost::tell_until_the_end().await?;
            drop(server);
            Ok(())
        }),
        Some(Role::Wire(wire)) => wire.run(),
    }
}
