//! Outputs are those of the golden vectors, and of a second implementation for jobs that are cut in other ways.

use super::{made::Data, plain};
use crate::tests::world::{Contents, World};
use agora_jobs::{JobKind, NetworkShape, TrainingJob};
use agora_math::field::Generator;
use proptest::prelude::*;
use serde_json::Value;

fn of_vector(case: &Value) -> (TrainingJob, Contents, Vec<u8>) {
    let bytes = |field: &Value| hex::decode(field.as_str().unwrap()).unwrap();
    let (job, network) = (&case["job"], &case["job"]["network"]);
    let number = |of: &Value, field: &str| of[field].as_u64().unwrap() as u32;
    let mut contents = Contents::default();
    let job = TrainingJob {
        data: contents.insert(bytes(&case["data"])),
        width: number(job, "width"),
        height: number(job, "height"),
        classes: number(job, "classes"),
        network: match network["kind"].as_str().unwrap() {
            "perceptron" => NetworkShape::Perceptron {
                hidden: number(network, "hidden"),
            },
            _ => NetworkShape::Convolutional {
                channels: number(network, "channels"),
                window: number(network, "window"),
                pool: number(network, "pool"),
            },
        },
        seed: bytes(&job["seed"]).try_into().unwrap(),
        batch: number(job, "batch"),
        segments: number(job, "segments"),
        segment_steps: number(job, "segment_steps"),
        state_interval: number(job, "state_interval"),
        rate_shift: number(job, "rate_shift"),
        halve_after: number(job, "halve_after"),
        momentum_shift: number(job, "momentum_shift"),
        start: case["start"]
            .as_str()
            .map(|start| contents.insert(hex::decode(start).unwrap())),
    };
    (job, contents, bytes(&case["output"]))
}

#[test]
fn outputs_are_those_of_the_vectors() {
    let text = include_str!("../../../../../tests/vectors/training.json");
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    assert!(cases.len() >= 6);
    for case in &cases {
        let (job, contents, output) = of_vector(case);
        let world = World::new(JobKind::Training(job), &contents).unwrap();
        assert_eq!(hex::encode(world.output()), hex::encode(output), "{}", case["name"]);
        world.units_stand_alone(1);
    }
}

/// Compares all states with those of the second implementation.
fn is_right(data: &Data, network: NetworkShape, numbers: [u32; 7]) -> World {
    is_right_from(data, network, numbers, None)
}

/// The same, from a checkpoint.
fn is_right_from(data: &Data, network: NetworkShape, numbers: [u32; 7], start: Option<plain::State>) -> World {
    let (job, contents) = data.job(network, numbers, start.as_ref().map(plain::State::bytes));
    let world = World::new(JobKind::Training(job), &contents).unwrap();
    let start = start.unwrap_or_else(|| plain::first(&job));
    let expected = plain::states(&job, data, start);
    assert_eq!(world.states.len(), expected.len());
    for (number, (found, expected)) in world.states.iter().zip(&expected).enumerate() {
        let wrong = found.iter().zip(expected).position(|(a, b)| a != b);
        assert_eq!(
            (found.len(), wrong),
            (expected.len(), None),
            "state {number} of {job:?}"
        );
    }
    world
}

/// A checkpoint with numbers from all of their ranges, so that features are as large as they can be.
fn made_state(data: &Data, network: NetworkShape, numbers: [u32; 7], seed: [u8; 32]) -> plain::State {
    let (job, _) = data.job(network, numbers, None);
    let generator = Generator::new(&seed, b"made state");
    let mut words = (0..).flat_map(|block| generator.words(block)).map(u32::cast_signed);
    let step = (words.next().unwrap() as u32).min(u32::MAX - job.steps());
    let mut numbers = |shift: u32, most: i64| -> Vec<i64> {
        let number = |word: i32| i64::from(word >> shift).clamp(-most, most);
        words.by_ref().take(job.weights() as usize).map(number).collect()
    };
    let weights = numbers(8, 127 << 16);
    plain::State(
        step,
        weights,
        numbers(9 - job.momentum_shift, 1 << (22 + job.momentum_shift)),
    )
}

