//! Which packages and items are unusable.

use super::{
    made::{Images, Texts, shape_of},
    world,
};
use crate::tests::world::{Contents, unusable_at};
use agora_jobs::{ClassifierShape, InferenceJob, InferenceNetwork, JobKind, JobSpec};
use proptest::{prelude::*, sample::Index};

const SHAPE: [u32; 9] = [5, 3, 4, 1, 1, 1, 4, 4, 8];

fn texts() -> Texts {
    Texts::new([9; 32], SHAPE, &[vec![0, 1, 2], vec![4], vec![3, 3]])
}

fn images() -> Images {
    let shape = ClassifierShape {
        width: 3,
        height: 2,
        window_width: 2,
        window_height: 2,
        padding: 1,
        pool: 1,
        channels: 2,
        classes: 3,
    };
    let weights = (0..shape.weights()).map(|i| (i as u8).wrapping_mul(5) & 0x7f);
    Images::of(shape, 20, 8, weights.collect(), (0..12).collect())
}

/// Where the job is unusable, if it is.
fn fault((mut job, contents): (InferenceJob, Contents), change: impl Fn(&mut InferenceJob)) -> Option<u64> {
    change(&mut job);
    unusable_at(JobKind::Inference(job), &contents)
}

fn package_fault(package: Vec<u8>) -> Option<u64> {
    fault(Texts { package, ..texts() }.job(), |_| ())
}

fn with(at: usize, byte: u8) -> Vec<u8> {
    let mut package = texts().package;
    assert_ne!(package[at], byte);
    package[at] = byte;
    package
}

#[test]
fn a_header_of_anything_else_is_unusable() {
    assert_eq!(package_fault(texts().package), None);
    for at in 0..50 {
        assert_eq!(package_fault(with(at, 0x55)), Some(at as u64));
    }
    // Epsilon may be any number.
    for at in 50..54 {
        assert_eq!(package_fault(with(at, 0xff)), None);
    }
}

#[test]
fn variants_that_there_are_not_are_unusable() {
    for (at, last) in [(48, 4), (49, 1)] {
        for number in 1..=last {
            assert_eq!(package_fault(with(at, number)), None);
        }
        assert_eq!(package_fault(with(at, last + 1)), Some(at as u64));
    }
    // Where there is no dense layer, it has no activation.
    let mut texts = Texts::new([9; 32], [5, 3, 4, 1, 1, 1, 4, 4, 0], &[vec![0]]);
    assert_eq!(fault(texts.job(), |_| ()), None);
    texts.package[49] = 1;
    assert_eq!(fault(texts.job(), |_| ()), Some(49));
}

#[test]
fn another_dense_layer_than_that_of_the_job_is_unusable() {
    let texts = |dense: u32| Texts::new([9; 32], [5, 3, 4, 1, 1, 1, 4, 4, dense], &[vec![0]]);
    for (package, job) in [(8, 0), (0, 8), (4, 8), (8, 4)] {
        // The tokeniser hides the length of the package, where it can.
        let mut package = texts(package).package;
        package.extend([0; 400]);
        let shape = texts(job).shape;
        let made = Texts {
            package,
            shape,
            ..texts(job)
        };
        assert_eq!(fault(made.job(), |_| ()), Some(38), "{job}");
    }
}

/// Where the elements of a tensor begin.
fn place(layer: Option<u32>, owner: &str, role: &str) -> usize {
    let shape = shape_of(SHAPE);
    let mut at = layer.map_or(54, |layer| shape.layer_offset(layer));
    let tensors = match layer {
        None if owner == "dense" => {
            at = shape.layer_offset(shape.layers);
            shape.last_tensors()
        }
        None => shape.first_tensors(),
        Some(_) => shape.layer_tensors(),
    };
    for tensor in tensors {
        let header = tensor.header(layer).len() as u64;
        if (tensor.owner, tensor.role) == (owner, role) {
            return (at + header) as usize;
        }
        at += tensor.bytes(layer);
    }
    panic!("{owner}.{role}")
}

