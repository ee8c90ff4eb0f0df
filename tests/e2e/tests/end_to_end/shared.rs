//! Chains that tests share.

use agora_e2e::{Chain, Market, publisher, verifier, worker};
use agora_localnet::{Process, free_port};
use serde_json::json;
use std::{net::SocketAddr, sync::Arc};
use tokio::sync::OnceCell;

/// All kinds of work but `synthetic`: a task of that kind on [`Shared::kinds`] finds no worker.
const ALL_BUT_SYNTHETIC: &str = "inference,embedding,training,rendering,row-transform,program";

/// The chains, each started by the first test that asks for it.
#[derive(Default)]
pub struct Shared {
    kinds: OnceCell<Running>,
    metrics: OnceCell<SocketAddr>,
    faults: OnceCell<Running>,
    capability: OnceCell<Running>,
}

/// A chain with the processes that all tests on it use.
struct Running {
    chain: Arc<Chain>,
    _processes: Vec<Process>,
}

impl Shared {
    /// A chain with three workers for every kind of work but `synthetic`, one of them on the graphics processor, and two
    /// verifiers; as seen by its `number`th publisher.
    pub async fn kinds(&self, number: u32) -> Market {
        let running = self.kinds.get_or_init(|| async {
            let market = Market::on(Arc::new(Chain::start(|_| {}).await), &publisher(1)).await;
            let further = ["--specialisations", ALL_BUT_SYNTHETIC, "--slots", "4"];
            market
                .register_all((1..=3).map(|number| (worker(number), "worker", &further[..])))
                .await;
            market.register(0, 2).await;
            let devices = ["cpu", "cpu", "0"];
            let mut processes = Vec::new();
            let metrics = self.metrics().await.to_string();
            for (key, device) in (1..).map(worker).zip(devices) {
                let mut arguments = vec!["mine", "--device", device];
                if key == worker(1) {
                    arguments.extend(["--metrics", &metrics]);
                }
                processes.push(market.spawn(&key, &arguments).await);
            }
            for number in 1..=2 {
                processes.push(market.verify_work(number, &[]).await);
            }
            Running {
                chain: market.chain,
                _processes: processes,
            }
        });
        Market::on(Arc::clone(&running.await.chain), &publisher(number)).await
    }

    /// Where the first worker of [`Self::kinds`] serves its figures.
    pub async fn metrics(&self) -> SocketAddr {
        let address = async || ([127, 0, 0, 1], free_port().expect("a port is free")).into();
        *self.metrics.get_or_init(address).await
    }

    /// A chain with a verifier, and with workers that tests start themselves, to do wrong: 1 to 5 for `synthetic`, 6 to 8
    /// for `row-transform`; as seen by its `number`th publisher.
    pub async fn faults(&self, number: u32) -> Market {
        let running = self.faults.get_or_init(|| async {
            let market = Market::on(Arc::new(Chain::start(|_| {}).await), &publisher(1)).await;
            let synthetic = ["--specialisations", "synthetic"];
            let row_transform = ["--specialisations", "row-transform"];
            let work = |number| {
                if number <= 5 {
                    &synthetic[..]
                } else {
                    &row_transform[..]
                }
            };
            market
                .register_all((1..=8).map(|number| (worker(number), "worker", work(number))))
                .await;
            market.register(0, 1).await;
            Running {
                _processes: vec![market.verify_work(1, &[]).await],
                chain: market.chain,
            }
        });
        Market::on(Arc::clone(&running.await.chain), &publisher(number)).await
    }

    /// A chain with a round of hardware challenges every forty-five blocks, of which sixteen take responses, and a verifier.
    pub async fn capability(&self) -> Market {
        let running = self.capability.get_or_init(|| async {
            let chain = Chain::start(|genesis| {
                genesis["capability"]["schedule"] = json!({
                    "period": 45, "window": 16, "voting": 12, "revealing": 12, "validity": 135, "quorum": 1, "seats": 16,
                });
            });
            let market = Market::on(Arc::new(chain.await), &publisher(1)).await;
            market.register_as(&verifier(1), "verifier", &[]).await;
            Running {
                _processes: vec![market.verify_work(1, &[]).await],
                chain: market.chain,
            }
        });
        Market::on(Arc::clone(&running.await.chain), &publisher(1)).await
    }
}
