//! What alerts and board in `deploy/` ask for is what a worker serves.

use crate::{Tests, shared::Shared};
use agora_e2e::PATIENCE;
use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const ALERTS: &str = include_str!("../../../../deploy/prometheus/alerts.yml");
const BOARD: &str = include_str!("../../../../deploy/grafana/agora-workers.json");

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.sharing(
        "figures::a_worker_serves_what_alerts_and_board_name",
        a_worker_serves_what_alerts_and_board_name,
    );
}

/// What alerts and board ask Prometheus for.
fn expressions() -> Vec<String> {
    let mut expressions: Vec<_> = ALERTS
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: "))
        .map(str::to_owned)
        .collect();
    let board: serde_json::Value = serde_json::from_str(BOARD).expect("it is JSON");
    for panel in board["panels"].as_array().expect("it has panels") {
        for target in panel["targets"].as_array().expect("a panel has targets") {
            expressions.push(target["expr"].as_str().expect("a target has an expression").to_owned());
        }
    }
    expressions
}

/// The figures of workers in `expression`, with their labels: `agora_devices{reason="resting"}`.
fn named(expression: &str) -> Vec<&str> {
    let starts = expression
        .match_indices("agora_")
        .map(|(start, _)| &expression[start..]);
    let figure = |text: &'_ str| {
        let name = text.find(|one: char| !one.is_ascii_alphanumeric() && one != '_');
        match name {
            Some(end) if text[end..].starts_with('{') => end + text[end..].find('}').map_or(0, |close| close + 1),
            Some(end) => end,
            None => text.len(),
        }
    };
    starts.map(|text| &text[..figure(text)]).collect()
}

/// The names of the samples in what is served: with their labels, and without.
fn served(text: &str) -> BTreeSet<&str> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let names = samples.filter_map(|line| Some(line.rsplit_once(' ')?.0));
    names
        .flat_map(|name| [Some(name), name.split_once('{').map(|(name, _)| name)])
        .flatten()
        .collect()
}

/// What `address` answers to `GET /metrics`.
async fn scrape(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: worker\r\nConnection: close\r\n\r\n")
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

async fn a_worker_serves_what_alerts_and_board_name(shared: Arc<Shared>) {
    let market = shared.kinds(13).await;
    let wanted: BTreeSet<_> = expressions()
        .iter()
        .flat_map(|expression| named(expression))
        .map(str::to_owned)
        .collect();
    assert!(
        wanted.contains("agora_best_block") && wanted.contains(r#"agora_outcomes_total{reason="wrong"}"#),
        "the files are read as they are written: {wanted:?}"
    );
    // No worker of this chain takes this kind, and each says so.
    let small = ["synthetic", "--matrix-size", "8", "--iterations", "1"];
    let task = market.publish(&small).await.to_string();
    let address = shared.metrics().await;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let answer = scrape(address).await.expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let served = served(&answer);
        let missing: Vec<_> = wanted.iter().filter(|name| !served.contains(name.as_str())).collect();
        if missing.is_empty() {
            break;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "nobody serves {missing:?}:\n{answer}"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let cancel = market.agora(&market.publisher);
    cancel.json(&["cancel", &task]).await.expect("nobody has taken it");
}
