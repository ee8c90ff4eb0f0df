//! Taking a task: everything that can be known before the bond is put up is found out before.

use super::{
    Shared,
    book::Planned,
    engines::{Lease, Wanted},
    forecast::all_in_time,
    money::{Usable, least_share},
    policy::{Prospect, Unsuitable},
    speeds,
    step::{Situation, Step},
};
use crate::{
    Call, Chain, Due, TaskRecord, WorkerError,
    chain::State,
    driver::Heads,
    job::{job_bytes, keep_job, load_job, load_spec},
    sources::with_sources,
};
use agora_chain::{BlockNumber, ChainError, views::TaskView};
use agora_compute::{CpuEngine, Engine, EngineError, Verdict};
use agora_primitives::{
    TaskId,
    job::{Claim, JobSpec},
    participants::{Role, Specialisation},
};
use tokio::time::Instant;

/// A job that is here, read, and found to be what its task says.
struct Prepared {
    spec: JobSpec,
    usable: Usable,
}

impl<C: Chain<State: State>> Shared<C> {
    /// Whether a task may suit, as far as its view tells.
    pub(super) fn check_view(&self, task: &TaskView, now: BlockNumber) -> Result<(), Unsuitable> {
        if task.publisher == self.account {
            return Err(Unsuitable::Barred);
        }
        self.config.policy.check_view(task, now)
    }

    /// Remembers that a task was not taken, and says why, once.
    pub(super) fn decline(&self, task: &TaskView, why: Unsuitable, now: BlockNumber) {
        if self.waitlist.decline(task.id, task.round, why, now) {
            tracing::debug!(task = %task.id, %why, "Not taken{}.", if why.is_for_good() { "" } else { " now" });
        }
    }

    /// Takes a task that nobody here knows, or says why not.
    pub(super) async fn take(&self, task: TaskView, heads: &Heads<C::State>) -> Result<(), WorkerError> {
        let now = C::block_of(&heads.best).number;
        match self.try_take(&task, None, heads).await? {
            Ok(()) => self.waitlist.remove(task.id),
            Err(why) => {
                self.decline(&task, why, now);
                if !self.book.knows(&task)? {
                    self.remove_folder(task.id);
                }
            }
        }
        Ok(())
    }

    /// Takes a task up again whose acceptance may not have been sent, or was lost.
    pub(super) async fn take_again(
        &self,
        task: &TaskView,
        record: TaskRecord,
        heads: &Heads<C::State>,
    ) -> Result<(), WorkerError> {
        let now = C::block_of(&heads.best).number;
        if !self.waitlist.is_due(task.id, task.round, now) {
            return Ok(());
        }
        if let Err(why) = self.try_take(task, Some(record), heads).await? {
            self.decline(task, why, now);
        }
        Ok(())
    }

    async fn try_take(
        &self,
        task: &TaskView,
        known: Option<TaskRecord>,
        heads: &Heads<C::State>,
    ) -> Result<Result<(), Unsuitable>, WorkerError> {
        let now = C::block_of(&heads.best).number;
        if let Err(why) = self.check_view(task, now) {
            return Ok(Err(why));
        }
        if known.is_none() && heads.best.contribution(task.id, &self.account).await?.is_some() {
            tracing::error!(
                "This account has accepted the task, and this journal does not know it. Does another worker use the same key?"
            );
            return Ok(Err(Unsuitable::Barred));
        }
        let prepared = match self.prepare(task, &heads.best).await? {
            Ok(prepared) => prepared,
            Err(why) => return Ok(Err(why)),
        };
        if let Err(why) = self.ensure_speed(&prepared.spec).await {
            return Ok(Err(why));
        }
        // What follows must be true together, and stay true until the record is written.
        let deciding = self.deciding.lock().await;
        // Fetching and measuring took time.
        let best = self.chain.best().await?;
        let now = C::block_of(&best).number;
        let fresh = best.task(task.id).await?;
        let Some(fresh) = fresh.filter(|fresh| fresh.takes(&self.account, now)) else {
            return Ok(Err(Unsuitable::Time));
        };
        if let Err(why) = self.check_worth(&fresh, &prepared, now) {
            return Ok(Err(why));
        }
        if known.is_none()
            && let Err(why) = self.check_means(&fresh, &best).await?
        {
            return Ok(Err(why));
        }
        let record = match known {
            Some(record) => TaskRecord { seen_at: now, ..record },
            None => TaskRecord::new(fresh.round, rand::random(), fresh.bond, now),
        };
        self.book.put(task.id, record.clone())?;
        self.book.plan(task.id, planned(&fresh, &prepared.spec));
        drop(deciding);
        let situation = Situation::new(now, Some((&fresh, true)), None);
        self.accept(task.id, record, situation).await
    }

