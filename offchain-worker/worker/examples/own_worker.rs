//! A worker of one's own, built from the crates: it takes only what a list of publishers offers, and computes on the
//! processor.
//!
//! ```text
//! own_worker ws://127.0.0.1:9944 //Worker1 data 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY
//! ```
//!
//! The account must be registered as a worker (`agora register --role worker --bond 1000`).

use agora_blobs::{
    BlobStore, Blobs, Cache,
    http::{PeerLimits, Peers},
};
use agora_chain::{AccountId, BlockNumber, ChainError, Client, KeySource, Submitter, views::TaskView};
use agora_compute::CpuEngine;
use agora_primitives::{TaskId, participants::Role};
use agora_worker::{
    ChainOffers, Journal, Metrics, Offers, Openings, Policy, Power, Publishers, State, Worker, WorkerConfig,
};
use std::{collections::BTreeSet, error::Error, path::PathBuf, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Tells of the chain's tasks by some publishers. Tasks may come from anywhere: a file, a queue, a market of one's own.
struct Trusted {
    all: ChainOffers,
    publishers: BTreeSet<AccountId>,
}

impl<S: State> Offers<S> for Trusted {
    async fn refresh(
        &mut self,
        best: &S,
        now: BlockNumber,
        changed: &[TaskId],
        has_gap: bool,
    ) -> Result<(), ChainError> {
        self.all.refresh(best, now, changed, has_gap).await
    }

    fn open(&self) -> impl Iterator<Item = &TaskView> {
        let open = <ChainOffers as Offers<S>>::open(&self.all);
        open.filter(|task| self.publishers.contains(&task.publisher))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |what: &str| arguments.next().ok_or(format!("{what} is missing"));
    let (url, key) = (argument("the node's URL")?, argument("the key")?);
    let data = PathBuf::from(argument("the data folder")?);
    let publishers = arguments.map(|account| account.parse()).collect::<Result<_, _>>()?;

    // The chain, and the account that works.
    let client = Client::connect(&url, Duration::from_secs(10)).await?;
    let keypair = KeySource::Development(key).load()?;
    let account = keypair.account();
    let best = client.best().await?;
    let participant = best.participant(&account, Role::Worker).await?;
    let participant = participant.ok_or("the account is not registered as a worker")?;

    // What it remembers, where its blobs are, and what it wants.
    let journal = Journal::open(&data.join("journal"), client.genesis_hash().0, account.0)?;
    let store = BlobStore::open(&data.join("blobs").to_string_lossy())?;
    let cache = Cache::open(&data.join("cache"), 64 << 30)?;
    let blobs = Blobs::new(store, cache, Peers::new(PeerLimits::default())?, Vec::new());
    let config = WorkerConfig {
        policy: Policy {
            publishers: Publishers::default(),
            specialisations: participant.specialisations,
            max_work: u128::MAX,
            max_job_bytes: 8 << 30,
            memory_bytes: 16 << 30,
            min_reward_per_giga_op: 0,
            min_profit: 0,
            power: Power::FREE,
            max_bond: u128::MAX,
            max_exposure: u128::MAX,
            stop_loss: None,
            block_ms: best.block_time_ms().await?,
        },
        openings: Openings::default(),
        heartbeat_every: 100,
        decoys: None,
        #[cfg(feature = "fault-injection")]
        fault: None,
    };

    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        stop.cancel();
    });
    let submitter = Submitter::resume(client, keypair, Arc::new(journal.clone()));
    submitter.start().await?;
    let worker = Worker::new(
        submitter,
        journal,
        blobs,
        data.join("tasks"),
        vec![Arc::new(CpuEngine::new())],
        config,
        Metrics::default(),
    )?;
    let offers = Trusted {
        all: ChainOffers::default(),
        publishers,
    };
    Ok(worker.with_offers(offers).run(shutdown).await?)
}
