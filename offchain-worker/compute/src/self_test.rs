//! The self-test against the golden vectors, and how fast a device is.

use crate::{
    digest::output_digest,
    engine::{CancelFlag, Engine, NoProgress},
    error::EngineError,
    inputs::{MemoryInputs, NoInputs},
};
use agora_primitives::job::{JobKind, JobSpec, SyntheticJob};
use codec::DecodeAll;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use std::time::Instant;

/// A small job of every kind with the digest of its result, from second implementations.
const VECTORS: &str = include_str!("../../../tests/vectors/self_test.json");

/// What an engine is tested with.
#[derive(Deserialize)]
struct Vector {
    kind: String,
    name: String,
    #[serde(deserialize_with = "job")]
    job: JobSpec,
    inputs: Vec<Bytes>,
    digest: Bytes,
}

/// Bytes in hexadecimal.
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        hex::decode(String::deserialize(deserializer)?)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

fn job<'de, D: Deserializer<'de>>(deserializer: D) -> Result<JobSpec, D::Error> {
    let Bytes(bytes) = Bytes::deserialize(deserializer)?;
    JobSpec::decode_all(&mut bytes.as_slice()).map_err(D::Error::custom)
}

/// Computes the golden vectors of every kind on `engine`. An engine that fails must not be used.
///
/// Errors: `SelfTest` with the first difference, and what [`Engine::run`] returns.
pub fn self_test(engine: &dyn Engine) -> Result<(), EngineError> {
    let vectors: Vec<Vector> = serde_json::from_str(VECTORS)?;
    for vector in vectors {
        let mut inputs = MemoryInputs::new();
        for Bytes(input) in vector.inputs {
            inputs.insert(input);
        }
        let computation = engine.run(&vector.job, &inputs, &NoProgress, &CancelFlag::new())?;
        let found = [
            ("the digest of the output", output_digest(&computation.output)),
            ("the digest of the last state", computation.digest()),
        ];
        if let Some((what, found)) = found.into_iter().find(|(_, found)| vector.digest.0 != found) {
            return Err(EngineError::SelfTest {
                engine: engine.name().to_owned(),
                vector: format!("{}: {}", vector.kind, vector.name),
                what,
                found: hex::encode(found),
                expected: hex::encode(vector.digest.0),
            });
        }
    }
    Ok(())
}

/// How fast an engine is.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Measurement {
    /// Multiplications and additions that the job takes.
    pub operations: u64,
    /// How long they took, digests included.
    pub seconds: f64,
    /// Billions of operations per second.
    pub gops: f64,
}

impl Measurement {
    /// The capability to declare: whole GOPS, at least 1.
    pub fn capability(&self) -> u32 {
        // The cast saturates.
        (self.gops as u32).max(1)
    }
}

/// The job that [`measure`] computes.
pub const MEASURED_JOB: SyntheticJob = SyntheticJob {
    seed: [0x51; 32],
    matrix_size: 512,
    iterations: 8,
};

/// Measures `engine` with [`MEASURED_JOB`], after a warm-up.
///
/// Errors: what [`Engine::run`] returns.
pub fn measure(engine: &dyn Engine) -> Result<Measurement, EngineError> {
    measure_job(engine, MEASURED_JOB)
}

/// Measures `engine` with `job`, after a warm-up of one iteration.
///
/// Errors: what [`Engine::run`] returns.
pub fn measure_job(engine: &dyn Engine, job: SyntheticJob) -> Result<Measurement, EngineError> {
    let run = |job| {
        engine.run(
            &JobSpec::V1(JobKind::Synthetic(job)),
            &NoInputs,
            &NoProgress,
            &CancelFlag::new(),
        )
    };
    run(SyntheticJob { iterations: 1, ..job })?;
    let started = Instant::now();
    run(job)?;
    let seconds = started.elapsed().as_secs_f64();
    let operations = 2 * u64::from(job.matrix_size).pow(3) * u64::from(job.iterations);
    Ok(Measurement {
        operations,
        seconds,
        gops: operations as f64 / seconds / 1e9,
    })
}
