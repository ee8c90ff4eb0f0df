//! Matmul jobs against the vectors that the second implementation wrote.

mod opened;

use agora_compute::{
    BlobRef, CancelFlag, Engine, JobKind, JobSpec, MatmulJob, MemoryInputs, NoProgress, Place, Verdict,
};
use agora_math::freivalds::ProductVectors;
use codec::{Decode, Encode};
use opened::{CPU, GPU};
use serde::Deserialize;
use sp_crypto_hashing::blake2_256;

#[derive(Deserialize)]
struct Vector {
    name: String,
    columns: u32,
    first_row: u32,
    rows: u32,
    matrix_rows: u32,
    vectors: u32,
    matrix_hash: String,
    input_hash: String,
    job_spec_scale: String,
    job_hash: String,
    output_first_bytes: String,
    output_bytes: usize,
    digest: String,
    claim_scale: String,
    check_seed: String,
    check_vectors_first_elements: [i32; 2],
    check_vectors_last_elements: [i32; 2],
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../../../tests/vectors/matmul.json")).unwrap()
}

/// `H(label ‖ u32 0) ‖ H(label ‖ u32 1) ‖ …`, cut to `length`.
fn content(label: &str, length: u32) -> Vec<u8> {
    let block = |i: u32| blake2_256(&[label.as_bytes(), &i.to_le_bytes()].concat());
    (0..).flat_map(block).take(length as usize).collect()
}

fn array(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}

impl Vector {
    fn job(&self) -> (JobSpec, MemoryInputs) {
        let mut inputs = MemoryInputs::new();
        let matrix = content(&format!("{} W", self.name), self.matrix_rows * self.columns);
        let input = content(&format!("{} x", self.name), self.vectors * self.columns);
        let job = MatmulJob {
            matrix: inputs.insert(matrix),
            columns: self.columns,
            first_row: self.first_row,
            rows: self.rows,
            input: inputs.insert(input),
            vectors: self.vectors,
        };
        assert_eq!(hex::encode(job.matrix.hash), self.matrix_hash);
        assert_eq!(hex::encode(job.input.hash), self.input_hash);
        (JobSpec::V2(JobKind::Matmul(job)), inputs)
    }
}

fn assert_computes_the_vectors(engine: &dyn Engine) {
    for vector in vectors() {
        let (spec, inputs) = vector.job();
        let name = &vector.name;
        let result = engine.run(&spec, &inputs, &NoProgress, &CancelFlag::new()).unwrap();
        assert_eq!(result.output.len(), vector.output_bytes, "{name}");
        let first = &result.output[..result.output.len().min(24)];
        assert_eq!(hex::encode(first), vector.output_first_bytes, "{name}");
        assert_eq!(hex::encode(result.digest()), vector.digest, "{name}");
        assert_eq!(result.state_digests.len(), 1, "{name}");
        assert_eq!(hex::encode(result.claim().encode()), vector.claim_scale, "{name}");

        let seed = array(&vector.check_seed);
        let verdict = opened::check(&spec, &inputs, &result.output, &seed);
        assert_eq!(verdict, Verdict::Right, "{name}");
        let mut wrong = result.output;
        let last = wrong.len() - 1;
        wrong[last] ^= 1;
        let verdict = opened::check(&spec, &inputs, &wrong, &seed);
        assert_eq!(verdict, Verdict::Wrong(Place::Byte(last as u64)), "{name}");
    }
}

#[test]
fn the_cpu_computes_the_vectors() {
    assert_computes_the_vectors(&CPU);
}

#[test]
fn the_first_adapter_computes_the_vectors() {
    assert_computes_the_vectors(&*GPU);
}

#[test]
fn specifications_and_random_vectors_are_those_of_the_vectors() {
    for vector in vectors() {
        let (spec, _) = vector.job();
        assert_eq!(hex::encode(spec.encode()), vector.job_spec_scale);
        let bytes = hex::decode(&vector.job_spec_scale).unwrap();
        assert_eq!(JobSpec::decode(&mut bytes.as_slice()), Ok(spec));
        assert_eq!(hex::encode(BlobRef::to(&bytes).hash), vector.job_hash);

        let random = ProductVectors::new(&array(&vector.check_seed), vector.rows);
        let elements = |at: fn(&[i32]) -> Option<&i32>| random.vectors().map(|vector| *at(vector).unwrap());
        assert_eq!(elements(<[i32]>::first), vector.check_vectors_first_elements);
        assert_eq!(elements(<[i32]>::last), vector.check_vectors_last_elements);
    }
}
