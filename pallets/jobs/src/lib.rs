//! What is to be computed, and what a result of it is claimed to be.
//!
//! Each kind of job has a file of its own, with its structure and its [`Limits`]. Content is addressed by its BLAKE3 hash
//! ([`BlobRef`]), and any chunk of it can be shown and checked ([`blob`]). A worker claims a result by a [`Claim`].
//!
//! This crate knows neither a pallet nor the SDK: the chain, the worker and a bare virtual machine use it alike.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

extern crate alloc;

pub mod blob;
mod claim;
pub mod inference;
mod matmul;
pub mod program;
mod rendering;
mod specialisation;
mod synthetic;
mod training;

pub use blob::{BlobRef, ChunkProof, KeyedProof, MAX_BLOB, keyed_hash};
pub use claim::{Claim, StateOpening, first_difference, states_root};
pub use inference::{ClassifierShape, InferenceJob, InferenceNetwork, MAX_ITEMS, TransformerShape};
pub use matmul::{MAX_COLUMNS, MAX_ROWS, MAX_VECTORS, MatmulJob};
pub use primitive_types::H256;
pub use program::{MAX_PROGRAM_GAS, MAX_PROGRAM_INPUTS, MAX_RECORD_BYTES, Mode, ProgramInputs, ProgramJob, ProgramRun};
pub use rendering::{
    MAX_ASPECT, MAX_BOUNCES, MAX_FRAMES, MAX_IMAGE_SIDE, MAX_SAMPLES, MAX_SCENE_BYTES, MAX_STEPS, MAX_TILES, Region,
    RenderingJob, SCENE_BYTE_WORK, SEGMENT_WORK, STEP_WORK, TILE_SIDE,
};
pub use specialisation::Specialisation;
pub use synthetic::{MAX_ITERATIONS, MAX_MATRIX_SIZE, SyntheticJob};
pub use training::{
    MAX_BATCH, MAX_CHANNELS, MAX_CLASSES, MAX_FEATURES, MAX_MOMENTUM_SHIFT, MAX_POOL, MAX_POSITIONS, MAX_RATE_SHIFT,
    MAX_SAMPLE_SIDE, MAX_SEGMENT_STEPS, MAX_SEGMENTS, MAX_TRACED_STATES, MAX_WINDOW, NetworkShape, STATE_BYTE_WORK,
    TrainingJob, UPDATE_WORK,
};

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// A job specification, versioned: the codec index is the version.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub enum JobSpec {
    /// Version 2.
    #[codec(index = 2)]
    V2(JobKind),
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
    /// A program of the publisher's own.
    #[codec(index = 5)]
    Program(ProgramJob),
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

/// The most multiply–add operations of one job: 38 minutes at 1 TOPS, nine seconds at 250 TOPS, so that a hardware challenge
/// can keep the largest devices busy. Larger work is several jobs.
pub const MAX_WORK: u128 = 1 << 50;
/// The largest job specification that is kept in a task itself.
pub const MAX_INLINE_JOB: u32 = 4096;
/// The largest job specification at all, in bytes.
pub const MAX_STORED_JOB: u64 = 64 * 1024 * 1024;
/// The largest output of one job, in bytes.
pub const MAX_OUTPUT: u64 = 256 * 1024 * 1024;

/// What every kind of job tells about itself. Counts saturate: none overflows its type.
pub trait Limits {
    /// Checks every limit that is the kind's own.
    fn validate(&self) -> Result<(), JobError>;

    /// Multiply–add operations that the job takes at most.
    fn work(&self) -> u128;

    /// Length of the canonical output, in bytes.
    fn max_output_bytes(&self) -> u64;

    /// The kind of work that it is.
    fn specialisation(&self) -> Specialisation;

    /// What must be fetched to compute it.
    fn inputs(&self) -> Vec<BlobRef> {
        Vec::new()
    }
}

/// Checks that each number is at least 1 and at most its limit.
fn all_within<T: Copy + Ord + Default, const N: usize>(numbers: [(T, T); N]) -> Result<(), JobError> {
    if numbers.iter().any(|&(number, _)| number == T::default()) {
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
        let Self::V2(kind) = self;
        match kind {
            JobKind::Synthetic(job) => job,
            JobKind::Matmul(job) => job,
            JobKind::Inference(job) => job,
            JobKind::Training(job) => job,
            JobKind::Rendering(job) => job,
            JobKind::Program(job) => job,
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

    /// BLAKE3 of its SCALE encoding.
    pub fn hash(&self) -> H256 {
        self.using_encoded(blob::hash)
    }

    /// Multiply–add operations that the job takes at most.
    pub fn work(&self) -> u128 {
        self.limits().work()
    }

    /// Length of the canonical output, in bytes.
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

    /// The bytes of all inputs together. Saturates.
    pub fn input_bytes(&self) -> u64 {
        let sizes = self.inputs().into_iter().map(|input| input.size);
        sizes.fold(0, u64::saturating_add)
    }
}

/// What the chain knows of a job specification that is kept off chain, because it is large or the publisher wants it so.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoredJob {
    /// The SCALE-encoded [`JobSpec`].
    pub spec: BlobRef,
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
            Self::Stored(stored) if stored.spec.size == 0 => Err(JobError::Zero),
            Self::Stored(stored) if stored.spec.size > MAX_STORED_JOB => Err(JobError::TooLarge),
            Self::Stored(_) => Ok(()),
        }
    }

    /// [`JobSpec::hash`], wherever the specification is.
    pub fn job_hash(&self) -> H256 {
        match self {
            Self::Inline(spec) => spec.hash(),
            Self::Stored(stored) => stored.spec.hash,
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
