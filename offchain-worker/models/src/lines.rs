//! Files of texts, one a line, in the encodings that people's programs write.
//!
//! A byte order mark says the encoding; without one it is UTF-8. Nothing is replaced and nothing guessed: bytes that are no
//! text are refused. Why no crate does this: `docs/adr/0007-reading-meshes.md`.

/// Why bytes are no text.
#[derive(thiserror::Error, Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextError {
    /// Bytes without a mark are not UTF-8.
    #[error(
        "line {line} is not UTF-8: byte {byte:#04x} cannot stand there; convert the file, such as with iconv -f latin1 -t utf-8"
    )]
    NotUtf8 {
        /// Counted from 1.
        line: usize,
        /// The first that does not fit.
        byte: u8,
    },
    /// There are NULs wherever the encoding has them in front of or behind Latin letters.
    #[error("it looks like {0} without a byte order mark; convert it, such as with iconv -f {0} -t utf-8")]
    Unmarked(&'static str),
    /// More than a quarter of the bytes are NULs, in no order.
    #[error("more than a quarter of its bytes are NULs: it is no text; give plain text, one text a line")]
    Binary,
    /// A surrogate stands without its other half.
    #[error("line {line} is not UTF-16: half of a pair stands alone; write the file again")]
    NotUtf16 {
        /// Counted from 1.
        line: usize,
    },
    /// A number is no letter's.
    #[error("line {line} is not UTF-32; write the file again")]
    NotUtf32 {
        /// Counted from 1.
        line: usize,
    },
    /// The last letter is not whole.
    #[error("line {line} ends within a letter: the file is cut off")]
    CutOff {
        /// Counted from 1.
        line: usize,
    },
}

/// The text in `bytes`: UTF-8 with or without a byte order mark, or UTF-16 or UTF-32 with one.
///
/// Errors: any. Complexity: O(n).
pub fn decode_text(bytes: &[u8]) -> Result<String, TextError> {
    match bytes {
        [0xff, 0xfe, 0, 0, rest @ ..] => utf32(rest, u32::from_le_bytes),
        [0, 0, 0xfe, 0xff, rest @ ..] => utf32(rest, u32::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => utf8(rest),
    }
}

/// The lines of `text`. LF, CRLF and CR end a line, and nothing else does. What follows the last line end is a line if it is
/// not empty.
pub fn text_lines(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines = text.split_terminator('\n');
    lines.map(str::to_owned).collect()
}

fn utf8(bytes: &[u8]) -> Result<String, TextError> {
    // Latin letters of UTF-16 and UTF-32 are letters of UTF-8 with NULs between them.
    if let Some(error) = nulls(bytes) {
        return Err(error);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        TextError::NotUtf8 {
            line: line_of(&String::from_utf8_lossy(before)),
            byte: bytes.get(error.valid_up_to()).copied().unwrap_or_default(),
        }
    })?;
    Ok(text.to_owned())
}

/// What bytes without a mark are, if there are too many NULs among them for a text.
fn nulls(bytes: &[u8]) -> Option<TextError> {
    let mut counts = [0usize; 4];
    for (place, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == 0) {
        if let Some(count) = counts.get_mut(place % 4) {
            *count += 1;
        }
    }
    if counts.iter().sum::<usize>() <= bytes.len() / 4 {
        return None;
    }
    // Blanks and line ends are Latin in texts of any language, so that some of each four is enough.
    let most = counts.iter().max().copied().unwrap_or_default();
    Some(match counts.map(|count| count > most / 2) {
        [false, true, false, true] => TextError::Unmarked("UTF-16LE"),
        [true, false, true, false] => TextError::Unmarked("UTF-16BE"),
        [false, true, true, true] => TextError::Unmarked("UTF-32LE"),
        [true, true, true, false] => TextError::Unmarked("UTF-32BE"),
        _ => TextError::Binary,
    })
}

fn utf16(bytes: &[u8], number: fn([u8; 2]) -> u16) -> Result<String, TextError> {
    let (pairs, rest) = bytes.as_chunks();
    let mut text = String::new();
    for decoded in char::decode_utf16(pairs.iter().map(|&pair| number(pair))) {
        let next = decoded.map_err(|_| TextError::NotUtf16 { line: line_of(&text) })?;
        text.push(next);
    }
    whole(text, rest)
}

fn utf32(bytes: &[u8], number: fn([u8; 4]) -> u32) -> Result<String, TextError> {
    let (words, rest) = bytes.as_chunks();
    let mut text = String::new();
    for &word in words {
        let next = char::from_u32(number(word));
        text.push(next.ok_or_else(|| TextError::NotUtf32 { line: line_of(&text) })?);
    }
    whole(text, rest)
}

fn whole(text: String, rest: &[u8]) -> Result<String, TextError> {
    match rest {
        [] => Ok(text),
        _ => Err(TextError::CutOff { line: line_of(&text) }),
    }
}

/// The number of the line that follows `before`.
fn line_of(before: &str) -> usize {
    // A line that has only begun counts too.
    text_lines(&format!("{before}.")).len()
}