#[test]
fn an_element_out_of_bounds_is_unusable() {
    let change = |layer, owner, role, element: usize, value: &[u8]| {
        let mut package = texts().package;
        let at = place(layer, owner, role) + element * value.len();
        package[at..at + value.len()].copy_from_slice(value);
        assert!(package_fault(package).is_none_or(|found| found == at as u64));
        let mut package = texts().package;
        package[at..at + value.len()].copy_from_slice(value);
        package_fault(package).is_some()
    };
    let four = |value: i32| value.to_le_bytes();
    let one = |value: i8| value.to_le_bytes();
    for (layer, owner) in [
        (None, "embedding"),
        (Some(0), "attention.input"),
        (Some(0), "perceptron.contract"),
        (None, "dense"),
    ] {
        assert!(change(layer, owner, "multiplier", 1, &four(-1)));
        assert!(!change(layer, owner, "multiplier", 1, &four(i32::MAX)));
        assert!(change(layer, owner, "shift", 2, &one(63)));
        assert!(change(layer, owner, "shift", 2, &one(-1)));
        assert!(!change(layer, owner, "shift", 2, &one(62)));
        assert!(!change(layer, owner, "weight", 2, &one(-128)));
    }
    for (layer, owner) in [(None, "embedding.norm"), (Some(0), "perceptron.norm")] {
        assert!(!change(layer, owner, "weight", 3, &four(i32::MIN)));
        assert!(change(layer, owner, "shift", 0, &one(63)));
        assert!(!change(layer, owner, "bias", 3, &four(524_287)));
        assert!(change(layer, owner, "bias", 3, &four(524_288)));
        assert!(change(layer, owner, "bias", 0, &four(-524_288)));
    }
    assert!(change(Some(0), "attention.output", "limbs", 0, &one(0)));
    assert!(change(Some(0), "attention.output", "limbs", 0, &one(3)));
    assert!(change(None, "dense", "limbs", 0, &one(0)));
    assert!(!change(None, "dense", "bias", 7, &four(-524_287)));
    assert!(change(None, "dense", "bias", 7, &four(-524_288)));
    assert!(change(None, "table", "exponent", 0, &four(32_767)));
    assert!(change(None, "table", "exponent", 1, &four(32_769)));
    assert!(change(None, "table", "exponent", 1023, &four(-1)));
    assert!(!change(None, "table", "exponent", 1023, &four(0)));
    assert!(change(None, "table.activation", "shift", 0, &one(9)));
    assert!(change(None, "table.activation", "shift", 0, &one(0)));
    assert!(change(None, "table", "activation", 4095, &four(i32::MIN)));
    assert!(!change(None, "embedding", "position", 11, &[0, 0x80]));
}

#[test]
fn the_tokeniser_ends_the_package_and_is_any_bytes() {
    let end = texts().package.len() as u64 - 4;
    let with = |length: u32, more: &[u8]| {
        let mut package = texts().package;
        package.truncate(end as usize);
        package.extend(length.to_le_bytes());
        package.extend(more);
        package_fault(package)
    };
    assert_eq!(with(0, &[]), None);
    assert_eq!(with(3, &[0, 255, 7]), None);
    assert_eq!(with(300, &[9; 300]), None);
    assert_eq!(with(1, &[]), Some(end));
    assert_eq!(with(0, &[1]), Some(end));
    assert_eq!(with(300, &[9; 299]), Some(end));
    assert_eq!(with(300, &[9; 301]), Some(end));
    assert_eq!(with(1 << 24, &[9; 10]), Some(end));
}

#[test]
fn another_network_than_that_of_the_job_is_unusable() {
    // Rows of four times five numbers are as long as rows of five times four.
    let job = Texts::new([1; 32], [5, 3, 4, 1, 2, 1, 4, 4, 0], &[vec![1]]).job();
    let swap = |job: &mut InferenceJob| {
        if let InferenceNetwork::Embedding { shape, .. } = &mut job.network {
            (shape.heads, shape.key_value_heads) = (2, 2);
        }
        // The package would be longer.
        let InferenceNetwork::Embedding { shape, .. } = job.network else {
            panic!("it embeds");
        };
        assert_ne!(shape.package_bytes(), job.model.size);
        job.network = InferenceNetwork::Embedding {
            shape: shape_of([5, 3, 4, 1, 2, 1, 4, 4, 0]),
            tokens: 1,
        };
    };
    assert_eq!(fault(job, swap), None);
    let wide = Texts::new([1; 32], [5, 3, 4, 1, 2, 1, 8, 4, 0], &[vec![1]]);
    let other = |job: &mut InferenceJob| {
        job.network = InferenceNetwork::Embedding {
            shape: shape_of([5, 3, 4, 1, 4, 2, 4, 4, 0]),
            tokens: 1,
        };
    };
    // Heads are before the size of a head.
    assert_eq!(fault(wide.job(), other), Some(22));
    for (maximum, shift, at) in [(21, 8, Some(22)), (20, 9, Some(23)), (20, 8, None)] {
        let change = |job: &mut InferenceJob| {
            if let InferenceNetwork::Classification {
                maximum: m, shift: s, ..
            } = &mut job.network
            {
                (*m, *s) = (maximum, shift);
            }
        };
        assert_eq!(fault(images().job(), change), at);
    }
}

