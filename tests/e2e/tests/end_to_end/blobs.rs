//! Strangers without a store in common: everybody serves what it has, says so on chain, and fetches from others over HTTP.

use crate::Tests;
use agora_e2e::{Market, PATIENCE, account, failure, verifier, worker};
use agora_localnet::{Agora, Process};
use agora_primitives::{reputation::Outcome, task::Phase};
use agora_test_support::proxy::{Fault, Proxy};
use std::{net::SocketAddr, time::Instant};

/// Rows and columns of the matrix, 64 MiB; few of its rows are multiplied.
const ROWS: usize = 1 << 14;
const COLUMNS: usize = 1 << 12;

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.alone(
        "blobs::strangers_without_a_common_store_settle_a_task_over_a_bad_network",
        strangers_without_a_common_store_settle_a_task_over_a_bad_network,
    );
}

/// Where nobody answers.
const NOBODY: &str = "127.0.0.1:9";

/// Somebody who serves, and where.
pub struct Serving {
    /// Its process.
    pub process: Process,
    /// Its address.
    pub address: SocketAddr,
}

/// Starts `agora`, with blobs of its own, and waits until it serves and works.
pub async fn serving(agora: &Agora, command: &[&str]) -> Serving {
    let mut process = agora.spawn(command).expect("it starts");
    process.printed("Ctrl-C stops", 0, PATIENCE).await.expect("it works");
    let output = process.output();
    let address = output
        .split("Serving blobs at http://")
        .nth(1)
        .and_then(|rest| rest.split('/').next());
    Serving {
        address: address
            .and_then(|text| text.parse().ok())
            .expect("it says where it serves"),
        process,
    }
}

/// Publishes on chain where `agora`'s account serves blobs.
pub async fn announce(agora: &Agora, addresses: &[SocketAddr]) {
    let urls: Vec<String> = addresses.iter().map(|address| format!("http://{address}/")).collect();
    let mut arguments = vec!["addresses", "--allow-private"];
    for url in &urls {
        arguments.extend(["--set", url]);
    }
    let said = agora.json(&arguments).await.expect("it is published");
    assert_eq!(said[0]["addresses"], serde_json::json!(urls));
}

/// Lets the key `hot` do the work of `owner`, with money for fees.
async fn let_work(market: &Market, owner: &str, hot: &str) {
    let (owner, hot) = (market.agora(owner), account(hot).to_string());
    owner.json(&["transfer", &hot, "20"]).await.expect("it has the money");
    let added = owner.json(&["proxy", "add", &hot, "--type", "work"]).await;
    assert_eq!(added.expect("it may")[0]["type"], "work");
}

/// A network that drops connections, and now and then corrupts what it lets pass.
async fn bad_network(to: SocketAddr) -> Proxy {
    let proxy = Proxy::start(to, |number| match number % 3 {
        0 => Fault::CutAfter(700_000),
        1 => Fault::FlipAt(300_000),
        _ => Fault::CutAfter(5_000_000),
    });
    proxy.await.expect("a port is free")
}

