//! Count, mean, variance and quartiles of a column of a CSV file, exactly.
//!
//! Inputs: the file, whose first line has the names of the columns; the name of a column. Each item takes its part of the lines, and writes a
//! line of JSON. With one item it is the statistic of the whole file; counts, sums and the least and the greatest of several items can be
//! put together.
//!
//! Numbers have up to six decimals, and are at most 10⁹; anything else counts as missing. Fields may be quoted, but hold no line breaks.

#![no_std]
#![no_main]

extern crate alloc;

use agora_guest::{Arguments, Blob, End, Output};
use alloc::vec::Vec;
use core::fmt::{Result, Write};

agora_guest::item!(main);

/// Parts of one that numbers are counted in.
const UNIT: i64 = 1_000_000;
/// The greatest number: the squares of 2²⁵ differences of such numbers have a sum of 128 bits.
const GREATEST: i64 = 1_000_000_000;

fn main(arguments: &Arguments, output: &mut Output) -> End {
    let [file, column] = &arguments.inputs[..] else {
        return End::Unusable;
    };
    let name = column.bytes();
    let header = first_line(file);
    let Some(column) = fields(&header).position(|field| field == name.trim_ascii()) else {
        return End::Unusable;
    };
    // Then the names of the columns may be in another item than the first.
    if arguments.items > file.size {
        return End::Unusable;
    }
    let lines = file.lines(arguments.item, arguments.items);
    let skipped = usize::from(arguments.item == 0);
    let mut values = Vec::new();
    let mut rows = 0u64;
    for line in lines.split(|&byte| byte == b'\n').skip(skipped) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        rows += 1;
        values.extend(fields(line).nth(column).and_then(number));
    }
    values.sort_unstable();
    match report(output, rows, &values) {
        Ok(()) => End::Done,
        Err(_) => End::Unusable,
    }
}

/// The first line of a file.
fn first_line(file: &Blob) -> Vec<u8> {
    const LONGEST: u64 = 1 << 16;
    let start = file.range(0..LONGEST);
    let line = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    line.to_vec()
}

/// The fields of a line, without quotes and the blanks around them.
fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    let fields = line.split(move |&byte| {
        quoted ^= byte == b'"';
        byte == b',' && !quoted
    });
    fields.map(|field| {
        let field = field.trim_ascii();
        let inside = field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\""));
        inside.unwrap_or(field)
    })
}

/// A decimal number in millionths.
fn number(field: &[u8]) -> Option<i64> {
    let (negative, digits) = match field {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let point = digits.iter().position(|&byte| byte == b'.').unwrap_or(digits.len());
    let (whole, decimals) = (&digits[..point], digits.get(point + 1..).unwrap_or_default());
    if whole.is_empty() || whole.len() > 10 || decimals.len() > 6 {
        return None;
    }
    let mut value = 0i64;
    let padding = core::iter::repeat_n(&b'0', 6 - decimals.len());
    for digit in whole.iter().chain(decimals).chain(padding) {
        value = value * 10 + i64::from(digit.is_ascii_digit().then_some(digit - b'0')?);
    }
    (value <= GREATEST * UNIT).then_some(if negative { -value } else { value })
}

fn report(output: &mut Output, rows: u64, values: &[i64]) -> Result {
    let count = values.len() as i128;
    write!(output, "{{\"rows\":{rows},\"count\":{count}")?;
    if let (Some(&least), Some(&greatest)) = (values.first(), values.last()) {
        let sum: i128 = values.iter().map(|&value| i128::from(value)).sum();
        let mean = sum.div_euclid(count);
        let square = |&value: &i64| (i128::from(value) - mean).unsigned_abs().pow(2);
        let squares: u128 = values.iter().map(square).sum();
        // Around the true mean, which is less than one millionth above `mean`.
        let rest = sum.rem_euclid(count).unsigned_abs();
        let count = count.unsigned_abs();
        let variance = (squares - rest * rest / count) / count;
        output.write_str(",\"sum\":")?;
        decimal(output, sum)?;
        output.write_str(",\"mean\":")?;
        decimal(output, mean)?;
        write!(
            output,
            ",\"variance\":{}.{:012}",
            variance / 1_000_000_000_000,
            variance % 1_000_000_000_000
        )?;
        output.write_str(",\"least\":")?;
        decimal(output, least.into())?;
        output.write_str(",\"quartiles\":[")?;
        for quarter in 1..4 {
            // The least value that so many quarters of all are no greater than.
            let rank = (values.len() * quarter).div_ceil(4) - 1;
            if quarter > 1 {
                output.write_str(",")?;
            }
            decimal(output, values[rank].into())?;
        }
        output.write_str("],\"greatest\":")?;
        decimal(output, greatest.into())?;
    }
    output.write_str("}\n")
}

/// Writes millionths as a decimal number.
fn decimal(output: &mut Output, millionths: i128) -> Result {
    let sign = if millionths < 0 { "-" } else { "" };
    let (unit, value) = (u128::from(UNIT.unsigned_abs()), millionths.unsigned_abs());
    write!(output, "{sign}{}.{:06}", value / unit, value % unit)
}
