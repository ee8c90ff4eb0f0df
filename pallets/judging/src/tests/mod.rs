//! One module per call and per function of the trait.

mod attest;
mod close_appeal_window;
mod integrity;
mod judge;
mod open_appeal_window;
mod random;
mod readme;
mod redistribute;
mod tally;
mod try_state;
