//! Settled tasks and transfers per second on one node.
//!
//! No results are computed here: the workers commit to and reveal a claim that they agree on beforehand, so that the chain
//! alone is measured. Each task takes five acceptances, five commitments, five reveals and a settlement.

use crate::{Failure, UNIT, chain_spec};
use agora_bench_figures::{Better, Figure};
use agora_chain::{
    AccountId, Client, H256, KeySource, Submitter,
    api::{
        Event,
        api::{balances, system, tasks},
    },
    calls,
};
use agora_localnet::{Node, NodeOptions};
use agora_primitives::{
    TaskId,
    commitment::commitment,
    job::{BlobRef, Claim, JobKind, JobSource, JobSpec, SyntheticJob},
    participants::Specialisation,
    task::Difficulty,
};
use futures::future::try_join_all;
use std::time::{Duration, Instant};

/// How many workers each task takes.
const TEAM: usize = 5;
/// How many tasks each worker has at a time.
const SLOTS: usize = 64;
/// How long each stage may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// Pause before the chain is asked again.
pub const PAUSE: Duration = Duration::from_millis(200);

pub async fn measure(transfers: usize, tasks: usize) -> Result<Vec<Figure>, Failure> {
    let folder = tempfile::tempdir()?;
    let workers: Vec<_> = (0..tasks.div_ceil(SLOTS) * TEAM)
        .map(|number| development_key(&format!("//Bench//{number}")))
        .collect();
    let accounts = workers
        .iter()
        .map(|key| Ok(key.load()?.account()))
        .collect::<Result<Vec<_>, Failure>>()?;
    let spec = chain_spec::write(folder.path(), &accounts, SLOTS as u32)?;
    let options = NodeOptions {
        chain: spec.display().to_string(),
        ..NodeOptions::development()
    };
    let mut node = Node::start(options, folder.path()).await?;
    let client = node.client().await?;
    let transfers_per_second = transfer(&client, transfers).await?;
    println!("{transfers} transfers: {transfers_per_second:.1} per second");
    let tasks_per_second = settle(&client, &workers, tasks).await?;
    println!("{tasks} tasks of {TEAM} workers: {tasks_per_second:.2} settled per second");
    node.stop().await?;
    let figure = |name: String, value| Figure::new(name, "per s", value, transfers_per_second, Better::Higher);
    Ok(vec![
        figure("transfers on one node".to_owned(), transfers_per_second),
        figure(
            format!("settled tasks of {TEAM} workers against transfers"),
            tasks_per_second,
        ),
    ])
}

pub fn development_key(path: &str) -> KeySource {
    KeySource::Development(path.to_owned())
}

/// The best chain, read block by block.
pub struct Chain<'a> {
    client: &'a Client,
    /// The next block to be read.
    next: u32,
}

impl<'a> Chain<'a> {
    /// From block `next` on.
    pub const fn from(client: &'a Client, next: u32) -> Self {
        Self { client, next }
    }

    /// From the next block on.
    async fn from_now(client: &'a Client) -> Result<Self, Failure> {
        Ok(Self::from(client, client.best().await?.block.number + 1))
    }

    /// The last block that was read.
    pub const fn last(&self) -> u32 {
        self.next - 1
    }