async fn strangers_without_a_common_store_settle_a_task_over_a_bad_network() {
    let mut market = Market::start().await;
    let apart = |key: &str| market.agora(key).apart();
    let further = ["--specialisations", "row-transform"];
    market
        .register_all((1..=3).map(|number| (worker(number), "worker", &further[..])))
        .await;
    market.register(0, 2).await;

    // The publisher has the input, and nobody else. It names an address at which nobody answers, too.
    let publisher = apart(&market.publisher);
    let source = serving(&publisher, &["blobs", "serve", "127.0.0.1:0"]).await;
    let near_source = bad_network(source.address).await;
    announce(&publisher, &[NOBODY.parse().expect("an address"), source.address]).await;
    let mine = ["mine", "--device", "cpu", "--serve", "127.0.0.1:0", "--private-market"];
    let first = serving(&apart(&worker(1)), &mine).await;
    announce(&apart(&worker(1)), &[first.address]).await;
    let second = serving(&apart(&worker(2)), &mine).await;
    announce(&apart(&worker(2)), &[second.address]).await;
    // The third worker's machine has a key that can move no money, and a bad network, over which others reach it.
    let (owner, hot) = (account(&worker(3)).to_string(), "//Hot3");
    let may_not = market
        .failure(hot, &["--proxied", &owner, "mine", "--device", "cpu"])
        .await;
    assert_eq!(may_not.code, Some(4), "{may_not}");
    assert!(may_not.message.contains("agora proxy add"), "{may_not}");
    let_work(&market, &worker(3), hot).await;
    let near_source_url = format!("http://{}/", near_source.address);
    let third = [&["--proxied", &owner], &mine[..], &["--peer", &near_source_url]].concat();
    let third = serving(&apart(hot), &third).await;
    let near_third = bad_network(third.address).await;
    let by_hot = ["--proxied", &owner, "addresses", "--allow-private", "--set"];
    let near_third_url = format!("http://{}/", near_third.address);
    let said = market
        .agora(hot)
        .json(&[&by_hot[..], &[&near_third_url]].concat())
        .await;
    assert_eq!(said.expect("it may")[0]["account"], owner.as_str());
    let check = ["verify-work", "--serve", "127.0.0.1:0", "--private-market"];
    let nobody = format!("http://{NOBODY}/");
    let announced = [&check[..], &["--announce", &nobody]].concat();
    let verifiers = [
        serving(&apart(&verifier(1)), &announced).await,
        serving(&apart(&verifier(2)), &check).await,
    ];

    let matrix: Vec<u8> = (0..ROWS * COLUMNS).map(|at| (at % 65_521 % 251) as u8).collect();
    let matrix_file = market.chain.file("large matrix", &matrix);
    let vectors_file = market.chain.file("vectors", &matrix[..2 * COLUMNS]);
    let columns = COLUMNS.to_string();
    let began = Instant::now();
    let published = publisher
        .json(&[
            "publish",
            "matmul",
            "--matrix",
            &matrix_file,
            "--columns",
            &columns,
            "--first-row",
            "16000",
            "--rows",
            "9",
            "--vectors",
            &vectors_file,
            "--deadline",
            "200",
        ])
        .await
        .expect("it is published");
    let task = agora_primitives::TaskId(published[0]["task"].as_u64().expect("its number is told"));
    assert_eq!(market.ended(task).await, Phase::Settled);
    println!(
        "a task with 64 MiB of input settled in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    for number in 1..=3 {
        let outcome = market.outcome(task, &worker(number));
        assert_eq!(outcome, Some(Outcome::Right { confirmed: true }), "worker {number}");
    }
    assert!(near_source.connections() > 0, "the bad network was used");
    assert_eq!(
        market
            .agora(&market.publisher)
            .data()
            .join("cache/blobs")
            .read_dir()
            .map_or(0, Iterator::count),
        0
    );

    // The publisher has the result from those who computed it, and everybody can check it.
    let id = task.to_string();
    let output = market.chain.path("product").display().to_string();
    let fetch = ["result", &id, "--file", &output, "--private-market"];
    publisher.json(&fetch).await.expect("it is fetched");
    let check = ["verify", &id, "--check", "--private-market"];
    publisher.json(&check).await.expect("it is right");
    let product = |row: usize, vector: usize| -> i32 {
        let row = &matrix[row * COLUMNS..][..COLUMNS];
        let vector = &matrix[vector * COLUMNS..][..COLUMNS];
        row.iter()
            .zip(vector)
            .map(|(&a, &b)| i32::from(a as i8) * i32::from(b as i8))
            .sum()
    };
    let expected: Vec<u8> = (0..2)
        .flat_map(|vector| (16_000..16_009).flat_map(move |row| product(row, vector).to_le_bytes()))
        .collect();
    assert_eq!(std::fs::read(output).expect("it was written"), expected);
    for verifier in &verifiers {
        assert!(
            verifier.process.output().contains("Attested"),
            "both verifiers had what they needed"
        );
    }

    // The key on the third worker's machine has worked, and can take nothing.
    let leave = ["--proxied", &owner, "leave", "--role", "worker"];
    let refused = failure(&market.agora(hot), &leave).await;
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.message.contains("CallFiltered"), "{refused}");
    let listed = market.agora(hot).json(&["--proxied", &owner, "proxy", "list"]).await;
    assert_eq!(
        listed.expect("it is listed")[0]["proxies"].as_array().map(Vec::len),
        Some(1)
    );
    market.assert_conserved(task).await;
}
