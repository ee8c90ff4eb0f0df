//! What must hold of jobs, their inputs, proofs and files, whoever made them, and what the fuzzer begins with.
//!
//! One binary under `fuzz_targets/` for each kind of input; `make fuzz` builds and runs them. All but
//! [`seeds`] know no fuzzer, so that other tests can check the same; a check panics if something does not hold.

#![deny(missing_docs)]

pub mod disputes;
pub mod edits;
pub mod float_model;
pub mod jobs;
pub mod meshes;
pub mod models;
pub mod networks;
pub mod packages;
pub mod proofs;
pub mod running;
pub mod scenes;
pub mod seeds;
pub mod texts;
pub mod transformers;
