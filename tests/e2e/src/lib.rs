//! A market on real processes, as the end-to-end tests use it. Failures panic with what was waited for.

#![deny(missing_docs)]

mod chain;
mod market;
mod validators;

pub use chain::{Chain, SLOT_MS, account, publisher};
pub use market::{Market, failure, verifier, worker};
pub use validators::Validators;

use agora_chain::{ChainError, Client};
use std::time::Duration;

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// Waits until `client` has finalised block `number` or a later one.
pub async fn finalised_up_to(client: &Client, number: u32) -> Result<(), ChainError> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let finalised = match client.finalised().await {
            Ok(at) => Some(at.block.number),
            // A node that still syncs is not believed.
            Err(error) if error.is_recoverable() => None,
            Err(error) => return Err(error),
        };
        if finalised >= Some(number) {
            return Ok(());
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "block {number} was not finalised within {} s; block {finalised:?} is",
            PATIENCE.as_secs()
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
