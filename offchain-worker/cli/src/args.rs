//! The command line.

mod account;
mod blobs;
mod court;
mod mine;
mod models;
mod operate;
mod program;
mod publish;
mod run;
mod url;

pub(crate) use account::parse_specialisation;
pub use account::{
    AddressesArgs, BalanceArgs, KeysArgs, KeysCommand, LeaveArgs, ProfileArgs, ProxyArgs, ProxyCommand, ProxyOfArgs,
    RegisterArgs, RoleArg, TransferArgs,
};
pub use blobs::{BlobsArgs, BlobsCommand, GarbageArgs, GetArgs, PeerArgs, PutArgs, ServeArgs};
pub use court::{DisputeArgs, DisputesArgs, GoToCourtArgs};
pub use mine::MineArgs;
pub use models::{EmbedArgs, ModelArgs, ModelCommand};
#[cfg(test)]
pub use operate::PhaseArg;
pub use operate::{
    CompletionsArgs, DoctorArgs, EarningsArgs, JournalArgs, JournalCommand, ManArgs, ReferenceArgs, StatusArgs,
    TasksArgs, WaitArgs, WaitFor,
};
pub use program::{ProgramCommand, ProgramsArgs, TryArgs};
pub use publish::{PublishArgs, TermsArgs};
pub use run::RunArgs;

use crate::output::Format;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// What `agora --version` says: whoever runs a build that can misbehave should know.
const VERSION: &str = if cfg!(feature = "fault-injection") {
    concat!(
        env!("CARGO_PKG_VERSION"),
        " with fault injection: for tests and demonstrations only"
    )
} else {
    env!("CARGO_PKG_VERSION")
};

/// Publish work on an Agora chain, compute it, check it, and verify what was settled.
#[derive(Parser)]
#[command(name = "agora", version = VERSION, after_help = crate::exit::EXPLAINED, max_term_width = 100)]
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
    /// File with the secret phrase of the signing key, or an account that a wallet of Polkadot has exported; readable by
    /// its owner alone. Without it, the phrase is taken from the environment variable AGORA_KEY.
    #[arg(long, global = true, env = "AGORA_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// File with the password of an encrypted --key-file, readable by its owner alone. Without it, the password is asked for
    /// on the terminal.
    #[arg(long, global = true, env = "AGORA_PASSWORD_FILE", value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Sign with a well-known key of development chains, such as //Alice. Everybody has these keys.
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "key_file")]
    pub dev: Option<String>,
    /// Act for this account, which has made the key its proxy: see `agora proxy`. The key pays the fees; bonds, pay and what
    /// is published are the account's.
    #[arg(long, global = true, env = "AGORA_PROXIED", value_name = "ACCOUNT")]
    pub proxied: Option<String>,
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
    /// Show where an account says that it serves blobs, or say it.
    Addresses(AddressesArgs),
    /// Let another key act for an account, so that the account's own need not be on a worker's machine.
    Proxy(ProxyArgs),
    /// Work: take tasks, compute, commit, reveal, collect.
    Mine(MineArgs),
    /// Check results while they can be appealed, and attest for or against them.
    VerifyWork(VerifyWorkArgs),
    /// Publish a task with money behind it.
    Publish(PublishArgs),
    /// Take back a task that nobody works on: nobody has accepted it, or all who have are silent for too long.
    Cancel(TaskArgs),
    /// List tasks.
    Tasks(TasksArgs),
    /// Show one task, or watch it.
    Task(ShowArgs),
    /// Wait until a task has come so far.
    Wait(WaitArgs),
    /// Fetch the result of a task.
    Result(ResultArgs),
    /// List what is in court: claims that may be accused, and their trials.
    Disputes(DisputesArgs),
    /// Show a trial, or follow it move by move.
    Dispute(DisputeArgs),
    /// Compute a task, and accuse its result if it is wrong, until that is decided.
    Accuse(GoToCourtArgs),
    /// Compute a task, and defend its result if it is right, until it cannot be accused any more.
    Defend(GoToCourtArgs),
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
    /// Make programs for jobs, and try them on this machine.
    Program(ProgramsArgs),
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
pub struct VerifyWorkArgs {
    /// The device to check on: "auto", "cpu", an index of `agora devices`, or part of a name.
    #[arg(long, default_value = "auto")]
    pub device: String,
    /// Which results to compute instead of checking drawn parts of them.
    #[arg(long, value_enum, default_value = "withheld", help_heading = "Recomputing")]
    pub recompute: RecomputeArg,
    /// Most multiply–adds of a job that is computed so; larger ones are checked only.
    #[arg(long, default_value_t = u64::MAX, value_name = "MULTIPLY-ADDS", help_heading = "Recomputing")]
    pub max_recompute_work: u64,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Which results a verifier computes itself.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RecomputeArg {
    /// Those that nobody gives: from the job's inputs, to serve them if they are right, and to accuse them if they are not.
    Withheld,
    /// All, also those that this verifier is not drawn for: it cannot attest there, but accuses what is wrong.
    Always,
    /// None: what nobody gives is not judged.
    Never,
}

impl From<RecomputeArg> for agora_worker::Recompute {
    fn from(which: RecomputeArg) -> Self {
        match which {
            RecomputeArg::Withheld => Self::Withheld,
            RecomputeArg::Always => Self::Always,
            RecomputeArg::Never => Self::Never,
        }
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
    /// Write the result to this file instead of describing it; of --format records, to files in this folder.
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
    /// matrix, losses of training; of a program the output of each item.
    Json,
    /// The outputs of a program's items, one after the other, as a text.
    Text,
    /// The output of each item of a program, in a file of its own.
    Records,
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
