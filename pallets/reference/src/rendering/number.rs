//! The arithmetic of the page: integers with fractional bits, rounded down.

use core::num::Wrapping;

/// A number of the page. With possible scenes nothing of what is computed wraps.
pub type Int = Wrapping<i64>;
/// A position, a direction, or a colour.
pub type Vector = [Int; 3];

/// 1 in a component of a direction.
pub const ONE: Int = Wrapping(1 << 30);
/// 1 in a fraction.
pub const WHITE: Int = Wrapping(1 << 15);
pub const ZERO: Int = Wrapping(0);

/// How many multiply–add operations a division or a root counts as.
pub const DIVISION_WORK: u64 = 64;

/// Coefficients of the sine, the highest first.
const SINE: [Int; 5] = [
    Wrapping(162_088),
    Wrapping(-5_017_110),
    Wrapping(85_565_131),
    Wrapping(-693_597_962),
    Wrapping(1_686_629_681),
];

/// `number`, to calculate with.
pub fn int(number: impl Into<i64>) -> Int {
    Wrapping(number.into())
}

/// `vector`, to calculate with.
pub fn ints<T: Into<i64>>(vector: [T; 3]) -> Vector {
    vector.map(int)
}

/// Tests count operations here; see `tests/rendering/work.rs`.
#[cfg(not(test))]
pub const fn took(_operations: u64) {}
#[cfg(test)]
pub use crate::tests::rendering::work::took;

/// What `operation` makes of the components of `a` and `b`.
pub fn each(a: Vector, b: Vector, operation: impl Fn(Int, Int) -> Int) -> Vector {
    let ([a0, a1, a2], [b0, b1, b2]) = (a, b);
    [operation(a0, b0), operation(a1, b1), operation(a2, b2)]
}

pub fn add(a: Vector, b: Vector) -> Vector {
    each(a, b, |a, b| a + b)
}

pub fn sub(a: Vector, b: Vector) -> Vector {
    each(a, b, |a, b| a - b)
}

pub fn negate(v: Vector) -> Vector {
    v.map(minus)
}

/// −x. (The lint against overflows knows that the other operations wrap, but not this one.)
pub fn minus(x: Int) -> Int {
    ZERO - x
}

pub fn abs(x: Int) -> Int {
    Wrapping(x.0.wrapping_abs())
}

/// ⌊a / b⌋; 0 if `b` is 0.
pub fn ratio(a: Int, b: Int) -> Int {
    took(DIVISION_WORK);
    Wrapping(a.0.checked_div_euclid(b.0).unwrap_or_default())
}

/// ⌊√x⌋; 0 if `x` is negative.
pub fn root(x: Int) -> Int {
    took(DIVISION_WORK);
    Wrapping(x.0.max(0).cast_unsigned().isqrt().cast_signed())
}

/// The lesser of `x` and 2³² − 1.
pub fn sat(x: Int) -> Int {
    x.min(int(u32::MAX))
}

pub fn dot(a: Vector, b: Vector) -> Int {
    took(3);
    let [x, y, z] = each(a, b, |a, b| a * b);
    (x + y + z) >> 30
}

pub fn scale(v: Vector, s: Int) -> Vector {
    took(3);
    v.map(|c| (c * s) >> 30)
}

/// Wide.
pub fn cross(a: Vector, b: Vector) -> Vector {
    took(6);
    let ([a0, a1, a2], [b0, b1, b2]) = (a, b);
    [a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0]
}

pub fn cross30(a: Vector, b: Vector) -> Vector {
    cross(a, b).map(|c| c >> 30)
}

pub fn fraction(c: Int) -> Int {
    (c >> 15).clamp(ZERO, WHITE)
}

/// `normalise(v)` and `length(v)`.
pub fn normalise_with_length(v: Vector) -> (Vector, Int) {
    let amounts = v.map(abs);
    let largest = amounts.into_iter().fold(ZERO, Int::max);
    if largest == ZERO {
        return ([ZERO, ZERO, ONE], ZERO);
    }
    let bits = i64::BITS.saturating_sub(largest.0.leading_zeros());
    // At most one of them is not 0.
    let (left, right) = (29u32.saturating_sub(bits) as usize, bits.saturating_sub(29) as usize);
    let w = amounts.map(|amount| (amount << left) >> right);
    took(6);
    let [x, y, z] = w.map(|w| w * w);
    let n = root(x + y + z);
    let c = ratio(Wrapping((1 << 60) - 1), n);
    let unit = each(v, w, |v, w| {
        let amount = (w * c) >> 30;
        if v < ZERO { minus(amount) } else { amount }
    });
    (unit, (n >> left) << right)
}

pub fn normalise(v: Vector) -> Vector {
    normalise_with_length(v).0
}

/// The sine of a quarter turn times `x`, which is from 0 to 1.
fn sine(x: Int) -> Int {
    took(7);
    let q = (x * x) >> 30;
    let s = SINE.into_iter().fold(ZERO, |s, k| k + ((s * q) >> 30));
    ((x * s) >> 30).min(ONE)
}

/// Cosine and sine of an angle of which 2³² are a full turn.
pub fn cos_sin(angle: u32) -> (Int, Int) {
    let f = int(angle % (1 << 30));
    let (s, c) = (sine(f), sine(ONE - f));
    match angle >> 30 {
        0 => (c, s),
        1 => (minus(s), c),
        2 => (minus(c), minus(s)),
        _ => (s, minus(c)),
    }
}

pub fn on_sphere(u: u32, v: u32) -> Vector {
    took(3);
    let z = ONE - int(u >> 1);
    let r = root(ONE * ONE - z * z);
    let (c, s) = cos_sin(v);
    [(r * c) >> 30, (r * s) >> 30, z]
}

pub fn on_disc(u: u32, v: u32) -> [Int; 2] {
    took(2);
    let r = root(int(u) << 28);
    let (c, s) = cos_sin(v);
    [(r * c) >> 30, (r * s) >> 30]
}

/// How much is reflected under an angle of cosine `c`, of `r` that are straight on; fractions.
pub fn schlick(r: Int, c: Int) -> Int {
    took(4);
    let x = WHITE - c;
    let x2 = (x * x) >> 15;
    let x4 = (x2 * x2) >> 15;
    let x5 = (x4 * x) >> 15;
    r + (((WHITE - r) * x5) >> 15)
}
