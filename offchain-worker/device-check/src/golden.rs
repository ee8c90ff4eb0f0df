//! The golden vectors of every kind, which second implementations wrote (`tests/vectors`).

use crate::{
    case::{Case, Golden},
    error::CheckError,
};
use agora_compute::{
    JobKind, JobSpec, MemoryInputs, Region, RenderingJob,
    transformer::{DenseActivation, Pooling, Shape, sample},
};
use codec::DecodeAll;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use sp_crypto_hashing::blake2_256;

/// Bytes in hexadecimal.
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        hex::decode(String::deserialize(deserializer)?)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

/// A job as it is encoded.
struct Spec(JobSpec);

impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Bytes(bytes) = Bytes::deserialize(deserializer)?;
        JobSpec::decode_all(&mut bytes.as_slice())
            .map(Self)
            .map_err(D::Error::custom)
    }
}

/// A job of any kind, with its inputs.
#[derive(Deserialize)]
struct SelfTest {
    kind: String,
    name: String,
    job: Spec,
    inputs: Vec<Bytes>,
    digest: Bytes,
}

/// What the vectors of the kinds have in common.
#[derive(Deserialize)]
struct Common {
    name: String,
    digest: Bytes,
    claim_scale: Bytes,
}

#[derive(Deserialize)]
struct Synthetic {
    #[serde(flatten)]
    common: Common,
    job_spec_scale: Spec,
}

#[derive(Deserialize)]
struct Matmul {
    #[serde(flatten)]
    common: Common,
    job_spec_scale: Spec,
    columns: u32,
    matrix_rows: u32,
    vectors: u32,
}

#[derive(Deserialize)]
struct Inference {
    #[serde(flatten)]
    common: Common,
    job: Spec,
    seed: Bytes,
    shape: [u32; 9],
    pooling: usize,
    dense_activation: usize,
    input: Bytes,
}

#[derive(Deserialize)]
struct Training {
    #[serde(flatten)]
    common: Common,
    job_spec_scale: Spec,
    data: Bytes,
    start: Option<Bytes>,
}

#[derive(Deserialize)]
struct Rendering {
    #[serde(flatten)]
    common: Common,
    seed: Bytes,
    width: u32,
    height: u32,
    region: [u32; 4],
    first_frame: u32,
    frames: u32,
    samples: u32,
    max_bounces: u32,
    max_steps: u32,
    scene: Bytes,
}

/// A vector's job with its inputs.
type Job = (Common, JobSpec, MemoryInputs);

/// All golden vectors.
///
/// Errors: `Vectors`, only through a defect of this program.
pub fn cases() -> Result<Vec<Case>, CheckError> {
    let mut all = cases_of(
        "synthetic",
        include_str!("../../../tests/vectors/synthetic.json"),
        synthetic,
    )?;
    all.extend(cases_of(
        "matmul",
        include_str!("../../../tests/vectors/matmul.json"),
        matmul,
    )?);
    all.extend(cases_of(
        "embedding",
        include_str!("../../../tests/vectors/inference.json"),
        embedding,
    )?);
    all.extend(cases_of(
        "training",
        include_str!("../../../tests/vectors/training.json"),
        training,
    )?);
    all.extend(cases_of(
        "rendering",
        include_str!("../../../tests/vectors/rendering.json"),
        rendering,
    )?);
    all.extend(only_in_self_test(&all)?);
    Ok(all)
}

/// The scene of the first rendering vector, encoded: it has every surface and shape.
///
/// Errors: as [`cases`].
pub fn still_life() -> Result<Option<Vec<u8>>, CheckError> {
    let text = include_str!("../../../tests/vectors/rendering.json");
    let first = read::<Rendering>("rendering", text)?.into_iter().next();
    Ok(first.map(|vector| vector.scene.0))
}

fn read<V: DeserializeOwned>(kind: &'static str, text: &str) -> Result<Vec<V>, CheckError> {
    serde_json::from_str(text).map_err(|reason| CheckError::Vectors { kind, reason })
}

fn cases_of<V: DeserializeOwned>(
    kind: &'static str,
    text: &str,
    job: impl Fn(V) -> serde_json::Result<Job>,
) -> Result<Vec<Case>, CheckError> {
    let case = |vector| {
        let (common, spec, inputs) = job(vector).map_err(|reason| CheckError::Vectors { kind, reason })?;
        let mut case = Case::new(kind, common.name, spec, inputs);
        case.golden = Some(Golden {
            digest: common.digest.0,
            claim: Some(common.claim_scale.0),
        });
        Ok(case)
    };
    read(kind, text)?.into_iter().map(case).collect()
}

