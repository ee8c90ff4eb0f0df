//! Training and classification: both engines against the second implementation's vectors and against one another.

use agora_compute::{
    CancelFlag, CpuEngine, Engine, EngineError, GpuEngine, GpuOptions, Inputs, JobKind, JobSpec, MemoryInputs,
    NetworkShape, NoProgress, Place, TrainingJob, Verdict, check_output, find_device,
    network::{self, Package, classify, classify_on_gpu},
    training::{Checkpoint, DataError, Dataset, Output, StateError},
};
use codec::Encode;
use proptest::prelude::*;
use serde::Deserialize;
use std::sync::{LazyLock, Mutex};

static CPU: CpuEngine = CpuEngine::new();
static GPU: LazyLock<GpuEngine> = LazyLock::new(|| gpu(&GpuOptions::default()));

fn gpu(options: &GpuOptions) -> GpuEngine {
    let device = find_device("auto").unwrap_or_else(|error| panic!("these tests need an adapter: {error}"));
    GpuEngine::open(&device, options).unwrap()
}

fn engines() -> [&'static dyn Engine; 2] {
    [&CPU, &*GPU]
}

fn run(engine: &dyn Engine, job: TrainingJob, inputs: &dyn Inputs) -> Result<agora_compute::Computation, EngineError> {
    engine.run(&spec(job), inputs, &NoProgress, &CancelFlag::new())
}

fn check(job: TrainingJob, inputs: &dyn Inputs, output: &[u8], seed: [u8; 32]) -> Verdict {
    check_output(&spec(job), inputs, output, &seed).unwrap()
}

fn spec(job: TrainingJob) -> JobSpec {
    JobSpec::V1(JobKind::Training(job))
}

/// 1,797 digits; those whose index leaves 4 when divided by 5 are held out.
fn digits() -> Dataset {
    Dataset::decode(include_bytes!("../../../tests/data/digits/digits.agds")).unwrap()
}

/// The images of `data` of which `keep` wants the index.
fn part(data: &Dataset, keep: impl Fn(usize) -> bool) -> Dataset {
    let kept = || (0..data.labels.len()).filter(|&i| keep(i));
    let size = data.pixels.len() / data.labels.len();
    Dataset {
        pixels: kept().flat_map(|i| data.pixels[i * size..][..size].to_vec()).collect(),
        labels: kept().map(|i| data.labels[i]).collect(),
        ..data.clone()
    }
}

fn training_digits() -> Dataset {
    part(&digits(), |i| i % 5 != 4)
}

/// A job on the digits that are not held out, and its input.
fn digits_job(network: NetworkShape, segments: u32, segment_steps: u32) -> (TrainingJob, MemoryInputs) {
    let mut inputs = MemoryInputs::new();
    let job = TrainingJob {
        data: inputs.insert(training_digits().encode().unwrap()).unwrap(),
        width: 8,
        height: 8,
        classes: 10,
        network,
        seed: [1; 32],
        batch: 32,
        segments,
        segment_steps,
        trace_interval: segment_steps,
        rate_shift: 5,
        halve_after: 500,
        momentum_shift: 3,
        start: None,
    };
    (job, inputs)
}

const PERCEPTRON: NetworkShape = NetworkShape::Perceptron { hidden: 128 };
const CONVOLUTION: NetworkShape = NetworkShape::Convolutional {
    channels: 16,
    window: 3,
    pool: 2,
};

#[derive(Deserialize)]
struct Vector {
    name: String,
    job: serde_json::Value,
    data: String,
    start: Option<String>,
    job_spec_scale: String,
    job_hash: String,
    output: String,
    state_digests: Vec<String>,
    digest: String,
    account: String,
    trace_root: String,
    package: String,
    logits: String,
    check_seed: String,
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    hex::decode(hexadecimal).unwrap()
}

fn hash(hexadecimal: &str) -> [u8; 32] {
    bytes(hexadecimal).try_into().unwrap()
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../../../tests/vectors/training.json")).unwrap()
}

