//! The synthetic job: a chain of matrix products over F_251.

use super::{JobError, Limits, all_within};
use crate::participants::Specialisation;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The largest matrix of a synthetic job.
pub const MAX_MATRIX_SIZE: u32 = 4096;
/// The most iterations of a synthetic job.
pub const MAX_ITERATIONS: u32 = 4096;

/// `M ← A·M`, `iterations` times, over F_251; `A` and the first `M` are generated from `seed`.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyntheticJob {
    /// Key of the generator.
    pub seed: [u8; 32],
    /// Rows and columns of the matrices.
    pub matrix_size: u32,
    /// How many products.
    pub iterations: u32,
}

impl Limits for SyntheticJob {
    fn validate(&self) -> Result<(), JobError> {
        all_within([(self.matrix_size, MAX_MATRIX_SIZE), (self.iterations, MAX_ITERATIONS)])
    }

    fn work(&self) -> u128 {
        u128::from(self.matrix_size)
            .saturating_pow(3)
            .saturating_mul(self.iterations.into())
    }

    fn max_output_bytes(&self) -> u64 {
        u64::from(self.matrix_size).saturating_pow(2)
    }

    fn specialisation(&self) -> Specialisation {
        Specialisation::Synthetic
    }
}
