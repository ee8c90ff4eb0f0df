//! The integer operators of the page, with its names and letters.
//!
//! Nothing wraps or saturates for numbers within the bounds of a package and of a value, except where the page says so.

use agora_jobs::inference::{EXPONENT_ONE, MAX_VALUE};
use alloc::vec::Vec;

/// The largest amount of an element of a value that attention averages, and of an embedding.
pub const LEVELS: i64 = 32_767;

/// How a row is quantised.
#[derive(Clone, Copy)]
pub struct Quantisation {
    levels: i64,
    shift: u32,
}

impl Quantisation {
    /// Inputs of a linear layer in one limb.
    pub const ONE_LIMB: Self = Self { levels: 127, shift: 24 };
    /// Inputs of a linear layer in two limbs.
    pub const TWO_LIMBS: Self = Self {
        levels: 8191,
        shift: 18,
    };
    /// Queries and keys.
    pub const ATTENTION: Self = Self {
        levels: 2047,
        shift: 20,
    };

    /// `quantise`: the levels of `row`, and its scale.
    pub fn apply(self, row: &[i32]) -> (Vec<i32>, i64) {
        let m = row
            .iter()
            .fold(1, |most: i64, &x| most.max(i64::from(x).saturating_abs()));
        let r = self.levels.wrapping_shl(self.shift).checked_div(m).unwrap_or(0);
        let half = 1i64.wrapping_shl(self.shift) >> 1;
        let level = |&x: &i32| {
            let amount = i64::from(x).saturating_abs().saturating_mul(r).saturating_add(half);
            signed(x.into(), amount.wrapping_shr(self.shift)) as i32
        };
        (row.iter().map(level).collect(), m)
    }
}

/// `amount` with the sign of `x`.
const fn signed(x: i64, amount: i64) -> i64 {
    if x < 0 { amount.wrapping_neg() } else { amount }
}

/// `clamp`.
pub fn clamp(x: i64) -> i32 {
    // Within 20 bits.
    x.clamp((-MAX_VALUE).into(), MAX_VALUE.into()) as i32
}

/// `divide`.
pub fn divide(a: i64, b: i64) -> i64 {
    let amount = a.saturating_abs().saturating_add(b >> 1).checked_div(b).unwrap_or(0);
    signed(a, amount)
}

/// `rescale`; `a` and `b` are at most 2³¹ in amount, and `s` is at most 62.
pub fn rescale(a: i64, b: i64, s: u32) -> i64 {
    let product = a.saturating_mul(b);
    let half = 1i64.wrapping_shl(s) >> 1;
    let amount = product.saturating_abs().saturating_add(half).wrapping_shr(s);
    signed(product, amount.min(i32::MAX.into()))
}

/// `unit`, without its row: what divides by the root of `squares`.
pub struct Unit {
    reciprocal: i64,
    shift: u32,
}

impl Unit {
    pub fn new(squares: u64) -> Self {
        let q = squares.isqrt().max(2);
        let bits = u64::BITS.saturating_sub(q.leading_zeros());
        // The mantissa has 16 bits.
        let mantissa = match bits.checked_sub(16) {
            Some(e) => q.wrapping_shr(e),
            None => q.wrapping_shl(16u32.saturating_sub(bits)),
        };
        let reciprocal = (1u64 << 31).checked_div(mantissa).unwrap_or(0);
        Self {
            reciprocal: reciprocal.cast_signed(),
            // 15 + e, and e is the bits less 16.
            shift: bits.saturating_sub(1),
        }
    }

    pub fn apply(&self, x: i64) -> i64 {
        rescale(x.saturating_mul(256), self.reciprocal, self.shift)
    }
}

/// The parameters of a norm.
pub struct Norm {
    pub weight: Vec<i32>,
    pub shift: u32,
    pub bias: Vec<i32>,
    pub epsilon: u32,
}

impl Norm {
    /// `norm`, in place.
    pub fn apply(&self, row: &mut [i32]) {
        let sum = row.iter().fold(0i64, |sum, &x| sum.saturating_add(x.into()));
        let mean = divide(sum, row.len() as i64);
        let squares = row.iter().fold(u64::from(self.epsilon), |sum, &x| {
            let amount = i64::from(x).abs_diff(mean);
            sum.saturating_add(amount.saturating_mul(amount))
        });
        let unit = Unit::new(squares);
        for ((x, &weight), &bias) in row.iter_mut().zip(&self.weight).zip(&self.bias) {
            let u = unit.apply(i64::from(*x).saturating_sub(mean));
            let scaled = clamp(rescale(u, weight.into(), self.shift));
            *x = clamp(i64::from(scaled).saturating_add(bias.into()));
        }
    }
}

/// The sum of products of two rows.
pub fn dot(a: &[i32], b: impl Iterator<Item = i32>) -> i64 {
    // At most 2³¹ in amount.
    a.iter().zip(b).fold(0i64, |sum, (&a, b)| {
        sum.wrapping_add(i64::from(a).wrapping_mul(b.into()))
    })
}

/// `power`, with the table of powers. At most 32768.
fn power(d: u64, table: &[i32]) -> i64 {
    // Below 32.
    let z = (d / 1024).min(31) as u32;
    let entry = table.get((d % 1024) as usize).copied().unwrap_or(0);
    let half = 1i64.wrapping_shl(z) >> 1;
    i64::from(entry).saturating_add(half).wrapping_shr(z)
}

/// `tangent`, with the table of powers.
pub fn tangent(x: i32, table: &[i32]) -> i32 {
    let one = i64::from(EXPONENT_ONE);
    let e = power(i64::from(x).unsigned_abs(), table);
    let amount = divide(one.saturating_mul(one.saturating_sub(e)), one.saturating_add(e));
    // At most 32768.
    signed(x.into(), amount) as i32
}

/// The probabilities `p` that follow from scores.
pub fn softmax(scores: &mut [i64], table: &[i32]) {
    let most = scores.iter().copied().max().unwrap_or(0);
    let mut sum = 0i64;
    for score in scores.iter_mut() {
        *score = power(most.abs_diff(*score), table);
        sum = sum.saturating_add(*score);
    }
    for e in scores.iter_mut() {
        let numerator = e.saturating_mul(EXPONENT_ONE.into()).saturating_add(sum >> 1);
        // The sum is 32768 at least, as the first entry of the table is.
        *e = numerator.checked_div(sum).unwrap_or(0);
    }
}

/// `activation`, with the table and its shift `k`.
pub fn activation(x: i32, table: &[i32], k: u32) -> i32 {
    let half = 1i64.wrapping_shl(k) >> 1;
    let place = i64::from(x).saturating_add(half).wrapping_shr(k).saturating_add(2048);
    match usize::try_from(place) {
        Err(_) => 0,
        Ok(place) => table.get(place).copied().unwrap_or(x),
    }
}
