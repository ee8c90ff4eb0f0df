//! Results that fall, and results that stand, before the court.

use crate::Tests;
use agora_chain::api::{Event, api::computation};
use agora_e2e::{Chain, Market, PATIENCE, account, publisher, verifier, worker};
use agora_primitives::{TaskId, money::Purpose, reputation::Outcome, task::Phase};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.alone(
        "court::one_honest_worker_brings_a_cartels_result_down_and_is_paid",
        one_honest_worker_brings_a_cartels_result_down_and_is_paid,
    );
    tests.alone(
        "court::an_accuser_that_is_killed_at_its_moves_wins_and_loses_no_bond",
        an_accuser_that_is_killed_at_its_moves_wins_and_loses_no_bond,
    );
    tests.alone(
        "court::anybody_defends_a_right_result_by_hand_and_others_look_on",
        anybody_defends_a_right_result_by_hand_and_others_look_on,
    );
}

/// A job whose output has one chunk: the liars' runs are made for that.
const JOB: [&str; 7] = [
    "synthetic",
    "--matrix-size",
    "24",
    "--iterations",
    "5",
    "--deadline",
    "100",
];

/// Publishes it, and waits until its result may be accused.
async fn published(market: &mut Market) -> TaskId {
    let task = market.publish(&JOB).await;
    let opened = |event: &Event| match event {
        Event::Computation(computation::Event::CaseOpened { task: of, .. }) => (of.0 == task).then_some(()),
        _ => None,
    };
    market.event("its case", opened).await;
    task
}

/// A market with `workers`, whose court waits no longer than these tests need.
pub async fn market(workers: usize) -> Market {
    let chain = Chain::start(|genesis| {
        let terms = &mut genesis["computation"]["terms"];
        for (phase, blocks) in [("reveal", 8), ("clock", 24), ("entry", 10), ("challenge", 6)] {
            assert!(terms[phase].is_u64(), "the terms have no {phase}: {terms}");
            terms[phase] = json!(blocks);
        }
    });
    let market = Market::on(Arc::new(chain.await), &publisher(1)).await;
    market.register(workers, 0).await;
    market
}

/// Four of five workers say the same wrong thing, and no verifier looks. The fifth accuses what they say, and they defend it together, until the
/// runtime executes the instructions of which their run says something else. Then each of the four accuses what the fifth says, and it defends
/// that against all of them at once.
async fn one_honest_worker_brings_a_cartels_result_down_and_is_paid() {
    let mut market = market(5).await;
    let mut processes = vec![market.mine(5, &[]).await];
    for number in 1..=4 {
        processes.push(market.mine(number, &["--fault", "corrupt"]).await);
    }
    let task = market.publish(&JOB).await;
    assert_eq!(market.ended(task).await, Phase::Settled);
    let honest = worker(5);
    assert!(matches!(market.outcome(task, &honest), Some(Outcome::Right { .. })));
    assert_eq!(market.paid_to(&honest, Purpose::TaskReward).len(), 1);
    assert_eq!(market.taken_from(&honest, Purpose::TaskBond), 0);
    for number in 1..=4 {
        assert_eq!(market.outcome(task, &worker(number)), Some(Outcome::Wrong));
        assert!(market.taken_from(&worker(number), Purpose::TaskBond) > 0);
        assert!(market.paid_to(&worker(number), Purpose::TaskReward).is_empty());
    }
    let executed = |event: &Event| matches!(event, Event::Computation(computation::Event::SegmentExecuted { .. }));
    assert!(market.happened(executed), "the runtime has executed a segment");
    // Half of what each of the four has lost is the honest one's.
    assert_eq!(market.paid_to(&honest, Purpose::TaskBond).len(), 4);
    market.bonds_in_court_are_settled(task).await;
    assert_eq!(market.taken_from(&honest, Purpose::CourtBond), 0);
    // Of a defence, of a run, and of four accusations at least.
    assert!(market.paid_to(&honest, Purpose::CourtBond).len() >= 6);
    market.assert_conserved(task).await;
}

/// What an accuser says before each of its moves.
const MOVE: &str = "Makes a move in court.";
/// The moves at one of which it is killed, if not at all of them.
const MOVES: usize = 12;
/// How often it is killed then.
const KILLS: usize = 3;

