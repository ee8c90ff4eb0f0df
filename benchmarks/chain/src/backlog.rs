//! Whether a node misses slots while very many tasks are due at once.
//!
//! What is due by time is done in `on_idle`, and nobody waits for it: so it must leave the author of a block the time to make it.

use crate::{
    Failure, UNIT,
    throughput::{Chain, PAUSE, development_key, submit_all},
};
use agora_bench_figures::{Better, Figure};
use agora_chain::{
    AtBlock, Client, KeySource, Submitter,
    api::{Event, api::tasks},
    calls,
};
use agora_localnet::{Node, NodeOptions};
use agora_primitives::{
    job::{JobKind, JobSource, JobSpec, SyntheticJob},
    participants::Specialisation,
    task::Difficulty,
};
use futures::future::try_join_all;
use serde_json::json;

/// How long a slot takes, in milliseconds.
const SLOT_MS: u64 = 250;
/// How many publishers hand tasks to the pool side by side: each has 1000 open tasks of a class at most.
const PUBLISHERS: usize = 16;
/// How many tasks the pool is given at a time.
const AT_ONCE: usize = 2000;
/// Blocks in which nothing is due, for comparison.
const IDLE: u32 = 100;
/// Tasks that get into each block at least, so that all are there before they are due.
const PER_BLOCK: usize = 10;
/// Tasks with the same deadline: the agenda has room for no more than 512 in a block.
const PER_DEADLINE: usize = 500;

/// Publishes `count` tasks that are due in as few blocks as can be, one after the other, and that nobody accepts, and counts the blocks
/// that are made while they end.
pub async fn measure(count: usize) -> Result<Vec<Figure>, Failure> {
    let folder = tempfile::tempdir()?;
    let keys: Vec<_> = (0..PUBLISHERS)
        .map(|number| development_key(&format!("//Bench//{number}")))
        .collect();
    let accounts = keys.iter().map(|key| Ok(key.load()?.account()));
    let accounts = accounts.collect::<Result<Vec<_>, Failure>>()?;
    let spec = agora_localnet::write_chain_spec("dev", folder.path(), |genesis| {
        genesis["blockTime"]["slotDurationMs"] = json!(SLOT_MS);
        // Nothing else is to happen.
        genesis["capability"]["schedule"] = json!(null);
        if let Some(balances) = genesis["balances"]["balances"].as_array_mut() {
            let rich = accounts
                .iter()
                .map(|account| json!([account.to_string(), 15_000_000 * UNIT as u64]));
            balances.extend(rich);
        }
    })?;
    let mut options = NodeOptions {
        chain: spec.display().to_string(),
        ..NodeOptions::development()
    };
    let arguments = ["--pool-limit", "20000", "--pool-kbytes", "100000"];
    options.arguments.extend(arguments.map(Into::into));
    let mut node = Node::start(options, folder.path()).await?;
    let client = node.client().await?;

    let deadline = publish(&client, &keys, count).await?;
    let idle = reach(&client, deadline - IDLE).await?;
    let due = reach(&client, deadline).await?;
    let mut chain = Chain::from(&client, deadline + 1);
    let is_expired = |event: &Event| matches!(event, Event::Tasks(tasks::Event::Expired { .. }));
    chain.wait_for(count, "the ends of tasks", is_expired).await?;
    let over = client.at_number(chain.last()).await?;
    let (blocks, slots) = between(&due, &over).await?;
    let (idle_blocks, idle_slots) = between(&idle, &due).await?;
    println!(
        "{count} tasks ended in {blocks} blocks, within {slots} slots; {idle_blocks} of {idle_slots} before had one"
    );
    node.stop().await?;
    let figure = Figure::new(
        format!("blocks per slot of {SLOT_MS} ms while {count} due tasks end, against slots in which nothing is due"),
        "blocks per slot",
        f64::from(blocks) / slots as f64,
        f64::from(idle_blocks) / idle_slots as f64,
        Better::Higher,
    );
    Ok(vec![figure.goal(1.0)])
}

/// Publishes `count` tasks that are due from the block on that is returned.
async fn publish(client: &Client, keys: &[KeySource], count: usize) -> Result<u32, Failure> {
    let best = client.best().await?;
    let classes = best.classes().await?.into_iter();
    let mut classes = classes.filter(|class| class.specialisation == Specialisation::Synthetic);
    let class = classes.next().ok_or("the chain has no class for synthetic work")?;
    let reward = class
        .least_reward(Difficulty::ONE)
        .ok_or("the least reward overflows")?;
    let deadline = best.block.number + IDLE + u32::try_from(count / PER_BLOCK)?;
    let publishers = keys
        .iter()
        .map(|key| Ok(Submitter::new(client.clone(), key.load()?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    let mut chain = Chain::from(client, best.block.number + 1);
    let is_published = |event: &Event| matches!(event, Event::Tasks(tasks::Event::Published { .. }));
    let mut left = count;
    while left > 0 {
        let now = AT_ONCE.min(left);
        let first = count - left;
        let each = now / PUBLISHERS;
        let shares = publishers.iter().enumerate().map(|(number, publisher)| {
            let share = each + usize::from(number < now % PUBLISHERS);
            let calls = (0..share).map(|at| {
                // Publishers take turns, so that each deadline is as full as the next.
                let later = (first + at * PUBLISHERS + number) / PER_DEADLINE;
                let deadline = deadline + later as u32;
                let job = JobSource::Inline(JobSpec::V2(JobKind::Synthetic(SyntheticJob {
                    seed: rand::random(),
                    matrix_size: 1,
                    iterations: 1,
                })));
                calls::publish(class.id, job, Difficulty::ONE, reward, deadline, rand::random())
            });
            submit_all(publisher, calls.collect())
        });
        try_join_all(shares).await?;
        chain.wait_for(now, "the publications", is_published).await?;
        left -= now;
    }
    Ok(deadline)
}

/// The block with that number, when it is there.
async fn reach(client: &Client, number: u32) -> Result<AtBlock, Failure> {
    while client.best().await?.block.number < number {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(client.at_number(number).await?)
}

/// How many blocks were made after `from` and up to `to`, and in how many slots.
async fn between(from: &AtBlock, to: &AtBlock) -> Result<(u32, u64), Failure> {
    let blocks = to.block.number - from.block.number;
    Ok((blocks, slot(to).await? - slot(from).await?))
}

async fn slot(at: &AtBlock) -> Result<u64, Failure> {
    Ok(at.timestamp_ms().await? / SLOT_MS)
}
