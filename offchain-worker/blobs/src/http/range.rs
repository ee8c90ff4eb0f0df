//! Ranges of bytes, as RFC 9110 (section 14) writes them.

use std::ops::Range;

/// What of a blob is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// All of it.
    Whole,
    /// These bytes.
    Bytes(Range<u64>),
    /// Bytes that it does not have.
    Beyond,
}

/// Reads a `Range` header about a blob of `size` bytes. What is not understood, and several ranges at once, count as not
/// having been asked for, as the RFC allows.
pub fn parse(header: &str, size: u64) -> Part {
    let Some((unit, ranges)) = header.split_once('=') else {
        return Part::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") || ranges.contains(',') {
        return Part::Whole;
    }
    let Some((first, last)) = ranges.trim().split_once('-') else {
        return Part::Whole;
    };
    let (first, last) = (number(first), number(last));
    let range = match (first, last) {
        (Number::Is(first), Number::Is(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Number::Is(first), Number::Absent) => first..size,
        (Number::Absent, Number::Is(count)) => size.saturating_sub(count)..size,
        _ => return Part::Whole,
    };
    if range.start < range.end {
        Part::Bytes(range)
    } else {
        Part::Beyond
    }
}

/// Reads `first-last`, both included, of a blob of `size` bytes.
pub fn parse_exact(text: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = text.split_once('-')?;
    match (number(first), number(last)) {
        (Number::Is(first), Number::Is(last)) if first <= last && last < size => Some(first..last.saturating_add(1)),
        _ => None,
    }
}

enum Number {
    Is(u64),
    Absent,
    Wrong,
}

/// Digits alone: no sign, no space between them. More than fits is the largest number.
fn number(text: &str) -> Number {
    let text = text.trim();
    if text.is_empty() {
        return Number::Absent;
    }
    if !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return Number::Wrong;
    }
    Number::Is(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        for (header, part) in [
            ("bytes=0-499", Part::Bytes(0..500)),
            ("bytes=500-999", Part::Bytes(500..1000)),
            ("bytes=-500", Part::Bytes(500..1000)),
            ("bytes=999-", Part::Bytes(999..1000)),
            ("Bytes= 0-0", Part::Bytes(0..1)),
            ("bytes=0-99999999999999999999999", Part::Bytes(0..1000)),
            ("bytes=-99999", Part::Bytes(0..1000)),
            ("bytes=1000-", Part::Beyond),
            ("bytes=-0", Part::Beyond),
            ("bytes=5-4", Part::Whole),
            ("bytes=0-1,3-4", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("lines=0-1", Part::Whole),
            ("bytes", Part::Whole),
        ] {
            assert_eq!(parse(header, 1000), part, "{header}");
        }
        assert_eq!(parse("bytes=0-", 0), Part::Beyond);
    }

    proptest! {
        #[test]
        fn a_range_never_leaves_the_blob(text in "bytes=[0-9]{0,22}-[0-9]{0,22}", size: u64) {
            if let Part::Bytes(range) = parse(&text, size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
            if let Some(range) = parse_exact(&text["bytes=".len()..], size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }
    }
}
