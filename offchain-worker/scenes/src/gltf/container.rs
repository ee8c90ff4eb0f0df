//! The text of a glTF file and the chunk of data in a binary one.

use super::part;
use crate::{
    content::{self, Foreign},
    error::{MeshError, PartError},
    files::check_length,
};

const HEADER: usize = 12;
const AT: &str = "the binary container";

/// The text, and the binary chunk, if there is one.
///
/// Errors: `TooLong`, `Foreign`, `Part`.
pub(super) fn open(bytes: &[u8]) -> Result<(&[u8], Option<&[u8]>), MeshError> {
    check_length(bytes.len())?;
    if bytes.starts_with(b"glTF") {
        return chunks(bytes);
    }
    match content::known(bytes) {
        // Texts that were padded with zeros are cut below.
        Err(Foreign::Binary) | Ok(()) => Ok((trimmed(bytes), None)),
        Err(foreign) => Err(foreign.into()),
    }
}

/// The text without a byte order mark, and without zeros and blanks that were appended to it.
fn trimmed(text: &[u8]) -> &[u8] {
    let is_padding = |byte: &u8| *byte == 0 || byte.is_ascii_whitespace();
    let end = text
        .iter()
        .rposition(|byte| !is_padding(byte))
        .map_or(0, |last| last + 1);
    content::without_mark(&text[..end])
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let number = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*number))
}

fn cut_off(needed: u64, found: usize) -> MeshError {
    let found = found as u64;
    let what = "the container";
    part(AT, PartError::CutOff { what, needed, found })
}

/// The text and the first binary chunk of a binary file.
fn chunks(bytes: &[u8]) -> Result<(&[u8], Option<&[u8]>), MeshError> {
    let found = bytes.len();
    let [Some(version), Some(length)] = [4, 8].map(|at| number(bytes, at)) else {
        return Err(cut_off(HEADER as u64, found));
    };
    if version != 2 {
        return Err(part(AT, PartError::Version(version.to_string())));
    }
    let whole = bytes
        .get(..length as usize)
        .ok_or_else(|| cut_off(length.into(), found))?;
    let mut rest = whole.get(HEADER..).ok_or_else(|| cut_off(HEADER as u64, whole.len()))?;
    let (mut text, mut binary) = (None, None);
    while let [Some(length), Some(_)] = [0, 4].map(|at| number(rest, at)) {
        let kind = &rest[4..8];
        let end = 8 + u64::from(length);
        let content = rest.get(8..end as usize).ok_or_else(|| cut_off(end, rest.len()))?;
        match kind {
            b"JSON" if text.is_none() => text = Some(content),
            _ if text.is_none() => {
                return Err(part(AT, PartError::Unfit("its first chunk should be its text (JSON)")));
            }
            b"BIN\0" if binary.is_none() => binary = Some(content),
            _ => {}
        }
        rest = &rest[end as usize..];
    }
    match text {
        Some(text) => Ok((trimmed(text), binary)),
        None => Err(part(AT, PartError::Unfit("it has no text (JSON)"))),
    }
}
