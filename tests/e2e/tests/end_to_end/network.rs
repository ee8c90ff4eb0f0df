//! Four validators of consensus on this machine. GRANDPA tolerates one of four.

use crate::Tests;
use agora_chain::Client;
use agora_e2e::{PATIENCE, Validators, finalised_up_to};
use std::time::Duration;

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.alone(
        "network::three_of_four_validators_go_on_finalising_and_the_fourth_catches_up",
        three_of_four_validators_go_on_finalising_and_the_fourth_catches_up,
    );
}

async fn three_of_four_validators_go_on_finalising_and_the_fourth_catches_up() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [alice, bob, charlie, mut dave] = Validators::start(folder.path(), |_| {}).await.0;

    let client = alice.client().await.expect("it answers");
    finalised_up_to(&client, 3).await.expect("four of four finalise");

    let urls = [dave.url(), alice.url()];
    let first = async {
        loop {
            let both = Client::connect_any(&urls, PATIENCE).await.expect("both answer");
            // Until it has caught up, it is not believed.
            if both.url() == dave.url() {
                break both;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let both = tokio::time::timeout(PATIENCE, first).await.expect("the first is used");

    dave.kill().await.expect("it can be killed");
    tokio::time::timeout(PATIENCE, async {
        while both.best().await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
    .expect("the other is used");
    assert_eq!(both.url(), alice.url());
    let without = client.finalised().await.expect("it answers").block.number;
    finalised_up_to(&client, without + 4)
        .await
        .expect("three of four go on finalising");

    dave.resume().await.expect("it starts again");
    let missed = client.finalised().await.expect("it answers").block;
    let returned = dave.client().await.expect("it answers");
    finalised_up_to(&returned, missed.number).await.expect("it catches up");
    let its_own = returned.at_number(missed.number).await.expect("it has the block").block;
    assert_eq!(its_own, missed, "and has the same chain");
    drop((bob, charlie));
}
