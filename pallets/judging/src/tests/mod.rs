//! One module per call or trait method, and what goes beyond one.

mod appealed;
mod attacks;
mod close_appeal_window;
mod commit_attestation;
mod composition;
mod integrity;
mod judge;
mod open_appeal_window;
mod random_calls;
mod reveal_attestation;
mod reveals;
mod tally;
mod try_state;
mod weight;
