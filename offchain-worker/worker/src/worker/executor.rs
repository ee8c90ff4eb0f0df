//! What a worker does about one task that it has in hand: commit to the result, reveal it, show it, close its record.
//!
//! Each step writes what a later one needs to the journal before it sends anything.

use super::{
    Shared,
    computing::{Check, Computed, Deadline},
    preparing::{Loaded, job_of},
    step::{Situation, Step},
};
#[cfg(feature = "fault-injection")]
use crate::fault::{Fault, Pause};
use crate::{
    Call, Chain, Due, Judged, Receipt, Stage, TaskRecord, WorkerError,
    chain::State,
    driver::Heads,
    job::{evidence, put_result},
    late,
};
use agora_blobs::{BlobError, BlobKind, Wanted, copy};
use agora_chain::{
    Amount, BlockNumber, BlockRef, ChainError, H256,
    views::{ContributionState, TaskView},
};
use agora_primitives::{TaskId, commitment::commitment, job::Claim, judging::JudgeRule};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// What is said about the commitment to a result of `task`.
fn commitment_of(task: TaskId) -> String {
    format!("commitment {task}")
}

/// What is said about the result of `task` that this machine has lost.
fn lost_result_of(task: TaskId) -> String {
    format!("lost result {task}")
}

/// A result that is lost is computed again behind everything that has a deadline.
const NO_HURRY: Duration = Duration::from_secs(86_400);

/// How long a reveal that settles its task waits for the store: what the chain computes itself is small.
const STORE_TAKES: Duration = Duration::from_secs(2);

/// How often a step is decided anew, or the next one taken, before another block is looked at.
const REPEATS: usize = 3;

impl<C: Chain<State: State>> Shared<C> {
    /// Does what is due about one task. If the block on which that was decided is gone, it is decided anew at once, and when a result is
    /// computed, it is committed to at once: the next block that the node shows may be too late.
    pub(super) async fn step(
        &self,
        task: TaskId,
        heads: &Heads<C::State>,
        record: TaskRecord,
    ) -> Result<(), WorkerError> {
        let mut stage = record.stage;
        let mut ended = self.step_once(task, heads, record).await;
        for _ in 0..REPEATS {
            let Some(record) = self.book.record(task) else {
                break;
            };
            let is_computed = ended.is_ok() && (stage, record.stage) == (Stage::Accepting, Stage::Committing);
            let is_gone = matches!(&ended, Err(WorkerError::Chain(ChainError::OtherFork)));
            if !is_computed && !is_gone {
                break;
            }
            let heads = Heads {
                best: self.chain.best().await?,
                finalised: heads.finalised.clone(),
                read_at: Instant::now(),
            };
            if is_computed && C::block_of(&heads.best).number < self.book.seen_best() {
                // The node is behind: it is believed in nothing.
                break;
            }
            stage = record.stage;
            ended = self.step_once(task, &heads, record).await;
        }
        ended
    }

    async fn step_once(&self, task: TaskId, heads: &Heads<C::State>, record: TaskRecord) -> Result<(), WorkerError> {
        let (step, best, view) = self.situations(task, heads, &record).await?;
        self.keep_late(task).await;
        if !self.book.may_send(task, step, &best) {
            return Ok(());
        }
        let at = C::block_of(&heads.best);
        if let (Step::Compute | Step::Commit, Some(view)) = (step, &view)
            && !record.is_about(view)
        {
            return self.begin_anew(task, record, view, at.number);
        }
        match (step, view) {
            (Step::Wait, Some(view)) => late::take_step(&self.chain, &self.told, &view, at).await,
            (Step::Wait, None) => Ok(()),
            (Step::End, _) => self.end(task, record, C::block_of(&heads.finalised).number).await,
            (Step::Forget, _) => {
                tracing::info!("The task was never accepted.");
                self.withdraw(task, record.round).await;
                self.remove_folder(task);
                self.book.forget(task)
            }
            (Step::Accept, Some(view)) => self.take_again(&view, record, heads).await,
            (Step::Compute, Some(view)) => self.compute(&view, record, best).await,
            (Step::Commit, Some(_)) => {
                self.metrics
                    .slack(self.config.policy.time_of(best.commit_by().saturating_sub(best.now)));
                self.commit(task, &record, best, at).await
            }
            (Step::Reveal, Some(view)) => self.reveal(&view, record, best, at).await,
            (Step::Serve, view) => self.serve(task, view.as_ref(), record).await,
            (Step::Accept | Step::Compute | Step::Commit | Step::Reveal, None) => Ok(()),
        }
    }

    /// This account has accepted the task of this number on the chain as it is now, and the journal knows another one of
    /// another fork: nothing that was computed for that one is committed to.
    fn begin_anew(
        &self,
        task: TaskId,
        record: TaskRecord,
        view: &TaskView,
        now: BlockNumber,
    ) -> Result<(), WorkerError> {
        tracing::warn!("Another fork has won, on which this task is another one: its job is computed anew.");
        self.now().unkept.remove(&task);
        self.book.put(task, record.renewed(view, now))
    }

