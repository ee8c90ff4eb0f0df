//! The command line.

mod blobs;
mod mine;
mod models;
mod operate;
mod publish;
mod url;

pub use blobs::{BlobsArgs, BlobsCommand, GarbageArgs, GetArgs, PeerArgs, PutArgs, ServeArgs};
pub use mine::MineArgs;
pub use models::{EmbedArgs, ModelArgs, ModelCommand};
#[cfg(test)]
pub use operate::PhaseArg;
pub use operate::{
    CompletionsArgs, DoctorArgs, EarningsArgs, JournalArgs, JournalCommand, ManArgs, ReferenceArgs, StatusArgs,
    TasksArgs, WaitArgs, WaitFor,
};
pub use publish::{PublishArgs, TermsArgs};

use crate::{output::Format, units::Amount};
use agora_primitives::participants::{Role, Specialisation};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{net::SocketAddr, path::PathBuf};

/// Publish work on an Agora chain, compute it, check it, and verify what was settled.
#[derive(Parser)]
#[command(name = "agora", version, after_help = crate::exit::EXPLAINED, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Args, Clone)]
pub struct Global {
    /// The node to talk to, or several of the same chain: repeated, or separated by commas. Questions go to one that is
    /// up to date, transactions to several. ws://127.0.0.1:9944 if left out.
    #[arg(long = "url", global = true, env = "AGORA_URL", value_delimiter = ',', value_name = "URL",
        value_parser = url::node_url)]
    pub urls: Vec<String>,
    /// Seconds to wait for the node to answer at first.
    #[arg(long, global = true, default_value_t = 10, value_name = "SECONDS")]
    pub patience: u64,
    /// How answers and errors are printed: a table for people, JSON (one document per line where there are several), or
    /// YAML. docs/cli.md lists the fields of each command.
    #[arg(long, short, global = true, env = "AGORA_OUTPUT", default_value = "table", value_name = "FORMAT")]
    pub output: Format,
    /// Short for --output json.
    #[arg(long, global = true)]
    pub json: bool,
    /// File with settings; ~/.config/agora/config.toml if left out. A setting on the command line counts more than one
    /// in the environment, and that more than one in the file.
    #[arg(long, global = true, env = "AGORA_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The profile of that file to use.
    #[arg(long, global = true, env = "AGORA_PROFILE", value_name = "NAME")]
    pub profile: Option<String>,
    /// File with the secret phrase of the signing key, readable by its owner alone. Without it, the phrase is taken
    /// from the environment variable AGORA_KEY.
    #[arg(long, global = true, env = "AGORA_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Sign with a well-known key of development chains, such as //Alice. Everybody has these keys.
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "key_file")]
    pub dev: Option<String>,
    /// Folder for journals and, unless --blobs says otherwise, for blobs.
    #[arg(long, global = true, env = "AGORA_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Where job specifications and results are kept: a folder, or s3://bucket/prefix.
    #[arg(long, global = true, env = "AGORA_BLOBS", value_name = "LOCATION")]
    pub blobs: Option<String>,
    /// Folder for what can be measured again, such as the fastest settings of each device; ~/.cache/agora if left out.
    #[arg(long, global = true, env = "AGORA_CACHE", value_name = "FOLDER")]
    pub cache: Option<PathBuf>,
    /// Log more (-v: steps, -vv: everything).
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

impl Global {
    /// How answers are printed.
    pub const fn format(&self) -> Format {
        if self.json { Format::Json } else { self.output }
    }
}

