//! What a product reads and writes, and how it is cut to the device's limits.

use super::{Epilogue, shader::Output, texels::Factor, tile::Tile};
use crate::engine::gpu::context::Bounds;

/// The longest line: 128² · 131,071 < 2³¹.
pub(crate) const MAX_DEPTH: u32 = 131_072 - 1;

/// Rows and columns of C, and what is summed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    /// Rows of A and C.
    pub rows: u32,
    /// Rows of B, columns of C.
    pub columns: u32,
    /// Bytes of a line with its padding: a multiple of 16. At most 131,071 of them are not zero.
    pub depth: u32,
    /// Products of this shape that are computed at once, for example the heads of an attention.
    pub items: u32,
}

/// The lines of a factor. All numbers are bytes and multiples of 16.
#[derive(Clone, Copy)]
pub(crate) struct Lines<'a> {
    /// Where they are.
    pub factor: &'a Factor,
    /// The first one.
    pub offset: u32,
    /// From one to the next.
    pub stride: u32,
    /// From one item's to the next one's.
    pub item: u32,
}

impl<'a> Lines<'a> {
    /// Lines of `depth` bytes from the start of `factor`, one after the other.
    pub const fn dense(factor: &'a Factor, depth: u32) -> Self {
        Self {
            factor,
            offset: 0,
            stride: depth,
            item: 0,
        }
    }

    /// Offset, stride and item in vectors.
    pub(super) const fn vectors(&self) -> [u32; 3] {
        [self.offset / 16, self.stride / 16, self.item / 16]
    }
}

/// Where an output goes. All numbers are words of four bytes.
#[derive(Clone, Copy)]
pub(crate) struct Words<'a> {
    /// Where to.
    pub buffer: &'a wgpu::Buffer,
    /// The first line.
    pub offset: u32,
    /// From one line to the next.
    pub stride: u32,
    /// From one item's lines to the next one's.
    pub item: u32,
}

impl<'a> Words<'a> {
    /// Lines of `stride` words from the start of `buffer`, one after the other.
    pub const fn dense(buffer: &'a wgpu::Buffer, stride: u32) -> Self {
        Self {
            buffer,
            offset: 0,
            stride,
            item: 0,
        }
    }
}

/// A dispatch: its first row, column and item, and its workgroups along columns, rows and items.
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
    left: &Lines<'_>,
    right: &Lines<'_>,
    epilogue: &Epilogue<'_>,
) -> Result<(), &'static str> {
    let Shape {
        rows,
        columns,
        depth,
        items,
    } = shape;
    if [rows, columns, depth, items].contains(&0) {
        return Err("a dimension of a product is zero");
    }
    if !depth.is_multiple_of(16) || depth > MAX_DEPTH.next_multiple_of(16) {
        return Err("the lines of a product are not whole vectors, or so long that sums could overflow");
    }
    for (lines, count) in [(left, rows), (right, columns)] {
        if [lines.offset, lines.stride, lines.item]
            .iter()
            .any(|bytes| bytes % 16 != 0)
        {
            return Err("the lines of a factor do not start at whole vectors");
        }
        let end = reach([lines.offset, lines.stride, lines.item], [count, items], depth);
        let size = lines.factor.buffer.size();
        if end > size || size > u32::MAX.into() {
            return Err("the lines of a factor reach out of its buffer");
        }
    }
    let packed = |columns: u32| columns.next_multiple_of(16) / 4;
    let fits = |to: &Words<'_>, count: u32, words: u32| {
        let end = reach([to.offset, to.stride, to.item], [count, items], words);
        end * 4 <= to.buffer.size() && to.buffer.size() <= u32::MAX.into()
    };
    let within = match epilogue {
        Epilogue::Sums { out } => fits(out, rows, columns),
        Epilogue::Bytes {
            out, columns: scales, ..
        } => fits(out, rows, packed(columns)) && scales.size() >= 16 * u64::from(columns),
        Epilogue::Residues { out, next } => {
            items == 1 && fits(out, rows, packed(columns)) && fits(next, columns, packed(rows))
        }
    };
    if within {
        Ok(())
    } else {
        Err("a product's output reaches out of its buffer")
    }
}

/// The end of the last of `count` lines of the last of `items` items.
fn reach([offset, stride, item]: [u32; 3], [count, items]: [u32; 2], length: u32) -> u64 {
    // Below 2⁶⁴: two products of 32-bit numbers and two of these.
    u64::from(offset)
        + u64::from(items - 1) * u64::from(item)
        + u64::from(count - 1) * u64::from(stride)
        + u64::from(length)
}

/// The dispatches that compute a product, none of more workgroups or, where one workgroup is not more, of more work than
/// `bounds` allow.
pub(super) fn dispatches(shape: Shape, tile: Tile, output: Output, bounds: &Bounds) -> Vec<Dispatch> {
    let [block_rows, block_columns] = tile.block();
    let whole = |count: u32, packing: u32| if packing > 1 { count.next_multiple_of(16) } else { count };
    let [row_packing, column_packing] = output.packing();
    let high = whole(shape.rows, row_packing).div_ceil(block_rows);
    let wide = whole(shape.columns, column_packing).div_ceil(block_columns);
    let block_work = u64::from(block_rows) * u64::from(block_columns) * u64::from(shape.depth);
    let most = |count: u32, work: u64| {
        let by_work = u32::try_from(bounds.work / work).unwrap_or(u32::MAX);
        count.min(by_work).min(bounds.workgroups).max(1)
    };
    let columns = most(wide, block_work);
    let rows = most(high, block_work * u64::from(columns));
    let items = most(shape.items, block_work * u64::from(columns) * u64::from(rows));
    let mut dispatches = Vec::new();
    for item in (0..shape.items).step_by(items as usize) {
        for row in (0..high).step_by(rows as usize) {
            for column in (0..wide).step_by(columns as usize) {
                let workgroups = [
                    columns.min(wide - column),
                    rows.min(high - row),
                    items.min(shape.items - item),
                ];
                let count: u64 = workgroups.iter().map(|&count| u64::from(count)).product();
                dispatches.push(Dispatch {
                    first: [row * block_rows, column * block_columns, item],
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
            rows in 1u32..300, columns in 1u32..300, depth in 1u32..9, items in 1u32..4,
            tile in prop::sample::select(Tile::ALL.to_vec()), workgroups in 1u32..9, work in 0u64..1 << 24,
            output in prop::sample::select(vec![Output::Sums, Output::Bytes, Output::Residues]),
        ) {
            let shape = Shape { rows, columns, depth: 16 * depth, items };
            let bounds = Bounds { buffer_bytes: 0, texture_bytes: 0, workgroups, work };
            let mut count = vec![0u8; (rows * columns * items) as usize];
            let [high, wide] = tile.block();
            for dispatch in dispatches(shape, tile, output, &bounds) {
                prop_assert!(dispatch.workgroups.iter().all(|&count| (1..=workgroups).contains(&count)));
                prop_assert!(dispatch.work <= work.max(u64::from(high * wide * shape.depth)));
                let [first_row, first_column, first_item] = dispatch.first;
                let [x, y, z] = dispatch.workgroups;
                for item in first_item..first_item + z {
                    for row in first_row..(first_row + y * high).min(rows) {
                        for column in first_column..(first_column + x * wide).min(columns) {
                            count[((item * rows + row) * columns + column) as usize] += 1;
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
