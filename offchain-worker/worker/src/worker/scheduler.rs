//! What a worker starts after each block: its hardware challenge, the next steps of its tasks, and looks at tasks that it
//! may take.

use super::{
    Offers, Shared, Worker,
    hardware::HardwareDue,
    money::Fees,
    openings::wrong_time,
    preparing::input_of,
    step::{Known, Situation, Step},
};
use crate::{
    Call, CameTo, Chain, Due, News, SeenChain, Stage, TaskRecord, WorkerError,
    chain::State,
    driver::{Duty, Heads, Heard, Looked, Matter, Steps},
    ledger,
};
use agora_chain::{
    Balance, BlockNumber, ChainError, H256,
    views::{ParticipantView, TaskView},
};
use agora_primitives::{
    TaskId,
    job::{BlobRef, Claim},
    money::Scope,
    participants::Role,
};
use std::{cmp::Reverse, collections::HashMap, sync::Arc, time::SystemTime};

/// A task that nothing is due about is looked at after so many blocks, whatever was heard.
const LOOK_EVERY: BlockNumber = 16;
/// What calls cost is read after so many blocks.
const FEES_EVERY: BlockNumber = 32;
/// How rewards are divided is read after so many blocks, whatever was heard.
const TERMS_EVERY: BlockNumber = 256;

impl<C: Chain<State: State>, O: Offers<C::State>> Duty<C> for Worker<C, O> {
    fn settled_up_to(&self) -> Option<BlockNumber> {
        self.shared.book.settled()
    }

    fn seen_best(&self) -> BlockNumber {
        self.shared.book.seen_best()
    }

    fn settle(&mut self, news: News) {
        self.shared.settle(&news);
    }

    async fn look(&mut self, heads: &Heads<C::State>, heard: &Heard, steps: &mut Steps) -> Result<Looked, WorkerError> {
        let shared = Arc::clone(&self.shared);
        let now = C::block_of(&heads.best).number;
        shared.book.flush();
        // Kept until the offers were told: also while the node is believed in nothing, nothing is lost.
        self.changed.extend(heard.news.iter().flat_map(|news| &news.changed));
        self.has_gap |= heard.has_gap;
        let seen = SeenChain {
            best: now,
            finalised: C::block_of(&heads.finalised).number,
        };
        if let Some(why) = shared.book.saw(seen) {
            return Ok(Looked::Waiting(why));
        }
        shared.running.cancel_late(now);
        for (task, record) in shared.book.all() {
            let is_due = self.has_gap || self.changed.contains(&task) || now.is_multiple_of(LOOK_EVERY);
            if record.stage < Stage::Served || is_due {
                self.start(task, heads, record, steps);
            }
        }
        // What does not depend on an answer is asked at once: a far node takes its time for each.
        let changed: Vec<_> = self.changed.iter().copied().collect();
        let (hardware, refreshed, terms, (), standing, ()) = tokio::join!(
            shared.hardware_due(&heads.best),
            self.offers.refresh(&heads.best, now, &changed, self.has_gap),
            shared.read_terms(heads, heard),
            shared.read_fees(now),
            shared.standing(&heads.best),
            shared.ask_ahead(&heads.best, &changed),
        );
        if let Some(due) = hardware? {
            self.attend_round(heads, due, steps);
        }
        refreshed?;
        self.changed.clear();
        self.has_gap = false;
        terms?;
        shared.count();
        self.take_tasks(heads, standing?, steps)
    }
}

/// What decides whether this worker takes tasks at all.
struct Standing {
    /// When the best block was made, in milliseconds since 1970.
    timestamp_ms: u64,
    /// `None`: the account is not registered as a worker any more.
    participant: Option<ParticipantView>,
}

impl<C: Chain<State: State>, O: Offers<C::State>> Worker<C, O> {
    fn attend_round(&self, heads: &Heads<C::State>, due: HardwareDue, steps: &mut Steps) {
        let (shared, best) = (Arc::clone(&self.shared), heads.best.clone());
        steps.start(Matter::HardwareRound(due.round()), async move {
            match due {
                HardwareDue::Response(round) => shared.respond(&best, &round).await,
                HardwareDue::Decoy(decoy) => shared.show_decoy(&best, decoy).await,
            }
        });
    }

    fn start(&self, task: TaskId, heads: &Heads<C::State>, record: TaskRecord, steps: &mut Steps) {
        let (shared, heads) = (Arc::clone(&self.shared), heads.clone());
        steps.start(task, async move { shared.step(task, &heads, record).await });
    }

    /// Declines invitations to tasks that do not suit, so that others need not wait.
    fn decline_invitations(&self, heads: &Heads<C::State>, steps: &mut Steps) -> Result<(), WorkerError> {
        let at = C::block_of(&heads.best);
        for task in self.offers.open() {
            let Some(invited) = &task.invited else { continue };
            let is_invited = at.number < invited.until && invited.workers.contains(&self.shared.account);
            if !is_invited || steps.are_busy_with(task.id) || self.shared.book.knows(task)? {
                continue;
            }
            if self.shared.waitlist.declines(task.id, task.round) {
                let due = Due {
                    round: task.round,
                    until: invited.until,
                    decided_at: Some(at),
                };
                let (shared, id) = (Arc::clone(&self.shared), task.id);
                steps.start(id, async move {
                    shared.chain.send(Call::Decline(id), due).await?;
                    tracing::debug!(task = %id, "Declined, so that others may accept it.");
                    Ok(())
                });
            }
        }
        Ok(())
    }

