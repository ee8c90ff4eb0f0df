//! Inference: golden vectors of a second implementation, equality of the engines, the check, and what is refused.

mod opened;

use agora_compute::{
    BlobRef, CancelFlag, ClassifierShape, Computation, DeviceError, Engine, EngineError, GpuOptions, InferenceJob,
    InferenceNetwork, ItemsError, JobKind, JobSpec, MemoryInputs, NoProgress, Place, Verdict,
    classifier::NetworkError,
    encode_items, output_digest,
    transformer::{DenseActivation, Package, PackageError, Pooling, Shape, VALUE_MAX, sample},
};
use agora_primitives::job::JobError;
use codec::Encode;
use opened::{CPU, engines, gpu};
use proptest::prelude::*;
use serde::Deserialize;

/// A job with its inputs.
struct Published {
    job: InferenceJob,
    inputs: MemoryInputs,
}

impl Published {
    fn new(package: Vec<u8>, shape: Shape, items: &[Vec<u16>]) -> Self {
        let mut inputs = MemoryInputs::new();
        let longest = items.iter().map(Vec::len).max().unwrap_or(0) as u32;
        let job = InferenceJob {
            model: inputs.insert(package),
            input: inputs.insert(encode_items(items).unwrap()),
            network: InferenceNetwork::Embedding { shape, tokens: longest },
            items: items.len() as u32,
        };
        Self { job, inputs }
    }

    fn sample(seed: u8, items: &[Vec<u16>]) -> Self {
        Self::variant(seed, Pooling::Mean, 0, DenseActivation::Identity, items)
    }

    /// With a dense layer of so many outputs, unless these are none.
    fn variant(seed: u8, pooling: Pooling, dense: u32, activation: DenseActivation, items: &[Vec<u16>]) -> Self {
        let shape = Shape { dense, ..sample::SMALL };
        let mut package = sample::package(&[seed; 32], shape);
        package.encoder.pooling = pooling;
        if let Some(dense) = &mut package.encoder.dense {
            dense.activation = activation;
        }
        Self::new(package.encode().unwrap(), shape, items)
    }

    fn spec(&self) -> JobSpec {
        JobSpec::V2(JobKind::Inference(self.job))
    }

    fn run(&self, engine: &dyn Engine) -> Result<Computation, EngineError> {
        engine.run(&self.spec(), &self.inputs, &NoProgress, &CancelFlag::new())
    }

    fn check(&self, output: &[u8], seed: u8) -> Verdict {
        opened::check(&self.spec(), &self.inputs, output, &[seed; 32])
    }
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    seed: String,
    shape: [u32; 9],
    pooling: usize,
    dense_activation: usize,
    items: Vec<Vec<u16>>,
    package_hash: String,
    item_work: u64,
    input: String,
    job: String,
    item_digests: Vec<String>,
    digest: String,
    output: String,
}

impl Vector {
    fn all() -> Vec<Self> {
        serde_json::from_str(include_str!("../../../tests/vectors/inference.json")).unwrap()
    }

    fn published(&self) -> Published {
        let mut seed = [0; 32];
        hex::decode_to_slice(&self.seed, &mut seed).unwrap();
        let [
            vocabulary,
            positions,
            hidden,
            layers,
            heads,
            key_value_heads,
            head_size,
            intermediate,
            dense,
        ] = self.shape;
        let shape = Shape {
            vocabulary,
            positions,
            hidden,
            layers,
            heads,
            key_value_heads,
            head_size,
            intermediate,
            dense,
        };
        let mut package = sample::package(&seed, shape);
        package.encoder.pooling = Pooling::ALL[self.pooling];
        if let Some(dense) = &mut package.encoder.dense {
            dense.activation = DenseActivation::ALL[self.dense_activation];
        }
        Published::new(package.encode().unwrap(), shape, &self.items)
    }
}

#[test]
fn packages_inputs_and_jobs_are_those_of_the_second_implementation() {
    for vector in Vector::all() {
        let published = vector.published();
        assert_eq!(
            hex::encode(published.job.model.hash),
            vector.package_hash,
            "{}",
            vector.name
        );
        assert_eq!(published.job.item_work(), vector.item_work);
        assert_eq!(hex::encode(encode_items(&vector.items).unwrap()), vector.input);
        assert_eq!(hex::encode(published.spec().encode()), vector.job);
    }
}

#[test]
fn both_engines_compute_the_golden_vectors() {
    for engine in engines() {
        for vector in Vector::all() {
            let computation = vector.published().run(engine).unwrap();
            let name = format!("{} on {}", vector.name, engine.name());
            assert_eq!(hex::encode(&computation.output), vector.output, "{name}");
            let digests: Vec<String> = computation.state_digests.iter().map(hex::encode).collect();
            let expected: Vec<String> = vector.item_digests.into_iter().chain([vector.digest]).collect();
            assert_eq!(digests, expected, "{name}");
        }
    }
}

