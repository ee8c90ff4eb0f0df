//! The lines of an OBJ file.
//!
//! They end with LF, CR LF or CR. A backslash at the end of a line of data continues it with the next line. One at the end of
//! a comment or a name, such as that of a folder, does not: the line below would be lost.

use std::borrow::Cow;

/// Statements that numbers follow.
const DATA: [&[u8]; 7] = [b"v", b"vn", b"vt", b"vp", b"f", b"l", b"p"];

pub(super) struct Lines<'a> {
    rest: &'a [u8],
    read: usize,
}

impl<'a> Lines<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { rest: text, read: 0 }
    }

    /// The next line as it is in the file, without its end.
    fn physical(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.read += 1;
        let end = self.rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let (line, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        let behind = |end: &[u8]| rest.strip_prefix(end);
        self.rest = behind(b"\r\n")
            .or_else(|| behind(b"\n"))
            .or_else(|| behind(b"\r"))
            .unwrap_or(rest);
        Some(line)
    }
}

impl<'a> Iterator for Lines<'a> {
    /// The number of the first line, counted from 1, and the statement.
    type Item = (usize, Cow<'a, [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        // Files are put together from several with marks.
        let first = crate::content::without_mark(self.physical()?);
        let number = self.read;
        let word = first
            .trim_ascii_start()
            .split(|byte| byte.is_ascii_whitespace() || *byte == b'\\')
            .next();
        let Some(begun) = continued(first).filter(|_| word.is_some_and(|word| DATA.contains(&word))) else {
            return Some((number, Cow::Borrowed(first)));
        };
        let mut whole = begun.to_vec();
        while let Some(line) = self.physical() {
            whole.push(b' ');
            match continued(line) {
                Some(begun) => whole.extend(begun),
                None => {
                    whole.extend(line);
                    break;
                }
            }
        }
        Some((number, Cow::Owned(whole)))
    }
}

/// The line without the backslash that continues it, if one does.
fn continued(line: &[u8]) -> Option<&[u8]> {
    let begun = line.trim_ascii_end().strip_suffix(b"\\")?;
    (!begun.contains(&b'#')).then_some(begun)
}
