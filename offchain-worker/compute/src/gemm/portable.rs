//! The tile for processors without an instruction set that is known here.

use super::Tile;

/// Plain Rust, for the compiler to vectorise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Portable;

const ROWS: usize = 4;
const COLUMNS: usize = 8;

impl Tile for Portable {
    type Element = i16;
    const ROWS: usize = ROWS;
    const COLUMNS: usize = COLUMNS;
    const GROUP: usize = 2;

    #[inline(always)]
    fn left(value: i8) -> i16 {
        value.into()
    }

    #[inline(always)]
    fn right(value: i8) -> i16 {
        value.into()
    }

    #[inline(always)]
    fn start(_: &[i8]) -> i32 {
        0
    }

    fn accumulate(self, left: &[i16], right: &[i16], rows: usize, sums: &mut [i32], stride: usize) {
        let (left, _) = left.as_chunks::<{ 2 * ROWS }>();
        let (right, _) = right.as_chunks::<{ 2 * COLUMNS }>();
        let mut tile = [[0i32; COLUMNS]; ROWS];
        for (left, right) in left.iter().zip(right) {
            for (row, line) in tile.iter_mut().enumerate() {
                let (x, y) = (i32::from(left[2 * row]), i32::from(left[2 * row + 1]));
                for (column, sum) in line.iter_mut().enumerate() {
                    // Nothing wraps while k is at most MAX_DEPTH; checks would keep the loop from being vectorised.
                    let pair = (x.wrapping_mul(right[2 * column].into()))
                        .wrapping_add(y.wrapping_mul(right[2 * column + 1].into()));
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