#[test]
fn items_that_are_no_list_of_known_tokens_are_unusable() {
    let with_input = |input: &[u8]| {
        let (mut job, mut contents) = texts().job();
        job.input = contents.insert(input.to_vec());
        fault((job, contents), |_| ())
    };
    let input = texts().input();
    assert_eq!(input.len(), 4 + 8 + 4 + 6);
    assert_eq!(with_input(&input), None);
    let with = |at: usize, byte: u8| {
        let mut input = input.clone();
        input[at] = byte;
        with_input(&input)
    };
    // Another number of items.
    assert_eq!(with(0, 2), Some(0));
    assert_eq!(with(0, 4), Some(0));
    assert_eq!(with(3, 1), Some(0));
    // A token that is unknown, no token, too many.
    assert_eq!(with(14, 5), Some(12));
    assert_eq!(with(15, 1), Some(12));
    assert_eq!(with(12, 0), Some(12));
    assert_eq!(with(4, 4), Some(4));
    assert_eq!(with(4, 1), Some(16));
    // The last item is longer than the input.
    assert_eq!(with(16, 3), Some(16));
    assert_eq!(with_input(&input[..21]), Some(16));
    assert_eq!(with_input(&input[..17]), Some(16));
    assert_eq!(with_input(&input[..16]), Some(16));
    assert_eq!(with_input(&[&input[..], &[0]].concat()), Some(22));
    assert_eq!(with(16, 1), Some(20));
}

#[test]
fn items_of_more_tokens_than_the_job_says_are_unusable() {
    let less = |job: &mut InferenceJob| {
        if let InferenceNetwork::Embedding { tokens, .. } = &mut job.network {
            *tokens = 2;
        }
    };
    assert_eq!(fault(texts().job(), less), Some(4));
}

#[test]
fn pixels_and_weights_out_of_bounds_are_unusable() {
    assert_eq!(fault(images().job(), |_| ()), None);
    for (at, byte, usable) in [(0, 21, false), (11, 255, false), (11, 20, true)] {
        let mut images = images();
        images.pixels[at] = byte;
        assert_eq!(fault(images.job(), |_| ()), (!usable).then_some(at as u64));
    }
    let last = images().package.len() - 1;
    for (at, byte, usable) in [(24, 128, false), (last, 128, false), (last, 129, true)] {
        let mut images = images();
        images.package[at] = byte;
        assert_eq!(fault(images.job(), |_| ()), (!usable).then_some(at as u64));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changed_bytes_are_unusable_or_computed(
        package in prop::collection::vec((any::<Index>(), any::<u8>()), 0..3),
        input in prop::collection::vec((any::<Index>(), any::<u8>()), 0..3),
        truncated in 0usize..3, longer in 0usize..3,
    ) {
        let mut made = texts();
        for (index, byte) in package {
            let at = index.index(made.package.len());
            made.package[at] = byte;
        }
        let mut bytes = made.input();
        bytes.truncate(bytes.len() - truncated);
        bytes.extend(vec![0; longer]);
        for (index, byte) in input {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        let (mut job, mut contents) = made.job();
        job.input = contents.insert(bytes);
        prop_assume!(JobSpec::V2(JobKind::Inference(job)).validate().is_ok());
        fault((job, contents), |_| ());
    }
}

#[test]
fn the_last_of_many_bytes_is_scanned() {
    // The package has more than two pieces.
    let mut texts = Texts::new([2; 32], [60_000, 3, 32, 1, 1, 1, 4, 4, 0], &[vec![1]]);
    assert!(texts.package.len() > 2 << 20);
    let (job, contents) = texts.job();
    world(job, &contents);
    let at = texts.package.len() - 5;
    texts.package[at] = 0x7f;
    let found = fault(texts.job(), |_| ());
    assert_eq!(found, Some(at as u64 - 3));
}