    /// Starts to look at tasks that want workers, as many as there are slots for.
    fn take_tasks(
        &self,
        heads: &Heads<C::State>,
        standing: Standing,
        steps: &mut Steps,
    ) -> Result<Looked, WorkerError> {
        let (shared, now) = (&self.shared, C::block_of(&heads.best).number);
        for gone in shared.waitlist.keep(self.offers.open()) {
            shared.told.is_over(input_of(gone));
        }
        let declined = shared.waitlist.count();
        shared.metrics.declined(&declined);
        shared.say_if_too_slow(&declined);
        self.decline_invitations(heads, steps)?;
        if !shared.takes_tasks(standing.timestamp_ms) {
            return Ok(Looked::Well);
        }
        let Some(participant) = standing.participant else {
            return Ok(Looked::Waiting(
                "The account is not registered as a worker any more.".to_owned(),
            ));
        };
        let taken = (participant.occupied as usize).saturating_add(shared.book.promises(None).slots);
        let free = (participant.slots as usize).saturating_sub(taken);
        if free == 0 {
            return Ok(Looked::Well);
        }
        let mut suitable: Vec<_> = self.offers.open().filter(|task| shared.may_suit(task, now)).collect();
        suitable.sort_by_key(|task| Reverse(task.reward));
        let mut started = 0;
        for task in suitable {
            if started == free {
                break;
            }
            let Ok(place) = Arc::clone(&shared.takes).try_acquire_owned() else {
                break;
            };
            if steps.are_busy_with(task.id) || shared.book.knows(task)? {
                continue;
            }
            let (shared, heads, task, id) = (Arc::clone(shared), heads.clone(), task.clone(), task.id);
            steps.start(id, async move {
                let taken = shared.take(task, &heads).await;
                drop(place);
                taken
            });
            started += 1;
        }
        Ok(Looked::Well)
    }
}

impl<C: Chain<State: State>> Shared<C> {
    async fn standing(&self, best: &C::State) -> Result<Standing, ChainError> {
        let participant = C::participant(best, &self.account, Role::Worker);
        let (timestamp_ms, participant) = tokio::try_join!(best.timestamp_ms(), participant)?;
        Ok(Standing {
            timestamp_ms,
            participant,
        })
    }

    /// Whether tasks are taken now at all, when the best block was made at `timestamp_ms`. Says why not, once.
    fn takes_tasks(&self, timestamp_ms: u64) -> bool {
        let clock = SystemTime::now();
        let wrong = wrong_time(timestamp_ms, clock);
        match wrong {
            Some(why) if self.told.is_new("clock", why) => tracing::warn!("{why}"),
            None if self.told.is_over("clock") => tracing::info!("The clock and the chain agree again."),
            _ => {}
        }
        let is_old = wrong.is_some_and(|why| why.starts_with("no task"));
        let closed = self.config.openings.closed(clock);
        let closed = closed
            .or_else(|| self.has_lost_enough(clock))
            .or_else(|| self.disk_is_full())
            .or_else(|| self.fees_are_unknown());
        match &closed {
            Some(why) if self.told.is_new("closed", why) => tracing::info!("{why}"),
            None if self.told.is_over("closed") => tracing::info!("Tasks are taken again."),
            _ => {}
        }
        let takes = closed.is_none() && !is_old;
        self.metrics.taking.set(takes.into());
        takes
    }

    fn disk_is_full(&self) -> Option<String> {
        let why = "no task is taken: the journal cannot be written";
        self.book.is_unwritten().then(|| why.to_owned())
    }

    /// A bond whose reveal cannot be paid for is lost.
    fn fees_are_unknown(&self) -> Option<String> {
        let why = "no task is taken: the node has not said yet what calls cost";
        self.now().fees_at.is_none().then(|| why.to_owned())
    }

    fn has_lost_enough(&self, now: SystemTime) -> Option<String> {
        let why = self.book.stop(self.config.policy.stop_loss, now)?;
        Some(format!("no task is taken: {why}"))
    }

    /// Whether a task may suit, as far as its view tells.
    fn may_suit(&self, task: &TaskView, now: BlockNumber) -> bool {
        if !self.waitlist.is_due(task.id, task.round, now) || !task.takes(&self.account, now) {
            return false;
        }
        match self.check_view(task, now) {
            Ok(()) => true,
            Err(why) => {
                self.decline(task, why, now);
                false
            }
        }
    }

