//! The command lines of looking at the market and of running a worker day by day.

use super::parse_specialisation;
use crate::units::Reference;
use agora_primitives::{participants::Specialisation, task::Phase};
use clap::{Args, Subcommand, ValueEnum};
use std::{net::SocketAddr, path::PathBuf};

/// Which tasks are listed, and how many.
#[derive(Args)]
pub struct TasksArgs {
    /// Only tasks of this account.
    #[arg(long, value_name = "ACCOUNT")]
    pub publisher: Option<String>,
    /// Only unfinished tasks in which this account works.
    #[arg(long, value_name = "ACCOUNT")]
    pub worker: Option<String>,
    /// Only tasks that have not ended.
    #[arg(long)]
    pub open: bool,
    /// Only tasks of the class with this number.
    #[arg(long, value_name = "NUMBER")]
    pub class: Option<u16>,
    /// Only tasks in these phases.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub phase: Vec<PhaseArg>,
    /// Only these kinds of work.
    #[arg(long, value_delimiter = ',', value_parser = parse_specialisation)]
    pub kind: Vec<Specialisation>,
    /// At most so many. Where there are more, a line on standard error says how to see the next ones.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Only tasks with a larger number than this.
    #[arg(long, value_name = "TASK")]
    pub after: Option<u64>,
}

/// A phase, as the command line names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum PhaseArg {
    Open,
    Working,
    Revealing,
    Judging,
    Appealable,
    Settled,
    Cancelled,
    Expired,
    Failed,
}

impl From<PhaseArg> for Phase {
    fn from(phase: PhaseArg) -> Self {
        match phase {
            PhaseArg::Open => Self::Open,
            PhaseArg::Working => Self::Working,
            PhaseArg::Revealing => Self::Revealing,
            PhaseArg::Judging => Self::Judging,
            PhaseArg::Appealable => Self::Appealable,
            PhaseArg::Settled => Self::Settled,
            PhaseArg::Cancelled => Self::Cancelled,
            PhaseArg::Expired => Self::Expired,
            PhaseArg::Failed => Self::Failed,
        }
    }
}

/// A task by its publisher's own name of it.
#[derive(Args)]
pub struct ReferenceArgs {
    /// The publisher's own name of the task instead of its number: 32 hex digits, or a UUID.
    #[arg(long, value_name = "HEX", conflicts_with = "task")]
    pub reference: Option<Reference>,
    /// Whose name of the task that is; the account of the key if left out.
    #[arg(long, value_name = "ACCOUNT", requires = "reference")]
    pub publisher: Option<String>,
}

#[derive(Args)]
pub struct WaitArgs {
    /// Number of the task.
    pub task: u64,
    /// How far it must have come.
    #[arg(long = "for", value_enum)]
    pub until: WaitFor,
    /// Give up after so many seconds, with exit code 8.
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
}

/// What can be waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum WaitFor {
    /// All workers of the round have accepted, or more has happened.
    Accepted,
    /// All that was committed to is revealed, or more has happened.
    Revealed,
    /// It is settled and paid, in a finalised block.
    Settled,
    /// It has ended, whichever way, in a finalised block.
    Ended,
}

#[derive(Args)]
pub struct StatusArgs {
    /// The account; that of the key if left out.
    pub account: Option<String>,
    /// Test the devices too, which takes some seconds each.
    #[arg(long)]
    pub self_test: bool,
}

#[derive(Args)]
pub struct EarningsArgs {
    /// The account; that of the key if left out.
    pub account: Option<String>,
    /// How many of the newest finalised blocks to read.
    #[arg(long, value_name = "BLOCKS", default_value_t = 1000)]
    pub since: u32,
    /// This task alone; if the chain still knows it, all blocks since it was published are read.
    #[arg(long, value_name = "NUMBER")]
    pub task: Option<u64>,
}

#[derive(Args)]
pub struct JournalArgs {
    #[command(subcommand)]
    pub command: JournalCommand,
    /// The journal; that of the key's account in the data folder if left out. Its worker must not be running.
    #[arg(long, global = true, value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

#[derive(Subcommand)]
pub enum JournalCommand {
    /// List its records, without secrets.
    List {
        /// Ended tasks too.
        #[arg(long)]
        all: bool,
    },
    /// Write its records to a new file that only you can read, one JSON document a line.
    Export {
        /// The file; it must not exist.
        file: PathBuf,
        /// The salts too. Who has them can see what was committed to, and reveal it in your stead.
        #[arg(long)]
        with_secrets: bool,
    },
    /// Check it, and set aside the records that cannot be read.
    Repair,
}

#[derive(Args)]
pub struct DoctorArgs {
    /// The devices to test, as in `agora mine`; all that are no software adapter if left out.
    #[arg(long = "device")]
    pub devices: Vec<String>,
    /// Addresses at which a worker is to listen, such as 127.0.0.1:9616: whether they are free.
    #[arg(long = "listen", value_name = "ADDRESS")]
    pub listen: Vec<SocketAddr>,
    /// Leave out the devices' self-tests.
    #[arg(long)]
    pub quick: bool,
}

#[derive(Args)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: clap_complete::Shell,
}

#[derive(Args)]
pub struct ManArgs {
    /// The folder; it is made if it does not exist.
    pub folder: PathBuf,
}
