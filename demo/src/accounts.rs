//! Who takes part, and what they have.

use crate::error::DemoError;
use agora_chain::{AccountId, AtBlock, Balance, KeySource, views::treasury_account};
use std::collections::BTreeMap;

/// A participant of the demonstration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// What it is called in the demonstration.
    pub name: &'static str,
    /// Its development key.
    pub key: &'static str,
    /// How it misbehaves.
    pub fault: Option<&'static str>,
}

const fn part(name: &'static str, key: &'static str, fault: Option<&'static str>) -> Part {
    Part { name, key, fault }
}

/// Publishes and pays.
pub const PUBLISHER: Part = part("publisher", "//Publisher", None);
/// Compute.
pub const WORKERS: [Part; 5] = [
    part("worker 1", "//Worker1", None),
    part("worker 2", "//Worker2", None),
    part("worker 3", "//Worker3", None),
    part("worker 4 (corrupts)", "//Worker4", Some("corrupt")),
    part("worker 5 (silent)", "//Worker5", Some("silent")),
];
/// Check.
pub const VERIFIERS: [Part; 2] = [
    part("verifier 1", "//Verifier1", None),
    part("verifier 2", "//Verifier2", None),
];

/// The parts by account.
pub struct Cast {
    names: BTreeMap<[u8; 32], &'static str>,
}

impl Cast {
    pub fn new() -> Result<Self, DemoError> {
        let parts = [PUBLISHER].into_iter().chain(WORKERS).chain(VERIFIERS);
        let mut names = parts
            .map(|part| Ok((part.account()?.0, part.name)))
            .collect::<Result<BTreeMap<_, _>, DemoError>>()?;
        names.insert(treasury_account().0, "treasury");
        Ok(Self { names })
    }

    /// What `account` is called.
    pub fn name(&self, account: &AccountId) -> String {
        self.names
            .get(&account.0)
            .map_or_else(|| account.to_string(), |name| (*name).to_owned())
    }
}

impl Part {
    pub fn account(&self) -> Result<AccountId, DemoError> {
        let keypair = KeySource::Development(self.key.to_owned()).load();
        Ok(keypair.map_err(|error| DemoError::Check(error.to_string()))?.account())
    }
}

/// All the chain's money at one block.
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

    /// What all accounts have together.
    pub fn sum(&self) -> Balance {
        self.totals.values().sum()
    }
}
