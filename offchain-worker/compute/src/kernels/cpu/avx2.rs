//! The micro-kernel for AVX2: pairs of 16-bit numbers are multiplied and added by `vpmaddwd`.
//!
//! Signed bytes are widened when they are packed. (Multiplying bytes, by `vpmaddubsw`, is no faster: it needs an
//! instruction for the sign and one more to widen its 16-bit sums, which makes the same four instructions for 32
//! products, and its sums saturate where operands exceed ±127.)

#![allow(unsafe_code)]

use super::MicroKernel;
use agora_math::freivalds::{Entry, LIMBS};
use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_cvtepi8_epi16, _mm256_madd_epi16, _mm256_set1_epi32, _mm256_setzero_si256,
};

/// Exists where the processor has AVX2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Avx2(());

/// Twelve of the sixteen registers hold sums, two hold columns, one a row's pair, one a product.
const ROWS: usize = 6;
const COLUMNS: usize = 16;

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }
}

impl Avx2 {
    /// As [`Entry::limb_products`].
    #[inline(always)]
    pub(super) fn limb_products(self, row: &[i8], limbs: [&[i16]; LIMBS]) -> [i64; LIMBS] {
        // SAFETY: the processor has AVX2, or there would be no `self`.
        unsafe { limb_products(row, limbs) }
    }
}

impl MicroKernel for Avx2 {
    type Element = i16;
    const ROWS: usize = ROWS;
    const COLUMNS: usize = COLUMNS;
    const GROUP: usize = 2;

    #[inline(always)]
    fn lhs(value: i8) -> i16 {
        value.into()
    }

    #[inline(always)]
    fn rhs(value: i8) -> i16 {
        value.into()
    }

    #[inline(always)]
    fn start(_: &[i8]) -> i32 {
        0
    }

    #[inline(always)]
    fn accumulate(self, lhs: &[i16], rhs: &[i16], rows: usize, sums: &mut [i32], stride: usize) {
        // SAFETY: the processor has AVX2, or there would be no `self`.
        unsafe {
            match rows {
                1 => tile::<1>(lhs, rhs, sums, stride),
                2 => tile::<2>(lhs, rhs, sums, stride),
                3 | 4 => tile::<4>(lhs, rhs, sums, stride),
                _ => tile::<ROWS>(lhs, rhs, sums, stride),
            }
        }
    }

    #[inline(always)]
    fn vectorise<R>(self, work: impl FnOnce() -> R) -> R {
        #[target_feature(enable = "avx2")]
        fn call<R>(work: impl FnOnce() -> R) -> R {
            work()
        }
        // SAFETY: the processor has AVX2, or there would be no `self`.
        unsafe { call(work) }
    }
}

/// The first `R` rows of the tile.
///
/// Safe casts and indices: in the workspace's profile the intrinsics that take pointers, and iterators over arrays,
/// check what they assume in every step.
#[target_feature(enable = "avx2")]
fn tile<const R: usize>(lhs: &[i16], rhs: &[i16], sums: &mut [i32], stride: usize) {
    // Two pairs along k in each step: parts of panels are multiples of four elements along k.
    let (lhs, _) = bytemuck::cast_slice::<i16, i32>(lhs).as_chunks::<{ 2 * ROWS }>();
    let (rhs, _) = bytemuck::cast_slice::<i16, __m256i>(rhs).as_chunks::<4>();
    let mut tile = [[_mm256_setzero_si256(); 2]; R];
    for (pairs, columns) in lhs.iter().zip(rhs) {
        for pair in 0..2 {
            let columns = [columns[2 * pair], columns[2 * pair + 1]];
            for row in 0..R {
                let elements = _mm256_set1_epi32(pairs[pair * ROWS + row]);
                tile[row][0] = _mm256_add_epi32(tile[row][0], _mm256_madd_epi16(elements, columns[0]));
                tile[row][1] = _mm256_add_epi32(tile[row][1], _mm256_madd_epi16(elements, columns[1]));
            }
        }
    }
    for (row, products) in tile.iter().enumerate() {
        let products: &[i32] = bytemuck::cast_slice(products);
        for (sum, product) in sums[row * stride..][..COLUMNS].iter_mut().zip(products) {
            *sum = sum.wrapping_add(*product);
        }
    }
}

/// Entries whose products fit 32 bits: two in a lane at each step, of 7 and 15 bits.
const LIMB_PART: usize = 16 * 255;

#[target_feature(enable = "avx2")]
fn limb_products(row: &[i8], [a, b, c, d]: [&[i16]; LIMBS]) -> [i64; LIMBS] {
    let mut products = [0i64; LIMBS];
    let limbs = a
        .chunks(LIMB_PART)
        .zip(b.chunks(LIMB_PART))
        .zip(c.chunks(LIMB_PART))
        .zip(d.chunks(LIMB_PART));
    for (row, (((a, b), c), d)) in row.chunks(LIMB_PART).zip(limbs) {
        let (row, row_rest) = row.as_chunks::<16>();
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
        let ((c, c_rest), (d, d_rest)) = (c.as_chunks::<16>(), d.as_chunks::<16>());
        let mut sums = [_mm256_setzero_si256(); LIMBS];
        for ((((row, a), b), c), d) in row.iter().zip(a).zip(b).zip(c).zip(d) {
            let row = _mm256_cvtepi8_epi16(bytemuck::cast(*row));
            sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(row, bytemuck::cast(*a)));
            sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(row, bytemuck::cast(*b)));
            sums[2] = _mm256_add_epi32(sums[2], _mm256_madd_epi16(row, bytemuck::cast(*c)));
            sums[3] = _mm256_add_epi32(sums[3], _mm256_madd_epi16(row, bytemuck::cast(*d)));
        }
        let rest = i8::limb_products(row_rest, [a_rest, b_rest, c_rest, d_rest]);
        for i in 0..LIMBS {
            let lanes: [i32; 8] = bytemuck::cast(sums[i]);
            products[i] += rest[i] + lanes.iter().map(|&lane| i64::from(lane)).sum::<i64>();
        }
    }
    products
}