/// All workers say the same wrong thing, and defend it. Somebody who is none of them computes the task by hand, and accuses what they say; its
/// process is killed when it is about to move, sometimes the node as well, and the same command goes on. Where it dies before a move is sent it
/// makes the move again: so every second time that it speaks of one, it is a new one. `AGORA_TEST_FACTOR` kills it at each.
async fn an_accuser_that_is_killed_at_its_moves_wins_and_loses_no_bond() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut kills: BTreeSet<usize> = match agora_test_support::cases(1).cases {
        1 => std::iter::repeat_with(|| random.gen_range(0..MOVES))
            .take(KILLS)
            .collect(),
        _ => (0..1000).collect(),
    };
    let mut market = market(3).await;
    let mut liars = Vec::new();
    for number in 1..=3 {
        liars.push(market.mine(number, &["--fault", "corrupt"]).await);
    }
    let task = published(&mut market).await;
    let (accuser, id) = (verifier(1), task.to_string());
    let (chain, agora) = (Arc::clone(&market.chain), market.agora(&accuser));
    let mut process = market.spawn(&accuser, &["accuse", &id]).await;
    let mut killed = 0;
    let phase = {
        let mut ended = std::pin::pin!(market.ended(task));
        loop {
            tokio::select! {
                phase = &mut ended => break phase,
                () = tokio::time::sleep(POLL) => {}
            }
            let said = process.output().matches(MOVE).count();
            if kills.first().is_none_or(|kill| said <= 2 * kill) {
                continue;
            }
            kills.pop_first();
            process.kill().await.expect("it can be killed");
            killed += 1;
            let with_node = random.gen_bool(0.3);
            println!("killed when it had spoken of {said} moves; with the node: {with_node}");
            if with_node {
                chain.restart_node().await;
            }
            process = agora.spawn(&["accuse", &id]).expect("it starts");
        }
    };
    assert!(killed > 0, "it was killed");
    assert_eq!(phase, Phase::Settled);
    for number in 1..=3 {
        assert_eq!(market.outcome(task, &worker(number)), Some(Outcome::Wrong));
    }
    let executed = |event: &Event| matches!(event, Event::Computation(computation::Event::SegmentExecuted { .. }));
    assert!(market.happened(executed), "the runtime has executed a segment");
    market.bonds_in_court_are_settled(task).await;
    assert_eq!(market.taken_from(&accuser, Purpose::CourtBond), 0);
    // It is the only one that is right, and has entered.
    assert_eq!(market.paid_to(&accuser, Purpose::TaskReward).len(), 1);
    assert!(!market.paid_to(&accuser, Purpose::TaskBond).is_empty());
    process
        .printed("what was computed here is chosen", 0, PATIENCE)
        .await
        .expect("it ends, and says so");
    market.assert_conserved(task).await;
}

/// Whoever looks on looks so often.
const POLL: Duration = Duration::from_millis(20);

/// A result that is right is accused by somebody who computes wrong. Its workers do not go to court. A stranger computes it by hand, and defends it
/// alone; others see what is in court, move by move.
async fn anybody_defends_a_right_result_by_hand_and_others_look_on() {
    let mut market = market(3).await;
    let mut workers = Vec::new();
    for number in 1..=3 {
        workers.push(market.mine(number, &["--no-court"]).await);
    }
    let task = published(&mut market).await;
    let id = task.to_string();
    let (liar, defender) = (verifier(1), verifier(2));
    let honest = verifier(3);
    let (accuse, wrongly) = (["accuse", &id], ["accuse", &id, "--fault", "corrupt"]);
    let (nothing_wrong, accusing) = tokio::join!(market.failure(&honest, &accuse), market.spawn(&liar, &wrongly));
    assert_eq!(nothing_wrong.code, Some(9), "{nothing_wrong}");
    let mut defending = market.spawn(&defender, &["defend", &id]).await;
    let opened = |event: &Event| match event {
        Event::Computation(computation::Event::TrialOpened { task: of, trial, .. }) => (of.0 == task).then_some(*trial),
        _ => None,
    };
    let trial = market.event("the trial", opened).await.to_string();
    let looker = market.agora(&verifier(4));
    let follow = ["dispute", &trial, "--follow"];
    let list = ["disputes", "--task", &id];
    let (listed, followed) = tokio::join!(looker.json(&list), looker.json(&follow));
    let listed = listed.expect("they are listed");
    assert_eq!((listed.len(), &listed[0]["task"]), (1, &json!(task.0)));
    assert_eq!(listed[0]["trials"][0]["trial"].to_string(), trial);
    let followed = followed.expect("it is followed to its end");
    let seen = |test: &dyn Fn(&Value) -> bool| followed.iter().any(test);
    assert!(seen(&|one| one["defences"][0]["phase"] == "runs"), "{followed:?}");
    assert!(
        seen(&|one| one["defences"][0]["matches"][0]["levels"] == 8),
        "{followed:?}"
    );
    let last = followed.last().expect("there is one");
    assert_eq!(
        (&last["verdict"], &last["accuser"]),
        (&json!("stands"), &json!(account(&liar).to_string()))
    );

    assert_eq!(market.ended(task).await, Phase::Settled);
    for number in 1..=3 {
        assert!(matches!(
            market.outcome(task, &worker(number)),
            Some(Outcome::Right { .. })
        ));
    }
    market.bonds_in_court_are_settled(task).await;
    assert!(market.taken_from(&liar, Purpose::CourtBond) > 0);
    assert_eq!(market.taken_from(&defender, Purpose::CourtBond), 0);
    defending
        .printed("what was computed here is chosen", 0, PATIENCE)
        .await
        .expect("it ends, and says so");
    market.assert_conserved(task).await;
    drop(accusing);
}
