//! Results that fall, and results that stand, before the court.

use crate::Tests;
use agora_chain::api::{Event, api::computation};
use agora_e2e::{Chain, Market, publisher, worker};
use agora_primitives::{money::Purpose, reputation::Outcome, task::Phase};
use serde_json::json;
use std::sync::Arc;

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.alone(
        "court::one_honest_worker_brings_a_cartels_result_down_and_is_paid",
        one_honest_worker_brings_a_cartels_result_down_and_is_paid,
    );
}

/// A market with `workers`, whose court waits no longer than these tests need.
async fn market(workers: usize) -> Market {
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
    // Of one chunk: the liars' runs are made for that.
    let job = [
        "synthetic",
        "--matrix-size",
        "24",
        "--iterations",
        "5",
        "--deadline",
        "100",
    ];
    let task = market.publish(&job).await;
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