/// The jobs of the self-test that are not among `others`: it has kinds of work without vectors of their own.
fn only_in_self_test(others: &[Case]) -> Result<Vec<Case>, CheckError> {
    let vectors: Vec<SelfTest> = read("self-test", include_str!("../../../tests/vectors/self_test.json"))?;
    let new = vectors
        .into_iter()
        .filter(|vector| others.iter().all(|other| other.spec != vector.job.0));
    let case = |vector: SelfTest| {
        let mut inputs = MemoryInputs::new();
        for Bytes(input) in vector.inputs {
            inputs.insert(input);
        }
        let mut case = Case::new(vector.kind, vector.name, vector.job.0, inputs);
        case.golden = Some(Golden {
            digest: vector.digest.0,
            claim: None,
        });
        case
    };
    Ok(new.map(case).collect())
}

fn synthetic(vector: Synthetic) -> serde_json::Result<Job> {
    Ok((vector.common, vector.job_spec_scale.0, MemoryInputs::new()))
}

fn matmul(vector: Matmul) -> serde_json::Result<Job> {
    let mut inputs = MemoryInputs::new();
    inputs.insert(content(&vector.common.name, " W", vector.matrix_rows * vector.columns));
    inputs.insert(content(&vector.common.name, " x", vector.vectors * vector.columns));
    Ok((vector.common, vector.job_spec_scale.0, inputs))
}

/// `H(name ‖ suffix ‖ u32 0) ‖ H(name ‖ suffix ‖ u32 1) ‖ …`, cut to `length`.
fn content(name: &str, suffix: &str, length: u32) -> Vec<u8> {
    let block = |i: u32| blake2_256(&[name.as_bytes(), suffix.as_bytes(), &i.to_le_bytes()].concat());
    (0..).flat_map(block).take(length as usize).collect()
}

fn embedding(vector: Inference) -> serde_json::Result<Job> {
    let [
        vocabulary,
        positions,
        hidden,
        layers,
        heads,
        key_value_heads,
        head_size,
        intermediate,
        dense,
    ] = vector.shape;
    let shape = Shape {
        vocabulary,
        positions,
        hidden,
        layers,
        heads,
        key_value_heads,
        head_size,
        intermediate,
        dense,
    };
    let mut package = sample::package(&seed(vector.seed)?, shape);
    let pooling = Pooling::ALL.get(vector.pooling).copied();
    package.encoder.pooling = pooling.ok_or_else(|| serde_json::Error::custom("an unknown pooling"))?;
    if let Some(dense) = &mut package.encoder.dense {
        let activation = DenseActivation::ALL.get(vector.dense_activation).copied();
        dense.activation = activation.ok_or_else(|| serde_json::Error::custom("an unknown activation"))?;
    }
    let mut inputs = MemoryInputs::new();
    inputs.insert(package.encode().map_err(serde_json::Error::custom)?);
    inputs.insert(vector.input.0);
    Ok((vector.common, vector.job.0, inputs))
}

fn training(vector: Training) -> serde_json::Result<Job> {
    let mut inputs = MemoryInputs::new();
    inputs.insert(vector.data.0);
    if let Some(Bytes(start)) = vector.start {
        inputs.insert(start);
    }
    Ok((vector.common, vector.job_spec_scale.0, inputs))
}

fn rendering(vector: Rendering) -> serde_json::Result<Job> {
    let [x, y, width, height] = vector.region;
    let mut inputs = MemoryInputs::new();
    let job = RenderingJob {
        scene: inputs.insert(vector.scene.0),
        seed: seed(vector.seed)?,
        width: vector.width,
        height: vector.height,
        region: Region { x, y, width, height },
        first_frame: vector.first_frame,
        frames: vector.frames,
        samples: vector.samples,
        max_bounces: vector.max_bounces,
        max_steps: vector.max_steps,
    };
    Ok((vector.common, JobSpec::V2(JobKind::Rendering(job)), inputs))
}

fn seed(Bytes(bytes): Bytes) -> serde_json::Result<[u8; 32]> {
    bytes
        .try_into()
        .map_err(|bytes: Vec<u8>| serde_json::Error::custom(format!("a seed of {} bytes", bytes.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_computes_every_vector() {
        let cases = cases().unwrap();
        for case in &cases {
            let computation = case.reference().unwrap();
            assert_eq!(case.golden_difference(computation), None, "{}", case.title());
        }
        for kind in [
            "synthetic",
            "matmul",
            "embedding",
            "classification",
            "training",
            "rendering",
        ] {
            assert!(cases.iter().any(|case| case.kind == kind), "{kind}");
        }
    }

    #[test]
    fn a_result_that_is_not_the_golden_one_is_told() {
        let cases = cases().unwrap();
        let case = &cases[0];
        let mut computation = case.reference().unwrap().clone();
        computation.output[0] ^= 1;
        let told = case.golden_difference(&computation).unwrap().to_string();
        assert!(told.starts_with("the digest of the output is "), "{told}");
        let mut computation = case.reference().unwrap().clone();
        computation.state_digests[0][0] ^= 1;
        let told = case.golden_difference(&computation).unwrap().to_string();
        assert!(told.starts_with("the claim is "), "{told}");
    }
}
