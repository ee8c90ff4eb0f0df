//! What somebody sees who runs a worker or publishes from scripts.

use crate::{Tests, shared::Shared};
use agora_e2e::{Market, account, worker};
use serde_json::Value;
use std::sync::Arc;

const REFERENCE: &str = "0123456789abcdef0123456789abcdef";
/// The same, as a UUID.
const UUID: &str = "01234567-89ab-cdef-0123-456789abcdef";

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.sharing(
        "operate::a_worker_is_told_what_a_task_brought_and_why",
        a_worker_is_told_what_a_task_brought_and_why,
    );
    tests.sharing(
        "operate::a_publisher_is_told_what_a_task_costs_and_finds_it_again",
        a_publisher_is_told_what_a_task_costs_and_finds_it_again,
    );
}

async fn one(market: &Market, key: &str, arguments: &[&str]) -> Value {
    let mut answers = market.agora(key).json(arguments).await.expect("it succeeds");
    assert_eq!(answers.len(), 1, "{arguments:?}: {answers:?}");
    answers.remove(0)
}

fn amount(value: &Value) -> u128 {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("{value} is no amount"))
}

async fn a_worker_is_told_what_a_task_brought_and_why(shared: Arc<Shared>) {
    let market = shared.kinds(10).await;
    let matrix = market.chain.file("operate.matrix", &[1; 12]);
    let vectors = market.chain.file("operate.vectors", &[2; 6]);
    let job = [
        "matmul",
        "--matrix",
        &matrix,
        "--vectors",
        &vectors,
        "--columns",
        "3",
        // The workers have tasks of other tests, too.
        "--deadline",
        "240",
    ];
    let task = market.publish(&job).await.to_string();

    let early = market
        .failure(
            &market.publisher,
            &["wait", &task, "--for", "settled", "--timeout", "0"],
        )
        .await;
    assert_eq!(early.code, Some(8), "{early}");
    assert!(early.message.contains("\"try_again\":true"), "{early}");

    let settled = one(
        &market,
        &market.publisher,
        &["wait", &task, "--for", "settled", "--timeout", "360"],
    )
    .await;
    assert_eq!(settled["status"], "settled");

    let mut earned = 0;
    for number in 1..=3 {
        let earnings = one(&market, &worker(number), &["earnings", "--task", &task]).await;
        let Some(entry) = earnings["tasks"].get(0) else {
            continue;
        };
        assert_eq!(entry["part"], "worker", "{entry}");
        assert!(entry["why"].to_string().contains("the work was right"), "{entry}");
        assert!(entry["why"].to_string().contains("settled"), "{entry}");
        assert_eq!(amount(&entry["lost"]), 0);
        earned += amount(&entry["earned"]);
    }
    let spent = one(&market, &market.publisher, &["earnings", "--task", &task]).await;
    assert!(
        earned > 0 && earned < amount(&spent["spent"]),
        "a part of what the publisher pays is the workers'"
    );
    assert!(spent["net"].as_str().is_some_and(|net| net.starts_with('-')), "{spent}");

    let status = one(&market, &worker(1), &["status"]).await;
    assert_eq!(status["account"], account(&worker(1)).to_string());
    assert_eq!(status["roles"][0]["role"], "worker");
    assert!(amount(&status["roles"][0]["bond"]) > 0);
    assert_eq!(status["node"]["syncing"], false);
    assert_eq!(status["journal"]["state"], "in-use", "its worker is running");
    let running = market.failure(&worker(1), &["journal", "list"]).await;
    assert!(running.message.contains("stop its worker"), "{running}");

    let checks = market
        .agora(&worker(1))
        .json(&["doctor", "--quick"])
        .await
        .expect("nothing fails");
    for name in ["node", "clock", "finality", "data", "blobs"] {
        let found = checks.iter().find(|check| check["check"] == name);
        assert!(found.is_some_and(|check| check["finding"] == "ok"), "{name}: {found:?}");
    }
}

async fn a_publisher_is_told_what_a_task_costs_and_finds_it_again(shared: Arc<Shared>) {
    let market = shared.kinds(11).await;
    let publisher = market.publisher.clone();
    // No worker of this chain takes this kind.
    let small = [
        "publish",
        "synthetic",
        "--matrix-size",
        "8",
        "--iterations",
        "1",
        "--reference",
        UUID,
    ];
    let quote = one(&market, &publisher, &[&small[..], &["--dry-run"]].concat()).await;
    assert_eq!(quote["suffices"], true, "{quote}");
    let nothing = market.failure(&publisher, &["task", "--reference", REFERENCE]).await;
    assert_eq!(nothing.code, Some(3), "a dry run publishes nothing: {nothing}");
    let poor = market
        .failure(
            &publisher,
            &[&small[..], &["--dry-run", "--reward", "100000000"]].concat(),
        )
        .await;
    assert_eq!(poor.code, Some(4), "{poor}");

    let before = market
        .client
        .best()
        .await
        .expect("it answers")
        .balance(&account(&publisher))
        .await;
    let published = one(&market, &publisher, &small).await;
    let after = market
        .client
        .best()
        .await
        .expect("it answers")
        .balance(&account(&publisher))
        .await;
    for part in ["reward", "stake", "fee"] {
        assert_eq!(quote[part], published[part], "{part}");
    }
    let gone = before.expect("it is told").free - after.expect("it is told").free;
    let foreseen = amount(&quote["held"]) + amount(&quote["transaction_fee"]);
    // The fee of the transaction is an estimate.
    assert!(
        gone.abs_diff(foreseen) < foreseen / 100,
        "{foreseen} was foreseen, and {gone} was taken"
    );

    let found = one(
        &market,
        "//Bob",
        &[
            "task",
            "--reference",
            REFERENCE,
            "--publisher",
            quote["account"].as_str().expect("text"),
        ],
    )
    .await;
    assert_eq!(found["id"], published["task"]);
    let task = published["task"].to_string();
    let listed = one(
        &market,
        &publisher,
        &[
            "tasks",
            "--publisher",
            &account(&publisher).to_string(),
            "--kind",
            "synthetic",
            "--phase",
            "open",
        ],
    )
    .await;
    assert_eq!(listed["id"], published["task"]);
    let after_it = [
        "tasks",
        "--publisher",
        &account(&publisher).to_string(),
        "--after",
        &task,
    ];
    assert!(
        market
            .agora(&publisher)
            .json(&after_it)
            .await
            .expect("it succeeds")
            .is_empty()
    );

    one(&market, &publisher, &["cancel", &task]).await;
    let never = market.failure(&publisher, &["wait", &task, "--for", "revealed"]).await;
    assert_eq!(never.code, Some(9), "{never}");
    assert_eq!(
        one(&market, &publisher, &["wait", &task, "--for", "ended"]).await["status"],
        "cancelled"
    );
}
