//! Jobs at and near their limits.

use crate::{
    Reference, Step,
    tests::{
        limits::{bounded, places, run_in_the_machine, survives, up_to},
        machine::Machine,
        world::{check_bounds, check_size},
    },
};
use agora_jobs::{BlobRef, ClassifierShape, InferenceJob, InferenceNetwork, JobKind, JobSpec, TransformerShape};
use proptest::prelude::*;

/// Weights of a unit at most, as `plan.rs` cuts them.
const BLOCK_WEIGHTS: u64 = 1 << 21;

fn blob(size: u64) -> BlobRef {
    BlobRef {
        size,
        ..BlobRef::to(&[])
    }
}

/// As many items as a job may have, at most `items`.
fn texts(shape: TransformerShape, tokens: u32, items: u32, more: u64) -> InferenceJob {
    let job = |items: u32| InferenceJob {
        model: blob(shape.package_bytes() + more % (1 << 26)),
        input: blob(4 + u64::from(items) * (2 + 2 * (1 + more % u64::from(tokens)))),
        network: InferenceNetwork::Embedding { shape, tokens },
        items,
    };
    let fits = |items: &u32| JobSpec::V2(JobKind::Inference(job(*items))).validate().is_ok();
    let halves = core::iter::successors(Some(items), |items| (*items > 1).then_some(items / 2));
    job(halves.clone().find(fits).unwrap_or(1))
}

fn images(shape: ClassifierShape, items: u32) -> InferenceJob {
    let job = |items: u32| InferenceJob {
        model: blob(shape.package_bytes()),
        input: blob(u64::from(items) * u64::from(shape.pixels())),
        network: InferenceNetwork::Classification {
            shape,
            maximum: 255,
            shift: 8,
        },
        items,
    };
    let fits = |items: &u32| JobSpec::V2(JobKind::Inference(job(*items))).validate().is_ok();
    let halves = core::iter::successors(Some(items), |items| (*items > 1).then_some(items / 2));
    job(halves.clone().find(fits).unwrap_or(1))
}

prop_compose! {
    /// Transformers up to the limits.
    fn transformer(most: u32)(
        vocabulary in up_to(65_536 / most), tokens in up_to((512 / most).max(70)), hidden in up_to(1024 / most),
        layers in up_to((128 / most).max(2)), key_heads in up_to(1365), group in up_to(1365), size in up_to(64),
        between in up_to(4096 / most), dense in prop_oneof![Just(0), up_to(4096 / most)],
    ) -> (TransformerShape, u32) {
        let head_size = 4 * size;
        let heads = (5461 / most.min(100) / head_size).max(1);
        let key_value_heads = key_heads.min(heads);
        let shape = TransformerShape {
            vocabulary, positions: tokens, hidden: 4 * hidden, layers,
            heads: key_value_heads * group.min(heads / key_value_heads), key_value_heads, head_size,
            intermediate: 4 * between, dense: 4 * dense,
        };
        (shape, tokens)
    }
}

