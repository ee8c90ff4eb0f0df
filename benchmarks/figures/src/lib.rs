//! Measured figures, and how they are printed and kept.

#![deny(missing_docs)]

use serde::Serialize;
use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

/// Which way is better.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// A figure beside the one that it is compared with, measured in the same run.
#[derive(Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// The measured value.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// The value with which it is compared, in the same unit.
    pub baseline: f64,
    /// `value / baseline`.
    pub ratio: f64,
    /// The goal for the ratio, at least or at most.
    pub goal: Option<f64>,
    /// Which way is better.
    pub better: Better,
}

impl Figure {
    /// `value` beside `baseline`, both in `unit`.
    pub fn new(name: impl Into<String>, unit: &'static str, value: f64, baseline: f64, better: Better) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            baseline,
            ratio: value / baseline,
            goal: None,
            better,
        }
    }

    /// Sets the goal for the ratio.
    pub fn goal(mut self, goal: f64) -> Self {
        self.goal = Some(goal);
        self
    }

    /// Whether the goal is reached; `None` without a goal.
    fn reached(&self) -> Option<bool> {
        self.goal.map(|goal| match self.better {
            Better::Higher => self.ratio >= goal,
            Better::Lower => self.ratio <= goal,
        })
    }

    /// As a Markdown table.
    pub fn print(figures: &[Self]) {
        println!("| figure | value | baseline | ratio | goal |\n| --- | ---: | ---: | ---: | --- |");
        for figure in figures {
            let goal = match (figure.goal, figure.reached(), figure.better) {
                (Some(goal), Some(reached), better) => {
                    let sign = if matches!(better, Better::Lower) { '≤' } else { '≥' };
                    format!("{sign} {goal}: {}", if reached { "reached" } else { "missed" })
                }
                _ => "–".to_owned(),
            };
            println!(
                "| {} | {:.4} {} | {:.4} | {:.4} | {goal} |",
                figure.name, figure.value, figure.unit, figure.baseline, figure.ratio
            );
        }
    }

    /// One JSON document per line.
    pub fn write(figures: &[Self], path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = File::create(path)?;
        for figure in figures {
            serde_json::to_writer(&mut file, figure)?;
            writeln!(file)?;
        }
        file.sync_all()
    }
}
