//! Fixed-point arithmetic: every operation is exact up to a rounding that is stated, so that any processor gives the
//! same bits.
//!
//! Formats: positions and distances have 16 fractional bits, directions 30 ([`ONE`]), fractions 15 ([`FRACTION`]),
//! radiance and throughput 16. No operand reaches 2³¹; `gpu/arithmetic.wgsl` has the same operations in 32-bit words.

/// 1 in a direction.
pub(crate) const ONE: i32 = 1 << 30;
/// 1 in a fraction: a colour, a probability, a cosine after [`fraction`].
pub(crate) const FRACTION: u32 = 1 << 15;

/// A position or a direction.
pub(crate) type Vector = [i32; 3];

/// Coefficients of sin(π/2·x) in x, x³, … x⁹, of 30 fractional bits.
pub(crate) const SINE: [i32; 5] = [1_686_629_681, -693_597_962, 85_565_131, -5_017_110, 162_088];

/// ⌊a·b / 2^shift⌋.
#[inline(always)]
pub(crate) fn mul(a: i32, b: i32, shift: u32) -> i32 {
    ((i64::from(a) * i64::from(b)) >> shift) as i32
}

/// ⌊a·b / 2^shift⌋, at most 2³²−1.
#[inline(always)]
pub(crate) fn mul_saturating(a: u32, b: u32, shift: u32) -> u32 {
    u32::try_from((u64::from(a) * u64::from(b)) >> shift).unwrap_or(u32::MAX)
}

/// ⌊(a·b) / 2³⁰⌋ of the exact dot product.
#[inline(always)]
pub(crate) fn dot(a: Vector, b: Vector) -> i32 {
    let [x, y, z] = [0, 1, 2].map(|i| i64::from(a[i]) * i64::from(b[i]));
    ((x + y + z) >> 30) as i32
}

