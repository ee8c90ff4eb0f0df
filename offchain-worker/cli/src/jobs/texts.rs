//! Files of texts, one a line.

use super::inputs::{is_page, read, unusable};
use crate::exit::CliError;
use agora_models::{decode_text, text_lines};
use serde::de::IgnoredAny;
use std::path::Path;

/// The lines of a file, each of them: the answer for line `n` is answer `n`.
#[derive(Debug)]
pub struct Texts {
    lines: Vec<String>,
    /// What the file seems to be, if it is more than texts.
    seems: Option<&'static str>,
}

/// Most line numbers that a warning names.
const NAMED: usize = 8;

impl Texts {
    /// Reads the file at `path`: UTF-8, or UTF-16 or UTF-32 with a byte order mark. A line ends with LF, CRLF or CR; nothing
    /// else ends one. Blank lines are lines.
    ///
    /// Errors: `File`; `Usage` if it is in another encoding, or all of it is blank.
    pub fn read(path: &Path) -> Result<Self, CliError> {
        let text = decode_text(&read(path)?).map_err(|reason| unusable(path, reason))?;
        let lines = text_lines(&text);
        match lines.iter().filter(|line| !is_blank(line)).count() {
            0 if lines.is_empty() => Err(unusable(path, "it is empty; write one text a line")),
            0 => {
                let said = match lines.len() {
                    1 => "its only line is blank".to_owned(),
                    count => format!("all of its {count} lines are blank"),
                };
                Err(unusable(path, format!("{said}; write one text a line")))
            }
            _ => Ok(Self {
                lines,
                seems: seems(path, &text),
            }),
        }
    }

    /// The lines.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// What is probably not meant: files that are not one text a line, blank lines, letters that were lost, and lines that were
    /// `cut`.
    pub fn warnings(&self, cut: &[usize]) -> Vec<String> {
        let which = |is: fn(&str) -> bool| -> Vec<usize> {
            let numbered = (0..).zip(&self.lines);
            numbered
                .filter(|(_, line)| is(line))
                .map(|(number, _)| number)
                .collect()
        };
        let (blank, lossy) = (
            which(is_blank),
            which(|line| line.contains(char::REPLACEMENT_CHARACTER)),
        );
        let said = |numbers: &[usize], what: &str| (!numbers.is_empty()).then(|| format!("{} {what}", named(numbers)));
        let blank = said(
            &blank,
            "blank, and embedded as the empty text, so that line and answer have the same number",
        );
        let cut = said(
            cut,
            "longer than the model takes: what is behind its last token is left out",
        );
        let lossy = said(
            &lossy,
            "damaged: the sign U+FFFD stands for letters that were lost when the file was converted",
        );
        let seems = self.seems.map(|what| {
            format!("the file seems to be {what}: each line of it is one text, as it is; write one text a line, and nothing else")
        });
        [seems, blank, lossy, cut].into_iter().flatten().collect()
    }
}

/// What a file of texts seems to be by its name and content, if that is more than one text a line.
fn seems(path: &Path, text: &str) -> Option<&'static str> {
    let end = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    let trimmed = text.trim_start();
    let is_json = |text: &str| text.starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok();
    if is_page(text.as_bytes()) {
        Some("a web page")
    } else if matches!(end.as_str(), "csv" | "tsv") {
        Some("a table (CSV), with a head and several fields in a line")
    } else if is_json(trimmed) || trimmed.lines().next().is_some_and(is_json) {
        Some("JSON, with brackets and quotes")
    } else {
        None
    }
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

/// Lines counted from 0, as people count them.
fn named(numbers: &[usize]) -> String {
    let first: Vec<String> = numbers
        .iter()
        .take(NAMED)
        .map(|number| (number + 1).to_string())
        .collect();
    let first = first.join(", ");
    match numbers.len() {
        1 => format!("line {first} is"),
        count if count > NAMED => format!("{count} lines ({first} and {} more) are", count - NAMED),
        count => format!("{count} lines ({first}) are"),
    }
}

#[cfg(test)]
mod tests;
