//! What the commands take that are about the court.

use super::PeerArgs;
use clap::Args;

#[derive(Args)]
pub struct DisputesArgs {
    /// Only those about this task.
    #[arg(long, value_name = "NUMBER")]
    pub task: Option<u64>,
}

#[derive(Args)]
pub struct DisputeArgs {
    /// Number of the trial: see `agora disputes`.
    pub trial: u64,
    /// Print every move until it is over.
    #[arg(long)]
    pub follow: bool,
}

#[derive(Args)]
pub struct GoToCourtArgs {
    /// Number of the task.
    pub task: u64,
    #[command(flatten)]
    pub peers: PeerArgs,
    /// Most space for what the job comes to on the way, in GiB. It is in the folder of --data until the case is closed. Without it, as much as
    /// is free.
    #[arg(long, value_name = "GIB")]
    pub store_size: Option<u64>,
    /// Misbehave deliberately (only in builds made for tests and demonstrations).
    #[cfg(feature = "fault-injection")]
    #[arg(long)]
    pub fault: Option<agora_worker::Fault>,
}
