//! Which inputs are unusable: what the engines refuse, and nothing else.

use super::{made::Data, plain};
use crate::{Fault, tests::world::World};
use agora_jobs::{JobKind, JobSpec, NetworkShape, TrainingJob};
use proptest::{prelude::*, sample::Index};

const NETWORK: NetworkShape = NetworkShape::Perceptron { hidden: 3 };
const NUMBERS: [u32; 7] = [2, 1, 2, 1, 1, 0, 2];

fn data() -> Data {
    Data::new(4, 3, 5, 6, 9)
}

/// The job with other inputs, whose references are changed with them.
fn changed(data: Vec<u8>, start: Option<Vec<u8>>) -> Result<World, Fault> {
    let (mut job, mut contents) = self::data().job(NETWORK, NUMBERS, None);
    job.data = contents.insert(data);
    job.start = start.map(|start| contents.insert(start));
    World::new(JobKind::Training(job), &contents)
}

/// Where the data set is unusable.
fn data_fault(data: Vec<u8>) -> u64 {
    match changed(data, None).map(|_| ()) {
        Err(Fault::Unusable { at, .. }) => at,
        other => panic!("{other:?}"),
    }
}

fn with(at: usize, byte: u8) -> Vec<u8> {
    let mut bytes = data().bytes();
    assert_ne!(bytes[at], byte);
    bytes[at] = byte;
    bytes
}

#[test]
fn a_header_of_anything_else_is_unusable() {
    changed(data().bytes(), None).unwrap();
    for at in 0..5 {
        assert_eq!(data_fault(with(at, 0)), 0);
    }
    assert_eq!(data_fault(with(5, 0)), 5);
    for (at, byte, fault) in [
        (6, 3, 6),
        (7, 1, 6),
        (6, 0, 6),
        (8, 4, 8),
        (9, 1, 8),
        (10, 6, 10),
        (10, 4, 10),
        (11, 1, 10),
        (12, 5, 12),
        (12, 7, 12),
        (12, 0, 12),
        (15, 128, 12),
    ] {
        assert_eq!(data_fault(with(at, byte)), fault, "{at}: {byte}");
    }
}

#[test]
fn a_transposed_data_set_is_unusable() {
    let data = data();
    let transposed = Data {
        width: data.height,
        height: data.width,
        ..data
    };
    assert_eq!(data_fault(transposed.bytes()), 6);
}

#[test]
fn a_data_set_of_another_length_is_unusable() {
    let bytes = data().bytes();
    for longer in [1, 12, 13, 26] {
        let bytes = [bytes.clone(), vec![0; longer]].concat();
        assert!([0, 12].contains(&data_fault(bytes)), "{longer}");
    }
    for len in [1, 5, 15, 16, 17, bytes.len() - 13, bytes.len() - 12, bytes.len() - 1] {
        assert!([0, 12].contains(&data_fault(bytes[..len].to_vec())), "{len}");
    }
}

#[test]
fn a_pixel_above_the_maximum_is_unusable() {
    let labels = data().bytes().len() - 6;
    for at in [16, 40, labels - 1] {
        assert_eq!(data_fault(with(at, 10)), at as u64);
        assert_eq!(data_fault(with(at, 255)), at as u64);
        let mut largest = data().bytes();
        largest[at] = 9;
        changed(largest, None).unwrap();
    }
}

#[test]
fn a_class_that_there_is_not_is_unusable() {
    let end = data().bytes().len();
    for at in [end - 6, end - 1] {
        assert_eq!(data_fault(with(at, 5)), at as u64);
        assert_eq!(data_fault(with(at, 255)), at as u64);
    }
    // A class may be larger than the largest pixel.
    let few = Data {
        maximum: 1,
        pixels: vec![1; 72],
        labels: vec![4; 6],
        ..data()
    };
    changed(few.bytes(), None).unwrap();
}

#[test]
fn the_last_of_many_bytes_is_scanned() {
    // The data set has more than two pieces.
    let mut data = Data::new(40, 40, 2, 1400, 3);
    let (job, contents) = data.job(NETWORK, [1, 1, 1, 1, 0, 0, 0], None);
    World::new(JobKind::Training(job), &contents).unwrap();
    data.labels[1399] = 2;
    let (job, contents) = data.job(NETWORK, [1, 1, 1, 1, 0, 0, 0], None);
    let fault = World::new(JobKind::Training(job), &contents).map(|_| ()).unwrap_err();
    let at = 16 + 1400 * 1601 - 1;
    assert!(
        matches!(fault, Fault::Unusable { at: found, .. } if found == at),
        "{fault:?}"
    );
}

/// A first state of the job, changed.
fn start(change: impl Fn(&mut plain::State)) -> Vec<u8> {
    let (job, _) = data().job(NETWORK, NUMBERS, None);
    let mut state = plain::first(&job);
    change(&mut state);
    state.bytes()
}

#[test]
fn a_checkpoint_at_the_bounds_is_taken() {
    let largest = start(|state| {
        state.1[0] = 127 << 16;
        state.1[1] = -(127 << 16);
        state.2[0] = 1 << 24;
        *state.2.last_mut().unwrap() = -(1 << 24);
        // Two steps on, it is the largest number.
        state.0 = u32::MAX - 2;
    });
    changed(data().bytes(), Some(largest)).unwrap();
}

