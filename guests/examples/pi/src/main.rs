//! An estimate of π: how many of so many random points of a square are in the quarter of a circle inside it.
//!
//! Input: a text of two numbers, the seed and the points of each item. Every item draws points of its own, and writes how many are inside, and how
//! many there are; four times the sum of the first by the sum of the second is near to π.

#![no_std]
#![no_main]

use agora_guest::{Arguments, End, Output, random::Random};
use core::{fmt::Write, str};

agora_guest::item!(main);

fn main(arguments: &Arguments, output: &mut Output) -> End {
    let Some((seed, points)) = arguments.inputs.first().and_then(|input| read(&input.bytes())) else {
        return End::Unusable;
    };
    let mut random = Random::new(seed, arguments.item);
    // A quarter of the square, and of the circle: both coordinates are from 0 to 2³².
    let mut square = || u64::from(random.word()).pow(2);
    let hits = (0..points).filter(|_| square().checked_add(square()).is_some()).count();
    match writeln!(output, "{hits} {points}") {
        Ok(()) => End::Done,
        Err(_) => End::Unusable,
    }
}

/// The two numbers of a text.
fn read(text: &[u8]) -> Option<(u64, u64)> {
    let mut numbers = str::from_utf8(text).ok()?.split_whitespace().map(str::parse);
    let (Some(Ok(seed)), Some(Ok(points)), None) = (numbers.next(), numbers.next(), numbers.next()) else {
        return None;
    };
    Some((seed, points))
}
