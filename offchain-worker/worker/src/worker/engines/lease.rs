//! A device in use: what it does, and what is learned of it.

use super::{Device, EnginePool, FIRST_REST, LONGEST_REST, TELLING, Use};
use agora_compute::{CancelFlag, Computation, Engine, EngineError, Inputs, Progress, self_test};
use agora_primitives::{job::JobSpec, participants::Specialisation};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// A device that somebody uses. Dropped, it is idle again.
pub(in crate::worker) struct Lease {
    pub(super) pool: EnginePool,
    pub(super) index: usize,
    pub(super) engine: Arc<dyn Engine>,
    pub(super) is_suspect: bool,
}

impl Lease {
    /// Its number in the pool.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The device's name.
    pub fn name(&self) -> &str {
        self.engine.name()
    }

    /// The device.
    pub fn engine(&self) -> &dyn Engine {
        self.engine.as_ref()
    }

    /// Computes `job`. Blocks the thread. A device that has failed before is tested first.
    ///
    /// Errors: those of [`Engine::run`] and of [`self_test`].
    pub fn run(
        &self,
        job: &JobSpec,
        inputs: &dyn Inputs,
        progress: &dyn Progress,
        cancel: &CancelFlag,
    ) -> Result<Computation, EngineError> {
        if self.is_suspect {
            self_test(self.engine.as_ref())?;
        }
        let work = agora_compute::load(job) as f64;
        let kind = job.specialisation();
        let speed = self.device(|device| device.speeds.get(&kind).copied());
        let started = Instant::now();
        let until = speed.and_then(|speed| Duration::try_from_secs_f64(work / speed).ok());
        self.device(|device| device.usage = Use::Busy(until.and_then(|duration| started.checked_add(duration))));
        let computation = self.engine.run(job, inputs, progress, cancel)?;
        let took = started.elapsed();
        self.device(|device| {
            device.failures = 0;
            device.is_suspect = false;
        });
        if took >= TELLING {
            let seen = work / took.as_secs_f64();
            self.learn(kind, learned(speed, seen, job));
        }
        Ok(computation)
    }

    /// Remembers that the device does `speed` multiply–adds of this kind in a second.
    pub fn learn(&self, kind: Specialisation, speed: f64) {
        self.device(|device| device.speeds.insert(kind, speed));
    }

    /// Lets the device rest because it failed, and says how long.
    pub fn rest(self) -> Duration {
        self.device(|device| {
            let rest = FIRST_REST
                .saturating_mul(1 << device.failures.min(16))
                .min(LONGEST_REST);
            device.failures += 1;
            device.is_suspect = true;
            device.usage = Use::Resting(Instant::now() + rest);
            rest
        })
    }

    fn device<T>(&self, change: impl FnOnce(&mut Device) -> T) -> T {
        change(&mut self.pool.0.lock().devices[self.index])
    }
}

/// What to take for the speed that was `known`, now that `job` was computed with the speed `seen`: at once less, only slowly more, and never more
/// because of a job that may have ended early, else whoever publishes such jobs could make a worker late with others.
pub(super) fn learned(known: Option<f64>, seen: f64, job: &JobSpec) -> f64 {
    match known {
        Some(known) if seen >= known && agora_compute::may_end_early(job) => known,
        Some(known) if seen >= known => f64::midpoint(known, seen),
        _ => seen,
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.device(|device| {
            if matches!(device.usage, Use::Busy(_)) {
                device.usage = Use::Idle;
            }
        });
        self.pool.0.changed.notify_waiters();
    }
}
