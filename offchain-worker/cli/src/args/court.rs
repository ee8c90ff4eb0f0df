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
    /// Most bytes of the job with all its states and inputs, in GiB: they are held in memory.
    #[arg(long, default_value_t = 8, value_name = "GIB")]
    pub max_job_size: u64,
    /// Misbehave deliberately (only in builds made for tests and demonstrations).
    #[cfg(feature = "fault-injection")]
    #[arg(long)]
    pub fault: Option<agora_worker::Fault>,
}
