//! What is to be computed: the job specification, its limits, and where it is kept.
//!
//! Each kind of job has a file of its own, with its structure and its [`Limits`].

mod inference;
mod matmul;
mod rendering;
mod synthetic;
mod training;

pub use inference::{InferenceJob, InferenceTask, MAX_ITEM_OUTPUT, MAX_ITEMS};
pub use matmul::{MAX_COLUMNS, MAX_ROWS, MAX_VECTORS, MatmulJob};
pub use rendering::{
    MAX_ASPECT, MAX_BOUNCES, MAX_FRAMES, MAX_IMAGE_SIDE, MAX_SAMPLES, MAX_SCENE_BYTES, MAX_TILES, Region, RenderingJob,
    SEGMENT_WORK, TILE_SIDE,
};
pub use synthetic::{MAX_ITERATIONS, MAX_MATRIX_SIZE, SyntheticJob};
pub use training::{
    MAX_BATCH, MAX_CHANNELS, MAX_CLASSES, MAX_FEATURES, MAX_MOMENTUM_SHIFT, MAX_POOL, MAX_POSITIONS, MAX_RATE_SHIFT,
    MAX_SAMPLE_SIDE, MAX_SEGMENT_STEPS, MAX_SEGMENTS, MAX_TRACED_STATES, MAX_WINDOW, NetworkShape, TrainingJob,
};

use crate::participants::Specialisation;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;

/// A job specification, versioned: the codec index is the version.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub enum JobSpec {
    /// Version 1.
    #[codec(index = 1)]
    V1(JobKind),
}

/// What is to be computed.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum JobKind {
    /// A chain of matrix products over F_251.
    #[codec(index = 0)]
    Synthetic(SyntheticJob),
    /// Rows of a matrix times vectors.
    #[codec(index = 1)]
    Matmul(MatmulJob),
    /// A model's answers to a batch of items.
    #[codec(index = 2)]
    Inference(InferenceJob),
    /// A classifier of images, trained.
    #[codec(index = 3)]
    Training(TrainingJob),
    /// A region of some frames of a scene.
    #[codec(index = 4)]
    Rendering(RenderingJob),
}

/// Why a job is refused.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub enum JobError {
    /// A size or count is zero.
    Zero,
    /// A size or count is above its limit.
    TooLarge,
    /// The amount of work is above its limit.
    TooMuchWork,
    /// Sizes and counts do not fit one another.
    Inconsistent,
    /// No engine can do it yet.
    Unsupported,
}

impl core::fmt::Display for JobError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Zero => "a size or count is zero; each must be at least 1",
            Self::TooLarge => "a size or count is above its limit",
            Self::TooMuchWork => "the job is more work than one task may be; split it",
            Self::Inconsistent => "the sizes and counts of the job do not fit one another",
            Self::Unsupported => "generating text is not possible yet; embedding and classification are",
        })
    }
}

impl core::error::Error for JobError {}

/// The most multiply–add operations of one job: two and a half minutes at 1 TOPS. Larger work is several jobs.
pub const MAX_WORK: u128 = 1 << 46;
/// The largest job specification that is kept in a task itself.
pub const MAX_INLINE_JOB: u32 = 4096;
/// The largest job specification at all, in bytes.
pub const MAX_STORED_JOB: u32 = 64 * 1024 * 1024;
/// The largest output of one job, in bytes.
pub const MAX_OUTPUT: u64 = 256 * 1024 * 1024;
/// The largest input of one job, in bytes.
pub const MAX_BLOB: u32 = 1024 * 1024 * 1024;

/// An input of a job, in content-addressed storage.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlobRef {
    /// `blake2_256` of its content.
    pub hash: H256,
    /// Its length in bytes.
    pub size: u32,
}

impl BlobRef {
    /// The reference to `content`, unless that is too long for a job.
    pub fn to(content: &[u8]) -> Option<Self> {
        let size = u32::try_from(content.len()).ok().filter(|&size| size <= MAX_BLOB)?;
        Some(Self {
            hash: blake2_256(content).into(),
            size,
        })
    }

    /// Checks its limit.
    pub fn validate(&self) -> Result<(), JobError> {
        all_within([(self.size, MAX_BLOB)])
    }
}

/// What every kind of job tells about itself. Counts saturate: none overflows its type.
pub trait Limits {
    /// Checks every limit that is the kind's own.
    fn validate(&self) -> Result<(), JobError>;

    /// Multiply–add operations that the job takes at most.
    fn work(&self) -> u128;

    /// Length of the canonical output at most, in bytes.
    fn max_output_bytes(&self) -> u64;

    /// The kind of work that it is.
    fn specialisation(&self) -> Specialisation;

    /// What must be fetched to compute it.
    fn inputs(&self) -> Vec<BlobRef> {
        Vec::new()
    }
}

/// Checks that each number is at least 1 and at most its limit.
fn all_within<const N: usize>(numbers: [(u32, u32); N]) -> Result<(), JobError> {
    if numbers.iter().any(|&(number, _)| number == 0) {
        return Err(JobError::Zero);
    }
    if numbers.iter().any(|&(number, limit)| number > limit) {
        return Err(JobError::TooLarge);
    }
    Ok(())
}

impl JobSpec {
    /// The limits of its kind.
    fn limits(&self) -> &dyn Limits {
        let Self::V1(kind) = self;
        match kind {
            JobKind::Synthetic(job) => job,
            JobKind::Matmul(job) => job,
            JobKind::Inference(job) => job,
            JobKind::Training(job) => job,
            JobKind::Rendering(job) => job,
        }
    }

    /// Checks every limit.
    pub fn validate(&self) -> Result<(), JobError> {
        self.limits().validate()?;
        if self.max_output_bytes() > MAX_OUTPUT {
            return Err(JobError::TooLarge);
        }
        if self.work() > MAX_WORK {
            return Err(JobError::TooMuchWork);
        }
        Ok(())
    }

    /// Multiply–add operations that the job takes at most.
    pub fn work(&self) -> u128 {
        self.limits().work()
    }

    /// Length of the canonical output at most, in bytes.
    pub fn max_output_bytes(&self) -> u64 {
        self.limits().max_output_bytes()
    }

    /// The kind of work that it is.
    pub fn specialisation(&self) -> Specialisation {
        self.limits().specialisation()
    }

    /// What must be fetched to compute it.
    pub fn inputs(&self) -> Vec<BlobRef> {
        self.limits().inputs()
    }
}

/// What the chain knows of a job specification that is kept off chain, because it is large or the publisher wants it so.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoredJob {
    /// `blake2_256` of the SCALE-encoded [`JobSpec`].
    pub hash: H256,
    /// Its length in bytes.
    pub size: u32,
    /// Merkle root of its 16 KiB chunks.
    pub chunk_root: H256,
    /// The kind of work; a worker refuses the job if the specification is of another kind.
    pub specialisation: Specialisation,
}

/// Where a task's job specification is.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
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