prop_compose! {
    fn items()(items in prop::collection::vec(prop::collection::vec(0u16..61, 1..=40), 1..20)) -> Vec<Vec<u16>> {
        items
    }
}

proptest! {
    #![proptest_config(agora_test_support::cases(24))]

    #[test]
    fn both_engines_give_the_same_bits(
        seed: u8, items in items(), pooling in prop::sample::select(Pooling::ALL.to_vec()), dense in 0u32..40,
        activation in prop::sample::select(DenseActivation::ALL.to_vec()),
    ) {
        let published = Published::variant(seed, pooling, 4 * dense, activation, &items);
        let [cpu, gpu] = engines().map(|engine| published.run(engine).unwrap());
        prop_assert!(cpu == gpu);
        prop_assert_eq!(cpu.digest(), output_digest(&cpu.output));
        prop_assert_eq!(published.check(&cpu.output, seed), Verdict::Right);
    }

    #[test]
    fn an_item_does_not_depend_on_the_others(seed: u8, items in items()) {
        let together = Published::sample(seed, &items).run(&CPU).unwrap().output;
        for (item, output) in items.iter().zip(together.chunks(64)) {
            let alone = Published::sample(seed, std::slice::from_ref(item)).run(&CPU).unwrap().output;
            prop_assert_eq!(alone, output);
        }
    }

    #[test]
    fn the_check_finds_what_is_wrong_in_every_item(seed: u8, items in items()) {
        let published = Published::sample(1, &items);
        let mut output = published.run(&CPU).unwrap().output;
        for item in output.chunks_mut(64) {
            item[usize::from(seed) % 64] ^= 1;
        }
        prop_assert!(matches!(published.check(&output, seed), Verdict::Wrong(Place::Item(_))));
    }
}

#[test]
fn the_check_finds_a_single_wrong_item_once_it_is_drawn() {
    let items: Vec<Vec<u16>> = (0..60).map(|i| vec![i, i + 1]).collect();
    let published = Published::sample(3, &items);
    let right = published.run(&CPU).unwrap().output;
    let mut wrong = right.clone();
    wrong[7 * 64 + 5] ^= 0x10;
    let verdicts: Vec<Verdict> = (0..100).map(|seed| published.check(&wrong, seed)).collect();
    let found = verdicts
        .iter()
        .filter(|&&verdict| verdict == Verdict::Wrong(Place::Item(7)))
        .count();
    let passed = verdicts.iter().filter(|verdict| verdict.is_right()).count();
    assert_eq!(found + passed, 100);
    // 20 points are drawn of 60 items of one length: 28.5 checks in 100 find it.
    assert!((15..=45).contains(&found), "{found}");

    let short = published.check(&right[1..], 0);
    assert_eq!(
        short,
        Verdict::Wrong(Place::Length {
            expected: 3840,
            found: 3839
        })
    );
}

#[test]
fn sums_over_the_longest_items_are_exact_at_the_largest_values() {
    let shape = Shape {
        positions: 512,
        ..sample::SMALL
    };
    let items = [vec![7; 512], (0..512).map(|token| token % 61).collect(), vec![60]];
    for pooling in Pooling::ALL {
        let mut package = sample::package(&[9; 32], shape);
        package.encoder.pooling = pooling;
        let varied = Published::new(package.encode().unwrap(), shape, &items);
        // The last normalisation leaves its bias alone: the largest value and the smallest, in turns.
        let last = &mut package.encoder.layers[1].output_norm;
        last.weight.fill(0);
        let sign = |place: usize| if place.is_multiple_of(2) { 1 } else { -1 };
        (0..)
            .zip(&mut last.bias)
            .for_each(|(place, bias)| *bias = sign(place) * VALUE_MAX);
        let extreme = Published::new(package.encode().unwrap(), shape, &items);
        let [cpu, gpu] = engines().map(|engine| [&varied, &extreme].map(|job| job.run(engine).unwrap().output));
        assert!(cpu == gpu, "{pooling:?}");
        for vector in cpu[1].as_chunks::<64>().0 {
            for (place, bytes) in (0..).zip(vector.as_chunks().0) {
                // 2¹⁵ / √32.
                let found = i32::from(i16::from_le_bytes(*bytes)) * sign(place);
                assert!((5792..=5793).contains(&found), "{pooling:?}: {found}");
            }
        }
    }
}

