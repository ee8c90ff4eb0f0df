//! Who may have a task's blobs, and where they serve them.

use crate::{AccountId, AtBlock, ChainError, api::api, views::TaskView};
use agora_primitives::TaskId;
use futures::{StreamExt, TryStreamExt, stream};
use subxt::utils::Static;

/// Of how many accounts the addresses are looked up at most. Whoever wants to be in the way has to be among the first, and
/// the publisher and the winner come before all others.
const MOST_ACCOUNTS: usize = 16;
/// How many questions are asked at the same time.
const AT_ONCE: usize = 8;

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

    /// The addresses of those who may have `task`'s job, its inputs or its result: its publisher, the best of its workers,
    /// and the others as far as there are few enough; not those of `but`. Anybody can write anything there.
    pub async fn sources(&self, task: &TaskView, but: Option<&AccountId>) -> Result<Vec<String>, ChainError> {
        let best = task.chosen.as_ref().map(|chosen| chosen.best);
        let others = match task.phase.is_finished() {
            true => Vec::new(),
            false => self.workers_of(task.id).await?,
        };
        let mut accounts: Vec<AccountId> = Vec::new();
        for account in [task.publisher].into_iter().chain(best).chain(others) {
            if Some(&account) != but && !accounts.contains(&account) {
                accounts.push(account);
            }
        }
        accounts.truncate(MOST_ACCOUNTS);
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
