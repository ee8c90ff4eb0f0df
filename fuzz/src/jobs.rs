//! What must hold of bytes that claim to be a job specification, or to say where one is.

use agora_primitives::{
    job::{
        InferenceJob, InferenceNetwork, JobError, JobKind, JobSource, JobSpec, MAX_BLOB, MAX_FRAMES, MAX_INLINE_JOB,
        MAX_ITERATIONS, MAX_MATRIX_SIZE, MAX_OUTPUT, MAX_STORED_JOB, MAX_TILES, MAX_WORK, MatmulJob, Mode, ProgramJob,
        RenderingJob, SyntheticJob, TrainingJob, blob,
    },
    participants::Specialisation,
};
use codec::{Decode, DecodeAll, Encode, MaxEncodedLen};

/// Decodes, and checks that the decoded value stands for exactly the bytes that it was decoded from.
fn decode<T: Decode + Encode + MaxEncodedLen>(bytes: &[u8]) -> Option<T> {
    let mut rest = bytes;
    let value = T::decode(&mut rest).ok()?;
    let taken = &bytes[..bytes.len() - rest.len()];
    assert_eq!(value.encode(), taken, "one value, one encoding");
    assert!(taken.len() <= T::max_encoded_len());
    assert_eq!(T::decode_all(&mut &bytes[..]).is_ok(), rest.is_empty());
    Some(value)
}

/// What holds of every kind: a valid job is within the bounds that all kinds share, and names its inputs within theirs.
fn check_limits(spec: &JobSpec) {
    if spec.validate().is_ok() {
        assert!(spec.work() > 0 && spec.work() <= MAX_WORK);
        assert!(spec.max_output_bytes() > 0 && spec.max_output_bytes() <= MAX_OUTPUT);
        assert!(
            spec.inputs()
                .iter()
                .all(|input| input.size > 0 && input.size <= MAX_BLOB)
        );
    }
    match spec {
        JobSpec::V2(JobKind::Synthetic(job)) => check_synthetic(spec, job),
        JobSpec::V2(JobKind::Matmul(job)) => check_matmul(spec, job),
        JobSpec::V2(JobKind::Inference(job)) => check_inference(spec, job),
        JobSpec::V2(JobKind::Training(job)) => check_training(spec, job),
        JobSpec::V2(JobKind::Rendering(job)) => check_rendering(spec, job),
        JobSpec::V2(JobKind::Program(job)) => check_program(spec, job),
    }
}

fn check_matmul(spec: &JobSpec, job: &MatmulJob) {
    let [first, rows, columns, vectors] = [job.first_row, job.rows, job.columns, job.vectors].map(u128::from);
    assert_eq!(spec.specialisation(), Specialisation::RowTransform);
    if spec.validate().is_ok() {
        assert_eq!(spec.work(), rows * columns * vectors);
        assert_eq!(u128::from(spec.max_output_bytes()), 4 * rows * vectors);
        assert!((first + rows) * columns <= job.matrix.size.into());
        assert_eq!(u128::from(job.matrix.size) % columns, 0);
        assert_eq!(vectors * columns, job.input.size.into());
    }
}

fn check_inference(spec: &JobSpec, job: &InferenceJob) {
    if spec.validate().is_err() {
        return;
    }
    let items = u128::from(job.items);
    let (work, output, input) = match job.network {
        InferenceNetwork::Embedding { shape, tokens } => {
            let [hidden, between, heads, keys, size, layers, dense, n] = [
                shape.hidden,
                shape.intermediate,
                shape.heads,
                shape.key_value_heads,
                shape.head_size,
                shape.layers,
                shape.dense,
                tokens,
            ]
            .map(u128::from);
            assert!(shape.vocabulary <= 65536 && shape.positions <= 512 && (1..=shape.positions).contains(&tokens));
            assert!(hidden <= 4096 && layers <= 128 && size <= 256 && heads * size <= 5461 && between <= 16384);
            assert!(dense <= 16384);
            assert!([hidden, size, between, dense].iter().all(|width| width % 4 == 0) && heads % keys == 0);
            // 31 tensors at least, and the weights.
            let weights = hidden * (heads * size * 2 + keys * size * 2) + 2 * hidden * between;
            assert!(u128::from(job.model.size) > layers * weights + hidden * dense);
            let token = weights + 2 * n * heads * size;
            let width = if dense == 0 { hidden } else { dense };
            let input = 4 + items * 4..=4 + items * (2 + 2 * n);
            (layers * n * token + hidden * dense, 2 * width, input)
        }
        InferenceNetwork::Classification { shape, maximum, shift } => {
            let [
                width,
                height,
                window_width,
                window_height,
                padding,
                pool,
                channels,
                classes,
            ] = [
                shape.width,
                shape.height,
                shape.window_width,
                shape.window_height,
                shape.padding,
                shape.pool,
                shape.channels,
                shape.classes,
            ]
            .map(u128::from);
            assert!(maximum >= 1 && (1..=24).contains(&shift));
            assert!(width <= 64 && height <= 64 && (1..=8).contains(&pool) && channels <= 4096 && classes <= 256);
            let positions = |side: u128, window: u128| (side + 2 * padding + 1 - window) / pool;
            let positions = positions(width, window_width) * positions(height, window_height);
            let (inputs, features) = (window_width * window_height + 1, channels * positions);
            assert!((1..=256).contains(&positions) && features <= 16384);
            assert_eq!(
                u128::from(job.model.size),
                24 + channels * inputs + classes * (features + 1)
            );
            let work = channels * inputs * positions * pool * pool + classes * (features + 1);
            let pixels = items * width * height;
            (work, 4 * classes, pixels..=pixels)
        }
        InferenceNetwork::Generation => panic!("text is not generated"),
    };
    assert_eq!(spec.work(), items * work);
    assert_eq!(u128::from(spec.max_output_bytes()), items * output);
    assert!(input.contains(&job.input.size.into()));
}