#[derive(Subcommand)]
pub enum Command {
    /// Make and look at keys.
    Keys(KeysArgs),
    /// Take a role in the market and bond for it.
    Register(RegisterArgs),
    /// Show a worker's profile and what of its capability is proven, or change the profile.
    Profile(ProfileArgs),
    /// Leave a role: take no new work, and after the cool-down withdraw the bond.
    Leave(LeaveArgs),
    /// Work: take tasks, compute, commit, reveal, collect.
    Mine(MineArgs),
    /// Check results while they can be appealed, and attest for or against them.
    VerifyWork(VerifyWorkArgs),
    /// Publish a task with money behind it.
    Publish(PublishArgs),
    /// Take back a task that nobody has accepted.
    Cancel(TaskArgs),
    /// List tasks.
    Tasks(TasksArgs),
    /// Show one task, or watch it.
    Task(ShowArgs),
    /// Wait until a task has come so far.
    Wait(WaitArgs),
    /// Fetch the result of a task.
    Result(ResultArgs),
    /// Verify, with nothing but a block header, that a result was settled.
    Verify(VerifyArgs),
    /// Serve, fetch, put and remove the files that jobs and results are: blobs.
    Blobs(BlobsArgs),
    /// Show an account's money: free, and held for what.
    Balance(BalanceArgs),
    /// Send money to an account.
    Transfer(TransferArgs),
    /// Show the node, the account, the tasks in hand, the journal, the disk and the devices.
    Status(StatusArgs),
    /// Show what each task brought or cost, and why.
    Earnings(EarningsArgs),
    /// Look at the journal of a worker that is not running, copy it, or repair it.
    Journal(JournalArgs),
    /// Check that everything a worker needs is in order, and say what to do where it is not.
    Doctor(DoctorArgs),
    /// Make and look at model packages.
    Model(ModelArgs),
    /// Embed sentences on this machine.
    Embed(EmbedArgs),
    /// List the devices that can compute, and measure them.
    Devices(DevicesArgs),
    /// Check that a device computes the same bits as every other one.
    SelfTest(DeviceArgs),
    /// Print a script that completes this command line in a shell.
    Completions(CompletionsArgs),
    /// Write the manual pages into a folder.
    Man(ManArgs),
}

#[derive(Args)]
pub struct KeysArgs {
    #[command(subcommand)]
    pub command: KeysCommand,
}

#[derive(Subcommand)]
pub enum KeysCommand {
    /// Make a new key and write its secret phrase to a file that only you can read.
    Generate {
        /// The file; it must not exist.
        file: PathBuf,
    },
    /// Show the account of the key that --key-file, AGORA_KEY or --dev gives.
    Show,
}

/// A role, as the command line names it.
#[derive(Clone, Copy, ValueEnum)]
pub enum RoleArg {
    Worker,
    Verifier,
    Orchestrator,
    Expert,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Worker => Self::Worker,
            RoleArg::Verifier => Self::Verifier,
            RoleArg::Orchestrator => Self::Orchestrator,
            RoleArg::Expert => Self::Expert,
        }
    }
}

#[derive(Args)]
pub struct RegisterArgs {
    /// The role.
    #[arg(long, value_enum)]
    pub role: RoleArg,
    /// The bond, in units, such as 100 or 12.5.
    #[arg(long, value_name = "AMOUNT")]
    pub bond: Amount,
    /// A worker's kinds of work; all that `agora mine` can do if left out.
    #[arg(long, value_delimiter = ',', value_parser = parse_specialisation,
        default_value = "synthetic,inference,embedding,training,rendering,row-transform")]
    pub specialisations: Vec<Specialisation>,
    /// How many tasks a worker takes at a time.
    #[arg(long, default_value_t = 1)]
    pub slots: u32,
    /// A worker's speed in GOPS, billions of multiplications and additions per second in synthetic jobs; measured on
    /// the device if left out.
    #[arg(long)]
    pub capability: Option<u32>,
    /// The device to measure.
    #[arg(long, default_value = "auto")]
    pub device: String,
}

#[derive(Args)]
pub struct ProfileArgs {
    /// The account; that of the key if left out.
    #[arg(conflicts_with_all = ["specialisations", "slots", "capability"])]
    pub account: Option<String>,
    /// Declare these kinds of work instead.
    #[arg(long, value_delimiter = ',', value_parser = parse_specialisation)]
    pub specialisations: Vec<Specialisation>,
    /// Take so many tasks at a time.
    #[arg(long)]
    pub slots: Option<u32>,
    /// Declare this speed, in GOPS.
    #[arg(long)]
    pub capability: Option<u32>,
}

