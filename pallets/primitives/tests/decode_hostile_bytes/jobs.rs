//! Job specifications.

use crate::{mutation::hostile, rounds};
use agora_primitives::{
    job::{
        BlobRef, ClassifierShape, InferenceJob, InferenceNetwork, JobKind, JobSource, JobSpec, MAX_BLOB, MAX_FRAMES,
        MAX_ITEMS, MAX_ITERATIONS, MAX_MATRIX_SIZE, MAX_PROGRAM_GAS, MAX_RECORD_BYTES, MAX_SCENE_BYTES, MAX_STORED_JOB,
        MatmulJob, Mode, NetworkShape, ProgramJob, Region, RenderingJob, StoredJob, SyntheticJob, TrainingJob,
        TransformerShape,
    },
    participants::Specialisation,
};
use codec::Encode;
use proptest::{prelude::*, sample::select, strategy::ValueTree, test_runner::TestRunner};
use scale_info::{TypeDef, TypeInfo};
use sp_core::H256;
use std::collections::BTreeSet;

#[path = "../../../../fuzz/src/jobs.rs"]
mod properties;

fn blob() -> impl Strategy<Value = BlobRef> {
    (any::<[u8; 32]>(), 0..2 * MAX_BLOB).prop_map(|(hash, size)| BlobRef { hash: H256(hash), size })
}

/// Rows whose sizes fit one another, so that most are valid before they are changed.
fn rows() -> impl Strategy<Value = JobKind> {
    let counts = (1..500u32, 0..400u32, 0..400u32, 0..300u32, 0..300u32);
    (counts, blob(), blob()).prop_map(|((columns, first_row, rows, more_rows, vectors), matrix, input)| {
        JobKind::Matmul(MatmulJob {
            matrix: BlobRef {
                size: u64::from(first_row + rows + more_rows) * u64::from(columns),
                ..matrix
            },
            columns,
            first_row,
            rows,
            input: BlobRef {
                size: (vectors * columns).into(),
                ..input
            },
            vectors,
        })
    })
}

/// Transformers of which much is valid before they are changed, and the length of their packages.
fn transformer() -> impl Strategy<Value = (InferenceNetwork, u64)> {
    let widths = (1u32..300, 1u32..40, 1u32..40, 1u32..70).prop_map(|(a, b, c, d)| (a, 4 * b, 4 * c, 4 * d));
    (widths, 30u32..514, 0u32..130, 1u32..20, 1u32..4, 0u32..40, 0u32..70).prop_map(
        |((vocabulary, hidden, head_size, intermediate), positions, layers, key_value_heads, group, tokens, dense)| {
            let shape = TransformerShape {
                vocabulary,
                positions,
                hidden,
                layers,
                heads: key_value_heads * group,
                key_value_heads,
                head_size,
                intermediate,
                dense: 4 * dense,
            };
            (InferenceNetwork::Embedding { shape, tokens }, shape.package_bytes())
        },
    )
}

/// Classifiers of which much is valid before they are changed, and the length of their packages.
fn classifier() -> impl Strategy<Value = (InferenceNetwork, u64)> {
    let image = (1u16..20, 1u16..20, 1u16..20, 1u16..20);
    (image, 0u16..3, 0u16..5, 0u16..40, 0u16..300, any::<u8>(), 0u8..27).prop_map(
        |((width, height, window_width, window_height), padding, pool, channels, classes, maximum, shift)| {
            let shape = ClassifierShape {
                width,
                height,
                window_width: window_width.min(width),
                window_height: window_height.min(height),
                padding,
                pool,
                channels,
                classes,
            };
            let network = InferenceNetwork::Classification { shape, maximum, shift };
            (network, shape.package_bytes())
        },
    )
}

fn inference() -> impl Strategy<Value = JobKind> {
    let generation = Just((InferenceNetwork::Generation, 100));
    let network = prop_oneof![4 => transformer(), 4 => classifier(), 1 => generation];
    let items = prop_oneof![1 => 0..2 * MAX_ITEMS, 3 => 0u32..100];
    (blob(), blob(), network, items, any::<bool>()).prop_map(|(model, input, (network, package), items, fits)| {
        let size = match network {
            InferenceNetwork::Embedding { .. } => 4 + 4 * u64::from(items),
            InferenceNetwork::Classification { shape, .. } => u64::from(shape.pixels()) * u64::from(items),
            InferenceNetwork::Generation => 10,
        };
        let sized = |blob: BlobRef, size| if fits { BlobRef { size, ..blob } } else { blob };
        JobKind::Inference(InferenceJob {
            model: sized(model, package),
            input: sized(input, size),
            network,
            items,
        })
    })
}

/// Training of which much is valid before it is changed.
fn training() -> impl Strategy<Value = JobKind> {
    let network = prop_oneof![
        (0..2048u32).prop_map(|hidden| NetworkShape::Perceptron { hidden }),
        (0..64u32, 0..8u32, 0..10u32).prop_map(|(channels, window, pool)| NetworkShape::Convolutional {
            channels,
            window,
            pool,
        }),
    ];
    let images = (0..70u32, 0..70u32, 0..300u32);
    let steps = (0..300u32, 0..300u32, 0..1000u32, 0..20u32);
    let rates = (0..20u32, any::<u32>(), 0..8u32);
    let bytes = (any::<[u8; 32]>(), blob(), proptest::option::of(blob()), any::<bool>());
    (network, images, steps, rates, bytes).prop_map(|(network, images, steps, rates, bytes)| {
        let (seed, data, start, fits) = bytes;
        let job = TrainingJob {
            data,
            width: images.0,
            height: images.1,
            classes: images.2,
            network,
            seed,
            batch: steps.0,
            segments: steps.1,
            segment_steps: steps.2 * steps.3,
            state_interval: steps.3,
            rate_shift: rates.0,
            halve_after: rates.1,
            momentum_shift: rates.2,
            start,
        };
        let fitting = start.map(|blob| BlobRef {
            size: job.state_bytes(),
            ..blob
        });
        JobKind::Training(TrainingJob {
            start: if fits { fitting } else { start },
            ..job
        })
    })
}

