//! Tasks on a real node, with real workers and verifiers.

use crate::{Tests, shared::Shared};
use agora_chain::{calls, verify_result};
use agora_e2e::{Market, finalised_up_to, worker};
use agora_primitives::{job::Claim, money::Purpose, reputation::Outcome, task::Phase};
use std::sync::Arc;

const RIGHT: Option<Outcome> = Some(Outcome::Right { confirmed: true });
const WRONG: Option<Outcome> = Some(Outcome::Wrong);

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.alone(
        "settling::honest_workers_on_the_gpu_agree_are_paid_and_the_result_is_proven",
        honest_workers_on_the_gpu_agree_are_paid_and_the_result_is_proven,
    );
    tests.alone(
        "settling::a_lying_verifier_reopens_the_task_and_pays_for_it",
        a_lying_verifier_reopens_the_task_and_pays_for_it,
    );
    tests.alone(
        "settling::a_node_restart_in_the_middle_changes_nothing",
        a_node_restart_in_the_middle_changes_nothing,
    );
    tests.sharing(
        "settling::corrupted_and_silent_workers_lose_bond_and_are_not_paid",
        corrupted_and_silent_workers_lose_bond_and_are_not_paid,
    );
    tests.sharing(
        "settling::a_task_that_nobody_reveals_expires_and_those_who_committed_pay",
        a_task_that_nobody_reveals_expires_and_those_who_committed_pay,
    );
    tests.sharing(
        "settling::anybody_can_take_a_step_that_is_due_but_no_other",
        anybody_can_take_a_step_that_is_due_but_no_other,
    );
}

async fn honest_workers_on_the_gpu_agree_are_paid_and_the_result_is_proven() {
    let mut market = Market::start().await;
    market.register(5, 2).await;
    let mut processes = Vec::new();
    for number in 1..=5 {
        processes.push(market.spawn(&worker(number), &["mine", "--device", "0"]).await);
    }
    for number in 1..=2 {
        processes.push(market.verify_work(number, &[]).await);
    }
    // A size that is no multiple of any tile.
    let task = market
        .publish(&[
            "synthetic",
            "--matrix-size",
            "77",
            "--iterations",
            "5",
            "--deadline",
            "60",
            "--stored",
        ])
        .await;
    assert_eq!(market.ended(task).await, Phase::Settled);

    let rewards: Vec<_> = (1..=5)
        .map(|number| market.paid_to(&worker(number), Purpose::TaskReward))
        .collect();
    assert!(
        rewards.iter().all(|paid| paid.len() == 1),
        "each worker is paid once: {rewards:?}"
    );
    let best = rewards.iter().max().expect("there are five");
    assert_eq!(
        rewards.iter().filter(|paid| *paid == best).count(),
        1,
        "one answer is the best: {rewards:?}"
    );
    for number in 1..=5 {
        assert_eq!(market.outcome(task, &worker(number)), RIGHT);
        assert_eq!(market.taken_from(&worker(number), Purpose::TaskBond), 0);
    }
    for verifier in ["//Verifier1", "//Verifier2"] {
        assert_eq!(market.paid_to(verifier, Purpose::TaskReward).len(), 1);
    }
    market.assert_conserved(task).await;

    let header = market.client.finalised_header().await.expect("there is one");
    let proof = market
        .client
        .result_proof(task, header.block.hash)
        .await
        .expect("it can be proven");
    let verified = verify_result(&header, task, &proof).expect("the proof is right");
    let mut forged = proof.clone();
    forged.leaf.winner = verified.leaf.winner;
    let Claim::Output { states_root, .. } = &mut forged.leaf.claim else {
        panic!("the job has an output");
    };
    states_root.0[31] ^= 1;
    verify_result(&header, task, &forged).expect_err("a forged proof is refused");

    let publisher = market.agora(&market.publisher);
    let id = task.to_string();
    let shown = &publisher.json(&["task", &id]).await.expect("it is shown")[0];
    assert_eq!(shown["status"], "settled");
    let result = &publisher.json(&["result", &id]).await.expect("it is fetched")[0];
    assert_eq!(result["bytes"], 77 * 77);
    let verified_by_cli = &publisher.json(&["verify", &id]).await.expect("it is verified")[0];
    assert_eq!(verified_by_cli["digest"], verified.leaf.claim.to_string());
    for process in processes {
        process.stop().await.expect("it stops when asked to");
    }
}

