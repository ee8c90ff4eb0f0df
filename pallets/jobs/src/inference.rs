//! Inference: a model from content-addressed storage, applied to a batch of items.

mod classifier;
mod tensors;
mod transformer;

pub use classifier::{ClassifierShape, MAX_CLASSIFIER_SHIFT};
pub use tensors::{Element, TRANSFORMER_HEADER, Tensor};
pub use transformer::{
    ACTIVATION_TABLE, EXPONENT_ONE, EXPONENT_TABLE, MAX_HEAD_SIZE, MAX_HIDDEN, MAX_LAYERS, MAX_TOKENIZER, MAX_TOKENS,
    MAX_TWO_LIMB_WIDTH, MAX_VALUE, MAX_VOCABULARY, MAX_WIDTH, TransformerShape, WIDTH_UNIT,
};

use crate::{BlobRef, JobError, Limits, Specialisation, all_within};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The most items of one job.
pub const MAX_ITEMS: u32 = 1 << 20;

/// The network that a model package holds, and what it is asked for.
///
/// Work and output of an item follow from it, so that a job's bounds hold whatever its package says. A package that holds
/// another network makes the job unusable.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(tag = "task", rename_all = "kebab-case")]
pub enum InferenceNetwork {
    /// One vector for each text.
    #[codec(index = 0)]
    Embedding {
        /// The sizes of the transformer.
        shape: TransformerShape,
        /// The most tokens of one item, at most the positions of the transformer.
        tokens: u32,
    },
    /// One number for each class, for each image.
    #[codec(index = 1)]
    Classification {
        /// The sizes of the classifier.
        shape: ClassifierShape,
        /// The largest value of a pixel.
        maximum: u8,
        /// The first layer's sums are divided by two to this power.
        shift: u8,
    },
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
    /// The network in the package, and what it is asked for.
    pub network: InferenceNetwork,
    /// How many items.
    pub items: u32,
}

impl InferenceJob {
    /// Multiply–add operations of one item at most.
    pub fn item_work(&self) -> u64 {
        match self.network {
            InferenceNetwork::Embedding { shape, tokens } => shape.work(tokens),
            InferenceNetwork::Classification { shape, .. } => shape.work(),
            InferenceNetwork::Generation => 0,
        }
    }

    /// Bytes of output of one item.
    pub const fn item_output(&self) -> u32 {
        match self.network {
            InferenceNetwork::Embedding { shape, .. } => shape.output_bytes(),
            InferenceNetwork::Classification { shape, .. } => shape.output_bytes(),
            InferenceNetwork::Generation => 0,
        }
    }

    /// Errors: `Inconsistent` unless the inputs can have these lengths: the least and the most bytes of the package, then
    /// of the items.
    fn fits(&self, package: [u64; 2], items: [u64; 2]) -> Result<(), JobError> {
        let within = |blob: &BlobRef, [least, most]: [u64; 2]| (least..=most).contains(&blob.size);
        if within(&self.model, package) && within(&self.input, items) {
            Ok(())
        } else {
            Err(JobError::Inconsistent)
        }
    }
}

impl Limits for InferenceJob {
    fn validate(&self) -> Result<(), JobError> {
        self.model.validate()?;
        self.input.validate()?;
        all_within([(self.items, MAX_ITEMS)])?;
        let items = u64::from(self.items);
        match self.network {
            InferenceNetwork::Embedding { shape, tokens } => {
                shape.validate()?;
                all_within([(tokens, shape.positions)])?;
                let package = shape.package_bytes();
                // A count of the items, then each with the number of its tokens, which are two bytes each.
                let input = |tokens: u32| {
                    let item = u64::from(tokens).saturating_add(1).saturating_mul(2);
                    items.saturating_mul(item).saturating_add(4)
                };
                self.fits(
                    [package, package.saturating_add(MAX_TOKENIZER.into())],
                    [input(1), input(tokens)],
                )
            }
            InferenceNetwork::Classification { shape, maximum, shift } => {
                shape.validate()?;
                all_within([(maximum, u8::MAX), (shift, MAX_CLASSIFIER_SHIFT)])?;
                let input = items.saturating_mul(shape.pixels().into());
                self.fits([shape.package_bytes(); 2], [input; 2])
            }
            InferenceNetwork::Generation => Err(JobError::Unsupported),
        }
    }

    fn work(&self) -> u128 {
        u128::from(self.items).saturating_mul(self.item_work().into())
    }

    fn max_output_bytes(&self) -> u64 {
        u64::from(self.items).saturating_mul(self.item_output().into())
    }

    fn specialisation(&self) -> Specialisation {
        match self.network {
            InferenceNetwork::Embedding { .. } => Specialisation::Embedding,
            InferenceNetwork::Classification { .. } | InferenceNetwork::Generation => Specialisation::Inference,
        }
    }

    fn inputs(&self) -> Vec<BlobRef> {
        [self.model, self.input].into()
    }
}
