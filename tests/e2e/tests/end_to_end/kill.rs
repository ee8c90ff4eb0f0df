//! A worker killed at any point resumes, reveals and is paid once.

use crate::Tests;
use agora_e2e::{Market, PATIENCE, account, verifier, worker};
use agora_primitives::{money::Purpose, reputation::Outcome, task::Phase};

/// Points between journal and chain at which a worker is killed; one worker each.
const POINTS: [&str; 5] = [
    "before-accept",
    "after-accept",
    "before-commit",
    "after-commit",
    "before-reveal",
];

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.alone(
        "kill::a_worker_killed_at_any_point_resumes_and_is_paid_once",
        a_worker_killed_at_any_point_resumes_and_is_paid_once,
    );
    tests.alone(
        "kill::a_verifier_killed_before_it_reveals_reveals_and_is_paid",
        a_verifier_killed_before_it_reveals_reveals_and_is_paid,
    );
}

/// One is killed with all that it has kept; the other loses the output, too, and fetches it once more.
async fn a_verifier_killed_before_it_reveals_reveals_and_is_paid() {
    let mut market = Market::start().await;
    market.register(5, 2).await;
    let mut workers = Vec::new();
    for number in 1..=5 {
        workers.push(market.mine(number, &[]).await);
    }
    let mut paused = Vec::new();
    for number in 1..=2 {
        paused.push(market.verify_work(number, &["--fault", "after-attestation"]).await);
    }
    let task = market.publish_small().await;
    let mut resumed = Vec::new();
    for (number, mut process) in (1..=2).zip(paused) {
        process
            .printed("Paused at after-attestation", 0, PATIENCE)
            .await
            .expect("it commits");
        process.kill().await.expect("it can be killed");
        let key = verifier(number);
        let kept = market.agora(&key).data().join(format!("{}.attested", account(&key)));
        assert!(kept.join(task.to_string()).is_dir(), "the output is kept in {kept:?}");
        if number == 2 {
            std::fs::remove_dir_all(&kept).expect("it can be removed");
        }
        resumed.push(market.verify_work(number, &[]).await);
    }
    assert_eq!(market.ended(task).await, Phase::Settled);
    for number in 1..=2 {
        let key = verifier(number);
        assert_eq!(market.paid_to(&key, Purpose::TaskReward).len(), 1, "verifier {number}");
        assert_eq!(market.taken_from(&key, Purpose::AppealBond), 0, "verifier {number}");
    }
    market.assert_conserved(task).await;
}

async fn a_worker_killed_at_any_point_resumes_and_is_paid_once() {
    let mut market = Market::start().await;
    market.register(5, 0).await;
    let mut paused = Vec::new();
    for (index, point) in POINTS.iter().enumerate() {
        paused.push(market.mine(index + 1, &["--fault", point]).await);
    }
    let task = market
        .publish(&[
            "synthetic",
            "--matrix-size",
            "48",
            "--iterations",
            "3",
            "--deadline",
            "200",
        ])
        .await;
    // All but the last stop while some commitment is still missing, so revealing starts only after they have resumed.
    let mut resumed = Vec::new();
    for (index, (mut process, point)) in paused.into_iter().zip(POINTS).enumerate() {
        process
            .printed(&format!("Paused at {point}"), 0, PATIENCE)
            .await
            .expect("it comes to that point");
        process.kill().await.expect("it can be killed");
        resumed.push(market.mine(index + 1, &[]).await);
    }
    assert_eq!(market.ended(task).await, Phase::Settled);
    for number in 1..=5 {
        let key = worker(number);
        assert_eq!(
            market.outcome(task, &key),
            Some(Outcome::Right { confirmed: true }),
            "{}",
            POINTS[number - 1]
        );
        assert_eq!(
            market.paid_to(&key, Purpose::TaskReward).len(),
            1,
            "{}",
            POINTS[number - 1]
        );
        assert_eq!(market.taken_from(&key, Purpose::TaskBond), 0, "{}", POINTS[number - 1]);
    }
    market.assert_conserved(task).await;

    // The last point: the reveal is in a block, the journal does not know it yet.
    resumed.remove(0).stop().await.expect("it stops");
    let mut last = market.mine(1, &["--fault", "after-reveal"]).await;
    let task = market.publish_small().await;
    last.printed("Paused at after-reveal", 0, PATIENCE)
        .await
        .expect("it comes to that point");
    last.kill().await.expect("it can be killed");
    let _resumed_too = market.mine(1, &[]).await;
    assert_eq!(market.ended(task).await, Phase::Settled);
    assert_eq!(
        market.outcome(task, &worker(1)),
        Some(Outcome::Right { confirmed: true })
    );
    assert_eq!(
        market.paid_to(&worker(1), Purpose::TaskReward).len(),
        2,
        "once for each task"
    );
    market.assert_conserved(task).await;
}
