//! What must hold of jobs and proofs, whoever made them, and what the fuzzer begins with.
//!
//! One binary under `fuzz_targets/` for each kind of input; `make fuzz` builds and runs them. [`jobs`] and [`proofs`] know
//! no fuzzer, so that other tests can check the same; a check panics if something does not hold.

#![deny(missing_docs)]

pub mod edits;
pub mod jobs;
pub mod proofs;
pub mod seeds;
