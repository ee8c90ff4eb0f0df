//! What a product reads and writes, and how it is cut to the device's limits.

use super::{Configuration, Epilogue, operands::Operand, scales::MAX_ROWS, shader::Output};
use crate::device::Bounds;

/// The largest k: 128² · 131,071 < 2³¹.
pub(crate) const MAX_DEPTH: u32 = 131_072 - 1;

/// The sizes of a product.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    /// Rows of A and C.
    pub m: u32,
    /// Rows of B, columns of C.
    pub n: u32,
    /// Bytes of a row of A and B with its padding: a multiple of 16. At most 131,071 of them are not zero.
    pub k: u32,
    /// Products of this shape that are computed at once, for example the heads of an attention.
    pub batch: u32,
}

/// The rows of an operand. All numbers are bytes and multiples of 16.
#[derive(Clone, Copy)]
pub(crate) struct OperandView<'a> {
    /// The buffer that holds them.
    pub operand: &'a Operand,
    /// Where the first row begins.
    pub offset: u32,
    /// From the start of one row to that of the next.
    pub stride: u32,
    /// From one product of the batch to the next.
    pub batch_stride: u32,
}

impl<'a> OperandView<'a> {
    /// Rows of `k` bytes from the start of `operand`, one after the other.
    pub const fn dense(operand: &'a Operand, k: u32) -> Self {
        Self {
            operand,
            offset: 0,
            stride: k,
            batch_stride: 0,
        }
    }

    /// Offset and strides in vectors.
    pub(super) const fn vectors(&self) -> [u32; 3] {
        [self.offset / 16, self.stride / 16, self.batch_stride / 16]
    }
}

/// Where an output goes. All numbers are words of four bytes.
#[derive(Clone, Copy)]
pub(crate) struct OutputView<'a> {
    /// The buffer that takes it.
    pub buffer: &'a wgpu::Buffer,
    /// Where the first row begins.
    pub offset: u32,
    /// From one row to the next.
    pub stride: u32,
    /// From one product of the batch to the next.
    pub batch_stride: u32,
}

impl<'a> OutputView<'a> {
    /// Rows of `stride` words from the start of `buffer`, one after the other.
    pub const fn dense(buffer: &'a wgpu::Buffer, stride: u32) -> Self {
        Self {
            buffer,
            offset: 0,
            stride,
            batch_stride: 0,
        }
    }
}

/// A dispatch: its first row, column and product of the batch, and its workgroups along columns, rows and products.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Dispatch {
    pub first: [u32; 3],
    pub workgroups: [u32; 3],
    /// Multiply–add operations.
    pub work: u64,
}

impl Dispatch {
    /// The part of it that computes the first `rows` rows of the product, in blocks of `block_rows`.
    pub fn up_to(&self, rows: u32, block_rows: u32) -> Self {
        let [x, y, z] = self.workgroups;
        let high = rows.saturating_sub(self.first[0]).div_ceil(block_rows).min(y);
        Self {
            workgroups: [x, high, z],
            work: self.work / u64::from(y) * u64::from(high),
            ..*self
        }
    }
}

/// Errors: what a product of this shape would read or write outside of its buffers.
pub(super) fn check(
    shape: Shape,
    lhs: &OperandView<'_>,
    rhs: &OperandView<'_>,
    epilogue: &Epilogue<'_>,
) -> Result<(), &'static str> {
    let Shape { m, n, k, batch } = shape;
    if [m, n, k, batch].contains(&0) {
        return Err("a dimension of a product is zero");
    }
    if !k.is_multiple_of(16) || k > MAX_DEPTH.next_multiple_of(16) {
        return Err("the rows of a product are not whole vectors, or so long that sums could overflow");
    }
    for (view, count) in [(lhs, m), (rhs, n)] {
        let place = [view.offset, view.stride, view.batch_stride];
        if place.iter().any(|bytes| bytes % 16 != 0) {
            return Err("the rows of an operand do not start at whole vectors");
        }
        let size = view.operand.buffer.size();
        if reach(place, [count, batch], k) > size || size > u32::MAX.into() {
            return Err("the rows of an operand reach out of its buffer");
        }
    }
    let packed = |columns: u32| columns.next_multiple_of(16) / 4;
    let fits = |to: &OutputView<'_>, count: u32, words: u32| {
        let end = reach([to.offset, to.stride, to.batch_stride], [count, batch], words);
        end * 4 <= to.buffer.size() && to.buffer.size() <= u32::MAX.into()
    };
    let within = match epilogue {
        Epilogue::Sums { out } => fits(out, m, n),
        Epilogue::Residues { out, next, scales } => {
            let scaled = u64::from(scales.first_row) + u64::from(m).next_multiple_of(16) <= MAX_ROWS.into();
            let whole = scales.first_row.is_multiple_of(16);
            batch == 1 && scaled && whole && fits(out, m, packed(n)) && fits(next, n, packed(m))
        }
    };
    if within {
        Ok(())
    } else {
        Err("a product's output, or what scales it, reaches out of its buffer")
    }
}

