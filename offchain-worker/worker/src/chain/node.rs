//! The chain of a real node.

use super::{Attested, Blocks, Call, Chain, Due, News, Receipt, State};
use agora_chain::{
    AccountId, AtBlock, Balance, BlockEvents, BlockNumber, BlockRef, ChainError, H256, Included, Intention, Submitter,
    api::{
        Event,
        api::{judging, rewards, runtime_types::agora_primitives::courts::Offence, tasks, transaction_payment},
    },
    calls,
    views::{BalanceView, Contribution, ParticipantView, ResponseView, RoundView, TaskView, TermsView},
};
use agora_primitives::{
    ClassId, TaskId,
    job::{BlobRef, ChunkProof},
    participants::Role,
};
use std::time::Duration;

/// How long a transaction may take into a block before it is given up for lost.
const INCLUSION_LIMIT: Duration = Duration::from_secs(300);

/// Does something with the payload of a call, whose type differs from call to call.
macro_rules! with_payload {
    ($call:expr, |$payload:ident| $done:expr) => {
        match $call {
            Call::Heartbeat => {
                let $payload = calls::heartbeat();
                $done
            }
            Call::Accept(task) => {
                let $payload = calls::accept(task);
                $done
            }
            Call::Decline(task) => {
                let $payload = calls::decline(task);
                $done
            }
            Call::Advance(task) => {
                let $payload = calls::advance(task);
                $done
            }
            Call::Commit(task, commitment) => {
                let $payload = calls::commit(task, commitment);
                $done
            }
            Call::Reveal(task, claim, salt) => {
                let $payload = calls::reveal(task, claim, salt);
                $done
            }
            Call::RevealExact(task, claim, salt, ref evidence) => {
                let $payload = calls::reveal_exact(task, claim, salt, Vec::clone(evidence));
                $done
            }
            Call::Respond(round, digest) => {
                let $payload = calls::respond(round, digest);
                $done
            }
            Call::ShowDecoy(round, secret, ref proof) => {
                let $payload = calls::show_decoy(round, secret, ChunkProof::clone(proof));
                $done
            }
        }
    };
}

impl Chain for Submitter {
    type State = AtBlock;
    type Blocks = agora_chain::Blocks;

    fn account(&self) -> AccountId {
        *Self::account(self)
    }

    fn payer(&self) -> AccountId {
        Self::payer(self)
    }

    fn genesis_hash(&self) -> H256 {
        self.client().genesis_hash()
    }

    async fn best(&self) -> Result<AtBlock, ChainError> {
        self.client().best().await
    }

    async fn finalised(&self) -> Result<AtBlock, ChainError> {
        self.client().finalised().await
    }

    async fn after(&self, block: BlockRef) -> Result<AtBlock, ChainError> {
        self.client().after(block).await
    }

    fn block_of(state: &AtBlock) -> BlockRef {
        state.block
    }

    async fn participant(state: &AtBlock, who: &AccountId, role: Role) -> Result<Option<ParticipantView>, ChainError> {
        state.participant(who, role).await
    }

    fn follow_best(&self) -> agora_chain::Blocks {
        self.client().follow_best()
    }

    fn follow_finalised(&self, from: Option<BlockNumber>) -> agora_chain::Blocks {
        self.client().follow_finalised(from)
    }

    async fn send(&self, call: Call, due: Due) -> Result<Receipt, ChainError> {
        let sent = async { with_payload!(call, |payload| self.submit_as(&payload, intention(&call, due)).await) };
        let included = tokio::time::timeout(INCLUSION_LIMIT, sent).await.unwrap_or_else(|_| {
            let reason = format!("it was in no block after {} s", INCLUSION_LIMIT.as_secs());
            Err(ChainError::Unknown(reason))
        })?;
        Ok(Receipt {
            block: included.block,
            fee: fee_of(&included, &Chain::payer(self)),
        })
    }

    async fn withdraw(&self, call: Call, due: Due) -> Result<bool, ChainError> {
        Self::withdraw(self, name(&call, due).0).await
    }

    async fn fee(&self, call: Call) -> Result<Balance, ChainError> {
        with_payload!(call, |payload| self.estimate(&payload).await)
    }
}

/// The name of a call, which is the same after a restart and no other call has, and how urgent it is.
fn name(call: &Call, due: Due) -> (String, u8) {
    let round = due.round;
    match call {
        Call::Heartbeat => (format!("heartbeat after block {round}"), 0),
        Call::Accept(task) => (format!("acceptance of task {task} round {round}"), 0),
        Call::Decline(task) => (format!("declining of task {task} round {round}"), 0),
        Call::Advance(task) => (format!("step of task {task} after block {round}"), 0),
        // Another fork may have opened the round with another seed: that is another response.
        Call::Respond(_, digest) => (format!("response {digest:?} in hardware round {round}"), 1),
        Call::ShowDecoy(_, secret, _) => {
            let about = BlobRef::to(secret).hash;
            (format!("decoy {about:?} in hardware round {round}"), 1)
        }
        Call::Commit(task, _) => (format!("commitment to task {task} round {round}"), 2),
        Call::Reveal(task, ..) | Call::RevealExact(task, ..) => (format!("reveal of task {task} round {round}"), 3),
    }
}

