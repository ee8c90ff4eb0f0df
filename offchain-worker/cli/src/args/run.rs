//! What the commands take that run until they are stopped.

use super::{PeerArgs, account::parse_account, blobs::DenyArgs};
use crate::units::Amount;
use agora_chain::AccountId;
use agora_worker::{Housekeeping, Publishers, StopLoss};
use clap::Args;
use std::{net::SocketAddr, time::Duration};
use url::Url;

/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;

/// What the commands take that run until they are stopped.
#[derive(Args)]
pub struct RunArgs {
    /// Blocks between two heartbeats.
    #[arg(long, default_value_t = 100)]
    pub heartbeat: u32,
    /// Serve Prometheus metrics at this address, such as 127.0.0.1:9616. Each process needs a port of its own.
    #[arg(long, value_name = "ADDRESS")]
    pub metrics: Option<SocketAddr>,
    /// Serve the blob store and what was fetched over HTTP at this address, such as 0.0.0.0:9620, so that others need no
    /// store in common. Results are served from their reveal on.
    #[arg(long, value_name = "ADDRESS")]
    pub serve: Option<SocketAddr>,
    /// Publish this URL on chain as where this account serves blobs, so that others find them: what --serve serves, as it is
    /// reached from outside. May be repeated, the preferred one first.
    #[arg(long, value_name = "URL")]
    pub announce: Vec<Url>,
    #[command(flatten)]
    pub peers: PeerArgs,
    #[command(flatten)]
    pub publishers: PublisherArgs,
    #[command(flatten)]
    pub deny: DenyArgs,
    #[command(flatten)]
    pub keep: KeepArgs,
    #[command(flatten)]
    pub risk: StopLossArgs,
    /// Most of the inputs and the output of one job together, in GiB: they are held in memory. Larger jobs are left to
    /// others. A verifier that reveals takes as much once more.
    #[arg(long, default_value_t = 8, value_name = "GIB")]
    pub max_job_size: u64,
    /// Do not go to court. By default, results that this account knows to be wrong are accused, and those that it knows to be right are
    /// defended, with bonds that come back if it is so.
    #[arg(long)]
    pub no_court: bool,
    /// Misbehave deliberately (only in builds made for tests and demonstrations).
    #[cfg(feature = "fault-injection")]
    #[arg(long)]
    pub fault: Option<agora_worker::Fault>,
}

impl RunArgs {
    /// Most bytes of one job.
    pub const fn max_job_bytes(&self) -> u64 {
        self.max_job_size.saturating_mul(1 << 30)
    }
}

/// Whose tasks are wanted.
#[derive(Args)]
pub struct PublisherArgs {
    /// Only tasks of these accounts: repeated, or separated by commas. Without it, those of everybody.
    #[arg(long, value_delimiter = ',', value_name = "ACCOUNT", value_parser = parse_account, help_heading = "Wanted and not wanted")]
    pub publishers: Vec<AccountId>,
    /// No task of this account. May be repeated.
    #[arg(long = "deny-publisher", value_name = "ACCOUNT", value_parser = parse_account, help_heading = "Wanted and not wanted")]
    pub denied_publishers: Vec<AccountId>,
}

impl PublisherArgs {
    /// Those publishers.
    pub fn wanted(&self) -> Publishers {
        let only = (!self.publishers.is_empty()).then(|| self.publishers.iter().copied().collect());
        Publishers {
            only,
            denied: self.denied_publishers.iter().copied().collect(),
        }
    }
}

/// What is kept of the blob store.
#[derive(Args)]
pub struct KeepArgs {
    /// Once a day, remove from the blob store and the cache what was stored or used longer than so many days ago and may not be
    /// asked for any more. What open tasks need, and those that were settled within a day, stays. A bucket is left alone.
    #[arg(long, value_name = "DAYS", default_value_t = 30, help_heading = "Disk")]
    pub keep_days: u64,
    /// Most space for the blob store, in GiB: of what no task needs the oldest goes earlier. And so much once more for what jobs come to that
    /// are computed for the court. Without it, as much as there is.
    #[arg(long, value_name = "GIB", help_heading = "Disk")]
    pub store_size: Option<u64>,
    /// Remove nothing by yourself: for a blob store that belongs to others too.
    #[arg(long, conflicts_with_all = ["keep_days", "store_size"], help_heading = "Disk")]
    pub keep_all: bool,
}

impl KeepArgs {
    /// How house is kept; `None`: not at all.
    pub fn housekeeping(&self) -> Option<Housekeeping> {
        (!self.keep_all).then(|| Housekeeping {
            age: Duration::from_secs(self.keep_days.saturating_mul(DAY)),
            quota: self.store_bytes(),
        })
    }

    /// Most bytes of the blob store, and of what is computed for the court. `None`: as much as there is.
    pub fn store_bytes(&self) -> Option<u64> {
        self.store_size.map(|size| size.saturating_mul(1 << 30))
    }
}

/// When nothing more is risked.
#[derive(Args)]
pub struct StopLossArgs {
    /// Risk nothing more after losing so much of bonds within --stop-loss-hours, as a worker, as a verifier or in court: take no
    /// task, attest and vote on nothing, accuse nobody. What was begun is ended.
    #[arg(long, value_name = "AMOUNT", help_heading = "Risk")]
    pub stop_loss: Option<Amount>,
    /// See --stop-loss.
    #[arg(long, default_value_t = 24, value_name = "HOURS", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Risk")]
    pub stop_loss_hours: u64,
}

impl StopLossArgs {
    /// That.
    pub fn stop_loss(&self) -> Option<StopLoss> {
        let within = Duration::from_secs(self.stop_loss_hours.saturating_mul(3600));
        self.stop_loss.map(|amount| StopLoss { most: amount.0, within })
    }
}
