//! Bytes as a job specification: refused, or one value with one encoding, no longer than its type says, which is valid
//! exactly within the limits; its work and the length of its output are computed without overflow.

#![no_main]

use agora_fuzz::{jobs, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::plant(seeds::job_specs), |bytes: &[u8]| jobs::check_spec(bytes));