/// The sum, component by component.
#[inline(always)]
pub(crate) fn add(a: Vector, b: Vector) -> Vector {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// The difference, component by component.
#[inline(always)]
pub(crate) fn sub(a: Vector, b: Vector) -> Vector {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// The vector in the other direction.
#[inline(always)]
pub(crate) fn negate(v: Vector) -> Vector {
    v.map(|component| -component)
}

/// ⌊v·factor / 2³⁰⌋, component by component.
#[inline(always)]
pub(crate) fn scale(v: Vector, factor: i32) -> Vector {
    v.map(|component| mul(component, factor, 30))
}

/// A direction's component as a fraction: ⌊cosine / 2¹⁵⌋ within 0 ..= 1.
#[inline(always)]
pub(crate) fn fraction(cosine: i32) -> u32 {
    (cosine >> 15).clamp(0, FRACTION as i32) as u32
}

/// The unit vector in the direction of `v`, and the length of `v`; of zero, the z axis and 0.
///
/// With `m` bits in the largest magnitude, magnitudes are shifted left by `29 − m`, or right, giving `w`;
/// `n = ⌊√(w·w)⌋` and `c = ⌊(2⁶⁰ − 1) / n⌋`. The components are ±⌊wᵢ·c / 2³⁰⌋, the length is `n` shifted back.
pub(crate) fn normalise_wide(v: [i64; 3]) -> (Vector, u64) {
    let magnitudes = v.map(i64::unsigned_abs);
    let largest = magnitudes[0] | magnitudes[1] | magnitudes[2];
    if largest == 0 {
        return ([0, 0, ONE], 0);
    }
    let bits = u64::BITS - largest.leading_zeros();
    let (left, right) = (29u32.saturating_sub(bits), bits.saturating_sub(29));
    let w = magnitudes.map(|magnitude| (magnitude << left) >> right);
    let n = (w[0] * w[0] + w[1] * w[1] + w[2] * w[2]).isqrt();
    let c = ((1 << 60) - 1) / n;
    let component = |i: usize| {
        let magnitude = ((w[i] * c) >> 30) as i32;
        if v[i] < 0 { -magnitude } else { magnitude }
    };
    ([component(0), component(1), component(2)], (n >> left) << right)
}

/// As [`normalise_wide`].
pub(crate) fn normalise_with_length(v: Vector) -> (Vector, u32) {
    let (unit, length) = normalise_wide(v.map(i64::from));
    // Shorter than √3·2³¹.
    (unit, length as u32)
}

/// The unit vector in the direction of `v`; of zero, the z axis.
pub(crate) fn normalise(v: Vector) -> Vector {
    normalise_with_length(v).0
}

/// The cross product of two directions: each component is ⌊(aⱼ·bₖ − aₖ·bⱼ) / 2³⁰⌋.
pub(crate) fn cross(a: Vector, b: Vector) -> Vector {
    let part = |j: usize, k: usize| {
        let (first, second) = (i64::from(a[j]) * i64::from(b[k]), i64::from(a[k]) * i64::from(b[j]));
        ((first - second) >> 30) as i32
    };
    [part(1, 2), part(2, 0), part(0, 1)]
}

/// sin(π/2·x) for x from 0 to 1, both of 30 fractional bits.
fn quarter_sine(x: i32) -> i32 {
    let square = mul(x, x, 30);
    let [rest @ .., last] = SINE;
    let sum = rest
        .iter()
        .rev()
        .fold(last, |sum, &coefficient| coefficient + mul(sum, square, 30));
    mul(x, sum, 30).min(ONE)
}

/// Cosine and sine of `angle`, of which 2³² are a full turn.
pub(crate) fn cosine_and_sine(angle: u32) -> (i32, i32) {
    let rest = (angle & (ONE as u32 - 1)) as i32;
    let (sine, cosine) = (quarter_sine(rest), quarter_sine(ONE - rest));
    match angle >> 30 {
        0 => (cosine, sine),
        1 => (-sine, cosine),
        2 => (-cosine, -sine),
        _ => (sine, -cosine),
    }
}

/// A direction, evenly spread over the sphere for even `u` and `v`.
pub(crate) fn on_sphere(u: u32, v: u32) -> Vector {
    let z = ONE - (u >> 1) as i32;
    let radius = ((1u64 << 60) - i64::from(z).pow(2) as u64).isqrt() as i32;
    let (cosine, sine) = cosine_and_sine(v);
    [mul(radius, cosine, 30), mul(radius, sine, 30), z]
}

/// A point of the unit disc, evenly spread for even `u` and `v`.
pub(crate) fn on_disc(u: u32, v: u32) -> [i32; 2] {
    let radius = (u64::from(u) << 28).isqrt() as i32;
    let (cosine, sine) = cosine_and_sine(v);
    [mul(radius, cosine, 30), mul(radius, sine, 30)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn real(v: Vector) -> [f64; 3] {
        v.map(|component| f64::from(component) / f64::from(ONE))
    }

    proptest! {
        #[test]
        fn unit_vectors_have_the_direction_and_length_one(v in prop::array::uniform3(-(1i32 << 29)..1 << 29)) {
            prop_assume!(v != [0; 3]);
            let (unit, length) = normalise_with_length(v);
            let exact = v.iter().map(|&c| f64::from(c).powi(2)).sum::<f64>().sqrt();
            for (component, &c) in real(unit).into_iter().zip(&v) {
                prop_assert!((component - f64::from(c) / exact).abs() < 2e-8);
            }
            prop_assert!((f64::from(length) - exact).abs() <= 1.0 + exact * 1e-8);
        }

        #[test]
        fn sine_and_cosine_are_close(angle: u32) {
            let (cosine, sine) = cosine_and_sine(angle);
            let exact = f64::from(angle) / 2f64.powi(32) * std::f64::consts::TAU;
            prop_assert!((f64::from(cosine) / f64::from(ONE) - exact.cos()).abs() < 1e-7);
            prop_assert!((f64::from(sine) / f64::from(ONE) - exact.sin()).abs() < 1e-7);
        }

        #[test]
        fn points_lie_on_the_sphere_and_in_the_disc(u: u32, v: u32) {
            let length: f64 = real(on_sphere(u, v)).iter().map(|c| c * c).sum();
            prop_assert!((length - 1.0).abs() < 1e-6);
            let [x, y] = on_disc(u, v).map(|c| f64::from(c) / f64::from(ONE));
            prop_assert!(x * x + y * y < 1.0 + 1e-6);
        }
    }
}
