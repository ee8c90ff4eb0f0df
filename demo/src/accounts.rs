//! The participants, and what they have.

use crate::error::DemoError;
use agora_chain::{AccountId, AtBlock, Balance, KeySource, views::treasury_account};
use std::collections::BTreeMap;

/// A participant of the demonstration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Participant {
    /// What it is called in the demonstration.
    pub name: &'static str,
    /// Its development key.
    pub key: &'static str,
    /// How it misbehaves.
    pub fault: Option<&'static str>,
}

const fn participant(name: &'static str, key: &'static str, fault: Option<&'static str>) -> Participant {
    Participant { name, key, fault }
}

/// The account that publishes and pays.
pub const PUBLISHER: Participant = participant("publisher", "//Publisher", None);
/// The accounts that compute.
pub const WORKERS: [Participant; 5] = [
    participant("worker 1", "//Worker1", None),
    participant("worker 2", "//Worker2", None),
    participant("worker 3", "//Worker3", None),
    participant("worker 4 (corrupts)", "//Worker4", Some("corrupt")),
    participant("worker 5 (silent)", "//Worker5", Some("silent")),
];
/// Who agrees with worker 4 on what is wrong, in the dispute.
pub const CARTEL: [Participant; 3] = [
    participant("worker 6 (corrupts)", "//Worker6", Some("corrupt")),
    participant("worker 7 (corrupts)", "//Worker7", Some("corrupt")),
    participant("worker 8 (corrupts)", "//Worker8", Some("corrupt")),
];
/// The accounts that check.
pub const VERIFIERS: [Participant; 2] = [
    participant("verifier 1", "//Verifier1", None),
    participant("verifier 2", "//Verifier2", None),
];

/// The names of the accounts.
pub struct Names {
    names: BTreeMap<[u8; 32], &'static str>,
}

impl Names {
    pub fn new() -> Result<Self, DemoError> {
        let participants = [PUBLISHER].into_iter().chain(WORKERS).chain(CARTEL).chain(VERIFIERS);
        let mut names = participants
            .map(|participant| Ok((participant.account()?.0, participant.name)))
            .collect::<Result<BTreeMap<_, _>, DemoError>>()?;
        names.insert(treasury_account().0, "treasury");
        Ok(Self { names })
    }

    /// The name of `account` in the demonstration.
    pub fn name(&self, account: &AccountId) -> String {
        self.names
            .get(&account.0)
            .map_or_else(|| account.to_string(), |name| (*name).to_owned())
    }
}

impl Participant {
    pub fn account(&self) -> Result<AccountId, DemoError> {
        let keypair = KeySource::Development(self.key.to_owned()).load();
        Ok(keypair.map_err(|error| DemoError::Check(error.to_string()))?.account())
    }
}

/// All the money of the chain at one block.
pub struct Books {
    totals: BTreeMap<[u8; 32], Balance>,
    pub issuance: Balance,
}

impl Books {
    pub async fn read(at: &AtBlock) -> Result<Self, DemoError> {
        let balances = at.balances().await?;
        let totals = balances
            .into_iter()
            .map(|(account, balance)| (account.0, balance.free + balance.held))
            .collect();
        Ok(Self {
            totals,
            issuance: at.total_issuance().await?,
        })
    }

    /// What `account` has, free and held.
    pub fn of(&self, account: &AccountId) -> Balance {
        self.totals.get(&account.0).copied().unwrap_or_default()
    }

    /// What all accounts have in sum.
    pub fn sum(&self) -> Balance {
        self.totals.values().sum()
    }
}
