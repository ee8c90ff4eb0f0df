//! How fast a device is at a kind of work: measured when the first task of the kind comes.

use super::engines::Lease;
use agora_compute::{Benchmark, CancelFlag, EngineError, NoProgress};
use agora_primitives::participants::Specialisation;
use std::time::{Duration, Instant};

/// A run as long as this tells the speed.
const LONG_ENOUGH: Duration = Duration::from_millis(150);
/// The work of the first run, in multiply–adds.
const FIRST_WORK: u128 = 1 << 22;
/// The most work of a run.
const MOST_WORK: u128 = 1 << 46;

/// Multiply–adds of this kind that the device does in a second; of several workloads, the slowest. `None`: there is no such
/// work. Blocks the thread for a second or two.
///
/// Errors: what [`agora_compute::Engine::run`] returns.
pub(super) fn measure(lease: &Lease, kind: Specialisation, cancel: &CancelFlag) -> Result<Option<f64>, EngineError> {
    let mut slowest: Option<f64> = None;
    for benchmark in Benchmark::all()? {
        if benchmark.job(1)?.0.specialisation() == kind {
            let speed = speed(lease, &benchmark, cancel)?;
            slowest = Some(slowest.map_or(speed, |slowest| slowest.min(speed)));
        }
    }
    Ok(slowest)
}

fn speed(lease: &Lease, benchmark: &Benchmark, cancel: &CancelFlag) -> Result<f64, EngineError> {
    let mut work = FIRST_WORK;
    let mut last = None;
    loop {
        let (job, inputs) = benchmark.job(work)?;
        let started = Instant::now();
        lease.engine().run(&job, &inputs, &NoProgress, cancel)?;
        let took = started.elapsed().max(Duration::from_nanos(1));
        let speed = job.work() as f64 / took.as_secs_f64();
        // The first run compiles shaders, and the longest job that there is may be short.
        let is_longest = last == Some(job.work());
        if (last.is_some() && took >= LONG_ENOUGH) || is_longest || work > MOST_WORK {
            return Ok(speed);
        }
        last = Some(job.work());
        if took < LONG_ENOUGH {
            work = work.saturating_mul(8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::engines::{EnginePool, Wanted};
    use agora_compute::CpuEngine;
    use std::sync::Arc;

    #[tokio::test]
    async fn every_kind_that_is_measured_has_a_speed() {
        let pool = EnginePool::new(vec![Arc::new(CpuEngine::new())]);
        let lease = pool
            .take(tokio::time::Instant::now() + LONG_ENOUGH, Wanted::default())
            .await
            .expect("it is idle");
        for kind in [Specialisation::Synthetic, Specialisation::RowTransform] {
            let speed = measure(&lease, kind, &CancelFlag::new()).expect("it computes");
            assert!(speed.is_some_and(|speed| speed > 1e6), "{kind:?}: {speed:?}");
        }
        let none = measure(&lease, Specialisation::SyntaxCheck, &CancelFlag::new());
        assert_eq!(none.expect("nothing to compute"), None);
    }
}
