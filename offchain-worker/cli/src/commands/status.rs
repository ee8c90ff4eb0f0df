//! `agora status`

mod hand;

use crate::{
    args::StatusArgs,
    commands::{
        balance::Held,
        devices::{DeviceHealth, device_health},
        journal,
    },
    context::Context,
    exit::CliError,
    output::answer,
    progress,
    units::{Amount, name_of},
};
use agora_chain::{AccountId, AtBlock, Client, NodeView};
use agora_primitives::{money::Purpose, participants::Role};
use hand::InHand;
use serde::Serialize;
use std::{
    fmt::Write,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// The roles that an account can have.
const ROLES: [Role; 4] = [Role::Worker, Role::Verifier, Role::Orchestrator, Role::Expert];

/// All that somebody who runs a worker wants to see at a glance.
#[derive(Serialize)]
pub struct Status {
    url: String,
    node: NodeView,
    /// How many blocks finality is behind the best block.
    finality_lag: u32,
    /// How old the best block is by this machine's clock, in seconds.
    best_block_age: i64,
    account: String,
    free: String,
    held: String,
    roles: Vec<Standing>,
    deposits: Vec<Held>,
    tasks: Vec<InHand>,
    journal: JournalState,
    data_folder: String,
    /// The free space below the data folder, in bytes; `None`: the system does not tell.
    disk_free: Option<u64>,
    devices: Vec<DeviceHealth>,
}

/// A role of the account.
#[derive(Serialize)]
struct Standing {
    role: Role,
    /// The bond that is held for it, in plancks.
    bond: String,
    /// The block in which the account was last heard of.
    last_heartbeat: u32,
}

/// What is known of the account's journal on this machine.
#[derive(Serialize)]
struct JournalState {
    file: String,
    /// `absent`, `in-use` (its worker is running), `closed` or `unreadable`.
    state: &'static str,
    /// How many tasks in it have not ended; `None`: it is not closed.
    unfinished: Option<usize>,
}

pub async fn run(context: &Context, args: StatusArgs) -> Result<(), CliError> {
    let account = context.account(args.account.as_deref())?;
    let shown = progress::spinner(context, "asking the node");
    let client = context.client().await?;
    let at = client.best().await?;
    let node = client.node().await?;
    let balance = at.balance(&account).await?;
    let deposits = at.deposits(&account).await?;
    let tasks = hand::tasks(&at, &account, &deposits).await?;
    shown.say("asking the devices".to_owned());
    let options = context.gpu_options();
    let tested = args.self_test;
    let devices = tokio::task::spawn_blocking(move || device_health(&options, tested))
        .await
        .unwrap_or_default();
    drop(shown);
    let folder = context.data()?;
    let status = Status {
        url: client.url().to_owned(),
        finality_lag: node.best.saturating_sub(node.finalised),
        best_block_age: age_s(at.time_ms().await?),
        node,
        account: account.to_string(),
        free: balance.free.to_string(),
        held: balance.held.to_string(),
        roles: roles(&at, &account, &deposits).await?,
        deposits: deposits.iter().map(Held::from).collect(),
        tasks,
        journal: journal_state(&context.journal_file(&account)?),
        disk_free: free_space(&folder),
        data_folder: folder.display().to_string(),
        devices,
    };
    answer(context, &status, |status| describe(status, balance.free, balance.held));
    Ok(())
}

/// How long ago a time is by this machine's clock, in seconds; negative if it is to come.
pub fn age_s(time_ms: u64) -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let ms = i64::try_from(now)
        .unwrap_or(i64::MAX)
        .saturating_sub(i64::try_from(time_ms).unwrap_or(i64::MAX));
    ms / 1000
}

