//! The micro-kernel for processors without any instruction set that this crate uses.

use super::MicroKernel;

/// Plain Rust, for the compiler to vectorise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Portable;

const ROWS: usize = 4;
const COLUMNS: usize = 8;

impl MicroKernel for Portable {
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

    fn accumulate(self, lhs: &[i16], rhs: &[i16], rows: usize, sums: &mut [i32], stride: usize) {
        let (lhs, _) = lhs.as_chunks::<{ 2 * ROWS }>();
        let (rhs, _) = rhs.as_chunks::<{ 2 * COLUMNS }>();
        let mut tile = [[0i32; COLUMNS]; ROWS];
        for (lhs, rhs) in lhs.iter().zip(rhs) {
            for (row, line) in tile.iter_mut().enumerate() {
                let (x, y) = (i32::from(lhs[2 * row]), i32::from(lhs[2 * row + 1]));
                for (column, sum) in line.iter_mut().enumerate() {
                    // Nothing wraps while k is at most MAX_DEPTH; checks would keep the loop from being vectorised.
                    let pair = (x.wrapping_mul(rhs[2 * column].into()))
                        .wrapping_add(y.wrapping_mul(rhs[2 * column + 1].into()));
                    *sum = sum.wrapping_add(pair);
                }
            }
        }
        for (line, sums) in tile.iter().zip(sums.chunks_mut(stride)).take(rows) {
            for (sum, add) in sums.iter_mut().zip(line) {
                *sum = sum.wrapping_add(*add);
            }
        }
    }

    #[inline(always)]
    fn vectorise<R>(self, work: impl FnOnce() -> R) -> R {
        work()
    }
}
