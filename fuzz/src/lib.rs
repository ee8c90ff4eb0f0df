//! Properties of jobs, their inputs, proofs and files that must hold for any bytes, and the fuzzer's first inputs.
//!
//! There is one binary under `fuzz_targets/` for each kind of input; `make fuzz` builds and runs them. Only [`seeds`]
//! knows the fuzzer, so other tests can check the same properties. A check panics if its property does not hold.

#![deny(missing_docs)]

pub mod chunks;
pub mod edits;
pub mod float_model;
pub mod jobs;
pub mod lines;
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
