//! How fast an engine computes each kind of job.
//!
//! Everything is generated, so that all engines are measured with the same work. What is done only once, compiling
//! shaders and starting threads, is not counted. What every job needs, such as reading a model and hashing what it makes,
//! is counted.

use crate::{
    engine::Engine,
    kinds::{self, EngineError, Sample, Workload},
    run::{CancelFlag, NoProgress},
};
use serde::{Serialize, Serializer};
use std::time::Instant;

/// A run of so many seconds is long enough to tell the speed.
const LONG_ENOUGH: f64 = 0.4;
/// The next run is aimed to be a little longer than that.
const AIM: f64 = 1.25 * LONG_ENOUGH;
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

/// Measures `engine` with work of each kind: a second or two for each, compiling shaders included.
///
/// Errors: what [`Engine::run`] returns.
pub fn measure(engine: &dyn Engine) -> Result<Measurement, EngineError> {
    let speed = |workload: Box<dyn Workload>| {
        let speed = per_second(engine, workload.as_ref())?;
        let figures = workload.units().iter().map(|unit| Figure {
            name: unit.name,
            unit: unit.unit,
            value: speed / unit.amount,
        });
        Ok(Speed {
            workload: workload.name(),
            figures: figures.collect(),
        })
    };
    let speeds = kinds::workloads()?.into_iter().map(speed);
    Ok(Measurement {
        speeds: speeds.collect::<Result<_, EngineError>>()?,
    })
}

/// The capability that a worker with `engine` should declare: whole billions of multiplications and additions per
/// second in jobs of the kind `synthetic`, at least 1.
///
/// Errors: what [`Engine::run`] returns.
pub fn capability(engine: &dyn Engine) -> Result<u32, EngineError> {
    let gops = per_second(engine, &kinds::synthetic::Chains)? / 1e9;
    // The cast saturates.
    Ok((gops as u32).max(1))
}

/// How much of `workload` the engine does in a second: longer and longer jobs are computed until one is long enough.
fn per_second(engine: &dyn Engine, workload: &dyn Workload) -> Result<f64, EngineError> {
    seconds(engine, &workload.job(1)?)?;
    let mut parts = 1;
    loop {
        let sample = workload.job(parts)?;
        let seconds = seconds(engine, &sample)?.max(f64::EPSILON);
        if seconds >= LONG_ENOUGH || parts == workload.max_parts() {
            return Ok(sample.amount / seconds);
        }
        let factor = (AIM / seconds).clamp(GROWTH.0, GROWTH.1);
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
