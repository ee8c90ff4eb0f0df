//! Keeps house: what no task needs any more is removed from the own store and from the cache, once a day.
//!
//! What is kept, however old it is: whatever the tasks are made of that the chain still knows, their results, and what this account has
//! claimed or computed about those that have not ended. The chain knows a task for a day after its end, which is longer than any
//! appeal. All else is kept for a while, too: what a publisher has put there may belong to a task that it is about to publish.
//!
//! A bucket is left alone: others use it, and nobody here knows what for.

use crate::{Chain, Journal, State, WorkerError, told::Told};
use agora_blobs::{BlobKey, BlobKind, Blobs, Garbage, Wanted, read};
use agora_chain::{AccountId, views::ContributionState, views::TaskView};
use agora_primitives::{
    job::{Claim, JobSource, JobSpec},
    task::Phase,
};
use codec::DecodeAll;
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How often it is looked for what can go.
const EVERY: Duration = Duration::from_secs(24 * 3600);
/// When that is tried again where it failed.
const AGAIN: Duration = Duration::from_secs(3600);
/// What was stored so lately stays in any case: it may be of a task that is newer than what was read of the chain.
pub const LEAST_AGE: Duration = Duration::from_secs(3600);

/// What is kept although no task needs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Housekeeping {
    /// What was stored or used so lately; at least [`LEAST_AGE`] counts.
    pub age: Duration,
    /// Most bytes of the own store: what goes beyond goes earlier, the oldest first. `None`: there is no limit.
    pub quota: Option<u64>,
}