async fn roles(
    at: &AtBlock,
    account: &AccountId,
    deposits: &[agora_chain::views::DepositView],
) -> Result<Vec<Standing>, CliError> {
    let mut standings = Vec::new();
    for role in ROLES {
        let Some(participant) = at.participant(account, role).await? else {
            continue;
        };
        let bond = deposits.iter().find(|deposit| {
            deposit.purpose == Purpose::RoleBond && deposit.scope == agora_primitives::money::Scope::Role(role)
        });
        standings.push(Standing {
            role,
            bond: bond.map_or(0, |bond| bond.amount).to_string(),
            last_heartbeat: participant.last_heartbeat,
        });
    }
    Ok(standings)
}

fn journal_state(path: &Path) -> JournalState {
    let (state, unfinished) = match journal::open(path) {
        Ok(journal) => match journal.entries() {
            Ok(entries) => {
                let ended = |record: &serde_json::Value| record.get("stage").is_some_and(|stage| stage == "ended");
                let tasks = entries.iter().filter(|entry| entry.table == "tasks");
                let open = tasks.filter(|entry| !entry.record.as_ref().is_some_and(ended)).count();
                ("closed", Some(open))
            }
            Err(_) => ("unreadable", None),
        },
        Err(CliError::NotFound(_)) => ("absent", None),
        Err(CliError::Unfit(_)) => ("in-use", None),
        Err(_) => ("unreadable", None),
    };
    JournalState {
        file: path.display().to_string(),
        state,
        unfinished,
    }
}

/// The free space of the file system that `folder` is on, or will be on once it is made.
pub fn free_space(folder: &Path) -> Option<u64> {
    let mut existing: PathBuf = std::path::absolute(folder).ok()?;
    while !existing.exists() {
        existing = existing.parent()?.to_owned();
    }
    let stat = nix::sys::statvfs::statvfs(&existing).ok()?;
    Some(stat.blocks_available().saturating_mul(stat.fragment_size()))
}

fn describe(status: &Status, free: u128, held: u128) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name:<11}{value}");
    };
    let node = &status.node;
    line("node", format!("{}, {} {}", status.url, node.name, node.version));
    let sync = if node.syncing {
        format!("catching up, {} blocks to go", node.highest.saturating_sub(node.best))
    } else {
        "in sync".to_owned()
    };
    line("", format!("{sync}, {} peers", node.peers));
    line(
        "chain",
        format!("best block {}, {} s old", node.best, status.best_block_age),
    );
    line(
        "",
        format!("finalised block {}, {} behind", node.finalised, status.finality_lag),
    );
    line("account", status.account.clone());
    line("money", format!("{} free, {} held", Amount(free), Amount(held)));
    for standing in &status.roles {
        let bond = Amount(standing.bond.parse().unwrap_or_default());
        line(
            &name_of(&standing.role),
            format!("bond {bond}, last heard of in block {}", standing.last_heartbeat),
        );
    }
    if status.tasks.is_empty() {
        line("tasks", "none in hand".to_owned());
    }
    for task in &status.tasks {
        line("task", task.to_string());
    }
    let journal = match status.journal.unfinished {
        Some(count) => format!("{}, {count} tasks not ended", status.journal.state),
        None => status.journal.state.replace('-', " "),
    };
    line("journal", format!("{} ({journal})", status.journal.file));
    let space = status.disk_free.map_or_else(
        || "unknown".to_owned(),
        |bytes| agora_compute::ByteCount(bytes).to_string(),
    );
    line("disk", format!("{space} free below {}", status.data_folder));
    for device in &status.devices {
        line("device", device.to_string());
    }
    text.trim_end().to_owned()
}

/// For other commands: whether the node can be believed, and if not, why.
pub async fn node_trouble(client: &Client) -> Result<Option<String>, CliError> {
    let node = client.node().await?;
    Ok(if node.syncing {
        Some(format!(
            "it is {} blocks behind; wait until it has caught up",
            node.highest.saturating_sub(node.best)
        ))
    } else if node.should_have_peers && node.peers == 0 {
        Some("it is connected to no other node; see its log, its boot nodes and the firewall".to_owned())
    } else {
        None
    })
}

#[cfg(test)]
pub mod tests;