impl ProfileArgs {
    /// Whether anything is to be changed.
    pub const fn changes(&self) -> bool {
        !self.specialisations.is_empty() || self.slots.is_some() || self.capability.is_some()
    }
}

#[derive(Args)]
pub struct LeaveArgs {
    /// The role.
    #[arg(long, value_enum)]
    pub role: RoleArg,
    /// Withdraw the bond: the cool-down that began with asking to leave is over.
    #[arg(long)]
    pub withdraw: bool,
}

pub(crate) fn parse_specialisation(text: &str) -> Result<Specialisation, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|_| {
        let names = Specialisation::ALL.map(|one| crate::units::name_of(&one));
        format!("there is no such kind of work; known are {}", names.join(", "))
    })
}

#[derive(Args)]
pub struct VerifyWorkArgs {
    /// The device to check on: "auto", "cpu", an index of `agora devices`, or part of a name.
    #[arg(long, default_value = "auto")]
    pub device: String,
    #[command(flatten)]
    pub run: RunArgs,
}

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
    #[command(flatten)]
    pub peers: PeerArgs,
    /// Most of the inputs and the output of one job together, in GiB: they are held in memory. Larger jobs are left to
    /// others.
    #[arg(long, default_value_t = 8, value_name = "GIB")]
    pub max_job_size: u64,
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

#[derive(Args)]
pub struct TaskArgs {
    /// Number of the task.
    pub task: u64,
}

#[derive(Args)]
pub struct ShowArgs {
    /// Number of the task.
    #[arg(required_unless_present = "reference")]
    pub task: Option<u64>,
    #[command(flatten)]
    pub reference: ReferenceArgs,
    /// Print every change until the task has ended.
    #[arg(long)]
    pub watch: bool,
}

#[derive(Args)]
pub struct ResultArgs {
    /// Number of the task.
    pub task: u64,
    /// Write the result to this file instead of describing it.
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// What to make of it.
    #[arg(long, value_enum, default_value = "raw")]
    pub format: ResultFormat,
    #[command(flatten)]
    pub peers: PeerArgs,
}

/// What can be made of a result.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ResultFormat {
    /// The canonical bytes, whatever the job.
    Raw,
    /// The picture of a rendering job, as PNG; of several frames, the first one.
    Png,
    /// The trained network of a training job, as a model package.
    Model,
    /// The last checkpoint of a training job, to go on from.
    Checkpoint,
    /// Numbers as JSON, one line for each item: vectors of an embedding, logits of a classification, products of a
    /// matrix, losses of training.
    Json,
}

#[derive(Args)]
pub struct VerifyArgs {
    /// Number of the task.
    pub task: u64,
    /// Hash of the header to verify against; the newest finalised one if left out.
    #[arg(long)]
    pub header: Option<String>,
    /// Check the result itself too, with randomness of your own, if the blob store or a peer has it.
    #[arg(long)]
    pub check: bool,
    /// The device to check on: "auto", "cpu", an index of `agora devices`, or part of a name.
    #[arg(long, default_value = "auto", requires = "check")]
    pub device: String,
    #[command(flatten)]
    pub peers: PeerArgs,
}

#[derive(Args)]
pub struct BalanceArgs {
    /// The account; that of the key if left out.
    pub account: Option<String>,
}

#[derive(Args)]
pub struct TransferArgs {
    /// The account that receives it.
    pub to: String,
    /// How much, in units, such as 100 or 12.5.
    pub amount: Amount,
}

#[derive(Args)]
pub struct DevicesArgs {
    /// "auto", "cpu", an index of this list, or part of a name; all devices if left out.
    pub device: Option<String>,
    /// Measure how fast each device computes each kind of work (some seconds per device).
    #[arg(long)]
    pub measure: bool,
}

#[derive(Args)]
pub struct DeviceArgs {
    /// "auto", "cpu", an index of `agora devices`, or part of a name; all devices if left out.
    pub device: Option<String>,
}

#[cfg(test)]
mod tests;
