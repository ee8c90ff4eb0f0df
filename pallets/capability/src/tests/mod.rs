//! One module per call, and what goes beyond one.

mod answer;
mod attest;
mod lapse;
mod readme;
mod rounds;
mod set_schedule;
mod try_state;
mod votes;
