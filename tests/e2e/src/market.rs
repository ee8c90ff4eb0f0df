//! What one test sees of a chain, and does on it.

use crate::{Chain, PATIENCE, account};
use agora_chain::{
    Balance, BlockEvents, Blocks, Client, KeySource, Submitter,
    api::{Event, api::tasks},
    calls,
    views::PaymentView,
};
use agora_localnet::{Agora, CommandFailed, LocalnetError, Process};
use agora_primitives::{
    TaskId,
    job::{JobSource, JobSpec},
    money::{Payee, Purpose, Scope},
    reputation::Outcome,
    task::{Difficulty, Phase},
};
use futures::future::join_all;
use std::{sync::Arc, time::Duration};

/// One test's view of a chain: its publisher, and all blocks that were finalised.
pub struct Market {
    /// The chain.
    pub chain: Arc<Chain>,
    /// A connection to its node.
    pub client: Client,
    /// The publisher's key.
    pub publisher: String,
    /// All blocks, as they are finalised.
    blocks: Blocks,
    seen: Vec<BlockEvents>,
}

/// The key of the `number`th worker.
pub fn worker(number: usize) -> String {
    format!("//Worker{number}")
}

/// The key of the `number`th verifier of the market.
pub fn verifier(number: usize) -> String {
    format!("//Verifier{number}")
}

impl Market {
    /// Starts a chain of the test's own.
    pub async fn start() -> Self {
        Self::on(Arc::new(Chain::start(|_| {}).await), "//Publisher").await
    }

    /// Joins `chain` with this publisher, and waits for a finalised block.
    pub async fn on(chain: Arc<Chain>, publisher: &str) -> Self {
        let client = chain.client().await;
        let mut market = Self {
            blocks: client.follow_finalised(Some(1)),
            client,
            publisher: publisher.to_owned(),
            seen: Vec::new(),
            chain,
        };
        market.next_block().await;
        market
    }

    /// `agora` with this key.
    pub fn agora(&self, key: &str) -> Agora {
        self.chain.agora(key)
    }

    /// Registers workers and verifiers, side by side.
    pub async fn register(&self, workers: usize, verifiers: usize) {
        let workers = (1..=workers).map(|number| (worker(number), "worker", &[][..]));
        let verifiers = (1..=verifiers).map(|number| (verifier(number), "verifier", &[][..]));
        self.register_all(workers.chain(verifiers)).await;
    }