#[test]
fn a_network_of_several_slices_and_updates_is_trained() {
    let data = Data::new(64, 64, 3, 5, 200);
    let world = is_right(&data, NetworkShape::Perceptron { hidden: 300 }, [3, 1, 2, 2, 3, 0, 2]);
    // Two slices of channels, ten updates of the first layer. Two steps, and a scan.
    assert_eq!(world.kept.len(), 2 * (1 + 2 + 1 + 1 + 10 + 1) + 1);
    world.units_stand_alone(3001);
}

#[test]
fn a_last_layer_of_several_updates_is_trained() {
    let data = Data::new(16, 16, 200, 7, 255);
    let network = NetworkShape::Convolutional {
        channels: 8,
        window: 1,
        pool: 1,
    };
    let world = is_right(&data, network, [2, 1, 2, 2, 2, 1, 3]);
    // Four updates of the last layer.
    assert_eq!(world.kept.len(), 2 * (1 + 1 + 1 + 1 + 1 + 4) + 1);
    world.units_stand_alone(301);
}

#[test]
fn a_batch_of_several_groups_is_trained() {
    let data = Data::new(16, 16, 64, 90, 255);
    let network = NetworkShape::Convolutional {
        channels: 32,
        window: 7,
        pool: 1,
    };
    let world = is_right(&data, network, [70, 1, 1, 1, 2, 1, 3]);
    // Two groups for the features, two for the errors, five updates of the last layer.
    assert_eq!(world.kept.len(), (1 + 2 + 2 + 1 + 1 + 5) + 1);
}

prop_compose! {
    fn networks(side: u32)(
        channels in 1u32..12, half in 0u32..4, pool in 1u32..=8, is_perceptron: bool,
    ) -> NetworkShape {
        if is_perceptron {
            return NetworkShape::Perceptron { hidden: channels };
        }
        let half = half.min((side - 1) / 2);
        NetworkShape::Convolutional { channels, window: 2 * half + 1, pool: pool.min(side) }
    }
}

prop_compose! {
    fn small_jobs()(width in 1u16..13, height in 1u16..13)(
        data in (1u16..9, 1usize..20, 1u8..)
            .prop_map(move |(classes, count, maximum)| Data::new(width, height, classes, count, maximum)),
        network in networks(width.min(height).into()),
        batch in 1u32..30, segments in 1u32..4, intervals in 1u32..3, interval in 1u32..3,
        rates in (0u32..9, 0u32..4, 0u32..7),
    ) -> (Data, NetworkShape, [u32; 7]) {
        (data, network, [batch, segments, intervals * interval, interval, rates.0, rates.1, rates.2])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn small_jobs_are_right((data, network, numbers) in small_jobs()) {
        is_right(&data, network, numbers).units_stand_alone(17);
    }

    #[test]
    fn small_jobs_are_right_from_any_checkpoint((data, network, numbers) in small_jobs(), seed: [u8; 32]) {
        let start = made_state(&data, network, numbers, seed);
        is_right_from(&data, network, numbers, Some(start)).units_stand_alone(17);
    }
}

#[test]
fn training_goes_on_from_a_checkpoint_as_if_it_had_not_stopped() {
    let data = Data::new(6, 5, 3, 8, 16);
    let network = NetworkShape::Convolutional {
        channels: 2,
        window: 3,
        pool: 2,
    };
    let whole = is_right(&data, network, [5, 2, 3, 1, 4, 2, 2]);
    let (job, _) = data.job(network, [5, 1, 3, 1, 4, 2, 2], None);
    let checkpoint = whole.states[3][..job.state_bytes() as usize].to_vec();
    let (job, contents) = data.job(network, [5, 1, 3, 1, 4, 2, 2], Some(checkpoint.clone()));
    let rest = World::new(JobKind::Training(job), &contents).unwrap();
    assert_eq!(rest.states[0], checkpoint);
    assert_eq!(rest.states[1..4], whole.states[4..7]);
    rest.units_stand_alone(1);
}
