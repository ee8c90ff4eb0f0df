//! Measuring: sentences that are embedded, and images that are classified.

use super::encode_items;
use crate::{
    inputs::MemoryInputs,
    kinds::{
        EngineError, Sample, Unit, Workload,
        workload::{MAX_PIXEL, NETWORK, SEED, bytes, images},
    },
    networks::{
        classifier::Package,
        transformer::{Shape, sample},
    },
};
use agora_primitives::job::{BlobRef, InferenceJob, InferenceNetwork, JobError, JobKind, JobSpec};

/// The shape of all-MiniLM-L6-v2, but for the vocabulary and the positions, of which only a few are looked up.
const MINI_LM: Shape = Shape {
    vocabulary: 256,
    positions: 64,
    hidden: 384,
    layers: 6,
    heads: 12,
    key_value_heads: 12,
    head_size: 32,
    intermediate: 1536,
    dense: 0,
};
/// Tokens of a sentence.
const TOKENS: u32 = 32;
/// Images of a part.
const IMAGES: u32 = 64;

/// Sentences of 32 tokens, by a model as large as all-MiniLM-L6-v2; a part is one. Weights and tokens are random, which
/// changes nothing about the work.
pub(crate) struct Embedding {
    model: BlobRef,
    inputs: MemoryInputs,
}

impl Embedding {
    /// Makes the model.
    pub fn new() -> Result<Self, EngineError> {
        let mut inputs = MemoryInputs::new();
        let package = sample::package(&SEED, MINI_LM).encode()?;
        let model = inputs.insert(package);
        Ok(Self { model, inputs })
    }
}

impl Workload for Embedding {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn units(&self) -> &'static [Unit] {
        const {
            &[Unit {
                name: "sentences_per_second",
                unit: "sentences/s",
                amount: 1.0,
            }]
        }
    }

    fn max_parts(&self) -> u32 {
        4096
    }

    fn job(&self, parts: u32) -> Result<Sample, EngineError> {
        let tokens: Vec<u16> = bytes((parts * TOKENS) as usize, u8::MAX)
            .into_iter()
            .map(u16::from)
            .collect();
        let items: Vec<&[u16]> = tokens.chunks(TOKENS as usize).collect();
        let mut inputs = self.inputs.clone();
        let job = InferenceJob {
            model: self.model,
            input: inputs.insert(encode_items(&items).ok_or(JobError::TooLarge)?),
            network: InferenceNetwork::Embedding {
                shape: MINI_LM,
                tokens: TOKENS,
            },
            items: parts,
        };
        Ok(Sample {
            spec: JobSpec::V2(JobKind::Inference(job)),
            inputs,
            amount: parts.into(),
        })
    }
}

/// Images of 8 × 8 pixels that a perceptron of 128 hidden units classifies; a part is 64.
pub(crate) struct Classification {
    model: BlobRef,
    inputs: MemoryInputs,
    network: InferenceNetwork,
}

impl Classification {
    /// Makes the network.
    pub fn new() -> Result<Self, EngineError> {
        // −8 to 8.
        let weights = bytes(NETWORK.weights(), 17).into_iter();
        let weights = weights.map(|byte| byte.cast_signed() - 8).collect();
        let package = Package::new(NETWORK, MAX_PIXEL, weights)?;
        let mut inputs = MemoryInputs::new();
        Ok(Self {
            model: inputs.insert(package.encode()),
            inputs,
            network: package.network(),
        })
    }
}

impl Workload for Classification {
    fn name(&self) -> &'static str {
        "classification"
    }

    fn units(&self) -> &'static [Unit] {
        const {
            &[Unit {
                name: "images_per_second",
                unit: "images/s",
                amount: 1.0,
            }]
        }
    }

    fn max_parts(&self) -> u32 {
        4096
    }

    fn job(&self, parts: u32) -> Result<Sample, EngineError> {
        let items = parts * IMAGES;
        let mut inputs = self.inputs.clone();
        let job = InferenceJob {
            model: self.model,
            input: inputs.insert(images(items)),
            network: self.network,
            items,
        };
        Ok(Sample {
            spec: JobSpec::V2(JobKind::Inference(job)),
            inputs,
            amount: items.into(),
        })
    }
}
