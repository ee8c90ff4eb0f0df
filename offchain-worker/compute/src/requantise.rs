//! Back from exact sums to signed bytes: one rounding, the same on every engine.
//!
//! `y = clamp(⌊(x · multiplier + 2^(shift − 1)) / 2^shift⌋)`: the scale `multiplier / 2^shift` is below one, halves are
//! rounded up (towards +∞), and nothing overflows. It is the single rounding of TensorFlow Lite's reference kernels
//! (`MultiplyByQuantizedMultiplier`; Jacob et al., arXiv 1712.05877), with the product kept whole. The shader does the
//! same with limbs of 16 bits (`engine/gpu/gemm/requantise.wgsl`).

/// The smallest shift: so that every rescaled `i32` is an `i32`.
pub const MIN_SHIFT: u32 = 31;
/// The largest shift.
pub const MAX_SHIFT: u32 = 62;

/// A scale below one: `multiplier / 2^shift`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scale {
    multiplier: i32,
    shift: u32,
}

impl Scale {
    /// The scale `multiplier / 2^shift`; `None` unless `0 ≤ multiplier` and `31 ≤ shift ≤ 62`.
    pub const fn new(multiplier: i32, shift: u32) -> Option<Self> {
        if multiplier >= 0 && shift >= MIN_SHIFT && shift <= MAX_SHIFT {
            Some(Self { multiplier, shift })
        } else {
            None
        }
    }

    /// The multiplier, from 0 to 2³¹ − 1.
    pub const fn multiplier(self) -> i32 {
        self.multiplier
    }

    /// The shift, from 31 to 62.
    pub const fn shift(self) -> u32 {
        self.shift
    }

    /// `x` rescaled: `⌊(x · multiplier + 2^(shift − 1)) / 2^shift⌋`.
    pub const fn apply(self, x: i32) -> i32 {
        // Below 2⁶² + 2⁶¹ in amount; the quotient is below 2³¹.
        ((x as i64 * self.multiplier as i64 + (1 << (self.shift - 1))) >> self.shift) as i32
    }
}

/// How the sums of one column become bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// Added to the sum first, modulo 2³²: whoever makes it keeps the sum within an `i32`.
    pub bias: i32,
    /// Multiplied with then.
    pub scale: Scale,
}

/// The range to which bytes are clamped: `min ≤ max`. From 0, it is the rectifier (ReLU).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// The least byte.
    pub min: i8,
    /// The greatest byte.
    pub max: i8,
}

impl Range {
    /// Every signed byte.
    pub const FULL: Self = Self {
        min: i8::MIN,
        max: i8::MAX,
    };
}

/// The byte of a sum: bias, scale, clamp.
pub fn requantise(sum: i32, column: Column, range: Range) -> i8 {
    let scaled = column.scale.apply(sum.wrapping_add(column.bias));
    // Within a signed byte after the clamp.
    scaled.max(range.min.into()).min(range.max.into()) as i8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_are_rounded_up() {
        let half = Scale::new(1 << 30, 31).unwrap();
        let rounded = [-3, -2, -1, 0, 1, 2, 3].map(|x| half.apply(x));
        assert_eq!(rounded, [-1, -1, 0, 0, 1, 1, 2]);
    }

    #[test]
    fn extremes_fit() {
        let most = Scale::new(i32::MAX, 31).unwrap();
        assert_eq!(most.apply(i32::MIN), i32::MIN + 1);
        assert_eq!(most.apply(i32::MAX), i32::MAX - 1);
        assert_eq!(Scale::new(i32::MAX, 62).unwrap().apply(i32::MIN), -1);
        for (multiplier, shift) in [(-1, 31), (1, 30), (1, 63)] {
            assert_eq!(Scale::new(multiplier, shift), None);
        }
    }

    proptest! {
        #[test]
        fn it_is_the_quotient_rounded(x: i32, multiplier in 0..=i32::MAX, shift in MIN_SHIFT..=MAX_SHIFT) {
            let wide = i128::from(x) * i128::from(multiplier) * 2 + (1 << shift);
            let expected = wide.div_euclid(1 << (shift + 1));
            prop_assert_eq!(i128::from(Scale::new(multiplier, shift).unwrap().apply(x)), expected);
        }
    }
}
