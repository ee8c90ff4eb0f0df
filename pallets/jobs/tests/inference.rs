//! Limits, work and package sizes of inference jobs.

use agora_jobs::{
    BlobRef, ClassifierShape, H256, InferenceJob, InferenceNetwork, JobError, JobKind, JobSpec, MAX_BLOB, MAX_ITEMS,
    MAX_OUTPUT, MAX_WORK, Specialisation, TransformerShape,
    inference::{
        MAX_HIDDEN, MAX_LAYERS, MAX_TOKENIZER, MAX_TOKENS, MAX_VOCABULARY, MAX_WIDTH, TRANSFORMER_HEADER, Tensor,
    },
};
use codec::{DecodeAll, Encode};
use proptest::prelude::*;

const TEXT: TransformerShape = TransformerShape {
    vocabulary: 61,
    positions: 40,
    hidden: 32,
    layers: 2,
    heads: 4,
    key_value_heads: 2,
    head_size: 12,
    intermediate: 80,
    dense: 0,
};

/// 8 × 8 digits, a window of 3 × 3, squares of 2 × 2.
const DIGITS: ClassifierShape = ClassifierShape {
    width: 8,
    height: 8,
    window_width: 3,
    window_height: 3,
    padding: 1,
    pool: 2,
    channels: 2,
    classes: 10,
};

fn blob(size: u64) -> BlobRef {
    BlobRef {
        hash: H256([3; 32]),
        size,
    }
}

fn texts(shape: TransformerShape, tokens: u32, items: u32) -> InferenceJob {
    InferenceJob {
        model: blob(shape.package_bytes()),
        input: blob(4 + u64::from(items) * 4),
        network: InferenceNetwork::Embedding { shape, tokens },
        items,
    }
}

fn images(shape: ClassifierShape, items: u32) -> InferenceJob {
    InferenceJob {
        model: blob(shape.package_bytes()),
        input: blob(u64::from(items) * u64::from(shape.pixels())),
        network: InferenceNetwork::Classification {
            shape,
            maximum: 16,
            shift: 8,
        },
        items,
    }
}

fn spec(job: InferenceJob) -> JobSpec {
    JobSpec::V2(JobKind::Inference(job))
}

fn refused(job: InferenceJob, error: JobError) {
    assert_eq!(spec(job).validate(), Err(error), "{job:?}");
}

#[test]
fn work_and_output_follow_from_the_network() {
    let job = texts(TEXT, 5, 3);
    assert_eq!(spec(job).validate(), Ok(()));
    // Of a token: 32 · (96 + 48) + 2 · 32 · 80 + 2 · 5 · 48.
    assert_eq!(spec(job).work(), 3 * 2 * 5 * (4608 + 5120 + 480));
    assert_eq!(spec(job).max_output_bytes(), 3 * 64);
    assert_eq!(spec(job).specialisation(), Specialisation::Embedding);
    assert_eq!(spec(job).inputs(), [job.model, job.input]);

    // A dense layer of 32 · 20 for each item, which decides how long a vector is.
    let job = texts(TransformerShape { dense: 20, ..TEXT }, 5, 3);
    assert_eq!(spec(job).validate(), Ok(()));
    assert_eq!(spec(job).work(), 3 * (2 * 5 * (4608 + 5120 + 480) + 640));
    assert_eq!(spec(job).max_output_bytes(), 3 * 40);

    let job = images(DIGITS, 7);
    assert_eq!(spec(job).validate(), Ok(()));
    assert_eq!(spec(job).work(), 7 * (2 * 10 * 64 + 330));
    assert_eq!(spec(job).max_output_bytes(), 7 * 40);
    assert_eq!(spec(job).specialisation(), Specialisation::Inference);
    assert_eq!(DIGITS.package_bytes(), 24 + 2 * 10 + 10 * 33);
}

#[test]
fn jobs_have_the_bytes_of_the_protocol() {
    let sizes = [61, 40, 32, 2, 4, 2, 12, 80, 52].map(u32::to_le_bytes).concat();
    let job = texts(TransformerShape { dense: 52, ..TEXT }, 5, 3);
    let bytes = [
        vec![2, 2],
        job.model.encode(),
        job.input.encode(),
        vec![0],
        sizes,
        vec![5, 0, 0, 0, 3, 0, 0, 0],
    ];
    assert_eq!(spec(job).encode(), bytes.concat());
    let sizes = [8, 8, 3, 3, 1, 2, 2, 10].map(u16::to_le_bytes).concat();
    let job = images(DIGITS, 3);
    let bytes = [
        vec![2, 2],
        job.model.encode(),
        job.input.encode(),
        vec![1],
        sizes,
        vec![16, 8, 3, 0, 0, 0],
    ];
    assert_eq!(spec(job).encode(), bytes.concat());
}

#[test]
fn text_is_not_generated_yet() {
    let network = InferenceNetwork::Generation;
    refused(
        InferenceJob {
            network,
            ..texts(TEXT, 5, 3)
        },
        JobError::Unsupported,
    );
}

