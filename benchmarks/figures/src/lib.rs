//! Measured figures, and how they are printed and kept.

#![deny(missing_docs)]

use serde::{Deserialize, Serialize};
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

/// What of a figure tells it from others.
#[derive(Deserialize)]
struct Named {
    name: String,
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

    /// One JSON document per line, and nothing else.
    pub fn write(figures: &[Self], path: &Path) -> io::Result<()> {
        Self::write_after(&[], figures, path)
    }

    /// As [`Figure::write`], after what other programs have written there; of these figures only what is new.
    ///
    /// Errors: those of the file, and `InvalidData` if it has something else than figures.
    pub fn add(figures: &[Self], path: &Path) -> io::Result<()> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut others = Vec::new();
        for line in text.lines() {
            let Named { name } = serde_json::from_str(line)?;
            if figures.iter().all(|figure| figure.name != name) {
                others.push(line);
            }
        }
        Self::write_after(&others, figures, path)
    }

    fn write_after(lines: &[&str], figures: &[Self], path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = File::create(path)?;
        for line in lines {
            writeln!(file, "{line}")?;
        }
        for figure in figures {
            serde_json::to_writer(&mut file, figure)?;
            writeln!(file)?;
        }
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(name: &str, value: f64) -> Figure {
        Figure::new(name, "s", value, 1.0, Better::Lower)
    }

    #[test]
    fn what_others_have_written_stays_and_what_is_measured_again_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("results").join("figures.jsonl");
        let names = || {
            let text = std::fs::read_to_string(&path).expect("it is there");
            let figure = |line: &str| {
                let figure: serde_json::Value = serde_json::from_str(line).expect("a document a line");
                format!("{} {}", figure["name"], figure["value"])
            };
            text.lines().map(figure).collect::<Vec<_>>()
        };
        Figure::add(&[figure("a", 1.0), figure("b", 2.0)], &path).expect("written");
        Figure::add(&[figure("c", 3.0), figure("a", 4.0)], &path).expect("written");
        assert_eq!(names(), [r#""b" 2.0"#, r#""c" 3.0"#, r#""a" 4.0"#]);
        Figure::write(&[figure("d", 5.0)], &path).expect("written");
        assert_eq!(names(), [r#""d" 5.0"#]);
        std::fs::write(&path, "something else\n").expect("written");
        let refused = Figure::add(&[figure("a", 1.0)], &path).expect_err("it is no figure");
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "something else\n");
    }
}
