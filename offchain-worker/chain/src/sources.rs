//! Who may have a task's blobs, and where they serve them.

use crate::{AccountId, AtBlock, BlockNumber, ChainError, api::api, views::TaskView};
use agora_primitives::{
    TaskId,
    judging::{Attestation, Said},
};
use futures::{StreamExt, TryStreamExt, stream};
use std::iter;
use subxt::utils::Static;

use api::runtime_types::{pallet_agora_judging::types as judging, pallet_agora_registry::types as registry};

/// Of how many accounts the addresses are looked up at most. Whoever wants to be in the way has to be among the first, and
/// the publisher and the winner come before all others.
const MOST_ACCOUNTS: usize = 16;
/// How many questions are asked at the same time.
const AT_ONCE: usize = 8;
/// How many of the registry's members are looked through for verifiers.
const MOST_MEMBERS: usize = 4096;

impl AtBlock {
    /// Where `account` says that it serves blobs, the preferred address first. Anybody can write anything there.
    pub async fn addresses(&self, account: &AccountId) -> Result<Vec<String>, ChainError> {
        let address = api::storage().registry().addresses_of();
        let Some(entry) = self.at.storage().try_fetch(address, (*account,)).await? else {
            return Ok(Vec::new());
        };
        let addresses = entry.decode()?.0.into_iter();
        Ok(addresses
            .map(|address| String::from_utf8_lossy(&address.0).into_owned())
            .collect())
    }

    /// Who has a part in an unfinished task as a worker, in no order.
    pub async fn workers_of(&self, task: TaskId) -> Result<Vec<AccountId>, ChainError> {
        let storage = self.at.storage();
        let mut entries = storage
            .iter(api::storage().tasks().contributions(), (Static(task),))
            .await?;
        let mut workers = Vec::new();
        while let Some(entry) = entries.next().await {
            let (_, worker) = entry?.key()?.decode()?;
            workers.push(worker);
        }
        Ok(workers)
    }

    /// Who attests the result of `task`, in the order in which they committed to that, while it can be appealed, but for those
    /// who are known to object: each of the others, if it is honest, has had the result.
    pub async fn attesters_for(&self, task: TaskId) -> Result<Vec<AccountId>, ChainError> {
        let address = api::storage().judging().appeal_windows();
        let Some(entry) = self.at.storage().try_fetch(address, (Static(task),)).await? else {
            return Ok(Vec::new());
        };
        let judging::AppealWindow {
            attestations: Static(attestations),
            ..
        } = entry.decode()?;
        let objects = |said: &Said| *said == Said::Revealed(Attestation::Invalid);
        let others = attestations.iter().filter(|(_, said)| !objects(said));
        Ok(others.map(|(who, _)| *who).collect())
    }

    /// The addresses of those who may have `task`'s job, its inputs or its result: its publisher, the best of its workers, and
    /// the others, and whoever has attested for the result, as far as there are few enough; not those of `but`. Anybody can write
    /// anything there.
    pub async fn sources(&self, task: &TaskView, but: Option<&AccountId>) -> Result<Vec<String>, ChainError> {
        let best = task.chosen.as_ref().map(|chosen| chosen.best);
        let (workers, attesters) = match task.phase.is_finished() {
            true => (Vec::new(), Vec::new()),
            false => tokio::try_join!(self.workers_of(task.id), self.attesters_for(task.id))?,
        };
        let first = [task.publisher].into_iter().chain(best);
        let accounts = chosen(first, alternately(attesters, workers), but);
        self.addresses_of_all(accounts).await
    }

    /// The addresses of some verifiers, drawn at random: each of them may have checked any result. For what nobody else has.
    pub async fn verifiers_sources(&self) -> Result<Vec<String>, ChainError> {
        let storage = self.at.storage();
        let mut entries = storage.iter(api::storage().registry().members(), ()).await?;
        let mut verifiers = Vec::new();
        for _ in 0..MOST_MEMBERS {
            let Some(entry) = entries.next().await else { break };
            let entry = entry?;
            let (account,) = entry.key()?.decode()?;
            let member: registry::Member<BlockNumber> = entry.value().decode()?;
            verifiers.extend(member.verifier.map(|_| account));
        }
        // Nobody can be the first everywhere.
        let count = verifiers.len().min(MOST_ACCOUNTS);
        let by_lot = rand::seq::index::sample(&mut rand::thread_rng(), verifiers.len(), count);
        let drawn = by_lot.into_iter().filter_map(|at| verifiers.get(at).copied()).collect();
        self.addresses_of_all(drawn).await
    }

    /// The addresses of all of `accounts`, each once.
    async fn addresses_of_all(&self, accounts: Vec<AccountId>) -> Result<Vec<String>, ChainError> {
        let asked = stream::iter(accounts).map(|account| async move { self.addresses(&account).await });
        let found: Vec<Vec<String>> = asked.buffered(AT_ONCE).try_collect().await?;
        let mut sources = Vec::new();
        for address in found.into_iter().flatten() {
            if !sources.contains(&address) {
                sources.push(address);
            }
        }
        Ok(sources)
    }
}

/// One of each in turn, so that however many there are of the one, some of the other are among the first.
fn alternately(one: Vec<AccountId>, other: Vec<AccountId>) -> impl Iterator<Item = AccountId> {
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    iter::from_fn(move || {
        let pair = [one.next(), other.next()];
        pair.iter().any(Option::is_some).then_some(pair)
    })
    .flatten()
    .flatten()
}

/// The accounts that are asked: `first`, then `others`, each once, without `but`.
fn chosen(
    first: impl Iterator<Item = AccountId>,
    others: impl Iterator<Item = AccountId>,
    but: Option<&AccountId>,
) -> Vec<AccountId> {
    let mut accounts: Vec<AccountId> = Vec::new();
    for account in first.chain(others) {
        if accounts.len() < MOST_ACCOUNTS && Some(&account) != but && !accounts.contains(&account) {
            accounts.push(account);
        }
    }
    accounts
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn account(number: u8) -> AccountId {
        AccountId([number; 32])
    }

    #[test]
    fn neither_many_workers_nor_many_attesters_keep_the_others_from_being_asked() {
        let many = |from: u8| (from..from + 100).map(account).collect::<Vec<_>>();
        let few = || vec![account(250), account(251)];
        for (attesters, workers) in [(few(), many(10)), (many(10), few())] {
            let asked = chosen([account(1)].into_iter(), alternately(attesters, workers), None);
            assert_eq!((asked.len(), asked[0]), (MOST_ACCOUNTS, account(1)));
            assert!(few().iter().all(|account| asked.contains(account)), "{asked:?}");
        }
    }

    #[test]
    fn each_account_is_asked_once_and_the_own_never() {
        let all = || vec![account(1), account(2), account(3)];
        let asked = chosen(all().into_iter(), alternately(all(), all()), Some(&account(2)));
        assert_eq!(asked, [account(1), account(3)]);
    }
}
