//! The vectors that `tests/vectors/training.py` wrote.

use crate::{CPU, GPU, check::check, run, spec};
use agora_compute::{
    CancelFlag, Engine, Inputs, MemoryInputs, NetworkShape, TrainingJob, Verdict,
    classifier::{classify, classify_on_gpu},
    training::{Dataset, Output},
};
use codec::Encode;
use serde::Deserialize;

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
    claim_scale: String,
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
    serde_json::from_str(include_str!("../../../../tests/vectors/training.json")).unwrap()
}

impl Vector {
    fn job(&self) -> (TrainingJob, MemoryInputs) {
        let mut inputs = MemoryInputs::new();
        let number = |value: &serde_json::Value, name: &str| value[name].as_u64().unwrap() as u32;
        let field = |name: &str| number(&self.job, name);
        let network = &self.job["network"];
        let job = TrainingJob {
            data: inputs.insert(bytes(&self.data)),
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
            state_interval: field("state_interval"),
            rate_shift: field("rate_shift"),
            halve_after: field("halve_after"),
            momentum_shift: field("momentum_shift"),
            start: self.start.as_deref().map(|start| inputs.insert(bytes(start))),
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
        assert_eq!(hex::encode(computation.claim().encode()), vector.claim_scale, "{name}");
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
        let logits = classify_on_gpu(GPU.gpu(), &package.encode(), &data.pixels, data.count(), &cancel).unwrap();
        assert_eq!(hex::encode(&logits), vector.logits, "{name}");
        assert_eq!(
            check(job, &inputs, &output, hash(&vector.check_seed)),
            Verdict::Right,
            "{name}"
        );
    }
}
