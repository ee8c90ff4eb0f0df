//! How the matrices of a chain are cut to fit a device: panels of rows, and of columns, that fit in a buffer.

use crate::{
    device::{Bounds, DeviceError},
    kernels::gpu::Lines,
};
use std::ops::Range;

/// Rows and columns are padded to a multiple of this: a vector of signed bytes.
const PADDING: u32 = 16;

/// How the product of two square matrices is cut.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Plan {
    /// Rows and columns as the job has them.
    pub n: u32,
    /// Rows and columns with padding; also bytes per row.
    pub padded: u32,
    /// Each panel's rows of the factor, and columns of the state.
    pub panels: Vec<Range<u32>>,
}

impl Plan {
    /// The bytes of the smallest panel of a matrix with `n` rows and columns.
    pub fn least_bytes(n: u32) -> u64 {
        u64::from(n.next_multiple_of(PADDING)) * u64::from(PADDING)
    }

    /// Cuts the product of two matrices with `n` rows and columns.
    ///
    /// Errors: `Limit` if not even the smallest part fits.
    pub fn new(n: u32, bounds: &Bounds) -> Result<Self, DeviceError> {
        let padded = n.next_multiple_of(PADDING);
        let needed = Self::least_bytes(n);
        if bounds.buffer_bytes < needed {
            return Err(DeviceError::Limit {
                limit: "bytes per buffer",
                needed,
                available: bounds.buffer_bytes,
            });
        }
        if bounds.workgroups == 0 {
            return Err(DeviceError::Limit {
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
        Ok(Self { n, padded, panels })
    }

    /// Where the bytes of a state lie, if it is one panel.
    pub const fn lines(&self) -> Lines {
        Lines {
            count: self.n,
            bytes: self.n,
            stride: self.padded,
        }
    }

    /// Bytes of a panel.
    pub fn bytes(&self, panel: &Range<u32>) -> u64 {
        u64::from(panel.end - panel.start) * u64::from(self.padded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn panels_hold_each_row_once_and_fit(n in 1u32..5000, kibibytes in 80u64..3000) {
            let bounds = Bounds { buffer_bytes: kibibytes << 10, texture_side: 0, workgroups: 1, work: 0 };
            let plan = Plan::new(n, &bounds).unwrap();
            prop_assert!(plan.padded >= n && plan.padded - n < PADDING);
            let mut next = 0;
            for panel in &plan.panels {
                prop_assert_eq!(panel.start, next);
                prop_assert_eq!(panel.end % PADDING, 0);
                prop_assert!(panel.end > panel.start && plan.bytes(panel) <= bounds.buffer_bytes);
                next = panel.end;
            }
            prop_assert_eq!(next, plan.padded);
        }
    }

    #[test]
    fn a_device_that_allows_too_little_is_refused() {
        let bounds = Bounds {
            buffer_bytes: 64 * 1024,
            texture_side: 0,
            workgroups: 1,
            work: 1,
        };
        assert!(Plan::new(4096, &bounds).is_ok());
        let small = Bounds {
            buffer_bytes: 64 * 1024 - 1,
            ..bounds
        };
        assert!(matches!(
            Plan::new(4096, &small),
            Err(DeviceError::Limit {
                limit: "bytes per buffer",
                needed: 65_536,
                available: 65_535
            })
        ));
        let none = Bounds {
            workgroups: 0,
            ..bounds
        };
        assert!(matches!(Plan::new(1, &none), Err(DeviceError::Limit { .. })));
    }
}
