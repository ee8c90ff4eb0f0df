//! What a worker starts after each block: its hardware challenge, the next steps of its tasks, and new tasks for free
//! slots.

use super::{Shared, Worker};
use crate::{
    Stage, TaskRecord, WorkerError,
    driver::{Duty, Matter, Steps},
};
use agora_chain::{AtBlock, BlockNumber, views::TaskView};
use agora_primitives::{TaskId, job::JobSource};
use std::sync::Arc;

impl Duty for Worker {
    async fn look(&mut self, at: &AtBlock, steps: &mut Steps) -> Result<(), WorkerError> {
        // First, because its round closes soon.
        self.look_at_hardware_round(at, steps).await?;
        let unfinished = self.shared.journal.unfinished()?;
        self.shared
            .metrics
            .tasks_in_hand
            .set(i64::try_from(unfinished.len()).unwrap_or(i64::MAX));
        let free = self.shared.config.slots.saturating_sub(unfinished.len());
        for (task, record) in unfinished {
            self.start(task, at, record, steps);
        }
        self.take_tasks(at, free, steps).await
    }
}

impl Worker {
    async fn look_at_hardware_round(&self, at: &AtBlock, steps: &mut Steps) -> Result<(), WorkerError> {
        let Some(round) = self.shared.open_round(at).await? else {
            return Ok(());
        };
        let (shared, at) = (Arc::clone(&self.shared), at.clone());
        steps.start(Matter::HardwareRound(round.number), async move {
            shared.respond(&at, &round).await
        });
        Ok(())
    }

    /// Starts to take up to `free` tasks that want workers.
    async fn take_tasks(&self, at: &AtBlock, mut free: usize, steps: &mut Steps) -> Result<(), WorkerError> {
        if free == 0 {
            return Ok(());
        }
        for view in at.tasks_wanting_workers().await? {
            if free == 0 {
                break;
            }
            if steps.are_busy_with(view.id) || self.shared.is_done_with(&view)? {
                continue;
            }
            if self.wants(&view, at.block.number) {
                let record = TaskRecord {
                    stage: Stage::Accepting,
                    round: view.round,
                    salt: rand::random(),
                    claim: None,
                };
                self.shared.journal.put_task(view.id, &record)?;
                self.start(view.id, at, record, steps);
                free -= 1;
            }
        }
        Ok(())
    }

    fn wants(&self, view: &TaskView, now: BlockNumber) -> bool {
        let work = match &view.job {
            JobSource::Inline(spec) => spec.work(),
            // Not known before it is fetched, and checked again then.
            JobSource::Stored(_) => 0,
        };
        if view.publisher == self.shared.account || !view.takes(&self.shared.account, now) {
            return false;
        }
        match self.shared.config.policy.check(view, work, now) {
            Ok(()) => true,
            Err(why) => {
                tracing::debug!(task = %view.id, %why, "Not taken.");
                false
            }
        }
    }

    fn start(&self, task: TaskId, at: &AtBlock, record: TaskRecord, steps: &mut Steps) {
        let (shared, at) = (Arc::clone(&self.shared), at.clone());
        steps.start(task, async move { shared.step(task, &at, record).await });
    }
}

impl Shared {
    /// Whether the journal has dealt with the task's current round. A worker that found no place in one round may take
    /// part in a later one.
    fn is_done_with(&self, view: &TaskView) -> Result<bool, WorkerError> {
        let record = self.journal.task(view.id)?;
        Ok(record.is_some_and(|record| record.stage != Stage::Ended || record.round >= view.round))
    }
}
