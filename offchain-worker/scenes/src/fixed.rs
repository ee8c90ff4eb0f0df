//! From floats to fixed-point numbers.

use crate::error::DescriptionError;

/// `value` in units of 1 / `one`, rounded, if it is from `least` to `most`.
pub(crate) fn fixed(
    what: &'static str,
    value: f64,
    one: f64,
    [least, most]: [f64; 2],
) -> Result<i32, DescriptionError> {
    if (least..=most).contains(&value) {
        // Callers' ranges are within those of 32 bits.
        Ok((value * one).round() as i32)
    } else {
        Err(DescriptionError::Number {
            what,
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
pub(crate) fn length(what: &'static str, value: f64, range: [f64; 2]) -> Result<i32, DescriptionError> {
    fixed(what, value, UNIT, range)
}

/// A position.
pub(crate) fn position(what: &'static str, [x, y, z]: [f64; 3]) -> Result<[i32; 3], DescriptionError> {
    let coordinate = |value| length(what, value, [-SPACE, SPACE]);
    Ok([coordinate(x)?, coordinate(y)?, coordinate(z)?])
}

/// Radiance of three channels.
pub(crate) fn radiance(what: &'static str, [r, g, b]: [f64; 3], most: f64) -> Result<[u32; 3], DescriptionError> {
    let channel = |value| fixed(what, value, UNIT, [0.0, most]).map(i32::cast_unsigned);
    Ok([channel(r)?, channel(g)?, channel(b)?])
}

/// A fraction of 15 bits.
pub(crate) fn fraction(what: &'static str, value: f64) -> Result<u16, DescriptionError> {
    // At most 2¹⁵.
    fixed(what, value, 32768.0, [0.0, 1.0]).map(|value| value as u16)
}