impl Vector {
    fn job(&self) -> (TrainingJob, MemoryInputs) {
        let mut inputs = MemoryInputs::new();
        let number = |value: &serde_json::Value, name: &str| value[name].as_u64().unwrap() as u32;
        let field = |name: &str| number(&self.job, name);
        let network = &self.job["network"];
        let job = TrainingJob {
            data: inputs.insert(bytes(&self.data)).unwrap(),
            width: field("width"),
            height: field("height"),
            classes: field("classes"),
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
            seed: hash(self.job["seed"].as_str().unwrap()),
            batch: field("batch"),
            segments: field("segments"),
            segment_steps: field("segment_steps"),
            trace_interval: field("trace_interval"),
            rate_shift: field("rate_shift"),
            halve_after: field("halve_after"),
            momentum_shift: field("momentum_shift"),
            start: self.start.as_deref().and_then(|start| inputs.insert(bytes(start))),
        };
        (job, inputs)
    }
}

fn assert_trains_the_vectors(engine: &dyn Engine) {
    for vector in vectors() {
        let (name, (job, inputs)) = (&vector.name, vector.job());
        let computation = run(engine, job, &inputs).unwrap();
        assert_eq!(hex::encode(&computation.output), vector.output, "{name}");
        let digests: Vec<String> = computation.state_digests.iter().map(hex::encode).collect();
        assert_eq!(digests, vector.state_digests, "{name}");
        assert_eq!(hex::encode(computation.digest()), vector.digest, "{name}");
        let root = computation.trace_root(&hash(&vector.account));
        assert_eq!(hex::encode(root), vector.trace_root, "{name}");
    }
}

#[test]
fn the_cpu_trains_the_vectors() {
    assert_trains_the_vectors(&CPU);
}

#[test]
fn the_first_adapter_trains_the_vectors() {
    assert_trains_the_vectors(&*GPU);
}

#[test]
fn jobs_packages_and_logits_are_those_of_the_vectors() {
    for vector in vectors() {
        let (job, inputs) = vector.job();
        let name = &vector.name;
        assert_eq!(hex::encode(spec(job).encode()), vector.job_spec_scale, "{name}");
        let hash_of_job = agora_primitives::job::JobSource::Inline(spec(job)).job_hash();
        assert_eq!(hex::encode(hash_of_job), vector.job_hash, "{name}");
        let data = Dataset::decode(&inputs.get(&job.data).unwrap()).unwrap();
        assert_eq!(hex::encode(data.encode().unwrap()), vector.data, "{name}");
        let output = bytes(&vector.output);
        let package = Output::decode(&job, &output)
            .unwrap()
            .package(&job, data.maximum)
            .unwrap();
        assert_eq!(hex::encode(package.encode()), vector.package, "{name}");
        let logits = classify(&package.encode(), &data.pixels, data.count()).unwrap();
        assert_eq!(hex::encode(&logits), vector.logits, "{name}");
        let cancel = CancelFlag::new();
        let logits = classify_on_gpu(&GPU, &package.encode(), &data.pixels, data.count(), &cancel).unwrap();
        assert_eq!(hex::encode(&logits), vector.logits, "{name}");
        assert_eq!(
            check(job, &inputs, &output, hash(&vector.check_seed)),
            Verdict::Right,
            "{name}"
        );
    }
}

