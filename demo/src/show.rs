//! Printing for people.

use agora_chain::{Balance, BlockNumber};
use std::io::Write;

/// Plancks in one unit.
const UNIT: Balance = 1_000_000_000_000;

/// Prints a line, or several, if anybody reads them. If nobody does, the market goes on all the same, to its checks.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Begins a section.
pub fn heading(text: &str) {
    say(&format!("\n== {text} =="));
}

/// Something that happened in a block.
pub fn line(block: BlockNumber, text: &str) {
    say(&format!("  block {block:>4}  {text}"));
}

/// Something that has no block.
pub fn note(text: &str) {
    say(&format!("              {text}"));
}

/// An amount in units, with four decimals, cut.
pub fn amount(plancks: Balance) -> String {
    format!("{}.{:04}", plancks / UNIT, plancks % UNIT / (UNIT / 10_000))
}

/// The difference of two amounts, signed.
pub fn change(before: Balance, after: Balance) -> String {
    let sign = if after < before { '-' } else { '+' };
    format!("{sign}{}", amount(after.abs_diff(before)))
}
