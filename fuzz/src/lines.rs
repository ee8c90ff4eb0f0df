//! What must hold of bytes that claim to be texts, one a line: they are refused, or are the lines that another way of reading
//! them gives, and these lines are read again from each encoding.

use agora_models::{TextError, decode_text, text_lines};

/// An encoding with a byte order mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// With the mark, which is optional.
    Utf8,
    /// Little endian.
    Utf16Le,
    /// Big endian.
    Utf16Be,
    /// Little endian.
    Utf32Le,
    /// Big endian.
    Utf32Be,
}

/// All of them; the longer marks are first, as one of them begins like a shorter one.
pub const ENCODINGS: [Encoding; 5] = [
    Encoding::Utf32Le,
    Encoding::Utf32Be,
    Encoding::Utf16Le,
    Encoding::Utf16Be,
    Encoding::Utf8,
];

impl Encoding {
    fn letter(self, letter: char) -> Vec<u8> {
        let units = |bytes: fn(u16) -> [u8; 2]| {
            letter
                .encode_utf16(&mut [0; 2])
                .iter()
                .flat_map(|&unit| bytes(unit))
                .collect()
        };
        match self {
            Self::Utf8 => letter.encode_utf8(&mut [0; 4]).as_bytes().to_vec(),
            Self::Utf16Le => units(u16::to_le_bytes),
            Self::Utf16Be => units(u16::to_be_bytes),
            Self::Utf32Le => u32::from(letter).to_le_bytes().to_vec(),
            Self::Utf32Be => u32::from(letter).to_be_bytes().to_vec(),
        }
    }

    /// `text` behind a mark.
    pub fn encode(self, text: &str) -> Vec<u8> {
        ['\u{feff}']
            .into_iter()
            .chain(text.chars())
            .flat_map(|letter| self.letter(letter))
            .collect()
    }

    /// Whether `text` behind a mark is read as this: a mark and a NUL of UTF-16 are a mark of UTF-32, and too many NULs are
    /// taken for another encoding of which the mark is missing.
    pub fn can_say(self, text: &str) -> bool {
        match self {
            Self::Utf8 => text.bytes().filter(|byte| *byte == 0).count() <= text.len() / 4,
            Self::Utf16Le => !text.starts_with('\0'),
            _ => true,
        }
    }
}

/// The lines of `text`, letter by letter.
fn lines(text: &str) -> Vec<String> {
    let (mut lines, mut line, mut before) = (Vec::new(), String::new(), ' ');
    for letter in text.chars() {
        match letter {
            '\n' if before == '\r' => {}
            '\n' | '\r' => lines.push(std::mem::take(&mut line)),
            _ => line.push(letter),
        }
        before = letter;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// The letters of `bytes`, which are whole, or `None`.
fn letters(bytes: &[u8]) -> Option<String> {
    let marked = |encoding: &Encoding| {
        bytes
            .strip_prefix(&encoding.letter('\u{feff}')[..])
            .map(|rest| (*encoding, rest))
    };
    let (encoding, rest) = ENCODINGS.iter().find_map(marked).unwrap_or((Encoding::Utf8, bytes));
    let units = |number: fn([u8; 2]) -> u16| -> Option<String> {
        let (units, rest) = rest.as_chunks();
        let units: Vec<u16> = units.iter().map(|&unit| number(unit)).collect();
        String::from_utf16(&units).ok().filter(|_| rest.is_empty())
    };
    let words = |number: fn([u8; 4]) -> u32| -> Option<String> {
        let (words, rest) = rest.as_chunks();
        let text: Option<String> = words.iter().map(|&word| char::from_u32(number(word))).collect();
        text.filter(|_| rest.is_empty())
    };
    match encoding {
        Encoding::Utf8 => String::from_utf8(rest.to_vec()).ok(),
        Encoding::Utf16Le => units(u16::from_le_bytes),
        Encoding::Utf16Be => units(u16::from_be_bytes),
        Encoding::Utf32Le => words(u32::from_le_bytes),
        Encoding::Utf32Be => words(u32::from_be_bytes),
    }
}

/// Checks bytes as texts, and returns the lines if they are.
pub fn check_text(bytes: &[u8]) -> Option<Vec<String>> {
    let expected = letters(bytes);
    let text = match decode_text(bytes) {
        Ok(text) => text,
        Err(error) => {
            // Those alone refuse what could be read: no text has so many NULs.
            let is_doubtful = matches!(error, TextError::Unmarked(_) | TextError::Binary);
            assert!(is_doubtful || expected.is_none(), "{error}");
            return None;
        }
    };
    assert_eq!(Some(&text), expected.as_ref());
    let found = text_lines(&text);
    assert_eq!(found, lines(&text));
    assert!(!found.iter().any(|line| line.contains(['\n', '\r'])));
    let ended: String = found.iter().flat_map(|line| [line, "\n"]).collect();
    for encoding in ENCODINGS.into_iter().filter(|encoding| encoding.can_say(&ended)) {
        assert_eq!(
            decode_text(&encoding.encode(&ended)).as_ref(),
            Ok(&ended),
            "{encoding:?}"
        );
    }
    assert_eq!(text_lines(&ended), found);
    Some(found)
}
