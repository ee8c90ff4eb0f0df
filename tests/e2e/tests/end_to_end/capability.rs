//! Hardware challenges: of a worker's capability only what it has proven counts.

use crate::{Tests, shared::Shared};
use agora_chain::api::{Event, api::capability::Event as Capability};
use agora_e2e::{Market, account, worker};
use agora_primitives::participants::Role;
use std::sync::Arc;

/// What an honest worker declares, in GOPS: less than any machine reaches, even while other tests run.
const MODEST: &str = "1";
/// More than any machine of the tests reaches: half a window of such work takes two cores minutes.
const BOASTFUL: &str = "20000";

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.sharing(
        "capability::counts_when_it_was_shown_and_a_verifier_has_checked_it",
        counts_when_it_was_shown_and_a_verifier_has_checked_it,
    );
    tests.sharing(
        "capability::does_not_count_when_it_is_wrong_or_late",
        does_not_count_when_it_is_wrong_or_late,
    );
    tests.sharing(
        "capability::a_decoy_is_found_by_who_looks_and_then_shown",
        a_decoy_is_found_by_who_looks_and_then_shown,
    );
}

/// What `key` has proven, now.
async fn proven(market: &Market, key: &str) -> Option<u32> {
    let at = market.client.best().await.expect("the node answers");
    let participant = at.participant(&account(key), Role::Worker).await.expect("it tells");
    participant
        .expect("it is registered")
        .proven
        .map(|(capability, _)| capability)
}

async fn counts_when_it_was_shown_and_a_verifier_has_checked_it(shared: Arc<Shared>) {
    let mut market = shared.capability().await;
    market
        .register_as(&worker(1), "worker", &["--capability", MODEST])
        .await;
    assert_eq!(proven(&market, &worker(1)).await, None);
    let _worker = market.mine(1, &[]).await;

    let capability = market
        .event("the capability is proven", |event| match event {
            Event::Capability(Capability::CapabilityProven {
                worker: who,
                capability,
                ..
            }) if *who == account(&worker(1)) => Some(*capability),
            Event::Capability(Capability::CapabilityRefuted { worker: who }) => {
                assert_ne!(*who, account(&worker(1)), "honest work is right");
                None
            }
            _ => None,
        })
        .await;
    assert_eq!(capability.to_string(), MODEST);
    assert_eq!(proven(&market, &worker(1)).await, Some(capability));
}

async fn does_not_count_when_it_is_wrong_or_late(shared: Arc<Shared>) {
    let mut market = shared.capability().await;
    market
        .register_as(&worker(2), "worker", &["--capability", MODEST])
        .await;
    market
        .register_as(&worker(3), "worker", &["--capability", BOASTFUL])
        .await;
    let _corrupt = market.mine(2, &["--fault", "corrupt"]).await;
    let slow = market.mine(3, &[]).await;

    market
        .event("the wrong response is refuted", |event| match event {
            Event::Capability(Capability::CapabilityRefuted { worker: who }) if *who == account(&worker(2)) => Some(()),
            Event::Capability(Capability::CapabilityProven { worker: who, .. }) => {
                assert_eq!(*who, account(&worker(1)), "the others have proven nothing");
                None
            }
            _ => None,
        })
        .await;
    let mut slow = slow;
    slow.printed("not computed in time", 0, agora_e2e::PATIENCE)
        .await
        .expect("it says so");
    for number in [2, 3] {
        assert_eq!(proven(&market, &worker(number)).await, None);
    }
}

async fn a_decoy_is_found_by_who_looks_and_then_shown(shared: Arc<Shared>) {
    let mut market = shared.capability().await;
    let decoyer = account(&worker(4));
    market
        .register_as(&worker(4), "worker", &["--capability", MODEST])
        .await;
    let _process = market.mine(4, &["--decoys", "1"]).await;
    market
        .event("the decoy is shown", |event| match event {
            Event::Capability(Capability::DecoyShown { worker: who, .. }) => (*who == decoyer).then_some(()),
            _ => None,
        })
        .await;
    market
        .event("it counts as wrong", |event| match event {
            Event::Capability(Capability::CapabilityRefuted { worker: who }) => (*who == decoyer).then_some(()),
            Event::Capability(Capability::CapabilityProven { worker: who, .. }) => {
                assert_ne!(*who, decoyer, "a decoy proves nothing");
                None
            }
            _ => None,
        })
        .await;
    let slashed = |event: &Event| matches!(event, Event::Capability(Capability::VoterSlashed { .. }));
    assert!(!market.happened(slashed), "the verifier has looked");
}
