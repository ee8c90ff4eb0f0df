//! One module per call, one for planning, one for genesis, one for the invariants.

mod genesis;
mod plan;
mod remove_preset;
mod set_preset;
mod try_state;
