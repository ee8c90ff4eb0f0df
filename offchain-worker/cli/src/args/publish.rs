//! The command line of `agora publish`.

use crate::{
    jobs::JobArgs,
    units::{Amount, Factor, Uuid},
};
use clap::Args;
use std::net::SocketAddr;
use url::Url;

#[derive(Args)]
pub struct PublishArgs {
    #[command(flatten)]
    pub terms: TermsArgs,
    #[command(subcommand)]
    pub job: JobArgs,
}

/// What a task offers and demands, whatever its job.
#[derive(Args)]
pub struct TermsArgs {
    /// Number of the task class; the first one for this kind of work if left out.
    #[arg(long, global = true)]
    pub class: Option<u16>,
    /// Difficulty, such as 1.0 or 2.5; the class says what is allowed.
    #[arg(long, global = true, default_value = "1.0")]
    pub difficulty: Factor,
    /// The reward, in units; the least that class and difficulty allow if left out.
    #[arg(long, global = true, value_name = "AMOUNT")]
    pub reward: Option<Amount>,
    /// Blocks from now by which the work must be committed.
    #[arg(long, global = true, default_value_t = 100, value_name = "BLOCKS")]
    pub deadline: u32,
    /// Your own name of the task: a UUID. Publishing twice under one name is refused, so a lost answer can be retried.
    #[arg(long, global = true, value_name = "UUID")]
    pub reference: Option<Uuid>,
    /// Keep the job specification in the blob store, not on chain.
    #[arg(long, global = true)]
    pub stored: bool,
    /// Only say what would be held and paid, and whether the balance suffices. Nothing is sent or stored.
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Then serve the blob store at this address, such as 0.0.0.0:9620, until Ctrl-C, so that workers and verifiers can fetch
    /// the inputs.
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub serve: Option<SocketAddr>,
    /// Before that, publish this URL on chain as where the account serves blobs. May be repeated, the preferred one first.
    #[arg(long, global = true, value_name = "URL")]
    pub announce: Vec<Url>,
    /// With --announce: also take addresses on this machine and in private networks.
    #[arg(long, global = true, requires = "announce")]
    pub private_market: bool,
}