    /// Registers accounts side by side: their keys, roles and further arguments.
    pub async fn register_all<'a>(&self, parts: impl IntoIterator<Item = (String, &'a str, &'a [&'a str])>) {
        let register = |(key, role, further): (String, &'a str, &'a [&'a str])| async move {
            self.register_as(&key, role, further).await;
        };
        join_all(parts.into_iter().map(register)).await;
    }

    /// Registers one account that declares a capability of 10 GOPS, if `further` does not say otherwise.
    pub async fn register_as(&self, key: &str, role: &str, further: &[&str]) {
        let mut arguments = vec!["register", "--role", role, "--bond", BOND];
        if !further.contains(&"--capability") {
            arguments.extend(["--capability", "10"]);
        }
        arguments.extend(further);
        self.agora(key).json(&arguments).await.expect("registering succeeds");
    }

    /// Starts a worker and waits until it works.
    pub async fn mine(&self, number: usize, arguments: &[&str]) -> Process {
        let arguments = [&["mine", "--device", "cpu"], arguments].concat();
        self.spawn(&worker(number), &arguments).await
    }

    /// Starts a verifier and waits until it works.
    pub async fn verify_work(&self, number: usize, arguments: &[&str]) -> Process {
        let arguments = [&["verify-work"], arguments].concat();
        self.spawn(&verifier(number), &arguments).await
    }

    /// Starts `agora` and waits until it says that it works.
    pub async fn spawn(&self, key: &str, arguments: &[&str]) -> Process {
        // What an earlier run with this key has printed is in the log already.
        let before = self.chain.output_of(key);
        let mut process = self.agora(key).spawn(arguments).expect("it starts");
        process
            .printed("Ctrl-C stops", before, PATIENCE)
            .await
            .expect("it works");
        process
    }

    /// Publishes a task.
    pub async fn publish(&self, arguments: &[&str]) -> TaskId {
        let answers = self
            .agora(&self.publisher)
            .json(&[&["publish"], arguments].concat())
            .await
            .expect("it is published");
        TaskId(answers[0]["task"].as_u64().expect("its number is told"))
    }

    /// Publishes `job` as it is, whatever its inputs are; the publishing command would refuse bad ones.
    pub async fn publish_spec(&self, job: JobSpec) -> TaskId {
        let mut tasks = self.publish_specs(vec![job]).await;
        tasks.pop().expect("one was published")
    }

    /// As [`Self::publish_spec`], several at once. Once for a publisher: its references are those of the last time.
    pub async fn publish_specs(&self, jobs: Vec<JobSpec>) -> Vec<TaskId> {
        let keypair = KeySource::Development(self.publisher.clone()).load();
        let submitter = Submitter::new(self.client.clone(), keypair.expect("development keys are well formed"));
        let at = self.client.best().await.expect("the chain answers");
        let classes = at.classes().await.expect("classes can be read");
        let deadline = at.block.number + 300;
        let publish = |(number, job): (u8, JobSpec)| {
            let class = classes
                .iter()
                .find(|class| class.specialisation == job.specialisation())
                .expect("every kind has a class");
            let difficulty = Difficulty::ONE;
            let reward = class.least_reward(difficulty).expect("it fits");
            let source = JobSource::Inline(job);
            let call = calls::publish(class.id, source, difficulty, reward, deadline, [number; 16]);
            let submitter = submitter.clone();
            async move {
                let included = submitter.submit(&call).await.expect("it is published");
                included.published().expect("its number is told")
            }
        };
        join_all((1..).zip(jobs).map(publish)).await
    }

    /// Publishes a small task that takes little time.
    pub async fn publish_small(&self) -> TaskId {
        self.publish(&[
            "synthetic",
            "--matrix-size",
            "48",
            "--iterations",
            "3",
            "--deadline",
            "60",
        ])
        .await
    }

    /// Runs `agora` and returns how it failed.
    pub async fn failure(&self, key: &str, arguments: &[&str]) -> CommandFailed {
        failure(&self.agora(key), arguments).await
    }

    /// The next finalised block.
    pub async fn next_block(&mut self) -> BlockEvents {
        let block = tokio::time::timeout(PATIENCE, self.blocks.next())
            .await
            .unwrap_or_else(|_| panic!("no block was finalised for {} s", PATIENCE.as_secs()))
            .expect("blocks can be followed");
        self.seen.push(block.clone());
        block
    }

    /// Waits until `found` finds something in the events that were or will be finalised.
    pub async fn event<T>(&mut self, what: &str, found: impl Fn(&Event) -> Option<T>) -> T {
        self.event_within(what, PATIENCE, found).await
    }

    /// The same, for as long as `patience`.
    async fn event_within<T>(&mut self, what: &str, patience: Duration, found: impl Fn(&Event) -> Option<T>) -> T {
        if let Some(found) = self.seen.iter().flat_map(|block| &block.events).find_map(&found) {
            return found;
        }
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let block = self.next_block().await;
            if let Some(found) = block.events.iter().find_map(&found) {
                return found;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{what} did not happen within {} s",
                patience.as_secs()
            );
        }
    }

    /// Waits for the task's terminal event, checks that it has just one, and returns which.
    pub async fn ended(&mut self, task: TaskId) -> Phase {
        self.ended_within(task, PATIENCE).await
    }

    /// The same, for as long as `patience`.
    pub async fn ended_within(&mut self, task: TaskId, patience: Duration) -> Phase {
        let ended = |event: &Event| terminal(event, task);
        let status = self.event_within("the end of the task", patience, ended).await;
        for _ in 0..2 {
            self.next_block().await;
        }
        let ends = self
            .seen
            .iter()
            .flat_map(|block| &block.events)
            .filter(|event| terminal(event, task).is_some())
            .count();
        assert_eq!(ends, 1, "task {task} has {ends} terminal events");
        status
    }

    /// How `worker`'s work on `task` was judged.
    pub fn outcome(&self, task: TaskId, key: &str) -> Option<Outcome> {
        let account = account(key);
        let mut outcomes = self
            .seen
            .iter()
            .flat_map(|block| &block.events)
            .filter_map(|event| match event {
                Event::Tasks(tasks::Event::WorkerJudged {
                    task: t,
                    worker,
                    outcome,
                }) if t.0 == task && *worker == account => Some(outcome.0),
                _ => None,
            });
        let outcome = outcomes.next();
        assert!(outcomes.next().is_none(), "{key} was judged twice for task {task}");
        outcome
    }

    /// What was paid to `key` out of holds for `purpose`.
    pub fn paid_to(&self, key: &str, purpose: Purpose) -> Vec<Balance> {
        let account = account(key);
        self.payments()
            .filter(|paid| paid.purpose == purpose && paid.payee == Payee::Account(account))
            .map(|paid| paid.amount)
            .collect()
    }

    /// What was taken from holds of `key` for `purpose`.
    pub fn taken_from(&self, key: &str, purpose: Purpose) -> Balance {
        let account = account(key);
        self.payments()
            .filter(|paid| paid.purpose == purpose && paid.from == account)
            .map(|paid| paid.amount)
            .sum()
    }

    /// What was taken from all that was held of `key` for `task`.
    pub fn taken_for(&self, task: TaskId, key: &str) -> Balance {
        let account = account(key);
        self.payments()
            .filter(|paid| paid.scope == Scope::Task(task) && paid.from == account)
            .map(|paid| paid.amount)
            .sum()
    }

    /// What was paid to `key` out of all that was held for `task`.
    pub fn paid_for(&self, task: TaskId, key: &str) -> Balance {
        let payee = Payee::Account(account(key));
        self.payments()
            .filter(|paid| paid.scope == Scope::Task(task) && paid.payee == payee)
            .map(|paid| paid.amount)
            .sum()
    }

    fn payments(&self) -> impl Iterator<Item = PaymentView> {
        self.seen.iter().flat_map(BlockEvents::payments)
    }

    /// Checks that no money was made or lost, and that nothing of `task` is held any more.
    pub async fn assert_conserved(&self, task: TaskId) {
        // The chain may have gone on, and burned more, since.
        let last = self.seen.last().expect("a block was seen").block.hash;
        let at = self.client.at(last).await.expect("the chain answers");
        let balances = at.balances().await.expect("balances can be read");
        let sum: Balance = balances.iter().map(|(_, balance)| balance.free + balance.held).sum();
        let burned: Balance = self
            .payments()
            .filter(|paid| paid.payee == Payee::Burn)
            .map(|paid| paid.amount)
            .sum();
        assert_eq!(sum + burned, self.chain.issuance(), "money was made or lost");
        for (account, _) in balances {
            for deposit in at.deposits(&account).await.expect("deposits can be read") {
                let scope = Scope::Task(task);
                assert_ne!(
                    deposit.scope, scope,
                    "{account} still has money locked for task {task}: {deposit:?}"
                );
            }
        }
    }

    /// Whether an event was seen of which `found` holds.
    pub fn happened(&self, found: impl Fn(&Event) -> bool) -> bool {
        self.seen.iter().flat_map(|block| &block.events).any(found)
    }

    /// The number of the first block with an event of which `found` holds.
    ///
    /// # Panics
    ///
    /// If none was seen.
    pub fn block_of(&self, found: impl Fn(&Event) -> bool) -> u32 {
        let mut blocks = self.seen.iter();
        let block = blocks.find(|block| block.events.iter().any(&found));
        block.expect("it has happened").block.number
    }

    /// Waits until nobody has a bond in court for `task`.
    pub async fn bonds_in_court_are_settled(&mut self, task: TaskId) {
        loop {
            let block = self.next_block().await.block.hash;
            let at = self.client.at(block).await.expect("the chain answers");
            let mut held = false;
            for (account, _) in at.balances().await.expect("balances can be read") {
                let deposits = at.deposits(&account).await.expect("deposits can be read");
                let scope = Scope::Task(task);
                held |= deposits
                    .iter()
                    .any(|deposit| deposit.purpose == Purpose::CourtBond && deposit.scope == scope);
            }
            if !held {
                return;
            }
        }
    }

    /// What the account has at its disposal, at the newest finalised block.
    pub async fn free(&self, key: &str) -> Balance {
        let at = self.client.finalised().await.expect("the chain answers");
        at.balance(&account(key)).await.expect("balances can be read").free
    }
}

/// What registering puts up, in units.
const BOND: &str = "1000";

/// Runs `agora` and returns how it failed.
pub async fn failure(agora: &Agora, arguments: &[&str]) -> CommandFailed {
    match agora.json(arguments).await {
        Err(LocalnetError::Command(failed)) => failed,
        other => panic!("`agora {}` was to fail: {other:?}", arguments.join(" ")),
    }
}

/// Which end of `task` the event is, if it is one.
fn terminal(event: &Event, task: TaskId) -> Option<Phase> {
    let Event::Tasks(event) = event else { return None };
    let (of, status) = match event {
        tasks::Event::Settled { task, .. } => (task.0, Phase::Settled),
        tasks::Event::Cancelled { task } => (task.0, Phase::Cancelled),
        tasks::Event::Expired { task } => (task.0, Phase::Expired),
        tasks::Event::Failed { task } => (task.0, Phase::Failed),
        _ => return None,
    };
    (of == task).then_some(status)
}
