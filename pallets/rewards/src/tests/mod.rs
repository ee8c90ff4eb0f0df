//! One module per call or trait method, and what goes beyond one.

mod composition;
mod genesis;
mod integrity;
mod plan;
mod remove_preset;
mod set_preset;
mod try_state;
mod weight;
