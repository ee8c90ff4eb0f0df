//! Results that those who have made them keep to themselves.

use crate::{
    Tests,
    blobs::{announce, serving},
    court,
};
use agora_e2e::{PATIENCE, verifier, worker};
use agora_primitives::{TaskId, money::Purpose, reputation::Outcome, task::Phase};
use serde_json::Value;
use std::sync::Arc;

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.alone(
        "withheld::what_a_cartel_withholds_reaches_the_publisher_if_it_is_right_and_falls_if_it_is_not",
        what_a_cartel_withholds_reaches_the_publisher_if_it_is_right_and_falls_if_it_is_not,
    );
}

/// Rows and columns of the matrix of the second task.
const COLUMNS: usize = 64;

/// Two cartels, each of all workers of its kind of work, serve nobody what they computed. One verifier looks: it has nothing but what the
/// publisher gives.
async fn what_a_cartel_withholds_reaches_the_publisher_if_it_is_right_and_falls_if_it_is_not() {
    let mut market = court::market(0).await;
    let kinds = [
        ["--specialisations", "synthetic"],
        ["--specialisations", "row-transform"],
    ];
    let all = (1..=6).map(|number| (worker(number), "worker", &kinds[(number - 1) / 3][..]));
    market.register_all(all).await;
    market.register(0, 1).await;
    let apart = |key: &str| market.agora(key).apart();

    let publisher = apart(&market.publisher);
    let source = serving(&publisher, &["blobs", "serve", "127.0.0.1:0"]).await;
    announce(&publisher, &[source.address]).await;
    let mut cartels = Vec::new();
    for number in 1..=6 {
        let mut arguments = vec!["mine", "--device", "cpu", "--private-market", "--no-court"];
        if number > 3 {
            arguments.extend(["--fault", "corrupt"]);
        }
        let mut process = apart(&worker(number)).spawn(&arguments).expect("it starts");
        process.printed("Ctrl-C stops", 0, PATIENCE).await.expect("it works");
        cartels.push(process);
    }
    let check = [
        "verify-work",
        "--device",
        "cpu",
        "--serve",
        "127.0.0.1:0",
        "--private-market",
    ];
    let honest = serving(&apart(&verifier(1)), &check).await;
    announce(&apart(&verifier(1)), &[honest.address]).await;

    let matrix: Vec<u8> = (0..COLUMNS * COLUMNS).map(|at| (at % 251) as u8).collect();
    let matrix_file = market.chain.file("matrix", &matrix);
    let vectors_file = market.chain.file("vectors", &matrix[..COLUMNS]);
    let (columns, deadline) = (COLUMNS.to_string(), "100");
    let publish = async |job: &[&str]| {
        let said = publisher
            .json(&[&["publish"], job].concat())
            .await
            .expect("it is published");
        TaskId(said[0]["task"].as_u64().expect("its number is told"))
    };
    let right = publish(&[
        "synthetic",
        "--matrix-size",
        "48",
        "--iterations",
        "3",
        "--deadline",
        deadline,
    ])
    .await;
    let wrong = publish(&[
        "matmul",
        "--matrix",
        &matrix_file,
        "--columns",
        &columns,
        "--vectors",
        &vectors_file,
        "--deadline",
        deadline,
    ])
    .await;

    // Nobody but the verifier can give either of them.
    let given = |said: Vec<Value>| said[0]["from"] == serde_json::json!([format!("http://{}/", honest.address)]);
    let chain = Arc::clone(&market.chain);
    let result = async |task: TaskId, file: &str| {
        let (id, file) = (task.to_string(), chain.path(file).display().to_string());
        let said = publisher
            .json(&["result", &id, "--file", &file, "--private-market"])
            .await;
        (
            said.expect("it is fetched"),
            std::fs::read(file).expect("it was written"),
        )
    };

    assert_eq!(market.ended(right).await, Phase::Settled);
    for number in 1..=3 {
        let outcome = market.outcome(right, &worker(number));
        assert_eq!(outcome, Some(Outcome::Right { confirmed: true }), "worker {number}");
    }
    let (said, output) = result(right, "right").await;
    assert!(given(said), "it comes from the verifier");
    assert_eq!(output.len(), 48 * 48);
    assert!(honest.process.output().contains("is served from here"));
    // And perhaps for the other task already.
    let paid = market.paid_to(&verifier(1), Purpose::TaskReward);
    assert!(!paid.is_empty(), "it is paid for looking");

    assert_eq!(market.ended(wrong).await, Phase::Settled);
    for number in 4..=6 {
        assert_eq!(market.outcome(wrong, &worker(number)), Some(Outcome::Wrong));
        assert!(
            market.taken_from(&worker(number), Purpose::TaskBond) > 0,
            "worker {number}"
        );
    }
    let (said, output) = result(wrong, "wrong").await;
    assert!(given(said), "it comes from the verifier");
    let product = |row: &[u8]| -> i32 {
        let pairs = row.iter().zip(&matrix[..COLUMNS]);
        pairs.map(|(&a, &b)| i32::from(a as i8) * i32::from(b as i8)).sum()
    };
    let expected: Vec<u8> = matrix
        .chunks(COLUMNS)
        .flat_map(|row| product(row).to_le_bytes())
        .collect();
    assert_eq!(output, expected);
    market.bonds_in_court_are_settled(wrong).await;
    assert_eq!(market.taken_from(&verifier(1), Purpose::CourtBond), 0);
    market.assert_conserved(right).await;
    market.assert_conserved(wrong).await;
}
