//! Files of texts, one a line.

use super::inputs::{is_page, read, unusable};
use crate::exit::CliError;
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
        let text = decode(&read(path)?).map_err(|reason| unusable(path, reason))?;
        let lines = lines(&text);
        match lines.iter().filter(|line| !is_blank(line)).count() {
            0 if lines.is_empty() => Err(unusable(path, "it is empty; write one text a line")),
            0 => Err(unusable(
                path,
                format!("all of its {} lines are blank; write one text a line", lines.len()),
            )),
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

/// The lines of `text`. What follows the last line end is a line if it is not empty.
fn lines(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.strip_suffix('\n').map_or(text.as_str(), |text| text);
    match text {
        "" => Vec::new(),
        text => text.split('\n').map(str::to_owned).collect(),
    }
}

/// The text in `bytes`.
fn decode(bytes: &[u8]) -> Result<String, String> {
    match bytes {
        [0xff, 0xfe, 0, 0, rest @ ..] => utf32(rest, u32::from_le_bytes),
        [0, 0, 0xfe, 0xff, rest @ ..] => utf32(rest, u32::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => utf8(rest),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let found = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        format!(
            "line {} is not UTF-8: byte {found:#04x} cannot stand there; convert the file, such as with iconv -f latin1 -t \
             utf-8",
            line_of(&String::from_utf8_lossy(before))
        )
    })?;
    // Letters of UTF-16 are letters of UTF-8 with NULs between them.
    match bytes.iter().filter(|byte| **byte == 0).count() {
        nulls if nulls > bytes.len() / 4 => Err(
            "it looks like UTF-16 without a byte order mark; convert it, such as with iconv -f utf-16le -t utf-8"
                .to_owned(),
        ),
        _ => Ok(text.to_owned()),
    }
}

fn utf16(bytes: &[u8], number: fn([u8; 2]) -> u16) -> Result<String, String> {
    let (pairs, rest) = bytes.as_chunks();
    let mut text = String::new();
    for decoded in char::decode_utf16(pairs.iter().map(|&pair| number(pair))) {
        let wrong = |_| {
            format!(
                "line {} is not UTF-16: half of a pair stands alone; write the file again",
                line_of(&text)
            )
        };
        let next = decoded.map_err(wrong)?;
        text.push(next);
    }
    whole(text, rest)
}

fn utf32(bytes: &[u8], number: fn([u8; 4]) -> u32) -> Result<String, String> {
    let (words, rest) = bytes.as_chunks();
    let mut text = String::new();
    for &word in words {
        let next = char::from_u32(number(word));
        text.push(next.ok_or_else(|| format!("line {} is not UTF-32; write the file again", line_of(&text)))?);
    }
    whole(text, rest)
}

fn whole(text: String, rest: &[u8]) -> Result<String, String> {
    match rest {
        [] => Ok(text),
        _ => Err(format!(
            "line {} ends within a letter: the file is cut off",
            line_of(&text)
        )),
    }
}

/// The number of the line that follows `before`.
fn line_of(before: &str) -> usize {
    // A line that has only begun counts too.
    lines(&format!("{before}.")).len()
}

#[cfg(test)]
mod tests;