#[test]
fn transformers_outside_of_the_limits_are_refused() {
    let with = |change: &dyn Fn(&mut TransformerShape)| {
        let mut shape = TEXT;
        change(&mut shape);
        texts(shape, 5, 3)
    };
    // Of the heads, there must be a multiple of the two of keys.
    #[allow(clippy::type_complexity, reason = "a name for it would say no more")]
    let fields: [(fn(&mut TransformerShape) -> &mut u32, u32); 8] = [
        (|shape| &mut shape.vocabulary, 65_536),
        (|shape| &mut shape.positions, 512),
        (|shape| &mut shape.hidden, 4096),
        (|shape| &mut shape.layers, 128),
        (|shape| &mut shape.heads, 454),
        (|shape| &mut shape.key_value_heads, 4),
        (|shape| &mut shape.head_size, 256),
        (|shape| &mut shape.intermediate, 16_384),
    ];
    for (field, most) in fields {
        refused(with(&|shape| *field(shape) = 0), JobError::Zero);
        refused(with(&|shape| *field(shape) = most + 2), JobError::TooLarge);
        refused(with(&|shape| *field(shape) = u32::MAX), JobError::TooLarge);
        assert_eq!(spec(with(&|shape| *field(shape) = most)).validate(), Ok(()));
    }
    refused(with(&|shape| shape.dense = 16_388), JobError::TooLarge);
    refused(with(&|shape| shape.dense = u32::MAX), JobError::TooLarge);
    assert_eq!(spec(with(&|shape| shape.dense = 16_384)).validate(), Ok(()));
    for wrong in [
        with(&|shape| shape.hidden = 30),
        with(&|shape| shape.dense = 1),
        with(&|shape| shape.head_size = 10),
        with(&|shape| shape.intermediate = 82),
        with(&|shape| shape.key_value_heads = 3),
    ] {
        refused(wrong, JobError::Inconsistent);
    }
    refused(texts(TEXT, 0, 3), JobError::Zero);
    refused(texts(TEXT, 41, 3), JobError::TooLarge);
    refused(texts(TEXT, 5, 0), JobError::Zero);
    refused(texts(TEXT, 5, MAX_ITEMS + 1), JobError::TooLarge);
    let large = TransformerShape {
        hidden: 4096,
        layers: 4,
        intermediate: 16_384,
        positions: 512,
        ..TEXT
    };
    refused(texts(large, 512, 16_000), JobError::TooMuchWork);
    // Of a tiny encoder, the dense layer is nearly all.
    let wide = TransformerShape {
        hidden: 4096,
        layers: 1,
        intermediate: 4,
        heads: 1,
        key_value_heads: 1,
        head_size: 4,
        dense: 16_384,
        ..TEXT
    };
    assert_eq!(spec(texts(wide, 1, 1)).work(), (4096 * 16 + 8 * 4096 + 8) + (1 << 26));
    // 2²⁸ bytes of vectors, and one vector more.
    assert_eq!(spec(texts(wide, 1, 1 << 13)).validate(), Ok(()));
    refused(texts(wide, 1, (1 << 13) + 1), JobError::TooLarge);
}

#[test]
fn classifiers_outside_of_the_limits_are_refused() {
    let with = |change: &dyn Fn(&mut ClassifierShape)| {
        let mut shape = DIGITS;
        change(&mut shape);
        images(shape, 3)
    };
    #[allow(clippy::type_complexity, reason = "a name for it would say no more")]
    let fields: [(fn(&mut ClassifierShape) -> &mut u16, u16); 7] = [
        (|shape| &mut shape.width, 64),
        (|shape| &mut shape.height, 64),
        (|shape| &mut shape.window_width, 8),
        (|shape| &mut shape.window_height, 8),
        (|shape| &mut shape.pool, 8),
        (|shape| &mut shape.channels, 4096),
        (|shape| &mut shape.classes, 256),
    ];
    for (field, most) in fields {
        let result = spec(with(&|shape| *field(shape) = 0)).validate();
        assert!(matches!(result, Err(JobError::Zero | JobError::TooLarge)), "{result:?}");
        refused(with(&|shape| *field(shape) = most + 1), JobError::TooLarge);
        refused(with(&|shape| *field(shape) = u16::MAX), JobError::TooLarge);
    }
    // Wider than a square of positions, more positions, more features.
    refused(with(&|shape| (shape.width, shape.pool) = (4, 5)), JobError::Zero);
    refused(
        with(&|shape| (shape.width, shape.height) = (64, 64)),
        JobError::TooLarge,
    );
    refused(with(&|shape| shape.channels = 1025), JobError::TooLarge);
    refused(with(&|shape| shape.padding = 2), JobError::TooLarge);
    let scales = |maximum, shift| InferenceJob {
        network: InferenceNetwork::Classification {
            shape: DIGITS,
            maximum,
            shift,
        },
        ..images(DIGITS, 3)
    };
    refused(scales(0, 8), JobError::Zero);
    refused(scales(16, 0), JobError::Zero);
    refused(scales(16, 25), JobError::TooLarge);
}

