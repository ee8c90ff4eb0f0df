//! One file per trait and entry point.

mod append;
mod config;
mod forks;
mod header;
mod result_proof;