    /// Fetches a task's job into its own folder, and reads it as computing will.
    async fn prepare(&self, task: &TaskView, at: &C::State) -> Result<Result<Prepared, Unsuitable>, WorkerError> {
        let blobs = with_sources(&self.blobs, at, task, Some(&self.account)).await;
        let spec = match load_spec(&blobs, &task.job).await {
            Ok(spec) => spec,
            Err(WorkerError::Job(reason)) => {
                tracing::info!(reason, "The job cannot be used.");
                return Ok(Err(Unsuitable::Job));
            }
            Err(error) => return Ok(Err(self.input_missing(task.id, &error))),
        };
        // Asked before anything large is fetched.
        if let Err(why) = self.config.policy.check_size(spec.work(), job_bytes(&spec)) {
            return Ok(Err(why));
        }
        if let Err(error) = std::fs::create_dir_all(self.folder(task.id)) {
            if self.told.is_new("disk", &error) {
                tracing::warn!(%error, folder = %self.tasks.display(), "The disk takes nothing: no task with inputs is taken until it does.");
            }
            return Ok(Err(Unsuitable::Disk));
        }
        self.told.is_over("disk");
        // What the publisher takes away later is here.
        let own = self.own(task.id)?;
        if let Err(error) = keep_job(&blobs, &own, &task.job, &spec).await {
            return Ok(Err(self.input_missing(task.id, &error)));
        }
        let (spec, inputs) = match load_job(&own, &task.job).await {
            Ok(loaded) => loaded,
            Err(error) => return Ok(Err(self.input_missing(task.id, &error))),
        };
        let read = tokio::task::spawn_blocking(move || {
            let verdict = CpuEngine::new().check_claim(&spec, &inputs, &Claim::Unusable, &[], &rand::random());
            (spec, verdict)
        });
        let (spec, verdict) = read
            .await
            .map_err(|panic| WorkerError::Interrupted(panic.to_string()))?;
        let usable = match verdict {
            Ok(Verdict::Right) => Usable::No,
            Ok(Verdict::Wrong(_)) => Usable::Yes,
            Err(error) => return Ok(Err(self.input_missing(task.id, &error.into()))),
        };
        self.told.is_over(format!("input {}", task.id));
        Ok(Ok(Prepared { spec, usable }))
    }

    fn input_missing(&self, task: TaskId, error: &WorkerError) -> Unsuitable {
        if self.told.is_new(format!("input {task}"), error) {
            tracing::info!(%error, "An input cannot be had; looking for it again later.");
        }
        Unsuitable::Input
    }

    /// Measures how fast each device is at this kind of work that is idle and was not measured. Waits for one if no speed is
    /// known at all.
    async fn ensure_speed(&self, spec: &JobSpec) -> Result<(), Unsuitable> {
        let kind = spec.specialisation();
        let mut measured = Ok(());
        while let Some(lease) = self.engines.take_unmeasured(kind) {
            measured = self.measure(lease, kind).await;
            if measured.is_err() {
                break;
            }
        }
        if self.engines.knows(kind) {
            return Ok(());
        }
        measured?;
        let patience = std::time::Duration::from_secs(600);
        let lease = self.engines.take(Instant::now() + patience, Wanted::default()).await;
        let lease = lease.ok_or(Unsuitable::Device)?;
        if self.engines.knows(kind) {
            return Ok(());
        }
        self.measure(lease, kind).await
    }

    async fn measure(&self, lease: Lease, kind: Specialisation) -> Result<(), Unsuitable> {
        let cancel = self.cancel.child();
        let measured = tokio::task::spawn_blocking(move || {
            let speed = speeds::measure(&lease, kind, &cancel);
            (lease, speed)
        });
        let Ok((lease, speed)) = measured.await else {
            return Err(Unsuitable::Device);
        };
        match speed {
            Ok(Some(speed)) => {
                tracing::info!(
                    device = lease.name(),
                    ?kind,
                    giga_operations_per_second = speed / 1e9,
                    "Measured."
                );
                lease.learn(kind, speed);
                Ok(())
            }
            Ok(None) => Err(Unsuitable::Kind),
            Err(EngineError::Cancelled) => Err(Unsuitable::Device),
            Err(error) => {
                let device = lease.name().to_owned();
                let rest = lease.rest();
                tracing::warn!(device, %error, seconds = rest.as_secs(), "The device failed, and rests.");
                Err(Unsuitable::Device)
            }
        }
    }

