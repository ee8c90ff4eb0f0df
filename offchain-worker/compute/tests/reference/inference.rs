//! Embeddings and classifications.

use crate::{Contents, opened::engines};
use agora_compute::{
    ClassifierShape, InferenceJob, InferenceNetwork, JobKind,
    classifier::{self, Package},
    encode_items,
    transformer::{self, DenseActivation, Encoder, MAX_TWO_LIMB_WIDTH, Pooling, VALUE_MAX, sample},
};
use agora_primitives::job::Claim;
use agora_reference::Outcome;
use proptest::{prelude::*, sample::Index};

/// Bytes to change.
type Changes = Vec<(Index, u8)>;

fn changes(most: usize) -> impl Strategy<Value = Changes> {
    prop::collection::vec((any::<Index>(), any::<u8>()), 0..=most)
}

fn change(bytes: &mut [u8], changes: Changes) {
    for (index, byte) in changes {
        if !bytes.is_empty() {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
    }
}

/// What the job with such inputs comes to. `None`: no such job is valid.
fn embed(package: Vec<u8>, shape: transformer::Shape, tokens: u32, items: u32, input: Vec<u8>) -> Option<Outcome> {
    embed_in(Contents::default(), package, shape, tokens, items, input)
}

fn embed_in(
    mut contents: Contents,
    package: Vec<u8>,
    shape: transformer::Shape,
    tokens: u32,
    items: u32,
    input: Vec<u8>,
) -> Option<Outcome> {
    let job = InferenceJob {
        model: contents.insert(package),
        input: contents.insert(input),
        network: InferenceNetwork::Embedding { shape, tokens },
        items,
    };
    contents.compute(JobKind::Inference(job))
}

fn classify(package: Vec<u8>, network: InferenceNetwork, items: u32, pixels: Vec<u8>) -> Option<Outcome> {
    let mut contents = Contents::default();
    let job = InferenceJob {
        model: contents.insert(package),
        input: contents.insert(pixels),
        network,
        items,
    };
    contents.compute(JobKind::Inference(job))
}

prop_compose! {
    /// Small transformers, and items for them.
    fn texts()(
        vocabulary in 1u32..70, positions in 1u32..90, hidden in 1u32..12, layers in 1u32..4, key_value_heads in 1u32..4,
        group in 1u32..4, head_size in 1u32..5, intermediate in 1u32..20, dense in 0u32..20,
    )(
        items in prop::collection::vec(prop::collection::vec(0..vocabulary as u16, 1..=positions as usize), 1..5),
        shape in Just(transformer::Shape {
            vocabulary, positions, hidden: 4 * hidden, layers, heads: key_value_heads * group, key_value_heads,
            head_size: 4 * head_size, intermediate: 4 * intermediate, dense: 4 * dense,
        }),
    ) -> (transformer::Shape, Vec<Vec<u16>>) {
        (shape, items)
    }
}

prop_compose! {
    /// Small classifiers, and images for them.
    fn images()(
        sides in (1u32..10, 1u32..10, 1u32..8, 1u32..8), padding in 0u32..4, pool in 1u32..4, channels in 1u32..6,
        classes in 1u32..6, maximum in 1u8..=255, shift in 1u8..=24,
    )(
        shape in {
            let (width, height) = (sides.0, sides.1);
            let (window_width, window_height) = (sides.2.min(width), sides.3.min(height));
            let padding = padding.min(window_width.min(window_height) / 2);
            let pool = pool.min(width + 2 * padding - window_width + 1).min(height + 2 * padding - window_height + 1);
            Just(classifier::Shape { width, height, window_width, window_height, padding, pool, channels, classes })
        },
        weights in prop::collection::vec(-127i8..=127, 6 * 65 + 6 * (6 * 200 + 1)),
        pixels in prop::collection::vec(0..=maximum, 400),
        maximum in Just(maximum), shift in Just(shift), items in 1u32..4,
    ) -> (Package, u32, Vec<u8>) {
        let weights = weights.into_iter().cycle().take(shape.weights()).collect();
        let pixels = pixels.into_iter().cycle().take(items as usize * shape.pixels()).collect();
        (Package { shape, maximum, shift, weights }, items, pixels)
    }
}

proptest! {
    #![proptest_config(agora_test_support::cases(48))]

    #[test]
    fn embeddings_are_those_of_the_reference(
        (shape, items) in texts(), seed: u8, (pooling, activation) in variants(),
    ) {
        let mut package = sample::package(&[seed; 32], shape);
        set_variants(&mut package.encoder, pooling, activation);
        let package = package.encode().unwrap();
        let longest = items.iter().map(Vec::len).max().unwrap() as u32;
        let outcome = embed(package, shape, longest, items.len() as u32, encode_items(&items).unwrap()).unwrap();
        prop_assert_ne!(outcome.claim, Claim::Unusable);
    }

    #[test]
    fn logits_are_those_of_the_reference((package, items, pixels) in images()) {
        let outcome = classify(package.encode(), package.network(), items, pixels).unwrap();
        prop_assert_ne!(outcome.claim, Claim::Unusable);
    }

    #[test]
    fn changed_items_are_refused_as_the_reference_says(
        (shape, items) in texts(), changed in changes(2), less in 0usize..3, more in 0usize..3, shorter in 0u32..2,
    ) {
        let package = sample::package(&[3; 32], shape).encode().unwrap();
        let longest = items.iter().map(Vec::len).max().unwrap() as u32;
        let mut input = encode_items(&items).unwrap();
        input.truncate(input.len() - less);
        input.extend(vec![0; more]);
        change(&mut input, changed);
        // `None`: too few tokens for so many bytes.
        embed(package, shape, (longest - shorter).max(1), items.len() as u32, input);
    }

    #[test]
    fn changed_networks_and_pixels_are_refused_as_the_reference_says(
        (package, items, mut pixels) in images(), weights in changes(2), header in changes(1), changed in changes(1),
        byte in prop_oneof![Just(128u8), any::<u8>()],
    ) {
        let mut bytes = package.encode();
        change(&mut bytes[..24], header);
        change(&mut bytes[24..], weights.into_iter().map(|(at, other)| (at, byte.max(other))).collect());
        change(&mut pixels, changed);
        prop_assert!(classify(bytes, package.network(), items, pixels).is_some());
    }
}

proptest! {
    #![proptest_config(agora_test_support::cases(400))]

    #[test]
    fn changed_packages_are_refused_as_the_reference_says(
        changed in changes(3), header in changes(1), small in any::<bool>(), tokenizer in 0usize..5, less in 0usize..5,
    ) {
        let shape = if small {
            transformer::Shape { vocabulary: 3, positions: 2, hidden: 4, layers: 1, heads: 2, key_value_heads: 1,
                head_size: 4, intermediate: 8, dense: 8 }
        } else {
            transformer::Shape { vocabulary: 9, positions: 4, hidden: 8, layers: 2, heads: 4, key_value_heads: 2,
                head_size: 4, intermediate: 16, dense: 0 }
        };
        let mut package = sample::package(&[5; 32], shape);
        package.tokenizer = vec![7; tokenizer];
        let mut bytes = package.encode().unwrap();
        bytes.truncate(bytes.len() - less);
        change(&mut bytes[..65], header);
        change(&mut bytes, changed);
        let items = [vec![0, 2], vec![1]];
        // `None`: the package is too short.
        let outcome = embed(bytes, shape, 2, 2, encode_items(&items).unwrap());
        prop_assert!(outcome.is_some() || less > tokenizer);
    }

    #[test]
    fn extreme_elements_are_computed_as_the_reference_says(
        elements in prop::collection::vec((any::<Index>(), prop_oneof![
            Just(i32::MAX), Just(0), Just(i32::MIN), any::<i32>(),
        ]), 1..300),
        shifts in changes(40), (pooling, activation) in variants(), on_device in prop::bool::weighted(0.1),
    ) {
        // A device takes many times as long as the processor for so little.
        let engines = engines().into_iter().take(if on_device { 2 } else { 1 }).collect();
        let shape = transformer::Shape { vocabulary: 4, positions: 4, hidden: 4, layers: 2, heads: 2, key_value_heads: 2,
            head_size: 4, intermediate: 8, dense: 8 };
        let mut package = sample::package(&[5; 32], shape);
        set_variants(&mut package.encoder, pooling, activation);
        set(&mut package.encoder, elements, shifts);
        let items = [vec![0, 1, 2, 3], vec![3], vec![2, 2]];
        let (contents, input) = (Contents::on(engines), encode_items(&items).unwrap());
        let outcome = embed_in(contents, package.encode().unwrap(), shape, 4, 3, input).unwrap();
        prop_assert_ne!(outcome.claim, Claim::Unusable);
    }
}

/// A pooling, and an activation of a dense layer.
fn variants() -> impl Strategy<Value = (Pooling, DenseActivation)> {
    (
        prop::sample::select(Pooling::ALL.to_vec()),
        prop::sample::select(DenseActivation::ALL.to_vec()),
    )
}

fn set_variants(encoder: &mut Encoder, pooling: Pooling, activation: DenseActivation) {
    encoder.pooling = pooling;
    if let Some(dense) = &mut encoder.dense {
        dense.activation = activation;
    }
}

/// Sets some of the numbers of `encoder`, each to what is nearest within its bounds.
fn set(encoder: &mut Encoder, elements: Vec<(Index, i32)>, shifts: Changes) {
    const VALUES: (i32, i32) = (-VALUE_MAX, VALUE_MAX);
    const SCALES: (i32, i32) = (0, i32::MAX);
    const ANY: (i32, i32) = (i32::MIN, i32::MAX);
    let mut numbers: Vec<(&mut i32, (i32, i32))> = Vec::new();
    let mut small: Vec<(&mut i8, (i32, i32))> = Vec::new();
    let embedding = &mut encoder.embedding;
    numbers.extend(embedding.multiplier.iter_mut().map(|number| (number, SCALES)));
    small.extend(embedding.shift.iter_mut().map(|shift| (shift, (0, 62))));
    // The first is one.
    numbers.extend(
        encoder
            .exponent
            .iter_mut()
            .skip(1)
            .step_by(64)
            .map(|number| (number, (0, 32_768))),
    );
    numbers.extend(
        encoder
            .activation
            .table
            .iter_mut()
            .step_by(64)
            .map(|number| (number, VALUES)),
    );
    let mut norms = vec![&mut embedding.norm];
    let mut linears = Vec::new();
    for layer in &mut encoder.layers {
        norms.extend([&mut layer.attention_norm, &mut layer.output_norm]);
        let attention = &mut layer.attention;
        linears.extend([&mut attention.input, &mut attention.output]);
        linears.extend([&mut layer.up_proj, &mut layer.down_proj]);
    }
    linears.extend(encoder.dense.as_mut().map(|dense| &mut dense.linear));
    for linear in linears {
        numbers.extend(linear.multiplier.iter_mut().map(|number| (number, SCALES)));
        numbers.extend(linear.bias.iter_mut().map(|number| (number, VALUES)));
        small.extend(linear.shift.iter_mut().map(|shift| (shift, (0, 62))));
        small.extend(linear.weight.iter_mut().map(|weight| (weight, ANY)));
    }
    for norm in norms {
        numbers.extend(norm.weight.iter_mut().map(|number| (number, ANY)));
        numbers.extend(norm.bias.iter_mut().map(|number| (number, VALUES)));
        small.push((&mut norm.shift, (0, 62)));
    }
    for (index, value) in elements {
        let at = index.index(numbers.len());
        let (number, (least, most)) = &mut numbers[at];
        **number = value.clamp(*least, *most);
    }
    for (index, value) in shifts {
        let at = index.index(small.len());
        let (number, (least, most)) = &mut small[at];
        **number = i32::from(value.cast_signed()).clamp(*least, *most) as i8;
    }
}

#[test]
fn two_limbs_are_for_narrow_rows_alone() {
    // A row of 2052 inputs is too wide for two limbs.
    let shape = transformer::Shape {
        vocabulary: 2,
        positions: 2,
        hidden: 4,
        layers: 1,
        heads: 1,
        key_value_heads: 1,
        head_size: 4,
        intermediate: MAX_TWO_LIMB_WIDTH + 4,
        dense: 0,
    };
    let mut package = sample::package(&[5; 32], shape);
    package.encoder.layers[0].down_proj.limbs = transformer::Limbs::One;
    let bytes = package.encode().unwrap();
    let run = |bytes| embed(bytes, shape, 2, 1, encode_items(&[[0u16, 1]]).unwrap()).unwrap();
    assert_ne!(run(bytes.clone()).claim, Claim::Unusable);
    let name = b"perceptron.contract.limbs";
    let place = bytes.windows(name.len()).position(|window| window == name).unwrap();
    let mut two = bytes;
    // Type, number of dimensions and the dimension are before the element.
    let at = place + name.len() + 6;
    assert_eq!(two[at], 1);
    two[at] = 2;
    assert_eq!(run(two).claim, Claim::Unusable);
}

#[test]
fn jobs_that_say_another_network_are_refused_as_the_reference_says() {
    let shape = transformer::Shape {
        head_size: 8,
        ..sample::SMALL
    };
    let other = transformer::Shape {
        heads: 8,
        key_value_heads: 4,
        head_size: 4,
        ..sample::SMALL
    };
    let bytes = sample::package(&[1; 32], shape).encode().unwrap();
    let input = encode_items(&[[1u16, 2]]).unwrap();
    assert_ne!(
        embed(bytes.clone(), shape, 2, 1, input.clone()).unwrap().claim,
        Claim::Unusable
    );
    assert_eq!(embed(bytes, other, 2, 1, input.clone()).unwrap().claim, Claim::Unusable);

    // A tokeniser hides the length of the dense layer.
    for (said, held) in [(0, 8), (8, 0), (8, 12), (12, 8), (8, 8)] {
        let of = |dense| transformer::Shape { dense, ..sample::SMALL };
        let mut package = sample::package(&[1; 32], of(held));
        package.tokenizer = vec![0; 1000];
        let outcome = embed(package.encode().unwrap(), of(said), 2, 1, input.clone()).unwrap();
        assert_eq!(outcome.claim != Claim::Unusable, said == held, "{said} {held}");
    }

    let shape = ClassifierShape {
        width: 3,
        height: 2,
        window_width: 3,
        window_height: 2,
        padding: 0,
        pool: 1,
        channels: 2,
        classes: 2,
    };
    let package = Package::new(shape.into(), 9, vec![3; shape.weights() as usize]).unwrap();
    for (maximum, shift, usable) in [(9, 8, true), (10, 8, false), (9, 7, false)] {
        let network = InferenceNetwork::Classification { shape, maximum, shift };
        let outcome = classify(package.encode(), network, 1, vec![4; 6]).unwrap();
        assert_eq!(outcome.claim != Claim::Unusable, usable);
    }
}
