//! Settled tasks and transfers per second on one node.
//!
//! No results are computed here: the workers commit to and reveal a digest that they agree on beforehand, so that the chain
//! alone is measured. Each task takes five acceptances, five commitments, five reveals and a settlement.

use crate::figure::{Better, Figure};
use agora_chain::{
    AccountId, BlockEvents, Client, H256, KeySource, Submitter,
    api::{Event, api::tasks},
    calls,
    views::ClassView,
};
use agora_localnet::{Node, NodeOptions};
use agora_primitives::{
    TaskId,
    commitment::commitment,
    job::{JobKind, JobSource, JobSpec, SyntheticJob},
    participants::{Role, Specialisation, Specialisations},
};
use futures::future::try_join_all;
use std::{
    error::Error,
    time::{Duration, Instant},
};

type Failure = Box<dyn Error + Send + Sync>;

const UNIT: u128 = 1_000_000_000_000;
/// How many workers each task takes.
const WORKERS: usize = 5;
/// How many slots each worker has.
const SLOTS: u32 = 64;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(300);

pub async fn measure(transfers: usize, tasks: usize) -> Result<Vec<Figure>, Failure> {
    let folder = tempfile::tempdir()?;
    let mut node = Node::start(NodeOptions::development(), folder.path()).await?;
    let client = node.client().await?;
    let transfers_per_second = transfer(&client, transfers).await?;
    println!("{transfers} transfers: {transfers_per_second:.1} per second");
    let tasks_per_second = settle(&client, tasks).await?;
    println!("{tasks} tasks of {WORKERS} workers: {tasks_per_second:.2} settled per second");
    node.stop().await?;
    Ok(vec![
        Figure::new(
            "transfers on one node",
            "per s",
            transfers_per_second,
            transfers_per_second,
            Better::Higher,
        ),
        Figure::new(
            format!("settled tasks of {WORKERS} workers against transfers"),
            "per s",
            tasks_per_second,
            transfers_per_second,
            Better::Higher,
        ),
    ])
}

fn submitter(client: &Client, key: &str) -> Result<Submitter, Failure> {
    Ok(Submitter::new(
        client.clone(),
        KeySource::Development(key.to_owned()).load()?,
    ))
}

/// Follows the best chain until `count` of the events are what is wanted.
async fn wait_for(
    blocks: &mut agora_chain::Blocks,
    mut count: usize,
    what: &str,
    wanted: impl Fn(&Event) -> bool,
) -> Result<(), Failure> {
    let waited = async {
        while count > 0 {
            let BlockEvents { events, .. } = blocks.next().await?;
            count = count.saturating_sub(events.iter().filter(|event| wanted(event)).count());
        }
        Ok(())
    };
    match tokio::time::timeout(PATIENCE, waited).await {
        Ok(done) => done,
        Err(_) => Err(format!("{count} of {what} did not happen").into()),
    }
}

/// Transfers from several accounts, as fast as blocks take them.
async fn transfer(client: &Client, count: usize) -> Result<f64, Failure> {
    let senders = ["//Alice", "//Bob", "//Charlie", "//Dave", "//Eve", "//Ferdie"];
    let to: AccountId = *submitter(client, "//Publisher")?.account();
    let mut blocks = client.follow_finalised(None);
    let each = count.div_ceil(senders.len());
    let started = Instant::now();
    let sent = try_join_all(senders.map(|key| async move {
        let calls: Vec<_> = (0..each).map(|_| calls::transfer(to, UNIT / 1000)).collect();
        Ok::<_, Failure>(submitter(client, key)?.submit_all(&calls).await?)
    }))
    .await?;
    let total: usize = sent.iter().sum();
    wait_for(&mut blocks, total, "the transfers", |event| {
        matches!(
            event,
            Event::Balances(agora_chain::api::api::balances::Event::Transfer { .. })
        )
    })
    .await?;
    Ok(total as f64 / started.elapsed().as_secs_f64())
}

