//! Where tasks come from that a worker may take.

use crate::chain::State;
use agora_chain::{BlockNumber, ChainError, views::TaskView};
use agora_primitives::TaskId;
use std::collections::{BTreeMap, BTreeSet};
use tokio::task::JoinSet;

/// Tells a worker of tasks. What it tells is a hint: before it accepts, the worker looks at the chain.
pub trait Offers<S>: Send + 'static {
    /// Takes note of the state `best` at block `now`. `changed` are the tasks that changed since the last call;
    /// with `has_gap`, others may have changed too.
    ///
    /// Errors: what could not be read. Nothing that was heard is lost.
    fn refresh(
        &mut self,
        best: &S,
        now: BlockNumber,
        changed: &[TaskId],
        has_gap: bool,
    ) -> impl Future<Output = Result<(), ChainError>> + Send;

    /// The tasks that want workers.
    fn open(&self) -> impl Iterator<Item = &TaskView>;
}

/// After so many blocks all tasks are read again, whatever was heard: a re-org between two blocks of consecutive numbers is
/// not noticed.
const REREAD_EVERY: BlockNumber = 256;
/// If more tasks than this changed, reading all is no more.
const MANY: usize = 1024;

/// What the chain offers to everybody. All tasks are read once; after that, those that a block changed.
#[derive(Default)]
pub struct ChainOffers {
    open: BTreeMap<TaskId, TaskView>,
    /// Changed, and not read since.
    stale: BTreeSet<TaskId>,
    /// When all was read; `None`: it must be.
    read_at: Option<BlockNumber>,
}

impl<S: State> Offers<S> for ChainOffers {
    async fn refresh(
        &mut self,
        best: &S,
        now: BlockNumber,
        changed: &[TaskId],
        has_gap: bool,
    ) -> Result<(), ChainError> {
        self.stale.extend(changed);
        let is_fresh = |read_at: BlockNumber| read_at <= now && now - read_at < REREAD_EVERY;
        if has_gap || self.stale.len() > MANY || !self.read_at.is_some_and(is_fresh) {
            self.read_at = None;
            let open = best.tasks_wanting_workers().await?;
            self.open = open.into_iter().map(|task| (task.id, task)).collect();
            self.stale.clear();
            self.read_at = Some(now);
            return Ok(());
        }
        let mut read = JoinSet::new();
        for task in self.stale.iter().copied() {
            let best = best.clone();
            read.spawn(async move { (task, best.task(task).await) });
        }
        while let Some(read) = read.join_next().await {
            let Ok((task, view)) = read else { continue };
            match view? {
                Some(view) if view.wants_workers() => {
                    self.open.insert(task, view);
                }
                _ => {
                    self.open.remove(&task);
                }
            }
            self.stale.remove(&task);
        }
        Ok(())
    }

    fn open(&self) -> impl Iterator<Item = &TaskView> {
        self.open.values()
    }
}
