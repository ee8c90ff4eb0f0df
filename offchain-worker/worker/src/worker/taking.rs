//! Taking a task: everything that can be known before the bond is put up is found out before.

use super::{
    Shared,
    book::Planned,
    forecast::{Machine, spare},
    money::{Outlay, least_share},
    policy::{Prospect, SLACK, Unsuitable},
    preparing::Prepared,
    step::{Situation, Step},
};
use crate::{Call, Chain, Due, TaskRecord, WorkerError, chain::State, driver::Heads, job::job_bytes};
use agora_chain::{
    Amount, Balance, BlockNumber, ChainError,
    views::{ParticipantView, TaskView},
};
use agora_primitives::{TaskId, job::JobSpec, participants::Role};
use futures::future::join_all;
use std::{collections::HashMap, time::Duration};

/// About so many tasks of a block it is asked ahead.
const ASKED_AHEAD: usize = 16;
/// States that were read so lately are taken for the newest: to ask again would take as long on a far node.
const FRESH_FOR: Duration = Duration::from_millis(250);

/// What there is to take a task with.
struct Means {
    /// What the account has at its disposal, in plancks.
    free: Balance,
    /// What the key has that pays the fees, if it is another account.
    payers: Option<Balance>,
    /// What an account must keep.
    kept: Balance,
    participant: Option<ParticipantView>,
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

