//! What is printed: a text for people, or figures as JSON lines, as `benchmarks/results` keeps them.

use crate::device::PROCESSOR;
use agora_bench_figures::{Better, Figure};
use agora_compute::{CPU_SELECTOR, DeviceInfo, Speed};
use std::{fmt::Display, time::Duration};

/// How many jobs were compared.
#[derive(Default)]
pub struct Bits {
    /// Those with the right bits.
    pub equal: usize,
    /// Those with wrong bits.
    pub wrong: usize,
    /// Those that were not computed.
    pub failed: usize,
    /// Those that are too large for the device, and why.
    pub too_large: Vec<String>,
}

impl Bits {
    /// How many were tried, those that are too large left out.
    pub const fn compared(&self) -> usize {
        self.equal + self.wrong + self.failed
    }
}

/// How answers are printed. Problems go to standard error.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// For people.
    Text,
    /// A JSON document per line.
    Json,
}

impl Report {
    /// A device in a list; `None` is the processor.
    pub fn device(self, device: &Option<DeviceInfo>) {
        match (self, device) {
            (Self::Text, Some(info)) => self.adapter(info),
            (Self::Text, None) => println!("[{CPU_SELECTOR}] {PROCESSOR}"),
            (Self::Json, Some(info)) => json(info),
            (Self::Json, None) => json(&serde_json::json!({ "name": CPU_SELECTOR })),
        }
    }

    /// The adapter that is checked next. A figure names its device, so this is text alone.
    pub fn adapter(self, info: &DeviceInfo) {
        if self == Self::Text {
            let bus = info.bus.iter().map(|bus| format!("at {bus}; ")).collect::<String>();
            println!("[{}] {info}\n    {bus}{}", info.index, info.limits);
        }
    }

    /// How long opening took.
    pub fn opened(self, device: &str, took: Duration) {
        let seconds = took.as_secs_f64();
        match self {
            Self::Text => println!("    opened and tuned in {seconds:.2} s"),
            // Compared with nothing: `baseline` and `ratio` are null.
            Self::Json => {
                let name = format!("opening and tuning {device}");
                json(&Figure::new(name, "s", seconds, f64::NAN, Better::Lower));
            }
        }
    }

    /// How many jobs are right.
    pub fn bits(self, device: &str, bits: &Bits, took: Duration) {
        let (equal, compared) = (bits.equal, bits.compared());
        match self {
            Self::Text => {
                println!(
                    "    bits of {device}: {equal} of {compared} jobs are right, in {:.1} s",
                    took.as_secs_f64()
                );
                for job in &bits.too_large {
                    println!("    too large for this device: {job}");
                }
            }
            Self::Json => {
                let name = format!("jobs with the right bits: {device}");
                let figure = Figure::new(name, "jobs", equal as f64, compared as f64, Better::Higher);
                json(&figure.goal(1.0));
            }
        }
    }

    /// The head of a table of figures of `device` beside `baseline`, which may be empty.
    pub fn head(self, device: &str, baseline: &str) {
        if self == Self::Text {
            let device: String = device.chars().take(30).collect();
            let ratio = if baseline.is_empty() { "" } else { "ratio" };
            println!("    {:<38}{device:>30}{baseline:>26}{ratio:>10}", "");
        }
    }

    /// A device's speed in one kind of work, beside the processor's.
    pub fn speed(self, device: &str, found: &Speed, baseline: &Speed) {
        for (found_figure, baseline) in found.figures.iter().zip(&baseline.figures) {
            let figure = Figure::new(
                format!(
                    "{} ({}): {device} against {PROCESSOR}",
                    found.workload, found_figure.name
                ),
                found_figure.unit,
                found_figure.value,
                baseline.value,
                Better::Higher,
            );
            self.figure(
                found.workload,
                &figure,
                &found_figure.to_string(),
                &baseline.to_string(),
            );
        }
    }

    /// A figure, in the row `title` of a table.
    pub fn figure(self, title: &str, figure: &Figure, value: &str, baseline: &str) {
        match self {
            Self::Text if figure.ratio.is_nan() => println!("    {title:<38}{value:>30}"),
            Self::Text => println!("    {title:<38}{value:>30}{baseline:>26}{:>10.3}", figure.ratio),
            Self::Json => json(figure),
        }
    }

    /// A job that `device` computed wrongly.
    pub fn wrong(self, device: &str, title: &str, what: &dyn Display) {
        eprintln!("WRONG BITS: {device}: {title}: {what}");
    }

    /// A job that `device` did not compute.
    pub fn failed(self, device: &str, title: &str, why: &dyn Display) {
        eprintln!("FAILED: {device}: {title}: {why}");
    }
}

fn json(value: &impl serde::Serialize) {
    match serde_json::to_string(value) {
        Ok(json) => println!("{json}"),
        Err(error) => unreachable!("answers are plain data: {error}"),
    }
}
