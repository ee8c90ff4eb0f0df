//! What must hold of bytes that claim to be the package of a transformer: they are refused, or the one encoding of a model
//! within the limits of `docs/protocol/inference.md`, which are written down here a second time, and it is applied without
//! an overflow.

use crate::running::{compute, insert};
use agora_compute::{
    InferenceJob, InferenceNetwork, JobKind, MemoryInputs, encode_items,
    transformer::{DenseActivation, Encoder, Limbs, Linear, Norm, Package},
};

/// Checks bytes as the package of a transformer, and returns it if it is one.
pub fn check_model(bytes: &[u8]) -> Option<Package> {
    let package = Package::decode(bytes).ok()?;
    assert!(package.encode().as_deref() == Ok(bytes), "one package, one encoding");
    let encoder = &package.encoder;
    check_encoder(encoder, bytes);
    let shape = &encoder.shape;
    let longest = shape.positions.min(3) as u16;
    // At most 65,536 tokens, so that each is a `u16`.
    let last = (shape.vocabulary - 1) as u16;
    let items = [vec![last], (0..longest).map(|token| token.min(last)).collect()];
    let mut inputs = MemoryInputs::new();
    let job = InferenceJob {
        model: insert(&mut inputs, bytes.to_vec()),
        input: insert(&mut inputs, encode_items(&items).expect("two short items")),
        network: InferenceNetwork::Embedding {
            shape: *shape,
            tokens: longest.into(),
        },
        items: 2,
    };
    compute(JobKind::Inference(job), &inputs).expect("a valid model is applied");
    Some(package)
}

const VALUES: std::ops::RangeInclusive<i32> = -((1 << 19) - 1)..=(1 << 19) - 1;

/// Checks the limits of `docs/protocol/inference.md`.
fn check_encoder(encoder: &Encoder, bytes: &[u8]) {
    let shape = &encoder.shape;
    let [vocabulary, positions, hidden] = [shape.vocabulary, shape.positions, shape.hidden].map(|n| n as usize);
    let [heads, keys, head, between] =
        [shape.heads, shape.key_value_heads, shape.head_size, shape.intermediate].map(|n| n as usize);
    assert!((1..=65536).contains(&vocabulary) && (1..=512).contains(&positions));
    assert!((4..=4096).contains(&hidden) && (1..=128).contains(&shape.layers));
    assert!((4..=256).contains(&head) && heads >= 1 && heads <= 5461 / head && (4..=16384).contains(&between));
    assert!([hidden, head, between].iter().all(|width| width % 4 == 0));
    assert!(keys >= 1 && heads % keys == 0);
    let embedding = &encoder.embedding;
    assert_eq!(embedding.weight.len(), vocabulary * hidden);
    assert_eq!(embedding.position.len(), positions * hidden);
    check_scales(&embedding.multiplier, &embedding.shift, vocabulary);
    check_norm(&embedding.norm, hidden);
    assert_eq!(encoder.exponent[0], 32768);
    assert!(encoder.exponent.iter().all(|entry| (0..=32768).contains(entry)));
    assert!((1..=8).contains(&encoder.activation.shift));
    assert!(encoder.activation.table.iter().all(|entry| VALUES.contains(entry)));
    assert_eq!(encoder.layers.len(), shape.layers as usize);
    for layer in &encoder.layers {
        check_linear(&layer.attention.input, (heads + 2 * keys) * head, hidden);
        check_linear(&layer.attention.output, hidden, heads * head);
        check_norm(&layer.attention_norm, hidden);
        check_linear(&layer.up_proj, between, hidden);
        check_linear(&layer.down_proj, hidden, between);
        check_norm(&layer.output_norm, hidden);
    }
    match &encoder.dense {
        None => {
            assert_eq!(shape.dense, 0);
            // The byte of the activation, behind nine sizes, six parts of the architecture and the pooling.
            assert_eq!(bytes[49], 0);
        }
        Some(dense) => {
            assert!((4..=16384).contains(&shape.dense) && shape.dense.is_multiple_of(4));
            assert_eq!(bytes[49], u8::from(dense.activation == DenseActivation::Tanh));
            check_linear(&dense.linear, shape.dense as usize, hidden);
        }
    }
}

fn check_scales(multipliers: &[i32], shifts: &[i8], count: usize) {
    assert_eq!([multipliers.len(), shifts.len()], [count; 2]);
    assert!(multipliers.iter().all(|&multiplier| multiplier >= 0));
    assert!(shifts.iter().all(|shift| (0..=62).contains(shift)));
}

fn check_values(values: &[i32], count: usize) {
    assert_eq!(values.len(), count);
    assert!(values.iter().all(|value| VALUES.contains(value)));
}

fn check_norm(norm: &Norm, width: usize) {
    assert_eq!(norm.weight.len(), width);
    assert!((0..=62).contains(&norm.shift));
    check_values(&norm.bias, width);
}

fn check_linear(linear: &Linear, outputs: usize, width: usize) {
    assert!(linear.limbs == Limbs::One || width <= 2048);
    assert_eq!(linear.weight.len(), outputs * width);
    check_scales(&linear.multiplier, &linear.shift, outputs);
    check_values(&linear.bias, outputs);
}
