//! A program for the Agora machine. It is run once for each item of a job, or step after step: docs/guides/publisher.md says how it gets there.
//!
//! What it can see are its arguments and the inputs of the job; what it leaves is what it writes. Nothing else is there: no files, no clock, no
//! floats in hardware. If it panics, that item's result is that it trapped.

#![no_std]
#![no_main]

extern crate alloc;

use agora_guest::{Arguments, End, Output};
use core::fmt::Write;

agora_guest::item!(main);

fn main(arguments: &Arguments, output: &mut Output) -> End {
    // What is no use to the program has a result, too.
    let Some(text) = arguments.inputs.first() else {
        return End::Unusable;
    };
    // The lines of this item: all items together have each line once.
    let text = text.lines(arguments.item, arguments.items);
    let words = text
        .split(|byte| byte.is_ascii_whitespace())
        .filter(|word| !word.is_empty());
    let written = writeln!(output, "{} words", words.count());
    match written {
        Ok(()) => End::Done,
        Err(_) => End::Unusable,
    }
}