/// Who needs its own results, besides what everybody may ask for.
#[derive(Clone, Copy)]
pub enum Owner<'a> {
    /// Whoever has this journal.
    Journal(&'a Journal),
    /// This account, whose journal is in use.
    Account(&'a AccountId),
    /// Nobody.
    Nobody,
}

/// The keys of all blobs that may still be asked for, by the state `at`: of the tasks that have not ended, and of those that were
/// settled lately. Specifications are read from what is here: who has none has no input for it either.
///
/// Errors: those of the chain and of the journal. Complexity: reads all tasks that the chain knows.
pub async fn needed<S: State>(at: &S, blobs: &Blobs, owner: Owner<'_>) -> Result<HashSet<BlobKey>, WorkerError> {
    let mut needed = HashSet::new();
    let here = blobs.without_peers();
    for task in at.tasks().await? {
        let is_settled = task.phase == Phase::Settled;
        if task.phase.is_finished() && !is_settled {
            continue;
        }
        needed.extend(parts(&task, &here).await);
        let mut claims: Vec<_> = task.chosen.iter().map(|chosen| chosen.claim).collect();
        if !is_settled {
            claims.extend(own_claims(at, &task, owner).await?);
        }
        for claim in claims {
            if let Claim::Output { output, states_root } = claim {
                needed.extend([output.hash.0, states_root.0]);
            }
        }
    }
    // What the operator does not want here is kept for nobody.
    needed.retain(|key| !blobs.denied().contains(key));
    Ok(needed)
}

/// The specification of a task's job, if it is stored, and the job's inputs.
async fn parts(task: &TaskView, here: &Blobs) -> Vec<BlobKey> {
    let mut keys = Vec::new();
    let spec = match &task.job {
        JobSource::Inline(spec) => Some(spec.clone()),
        JobSource::Stored(stored) => {
            keys.push(stored.spec.hash.0);
            let bytes = read(here, &Wanted::content(BlobKind::Job, &stored.spec)).await.ok();
            bytes.and_then(|bytes| JobSpec::decode_all(&mut bytes.as_slice()).ok())
        }
    };
    keys.extend(spec.iter().flat_map(JobSpec::inputs).map(|input| input.hash.0));
    keys
}

/// What `owner` has claimed, or come to, about a task that has not ended.
async fn own_claims<S: State>(at: &S, task: &TaskView, owner: Owner<'_>) -> Result<Vec<Claim>, WorkerError> {
    match owner {
        Owner::Journal(journal) => Ok(journal.claims(task.id)?),
        Owner::Account(account) => {
            let part = at.contribution(task.id, account).await?;
            Ok(match part.map(|part| part.state) {
                Some(ContributionState::Revealed { claim, .. }) => vec![claim],
                _ => Vec::new(),
            })
        }
        Owner::Nobody => Ok(Vec::new()),
    }
}

/// Keeps house for one account.
pub struct Housekeeper<C> {
    chain: C,
    journal: Journal,
    blobs: Blobs,
    config: Housekeeping,
    told: Told,
}

impl<C: Chain<State: State>> Housekeeper<C> {
    /// For the account of `chain`, with its `journal`.
    pub fn new(chain: C, journal: Journal, blobs: Blobs, config: Housekeeping) -> Self {
        Self {
            chain,
            journal,
            blobs,
            config,
            told: Told::default(),
        }
    }

    /// Keeps house now and once a day, until `shutdown`. What fails is said once, and tried again.
    pub async fn run(self, shutdown: CancellationToken) {
        loop {
            let pause = match self.tidy().await {
                Ok(Some(_)) => {
                    self.told.is_over("garbage");
                    EVERY
                }
                Ok(None) => AGAIN,
                Err(error) => {
                    if self.told.is_new("garbage", &error) {
                        tracing::warn!(%error, "What is not needed any more could not be removed; trying again in an hour.");
                    }
                    AGAIN
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Removes what is not needed any more, and returns what that was. `None`: the node is behind what was seen before, and its
    /// tasks are those of then.
    ///
    /// Errors: those of the chain, of the journal and of the disk.
    pub async fn tidy(&self) -> Result<Option<Garbage>, WorkerError> {
        let best = self.chain.best().await?;
        if C::block_of(&best).number < self.journal.seen()?.best {
            return Ok(None);
        }
        // A market may have very many tasks: they are read if there is something that could go.
        let could_go = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&could_go);
        let keep_all = move |_: &BlobKey| {
            asked.store(true, Ordering::Relaxed);
            true
        };
        let mut removed = self.remove(keep_all).await?;
        if could_go.load(Ordering::Relaxed) {
            let needed = needed(&best, &self.blobs, Owner::Journal(&self.journal)).await?;
            removed = self.remove(move |key| needed.contains(key)).await?;
        }
        if removed.removed > 0 {
            tracing::info!(
                blobs = removed.removed,
                bytes = removed.removed_bytes,
                "Removed what no task needs any more."
            );
        }
        self.say_if_too_large()?;
        Ok(Some(removed))
    }

    /// Removes what is old, or beyond the quota, and not `needed`.
    async fn remove(&self, needed: impl Fn(&BlobKey) -> bool + Send + 'static) -> Result<Garbage, WorkerError> {
        let (blobs, config) = (self.blobs.clone(), self.config);
        let runtime = tokio::runtime::Handle::current();
        let removed = tokio::task::spawn_blocking(move || runtime.block_on(remove(&blobs, config, needed)));
        removed
            .await
            .map_err(|panic| WorkerError::Interrupted(panic.to_string()))?
    }

    /// Says, once, that the store is larger than it may be, because tasks need what is in it.
    fn say_if_too_large(&self) -> Result<(), WorkerError> {
        let (Some(quota), Some(used)) = (self.config.quota, self.blobs.store().used()?) else {
            return Ok(());
        };
        if used <= quota {
            self.told.is_over("store");
        } else if self.told.is_new("store", "") {
            tracing::warn!(
                used,
                quota,
                "The blob store has more bytes than --store-size allows: tasks need them, or they were stored within the hour."
            );
        }
        Ok(())
    }
}

async fn remove(
    blobs: &Blobs,
    config: Housekeeping,
    needed: impl Fn(&BlobKey) -> bool,
) -> Result<Garbage, WorkerError> {
    let age = config.age.max(LEAST_AGE);
    let mut sum = Garbage::default();
    if blobs.store().used()?.is_some() {
        sum = blobs.store().collect_garbage(age, |_, key| needed(key)).await?;
        if let Some(quota) = config.quota {
            sum = sum.and(blobs.store().shrink(quota, LEAST_AGE, |_, key| needed(key))?);
        }
    }
    Ok(sum.and(blobs.cache().collect_garbage(age, needed)?))
}
