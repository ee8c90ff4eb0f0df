//! The self-test against the golden vectors.

use crate::{
    digest::output_digest,
    engine::Engine,
    inputs::MemoryInputs,
    kinds::{EngineError, Verdict},
    run::{CancelFlag, NoProgress},
};
use agora_primitives::job::JobSpec;
use codec::DecodeAll;
use serde::{Deserialize, Deserializer, de::Error};

/// A small job of every kind with the digest of its result, from second implementations.
const VECTORS: &str = include_str!("../../../tests/vectors/self_test.json");

/// The seed of the checks. Right results pass with every seed.
const CHECK_SEED: [u8; 32] = [0x5e; 32];

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

/// Computes the golden vectors of every kind on `engine`, and checks the results. An engine that fails must not be used.
///
/// Errors: `SelfTest` with the first difference, and what [`Engine::run`] and [`Engine::check_output`] return.
pub fn self_test(engine: &dyn Engine) -> Result<(), EngineError> {
    let vectors: Vec<Vector> = serde_json::from_str(VECTORS)?;
    for vector in vectors {
        let mut inputs = MemoryInputs::new();
        for Bytes(input) in &vector.inputs {
            inputs.insert(input.as_slice());
        }
        let computation = engine.run(&vector.job, &inputs, &NoProgress, &CancelFlag::new())?;
        let fails = |what, found: String, expected: String| EngineError::SelfTest {
            engine: engine.name().to_owned(),
            vector: format!("{}: {}", vector.kind, vector.name),
            what,
            found,
            expected,
        };
        let found = [
            ("the digest of the output", output_digest(&computation.output)),
            ("the digest of the last state", computation.digest()),
        ];
        if let Some((what, found)) = found.into_iter().find(|(_, found)| vector.digest.0 != found) {
            return Err(fails(what, hex::encode(found), hex::encode(&vector.digest.0)));
        }
        if let Verdict::Wrong(place) = engine.check_output(&vector.job, &inputs, &computation.output, &CHECK_SEED)? {
            return Err(fails(
                "the verdict of the check",
                format!("\"{place}\""),
                "right".to_owned(),
            ));
        }
    }
    Ok(())
}
