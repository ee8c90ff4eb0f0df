//! What happens to the machines of honest workers: real disks, stores, nodes, keys and sleep.
//!
//! Each fault by itself, and at every point of a task, is tried on a chain in memory (`offchain-worker/worker/src/worker/tests`). Here
//! all of them happen at once, to real processes.

use crate::Tests;
use agora_chain::api::{Event, api::tasks};
use agora_e2e::{Market, PATIENCE, account, worker};
use agora_localnet::Process;
use agora_primitives::{TaskId, money::Purpose, reputation::Outcome, task::Phase};
use std::time::Duration;

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.alone(
        "machines::disks_stores_nodes_keys_and_sleep_cost_honest_workers_nothing",
        disks_stores_nodes_keys_and_sleep_cost_honest_workers_nothing,
    );
}

/// The worker whose disk is full.
const FULL: usize = 1;
/// The worker whose machine sleeps.
const SLEEPING: usize = 2;
/// The worker whose key is used on two machines.
const TWICE: usize = 3;
/// Bytes that a file may have on a full disk. A log is shorter, and a journal longer.
const FILE_LIMIT: u64 = 1 << 13;

/// Limits the files that `process` writes, or lifts the limit. Its journal takes nothing more, as on a full disk.
fn limit_files(process: &Process, bytes: Option<u64>) {
    let pid = process.id().expect("it runs").to_string();
    let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
    // The soft limit alone, which everybody may lift.
    let limited = std::process::Command::new("prlimit")
        .args(["--pid", &pid, &format!("--fsize={limit}:")])
        .status();
    assert!(limited.expect("util-linux is there").success());
}

/// Whether `number` has accepted `task`.
fn has_accepted(event: &Event, task: TaskId, number: usize) -> Option<()> {
    match event {
        Event::Tasks(tasks::Event::Accepted {
            task: of, worker: by, ..
        }) if of.0 == task && *by == account(&worker(number)) => Some(()),
        _ => None,
    }
}

/// How often `process` has said `text`.
fn said(process: &Process, text: &str) -> usize {
    process.output().matches(text).count()
}

async fn disks_stores_nodes_keys_and_sleep_cost_honest_workers_nothing() {
    const OTHER_CHAIN: &str = "it is of another chain";
    let mut market = Market::start().await;
    let slots = ["--slots", "4"];
    market
        .register_all((1..=5).map(|number| (worker(number), "worker", &slots[..])))
        .await;
    let mut processes = Vec::new();
    for number in 1..=5 {
        processes.push(market.mine(number, &[]).await);
    }
    let twin = market.chain.agora_elsewhere(&worker(TWICE));
    let mut twin = twin.spawn(&["mine", "--device", "cpu"]).expect("it starts");
    twin.printed("Ctrl-C stops", 0, PATIENCE).await.expect("it works");
    limit_files(&processes[FULL - 1], Some(FILE_LIMIT));

    // Five are wanted, and one of them cannot accept.
    let size = ["--matrix-size", "48", "--iterations", "3"];
    let task = market
        .publish(&[&["synthetic"], &size[..], &["--deadline", "300"]].concat())
        .await;
    for number in 2..=5 {
        market
            .event("an acceptance", |event| has_accepted(event, task, number))
            .await;
    }
    processes[SLEEPING - 1].suspend().expect("it runs");
    market.chain.take_blobs_away();
    processes[FULL - 1]
        .printed("A step failed", 0, PATIENCE)
        .await
        .expect("it says that its disk is full");

    let others = [TWICE - 1, 3, 4];
    market
        .chain
        .with_another_chain(async {
            for other in others {
                processes[other]
                    .printed(OTHER_CHAIN, 0, PATIENCE)
                    .await
                    .expect("it says so");
            }
        })
        .await;
    assert!(!market.happened(|event| has_accepted(event, task, FULL).is_some()));
    limit_files(&processes[FULL - 1], None);
    processes[SLEEPING - 1].wake().expect("it runs");

    // All have revealed, and none could put its result into the store.
    for number in 1..=5 {
        let by = account(&worker(number));
        market
            .event("a reveal", |event| match event {
                Event::Tasks(tasks::Event::Revealed { task: of, worker, .. }) if of.0 == task && *worker == by => {
                    Some(())
                }
                _ => None,
            })
            .await;
    }
    market.chain.give_blobs_back();
    assert_eq!(market.ended(task).await, Phase::Settled);
    for number in 1..=5 {
        let key = worker(number);
        assert_eq!(
            market.outcome(task, &key),
            Some(Outcome::Right { confirmed: true }),
            "{key}"
        );
        assert_eq!(market.taken_from(&key, Purpose::TaskBond), 0, "{key}");
    }
    market.assert_conserved(task).await;
    let id = task.to_string();
    let fetched = async {
        while market.agora(&market.publisher).json(&["result", &id]).await.is_err() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(PATIENCE, fetched)
        .await
        .expect("the result gets into the store after all");

    // Each thing was said once.
    for other in others {
        let output = processes[other].output();
        let lines = output.lines().filter(|line| line.contains("The node is not believed"));
        assert_eq!(lines.filter(|line| line.contains(OTHER_CHAIN)).count(), 1, "{output}");
    }
    let accepted = [said(&processes[TWICE - 1], "Accepted."), said(&twin, "Accepted.")];
    assert_eq!(
        accepted.iter().sum::<usize>(),
        1,
        "one of two with a key has the task: {accepted:?}"
    );
    // Whoever sees the other's acceptance before it sends its own is not told.
    let same_key = "Another program signs with the same key";
    let both = [said(&processes[TWICE - 1], same_key), said(&twin, same_key)];
    assert!(both.iter().all(|count| *count <= 1), "{both:?}");
    for process in processes.into_iter().chain([twin]) {
        process.stop().await.expect("it still runs, and stops when asked to");
    }
}