#[test]
fn small_devices_compute_the_same_in_more_batches() {
    let items: Vec<Vec<u16>> = (1..40).map(|i| (0..i).map(|token| token * i % 61).collect()).collect();
    let published = Published::variant(9, Pooling::Weighted, 300, DenseActivation::Tanh, &items);
    let reference = published.run(&CPU).unwrap();
    for (max_workgroups, max_work) in [(Some(40), None), (None, Some(1)), (None, Some(1_000_000))] {
        let engine = gpu(&GpuOptions {
            max_workgroups,
            max_work,
            ..GpuOptions::default()
        });
        assert!(
            published.run(&engine).unwrap() == reference,
            "{max_workgroups:?} {max_work:?}"
        );
    }
}

#[test]
fn devices_that_are_too_small_say_so() {
    let published = Published::sample(9, &[vec![0; 40]]);
    for (max_workgroups, max_buffer_bytes) in [(Some(39), None), (None, Some(4000))] {
        let engine = gpu(&GpuOptions {
            max_workgroups,
            max_buffer_bytes,
            ..GpuOptions::default()
        });
        assert!(matches!(
            published.run(&engine),
            Err(EngineError::Device(DeviceError::Limit { .. }))
        ));
    }
}

#[test]
fn jobs_that_do_not_fit_their_inputs_are_refused() {
    let items = vec![vec![1, 2, 3], vec![4], vec![5, 6]];
    let refused = |published: &Published| match published.run(&CPU) {
        Err(EngineError::Items(error)) => error,
        other => panic!("{other:?}"),
    };
    let good = || Published::sample(1, &items);

    let mut published = good();
    published.job.items = 4;
    assert_eq!(refused(&published), ItemsError::Count { expected: 4, found: 3 });
    let with_network = |change: &dyn Fn(&mut Shape, &mut u32)| {
        let mut published = good();
        let InferenceNetwork::Embedding { shape, tokens } = &mut published.job.network else {
            panic!("it embeds");
        };
        change(shape, tokens);
        refused(&published)
    };
    let long = ItemsError::Length {
        item: 0,
        found: 3,
        most: 2,
    };
    // Two tokens an item are enough for as many bytes.
    assert_eq!(with_network(&|_, tokens| *tokens = 2), long);
    // Such a package is as long.
    let swapped = |shape: &mut Shape, _: &mut u32| {
        (shape.heads, shape.key_value_heads, shape.head_size) = (12, 6, 4);
    };
    assert_eq!(with_network(&swapped), ItemsError::Network);
    let mut published = Published::variant(1, Pooling::Mean, 8, DenseActivation::Identity, &items);
    if let InferenceNetwork::Embedding { shape, .. } = &mut published.job.network {
        shape.dense = 0;
    }
    assert_eq!(refused(&published), ItemsError::Network);

    let with_input = |input: Vec<u8>| {
        let mut published = good();
        published.job.input = published.inputs.insert(input);
        refused(&published)
    };
    let input = encode_items(&items).unwrap();
    assert_eq!(with_input(input[..input.len() - 1].to_vec()), ItemsError::Truncated(2));
    assert_eq!(with_input([input.as_slice(), &[0]].concat()), ItemsError::Trailing(1));
    let with_items = |items: &[Vec<u16>]| with_input(encode_items(items).unwrap());
    assert!(matches!(
        with_items(&[vec![1], vec![], vec![1, 2]]),
        ItemsError::Length {
            item: 1,
            found: 0,
            most: 3
        }
    ));
    assert!(matches!(
        with_items(&[vec![0; 4], vec![0], vec![0]]),
        ItemsError::Length { item: 0, found: 4, .. }
    ));
    let unknown = ItemsError::Token {
        item: 1,
        token: 61,
        vocabulary: 61,
    };
    assert_eq!(with_items(&[vec![60], vec![0, 61], vec![0]]), unknown);
}

#[test]
fn other_tasks_and_missing_inputs_are_refused() {
    let mut published = Published::sample(1, &[vec![1]]);
    let package = published.job.model.size;
    // The beginning of the package of a transformer, as long as that of a classifier.
    let shape = ClassifierShape {
        width: 64,
        height: 64,
        window_width: 64,
        window_height: 64,
        padding: 0,
        pool: 1,
        channels: 12,
        classes: 1,
    };
    published.job.network = InferenceNetwork::Classification {
        shape,
        maximum: 1,
        shift: 8,
    };
    published.job.model = published.inputs.insert({
        let mut bytes = sample::package(&[1; 32], sample::SMALL).encode().unwrap();
        bytes.truncate(shape.package_bytes() as usize);
        bytes
    });
    assert!(published.job.model.size < package);
    published.job.input = published.inputs.insert(vec![0; 64 * 64]);
    let wrong = EngineError::Network(NetworkError::Architecture(0));
    assert_eq!(published.run(&CPU).unwrap_err().to_string(), wrong.to_string());
    published.job.network = InferenceNetwork::Generation;
    assert!(matches!(
        published.run(&CPU),
        Err(EngineError::Job(JobError::Unsupported))
    ));
    let mut published = Published::sample(1, &[vec![1]]);
    published.job.model = BlobRef {
        hash: [9; 32].into(),
        ..published.job.model
    };
    assert!(matches!(published.run(&CPU), Err(EngineError::Input(_))));
}