/// Regions that mostly lie within the image.
fn rendering() -> impl Strategy<Value = JobKind> {
    let counts = (
        1..900u32,
        1..900u32,
        0..MAX_FRAMES,
        0..40u32,
        0..600u32,
        0..70u32,
        0..20_000u32,
    );
    let region = (0..40u32, 0..40u32, 0..900u32, 0..900u32);
    (blob(), any::<[u8; 32]>(), counts, region).prop_map(
        |(
            scene,
            seed,
            (width, height, first_frame, frames, samples, max_bounces, max_steps),
            (x, y, less_width, less_height),
        )| {
            JobKind::Rendering(RenderingJob {
                scene: BlobRef {
                    size: scene.size % (2 * MAX_SCENE_BYTES),
                    ..scene
                },
                seed,
                width,
                height,
                region: Region {
                    x,
                    y,
                    width: width.saturating_sub(less_width),
                    height: height.saturating_sub(less_height),
                },
                first_frame,
                frames,
                samples,
                max_bounces,
                max_steps,
            })
        },
    )
}

/// Programs of which most are valid before they are changed.
fn program() -> impl Strategy<Value = JobKind> {
    let inputs = prop::collection::vec((any::<[u8; 32]>(), 0..1u64 << 30), 0..=16);
    let counts = (
        1..200u32,
        0..2 * MAX_PROGRAM_GAS,
        0..2 * MAX_RECORD_BYTES,
        any::<bool>(),
        any::<bool>(),
    );
    ((any::<[u8; 32]>(), 0..1u64 << 25), inputs, counts).prop_map(
        |(image, inputs, (items, gas, bytes, is_fold, is_whole))| {
            let blob = |(hash, size)| BlobRef { hash: H256(hash), size };
            JobKind::Program(ProgramJob {
                image: blob(image),
                inputs: inputs
                    .into_iter()
                    .map(blob)
                    .collect::<Vec<_>>()
                    .try_into()
                    .expect("at most 16"),
                mode: if is_fold { Mode::Fold } else { Mode::Map },
                items,
                gas,
                record_bytes: if is_whole { bytes / 1024 * 1024 } else { bytes },
            })
        },
    )
}

fn job() -> impl Strategy<Value = JobSpec> {
    let synthetic = (any::<[u8; 32]>(), 0..2 * MAX_MATRIX_SIZE, 0..2 * MAX_ITERATIONS);
    let synthetic = synthetic.prop_map(|(seed, matrix_size, iterations)| {
        JobKind::Synthetic(SyntheticJob {
            seed,
            matrix_size,
            iterations,
        })
    });
    prop_oneof![synthetic, rows(), inference(), training(), rendering(), program()].prop_map(JobSpec::V2)
}

fn source() -> impl Strategy<Value = JobSource> {
    let stored = (
        any::<[u8; 32]>(),
        0..2 * MAX_STORED_JOB,
        select(Specialisation::ALL.to_vec()),
    );
    let stored = stored.prop_map(|(hash, size, specialisation)| {
        let hash = H256(hash);
        JobSource::Stored(StoredJob {
            spec: BlobRef { hash, size },
            specialisation,
        })
    });
    prop_oneof![job().prop_map(JobSource::Inline), stored]
}

#[test]
fn jobs_of_every_kind_are_tried() {
    let mut runner = TestRunner::deterministic();
    let mut draw = || job().new_tree(&mut runner).expect("every draw is a job").current();
    // The version is before the kind.
    let tried: BTreeSet<u8> = (0..200).map(|_| draw().encode()[1]).collect();
    let TypeDef::Variant(kinds) = JobKind::type_info().type_def else {
        panic!("a kind is a variant");
    };
    assert_eq!(tried, kinds.variants.iter().map(|kind| kind.index).collect());
}

#[test]
fn many_inference_jobs_are_valid_before_they_are_changed() {
    let mut runner = TestRunner::deterministic();
    let mut draw = || {
        inference()
            .new_tree(&mut runner)
            .expect("every draw is a job")
            .current()
    };
    let specs = (0..400).map(|_| JobSpec::V2(draw()));
    // Version, kind and two inputs of 40 bytes are before the task.
    let valid = specs
        .filter(|spec| spec.validate().is_ok())
        .map(|spec| spec.encode()[82]);
    let valid: Vec<u8> = valid.collect();
    for task in [0, 1] {
        assert!(valid.iter().filter(|&&one| one == task).count() >= 20, "{valid:?}");
    }
}

#[test]
fn job_specifications_are_refused_or_stand_for_their_bytes() {
    rounds::run(file!(), hostile(job().prop_map(|job| job.encode())), |bytes| {
        properties::check_spec(&bytes);
        Ok(())
    });
}

#[test]
fn job_sources_are_refused_or_stand_for_their_bytes() {
    rounds::run(file!(), hostile(source().prop_map(|source| source.encode())), |bytes| {
        properties::check_source(&bytes);
        Ok(())
    });
}
