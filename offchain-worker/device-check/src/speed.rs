//! Measuring within a budget of time.

use crate::{case::Case, device::PROCESSOR, error::CheckError, kernels, report::Report};
use agora_bench_figures::{Better, Figure};
use agora_compute::{Benchmark, CpuEngine, Engine, GpuEngine, Speed};
use std::time::{Duration, Instant};

/// A run that tells a speed is never shorter or longer than this.
const RUN: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));
/// Measuring takes about so many times the run that tells the speed.
const RUNS: u32 = 3;
/// The seed of the checks. Whether a right result passes does not depend on it.
const CHECK_SEED: [u8; 32] = [9; 32];

/// Measures devices beside the processor, which is measured once.
pub struct Speeds {
    benchmarks: Vec<Benchmark>,
    processor: Vec<Speed>,
    until: Instant,
}

/// Until when a device may be measured.
#[derive(Clone, Copy)]
pub struct Budget(Instant);

impl Budget {
    /// An equal share of the time that is left, for one of `devices`, from now on.
    pub fn share(speeds: &Speeds, devices: usize) -> Self {
        let now = Instant::now();
        let devices = u32::try_from(devices).unwrap_or(u32::MAX).max(1);
        Self(now + speeds.until.saturating_duration_since(now) / devices)
    }

    /// How long a run should be if `measurements` are still to be made.
    fn run(self, measurements: usize) -> Duration {
        let measurements = u32::try_from(measurements).unwrap_or(u32::MAX).max(1);
        let left = self.0.saturating_duration_since(Instant::now());
        (left / measurements / RUNS).clamp(RUN.0, RUN.1)
    }
}

impl Speeds {
    /// Nothing is measured yet, and `seconds` are left.
    ///
    /// Errors: `Engine`, only through a defect of this program.
    pub fn new(seconds: u64) -> Result<Self, CheckError> {
        Ok(Self {
            benchmarks: Benchmark::all()?,
            processor: Vec::new(),
            until: Instant::now() + Duration::from_secs(seconds),
        })
    }

    /// Measures `engine` with every kind of work, beside the processor.
    ///
    /// Errors: `Engine`.
    pub fn compare(&mut self, engine: &GpuEngine, budget: Budget, report: Report) -> Result<(), CheckError> {
        report.head(engine.name(), PROCESSOR);
        for i in 0..self.benchmarks.len() {
            let left = self.benchmarks.len() - i;
            let of_processor = self.benchmarks.len().saturating_sub(self.processor.len());
            let run = budget.run(left + of_processor);
            let (benchmark, processor) = self.processor(i, run)?;
            let found = benchmark.speed(engine, run)?;
            report.speed(engine.name(), &found, processor);
        }
        Ok(())
    }

    /// The benchmark `i`, and how fast the processor is with it. Called for one after the other.
    fn processor(&mut self, i: usize, run: Duration) -> Result<(&Benchmark, &Speed), CheckError> {
        let benchmark = &self.benchmarks[i];
        if i == self.processor.len() {
            self.processor.push(benchmark.speed(&CpuEngine::new(), run)?);
        }
        Ok((benchmark, &self.processor[i]))
    }

    /// Measures the processor by itself: each kind of work, each kernel of products against the portable one, and
    /// checks against computing.
    ///
    /// Errors: `Engine`; `Wrong` if kernels differ.
    pub fn processor_alone(&mut self, budget: Budget, cases: &[Case], report: Report) -> Result<(), CheckError> {
        report.head(PROCESSOR, "the portable kernel");
        kernels::measure(budget.run(self.benchmarks.len() + 3), report)?;
        report.head("checking", "computing");
        for case in cases.iter().filter(|case| case.golden.is_none()) {
            check(case, report)?;
        }
        report.head(PROCESSOR, "");
        for i in 0..self.benchmarks.len() {
            let run = budget.run(self.benchmarks.len() - i);
            let (_, speed) = self.processor(i, run)?;
            for figure in &speed.figures {
                let name = format!("{} ({}): {PROCESSOR}", speed.workload, figure.name);
                // Compared with nothing: `baseline` and `ratio` are null.
                let alone = Figure::new(name, figure.unit, figure.value, f64::NAN, Better::Higher);
                report.figure(speed.workload, &alone, &figure.to_string(), "");
            }
        }
        Ok(())
    }
}

/// Tells how long checking a result takes beside computing it.
fn check(case: &Case, report: Report) -> Result<(), CheckError> {
    // The first run also started threads.
    let started = Instant::now();
    let output = case.run(&CpuEngine::new())?.output;
    let computing = started.elapsed().as_secs_f64();
    let started = Instant::now();
    let verdict = CpuEngine.check_output(&case.spec, &case.inputs, &output, &CHECK_SEED)?;
    let checking = started.elapsed().as_secs_f64();
    if !verdict.is_right() {
        report.wrong(PROCESSOR, &case.title(), &"its check refuses the right result");
        let device = PROCESSOR.to_owned();
        let (wrong, cases) = (1, 1);
        return Err(CheckError::Wrong { device, wrong, cases });
    }
    let name = format!("checking against computing: {}", case.title());
    let figure = Figure::new(name, "s", checking, computing, Better::Lower);
    let seconds = |value: f64| format!("{value:.4} s");
    report.figure(&case.title(), &figure, &seconds(checking), &seconds(computing));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_shared_among_the_devices_and_their_measurements() {
        let speeds = Speeds::new(36).unwrap();
        let budget = Budget::share(&speeds, 2);
        let left = budget.0.saturating_duration_since(Instant::now()).as_secs_f64();
        assert!((10.0..=18.0).contains(&left), "{left}");
        let run = budget.run(12).as_secs_f64();
        assert!((0.2..=0.5).contains(&run), "{run}");
        assert_eq!(budget.run(1), RUN.1);
        // Each speed is measured, also where no time is left.
        assert_eq!(Budget(Instant::now()).run(1), RUN.0);
    }
}
