//! Inference: a model from content-addressed storage, applied to a batch of items.

use super::{BlobRef, JobError, Limits, all_within};
use crate::participants::Specialisation;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The most items of one job.
pub const MAX_ITEMS: u32 = 1 << 20;
/// The longest output of one item, in bytes.
pub const MAX_ITEM_OUTPUT: u32 = 1 << 16;

/// What a model is asked for.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum InferenceTask {
    /// One vector for each text.
    #[codec(index = 0)]
    Embedding,
    /// One number for each class, for each image.
    #[codec(index = 1)]
    Classification,
    /// Text that continues a text. Refused: no engine can do it yet.
    #[codec(index = 2)]
    Generation,
}

/// A batch of independent items, each of which a model answers.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct InferenceJob {
    /// The model package: its hash is what "this model" means.
    pub model: BlobRef,
    /// The items, one after the other.
    pub input: BlobRef,
    /// What the model is asked for.
    pub task: InferenceTask,
    /// How many items.
    pub items: u32,
    /// Multiply–add operations of one item at most; an engine refuses a model or an item that needs more.
    pub item_work: u64,
    /// Bytes of output of one item; an engine refuses a model that gives another number.
    pub item_output: u32,
}

impl Limits for InferenceJob {
    fn validate(&self) -> Result<(), JobError> {
        if self.task == InferenceTask::Generation {
            return Err(JobError::Unsupported);
        }
        self.model.validate()?;
        self.input.validate()?;
        all_within([(self.items, MAX_ITEMS), (self.item_output, MAX_ITEM_OUTPUT)])?;
        if self.item_work == 0 {
            Err(JobError::Zero)
        } else {
            Ok(())
        }
    }

    fn work(&self) -> u128 {
        u128::from(self.items).saturating_mul(self.item_work.into())
    }

    fn max_output_bytes(&self) -> u64 {
        u64::from(self.items).saturating_mul(self.item_output.into())
    }

    fn specialisation(&self) -> Specialisation {
        match self.task {
            InferenceTask::Embedding => Specialisation::Embedding,
            InferenceTask::Classification | InferenceTask::Generation => Specialisation::Inference,
        }
    }

    fn inputs(&self) -> Vec<BlobRef> {
        [self.model, self.input].into()
    }
}
