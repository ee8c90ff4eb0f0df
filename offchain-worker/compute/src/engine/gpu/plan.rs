//! How a product is cut to fit a device: panels of rows that fit in a buffer, dispatches that end in time.

use super::kernel::{PADDING, Tile};
use crate::error::EngineError;
use std::ops::Range;

/// What a device allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bounds {
    /// The largest buffer that can be bound, in bytes.
    pub buffer_bytes: u64,
    /// Workgroups per dimension of a dispatch.
    pub workgroups: u32,
    /// The most multiply–add operations of one submission, so that no watchdog ends it.
    pub work: u64,
}

/// A dispatch: which tiles of a pair of panels it computes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Dispatch {
    /// Tiles, counted from the first row of the left panel.
    pub row_tiles: Range<u32>,
    /// Tiles, counted from the first column of the right panel.
    pub column_tiles: Range<u32>,
    /// Multiply–add operations.
    pub work: u64,
}

/// How the product of two square matrices is cut.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Plan {
    /// Rows and columns as the job has them.
    pub n: u32,
    /// Rows and columns with padding; also bytes per row.
    pub padded: u32,
    /// Each panel's rows of the factor, and columns of the state.
    pub panels: Vec<Range<u32>>,
    /// Size of a tile.
    tile: Tile,
    bounds: Bounds,
}

impl Plan {
    /// Cuts the product of two matrices with `n` rows and columns.
    ///
    /// Errors: `Limit` if not even the smallest part fits.
    pub fn new(n: u32, tile: Tile, bounds: Bounds) -> Result<Self, EngineError> {
        let padded = n.next_multiple_of(PADDING);
        let needed = u64::from(padded) * u64::from(PADDING);
        if bounds.buffer_bytes < needed {
            let available = bounds.buffer_bytes;
            return Err(EngineError::Limit {
                limit: "bytes per buffer",
                needed,
                available,
            });
        }
        if bounds.workgroups == 0 {
            return Err(EngineError::Limit {
                limit: "workgroups per dimension",
                needed: 1,
                available: 0,
            });
        }
        // At most `padded` rows, so the cast loses nothing.
        let rows = (bounds.buffer_bytes / u64::from(padded)).min(padded.into()) as u32;
        let rows = rows - rows % PADDING;
        let panels = (0..padded)
            .step_by(rows as usize)
            .map(|first| first..(first + rows).min(padded))
            .collect();
        Ok(Self {
            n,
            padded,
            panels,
            tile,
            bounds,
        })
    }

    /// Bytes of a panel.
    pub fn bytes(&self, panel: &Range<u32>) -> u64 {
        u64::from(panel.end - panel.start) * u64::from(self.padded)
    }

    /// Workgroups of a dispatch.
    pub fn workgroups(&self, dispatch: &Dispatch) -> [u32; 2] {
        let [x, y] = self.tile.workgroup();
        let Dispatch {
            row_tiles,
            column_tiles,
            ..
        } = dispatch;
        [
            (row_tiles.end - row_tiles.start).div_ceil(x),
            (column_tiles.end - column_tiles.start).div_ceil(y),
        ]
    }

    /// The dispatches that compute the product of a panel of rows and a panel of columns.
    pub fn dispatches(&self, rows: &Range<u32>, columns: &Range<u32>) -> Vec<Dispatch> {
        let [tile_rows, tile_columns] = self.tile.size();
        let [group_x, group_y] = self.tile.workgroup();
        let row_tiles = (rows.end - rows.start) / tile_rows;
        let column_tiles = (columns.end - columns.start) / tile_columns;
        let tile_work = u64::from(tile_rows) * u64::from(tile_columns) * u64::from(self.padded);
        let most = |group: u32, by_work: u64| {
            let most = u64::from(self.bounds.workgroups)
                .saturating_mul(group.into())
                .min(by_work);
            // Whole workgroups, at least one.
            u32::try_from(most).unwrap_or(u32::MAX).max(group) / group * group
        };
        let wide = most(group_y, self.bounds.work / (tile_work * u64::from(group_x))).min(column_tiles);
        let high = most(group_x, self.bounds.work / (tile_work * u64::from(wide))).min(row_tiles);
        let mut dispatches = Vec::new();
        for row in (0..row_tiles).step_by(high as usize) {
            for column in (0..column_tiles).step_by(wide as usize) {
                let row_tiles = row..(row + high).min(row_tiles);
                let column_tiles = column..(column + wide).min(column_tiles);
                let tiles =
                    u64::from(row_tiles.end - row_tiles.start) * u64::from(column_tiles.end - column_tiles.start);
                dispatches.push(Dispatch {
                    row_tiles,
                    column_tiles,
                    work: tiles * tile_work,
                });
            }
        }
        dispatches
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_tile_is_computed_once_within_every_bound(
            n in 1u32..500, tile in prop::sample::select(Tile::ALL.to_vec()),
            kibibytes in 8u64..300, workgroups in 1u32..9, work in 0u64..1 << 27,
        ) {
            let bounds = Bounds { buffer_bytes: kibibytes << 10, workgroups, work };
            let plan = Plan::new(n, tile, bounds).unwrap();
            prop_assert!(plan.padded >= n && plan.padded - n < PADDING);
            let [tile_rows, tile_columns] = tile.size();
            let [group_x, group_y] = tile.workgroup();
            let size = plan.padded as usize;
            let mut count = vec![0u8; size * size];
            for rows in &plan.panels {
                prop_assert!(plan.bytes(rows) <= bounds.buffer_bytes);
                for columns in &plan.panels {
                    for dispatch in plan.dispatches(rows, columns) {
                        let [x, y] = plan.workgroups(&dispatch);
                        prop_assert!(x <= workgroups && y <= workgroups);
                        let one_group = u64::from(group_x * group_y * tile_rows * tile_columns * plan.padded);
                        prop_assert!(dispatch.work <= work.max(one_group));
                        for row in dispatch.row_tiles.start * tile_rows..dispatch.row_tiles.end * tile_rows {
                            for column in dispatch.column_tiles.start * tile_columns..dispatch.column_tiles.end * tile_columns {
                                count[(rows.start + row) as usize * size + (columns.start + column) as usize] += 1;
                            }
                        }
                    }
                }
            }
            prop_assert!(count.iter().all(|&times| times == 1));
        }
    }

    #[test]
    fn a_device_that_allows_too_little_is_refused() {
        let bounds = Bounds {
            buffer_bytes: 64 * 1024,
            workgroups: 1,
            work: 1,
        };
        assert!(Plan::new(4096, Tile::SMALL, bounds).is_ok());
        let small = Bounds {
            buffer_bytes: 64 * 1024 - 1,
            ..bounds
        };
        assert!(matches!(
            Plan::new(4096, Tile::SMALL, small),
            Err(EngineError::Limit {
                limit: "bytes per buffer",
                needed: 65_536,
                available: 65_535
            })
        ));
        let none = Bounds {
            workgroups: 0,
            ..bounds
        };
        assert!(matches!(
            Plan::new(1, Tile::SMALL, none),
            Err(EngineError::Limit { .. })
        ));
    }
}