prop_compose! {
    fn classifier()(
        sides in prop::array::uniform4(up_to(64)), padding in up_to(33), pool in up_to(8), channels in up_to(4096),
        classes in up_to(256),
    ) -> ClassifierShape {
        let [width, height, window_width, window_height] = sides.map(|side| side as u16);
        let (window_width, window_height) = (window_width.min(width), window_height.min(height));
        let mut shape = ClassifierShape {
            width, height, window_width, window_height,
            padding: (padding as u16 - 1).min(window_width.min(window_height) / 2),
            pool: pool as u16, channels: channels as u16, classes: classes as u16,
        };
        shape.channels = shape.channels.min((16_384 / shape.positions().max(1)) as u16);
        shape
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn units_of_embeddings_are_bounded(
        (shape, tokens) in transformer(1), items in up_to(1 << 20), more: u64, places in places(),
    ) {
        prop_assume!(bounded(JobKind::Inference(texts(shape, tokens, items, more)), &places));
    }

    #[test]
    fn units_of_classifications_are_bounded(shape in classifier(), items in up_to(1 << 20), places in places()) {
        prop_assume!(bounded(JobKind::Inference(images(shape, items)), &places));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn units_of_embeddings_survive_any_bytes(
        (shape, tokens) in transformer(64), more: u64, places in places(), seed: u32,
    ) {
        let job = texts(shape, tokens, 3, more % 1000);
        prop_assume!(survives(JobKind::Inference(job), &places[..2], seed));
    }

    #[test]
    fn units_of_classifications_survive_any_bytes(shape in classifier(), places in places(), seed: u32) {
        let job = images(shape, 3);
        prop_assume!(job.item_work() < 1 << 22);
        prop_assume!(survives(JobKind::Inference(job), &places[..2], seed));
    }
}

/// The widest transformers, with few and with many heads.
fn widest() -> [TransformerShape; 2] {
    let few = TransformerShape {
        vocabulary: 65_536,
        positions: 512,
        hidden: 4096,
        layers: 2,
        heads: 21,
        key_value_heads: 21,
        head_size: 256,
        intermediate: 16_384,
        dense: 16_384,
    };
    let many = TransformerShape {
        heads: 1365,
        key_value_heads: 1365,
        head_size: 4,
        ..few
    };
    [few, many]
}

#[test]
#[ignore = "minutes: make test-long"]
fn the_largest_units_run_in_the_machine() {
    for shape in widest() {
        assert!(run_in_the_machine(JobKind::Inference(texts(shape, 512, 1, 0))));
    }
    let shape = ClassifierShape {
        width: 64,
        height: 64,
        window_width: 7,
        window_height: 7,
        padding: 0,
        pool: 8,
        channels: 256,
        classes: 256,
    };
    assert!(run_in_the_machine(JobKind::Inference(images(shape, 2))));
}

#[test]
fn the_units_behind_the_layers_run_in_the_machine() {
    // The widest dense layer, and the one of the most rows that a block of weights has.
    for (hidden, dense) in [(4096, 16_384), (4, 16_384)] {
        let shape = TransformerShape {
            vocabulary: 4,
            positions: 64,
            hidden,
            layers: 1,
            heads: 1,
            key_value_heads: 1,
            head_size: 4,
            intermediate: 4,
            dense,
        };
        let job = texts(shape, 64, 1, 0);
        let spec = JobSpec::V2(JobKind::Inference(job));
        let (step, last) = (Step::State(0), job.units(Step::State(0)) - 1);
        let columns = (BLOCK_WEIGHTS / u64::from(hidden)).min(4096);
        let pooled = last - u64::from(dense).div_ceil(columns) - 1;
        for unit in [pooled, pooled + 1, last - 1, last] {
            let said = job.unit(step, unit).unwrap();
            for mask in [255, 1] {
                // It has no more gas than is said.
                let (output, gas) = Machine::of_noise(&spec, mask).run(step, unit);
                println!("{hidden} to {dense}, unit {unit}: {gas} of {} instructions", said.gas());
                check_size(&said, &output.unwrap());
            }
        }
    }
}

#[test]
fn every_unit_of_the_widest_transformers_is_bounded() {
    for shape in widest() {
        for tokens in [1, 63, 64, 65, 511, 512] {
            let job = texts(shape, tokens, 1, 0);
            assert_eq!(JobSpec::V2(JobKind::Inference(job)).validate(), Ok(()));
            for step in [Step::Inputs, Step::State(0), Step::State(1)] {
                for unit in 0..job.units(step) {
                    check_bounds(&job, step, unit);
                }
            }
        }
    }
}

#[test]
fn the_work_of_all_units_is_that_of_the_job_and_little_more() {
    let shape = TransformerShape {
        vocabulary: 1000,
        positions: 512,
        hidden: 384,
        layers: 6,
        heads: 12,
        key_value_heads: 12,
        head_size: 32,
        intermediate: 1536,
        dense: 1792,
    };
    for tokens in [64, 256, 512] {
        let job = texts(shape, tokens, 1, 0);
        let units = job.units(Step::State(0));
        let work: u64 = (0..units)
            .map(|unit| job.unit(Step::State(0), unit).unwrap().work)
            .sum();
        assert!(work >= shape.work(tokens));
        assert!(work < shape.work(tokens) * 5 / 4, "{work} {}", shape.work(tokens));
    }
}