/// The end of the last of `count` rows of the last of `batch` products.
fn reach([offset, stride, batch_stride]: [u32; 3], [count, batch]: [u32; 2], length: u32) -> u64 {
    // Below 2⁶⁴: two products of 32-bit numbers and two of these.
    u64::from(offset)
        + u64::from(batch - 1) * u64::from(batch_stride)
        + u64::from(count - 1) * u64::from(stride)
        + u64::from(length)
}

/// The dispatches that compute a product. Each keeps to the workgroups and the work that `bounds` allow, except that a
/// single workgroup may be more work.
pub(super) fn dispatches(shape: Shape, configuration: Configuration, output: Output, bounds: &Bounds) -> Vec<Dispatch> {
    let [block_rows, block_columns] = configuration.block();
    let whole = |count: u32, packing: u32| if packing > 1 { count.next_multiple_of(16) } else { count };
    let [row_packing, column_packing] = output.packing();
    let high = whole(shape.m, row_packing).div_ceil(block_rows);
    let wide = whole(shape.n, column_packing).div_ceil(block_columns);
    let block_work = u64::from(block_rows) * u64::from(block_columns) * u64::from(shape.k);
    let most = |count: u32, work: u64| {
        let by_work = u32::try_from(bounds.work / work).unwrap_or(u32::MAX);
        count.min(by_work).min(bounds.workgroups).max(1)
    };
    let columns = most(wide, block_work);
    let rows = most(high, block_work * u64::from(columns));
    let products = most(shape.batch, block_work * u64::from(columns) * u64::from(rows));
    let mut dispatches = Vec::new();
    for product in (0..shape.batch).step_by(products as usize) {
        for row in (0..high).step_by(rows as usize) {
            for column in (0..wide).step_by(columns as usize) {
                let workgroups = [
                    columns.min(wide - column),
                    rows.min(high - row),
                    products.min(shape.batch - product),
                ];
                let count: u64 = workgroups.iter().map(|&count| u64::from(count)).product();
                dispatches.push(Dispatch {
                    first: [row * block_rows, column * block_columns, product],
                    workgroups,
                    work: count * block_work,
                });
            }
        }
    }
    dispatches
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_element_is_computed_once_within_every_bound(
            m in 1u32..300, n in 1u32..300, k in 1u32..9, batch in 1u32..4,
            configuration in prop::sample::select(Configuration::ALL.to_vec()), workgroups in 1u32..9, work in 0u64..1 << 24,
            output in prop::sample::select(vec![Output::Sums, Output::Residues]),
        ) {
            let shape = Shape { m, n, k: 16 * k, batch };
            let bounds = Bounds { buffer_bytes: 0, texture_side: 0, workgroups, work };
            let mut count = vec![0u8; (m * n * batch) as usize];
            let [high, wide] = configuration.block();
            for dispatch in dispatches(shape, configuration, output, &bounds) {
                prop_assert!(dispatch.workgroups.iter().all(|&count| (1..=workgroups).contains(&count)));
                prop_assert!(dispatch.work <= work.max(u64::from(high * wide * shape.k)));
                let [first_row, first_column, first_product] = dispatch.first;
                let [x, y, z] = dispatch.workgroups;
                for product in first_product..first_product + z {
                    for row in first_row..(first_row + y * high).min(m) {
                        for column in first_column..(first_column + x * wide).min(n) {
                            count[((product * m + row) * n + column) as usize] += 1;
                        }
                    }
                }
            }
            prop_assert!(count.iter().all(|&times| times == 1));
        }

        #[test]
        fn the_part_up_to_a_row_ends_with_its_block(
            first in 0u32..50, high in 1u32..20, rows in 0u32..300, block in 1u32..20,
        ) {
            let whole = Dispatch { first: [first, 0, 0], workgroups: [2, high, 3], work: 60 * u64::from(high) };
            let part = whole.up_to(rows, block);
            let [x, y, z] = part.workgroups;
            prop_assert!((x, z) == (2, 3) && y <= high && part.work == 60 * u64::from(y));
            // Every workgroup below `rows`, and no other.
            for workgroup in 0..high {
                prop_assert_eq!(workgroup < y, first + workgroup * block < rows);
            }
            prop_assert_eq!(whole.up_to(u32::MAX, block), whole);
        }
    }
}
