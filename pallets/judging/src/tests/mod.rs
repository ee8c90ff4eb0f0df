//! One module per call and per function of the trait.

mod attest;
mod close_challenge;
mod integrity;
mod judge;
mod open_challenge;
mod random;
mod readme;
mod redistribute;
mod tally;
mod try_state;
