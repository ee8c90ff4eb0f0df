//! Strangers without a store in common: everybody serves what it has, and fetches from others over HTTP.

use crate::Tests;
use agora_e2e::{Market, PATIENCE, verifier, worker};
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

/// Somebody who serves, and where.
struct Serving {
    process: Process,
    address: SocketAddr,
}

/// Starts `agora`, with blobs of its own, and waits until it serves and works.
async fn serving(agora: Agora, command: &[&str], peers: &[SocketAddr]) -> Serving {
    let urls: Vec<String> = peers.iter().map(|peer| format!("http://{peer}/")).collect();
    let mut arguments = command.to_vec();
    for url in &urls {
        arguments.extend(["--peer", url]);
    }
    let mut process = agora.spawn(&arguments).expect("it starts");
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

    // The publisher has the input, and nobody else.
    let publisher = apart(&market.publisher);
    let source = serving(publisher.clone(), &["blobs", "serve", "127.0.0.1:0"], &[]).await;
    let near_source = bad_network(source.address).await;
    let mine = [
        "mine",
        "--device",
        "cpu",
        "--serve",
        "127.0.0.1:0",
        "--allow-private-peers",
    ];
    let first = serving(apart(&worker(1)), &mine, &[source.address]).await;
    let second = serving(apart(&worker(2)), &mine, &[source.address, first.address]).await;
    let third = serving(apart(&worker(3)), &mine, &[near_source.address, source.address]).await;
    // Others reach the third worker over a bad network only.
    let near_third = bad_network(third.address).await;
    let check = ["verify-work", "--serve", "127.0.0.1:0", "--allow-private-peers"];
    let peers = [source.address, near_third.address, first.address];
    let mut verifiers = vec![serving(apart(&verifier(1)), &check, &peers).await];
    let peers = [near_third.address, second.address, verifiers[0].address, source.address];
    verifiers.push(serving(apart(&verifier(2)), &check, &peers).await);

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
    let peers = [near_third.address, first.address].map(|peer| format!("http://{peer}/"));
    let from = ["--allow-private-peers", "--peer", &peers[0], "--peer", &peers[1]];
    let output = market.chain.path("product").display().to_string();
    let command = [&["result", &id, "--file", &output], &from[..]].concat();
    publisher.json(&command).await.expect("it is fetched");
    let command = [&["verify", &id, "--check"], &from[..]].concat();
    publisher.json(&command).await.expect("it is right");
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
    market.assert_conserved(task).await;
}
