//! Bytes as the place of a job: refused, or one value with one encoding, no longer than its type says, which is valid
//! exactly within the limits; the job's hash is that of its encoding, or the one that is claimed.

#![no_main]

use agora_fuzz::{jobs, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::plant(seeds::job_sources), |bytes: &[u8]| jobs::check_source(bytes));
