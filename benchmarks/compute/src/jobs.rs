//! Whole jobs of each kind: the adapter against the processor in computing and in checking, and checking against computing.

mod hashing;
mod inference;
mod matmul;
mod rendering;
mod synthetic;
mod training;

use crate::{Failure, timing::in_turn};
use agora_bench_figures::{Better, Figure};
use agora_compute::{CancelFlag, CpuEngine, DeviceInfo, Engine, GpuEngine, JobSpec, MemoryInputs, NoProgress, Verdict};

/// The goal for checks: at most this part of the time of computing.
const CHECK_GOAL: f64 = 0.01;
/// The seed of every check. It need not be secret: nobody forges an output here.
const CHECK_SEED: [u8; 32] = [0xc4; 32];

/// A job to be computed and checked.
struct Subject {
    /// Its name, for people.
    name: &'static str,
    job: JobSpec,
    inputs: MemoryInputs,
    /// How much work it is, in `unit` times seconds.
    amount: f64,
    /// What a speed is told in.
    unit: &'static str,
    /// The goal for the check, as a part of computing.
    check_goal: Option<f64>,
}

/// All figures.
pub fn measure(
    device: &DeviceInfo,
    gpu: &GpuEngine,
    cpu: &CpuEngine,
    repetitions: usize,
) -> Result<Vec<Figure>, Failure> {
    let subjects: [fn() -> Result<Subject, Failure>; 7] = [
        || Ok(synthetic::chain()),
        || Ok(synthetic::large_product()),
        || Ok(matmul::square()),
        inference::texts,
        rendering::room,
        training::perceptron,
        training::convolutional,
    ];
    let mut figures = Vec::new();
    for subject in subjects {
        figures.extend(subject()?.measure(gpu, cpu, repetitions)?);
    }
    for subject in [synthetic::chain(), synthetic::large_product()] {
        figures.push(hashing::measure(&subject, device, repetitions)?);
    }
    Ok(figures)
}

impl Subject {
    /// The adapter beside the processor, the processor's check beside computing on each, and the adapter's check beside that.
    fn measure(&self, gpu: &GpuEngine, cpu: &CpuEngine, repetitions: usize) -> Result<[Figure; 4], Failure> {
        eprintln!("{}", self.name);
        let output = self.compute(cpu)?;
        if self.compute(gpu)? != output {
            return Err(format!("the engines disagree on {}", self.name).into());
        }
        for engine in [gpu as &dyn Engine, cpu] {
            self.check(engine, &output)?;
        }
        let [on_gpu, on_cpu, check, check_on_gpu] = in_turn(
            repetitions,
            [
                Box::new(|| self.compute(gpu).map(drop)),
                Box::new(|| self.compute(cpu).map(drop)),
                Box::new(|| self.check(cpu, &output)),
                Box::new(|| self.check(gpu, &output)),
            ],
        )?;
        let name = self.name;
        let adapter = format!("GPU engine ({})", gpu.name());
        let speeds = Figure::new(
            format!("{name}: {adapter} against CPU engine"),
            self.unit,
            self.amount / on_gpu,
            self.amount / on_cpu,
            Better::Higher,
        );
        let checking = |engine: &str, seconds| Figure {
            goal: self.check_goal,
            ..Figure::new(
                format!("{name}: check against {engine}"),
                "s",
                check,
                seconds,
                Better::Lower,
            )
        };
        let checks = Figure::new(
            format!("{name}: check on {adapter} against check on CPU engine"),
            "s",
            check_on_gpu,
            check,
            Better::Lower,
        );
        Ok([
            speeds,
            checking("CPU engine", on_cpu),
            checking(&adapter, on_gpu),
            checks,
        ])
    }

    fn compute(&self, engine: &dyn Engine) -> Result<Vec<u8>, Failure> {
        let computation = engine.run(&self.job, &self.inputs, &NoProgress, &CancelFlag::new())?;
        Ok(computation.output)
    }

    fn check(&self, engine: &dyn Engine, output: &[u8]) -> Result<(), Failure> {
        match engine.check_output(&self.job, &self.inputs, output, &CHECK_SEED)? {
            Verdict::Right => Ok(()),
            Verdict::Wrong(place) => {
                let engine = engine.name();
                Err(format!("the check on {engine} refuses {}: {place}", self.name).into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_compute::{GpuOptions, find_device, transformer::sample};

    fn subject(check_goal: Option<f64>) -> Subject {
        Subject {
            amount: 6.0,
            check_goal,
            ..synthetic::chain_of("a small chain", 33, 3)
        }
    }

    #[test]
    fn a_wrong_output_is_refused_and_a_right_one_passes() {
        let subject = subject(None);
        let mut output = subject.compute(&CpuEngine::new()).unwrap();
        subject.check(&CpuEngine::new(), &output).unwrap();
        output[40] = (output[40] + 1) % 251;
        let error = subject.check(&CpuEngine::new(), &output).unwrap_err().to_string();
        assert!(error.contains("row 1 is wrong"), "{error}");
    }

    #[test]
    fn a_long_text_among_short_ones_is_checked_on_both_engines() {
        let subject = inference::texts_of("a few texts", sample::SMALL, 17).unwrap();
        // One text of 40 tokens, and 16 of 8.
        assert_eq!(subject.amount, 168.0);
        let (cpu, device) = (CpuEngine::new(), find_device("auto").unwrap());
        let gpu = GpuEngine::open(&device, &GpuOptions::default()).unwrap();
        let output = subject.compute(&cpu).unwrap();
        assert!(subject.compute(&gpu).unwrap() == output);
        let width = output.len() / 17;
        let long = (0..17).find(|&text| inference::is_long(text)).unwrap();
        let mut wrong = output.clone();
        wrong[long * width] ^= 1;
        for engine in [&cpu as &dyn Engine, &gpu] {
            subject.check(engine, &output).unwrap();
            let error = subject.check(engine, &wrong).unwrap_err().to_string();
            assert!(error.contains(&format!("item {long}")), "{error}");
        }
    }

    #[test]
    fn a_subject_gives_a_figure_of_each_engine_and_each_check() {
        let device = find_device("auto").unwrap();
        let gpu = GpuEngine::open(&device, &GpuOptions::default()).unwrap();
        let [speeds, on_cpu, on_gpu, checks] = subject(Some(0.5)).measure(&gpu, &CpuEngine::new(), 1).unwrap();
        assert_eq!((on_cpu.goal, on_gpu.goal, speeds.goal), (Some(0.5), Some(0.5), None));
        assert_eq!(on_cpu.value, on_gpu.value);
        assert_eq!(on_cpu.value, checks.baseline);
        // The baseline of the speeds is the amount by the seconds with which the check is compared.
        assert!((speeds.baseline * on_cpu.baseline - 6.0).abs() < 1e-9);
        assert!((speeds.value * on_gpu.baseline - 6.0).abs() < 1e-9);
    }
}
