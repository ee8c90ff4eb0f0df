//! The command line of `agora blobs`, and of those who fetch blobs.

use super::account::parse_hash;
use agora_blobs::{BlobKey, BlobKind, Denied};
use clap::{Args, Subcommand, ValueEnum};
use std::{net::SocketAddr, path::PathBuf};
use url::Url;

/// From whom blobs are fetched that the blob store does not have.
#[derive(Args, Clone)]
pub struct PeerArgs {
    /// Fetch blobs that the blob store does not have from this peer: who serves them with --serve. May be repeated; several
    /// are used at once.
    #[arg(long = "peer", value_name = "URL")]
    pub peers: Vec<Url>,
    /// The peers that --peer names may be on this machine and in private networks.
    #[arg(long)]
    pub allow_private_peers: bool,
    /// All peers may be, those that anybody publishes on chain among them, and so may what --announce publishes: for a market
    /// of one's own, where nobody is a stranger.
    #[arg(long)]
    pub private_market: bool,
    /// Most space for blobs that come from peers, in GiB. They are kept in the folder `cache` of --data.
    #[arg(long, value_name = "GIB", default_value_t = CACHE_GIB)]
    pub cache_size: u64,
}

/// Most space for blobs that come from peers, in GiB, unless an option says otherwise.
const CACHE_GIB: u64 = 64;

impl PeerArgs {
    /// Nobody is asked.
    pub const fn none() -> Self {
        Self {
            peers: Vec::new(),
            allow_private_peers: false,
            private_market: false,
            cache_size: CACHE_GIB,
        }
    }
}

/// Blobs that are not wanted here.
#[derive(Args, Clone, Default)]
pub struct DenyArgs {
    /// Neither fetch nor serve the blob with this hash, nor the list of states with this root, and take no task that needs it. May
    /// be repeated; a list in the settings file.
    #[arg(long = "deny-blob", value_name = "HASH", value_parser = parse_hash, help_heading = "Wanted and not wanted")]
    pub denied_blobs: Vec<BlobKey>,
}

impl DenyArgs {
    /// Those blobs.
    pub fn denied(&self) -> Denied {
        self.denied_blobs.iter().copied().collect()
    }
}

#[derive(Args)]
pub struct BlobsArgs {
    #[command(subcommand)]
    pub command: BlobsCommand,
}

#[derive(Subcommand)]
pub enum BlobsCommand {
    /// Serve the blob store and what was fetched over HTTP, until Ctrl-C.
    Serve(ServeArgs),
    /// Fetch one blob, and write it to a file.
    Get(GetArgs),
    /// Put a file into the blob store, and show its hash.
    Put(PutArgs),
    /// Remove what is old and no task needs that has not ended.
    Gc(GarbageArgs),
}

#[derive(Args)]
pub struct ServeArgs {
    /// Where, such as 0.0.0.0:9620.
    pub address: SocketAddr,
    #[command(flatten)]
    pub deny: DenyArgs,
}

#[derive(Args)]
pub struct GetArgs {
    /// The blob's BLAKE3 hash: 64 hex digits, as `b3sum` prints them.
    pub hash: String,
    /// The file to write.
    #[arg(long, short)]
    pub file: PathBuf,
    /// Its length in bytes, as its task says; asked of the peers if left out.
    #[arg(long, value_name = "BYTES")]
    pub size: Option<u64>,
    /// Most bytes to fetch if --size is left out.
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    pub max_size: u64,
    #[command(flatten)]
    pub peers: PeerArgs,
}

#[derive(Args)]
pub struct PutArgs {
    /// The file.
    pub file: PathBuf,
    /// What it is.
    #[arg(long, value_enum, default_value = "input")]
    pub kind: KindArg,
}

/// What a blob is, as the command line names it.
#[derive(Clone, Copy, ValueEnum)]
pub enum KindArg {
    Input,
    Job,
    Output,
}

impl From<KindArg> for BlobKind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Input => Self::Input,
            KindArg::Job => Self::Job,
            KindArg::Output => Self::Output,
        }
    }
}

#[derive(Args)]
pub struct GarbageArgs {
    /// Keep what was stored or used within so many days, and in any case within the last hour. Whatever may still be asked for is
    /// kept, however old: jobs, inputs and results of the tasks that the chain knows, which is until a day after they were settled.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub older_than: u64,
    #[command(flatten)]
    pub deny: DenyArgs,
    #[command(flatten)]
    pub peers: PeerArgs,
}
