//! A product in blocks that fit the caches, on all cores.

use super::{
    GemmError, MicroKernel, PackedLhs, PackedRhs,
    pack::{Panels, padded_depth},
};
use crate::run::CancelFlag;
use rayon::prelude::*;

/// Rows of a block: with 512 along k, its part of the left-hand operand fits the second-level cache beside its sums.
/// A multiple of each kernel's rows.
const BLOCK_ROWS: usize = 96;
/// Columns of a block. A multiple of each kernel's columns.
const BLOCK_COLUMNS: usize = 256;
/// The fewest columns that a block is made smaller to, so that there is a block for each core.
const MIN_BLOCK_COLUMNS: usize = 64;
/// Elements along k for which one panel of the right-hand operand fits the first-level cache.
const BLOCK_DEPTH: usize = 512;
/// Blocks for each core, so that none waits long for the last.
const BLOCKS_PER_CORE: usize = 4;

/// Where sums belong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Row of the product.
    pub row: usize,
    /// Column of the first of the sums.
    pub column: usize,
}

/// A block of the product: the part of each of its rows in the output.
struct Block<'o, T> {
    first: Segment,
    rows: Vec<&'o mut [T]>,
}

/// Computes `lhs · rhs` and gives the exact sums to `finish`, each once, in segments of rows, on all cores.
///
/// `finish(segment, sums, out)` writes one element of `out` for each of `sums`; it is compiled for the kernel's
/// instructions, so that plain loops in it are vectorised. `out` is the m×n result, row by row.
///
/// Errors: `Depths`, `Kernels`, `Shape` where the operands and `out` do not fit one another; `Cancelled` soon after
/// `cancel` is set: `out` then holds anything. Complexity: O(m·k·n).
pub fn product<T, F>(
    lhs: &PackedLhs,
    rhs: &PackedRhs,
    cancel: &CancelFlag,
    out: &mut [T],
    finish: F,
) -> Result<(), GemmError>
where
    T: Send,
    F: Fn(Segment, &[i32], &mut [T]) + Sync,
{
    let (l, r) = (&lhs.panels, &rhs.panels);
    if l.kernel != r.kernel {
        let (lhs, rhs) = (l.kernel.name(), r.kernel.name());
        return Err(GemmError::Kernels { lhs, rhs });
    }
    if l.depth != r.depth {
        let (lhs, rhs) = (l.depth, r.depth);
        return Err(GemmError::Depths { lhs, rhs });
    }
    let (rows, columns, found) = (l.lanes, r.lanes, out.len());
    if rows.checked_mul(columns) != Some(found) {
        return Err(GemmError::Shape { rows, columns, found });
    }
    let blocks = split(rows, columns, out);
    let compute = |sums: &mut Vec<i32>, block| {
        if cancel.is_cancelled() {
            return Err(GemmError::Cancelled);
        }
        with_micro_kernel!(l.kernel, micro => compute(micro, lhs, r, block, sums, &finish));
        Ok(())
    };
    if blocks.len() == 1 {
        return blocks.into_iter().try_for_each(|block| compute(&mut Vec::new(), block));
    }
    blocks.into_par_iter().try_for_each_init(Vec::new, compute)
}

/// Splits the output into blocks: as large as the caches allow, and enough of them for the cores.
fn split<T>(rows: usize, columns: usize, out: &mut [T]) -> Vec<Block<'_, T>> {
    let down = rows.div_ceil(BLOCK_ROWS);
    let height = rows.div_ceil(down).next_multiple_of(12).min(BLOCK_ROWS);
    let wanted = (BLOCKS_PER_CORE * rayon::current_num_threads()).div_ceil(down);
    let across = columns
        .div_ceil(MIN_BLOCK_COLUMNS)
        .min(wanted)
        .max(columns.div_ceil(BLOCK_COLUMNS));
    let width = columns.div_ceil(across).next_multiple_of(32);
    let mut blocks = Vec::new();
    for (row, lines) in (0..).step_by(height).zip(out.chunks_mut(height * columns)) {
        let of_row = blocks.len();
        blocks.extend((0..columns).step_by(width).map(|column| Block {
            first: Segment { row, column },
            rows: Vec::with_capacity(height),
        }));
        for line in lines.chunks_exact_mut(columns) {
            for (block, part) in blocks[of_row..].iter_mut().zip(line.chunks_mut(width)) {
                block.rows.push(part);
            }
        }
    }
    blocks
}

/// Computes one block, with `sums` as working memory.
fn compute<K: MicroKernel, T, F>(
    micro: K,
    lhs: &PackedLhs,
    rhs: &Panels,
    block: Block<'_, T>,
    sums: &mut Vec<i32>,
    finish: &F,
) where
    F: Fn(Segment, &[i32], &mut [T]),
{
    let Block { first, rows } = block;
    let width = rows.first().map_or(0, |row| row.len());
    let stride = width.next_multiple_of(K::COLUMNS);
    sums.clear();
    for &start in &lhs.starts[first.row..first.row + rows.len()] {
        sums.resize(sums.len() + stride, start);
    }
    sums.resize(rows.len().next_multiple_of(K::ROWS) * stride, 0);

    let depth = padded_depth(rhs.depth);
    // Blocks begin at the first lane of a panel.
    let lhs_panels = &lhs.panels.elements::<K::Element>()[first.row * depth..];
    let rhs_panels = &rhs.elements::<K::Element>()[first.column * depth..];
    let step = padded_depth(depth.div_ceil(depth.div_ceil(BLOCK_DEPTH)));
    for from in (0..depth).step_by(step) {
        let range = |lanes: usize| from * lanes..depth.min(from + step) * lanes;
        for (q, rhs_panel) in (0..width.div_ceil(K::COLUMNS)).zip(rhs_panels.chunks_exact(K::COLUMNS * depth)) {
            let rhs_part = &rhs_panel[range(K::COLUMNS)];
            let lhs_all = lhs_panels.chunks_exact(K::ROWS * depth);
            for (p, lhs_panel) in (0..rows.len().div_ceil(K::ROWS)).zip(lhs_all) {
                let at = p * K::ROWS * stride + q * K::COLUMNS;
                let valid = rows.len() - p * K::ROWS;
                micro.accumulate(&lhs_panel[range(K::ROWS)], rhs_part, valid, &mut sums[at..], stride);
            }
        }
    }
    micro.vectorise(
        #[inline(always)]
        || {
            for ((row, out), sums) in (first.row..).zip(rows).zip(sums.chunks_exact(stride)) {
                let column = first.column;
                finish(Segment { row, column }, &sums[..width], out);
            }
        },
    );
}
