//! Hardware challenges: what counts of a worker's capability is what it has shown.

use agora_chain::api::{Event, api::capability::Event as Capability};
use agora_e2e::{Market, account, verifier, worker};
use agora_primitives::participants::Role;
use serde_json::json;

/// What an honest worker declares, in GOPS: less than any machine has, tests beside this one included.
const MODEST: &str = "1";
/// What nothing that the tests run on has: half a window of it is minutes of two cores.
const BOASTFUL: &str = "20000";

/// A chain with a round every twenty blocks of a second, of which eight take responses.
async fn market() -> Market {
    Market::start_with(|genesis| {
        genesis["capability"]["schedule"] = json!({ "period": 20, "window": 8, "validity": 60, "quorum": 1 });
    })
    .await
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

#[tokio::test]
async fn counts_when_it_was_shown_and_a_verifier_has_checked_it() {
    let mut market = market().await;
    market.register_as(&worker(1), "worker", MODEST).await;
    market.register_as(&verifier(1), "verifier", MODEST).await;
    assert_eq!(proven(&market, &worker(1)).await, None);
    let _worker = market.mine(1, &[]).await;
    let _verifier = market.validate(1, &[]).await;

    let capability = market
        .event("the capability is proven", |event| match event {
            Event::Capability(Capability::CapabilityProven {
                worker: who,
                capability,
                ..
            }) => {
                assert_eq!(*who, account(&worker(1)));
                Some(*capability)
            }
            Event::Capability(Capability::CapabilityRefuted { .. }) => panic!("honest work is right"),
            _ => None,
        })
        .await;
    assert_eq!(capability.to_string(), MODEST);
    assert_eq!(proven(&market, &worker(1)).await, Some(capability));
}

#[tokio::test]
async fn does_not_count_when_it_is_wrong_or_late() {
    let mut market = market().await;
    market.register_as(&worker(1), "worker", MODEST).await;
    market.register_as(&worker(2), "worker", BOASTFUL).await;
    market.register_as(&verifier(1), "verifier", MODEST).await;
    let _corrupt = market.mine(1, &["--fault", "corrupt"]).await;
    let slow = market.mine(2, &[]).await;
    let _verifier = market.validate(1, &[]).await;

    market
        .event("the wrong response is refuted", |event| match event {
            Event::Capability(Capability::CapabilityRefuted { worker: who }) => {
                assert_eq!(*who, account(&worker(1)));
                Some(())
            }
            Event::Capability(Capability::CapabilityProven { worker: who, .. }) => panic!("{who} has proven nothing"),
            _ => None,
        })
        .await;
    let mut slow = slow;
    slow.printed("not computed in time", 0, agora_e2e::PATIENCE)
        .await
        .expect("it says so");
    for number in [1, 2] {
        assert_eq!(proven(&market, &worker(number)).await, None);
    }
}