async fn corrupted_and_silent_workers_lose_bond_and_are_not_paid(shared: Arc<Shared>) {
    // Five workers for `synthetic`, and a verifier.
    let mut market = shared.faults(1).await;
    let mut processes = Vec::new();
    for number in 1..=3 {
        processes.push(market.mine(number, &[]).await);
    }
    processes.push(market.mine(4, &["--fault", "corrupt"]).await);
    processes.push(market.mine(5, &["--fault", "silent"]).await);
    let task = market.publish_small().await;
    assert_eq!(market.ended(task).await, Phase::Settled);
    for number in 1..=3 {
        assert_eq!(market.outcome(task, &worker(number)), RIGHT);
        assert_eq!(market.paid_to(&worker(number), Purpose::TaskReward).len(), 1);
    }
    for number in 4..=5 {
        assert_eq!(market.outcome(task, &worker(number)), WRONG);
        assert!(market.paid_to(&worker(number), Purpose::TaskReward).is_empty());
        assert!(market.taken_from(&worker(number), Purpose::TaskBond) > 0);
    }
    // The corrupt one holds its result for right, and accuses the others'.
    market.bonds_in_court_are_settled(task).await;
    market.assert_conserved(task).await;
}

async fn a_lying_verifier_reopens_the_task_and_pays_for_it() {
    let mut market = Market::start().await;
    market.register(8, 2).await;
    let mut processes = vec![
        market.verify_work(1, &[]).await,
        market.verify_work(2, &["--fault", "lie"]).await,
    ];
    for number in 1..=8 {
        processes.push(market.mine(number, &[]).await);
    }
    let task = market.publish_small().await;
    assert_eq!(market.ended(task).await, Phase::Settled);
    assert!(
        market.taken_from("//Verifier2", Purpose::AppealBond) > 0,
        "who lied pays"
    );
    assert_eq!(market.taken_from("//Verifier1", Purpose::AppealBond), 0);
    assert!(
        market.paid_to("//Verifier1", Purpose::AppealBond).is_empty(),
        "and nobody gains by that"
    );
    assert_eq!(market.paid_to("//Verifier1", Purpose::TaskReward).len(), 1);
    assert!(market.paid_to("//Verifier2", Purpose::TaskReward).is_empty());
    market.assert_conserved(task).await;
}

async fn a_task_that_nobody_reveals_expires_and_those_who_committed_pay(shared: Arc<Shared>) {
    // Three workers for `matmul`, as many as the task has replicas.
    let mut market = shared.faults(2).await;
    let silent = 6..=8;
    let mut processes = Vec::new();
    for number in silent.clone() {
        processes.push(market.mine(number, &["--fault", "silent"]).await);
    }
    let [matrix, vectors] =
        [("matrix", 20), ("vectors", 5)].map(|(name, bytes)| market.chain.file(name, &vec![7; bytes]));
    let before = market.free(&market.publisher).await;
    let product = ["matmul", "--matrix", &matrix, "--columns", "5", "--vectors", &vectors];
    let task = market.publish(&[&product[..], &["--deadline", "100"]].concat()).await;
    assert_eq!(market.ended(task).await, Phase::Expired);
    for number in silent {
        assert_eq!(market.outcome(task, &worker(number)), WRONG);
        assert!(market.taken_from(&worker(number), Purpose::TaskBond) > 0);
    }
    assert_eq!(market.taken_from(&market.publisher, Purpose::TaskReward), 0);
    let fee_for_the_block = before - market.free(&market.publisher).await;
    assert!(
        fee_for_the_block < 1_000_000_000_000,
        "only the transaction fee is gone, not {fee_for_the_block}"
    );
    market.assert_conserved(task).await;
}

async fn a_node_restart_in_the_middle_changes_nothing() {
    let mut market = Market::start().await;
    market.register(5, 1).await;
    let mut processes = vec![market.verify_work(1, &[]).await];
    for number in 1..=5 {
        processes.push(market.mine(number, &[]).await);
    }
    let task = market.publish_small().await;
    market
        .event("a commitment", |event| match event {
            agora_chain::api::Event::Tasks(agora_chain::api::api::tasks::Event::Committed { task: t, .. })
                if t.0 == task =>
            {
                Some(())
            }
            _ => None,
        })
        .await;
    market.chain.restart_node().await;
    assert_eq!(market.ended(task).await, Phase::Settled);
    for number in 1..=5 {
        assert_eq!(market.outcome(task, &worker(number)), RIGHT);
    }
    market.assert_conserved(task).await;
}

async fn anybody_can_take_a_step_that_is_due_but_no_other(shared: Arc<Shared>) {
    let market = shared.kinds(1).await;
    let task = market
        .publish(&[
            "synthetic",
            "--matrix-size",
            "8",
            "--iterations",
            "1",
            "--deadline",
            "20",
        ])
        .await;
    let bob = agora_chain::Submitter::new(
        market.client.clone(),
        agora_chain::KeySource::Development("//Bob".into())
            .load()
            .expect("well formed"),
    );
    let error = bob.submit(&calls::advance(task)).await.expect_err("nothing is due");
    assert!(error.is("Tasks", "NothingDue"), "{error}");
    let now = market.client.best().await.expect("answers").block.number;
    finalised_up_to(&market.client, now + 2)
        .await
        .expect("the chain goes on");
}
