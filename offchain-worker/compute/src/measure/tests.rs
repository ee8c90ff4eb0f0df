use super::*;
use crate::{Computation, CpuEngine, Inputs, JobKind, JobSpec, Progress};
use codec::Encode;
use scale_info::{TypeDef, TypeInfo};
use std::{collections::BTreeSet, time::Duration};

/// The numbers of all kinds of jobs.
fn kinds_of_jobs() -> BTreeSet<u8> {
    let TypeDef::Variant(kinds) = JobKind::type_info().type_def else {
        panic!("a kind is a variant");
    };
    kinds.variants.iter().map(|kind| kind.index).collect()
}

#[test]
fn every_kind_has_a_workload_and_every_workload_is_a_job_that_can_be_computed() {
    let mut measured = BTreeSet::new();
    for workload in kinds::workloads().unwrap() {
        // From the smallest to the largest.
        for parts in [1, 2, workload.max_parts()] {
            let sample = workload.job(parts).unwrap();
            sample.spec.validate().unwrap();
            assert!(sample.amount >= f64::from(parts), "{} {parts}", workload.name());
            // The version is before the kind.
            measured.insert(sample.spec.encode()[1]);
        }
        seconds(&CpuEngine::new(), &workload.job(1).unwrap()).unwrap();
    }
    assert_eq!(measured, kinds_of_jobs(), "a kind has no line in `kinds::workloads`");
}

#[test]
fn a_benchmark_gives_the_longest_job_within_the_work() {
    for benchmark in Benchmark::all().unwrap() {
        let work = |limit| benchmark.job(limit).unwrap().0.work();
        let shortest = work(0);
        assert_eq!(work(shortest), shortest, "{}", benchmark.name());
        let longer = work(4 * shortest);
        // Some of the work may be the same however long a job is: hashing the first state of training.
        assert!(
            longer > shortest + shortest / 2 && longer <= 4 * shortest,
            "{}",
            benchmark.name()
        );
        // The longest job there is.
        assert!(work(u128::MAX) >= longer, "{}", benchmark.name());
    }
}

#[test]
fn figures_are_a_map_from_names_to_values() {
    let figure = |name, value| Figure {
        name,
        unit: "GOPS",
        value,
    };
    let speed = |figures| Speed {
        workload: "synthetic",
        figures,
    };
    let measurement = Measurement {
        speeds: vec![speed(vec![figure("a", 1.5)]), speed(vec![figure("b", 2.0)])],
    };
    let json = serde_json::to_string(&measurement).unwrap();
    assert_eq!(json, r#"{"a":1.5,"b":2.0}"#);
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
