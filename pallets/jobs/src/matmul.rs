//! Matrix product: rows of a matrix times vectors, the unit of distributed inference.

use crate::{BlobRef, JobError, Limits, Specialisation, all_within};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The longest row: sums of so many products of signed bytes fit an `i32`.
pub const MAX_COLUMNS: u32 = 131_071;
/// The most rows of one job.
pub const MAX_ROWS: u32 = 1 << 20;
/// The most vectors of one job.
pub const MAX_VECTORS: u32 = 1 << 16;

/// `y = W[first_row .. first_row + rows] · x` for each of the vectors `x`: signed bytes in, exact `i32` out.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct MatmulJob {
    /// `W`: signed bytes, row by row, each of `columns` bytes.
    pub matrix: BlobRef,
    /// Length of a row and of a vector.
    pub columns: u32,
    /// The first row to multiply.
    pub first_row: u32,
    /// How many rows.
    pub rows: u32,
    /// The vectors: signed bytes, one vector after the other.
    pub input: BlobRef,
    /// How many vectors.
    pub vectors: u32,
}

impl Limits for MatmulJob {
    fn validate(&self) -> Result<(), JobError> {
        self.matrix.validate()?;
        self.input.validate()?;
        all_within([
            (self.columns, MAX_COLUMNS),
            (self.rows, MAX_ROWS),
            (self.vectors, MAX_VECTORS),
        ])?;
        let bytes = |lines: u64| lines.saturating_mul(self.columns.into());
        let end = u64::from(self.first_row).saturating_add(self.rows.into());
        let matrix = self.matrix.size;
        let whole_rows = matrix.checked_rem(self.columns.into()) == Some(0);
        if !whole_rows || bytes(end) > matrix || bytes(self.vectors.into()) != self.input.size {
            return Err(JobError::Inconsistent);
        }
        Ok(())
    }

    fn work(&self) -> u128 {
        [self.columns, self.rows, self.vectors]
            .into_iter()
            .fold(1, |work, count| u128::from(count).saturating_mul(work))
    }

    fn max_output_bytes(&self) -> u64 {
        u64::from(self.rows)
            .saturating_mul(self.vectors.into())
            .saturating_mul(4)
    }

    fn specialisation(&self) -> Specialisation {
        Specialisation::RowTransform
    }

    fn inputs(&self) -> Vec<BlobRef> {
        [self.matrix, self.input].into()
    }
}
