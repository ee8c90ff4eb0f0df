//! The self-test against the golden vectors, and how fast a device is.

use crate::{
    engine::{CancelFlag, Engine, NoProgress},
    error::EngineError,
    inputs::NoInputs,
};
use agora_primitives::job::{JobKind, JobSpec, SyntheticJob};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use std::time::Instant;

/// The golden vectors of the synthetic job, made by a second implementation.
const SYNTHETIC: &str = include_str!("../../../tests/vectors/synthetic.json");

/// What an engine is tested with.
#[derive(Deserialize)]
struct Vector {
    name: String,
    #[serde(deserialize_with = "hash")]
    seed: [u8; 32],
    matrix_size: u32,
    iterations: u32,
    #[serde(deserialize_with = "hash")]
    digest: [u8; 32],
    #[serde(deserialize_with = "hash")]
    account: [u8; 32],
    #[serde(deserialize_with = "hash")]
    trace_root: [u8; 32],
}

/// Reads 32 bytes in hexadecimal.
fn hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    let mut bytes = [0; 32];
    let text = String::deserialize(deserializer)?;
    hex::decode_to_slice(text, &mut bytes).map_err(D::Error::custom)?;
    Ok(bytes)
}

/// Computes the golden vectors on `engine`. An engine that fails must not be used.
///
/// Errors: `SelfTest` with the first difference, and what [`Engine::run`] returns.
pub fn self_test(engine: &dyn Engine) -> Result<(), EngineError> {
    let vectors: Vec<Vector> = serde_json::from_str(SYNTHETIC)?;
    for vector in vectors {
        let Vector {
            seed,
            matrix_size,
            iterations,
            ..
        } = vector;
        let job = JobSpec::V1(JobKind::Synthetic(SyntheticJob {
            seed,
            matrix_size,
            iterations,
        }));
        let computation = engine.run(&job, &NoInputs, &NoProgress, &CancelFlag::new())?;
        let found = [
            (
                "the digest of the output",
                crate::output_digest(&computation.output),
                vector.digest,
            ),
            ("the digest of the last state", computation.digest(), vector.digest),
            (
                "the trace root",
                computation.trace_root(&vector.account),
                vector.trace_root,
            ),
        ];
        if let Some((what, found, expected)) = found.into_iter().find(|(_, a, b)| a != b) {
            return Err(EngineError::SelfTest {
                engine: engine.name().to_owned(),
                vector: vector.name,
                what,
                found: hex::encode(found),
                expected: hex::encode(expected),
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
