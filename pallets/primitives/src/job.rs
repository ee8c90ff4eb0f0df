//! What is to be computed: the job specification, its limits, and where it is kept.

use crate::participants::Specialisation;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;

/// A job specification, versioned: the codec index is the version.
#[derive(
    Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Serialize, Deserialize, Clone, PartialEq, Eq, Debug,
)]
pub enum JobSpec {
    /// Version 1.
    #[codec(index = 1)]
    V1(JobKind),
}

/// What is to be computed.
#[derive(
    Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Serialize, Deserialize, Clone, PartialEq, Eq, Debug,
)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum JobKind {
    /// A chain of matrix products over F_251.
    #[codec(index = 0)]
    Synthetic(SyntheticJob),
}

/// `M ← A·M`, `iterations` times, over F_251; `A` and the first `M` are generated from `seed`.
#[derive(
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
)]
pub struct SyntheticJob {
    /// Key of the generator.
    pub seed: [u8; 32],
    /// Rows and columns of the matrices.
    pub matrix_size: u32,
    /// How many products.
    pub iterations: u32,
}

/// Why a job is refused.
#[derive(
    Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug,
)]
pub enum JobError {
    /// A size or count is zero.
    Zero,
    /// A size or count is above its limit.
    TooLarge,
    /// The amount of work is above its limit.
    TooMuchWork,
}

impl core::fmt::Display for JobError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Zero => "a size or count is zero; each must be at least 1",
            Self::TooLarge => "a size or count is above its limit",
            Self::TooMuchWork => "the job is more work than one task may be; split it",
        })
    }
}

impl core::error::Error for JobError {}

/// The largest matrix of a synthetic job.
pub const MAX_MATRIX_SIZE: u32 = 4096;
/// The most iterations of a synthetic job.
pub const MAX_ITERATIONS: u32 = 4096;
/// The most multiply–add operations of one job: two and a half minutes at 1 TOPS. Larger work is several jobs.
pub const MAX_WORK: u128 = 1 << 46;
/// The largest job specification that is kept in a task itself.
pub const MAX_INLINE_JOB: u32 = 4096;
/// The largest job specification at all, in bytes.
pub const MAX_STORED_JOB: u32 = 64 * 1024 * 1024;

impl JobSpec {
    /// Checks every limit.
    pub fn validate(&self) -> Result<(), JobError> {
        let Self::V1(JobKind::Synthetic(job)) = self;
        if job.matrix_size == 0 || job.iterations == 0 {
            return Err(JobError::Zero);
        }
        if job.matrix_size > MAX_MATRIX_SIZE || job.iterations > MAX_ITERATIONS {
            return Err(JobError::TooLarge);
        }
        if self.work() > MAX_WORK {
            return Err(JobError::TooMuchWork);
        }
        Ok(())
    }

    /// Multiply–add operations that the job takes.
    pub fn work(&self) -> u128 {
        let Self::V1(JobKind::Synthetic(job)) = self;
        u128::from(job.matrix_size)
            .saturating_pow(3)
            .saturating_mul(job.iterations.into())
    }

    /// Length of the canonical output at most, in bytes.
    pub fn max_output_bytes(&self) -> u64 {
        let Self::V1(JobKind::Synthetic(job)) = self;
        u64::from(job.matrix_size).saturating_pow(2)
    }

    /// The kind of work that it is.
    pub fn specialisation(&self) -> Specialisation {
        let Self::V1(JobKind::Synthetic(_)) = self;
        Specialisation::Synthetic
    }
}

/// A job specification too large for the task, or wanted off chain: what the chain knows of it.
#[derive(
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
)]
pub struct StoredJob {
    /// `blake2_256` of the SCALE-encoded [`JobSpec`].
    pub hash: H256,
    /// Its length in bytes.
    pub size: u32,
    /// Merkle root of its 16 KiB chunks.
    pub chunk_root: H256,
    /// What kind of work it is; a worker refuses a job that turns out to be another.
    pub specialisation: Specialisation,
}

/// Where a task's job specification is.
#[derive(
    Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Serialize, Deserialize, Clone, PartialEq, Eq, Debug,
)]
pub enum JobSource {
    /// In the task.
    Inline(JobSpec),
    /// In content-addressed storage.
    Stored(StoredJob),
}

impl JobSource {
    /// Checks what can be checked of it without fetching anything.
    pub fn validate(&self) -> Result<(), JobError> {
        match self {
            Self::Inline(spec) if spec.encoded_size() > MAX_INLINE_JOB as usize => Err(JobError::TooLarge),
            Self::Inline(spec) => spec.validate(),
            Self::Stored(stored) if stored.size == 0 => Err(JobError::Zero),
            Self::Stored(stored) if stored.size > MAX_STORED_JOB => Err(JobError::TooLarge),
            Self::Stored(_) => Ok(()),
        }
    }

    /// `blake2_256` of the SCALE-encoded [`JobSpec`], wherever it is.
    pub fn job_hash(&self) -> H256 {
        match self {
            Self::Inline(spec) => spec.using_encoded(blake2_256).into(),
            Self::Stored(stored) => stored.hash,
        }
    }

    /// The kind of work that it is.
    pub fn specialisation(&self) -> Specialisation {
        match self {
            Self::Inline(spec) => spec.specialisation(),
            Self::Stored(stored) => stored.specialisation,
        }
    }
}