    /// Reads how rewards are divided, at first and when that may have changed.
    async fn read_terms(&self, heads: &Heads<C::State>, heard: &Heard) -> Result<(), WorkerError> {
        let is_known = !self.now().terms.is_empty();
        let is_old = C::block_of(&heads.best).number.is_multiple_of(TERMS_EVERY);
        if is_known && !is_old && !heard.has_gap && !heard.news.iter().any(|news| news.terms_changed) {
            return Ok(());
        }
        let terms = heads.best.terms().await?;
        self.now().terms = terms.into_iter().collect();
        Ok(())
    }

    /// Asks the node what calls cost, at first and from time to time: what was paid while blocks were full says nothing
    /// later.
    async fn read_fees(&self, now: BlockNumber) {
        let is_fresh = |at: BlockNumber| at <= now && now - at < FEES_EVERY;
        if self.now().fees_at.is_some_and(is_fresh) {
            return;
        }
        let task = TaskId(u64::MAX);
        let asked = tokio::try_join!(
            self.chain.fee(Call::Accept(task)),
            self.chain.fee(Call::Commit(task, H256::default())),
            self.chain.fee(Call::Reveal(task, longest_claim(), [0; 32])),
            self.exact_fees(task),
            self.chain.fee(Call::Heartbeat),
        );
        match asked {
            Ok((accept, commit, reveal, (exact, kib), heartbeat)) => {
                let fees = Fees {
                    accept,
                    commit,
                    reveal,
                    exact,
                    kib,
                    heartbeat,
                };
                let mut shared = self.now();
                (shared.fees, shared.fees_at) = (fees, Some(now));
                drop(shared);
                if self.told.is_over("fees") {
                    tracing::info!("The node says what calls cost again.");
                }
            }
            Err(error) => {
                if self.told.is_new("fees", &error) {
                    tracing::warn!(%error, "The node does not say what calls cost: without ever knowing that, no task is taken. Asking again.");
                }
            }
        }
    }

    /// What a reveal with evidence costs without the evidence, and with each KiB of it. More than anybody has on a chain that computes
    /// nothing itself: it has no such tasks, and others are taken all the same.
    async fn exact_fees(&self, task: TaskId) -> Result<(Balance, Balance), ChainError> {
        let fee = |evidence| {
            self.chain
                .fee(Call::RevealExact(task, longest_claim(), [0; 32], evidence))
        };
        match tokio::try_join!(fee(Vec::new()), fee(vec![0; 1024])) {
            Ok((exact, with_kib)) => Ok((exact, with_kib.saturating_sub(exact))),
            Err(error) if error.is_recoverable() => Err(error),
            Err(_) => Ok((Balance::MAX, 0)),
        }
    }

    /// What the chain says of a task in both states, and what is due.
    pub(super) async fn situations(
        &self,
        task: TaskId,
        heads: &Heads<C::State>,
        record: &TaskRecord,
    ) -> Result<(Step, Situation, Option<TaskView>), WorkerError> {
        let (best, view) = self.situation(task, &heads.best).await?;
        let (finalised, _) = self.situation(task, &heads.finalised).await?;
        self.book.set_on_chain(task, best.contribution.is_some());
        let known = Known {
            stage: record.stage,
            seen_at: record.seen_at,
            acceptance: self.book.acceptance(task),
        };
        Ok((Step::decide(&best, &finalised, known), best, view))
    }

    async fn situation(&self, task: TaskId, state: &C::State) -> Result<(Situation, Option<TaskView>), WorkerError> {
        let now = C::block_of(state).number;
        let (view, part) = tokio::try_join!(state.task(task), state.contribution(task, &self.account))?;
        let seen = view.as_ref().map(|view| (view, view.takes(&self.account, now)));
        Ok((Situation::new(now, seen, part.as_ref()), view))
    }

    /// Takes note of what came of tasks, in a finalised block.
    fn settle(&self, news: &News) {
        let mut came_to: HashMap<TaskId, CameTo> = HashMap::new();
        let mut other = CameTo::default();
        for (task, worker, outcome) in &news.judged {
            if *worker == self.account {
                came_to.entry(*task).or_default().judged = Some((*outcome).into());
            }
        }
        // The account's money, whatever it was moved for: also in court, beside this worker.
        for paid in &news.payments {
            let sum = match paid.scope {
                Scope::Task(task) => came_to.entry(task).or_default(),
                Scope::Account | Scope::Role(_) => &mut other,
            };
            ledger::count(paid, &self.account, sum);
        }
        if self.book.settle(news.block.number, SystemTime::now(), &came_to, &other) {
            let all = came_to.values().chain([&other]);
            all.for_each(|came_to| self.metrics.came_to(came_to));
        }
    }

    /// Tells the metrics how things stand.
    fn count(&self) {
        let in_hand = self.book.all().len();
        self.metrics
            .tasks_in_hand
            .set(i64::try_from(in_hand).unwrap_or(i64::MAX));
        self.metrics
            .bonds_at_risk
            .set(crate::metrics::units(self.book.promises(None).bonds));
        let (well, resting) = self.engines.health();
        self.metrics.devices(well.len(), &resting);
    }
}

/// A claim whose reveal is as long as any.
fn longest_claim() -> Claim {
    Claim::Output {
        output: BlobRef {
            hash: H256::default(),
            size: u64::MAX,
        },
        states_root: H256::default(),
    }
}
