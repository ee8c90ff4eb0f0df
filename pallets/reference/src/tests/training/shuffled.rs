//! Which images a batch has.

use super::{made::Data, plain};
use crate::{Step, of, tests::world::World};
use agora_jobs::{JobKind, JobSpec, NetworkShape};
use agora_math::field::Generator;

const NETWORK: NetworkShape = NetworkShape::Perceptron { hidden: 1 };

/// Trains one step, the one after `number` others, and returns the images of its batch, each in the eight (or four)
/// bytes of the last unit that found them.
fn batch(count: usize, batch: u32, number: u32) -> (Vec<u32>, usize) {
    let data = Data {
        maximum: 255,
        width: 1,
        height: 1,
        classes: 2,
        pixels: (0..count).map(|i| (i % 256) as u8).collect(),
        labels: (0..count).map(|i| (i / 256 % 2) as u8).collect(),
    };
    let numbers = [batch, 1, 1, 1, 0, 0, 0];
    let mut start = plain::first(&data.job(NETWORK, numbers, None).0);
    start.0 = number;
    let (job, contents) = data.job(NETWORK, numbers, Some(start.bytes()));
    let world = World::new(JobKind::Training(job), &contents).unwrap();
    world.units_stand_alone(if count < 1000 { 1 } else { 4000 });
    let spec = JobSpec::V2(JobKind::Training(job));
    let step = Step::State(1);
    // The order; then features, errors, the loss, two updates, one part.
    let last = of(&spec).units(step) - 7;
    let kept = &world.kept[&(step, last)];
    let images: Vec<u32> = if last == 0 {
        kept.chunks(4)
            .map(|image| u32::from_le_bytes(image.try_into().unwrap()))
            .collect()
    } else {
        kept[8..]
            .chunks(8)
            .map(|key| u64::from_le_bytes(key.try_into().unwrap()) as u32)
            .collect()
    };
    (images, last as usize + 1)
}

/// The images by sorting whole epochs.
fn expected(count: usize, batch: u32, number: u32) -> Vec<u32> {
    let generator = Generator::new(&[42; 32], b"training order");
    let order = |epoch: u64| {
        let words = (0..count as u64 / 4 + 1).flat_map(|block| generator.words((epoch << 32).wrapping_add(block)));
        let mut keys: Vec<(u32, u32)> = words.zip(0..count as u32).collect();
        keys.sort();
        keys
    };
    let places = (u64::from(number) * u64::from(batch)..).take(batch as usize);
    let mut known = (0, order(0));
    let image = |place: u64| {
        let epoch = place / count as u64;
        if epoch != known.0 {
            known = (epoch, order(epoch));
        }
        known.1[(place % count as u64) as usize].1
    };
    places.map(image).collect()
}

#[test]
fn a_small_data_set_is_sorted() {
    for (count, size, number) in [
        (1, 1, 0),
        (1, 256, 7),
        (3, 256, 1),
        (10, 4, 2),
        (10, 4, u32::MAX - 1),
        // An epoch above 2³².
        (3, 256, u32::MAX - 1),
        (300, 256, 1),
    ] {
        assert_eq!(
            batch(count, size, number),
            (expected(count, size, number), 1),
            "{count} {size} {number}"
        );
    }
}

#[test]
fn a_large_data_set_is_selected_from() {
    // One slice, and two; the first batch, one in the middle, one that is part of two epochs, one far on.
    for (count, units) in [((1 << 20) + 6, 3), ((1 << 21) + 6, 6)] {
        for (size, number) in [(4, 0), (200, 77), (4, count as u32 / 4), (256, u32::MAX - 1)] {
            assert_eq!(
                batch(count, size, number),
                (expected(count, size, number), units),
                "{count} {size} {number}"
            );
        }
    }
}