#[test]
fn a_checkpoint_beyond_the_bounds_is_unusable() {
    let weights = {
        let (job, _) = data().job(NETWORK, NUMBERS, None);
        u64::from(job.weights())
    };
    let fault = |start: Vec<u8>| match changed(data().bytes(), Some(start)).map(|_| ()) {
        Err(Fault::Unusable { at, .. }) => at,
        other => panic!("{other:?}"),
    };
    for value in [(127 << 16) + 1, -(127 << 16) - 1, i32::MAX.into(), i32::MIN.into()] {
        assert_eq!(fault(start(|state| state.1[7] = value)), 4 + 4 * 7);
        let last = weights as usize - 1;
        assert_eq!(fault(start(|state| state.1[last] = value)), 4 * weights);
    }
    for value in [(1 << 24) + 1, -(1 << 24) - 1, i32::MIN.into()] {
        assert_eq!(fault(start(|state| state.2[0] = value)), 4 + 4 * weights);
        assert_eq!(fault(start(|state| *state.2.last_mut().unwrap() = value)), 8 * weights);
    }
    for step in [u32::MAX, u32::MAX - 1] {
        assert_eq!(fault(start(|state| state.0 = step)), 0);
    }
}

#[test]
fn a_job_with_a_checkpoint_of_another_length_is_not_valid() {
    for change in [-4i64, -1, 1, 4] {
        let (mut job, _) = data().job(NETWORK, NUMBERS, Some(start(|_| ())));
        let size = &mut job.start.as_mut().unwrap().size;
        *size = size.checked_add_signed(change).unwrap();
        let none: TrainingJob = job;
        assert!(JobSpec::V2(JobKind::Training(none)).validate().is_err());
    }
}

#[test]
fn a_blob_may_be_data_set_and_checkpoint_at_once() {
    // Ten images of a pixel have 36 bytes, as the state of four weights has.
    let data = Data {
        maximum: 1,
        width: 1,
        height: 1,
        classes: 1,
        pixels: vec![0; 10],
        labels: vec![0; 10],
    };
    let network = NetworkShape::Perceptron { hidden: 1 };
    let (mut job, contents) = data.job(network, [1, 1, 1, 1, 0, 0, 6], None);
    assert_eq!(job.state_bytes(), job.data.size);
    job.start = Some(job.data);
    let world = World::new(JobKind::Training(job), &contents).unwrap();
    assert_eq!(world.states[0], data.bytes());
}

/// Whether bytes are a data set of images of `expected`'s sizes, read field by field.
fn is_data_set(bytes: &[u8], expected: &Data) -> bool {
    let Some((header, rest)) = bytes.split_at_checked(16) else {
        return false;
    };
    let size = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    let count = u32::from_le_bytes(header[12..].try_into().unwrap());
    let image = u64::from(size(6)) * u64::from(size(8));
    let sizes = [size(6), size(8), size(10)] == [expected.width, expected.height, expected.classes];
    if &header[..5] != b"AGDS\x01" || header[5] == 0 || !sizes || count == 0 {
        return false;
    }
    if rest.len() as u64 != (image + 1) * u64::from(count) {
        return false;
    }
    let (pixels, labels) = rest.split_at(rest.len() - count as usize);
    pixels.iter().all(|&pixel| pixel <= header[5]) && labels.iter().all(|&class| u16::from(class) < expected.classes)
}

/// Any number, or one near the bounds.
fn numbers() -> impl Strategy<Value = i32> {
    prop_oneof![any::<i32>(), (20u32..26).prop_map(|bit| 1 << bit)]
}

/// Whether a state may be a checkpoint of the job.
fn is_checkpoint(bytes: &[u8], job: &TrainingJob) -> bool {
    let words: Vec<i64> = bytes
        .chunks(4)
        .map(|word| i32::from_le_bytes(word.try_into().unwrap()).into())
        .collect();
    let (weights, momenta) = words[1..].split_at(job.weights() as usize);
    let step = u32::from_le_bytes(bytes[..4].try_into().unwrap());
    u64::from(step) + u64::from(job.steps()) < 1 << 32
        && weights.iter().all(|weight| weight.abs() <= 127 << 16)
        && momenta
            .iter()
            .all(|momentum| momentum.abs() <= 1 << (22 + job.momentum_shift))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn data_sets_are_unusable_exactly_where_reading_them_fails(
        edits in prop::collection::vec((any::<Index>(), prop_oneof![0u8..12, any::<u8>()]), 0..3),
        // Edits of the header are as many as all others.
        header in prop::option::of((0usize..16, prop_oneof![0u8..9, any::<u8>()])),
        images in 1usize..4, cut in 0usize..3, more in 0usize..15,
    ) {
        let expected = Data::new(4, 3, 5, images, 9);
        let mut bytes = expected.bytes();
        bytes.truncate(bytes.len() - cut);
        bytes.resize(bytes.len() + if cut == 0 { more / 7 * 13 } else { more }, 0);
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some((at, byte)) = header {
            bytes[at] = byte;
        }
        let is_usable = is_data_set(&bytes, &expected);
        match changed(bytes, None).map(|_| ()) {
            Ok(()) => prop_assert!(is_usable),
            Err(Fault::Unusable { .. }) => prop_assert!(!is_usable),
            Err(fault) => panic!("{fault}"),
        }
    }

    #[test]
    fn checkpoints_are_unusable_exactly_beyond_their_bounds(
        edits in prop::collection::vec((any::<Index>(), numbers()), 0..3), step: u32,
    ) {
        let (job, _) = data().job(NETWORK, NUMBERS, None);
        let step = if step.is_multiple_of(2) { step } else { u32::MAX - step % 5 };
        let mut bytes = start(|state| state.0 = step);
        for (at, number) in edits {
            let at = 4 * at.index(bytes.len() / 4);
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        let is_usable = is_checkpoint(&bytes, &job);
        match changed(data().bytes(), Some(bytes)).map(|_| ()) {
            Ok(()) => prop_assert!(is_usable),
            Err(Fault::Unusable { .. }) => prop_assert!(!is_usable),
            Err(fault) => panic!("{fault}"),
        }
    }
}
