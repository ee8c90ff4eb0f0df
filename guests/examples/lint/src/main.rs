//! Finds what is untidy in source files: long lines, tabs, trailing blanks, a last line without an end, and brackets that do not belong together.
//!
//! Inputs: the files. Item `i` looks at input `i`, and writes a line of JSON for each finding. Brackets in strings, and behind `//` or `#`, do not count.

#![no_std]
#![no_main]

extern crate alloc;

use agora_guest::{Arguments, End, Output};
use alloc::vec::Vec;
use core::fmt::Write;

agora_guest::item!(main);

/// The most characters of a line.
const LONGEST: usize = 120;
/// The most findings that are written.
const MOST: u64 = 100;

fn main(arguments: &Arguments, output: &mut Output) -> End {
    let Some(file) = arguments.inputs.get(arguments.item as usize) else {
        return End::Unusable;
    };
    let text = file.bytes();
    let mut findings = Findings { output, count: 0 };
    let mut open = Vec::new();
    let mut lines = text.split(|&byte| byte == b'\n').peekable();
    let mut number = 0;
    while let Some(line) = lines.next() {
        number += 1;
        if lines.peek().is_none() {
            if line.is_empty() {
                break;
            }
            findings.add(number, line.len(), "no end of the last line");
        }
        look(line, number, &mut findings);
        brackets(line, number, &mut open, &mut findings);
    }
    for (_, line, column) in open {
        findings.add(line, column, "never closed");
    }
    findings.finish();
    End::Done
}

/// Where findings go.
struct Findings<'a> {
    output: &'a mut Output,
    count: u64,
}

impl Findings<'_> {
    fn add(&mut self, line: usize, column: usize, what: &str) {
        self.count += 1;
        if self.count <= MOST {
            let _ = writeln!(
                self.output,
                "{{\"line\":{line},\"column\":{column},\"finding\":\"{what}\"}}"
            );
        }
    }

    fn finish(self) {
        if let Some(more @ 1..) = self.count.checked_sub(MOST) {
            let _ = writeln!(self.output, "{{\"more\":{more}}}");
        }
    }
}

/// What a line shows by itself.
fn look(line: &[u8], number: usize, findings: &mut Findings<'_>) {
    // Of UTF-8, the bytes that go on with a character do not count.
    let characters = line.iter().filter(|&&byte| byte & 0xC0 != 0x80).count();
    if characters > LONGEST {
        findings.add(number, LONGEST + 1, "long line");
    }
    if let Some(tab) = line.iter().position(|&byte| byte == b'\t') {
        findings.add(number, tab + 1, "tab");
    }
    let tidy = line.trim_ascii_end().len();
    if tidy < line.len() {
        findings.add(number, tidy + 1, "trailing blank");
    }
}

/// Follows the brackets of a line; those that are open are `open`, each with its place.
fn brackets(line: &[u8], number: usize, open: &mut Vec<(u8, usize, usize)>, findings: &mut Findings<'_>) {
    let (mut quoted, mut escaped) = (false, false);
    for (at, &byte) in line.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'#' => return,
            b'/' if line.get(at + 1) == Some(&b'/') => return,
            b'(' => open.push((b')', number, at + 1)),
            b'[' => open.push((b']', number, at + 1)),
            b'{' => open.push((b'}', number, at + 1)),
            b')' | b']' | b'}' => match open.pop() {
                Some((closes, ..)) if closes == byte => {}
                Some(_) => findings.add(number, at + 1, "closes another bracket"),
                None => findings.add(number, at + 1, "closes nothing"),
            },
            _ => {}
        }
    }
}
