//! A market full of tasks that the worker does not take, with one now and then that it does.

use crate::{Failure, PATIENCE, near};
use agora_chain::{
    AccountId, Balance, Blocks, Client, KeySource, Submitter,
    api::{
        Event,
        api::{system, tasks},
    },
    calls,
    views::ClassView,
};
use agora_localnet::{Node, NodeOptions, Process};
use agora_primitives::{
    job::{JobKind, JobSource, JobSpec, SyntheticJob},
    participants::Specialisation,
    task::Difficulty,
};
use futures::future::try_join_all;
use serde_json::json;
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// One unit, in plancks.
pub const UNIT: Balance = 1_000_000_000_000;
/// The worker's key.
pub const WORKER: &str = "//BenchWorker";
/// What a task must bring for the worker to take it.
pub const MIN_PROFIT: Balance = 5 * UNIT;
/// What such a task pays.
const GOOD_REWARD: Balance = 10_000 * UNIT;
/// How many publishers fill the market: each may have 1,000 open tasks of a class.
const PUBLISHERS: usize = 112;
/// How many of them do it side by side, and how many tasks each hands to the pool at a time.
const SIDE_BY_SIDE: usize = 8;
const AT_ONCE: usize = 500;
/// Tasks whose deadline is the same block: fewer than the chain ends in one.
const PER_DEADLINE: usize = 128;
/// Blocks until the first of the uninteresting tasks is over.
const FIRST_DEADLINE: u32 = 20_000;
/// How often it is asked whether the worker has sent something.
const EVERY: Duration = Duration::from_millis(2);

/// The chain, as those see it who are near its node.
pub struct Market {
    client: Client,
    blocks: Blocks,
    publishers: Vec<Submitter>,
    good: Submitter,
    worker: AccountId,
    class: ClassView,
    /// How many uninteresting tasks there are.
    published: usize,
}

fn key(name: &str) -> Result<(KeySource, AccountId), Failure> {
    let key = KeySource::Development(name.to_owned());
    let account = key.load()?.account();
    Ok((key, account))
}

impl Market {
    /// Starts a chain with one worker, and publishers who can pay.
    pub async fn start(folder: &Path) -> Result<(Node, Self), Failure> {
        let (_, worker) = key(WORKER)?;
        let names = (0..=PUBLISHERS).map(|number| format!("//Bench//Publisher{number}"));
        let publishers = names.map(|name| key(&name)).collect::<Result<Vec<_>, _>>()?;
        let rich = publishers.iter().map(|(_, account)| account).chain([&worker]);
        let balances: Vec<_> = rich
            .map(|account| json!([account.to_string(), 15_000_000 * UNIT as u64]))
            .collect();
        let profile = json!({ "specialisations": ["synthetic"], "slots": 64, "capability": 1 });
        let spec = agora_localnet::write_chain_spec("dev", folder, |genesis| {
            if let Some(all) = genesis["balances"]["balances"].as_array_mut() {
                all.extend(balances);
            }
            // No responses to hardware challenges among what it sends.
            genesis["capability"]["schedule"] = json!(null);
            genesis["registry"]["participants"] = json!([
                { "account": worker.to_string(), "role": "worker", "bond": 1000 * UNIT as u64, "profile": profile }
            ]);
        })?;
        let mut options = NodeOptions {
            chain: spec.display().to_string(),
            ..NodeOptions::development()
        };
        // 100,000 tasks go through it, and the worker comes by another port than the node's own.
        let arguments = ["--pool-limit", "20000", "--pool-kbytes", "100000", "--rpc-cors", "all"];
        options.arguments.extend(arguments.map(Into::into));
        let node = Node::start(options, folder).await?;
        let client = near(&node).await?;
        let classes = client.best().await?.classes().await?;
        let class = classes
            .into_iter()
            .find(|class| class.specialisation == Specialisation::Synthetic);
        let submitters = publishers
            .iter()
            .map(|(key, _)| Ok(Submitter::new(client.clone(), key.load()?)));
        let mut publishers = submitters.collect::<Result<Vec<_>, Failure>>()?;
        let market = Self {
            blocks: client.follow_best(),
            client,
            good: publishers.pop().ok_or("there is a publisher")?,
            publishers,
            worker,
            class: class.ok_or("the chain has no class for synthetic work")?,
            published: 0,
        };
        Ok((node, market))
    }