fn check_training(spec: &JobSpec, job: &TrainingJob) {
    assert_eq!(spec.specialisation(), Specialisation::Training);
    if spec.validate().is_ok() {
        let output = u128::from(job.segments) * (8 * u128::from(job.weights()) + 4 + 4 * u128::from(job.segment_steps));
        assert_eq!(u128::from(spec.max_output_bytes()), output);
        // Each weight is used in each image.
        assert!(spec.work() >= u128::from(job.weights()) * u128::from(job.batch) * u128::from(job.steps()));
        assert_eq!(job.segment_steps % job.state_interval, 0);
        assert!(job.start.is_none_or(|start| start.size == job.state_bytes()));
    }
}

fn check_rendering(spec: &JobSpec, job: &RenderingJob) {
    assert_eq!(spec.specialisation(), Specialisation::Rendering);
    if spec.validate().is_ok() {
        let region = job.region;
        assert!(u64::from(region.x) + u64::from(region.width) <= job.width.into());
        assert!(u64::from(region.y) + u64::from(region.height) <= job.height.into());
        assert!(job.first_frame < MAX_FRAMES && job.frames <= MAX_FRAMES - job.first_frame);
        let pixels = u64::from(region.width) * u64::from(region.height) * u64::from(job.frames);
        assert_eq!(spec.max_output_bytes(), 3 * pixels);
        assert!((1..=MAX_TILES).contains(&job.tiles()));
        assert!((1..=4096).contains(&job.samples) && job.max_bounces <= 64);
        assert!((1..=1 << 14).contains(&job.max_steps), "a path fits one unit");
    }
}

fn check_program(spec: &JobSpec, job: &ProgramJob) {
    assert_eq!(spec.specialisation(), Specialisation::Program);
    assert!(job.inputs.as_slice().len() <= 16);
    if spec.validate().is_ok() {
        let [items, bytes] = [job.items, job.record_bytes].map(u64::from);
        assert!(job.image.size <= 1 << 24 && (1..=1 << 34).contains(&job.gas) && bytes <= 1 << 17);
        assert!(
            bytes % 1024 == 0 && items * bytes <= 1 << 28,
            "records are whole chunks"
        );
        assert_eq!(
            spec.max_output_bytes(),
            bytes * if job.mode == Mode::Map { items } else { 1 }
        );
        let run = 16 * u128::from(job.gas) + 4 * u128::from(job.image.size) + (1 << 20);
        assert_eq!(spec.work(), u128::from(items) * run);
        assert_eq!(spec.inputs().len(), 1 + job.inputs.as_slice().len());
        // Every run has arguments of one chunk, which everybody can make.
        let run = job.run(items - 1, Some(Default::default()));
        assert!(run.arguments.len() <= 1024 && run.reads.contains(&run.input()));
    }
}

fn check_synthetic(spec: &JobSpec, job: &SyntheticJob) {
    let (size, iterations) = (job.matrix_size, job.iterations);
    let work = u128::from(size).pow(3).checked_mul(iterations.into());
    assert_eq!(spec.work(), work.unwrap_or(u128::MAX));
    assert_eq!(u128::from(spec.max_output_bytes()), u128::from(size).pow(2));
    assert_eq!(spec.specialisation(), Specialisation::Synthetic);
    let expected = if size == 0 || iterations == 0 {
        Err(JobError::Zero)
    } else if size > MAX_MATRIX_SIZE || iterations > MAX_ITERATIONS {
        Err(JobError::TooLarge)
    } else if spec.work() > MAX_WORK {
        Err(JobError::TooMuchWork)
    } else {
        Ok(())
    };
    assert_eq!(spec.validate(), expected);
}

/// Checks bytes as a [`JobSpec`]: they are refused, or stand for one value, which is valid exactly within the limits.
pub fn check_spec(bytes: &[u8]) {
    if let Some(spec) = decode::<JobSpec>(bytes) {
        check_limits(&spec);
    }
}

/// Checks bytes as a [`JobSource`]: as [`check_spec`], and its hash is the specification's wherever that is.
pub fn check_source(bytes: &[u8]) {
    let Some(source) = decode::<JobSource>(bytes) else {
        return;
    };
    match &source {
        JobSource::Inline(spec) => {
            check_limits(spec);
            assert!(spec.encoded_size() <= MAX_INLINE_JOB as usize);
            assert_eq!(source.validate(), spec.validate());
            assert_eq!(source.specialisation(), spec.specialisation());
            assert_eq!(source.job_hash(), blob::hash(&spec.encode()));
        }
        JobSource::Stored(stored) => {
            let expected = match stored.spec.size {
                0 => Err(JobError::Zero),
                1..=MAX_STORED_JOB => Ok(()),
                _ => Err(JobError::TooLarge),
            };
            assert_eq!(source.validate(), expected);
            assert_eq!(source.specialisation(), stored.specialisation);
            assert_eq!(source.job_hash(), stored.spec.hash);
        }
    }
}
