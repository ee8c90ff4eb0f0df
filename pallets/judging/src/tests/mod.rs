//! One module per call or trait method, and what goes beyond one.

mod appealed;
mod attest;
mod close_appeal_window;
mod composition;
mod integrity;
mod judge;
mod open_appeal_window;
mod random_calls;
mod redistribute;
mod tally;
mod try_state;
mod weight;
