//! How fast an engine computes each kind of job.
//!
//! Everything is generated, so that all engines are measured with the same work. What is done only once, compiling
//! shaders and starting threads, is not counted. What every job needs, such as reading a model and hashing what it makes,
//! is counted.

use crate::{
    engine::Engine,
    inputs::MemoryInputs,
    kinds::{self, EngineError, Sample, Workload},
    run::{CancelFlag, NoProgress},
};
use agora_primitives::job::JobSpec;
use serde::{Serialize, Serializer};
use std::time::{Duration, Instant};

/// A run as long as this is long enough to tell the speed, unless the caller says otherwise.
const LONG_ENOUGH: Duration = Duration::from_millis(400);
/// The next run is aimed to be a little longer than what is long enough: by this factor.
const AIM: f64 = 1.25;
/// By how many times the next run may be longer than the last, at least and at most: a short run predicts badly.
const GROWTH: (f64, f64) = (2.0, 16.0);

/// How fast an engine is. Serialised, it is a map from the figures' names to their values.
#[derive(Clone, PartialEq, Debug)]
pub struct Measurement {
    /// A speed for each workload.
    pub speeds: Vec<Speed>,
}

/// How fast an engine does one kind of work.
#[derive(Clone, PartialEq, Debug)]
pub struct Speed {
    /// What the work is called.
    pub workload: &'static str,
    /// The speed, in each unit in which it is told.
    pub figures: Vec<Figure>,
}

/// A speed in a unit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Figure {
    /// Its name, for programs.
    pub name: &'static str,
    /// Its unit, for people.
    pub unit: &'static str,
    /// The speed.
    pub value: f64,
}

impl Measurement {
    /// All figures.
    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.speeds.iter().flat_map(|speed| &speed.figures)
    }
}

impl Serialize for Measurement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.figures().map(|figure| (figure.name, figure.value)))
    }
}

/// Work of one kind, of any length, with which engines are measured and compared.
pub struct Benchmark(Box<dyn Workload>);

impl Benchmark {
    /// The work of every kind.
    ///
    /// Errors: none but those of sizes beyond the limits of jobs.
    pub fn all() -> Result<Vec<Self>, EngineError> {
        Ok(kinds::workloads()?.into_iter().map(Self).collect())
    }

    /// What the work is called.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// The longest job of at most `work` multiply–adds, or the shortest one if that has more, and its inputs.
    ///
    /// Errors: none but those of sizes beyond the limits of jobs.
    pub fn job(&self, work: u128) -> Result<(JobSpec, MemoryInputs), EngineError> {
        let shortest = self.0.job(1)?;
        let parts = work.checked_div(shortest.spec.work()).unwrap_or(1);
        let parts = u32::try_from(parts).unwrap_or(u32::MAX).clamp(1, self.0.max_parts());
        let Sample { spec, inputs, .. } = self.0.job(parts)?;
        Ok((spec, inputs))
    }

    /// How fast `engine` does the work. A run as long as `long_enough` tells; those before it take about twice as long
    /// together, and the first one compiles the shaders.
    ///
    /// Errors: what [`Engine::run`] returns.
    pub fn speed(&self, engine: &dyn Engine, long_enough: Duration) -> Result<Speed, EngineError> {
        let speed = per_second(engine, self.0.as_ref(), long_enough)?;
        let figures = self.0.units().iter().map(|unit| Figure {
            name: unit.name,
            unit: unit.unit,
            value: speed / unit.amount,
        });
        Ok(Speed {
            workload: self.0.name(),
            figures: figures.collect(),
        })
    }
}

/// Measures `engine` with work of each kind: a second or two for each, compiling shaders included.
///
/// Errors: what [`Engine::run`] returns.
pub fn measure(engine: &dyn Engine) -> Result<Measurement, EngineError> {
    let benchmarks = Benchmark::all()?;
    let speeds = benchmarks.iter().map(|benchmark| benchmark.speed(engine, LONG_ENOUGH));
    Ok(Measurement {
        speeds: speeds.collect::<Result<_, EngineError>>()?,
    })
}

/// The capability that a worker with `engine` should declare: whole billions of multiplications and additions per
/// second in jobs of the kind `synthetic`, at least 1.
///
/// Errors: what [`Engine::run`] returns.
pub fn capability(engine: &dyn Engine) -> Result<u32, EngineError> {
    let gops = per_second(engine, &kinds::synthetic::Chains, LONG_ENOUGH)? / 1e9;
    // The cast saturates.
    Ok((gops as u32).max(1))
}

/// How much of `workload` the engine does in a second: longer and longer jobs are computed until one is long enough.
fn per_second(engine: &dyn Engine, workload: &dyn Workload, long_enough: Duration) -> Result<f64, EngineError> {
    let long_enough = long_enough.as_secs_f64();
    seconds(engine, &workload.job(1)?)?;
    let mut parts = 1;
    loop {
        let sample = workload.job(parts)?;
        let seconds = seconds(engine, &sample)?.max(f64::EPSILON);
        if seconds >= long_enough || parts == workload.max_parts() {
            return Ok(sample.amount / seconds);
        }
        let factor = (AIM * long_enough / seconds).clamp(GROWTH.0, GROWTH.1);
        parts = ((f64::from(parts) * factor) as u32).min(workload.max_parts());
    }
}

/// How long `engine` takes for `sample`, in seconds.
fn seconds(engine: &dyn Engine, sample: &Sample) -> Result<f64, EngineError> {
    let started = Instant::now();
    engine.run(&sample.spec, &sample.inputs, &NoProgress, &CancelFlag::new())?;
    Ok(started.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests;