/// Small jobs with their data sets.
fn jobs() -> impl Strategy<Value = (TrainingJob, MemoryInputs)> {
    let images = (1u32..9, 1u32..9, 1u32..12, 1usize..40, 1u8..=255);
    let network = prop_oneof![
        (1u32..20).prop_map(|hidden| NetworkShape::Perceptron { hidden }),
        (1u32..6, 0u32..3, 1u32..4).prop_map(|(channels, window, pool)| NetworkShape::Convolutional {
            channels,
            window: 2 * window + 1,
            pool,
        }),
    ];
    let numbers = (1u32..40, 1u32..4, 1u32..5, 1u32..4, 0u32..17, 0u32..5, 0u32..7);
    let jobs = (images, network, numbers, any::<[u8; 32]>()).prop_map(|(images, network, numbers, seed)| {
        let (width, height, classes, count, maximum) = images;
        let (batch, segments, intervals, trace_interval, rate_shift, halve_after, momentum_shift) = numbers;
        let bytes = |length: usize, below: u16, label: &[u8]| -> Vec<u8> {
            let words = agora_math::field::Generator::new(&seed, label);
            let byte = |i: usize| (words.words(i as u64)[0] % u32::from(below)) as u8;
            (0..length).map(byte).collect()
        };
        let data = Dataset {
            maximum,
            width: width as u16,
            height: height as u16,
            classes: classes as u16,
            pixels: bytes(count * (width * height) as usize, u16::from(maximum) + 1, b"pixels"),
            labels: bytes(count, classes as u16, b"labels"),
        };
        let mut inputs = MemoryInputs::new();
        let job = TrainingJob {
            data: inputs.insert(data.encode().unwrap()).unwrap(),
            width,
            height,
            classes,
            network,
            seed,
            batch,
            segments,
            segment_steps: intervals * trace_interval,
            trace_interval,
            rate_shift,
            halve_after,
            momentum_shift,
            start: None,
        };
        (job, inputs)
    });
    jobs.prop_filter("the window must fit the images", |(job, _)| {
        spec(*job).validate().is_ok()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_engines_train_the_same_bits((job, inputs) in jobs(), pixels: u64) {
        let [cpu, gpu] = engines().map(|engine| run(engine, job, &inputs).unwrap());
        prop_assert!(cpu == gpu);
        let data = Dataset::decode(&inputs.get(&job.data).unwrap()).unwrap();
        let package = Output::decode(&job, &cpu.output).unwrap().package(&job, data.maximum).unwrap().encode();
        let images: Vec<u8> = data.pixels.iter().map(|&pixel| (u64::from(pixel) ^ pixels).min(data.maximum.into()) as u8).collect();
        let on_gpu = classify_on_gpu(&GPU, &package, &images, data.count(), &CancelFlag::new()).unwrap();
        prop_assert_eq!(classify(&package, &images, data.count()).unwrap(), on_gpu);
    }

    #[test]
    fn the_check_accepts_what_is_right_and_finds_a_wrong_byte_in_what_it_computes_again(
        (job, inputs) in jobs(), seed: [u8; 32], at: prop::sample::Index, change in 1u8..=255,
    ) {
        // With up to two segments, all are computed again.
        let job = TrainingJob { segments: job.segments.min(2), ..job };
        let mut output = run(&CPU, job, &inputs).unwrap().output;
        prop_assert_eq!(check(job, &inputs, &output, seed), Verdict::Right);
        let at = at.index(output.len());
        output[at] ^= change;
        let Verdict::Wrong(Place::Byte(found)) = check(job, &inputs, &output, seed) else {
            panic!("byte {at} was changed unnoticed");
        };
        // A changed state is found where it begins, or where a number leaves its range.
        prop_assert!(found <= at as u64);
    }

    #[test]
    fn going_on_from_a_checkpoint_gives_the_same_bits((job, mut inputs) in jobs()) {
        let whole = run(&CPU, TrainingJob { segments: 2, ..job }, &inputs).unwrap().output;
        let (first, second) = whole.split_at(whole.len() / 2);
        let start = inputs.insert(&first[..job.state_bytes() as usize]);
        let rest = TrainingJob { segments: 1, start, ..job };
        for engine in engines() {
            prop_assert!(run(engine, rest, &inputs).unwrap().output == second);
        }
        prop_assert_eq!(check(rest, &inputs, second, [0; 32]), Verdict::Right);
    }
}

#[test]
fn digits_that_were_held_out_are_recognised() {
    let held_out = part(&digits(), |i| i % 5 == 4);
    for (network, least) in [(PERCEPTRON, 0.95), (CONVOLUTION, 0.97)] {
        let (job, inputs) = digits_job(network, 8, 250);
        for seed in [1, 2] {
            let job = TrainingJob {
                seed: [seed; 32],
                ..job
            };
            let output = run(&CPU, job, &inputs).unwrap().output;
            let package = Output::decode(&job, &output)
                .unwrap()
                .package(&job, 16)
                .unwrap()
                .encode();
            let logits = classify(&package, &held_out.pixels, held_out.count()).unwrap();
            let labels = network::labels(&logits, 10);
            let right = labels
                .iter()
                .zip(&held_out.labels)
                .filter(|&(a, b)| *a == u32::from(*b))
                .count();
            let accuracy = right as f64 / held_out.labels.len() as f64;
            println!("{network:?}, seed {seed}: {accuracy:.4} of the held-out digits");
            assert!(accuracy >= least, "{network:?}, seed {seed}: {accuracy}");
        }
    }
}

#[test]
fn every_step_of_a_real_job_is_the_same_on_both_engines() {
    for network in [PERCEPTRON, CONVOLUTION] {
        let (job, inputs) = digits_job(network, 2, 50);
        let job = TrainingJob {
            trace_interval: 1,
            ..job
        };
        let [cpu, gpu] = engines().map(|engine| run(engine, job, &inputs).unwrap());
        assert_eq!(cpu.state_digests.len(), 102);
        assert!(cpu == gpu);
    }
}

#[test]
fn small_devices_compute_the_same_bits() {
    let (job, inputs) = digits_job(CONVOLUTION, 2, 10);
    let expected = run(&CPU, job, &inputs).unwrap();
    for options in [
        GpuOptions {
            max_work: Some(1),
            ..GpuOptions::default()
        },
        GpuOptions {
            max_work: Some(1_000_000),
            ..GpuOptions::default()
        },
        GpuOptions {
            max_workgroups: Some(20),
            ..GpuOptions::default()
        },
    ] {
        assert!(run(&gpu(&options), job, &inputs).unwrap() == expected, "{options:?}");
    }
}

#[test]
fn a_device_that_is_too_small_says_so() {
    let (job, inputs) = digits_job(PERCEPTRON, 1, 1);
    let options = GpuOptions {
        max_buffer_bytes: Some(50_000),
        ..GpuOptions::default()
    };
    let error = run(&gpu(&options), job, &inputs).unwrap_err();
    assert!(matches!(error, EngineError::Limit { available: 50_000, .. }), "{error}");
}

#[test]
fn progress_goes_to_the_end_and_a_cancelled_job_stops() {
    let (job, inputs) = digits_job(PERCEPTRON, 2, 400);
    for engine in engines() {
        let seen = Mutex::new(Vec::new());
        let listen = |done: u32, total: u32| seen.lock().unwrap().push((done, total));
        let short = spec(TrainingJob {
            segment_steps: 40,
            trace_interval: 40,
            ..job
        });
        engine.run(&short, &inputs, &listen, &CancelFlag::new()).unwrap();
        let seen = seen.into_inner().unwrap();
        assert_eq!(
            (seen.first(), seen.last()),
            (Some(&(0, 80)), Some(&(80, 80))),
            "{}",
            engine.name()
        );
        assert!(seen.is_sorted());

        let cancel = CancelFlag::new();
        let stop = |done: u32, _: u32| {
            assert!(done < 400, "went on after it was cancelled");
            if done > 0 {
                cancel.cancel();
            }
        };
        let error = engine.run(&spec(job), &inputs, &stop, &cancel).unwrap_err();
        assert!(matches!(error, EngineError::Cancelled), "{error}");
        engine.run(&short, &inputs, &NoProgress, &CancelFlag::new()).unwrap();
    }
}

#[test]
fn inputs_that_do_not_fit_the_job_are_refused() {
    let (job, mut inputs) = digits_job(PERCEPTRON, 1, 1);
    let mut data = training_digits().encode().unwrap();
    for (engine, bad) in engines().into_iter().flat_map(|engine| {
        let bad = [
            TrainingJob { classes: 9, ..job },
            TrainingJob {
                width: 4,
                height: 16,
                ..job
            },
        ];
        bad.map(|bad| (engine, bad))
    }) {
        let error = run(engine, bad, &inputs).unwrap_err();
        assert!(matches!(error, EngineError::Data(DataError::Unfit { .. })), "{error}");
    }
    data[16 + 70] = 17;
    let bad = TrainingJob {
        data: inputs.insert(data).unwrap(),
        ..job
    };
    assert!(matches!(
        run(&CPU, bad, &inputs),
        Err(EngineError::Data(DataError::Pixel(_)))
    ));

    let mut checkpoint = run(&CPU, job, &inputs).unwrap().output;
    checkpoint.truncate(job.state_bytes() as usize);
    let mut start_with = |at: usize, bytes: [u8; 4]| {
        let mut start = checkpoint.clone();
        start[at..at + 4].copy_from_slice(&bytes);
        let start = inputs.insert(start);
        run(&CPU, TrainingJob { start, ..job }, &inputs).unwrap_err()
    };
    let error = start_with(0, u32::MAX.to_le_bytes());
    assert!(
        matches!(error, EngineError::State(StateError::Steps { step: u32::MAX })),
        "{error}"
    );
    let error = start_with(8, (128i32 << 16).to_le_bytes());
    assert!(
        matches!(error, EngineError::State(StateError::Range { at: 8, .. })),
        "{error}"
    );
    let error = start_with(checkpoint.len() - 4, i32::MIN.to_le_bytes());
    assert!(
        matches!(error, EngineError::State(StateError::Range { found: i32::MIN, .. })),
        "{error}"
    );
    let start = inputs.insert(*b"short");
    let error = run(&CPU, TrainingJob { start, ..job }, &inputs).unwrap_err();
    assert!(matches!(error, EngineError::Job(_)), "{error}");
}

#[test]
fn the_check_names_the_first_wrong_place() {
    let (job, inputs) = digits_job(CONVOLUTION, 2, 3);
    let output = run(&CPU, job, &inputs).unwrap().output;
    let wrong = |output: &[u8]| match check(job, &inputs, output, [3; 32]) {
        Verdict::Wrong(place) => place,
        Verdict::Right => panic!("the output is wrong"),
    };
    let length = output.len() as u64;
    assert_eq!(
        wrong(&output[1..]),
        Place::Length {
            expected: length,
            found: length - 1
        }
    );
    let segment = job.segment_bytes() as usize;
    for (changed, place) in [
        (segment, segment),
        (segment + 4 + 40, segment + 4 + 40),
        (2 * segment - 1, 2 * segment - 1),
    ] {
        let mut output = output.clone();
        output[changed] ^= 1;
        assert_eq!(wrong(&output), Place::Byte(place as u64));
    }
}

#[test]
fn most_wrong_segments_of_many_are_found_as_often_as_the_page_says() {
    let (job, inputs) = digits_job(NetworkShape::Perceptron { hidden: 2 }, 16, 1);
    let job = TrainingJob { batch: 1, ..job };
    let mut output = run(&CPU, job, &inputs).unwrap().output;
    // The loss of the sixth segment, on which nothing else depends.
    let at = 6 * job.segment_bytes() as usize - 4;
    output[at] ^= 1;
    let found = (0..400u32).filter(|i| {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&i.to_le_bytes());
        !check(job, &inputs, &output, seed).is_right()
    });
    // 50 are expected; the standard deviation is 6.6.
    let found = found.count();
    assert!((20..80).contains(&found), "{found}");
}

#[test]
fn the_bits_of_a_data_set_are_checked_before_they_are_used() {
    let bytes = training_digits().encode().unwrap();
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        Dataset::decode(&bytes).unwrap_err()
    };
    assert_eq!(with(0, 0), DataError::NoDataset);
    assert_eq!(with(4, 2), DataError::NoDataset);
    assert_eq!(with(5, 0), DataError::Zero("largest pixel"));
    assert_eq!(with(10, 0), DataError::Zero("number of classes"));
    assert!(matches!(with(7, 0xff), DataError::Length { .. }));
    assert!(matches!(with(15, 0xff), DataError::Length { .. }));
    let last = bytes.len() - 1;
    assert!(matches!(
        with(last, 10),
        DataError::Class {
            class: 10,
            classes: 10,
            ..
        }
    ));
    assert_eq!(Dataset::decode(&bytes[..15]), Err(DataError::NoDataset));
    assert!(matches!(Dataset::decode(&bytes[..last]), Err(DataError::Length { .. })));
    let empty = Dataset {
        pixels: vec![],
        labels: vec![],
        ..training_digits()
    };
    assert_eq!(empty.encode(), Err(DataError::Zero("number of images")));
}

#[test]
fn a_checkpoint_is_its_bytes() {
    let (job, inputs) = digits_job(PERCEPTRON, 1, 2);
    let output = run(&CPU, job, &inputs).unwrap().output;
    let decoded = Output::decode(&job, &output).unwrap();
    assert_eq!(decoded.losses.len(), 2);
    let checkpoint: &Checkpoint = &decoded.checkpoints[0];
    assert_eq!(checkpoint.step, 2);
    assert_eq!(checkpoint.encode(), &output[..job.state_bytes() as usize]);
    assert!(Package::decode(&decoded.package(&job, 16).unwrap().encode()).is_ok());
    assert!(matches!(Output::decode(&job, &output[1..]), Err(EngineError::State(_))));
}
