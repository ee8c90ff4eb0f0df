//! Runs a property for a time rather than for a number of cases.

use proptest::{
    prelude::*,
    test_runner::{Config, FileFailurePersistence, TestRunner},
};
use std::time::{Duration, Instant};

/// What each round tries before the clock is looked at.
const CASES_PER_ROUND: u32 = 500;
const DEFAULT_SECONDS: u64 = 5;

/// Tries `property` on values of `strategy` until the time is over.
pub fn run<S: Strategy>(
    source_file: &'static str,
    strategy: S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let seconds = std::env::var("AGORA_FUZZ_SECONDS").map_or(DEFAULT_SECONDS, |text| {
        text.parse().expect("AGORA_FUZZ_SECONDS is a number of seconds")
    });
    let config = Config {
        cases: CASES_PER_ROUND,
        source_file: Some(source_file),
        failure_persistence: Some(Box::new(FileFailurePersistence::SourceParallel("proptest-regressions"))),
        ..Config::default()
    };
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut cases = 0u64;
    while Instant::now() < end {
        // Each runner draws a seed of its own.
        if let Err(failure) = TestRunner::new(config.clone()).run(&strategy, &property) {
            panic!("{failure}");
        }
        cases += u64::from(CASES_PER_ROUND);
    }
    println!("{cases} inputs in {seconds} s");
}