fn intention(call: &Call, due: Due) -> Intention {
    let (name, urgency) = name(call, due);
    let intention = Intention::named(name).until(due.until).urgent(urgency);
    match due.decided_at {
        Some(block) => intention.decided_at(block),
        None => intention,
    }
}

/// What `account` paid for the transaction.
fn fee_of(included: &Included, account: &AccountId) -> Balance {
    let fees = included.events.iter().filter_map(|event| match event {
        Event::TransactionPayment(transaction_payment::Event::TransactionFeePaid { who, actual_fee, .. })
            if who == account =>
        {
            Some(*actual_fee)
        }
        _ => None,
    });
    fees.sum()
}

impl State for AtBlock {
    fn existential_deposit(&self) -> Result<Balance, ChainError> {
        Self::existential_deposit(self)
    }

    async fn timestamp_ms(&self) -> Result<u64, ChainError> {
        Self::timestamp_ms(self).await
    }

    async fn task(&self, id: TaskId) -> Result<Option<TaskView>, ChainError> {
        Self::task(self, id).await
    }

    async fn tasks_wanting_workers(&self) -> Result<Vec<TaskView>, ChainError> {
        Self::tasks_wanting_workers(self).await
    }

    async fn tasks(&self) -> Result<Vec<TaskView>, ChainError> {
        Self::tasks(self).await
    }

    async fn contribution(&self, task: TaskId, worker: &AccountId) -> Result<Option<Contribution>, ChainError> {
        Self::contribution(self, task, worker).await
    }

    async fn sources(&self, task: &TaskView, but: Option<&AccountId>) -> Result<Vec<String>, ChainError> {
        Self::sources(self, task, but).await
    }

    async fn balance(&self, who: &AccountId) -> Result<BalanceView, ChainError> {
        Self::balance(self, who).await
    }

    async fn terms(&self) -> Result<Vec<(ClassId, TermsView)>, ChainError> {
        Self::terms(self).await
    }

    async fn hardware_round(&self) -> Result<Option<RoundView>, ChainError> {
        Self::hardware_round(self).await
    }

    async fn hardware_response(&self, round: u32, worker: &AccountId) -> Result<Option<ResponseView>, ChainError> {
        Self::hardware_response(self, round, worker).await
    }
}

impl Blocks for agora_chain::Blocks {
    async fn next(&mut self) -> Result<News, ChainError> {
        Self::next(self).await.map(|block| news_of(&block))
    }
}

/// What of a block's events is news.
fn news_of(block: &BlockEvents) -> News {
    let mut news = News {
        block: block.block,
        changed: Vec::new(),
        judged: Vec::new(),
        attested: Vec::new(),
        payments: block.payments().collect(),
        terms_changed: false,
    };
    for event in &block.events {
        match event {
            Event::Tasks(event) => add_task_event(&mut news, event),
            Event::Judging(judging::Event::AttesterUpheld { task, verifier }) => {
                news.attested.push((task.0, *verifier, Attested::Right));
            }
            Event::Judging(judging::Event::AttesterSlashed {
                task,
                verifier,
                offence,
                ..
            }) => {
                let ended = match offence {
                    Offence::Silent => Attested::NotRevealed,
                    _ => Attested::Wrong,
                };
                news.attested.push((task.0, *verifier, ended));
            }
            Event::Rewards(rewards::Event::PresetSet { .. } | rewards::Event::PresetRemoved { .. }) => {
                news.terms_changed = true;
            }
            _ => {}
        }
    }
    news.changed.sort_unstable();
    news.changed.dedup();
    news
}

fn add_task_event(news: &mut News, event: &tasks::Event) {
    match event {
        tasks::Event::ClassSet { .. } | tasks::Event::ClassRemoved { .. } => news.terms_changed = true,
        tasks::Event::WorkerJudged { task, worker, outcome } => news.judged.push((task.0, *worker, outcome.0)),
        tasks::Event::Published { task, .. }
        | tasks::Event::WorkersInvited { task, .. }
        | tasks::Event::InvitationDeclined { task, .. }
        | tasks::Event::Accepted { task, .. }
        | tasks::Event::WorkerReplaced { task, .. }
        | tasks::Event::Committed { task, .. }
        | tasks::Event::RevealStarted { task, .. }
        | tasks::Event::Revealed { task, .. }
        | tasks::Event::ReplicasWanted { task, .. }
        | tasks::Event::ResultChosen { task, .. }
        | tasks::Event::Reopened { task, .. }
        | tasks::Event::ResultFell { task, .. }
        | tasks::Event::ClaimEntered { task, .. }
        | tasks::Event::ResultReplaced { task, .. }
        | tasks::Event::Settled { task, .. }
        | tasks::Event::Cancelled { task }
        | tasks::Event::Expired { task }
        | tasks::Event::Failed { task }
        | tasks::Event::Purged { task }
        | tasks::Event::Postponed { task, .. }
        | tasks::Event::NotScheduled { task, .. } => news.changed.push(task.0),
    }
}
