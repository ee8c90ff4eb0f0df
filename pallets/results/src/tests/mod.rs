//! One module per call or trait method, and what goes beyond one.

mod append;
mod composition;
mod forks;
mod header;
mod integrity;
mod result_proof;
mod try_state;
mod weight;