#[test]
fn cancelled_jobs_stop() {
    let published = Published::sample(1, &[vec![1]]);
    let cancel = CancelFlag::new();
    cancel.cancel();
    for engine in engines() {
        let result = engine.run(&published.spec(), &published.inputs, &NoProgress, &cancel);
        assert!(matches!(result, Err(EngineError::Cancelled)));
    }
}

#[test]
fn packages_are_read_as_they_were_written() {
    for dense in [0, 24] {
        let shape = Shape { dense, ..sample::SMALL };
        let package = sample::package(&[5; 32], shape);
        let bytes = package.encode().unwrap();
        assert_eq!(bytes.len() as u64, shape.package_bytes());
        assert_eq!(Package::decode(&bytes).unwrap(), package);
        let last = bytes.len() - 300..bytes.len();
        for length in (0..bytes.len()).step_by(97).chain(0..200).chain(last) {
            let error = Package::decode(&bytes[..length]).unwrap_err();
            assert!(matches!(error, PackageError::Truncated { .. }), "{length}: {error}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(Package::decode(&longer), Err(PackageError::Trailing(1)));
    }
}

#[test]
fn encoders_whose_dense_layer_is_not_that_of_their_shape_cannot_be_written() {
    let with = |dense| sample::package(&[5; 32], Shape { dense, ..sample::SMALL });
    for (shape, held) in [(0, 24), (24, 0), (24, 20)] {
        let mut package = with(shape);
        package.encoder.dense = with(held).encoder.dense;
        assert!(package.encode().is_err(), "{shape} {held}");
    }
    let mut package = with(24);
    package.encoder.dense.as_mut().unwrap().linear.bias[3] = 1 << 19;
    assert!(matches!(package.encode(), Err(PackageError::Element { tensor, .. }) if tensor == "dense.bias"));
}

#[test]
fn headers_of_other_packages_are_refused() {
    let bytes = sample::package(&[5; 32], sample::SMALL).encode().unwrap();
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        Package::decode(&bytes).unwrap_err()
    };
    assert_eq!(with(0, b'B'), PackageError::Magic);
    assert_eq!(with(4, 2), PackageError::Version(2));
    assert_eq!(with(5, 1), PackageError::Architecture(1));
    for size in 0..9 {
        // A size of millions, while the bytes end long before.
        assert!(
            matches!(with(6 + 4 * size + 3, 0x7f), PackageError::Size { .. }),
            "{size}"
        );
    }
    for part in 42..48 {
        assert!(matches!(with(part, 1), PackageError::Unsupported { found: 1, .. }));
    }
    // There are five poolings, and without a dense layer no activation of it.
    for (at, number) in [(48, 5), (48, 0xff), (49, 1), (49, 0xff)] {
        assert!(matches!(with(at, number), PackageError::Unsupported { found, .. } if found == number));
    }
    let shape = Shape {
        dense: 8,
        ..sample::SMALL
    };
    let mut bytes = sample::package(&[5; 32], shape).encode().unwrap();
    bytes[49] = 1;
    assert!(Package::decode(&bytes).is_ok());
    bytes[49] = 2;
    assert!(matches!(
        Package::decode(&bytes),
        Err(PackageError::Unsupported { found: 2, .. })
    ));
    bytes[38] = 9;
    assert!(matches!(
        Package::decode(&bytes),
        Err(PackageError::Size { found: 9, .. })
    ));
}

proptest! {
    #![proptest_config(agora_test_support::cases(300))]

    #[test]
    fn changed_packages_are_refused_or_computed_without_a_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), dense in 0u32..3,
    ) {
        let shape = Shape { dense: 4 * dense, ..sample::SMALL };
        let mut bytes = sample::package(&[5; 32], shape).encode().unwrap();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(package) = Package::decode(&bytes) {
            let published = Published::new(bytes, package.encoder.shape, &[vec![1, 2, 3]]);
            let _ = published.run(&CPU);
        }
    }
}
