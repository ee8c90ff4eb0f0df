//! The synthetic job: a chain of matrix products over F_251.

use crate::{JobError, Limits, Specialisation, all_within};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The largest matrix of a synthetic job.
pub const MAX_MATRIX_SIZE: u32 = 4096;
/// The most iterations of a synthetic job: as many products of the largest matrices as a job's work may be.
pub const MAX_ITERATIONS: u32 = 16_384;

/// `M ← A·D·M`, `iterations` times, over F_251; `A`, the first `M` and a diagonal matrix `D` for each step are generated from
/// `seed`. Because `D` differs from step to step, powers of `A` do not help.
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