#[test]
fn inputs_that_cannot_have_such_a_length_are_refused() {
    let package = TEXT.package_bytes();
    let job = texts(TEXT, 5, 3);
    for model in [package, package + u64::from(MAX_TOKENIZER)] {
        let model = blob(model);
        assert_eq!(spec(InferenceJob { model, ..job }).validate(), Ok(()));
    }
    for model in [package - 1, package + u64::from(MAX_TOKENIZER) + 1] {
        let model = blob(model);
        refused(InferenceJob { model, ..job }, JobError::Inconsistent);
    }
    for (input, fits) in [(15, false), (16, true), (40, true), (41, false)] {
        let input = blob(input);
        assert_eq!(spec(InferenceJob { input, ..job }).validate().is_ok(), fits);
    }
    let job = images(DIGITS, 3);
    for size in [3 * 64 - 1, 3 * 64 + 1] {
        let input = blob(size);
        refused(InferenceJob { input, ..job }, JobError::Inconsistent);
    }
    for size in [DIGITS.package_bytes() - 1, DIGITS.package_bytes() + 1] {
        let model = blob(size);
        refused(InferenceJob { model, ..job }, JobError::Inconsistent);
    }
    refused(InferenceJob { model: blob(0), ..job }, JobError::Zero);
    refused(InferenceJob { input: blob(0), ..job }, JobError::Zero);
}

/// Why no manifest of several blobs is needed: docs/adr/0012-models-in-one-blob.md.
#[test]
fn packages_of_the_widest_networks_fit_one_blob() {
    let head_size = 4;
    let widest = TransformerShape {
        vocabulary: MAX_VOCABULARY,
        positions: MAX_TOKENS,
        hidden: MAX_HIDDEN,
        layers: MAX_LAYERS,
        heads: MAX_WIDTH / 3 / head_size,
        key_value_heads: MAX_WIDTH / 3 / head_size,
        head_size,
        intermediate: MAX_WIDTH,
        dense: MAX_WIDTH,
    };
    assert_eq!(widest.validate(), Ok(()));
    let most = widest.package_bytes() + u64::from(MAX_TOKENIZER);
    assert!((27 << 30..MAX_BLOB / 2).contains(&most), "{most}");
}

proptest! {
    #[test]
    fn the_place_of_a_layer_is_the_sum_of_what_is_before_it(
        sizes in prop::array::uniform8(1u32..600), dense in 0u32..3, layer in 0u32..=128,
    ) {
        let [vocabulary, positions, hidden, layers, heads, key_value_heads, head_size, intermediate] = sizes;
        let shape = TransformerShape {
            vocabulary, positions, hidden, layers, heads, key_value_heads, head_size, intermediate, dense,
        };
        let bytes = |tensors: Vec<Tensor>, layer: Option<u32>| -> u64 {
            let bytes = |tensor: &Tensor| {
                let header = tensor.header(layer).len() as u64;
                assert!(header < 128);
                header + tensor.count() * tensor.element.size()
            };
            tensors.iter().map(bytes).sum()
        };
        let layers = (0..layer).map(|layer| bytes(shape.layer_tensors(), Some(layer))).sum::<u64>();
        let before = TRANSFORMER_HEADER + bytes(shape.first_tensors(), None) + layers;
        prop_assert_eq!(shape.layer_offset(layer), before);
        let all = shape.layer_offset(shape.layers) + bytes(shape.last_tensors(), None) + 4;
        prop_assert_eq!(shape.package_bytes(), all);
        prop_assert_eq!(shape.last_tensors().len(), if dense == 0 { 0 } else { 5 });
    }

    #[test]
    fn whatever_a_job_says_it_is_refused_or_bounded(
        numbers in prop::array::uniform9(prop_oneof![Just(0u32), 1..70u32, any::<u32>()]), tokens: u32, items: u32,
        scales: [u8; 2], sizes: [u64; 2], pick in 0u8..3,
    ) {
        let [vocabulary, positions, hidden, layers, heads, key_value_heads, head_size, intermediate, dense] = numbers;
        let network = match pick {
            0 => InferenceNetwork::Embedding { shape: TransformerShape {
                vocabulary, positions, hidden, layers, heads, key_value_heads, head_size, intermediate,
                dense,
            }, tokens },
            1 => {
                let [width, height, window_width, window_height, padding, pool, channels, classes, _] = numbers.map(|n| n as u16);
                let shape = ClassifierShape { width, height, window_width, window_height, padding, pool, channels, classes };
                InferenceNetwork::Classification { shape, maximum: scales[0], shift: scales[1] }
            }
            _ => InferenceNetwork::Generation,
        };
        let job = spec(InferenceJob { model: blob(sizes[0]), input: blob(sizes[1]), network, items });
        prop_assert_eq!(JobSpec::decode_all(&mut job.encode().as_slice()), Ok(job.clone()));
        if job.validate().is_ok() {
            prop_assert!(job.work() > 0 && job.work() <= MAX_WORK);
            prop_assert!(job.max_output_bytes() > 0 && job.max_output_bytes() <= MAX_OUTPUT);
        }
    }
}