    /// Whether the task is in time, and pays.
    fn check_worth(&self, task: &TaskView, prepared: &Prepared, now: BlockNumber) -> Result<(), Unsuitable> {
        let policy = &self.config.policy;
        let this = planned(task, &prepared.spec).load(now, policy.block_ms);
        let lanes = self.engines.lanes();
        let before = self.book.planned_but(task.id).into_iter();
        let loads: Vec<_> = before
            .map(|planned| planned.load(now, policy.block_ms))
            .chain([this])
            .collect();
        if !all_in_time(&lanes, &loads) {
            return Err(Unsuitable::Time);
        }
        let computing = this.fastest(&lanes).unwrap_or_default();
        let (terms, fees) = {
            let now = self.now();
            (now.terms.get(&task.class).copied(), now.fees)
        };
        policy.check_pay(Prospect {
            work: this.work,
            share: least_share(&terms.ok_or(Unsuitable::Terms)?, task, prepared.usable),
            costs: fees.of_a_task().saturating_add(policy.power.costs(computing)),
        })
    }

    /// Whether there are a slot and the money for the task.
    async fn check_means(&self, task: &TaskView, best: &C::State) -> Result<Result<(), Unsuitable>, WorkerError> {
        if self.book.bonds().saturating_add(task.bond) > self.config.policy.max_exposure {
            return Ok(Err(Unsuitable::Exposure));
        }
        let free = best.balance(&self.account).await?.free;
        let fees = self.now().fees;
        // Of two tasks that are taken after the same block, the second counts the bond of the first.
        let (pending, promised) = self.book.pending();
        let bonds = task.bond.saturating_add(promised);
        let (payer, unrevealed) = (self.chain.payer(), self.book.unrevealed());
        let suffices = match payer == self.account {
            true => fees.are_affordable(free, bonds, unrevealed),
            // The bond is the account's, and the fees are those of the key that acts for it.
            false => {
                let payers = best.balance(&payer).await?.free;
                free >= bonds && fees.are_affordable(payers, 0, unrevealed)
            }
        };
        if !suffices {
            if self.told.is_new("funds", "") {
                tracing::warn!(
                    account = %self.account,
                    %payer,
                    "The free balance does not pay for another bond, or that of the payer for committing and revealing: send them funds."
                );
            }
            return Ok(Err(Unsuitable::Funds));
        }
        self.told.is_over("funds");
        let participant = C::participant(best, &self.account, Role::Worker).await?;
        let has_room = participant.is_some_and(|participant| {
            (participant.occupied as usize).saturating_add(pending) < participant.slots as usize
        });
        Ok(if has_room { Ok(()) } else { Err(Unsuitable::Slots) })
    }

    /// Sends the acceptance of a task whose record is written.
    async fn accept(
        &self,
        task: TaskId,
        record: TaskRecord,
        best: Situation,
    ) -> Result<Result<(), Unsuitable>, WorkerError> {
        self.pause_at("before-accept").await;
        self.book.accepting(task);
        let due = Due {
            round: record.round,
            until: best.until(),
        };
        match self.chain.send(Call::Accept(task), due).await {
            Ok(receipt) => {
                self.now().fees.accept = receipt.fee;
                self.metrics.accepted.inc();
                tracing::info!(block = receipt.block.number, "Accepted.");
                let record = TaskRecord {
                    seen_at: receipt.block.number,
                    ..record
                };
                self.book.put(task, record)?;
                self.pause_at("after-accept").await;
                Ok(Ok(()))
            }
            Err(error) => self.not_accepted(task, best, error).await,
        }
    }

    async fn not_accepted(
        &self,
        task: TaskId,
        best: Situation,
        error: ChainError,
    ) -> Result<Result<(), Unsuitable>, WorkerError> {
        let is_refused = matches!(
            error,
            ChainError::Refused { .. }
                | ChainError::Failed(_)
                | ChainError::Overdraft { .. }
                | ChainError::CannotPayFee { .. }
        );
        if !is_refused {
            self.book.lost_answer(task, Step::Accept, best.now);
            return Err(error.into());
        }
        tracing::info!(%error, "The acceptance was refused.");
        self.book.refused(task, Step::Accept, best);
        // Refused for what other state would allow: it may still be in a fork that allows it, so the record stays until
        // the refusal is final.
        let barred = ["PublisherMayNotWork", "AlreadyAccepted", "AttesterMayNotWork"];
        let is_barred = barred.iter().any(|name| error.is("Tasks", name));
        let why = if is_barred {
            Unsuitable::Barred
        } else {
            Unsuitable::Refused
        };
        Ok(Err(why))
    }
}

/// What is to be computed.
pub(super) fn planned(task: &TaskView, spec: &JobSpec) -> Planned {
    Planned {
        work: spec.work(),
        kind: spec.specialisation(),
        until: task.work_until(),
    }
}
