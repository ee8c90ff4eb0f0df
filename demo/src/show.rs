//! Printing for people.

use agora_chain::{Balance, BlockNumber};

/// Plancks in one unit.
const UNIT: Balance = 1_000_000_000_000;

/// Begins a section.
pub fn heading(text: &str) {
    println!("\n== {text} ==");
}

/// Something that happened in a block.
pub fn line(block: BlockNumber, text: &str) {
    println!("  block {block:>4}  {text}");
}

/// Something that has no block.
pub fn note(text: &str) {
    println!("              {text}");
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
