//! From floats to fixed-point numbers.

use crate::error::DescriptionError;
use std::fmt::Display;

/// `value` in units of 1 / `one`, rounded, if it is from `least` to `most`.
pub(crate) fn fixed(at: impl Display, value: f64, one: f64, [least, most]: [f64; 2]) -> Result<i32, DescriptionError> {
    if (least..=most).contains(&value) {
        // Callers' ranges are within those of 32 bits.
        Ok((value * one).round() as i32)
    } else {
        Err(DescriptionError::Number {
            at: at.to_string(),
            value,
            least,
            most,
        })
    }
}

/// 1 in positions, distances and radiance.
pub(crate) const UNIT: f64 = 65536.0;
/// Coordinates and lengths are at most this.
pub(crate) const SPACE: f64 = 512.0;

/// A length or coordinate.
pub(crate) fn length(at: impl Display, value: f64, range: [f64; 2]) -> Result<i32, DescriptionError> {
    fixed(at, value, UNIT, range)
}

/// A position.
pub(crate) fn position(at: impl Display, [x, y, z]: [f64; 3]) -> Result<[i32; 3], DescriptionError> {
    let coordinate = |value| length(&at, value, [-SPACE, SPACE]);
    Ok([coordinate(x)?, coordinate(y)?, coordinate(z)?])
}

/// Radiance of three channels.
pub(crate) fn radiance(at: impl Display, [r, g, b]: [f64; 3], most: f64) -> Result<[u32; 3], DescriptionError> {
    let channel = |value| fixed(&at, value, UNIT, [0.0, most]).map(i32::cast_unsigned);
    Ok([channel(r)?, channel(g)?, channel(b)?])
}

/// A fraction of 15 bits.
pub(crate) fn fraction(at: impl Display, value: f64) -> Result<u16, DescriptionError> {
    // At most 2¹⁵.
    fixed(at, value, 32768.0, [0.0, 1.0]).map(|value| value as u16)
}