    fn publish(&self, reward: Balance, deadline: u32) -> impl agora_chain::Payload + use<> {
        let job = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
            seed: rand::random(),
            matrix_size: 8,
            iterations: 2,
        }));
        let (class, difficulty) = (self.class.id, Difficulty::ONE);
        calls::publish(
            class,
            JobSource::Inline(job),
            difficulty,
            reward,
            deadline,
            rand::random(),
        )
    }

    /// Publishes `count` tasks that pay the least.
    pub async fn publish_uninteresting(&mut self, count: usize) -> Result<(), Failure> {
        let reward = self
            .class
            .least_reward(Difficulty::ONE)
            .ok_or("the least reward overflows")?;
        let end = self.published + count;
        while self.published < end {
            let now = self.client.best().await?.block.number;
            let (mut sent, before) = (Vec::new(), self.published);
            // They take turns.
            self.publishers.rotate_left(SIDE_BY_SIDE);
            for publisher in self.publishers.iter().take(SIDE_BY_SIDE) {
                let some = AT_ONCE.min(end - self.published);
                let calls: Vec<_> = (self.published..self.published + some)
                    .map(|number| self.publish(reward, now + FIRST_DEADLINE + (number / PER_DEADLINE) as u32))
                    .collect();
                self.published += some;
                sent.push(async move {
                    match publisher.submit_all(&calls).await? {
                        taken if taken == calls.len() => Ok::<_, Failure>(()),
                        taken => Err(format!("the pool took {taken} of {} publications", calls.len()).into()),
                    }
                });
            }
            try_join_all(sent).await?;
            let round = self.published - before;
            self.included(round).await?;
            println!("{} tasks are open", self.published);
        }
        Ok(())
    }

    /// Waits until `count` more tasks are on chain.
    async fn included(&mut self, mut count: usize) -> Result<(), Failure> {
        let began = Instant::now();
        while count > 0 {
            let at = self.blocks.next().await?;
            for event in &at.events {
                match event {
                    Event::System(system::Event::ExtrinsicFailed { .. }) => {
                        return Err(format!("a publication failed: {event:?}").into());
                    }
                    Event::Tasks(tasks::Event::Published { .. }) => count = count.saturating_sub(1),
                    _ => {}
                }
            }
            if began.elapsed() > PATIENCE {
                return Err("the publications get into no block".into());
            }
        }
        Ok(())
    }

    /// Publishes a task that the worker takes. Returns when the block with it was seen here.
    pub async fn publish_good(&self) -> Result<Instant, Failure> {
        let mut blocks = self.client.follow_best();
        let now = blocks.next().await?.block.number;
        let call = self.publish(GOOD_REWARD, now + FIRST_DEADLINE / 2);
        self.good.submit_all(&[call]).await?;
        loop {
            let block = blocks.next().await?;
            let is_published = |event: &Event| matches!(event, Event::Tasks(tasks::Event::Published { .. }));
            if block.events.iter().any(is_published) {
                return Ok(Instant::now());
            }
        }
    }

    /// How many transactions the worker has sent, those in the pool counted.
    pub async fn sent_by_worker(&self) -> Result<u64, Failure> {
        Ok(self.client.next_nonce(&self.worker).await?)
    }

    /// Seconds from `since` until the worker has sent more than `before`.
    pub async fn next_sent(&self, before: u64, since: Instant, worker: &mut Process) -> Result<f64, Failure> {
        while self.sent_by_worker().await? <= before {
            if since.elapsed() > PATIENCE {
                return Err(format!("the worker has sent nothing:\n{}", worker.output()).into());
            }
            worker.ensure_running()?;
            tokio::time::sleep(EVERY).await;
        }
        Ok(since.elapsed().as_secs_f64())
    }

    /// Waits for so many blocks.
    pub async fn wait_blocks(&mut self, count: u32) -> Result<(), Failure> {
        let first = self.client.best().await?.block.number;
        while self.blocks.next().await?.block.number < first + count {}
        Ok(())
    }
}
