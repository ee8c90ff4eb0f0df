//! The command lines about an account: its keys, its roles, its money, and who may act for it.

use crate::units::Amount;
use agora_chain::{AccountId, ProxyType};
use agora_primitives::participants::{Role, Specialisation};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use url::Url;

#[derive(Args)]
pub struct KeysArgs {
    #[command(subcommand)]
    pub command: KeysCommand,
}

#[derive(Subcommand)]
pub enum KeysCommand {
    /// Make a new key and write it to a file that only you can read.
    Generate {
        /// The file; it must not exist.
        file: PathBuf,
        /// Encrypt it with a password: that of --password-file, or one that is asked for. Polkadot's wallets read it too.
        #[arg(long)]
        encrypt: bool,
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
    /// The bond, in units, such as 100 or 12.5. Of a worker's slots, those count in draws that it covers, with the role's
    /// minimum for each.
    #[arg(long, value_name = "AMOUNT")]
    pub bond: Amount,
    /// A worker's kinds of work; all that `agora mine` can do if left out.
    #[arg(long, value_delimiter = ',', value_parser = parse_specialisation,
        default_value = "synthetic,inference,embedding,training,rendering,row-transform,program")]
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

/// Reads an account's address.
pub(super) fn parse_account(text: &str) -> Result<AccountId, String> {
    text.parse()
        .map_err(|error| format!("{text:?} is not an account address: {error}"))
}

/// Reads a hash: 64 hex digits, as `b3sum` prints them.
pub(super) fn parse_hash(text: &str) -> Result<[u8; 32], String> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text.trim_start_matches("0x"), &mut hash)
        .map_err(|_| "a hash has 64 hex digits".to_owned())?;
    Ok(hash)
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
pub struct AddressesArgs {
    /// The account; that of the key if left out.
    #[arg(conflicts_with_all = ["set", "clear"])]
    pub account: Option<String>,
    /// Publish this URL as where the account serves blobs, instead of what is there; the preferred one first.
    #[arg(long, value_name = "URL")]
    pub set: Vec<Url>,
    /// Publish none any more, and take back the deposit.
    #[arg(long, conflicts_with = "set")]
    pub clear: bool,
    /// Also take addresses on this machine and in private networks.
    #[arg(long, requires = "set")]
    pub allow_private: bool,
}

#[derive(Args)]
pub struct ProxyArgs {
    #[command(subcommand)]
    pub command: ProxyCommand,
}

#[derive(Subcommand)]
pub enum ProxyCommand {
    /// Let another key act for the account of this one. It takes a deposit.
    Add(ProxyOfArgs),
    /// Take that back.
    Remove(ProxyOfArgs),
    /// List the keys that may act for an account.
    List {
        /// The account; that of the key if left out.
        account: Option<String>,
    },
}

#[derive(Args)]
pub struct ProxyOfArgs {
    /// The account of the key that acts.
    pub proxy: String,
    /// What it may do.
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    pub proxy_type: ProxyTypeArg,
}

/// What a proxy may do, as the command line names it.
#[derive(Clone, Copy, ValueEnum)]
pub enum ProxyTypeArg {
    /// The work of workers and verifiers. It can lose bonds, and move or withdraw nothing.
    Work,
    /// Publish tasks and cancel them, with the account's money.
    Publish,
    /// Everything that the account's own key may do.
    Any,
}

impl From<ProxyTypeArg> for ProxyType {
    fn from(sort: ProxyTypeArg) -> Self {
        match sort {
            ProxyTypeArg::Work => Self::Work,
            ProxyTypeArg::Publish => Self::Publish,
            ProxyTypeArg::Any => Self::Any,
        }
    }
}
