//! Chains of products.

use super::{CHECK_GOAL, Subject};
use crate::operands::{giga_operations, job};
use agora_compute::{JobKind, JobSpec, MemoryInputs};

/// Small matrices, many times: the job with which a worker's device is measured.
pub fn chain() -> Subject {
    chain_of("64 products of size 512", 512, 64)
}

/// One product, as large as it may be.
pub fn large_product() -> Subject {
    Subject {
        check_goal: Some(CHECK_GOAL),
        ..chain_of("a product of size 4096", 4096, 1)
    }
}

/// `iterations` products of `size`.
pub fn chain_of(name: &'static str, size: u32, iterations: u32) -> Subject {
    Subject {
        name,
        job: JobSpec::V2(JobKind::Synthetic(job(size, iterations))),
        inputs: MemoryInputs::new(),
        amount: giga_operations(size, iterations),
        unit: "GOPS",
        check_goal: None,
    }
}
