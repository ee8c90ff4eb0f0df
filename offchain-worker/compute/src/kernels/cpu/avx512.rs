//! The micro-kernel for AVX-512 with VNNI: groups of four bytes are multiplied and added by `vpdpbusd`.
//!
//! The instruction multiplies unsigned by signed bytes. The right-hand operand is packed with 128 added to each
//! element; the sums of a row then begin with −128 times the sum of the row. Sums between may wrap; the last is exact
//! modulo 2³², and fits.

#![allow(unsafe_code)]

use super::{MicroKernel, avx2::Avx2};
use std::arch::x86_64::{__m512i, _mm512_dpbusd_epi32, _mm512_set1_epi32, _mm512_setzero_si512};

/// Exists where the processor has AVX-512 with VNNI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Avx512(Avx2);

/// 24 of the 32 registers hold sums.
const ROWS: usize = 12;
const COLUMNS: usize = 32;

impl Avx512 {
    pub(super) fn detect() -> Option<Self> {
        let detected = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vnni");
        Avx2::detect().filter(|_| detected).map(Self)
    }

    /// That the processor has AVX2, too.
    pub(super) const fn avx2(self) -> Avx2 {
        self.0
    }
}

impl MicroKernel for Avx512 {
    type Element = i8;
    const ROWS: usize = ROWS;
    const COLUMNS: usize = COLUMNS;
    const GROUP: usize = 4;

    #[inline(always)]
    fn lhs(value: i8) -> i8 {
        value
    }

    /// The bits of the unsigned byte `value + 128`.
    #[inline(always)]
    fn rhs(value: i8) -> i8 {
        value ^ i8::MIN
    }

    #[inline(always)]
    fn start(row: &[i8]) -> i32 {
        // At most 131,071 · 128: 128 times that is below 2³¹.
        let sum = row.iter().fold(0i32, |sum, &x| sum.wrapping_add(x.into()));
        sum.wrapping_mul(-128)
    }

    #[inline(always)]
    fn accumulate(self, lhs: &[i8], rhs: &[i8], rows: usize, sums: &mut [i32], stride: usize) {
        // SAFETY: the processor has these instructions, or there would be no `self`.
        unsafe {
            match rows {
                1 => tile::<1>(lhs, rhs, sums, stride),
                2..=4 => tile::<4>(lhs, rhs, sums, stride),
                5..=8 => tile::<8>(lhs, rhs, sums, stride),
                _ => tile::<ROWS>(lhs, rhs, sums, stride),
            }
        }
    }

    #[inline(always)]
    fn vectorise<R>(self, work: impl FnOnce() -> R) -> R {
        #[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
        fn call<R>(work: impl FnOnce() -> R) -> R {
            work()
        }
        // SAFETY: the processor has these instructions, or there would be no `self`.
        unsafe { call(work) }
    }
}

/// The first `R` rows of the tile.
///
/// Safe casts and indices: see the micro-kernel for AVX2.
#[target_feature(enable = "avx512f,avx512vnni")]
fn tile<const R: usize>(lhs: &[i8], rhs: &[i8], sums: &mut [i32], stride: usize) {
    let (lhs, _) = bytemuck::cast_slice::<i8, i32>(lhs).as_chunks::<ROWS>();
    let (rhs, _) = bytemuck::cast_slice::<i8, __m512i>(rhs).as_chunks::<2>();
    let mut tile = [[_mm512_setzero_si512(); 2]; R];
    for (groups, columns) in lhs.iter().zip(rhs) {
        for row in 0..R {
            let group = _mm512_set1_epi32(groups[row]);
            tile[row][0] = _mm512_dpbusd_epi32(tile[row][0], columns[0], group);
            tile[row][1] = _mm512_dpbusd_epi32(tile[row][1], columns[1], group);
        }
    }
    for (row, products) in tile.iter().enumerate() {
        let products: &[i32] = bytemuck::cast_slice(products);
        for (sum, product) in sums[row * stride..][..COLUMNS].iter_mut().zip(products) {
            *sum = sum.wrapping_add(*product);
        }
    }
}

/// The same packing with the instruction written out, so that it is tested on processors without it, too.
#[cfg(test)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Emulated;

#[cfg(test)]
impl MicroKernel for Emulated {
    type Element = i8;
    const ROWS: usize = ROWS;
    const COLUMNS: usize = COLUMNS;
    const GROUP: usize = 4;

    fn lhs(value: i8) -> i8 {
        Avx512::lhs(value)
    }

    fn rhs(value: i8) -> i8 {
        Avx512::rhs(value)
    }

    fn start(row: &[i8]) -> i32 {
        Avx512::start(row)
    }

    fn accumulate(self, lhs: &[i8], rhs: &[i8], rows: usize, sums: &mut [i32], stride: usize) {
        for (lhs, rhs) in lhs.chunks_exact(4 * ROWS).zip(rhs.chunks_exact(4 * COLUMNS)) {
            for (row, sums) in sums.chunks_mut(stride).enumerate().take(rows.min(ROWS)) {
                for (column, sum) in sums.iter_mut().enumerate().take(COLUMNS) {
                    for i in 0..4 {
                        let unsigned = rhs[4 * column + i] as u8;
                        *sum = sum.wrapping_add(i32::from(unsigned) * i32::from(lhs[4 * row + i]));
                    }
                }
            }
        }
    }

    fn vectorise<R>(self, work: impl FnOnce() -> R) -> R {
        work()
    }
}