    async fn end(&self, task: TaskId, record: TaskRecord, finalised: BlockNumber) -> Result<(), WorkerError> {
        if !self.book.has_heard_of_the_end(task, finalised) {
            return Ok(());
        }
        // Revealed, and the store failed until now: a last try, because what is paid for should be there.
        if record.stage == Stage::Revealing
            && let Err(error) = self.serve(task, None, record.clone()).await
        {
            tracing::error!(%error, "The result could not be put where others find it.");
        }
        let came_to = self.book.end(task, record)?;
        self.remove_folder(task);
        self.now().unkept.remove(&task);
        late::forget(&self.told, task);
        for matter in [job_of(task), commitment_of(task), lost_result_of(task)] {
            self.told.is_over(matter);
        }
        self.metrics.ended(came_to.judged);
        tracing::info!(
            judged = Judged::word(came_to.judged),
            earned = %Amount(came_to.earned),
            lost = %Amount(came_to.lost),
            "The task has ended."
        );
        Ok(())
    }

    /// Puts the result where verifiers and the publisher find it, after it was revealed: a store that fails or stands still
    /// must not cost the bond. Tried again after later blocks until it is there. If this machine has lost it, and `view` tells what
    /// was to be computed, it is computed again: somebody should have what was paid for.
    async fn serve(&self, task: TaskId, view: Option<&TaskView>, record: TaskRecord) -> Result<(), WorkerError> {
        if let Some(claim @ Claim::Output { .. }) = record.claim {
            match (self.serve_kept(task, &claim).await, view) {
                (Err(error), Some(view)) if self.has_lost_result(task, &error) && record.is_about(view) => {
                    if !self.serve_again(view, &claim, &error).await? {
                        return Ok(());
                    }
                }
                (served, _) => served?,
            }
            self.now().unkept.remove(&task);
        }
        let record = TaskRecord {
            stage: Stage::Served,
            ..record
        };
        self.book.advance(task, record);
        Ok(())
    }

    /// Puts the result into the store from where it is kept.
    async fn serve_kept(&self, task: TaskId, claim: &Claim) -> Result<(), WorkerError> {
        let Claim::Output { output, states_root } = claim else {
            return Ok(());
        };
        let unkept = self.now().unkept.get(&task).cloned();
        if let Some(computation) = unkept {
            return put_result(self.blobs.store(), &computation).await;
        }
        let own = self.own(task)?;
        for wanted in [Wanted::states(states_root), Wanted::content(BlobKind::Output, output)] {
            copy(&own, &wanted, self.blobs.store()).await?;
        }
        Ok(())
    }

    /// Whether `error` says that the result is not in the task's folder any more, or cannot be read there. A store that takes nothing
    /// is another matter.
    fn has_lost_result(&self, task: TaskId, error: &WorkerError) -> bool {
        match error {
            WorkerError::Blobs(BlobError::File { path, .. }) => path.starts_with(self.folder(task)),
            WorkerError::Blobs(
                BlobError::NotFound { .. }
                | BlobError::Corrupt { .. }
                | BlobError::Length { .. }
                | BlobError::TooLarge { .. }
                // The folder itself cannot be made.
                | BlobError::Location { .. },
            ) => true,
            _ => false,
        }
    }

    /// Computes a result again that this machine has lost, once no task in hand waits for a device, and puts it into the store. Returns
    /// whether that is done.
    ///
    /// Errors: those of fetching and computing the job, and of the store.
    async fn serve_again(&self, view: &TaskView, claim: &Claim, lost: &WorkerError) -> Result<bool, WorkerError> {
        let task = view.id;
        if self.told.is_new(lost_result_of(task), lost) {
            tracing::warn!(error = %lost, "The result on this machine cannot be read any more: it is computed again.");
        }
        if !self.book.planned_but(task).is_empty() {
            return Ok(false);
        }
        let Loaded { spec, inputs, held } = self.load(view, BlockNumber::MAX).await?;
        let deadline = Deadline {
            until: BlockNumber::MAX,
            forecast: Instant::now() + NO_HURRY,
        };
        let computed = self.compute_job(spec, inputs, deadline, Check::Yes).await?;
        drop(held);
        match computed {
            Computed::Result(computation) if computation.claim() == *claim => {
                self.metrics.computed.inc();
                // Kept until the store takes it.
                self.now().unkept.insert(task, Arc::new(computation));
                self.serve_kept(task, claim).await?;
                tracing::info!("The result is there again.");
                Ok(true)
            }
            Computed::Result(_) | Computed::Unusable => {
                tracing::error!(
                    "Computed again, the task comes to another result than was revealed: nobody has that one. Run `agora self-test`."
                );
                Ok(true)
            }
            Computed::TooLate => Ok(false),
        }
    }