    /// Reads blocks until `count` events were `wanted`. A development node that is alone never reverts a block.
    pub async fn wait_for(
        &mut self,
        mut count: usize,
        what: &str,
        mut wanted: impl FnMut(&Event) -> bool,
    ) -> Result<(), Failure> {
        let started = Instant::now();
        while count > 0 {
            let best = self.client.best().await?.block.number;
            while count > 0 && self.next <= best {
                for event in self.client.at_number(self.next).await?.block_events().await?.events {
                    match wanted(&event) {
                        true => count = count.saturating_sub(1),
                        false => ensure_success(&event)?,
                    }
                }
                self.next += 1;
            }
            if started.elapsed() > PATIENCE {
                return Err(format!("{count} of {what} did not happen").into());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }
}

/// Fails if a call failed: nothing that is measured here may go wrong.
fn ensure_success(event: &Event) -> Result<(), Failure> {
    match event {
        Event::System(system::Event::ExtrinsicFailed { .. })
        | Event::Tasks(tasks::Event::Expired { .. } | tasks::Event::Failed { .. }) => {
            Err(format!("something failed on chain: {event:?}").into())
        }
        _ => Ok(()),
    }
}

/// Hands all calls to the pool.
pub async fn submit_all(submitter: &Submitter, calls: Vec<impl agora_chain::Payload>) -> Result<(), Failure> {
    match submitter.submit_all(&calls).await? {
        taken if taken == calls.len() => Ok(()),
        taken => Err(format!("the pool took {taken} of {} transactions", calls.len()).into()),
    }
}

/// Transfers from several accounts, as fast as blocks take them.
async fn transfer(client: &Client, count: usize) -> Result<f64, Failure> {
    let senders = ["//Alice", "//Bob", "//Charlie", "//Dave", "//Eve", "//Ferdie"];
    let to: AccountId = development_key("//Publisher").load()?.account();
    let each = count.div_ceil(senders.len());
    let mut chain = Chain::from_now(client).await?;
    let started = Instant::now();
    try_join_all(senders.map(|key| async move {
        let sender = Submitter::new(client.clone(), development_key(key).load()?);
        let calls = (0..each).map(|_| calls::transfer(to, UNIT / 1000)).collect();
        submit_all(&sender, calls).await
    }))
    .await?;
    let total = each * senders.len();
    let is_transfer = |event: &Event| matches!(event, Event::Balances(balances::Event::Transfer { .. }));
    chain.wait_for(total, "the transfers", is_transfer).await?;
    Ok(total as f64 / started.elapsed().as_secs_f64())
}

/// Publishes tasks and takes them to their end, each stage for all of them together.
async fn settle(client: &Client, workers: &[KeySource], count: usize) -> Result<f64, Failure> {
    let workers = workers
        .iter()
        .map(|key| Ok(Submitter::new(client.clone(), key.load()?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    let mut chain = Chain::from_now(client).await?;
    let started = Instant::now();
    let tasks = publish(client, &mut chain, count).await?;
    // Each worker with the tasks of its team.
    let shifts: Vec<_> = workers
        .chunks(TEAM)
        .zip(tasks.chunks(SLOTS))
        .flat_map(|(team, tasks)| team.iter().map(move |worker| (worker, tasks)))
        .collect();
    let total = count * TEAM;

    let accept = |task: TaskId, _: &Submitter| calls::accept(task);
    work(&shifts, accept).await?;
    let is_accepted = |event: &Event| matches!(event, Event::Tasks(tasks::Event::Accepted { .. }));
    chain.wait_for(total, "the acceptances", is_accepted).await?;

    let claim = Claim::Output {
        output: BlobRef::to(&[7]),
        states_root: H256([8; 32]),
    };
    let salt = [9; 32];
    let genesis = client.genesis_hash();
    let commit = |task: TaskId, worker: &Submitter| {
        let commitment = commitment(genesis, task, worker.account(), &claim, &salt);
        calls::commit(task, commitment)
    };
    work(&shifts, commit).await?;
    let is_committed = |event: &Event| matches!(event, Event::Tasks(tasks::Event::Committed { .. }));
    chain.wait_for(total, "the commitments", is_committed).await?;

    let reveal = |task: TaskId, _: &Submitter| calls::reveal(task, claim, salt);
    work(&shifts, reveal).await?;
    let is_settled = |event: &Event| matches!(event, Event::Tasks(tasks::Event::Settled { .. }));
    chain.wait_for(count, "the settlements", is_settled).await?;
    Ok(count as f64 / started.elapsed().as_secs_f64())
}

/// Makes every worker send a call for each of its tasks.
async fn work<P: agora_chain::Payload>(
    shifts: &[(&Submitter, &[TaskId])],
    call: impl Fn(TaskId, &Submitter) -> P,
) -> Result<(), Failure> {
    let sent = shifts.iter().map(|(worker, tasks)| {
        let calls: Vec<_> = tasks.iter().map(|task| call(*task, worker)).collect();
        submit_all(worker, calls)
    });
    try_join_all(sent).await.map(drop)
}

async fn publish(client: &Client, chain: &mut Chain<'_>, count: usize) -> Result<Vec<TaskId>, Failure> {
    let best = client.best().await?;
    let class = best
        .classes()
        .await?
        .into_iter()
        .find(|class| class.specialisation == Specialisation::Synthetic)
        .ok_or("the chain has no class for synthetic work")?;
    let reward = class
        .least_reward(Difficulty::ONE)
        .ok_or("the least reward overflows")?;
    let deadline = best.block.number + 1000;
    let job = JobSource::Inline(JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: rand::random(),
        matrix_size: 1,
        iterations: 1,
    })));
    let calls = (0..count)
        .map(|_| calls::publish(class.id, job.clone(), Difficulty::ONE, reward, deadline, rand::random()))
        .collect();
    let publisher = Submitter::new(client.clone(), development_key("//Publisher").load()?);
    submit_all(&publisher, calls).await?;
    let mut tasks = Vec::new();
    let published = |event: &Event| match event {
        Event::Tasks(tasks::Event::Published { task, .. }) => {
            tasks.push(task.0);
            true
        }
        _ => false,
    };
    chain.wait_for(count, "the publications", published).await?;
    Ok(tasks)
}