/// Publishes tasks and takes them all the way.
async fn settle(client: &Client, count: usize) -> Result<f64, Failure> {
    let publisher = submitter(client, "//Publisher")?;
    let workers = (1..=WORKERS)
        .map(|number| submitter(client, &format!("//Worker{number}")))
        .collect::<Result<Vec<_>, _>>()?;
    let only = Specialisations::NONE.with(Specialisation::Synthetic);
    let register = calls::register(Role::Worker, 1000 * UNIT, only, SLOTS, 1);
    try_join_all(workers.iter().map(|worker| worker.submit_finalised(&register))).await?;
    let classes = client.best().await?.classes().await?;
    let class = classes
        .into_iter()
        .find(|class| class.specialisation == Specialisation::Synthetic)
        .ok_or("the chain has no class for synthetic work")?;

    let mut settled = 0;
    let started = Instant::now();
    while settled < count {
        let batch = (count - settled).min(SLOTS as usize);
        settle_batch(client, &publisher, &workers, &class, batch).await?;
        settled += batch;
    }
    Ok(count as f64 / started.elapsed().as_secs_f64())
}

async fn settle_batch(
    client: &Client,
    publisher: &Submitter,
    workers: &[Submitter],
    class: &ClassView,
    count: usize,
) -> Result<(), Failure> {
    let mut blocks = client.follow_finalised(None);
    let deadline = client.best().await?.block.number + 200;
    let reward = class.least_reward(1000).ok_or("the least reward overflows")?;
    let job = JobSource::Inline(JobSpec::V1(JobKind::Synthetic(SyntheticJob {
        seed: rand::random(),
        matrix_size: 1,
        iterations: 1,
    })));
    let publish: Vec<_> = (0..count)
        .map(|_| calls::publish(class.id, job.clone(), 1000, reward, deadline, rand::random()))
        .collect();
    publisher.submit_all(&publish).await?;
    let is_published = |event: &Event| matches!(event, Event::Tasks(tasks::Event::Published { .. }));
    wait_for(&mut blocks, count, "the publications", is_published).await?;
    let tasks: Vec<TaskId> = client
        .best()
        .await?
        .tasks_wanting_workers()
        .await?
        .iter()
        .map(|task| task.id)
        .collect();

    let (digest, trace_root, salt) = (H256([7; 32]), H256([8; 32]), [9; 32]);
    let genesis = client.genesis_hash();
    try_join_all(workers.iter().map(|worker| {
        let accept: Vec<_> = tasks.iter().map(|task| calls::accept(*task)).collect();
        async move { worker.submit_all(&accept).await }
    }))
    .await?;
    let total = tasks.len() * workers.len();
    let accepted = |event: &Event| matches!(event, Event::Tasks(tasks::Event::Accepted { .. }));
    wait_for(&mut blocks, total, "the acceptances", accepted).await?;
    try_join_all(workers.iter().map(|worker| {
        let of = |task: &TaskId| commitment(genesis, *task, worker.account(), digest, trace_root, &salt);
        let commit: Vec<_> = tasks.iter().map(|task| calls::commit(*task, of(task))).collect();
        async move { worker.submit_all(&commit).await }
    }))
    .await?;
    let committed = |event: &Event| matches!(event, Event::Tasks(tasks::Event::Committed { .. }));
    wait_for(&mut blocks, total, "the commitments", committed).await?;
    try_join_all(workers.iter().map(|worker| {
        let reveal: Vec<_> = tasks
            .iter()
            .map(|task| calls::reveal(*task, digest, trace_root, salt))
            .collect();
        async move { worker.submit_all(&reveal).await }
    }))
    .await?;
    let settled = |event: &Event| matches!(event, Event::Tasks(tasks::Event::Settled { .. }));
    wait_for(&mut blocks, tasks.len(), "the settlements", settled).await
}