    async fn commit(
        &self,
        task: TaskId,
        record: &TaskRecord,
        best: Situation,
        at: BlockRef,
    ) -> Result<(), WorkerError> {
        let Some(claim) = &record.claim else { return Ok(()) };
        let commitment = self.commitment(task, claim, record);
        self.pause_at("before-commit").await;
        if let Some(receipt) = self
            .send(
                task,
                Step::Commit,
                best,
                Call::Commit(task, commitment),
                (record.round, at),
            )
            .await?
        {
            self.now().fees.commit = receipt.fee;
            self.metrics.committed.inc();
            tracing::info!(block = receipt.block.number, "Committed.");
            self.pause_at("after-commit").await;
        }
        Ok(())
    }

    /// Whatever the disk does: the salt was on it before the task was accepted, and the claim can be computed again.
    async fn reveal(
        &self,
        view: &TaskView,
        record: TaskRecord,
        best: Situation,
        at: BlockRef,
    ) -> Result<(), WorkerError> {
        let task = view.id;
        #[cfg(feature = "fault-injection")]
        if self.config.fault == Some(Fault::Silent) {
            return Ok(());
        }
        let Some(claim) = record.claim else { return Ok(()) };
        let ours = self.commitment(task, &claim, &record);
        if let Some((_, ContributionState::Committed { commitment, .. })) = best.contribution
            && commitment != ours
        {
            if self.told.is_new(commitment_of(task), "") {
                tracing::error!(
                    "The commitment on chain is not the one in the journal, so the result cannot be revealed. Was the journal replaced?"
                );
            }
            return Ok(());
        }
        let record = TaskRecord {
            stage: Stage::Revealing,
            ..record
        };
        self.book.advance(task, record.clone());
        self.pause_at("before-reveal").await;
        let call = match view.judge {
            JudgeRule::Replication { .. } => Call::Reveal(task, claim, record.salt),
            JudgeRule::Exact => {
                let evidence = self.evidence(view, best.until()).await?;
                // The task is settled with the reveal, and who waits for that asks for the result at once. Nobody else may answer, so
                // there is nothing to copy. What the store does not take now is tried again after the reveal.
                let _ = tokio::time::timeout(STORE_TAKES, self.serve_kept(task, &claim)).await;
                Call::RevealExact(task, claim, record.salt, evidence)
            }
        };
        if let Some(receipt) = self.send(task, Step::Reveal, best, call, (record.round, at)).await? {
            // What a reveal with evidence costs says nothing of one without.
            if let JudgeRule::Replication { .. } = view.judge {
                self.now().fees.reveal = receipt.fee;
            }
            self.metrics.revealed.inc();
            tracing::info!(block = receipt.block.number, "Revealed.");
            self.pause_at("after-reveal").await;
        }
        Ok(())
    }

    /// What shows the chain the inputs of a task's job: from the task's folder, or fetched again.
    async fn evidence(&self, view: &TaskView, until: BlockNumber) -> Result<Vec<u8>, WorkerError> {
        let Loaded { spec, inputs, held } = self.load(view, until).await?;
        let evidence = evidence(&spec, &inputs);
        drop(held);
        evidence
    }

    /// Sends `call`, which `step` is, in a round of the task and decided at a block. `None`: it was refused, and is not sent
    /// again while the state is the same.
    async fn send(
        &self,
        task: TaskId,
        step: Step,
        best: Situation,
        call: Call,
        (round, at): (u32, BlockRef),
    ) -> Result<Option<Receipt>, WorkerError> {
        let due = Due {
            round,
            until: best.until(),
            decided_at: Some(at),
        };
        match self.chain.send(call, due).await {
            Ok(receipt) => Ok(Some(receipt)),
            Err(error @ (ChainError::Refused { .. } | ChainError::Failed(_))) => {
                tracing::warn!(?step, %error, "Refused; not sent again until the state changes.");
                self.metrics.refused.inc();
                self.book.refused(task, step, best);
                Ok(None)
            }
            Err(error) => {
                if error.is_recoverable() {
                    self.book.lost_answer(task, step, best.now);
                }
                Err(error.into())
            }
        }
    }

    fn commitment(&self, task: TaskId, claim: &Claim, record: &TaskRecord) -> H256 {
        commitment(self.chain.genesis_hash(), task, &self.account, claim, &record.salt)
    }

    #[cfg(feature = "fault-injection")]
    pub(super) async fn pause_at(&self, name: &str) {
        if let Some(Fault::Pause(pause)) = self.config.fault
            && Pause::ALL.contains(&(name, pause))
        {
            tracing::warn!("Paused at {name} by fault injection.");
            std::future::pending::<()>().await;
        }
    }

    #[cfg(not(feature = "fault-injection"))]
    pub(super) async fn pause_at(&self, _: &str) {}
}
