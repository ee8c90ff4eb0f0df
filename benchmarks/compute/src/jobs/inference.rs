//! Texts of unequal length, of which a transformer makes a vector each.

use super::Subject;
use crate::Failure;
use agora_compute::{
    InferenceJob, InferenceNetwork, JobKind, JobSpec, MemoryInputs, encode_items,
    transformer::{Shape, sample},
};

/// The sizes of all-MiniLM-L6, with fewer tokens to know and in a text: neither changes what a token costs.
const SHAPE: Shape = Shape {
    vocabulary: 2000,
    positions: 128,
    hidden: 384,
    layers: 6,
    heads: 12,
    key_value_heads: 12,
    head_size: 32,
    intermediate: 1536,
    dense: 0,
};
const TEXTS: usize = 544;
/// One text in so many is as long as it may be, and has about as much work as the others together in [`texts`].
const ONE_IN: usize = 17;
/// Tokens of the others.
const SHORT: usize = 8;

/// 32 long texts among 512 short ones. The check draws twenty points of the work, so about ten long texts and ten short
/// ones, however many there are: what part of computing that is depends on the job, and there is no goal for it.
///
/// Errors: none but those of sizes beyond the limits of packages.
pub fn texts() -> Result<Subject, Failure> {
    texts_of("embedding 32 long and 512 short texts", SHAPE, TEXTS)
}

/// `count` texts for a transformer of `shape`.
///
/// Errors: as [`texts`].
pub fn texts_of(name: &'static str, shape: Shape, count: usize) -> Result<Subject, Failure> {
    let texts: Vec<Vec<u16>> = (0..count).map(|text| tokens(&shape, text)).collect();
    let amount = texts.iter().map(|text| text.len() as f64).sum();
    let mut inputs = MemoryInputs::new();
    let job = InferenceJob {
        model: inputs.insert(sample::package(&[0x51; 32], shape).encode()?),
        input: inputs.insert(encode_items(&texts).ok_or("the texts are too many, or too long")?),
        network: InferenceNetwork::Embedding {
            shape,
            tokens: shape.positions,
        },
        items: u32::try_from(count)?,
    };
    Ok(Subject {
        name,
        job: JobSpec::V2(JobKind::Inference(job)),
        inputs,
        amount,
        unit: "tokens/s",
        check_goal: None,
    })
}

/// The tokens of text number `text`.
fn tokens(shape: &Shape, text: usize) -> Vec<u16> {
    let length = if is_long(text) { shape.positions as usize } else { SHORT };
    let vocabulary = shape.vocabulary as usize;
    // Tokens are below 2¹⁶.
    (0..length)
        .map(|place| ((31 * text + 7 * place) % vocabulary) as u16)
        .collect()
}

/// Whether text number `text` is a long one.
pub const fn is_long(text: usize) -> bool {
    text % ONE_IN == ONE_IN / 2
}