    /// Says, once, that this machine is too slow for all that it could take: nothing else would tell why it earns nothing. `declined`
    /// are the open tasks that it left to others, by reason.
    pub(super) fn say_if_too_slow(&self, declined: &HashMap<Unsuitable, i64>) {
        if self.book.promises(None).unrevealed > 0 {
            // It may be busy, and it is fast enough for something.
            self.told.is_over("time");
        } else if let Some(tasks) = only_time(declined)
            && self.told.is_new("time", "")
        {
            tracing::warn!(
                tasks,
                "Only time keeps this machine from the open tasks that suit it: it would not finish any of them before its deadline. `agora devices --measure` shows how fast it is; with more or faster devices it would take them."
            );
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
        let round = record.round;
        if let Err(why) = self.try_take(task, Some(record), heads).await? {
            self.decline(task, why, now);
            // The record stays until nothing that was sent can come any more.
            let _ = self.withdraw(task.id, round).await;
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
        // One does not depend on the other.
        let contributed = async {
            match known {
                Some(_) => Ok(None),
                None => heads.best.contribution(task.id, &self.account).await,
            }
        };
        let (contributed, prepared) = tokio::join!(contributed, self.prepare(task, &heads.best));
        if contributed?.is_some() {
            tracing::error!(
                "This account has accepted the task, and this journal does not know it. Does another worker use the same key?"
            );
            return Ok(Err(Unsuitable::Barred));
        }
        let prepared = match prepared? {
            Ok(prepared) => prepared,
            Err(why) => return Ok(Err(why)),
        };
        if let Err(why) = self.ensure_speed(&prepared.spec).await {
            return Ok(Err(why));
        }
        // What follows must be true together, and stay true until the record is written.
        let deciding = self.deciding.lock().await;
        // Fetching and measuring may have taken time. What later looks found out of other tasks, such as that the chain counts
        // their bonds now, does not go with an older state.
        let is_fresh = heads.read_at.elapsed() < FRESH_FOR && self.book.seen_best() <= now;
        let best = match is_fresh {
            true => heads.best.clone(),
            false => self.chain.best().await?,
        };
        let at = C::block_of(&best);
        let (fresh, means) = tokio::try_join!(best.task(task.id), self.means(&best))?;
        let Some(fresh) = fresh.filter(|fresh| fresh.takes(&self.account, at.number)) else {
            return Ok(Err(Unsuitable::TooLate));
        };
        if fresh.job != task.job {
            // Another fork has won, and has another task of this number.
            return Ok(Err(Unsuitable::Input));
        }
        let until = match self.check_worth(&fresh, &prepared, at.number) {
            Ok(until) => until,
            Err(why) => return Ok(Err(why)),
        };
        if let Err(why) = self.check_means(&fresh, at.number, &means) {
            return Ok(Err(why));
        }
        let record = match known {
            Some(record) => record.renewed(&fresh, at.number),
            None => TaskRecord::new(&fresh, rand::random(), at.number),
        };
        self.book.put(task.id, record.clone())?;
        self.book
            .plan(task.id, self.planned(fresh.commit_by(at.number), &prepared.spec));
        drop(deciding);
        let situation = Situation::new(at.number, Some((&fresh, true)), None);
        let due = Due {
            round: record.round,
            until,
            decided_at: Some(at),
        };
        self.accept(task.id, record, situation, due).await
    }

    /// Asks what taking one of `changed` will ask, so that the answers are there then.
    pub(super) async fn ask_ahead(&self, best: &C::State, changed: &[TaskId]) {
        if changed.is_empty() {
            return;
        }
        let contributions = changed
            .iter()
            .take(ASKED_AHEAD)
            .map(|task| best.contribution(*task, &self.account));
        // Whoever needs an answer that did not come asks again.
        let _ = tokio::join!(self.means(best), join_all(contributions));
    }

    /// Whether the task is in time, and pays. Returns the last block in which it may be accepted.
    fn check_worth(&self, task: &TaskView, prepared: &Prepared, now: BlockNumber) -> Result<BlockNumber, Unsuitable> {
        let policy = &self.config.policy;
        let this = self
            .planned(task.commit_by(now), &prepared.spec)
            .load(now, policy.block_ms);
        let lanes = self.engines.lanes();
        let before: Vec<_> = self
            .book
            .planned_but(task.id)
            .into_iter()
            .map(|planned| planned.load(now, policy.block_ms))
            .collect();
        let machine = Machine {
            lanes: &lanes,
            memory: policy.memory_bytes,
        };
        let spare = spare(machine, &before, this.clone()).ok_or(Unsuitable::Time)?;
        let computing = this.fastest(&lanes).unwrap_or_default();
        let (terms, fees) = {
            let now = self.now();
            (now.terms.get(&task.class).copied(), now.fees)
        };
        policy.check_pay(Prospect {
            work: this.work,
            share: least_share(&terms.ok_or(Unsuitable::Terms)?, task, prepared.usable),
            costs: fees.of_a_task(task).saturating_add(policy.power.costs(computing)),
        })?;
        Ok(last_acceptance(task, now, policy.blocks_in(spare)))
    }

    /// What there is to take a task with.
    async fn means(&self, best: &C::State) -> Result<Means, ChainError> {
        let payer = self.chain.payer();
        let payers = async {
            match payer == self.account {
                true => Ok(None),
                false => best.balance(&payer).await.map(|balance| Some(balance.free)),
            }
        };
        let participant = C::participant(best, &self.account, Role::Worker);
        let (balance, payers, participant) = tokio::try_join!(best.balance(&self.account), payers, participant)?;
        Ok(Means {
            free: balance.free,
            payers,
            kept: best.existential_deposit()?,
            participant,
        })
    }

    /// Whether there are a slot and the money for the task, at block `now`.
    fn check_means(&self, task: &TaskView, now: BlockNumber, means: &Means) -> Result<(), Unsuitable> {
        // Of two tasks that are taken after the same block, the second counts the bond of the first.
        let promises = self.book.promises(Some(task.id));
        if promises.bonds.saturating_add(task.bond) > self.config.policy.max_exposure {
            return Err(Unsuitable::Exposure);
        }
        let Means { free, kept, .. } = *means;
        let bonds = task.bond.saturating_add(promises.bonds_to_come);
        let left = task.work_until().saturating_sub(now);
        let mut known = self.now();
        let reveal = known.fees.of_revealing(task);
        // Of those in hand nobody remembers which they are.
        known.dearest_reveal = match promises.unrevealed {
            0 => reveal,
            _ => known.dearest_reveal.max(reveal),
        };
        let needed = known.fees.needed(Outlay {
            bonds,
            tasks: promises.unrevealed.saturating_add(1),
            reveal: known.dearest_reveal,
            heartbeats: left / self.config.heartbeat_every.max(1) + 2,
            kept,
        });
        drop(known);
        let suffices = match means.payers {
            None => free >= needed,
            // The bond is the account's, and the fees are those of the key that acts for it.
            Some(payers) => free >= bonds.saturating_add(kept) && payers >= needed.saturating_sub(bonds),
        };
        if !suffices {
            if self.told.is_new("funds", "") {
                tracing::warn!(
                    free = %Amount(free),
                    needed = %Amount(needed),
                    account = %self.account,
                    payer = %self.chain.payer(),
                    "The free balance does not pay for another bond, or that of the payer for committing and revealing: send them funds."
                );
            }
            return Err(Unsuitable::Funds);
        }
        self.told.is_over("funds");
        let has_room = means.participant.as_ref().is_some_and(|participant| {
            (participant.occupied as usize).saturating_add(promises.slots) < participant.slots as usize
        });
        if has_room { Ok(()) } else { Err(Unsuitable::Slots) }
    }

    /// Sends no acceptance of `task` any more: whatever let it be sent is over. Returns whether one that was sent may still get
    /// into a block, and is then computed if there is time.
    pub(super) async fn withdraw(&self, task: TaskId, round: u32) -> bool {
        let due = Due {
            round,
            until: 0,
            decided_at: None,
        };
        match self.chain.withdraw(Call::Accept(task), due).await {
            Ok(may_come) => may_come,
            Err(error) => {
                tracing::warn!(%error, "The acceptance could not be withdrawn; it ends with its last block.");
                true
            }
        }
    }

    /// Sends the acceptance of a task whose record is written.
    async fn accept(
        &self,
        task: TaskId,
        record: TaskRecord,
        best: Situation,
        due: Due,
    ) -> Result<Result<(), Unsuitable>, WorkerError> {
        self.pause_at("before-accept").await;
        self.book.accepting(task);
        match self.chain.send(Call::Accept(task), due).await {
            Ok(receipt) => {
                self.now().fees.accept = receipt.fee;
                self.metrics.accepted.inc();
                tracing::info!(block = receipt.block.number, "Accepted.");
                let record = TaskRecord {
                    seen_at: receipt.block.number,
                    ..record
                };
                self.book.advance(task, record);
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

/// How many tasks are left to others because this machine would not finish them in time, if nothing else keeps it from any that is not
/// too late for everybody.
fn only_time(declined: &HashMap<Unsuitable, i64>) -> Option<i64> {
    let others = declined.iter().filter(|(why, count)| {
        **count > 0 && !why.is_for_good() && !matches!(why, Unsuitable::Time | Unsuitable::TooLate)
    });
    let slow = declined.get(&Unsuitable::Time).copied().unwrap_or(0);
    (slow > 0 && others.count() == 0).then_some(slow)
}

/// Blocks after which an acceptance that is in no block is decided anew, if it may wait so long at all.
const FRESH: BlockNumber = 16;

/// The last block in which an acceptance may be included if it could wait for `spare` blocks. Half of them are left for what
/// goes wrong after it. A transaction lives a few blocks at least: those are in [`SLACK`].
fn last_acceptance(task: &TaskView, now: BlockNumber, spare: BlockNumber) -> BlockNumber {
    let think_from = task
        .work_until()
        .saturating_sub(task.min_thinking)
        .saturating_sub(SLACK);
    now.saturating_add(FRESH.min(spare / 2)).min(think_from)
}

impl<C: Chain> Shared<C> {
    /// What is to be computed, and committed to by block `until`.
    pub(super) fn planned(&self, until: BlockNumber, spec: &JobSpec) -> Planned {
        Planned {
            work: agora_compute::load(spec),
            kind: spec.specialisation(),
            until,
            without: self.engines.without(spec),
            bytes: job_bytes(spec),
        }
    }
}
