use super::*;
use crate::{Computation, CpuEngine, Inputs, Progress};
use std::time::Duration;

/// Jobs within their limits, from the smallest to the largest.
fn assert_can_be_made<W: Workload>(workload: &W) {
    for parts in [1, 2, W::MAX_PARTS] {
        let made = workload.job(parts).unwrap();
        made.spec.validate().unwrap();
        assert!(made.amount >= f64::from(parts), "{parts}");
    }
    workload.job(1).unwrap().time(&CpuEngine::new()).unwrap();
}

#[test]
fn every_workload_is_a_job_that_can_be_computed() {
    assert_can_be_made(&workloads::Synthetic);
    assert_can_be_made(&workloads::Matmul::new().unwrap());
    assert_can_be_made(&workloads::Embedding::new().unwrap());
    assert_can_be_made(&workloads::Classification::new().unwrap());
    assert_can_be_made(&workloads::Training::new().unwrap());
    assert_can_be_made(&workloads::Rendering::new().unwrap());
    scene::daylight().validate().unwrap();
}

/// Takes so long for each operation of a synthetic job.
struct Slow(Duration);

impl Engine for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    fn run(&self, job: &JobSpec, _: &dyn Inputs, _: &dyn Progress, _: &CancelFlag) -> Result<Computation, EngineError> {
        std::thread::sleep(self.0 * u32::try_from(job.work() / PRODUCT).unwrap());
        Ok(Computation::of_parts(Vec::new(), Vec::new()))
    }
}

/// Operations of the smallest synthetic job.
const PRODUCT: u128 = 512 * 512 * 512;

#[test]
fn the_capability_is_in_billions_of_operations_per_second_and_never_zero() {
    // 2 · 512³ operations in 10 ms and 600 ms.
    let found = capability(&Slow(Duration::from_millis(10))).unwrap();
    assert!((20..=26).contains(&found), "{found}");
    assert_eq!(capability(&Slow(Duration::from_millis(600))).unwrap(), 1);
}
