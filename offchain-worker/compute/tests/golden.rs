//! Both engines, and the Rust types, against the vectors that the second implementation wrote.

mod opened;

use agora_compute::{
    CancelFlag, Engine, JobKind, JobSpec, NoInputs, NoProgress, SyntheticJob, Verdict, output_digest, self_test,
    synthetic,
};
use agora_math::{field, freivalds, merkle};
use agora_primitives::{
    TaskId,
    capability::Lots,
    commitment::commitment,
    job::{BlobRef, ChunkProof, Claim, H256, JobSource, StoredJob, keyed_hash},
    judging::{
        Attestation, Possession, Sealed, attestation_commitment, drawn_chunks, has_seat, possession_key, to_be_shown,
    },
    results::{BlockResults, ResultLeaf, ResultProof, compute_root_item},
};
use codec::{Decode, DecodeAll, Encode};
use opened::{CPU, GPU};
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
struct Vector {
    name: String,
    #[serde(deserialize_with = "bytes")]
    seed: [u8; 32],
    matrix_size: u32,
    iterations: u32,
    job_spec_scale: String,
    job_source_inline_scale: String,
    job_source_stored_scale: String,
    job_hash: String,
    a_first_bytes: String,
    m0_first_bytes: String,
    first_diagonal_first_elements: Vec<u8>,
    output_first_bytes: String,
    first_state_digests: Vec<String>,
    #[serde(deserialize_with = "bytes")]
    digest: [u8; 32],
    claim_scale: String,
    #[serde(deserialize_with = "bytes")]
    account: [u8; 32],
    #[serde(deserialize_with = "bytes")]
    check_seed: [u8; 32],
    check_vectors_first_elements: Vec<u8>,
    check_vectors_last_elements: Vec<u8>,
    #[serde(deserialize_with = "bytes")]
    genesis: [u8; 32],
    task: u64,
    #[serde(deserialize_with = "bytes")]
    salt: [u8; 32],
    commitment: String,
    result_leaf_scale: String,
}

/// Reads 32 bytes in hexadecimal.
fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    Ok(hash(&String::deserialize(deserializer)?))
}

impl Vector {
    fn job(&self) -> SyntheticJob {
        let Self {
            seed,
            matrix_size,
            iterations,
            ..
        } = *self;
        SyntheticJob {
            seed,
            matrix_size,
            iterations,
        }
    }

    fn spec(&self) -> JobSpec {
        JobSpec::V2(JobKind::Synthetic(self.job()))
    }
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../../../tests/vectors/synthetic.json")).unwrap()
}

fn first_bytes(bytes: &[u8]) -> String {
    hex::encode(&bytes[..bytes.len().min(16)])
}

fn assert_computes_the_vectors(engine: &dyn Engine) {
    for vector in vectors() {
        let result = engine
            .run(&vector.spec(), &NoInputs, &NoProgress, &CancelFlag::new())
            .unwrap();
        let name = &vector.name;
        assert_eq!(first_bytes(&result.output), vector.output_first_bytes, "{name}");
        assert_eq!(result.digest(), vector.digest, "{name}");
        assert_eq!(output_digest(&result.output), vector.digest, "{name}");
        assert_eq!(result.state_digests.len(), vector.iterations as usize + 1, "{name}");
        for (found, expected) in result.state_digests.iter().zip(&vector.first_state_digests) {
            assert_eq!(&hex::encode(found), expected, "{name}");
        }
        assert_eq!(hex::encode(result.claim().encode()), vector.claim_scale, "{name}");
        let verdict = CPU.check_output(&vector.spec(), &NoInputs, &result.output, &vector.check_seed);
        assert_eq!(verdict.unwrap(), Verdict::Right);
    }
    self_test(engine).unwrap();
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
fn matrices_and_vectors_of_the_check_are_the_golden_ones() {
    for vector in vectors() {
        let job = vector.job();
        assert_eq!(first_bytes(&synthetic::factor(&job)), vector.a_first_bytes);
        assert_eq!(first_bytes(&synthetic::start(&job)), vector.m0_first_bytes);
        let diagonal = synthetic::Diagonals::new(&job).of(0);
        assert_eq!(diagonal[..diagonal.len().min(16)], vector.first_diagonal_first_elements);
        let check_vectors = freivalds::chain_vectors(&vector.check_seed, job.matrix_size);
        let canonical = |value: Option<&i16>| field::canonical((*value.unwrap()).into());
        let first: Vec<u8> = check_vectors.iter().map(|vector| canonical(vector.first())).collect();
        let last: Vec<u8> = check_vectors.iter().map(|vector| canonical(vector.last())).collect();
        assert_eq!(first, vector.check_vectors_first_elements);
        assert_eq!(last, vector.check_vectors_last_elements);
    }
}

#[test]
fn encodings_and_hashes_are_those_of_the_vectors() {
    for vector in vectors() {
        let spec = vector.spec();
        assert_eq!(hex::encode(spec.encode()), vector.job_spec_scale);
        let bytes = hex::decode(&vector.job_spec_scale).unwrap();
        assert_eq!(JobSpec::decode(&mut bytes.as_slice()), Ok(spec.clone()));

        let inline = JobSource::Inline(spec.clone());
        assert_eq!(hex::encode(inline.encode()), vector.job_source_inline_scale);
        assert_eq!(hex::encode(inline.job_hash()), vector.job_hash);
        let stored = JobSource::Stored(StoredJob {
            spec: BlobRef::to(&bytes),
            specialisation: spec.specialisation(),
        });
        assert_eq!(hex::encode(stored.encode()), vector.job_source_stored_scale);
        assert_eq!(hex::encode(stored.job_hash()), vector.job_hash);

        let claim = Claim::decode_all(&mut &hex::decode(&vector.claim_scale).unwrap()[..]).unwrap();
        let task = TaskId(vector.task);
        let committed = commitment(vector.genesis.into(), task, &vector.account, &claim, &vector.salt);
        assert_eq!(hex::encode(committed), vector.commitment);

        let job = inline.job_hash();
        let leaf = ResultLeaf {
            task,
            job,
            claim,
            winner: vector.account,
        };
        assert_eq!(hex::encode(leaf.encode()), vector.result_leaf_scale);
    }
}

#[derive(Deserialize)]
struct ListRoot {
    leaves: u8,
    root: String,
}

#[test]
fn merkle_roots_are_those_of_the_vectors() {
    let roots: Vec<ListRoot> = serde_json::from_str(include_str!("../../../tests/vectors/merkle.json")).unwrap();
    for ListRoot { leaves, root } in roots {
        let hashes: Vec<_> = (0..leaves).map(|i| merkle::leaf_hash(&[i])).collect();
        assert_eq!(hex::encode(merkle::root(&hashes)), root, "{leaves} leaves");
    }
}

#[derive(Deserialize)]
struct Blob {
    bytes: usize,
    blob_ref_scale: String,
    chunks: Vec<Chunk>,
}

#[derive(Deserialize)]
struct Chunk {
    index: u64,
    siblings: Vec<String>,
}

#[test]
fn blobs_and_the_proofs_of_their_chunks_are_those_of_the_vectors() {
    let blobs: Vec<Blob> = serde_json::from_str(include_str!("../../../tests/vectors/blobs.json")).unwrap();
    for Blob {
        bytes,
        blob_ref_scale,
        chunks,
    } in blobs
    {
        let content: Vec<u8> = (0..bytes).map(|i| (i % 251) as u8).collect();
        let blob = BlobRef::to(&content);
        assert_eq!(hex::encode(blob.encode()), blob_ref_scale, "{bytes} bytes");
        assert_eq!(output_digest(&content), blob.hash.0, "{bytes} bytes");
        for Chunk { index, siblings } in chunks {
            let proof = ChunkProof::new(&content, index).unwrap();
            let found: Vec<String> = proof.siblings.iter().map(hex::encode).collect();
            assert_eq!(found, siblings, "chunk {index} of {bytes} bytes");
            assert!(blob.verify(&proof), "chunk {index} of {bytes} bytes");
        }
    }
}

#[derive(Deserialize)]
struct Attested {
    bytes: usize,
    valid: bool,
    genesis: String,
    task: u64,
    seed: String,
    claim_scale: String,
    verifier: String,
    salt: String,
    seat_lot: String,
    key: String,
    root: Option<String>,
    commitment: String,
    draw: String,
    openings: Vec<Opening>,
}

#[derive(Deserialize)]
struct Opening {
    index: u64,
    siblings: Vec<String>,
    keyed_siblings: Vec<String>,
}

fn word(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}

#[test]
fn attestations_are_committed_to_and_shown_as_in_the_vectors() {
    let all: Vec<Attested> = serde_json::from_str(include_str!("../../../tests/vectors/attestations.json")).unwrap();
    assert!(!all.is_empty());
    for one in all {
        let content: Vec<u8> = (0..one.bytes).map(|i| (i % 251) as u8).collect();
        let claim = Claim::decode_all(&mut hex::decode(&one.claim_scale).unwrap().as_slice()).unwrap();
        let attestation = Attestation::of(one.valid);
        let (task, verifier) = (TaskId(one.task), word(&one.verifier));
        let seed = word(&one.seed).into();
        let key = possession_key(seed, task, &verifier);
        assert_eq!(hex::encode(key), one.key);
        let output = to_be_shown(&claim, attestation);
        let root = output.map(|_| keyed_hash(&key, &content));
        assert_eq!(root.map(hex::encode), one.root);
        let sealed = Sealed {
            genesis: word(&one.genesis).into(),
            task,
            seed,
            claim: &claim,
            verifier: &verifier,
            attestation,
            root,
        };
        let commitment = attestation_commitment(&sealed, &word(&one.salt));
        assert_eq!(hex::encode(commitment), one.commitment);

        let drawn = output.map(|output| drawn_chunks(word(&one.draw).into(), task, &verifier, output.chunks()));
        let drawn = drawn.unwrap_or_default();
        let opened: Vec<u64> = one.openings.iter().map(|opening| opening.index).collect();
        assert_eq!(drawn, opened);
        if let (Some(output), Some(root)) = (output, root) {
            let shown = Possession::new(&key, root, &content, &drawn).unwrap();
            assert!(shown.shows(output, &key, &drawn));
            for (found, opening) in shown.openings.iter().zip(&one.openings) {
                let texts = |siblings: &[H256]| siblings.iter().map(hex::encode).collect::<Vec<_>>();
                assert_eq!(texts(&found.plain.siblings), opening.siblings);
                assert_eq!(texts(&found.keyed), opening.keyed_siblings);
            }
        }
        // With one seat, and all of the weight but so much that the lot is just outside.
        let lot = u64::from_le_bytes(hex::decode(&one.seat_lot).unwrap().try_into().unwrap());
        let weight = u32::MAX;
        let drawn_of = |total| {
            let lots = Lots {
                draw: seed,
                total,
                seats: 1,
            };
            has_seat(&lots, task, &verifier, weight)
        };
        let share = u128::from(weight) << 64;
        let most = u64::try_from((share - 1) / u128::from(lot)).unwrap();
        assert!(drawn_of(most) && !drawn_of(most + 1));
    }
}

/// A device that computes something else is refused with the reason.
#[test]
fn the_self_test_refuses_an_engine_that_is_wrong_in_one_element() {
    struct Wrong;
    impl Engine for Wrong {
        fn name(&self) -> &str {
            "wrong"
        }
        fn run(
            &self,
            job: &JobSpec,
            inputs: &dyn agora_compute::Inputs,
            progress: &dyn agora_compute::Progress,
            cancel: &CancelFlag,
        ) -> Result<agora_compute::Computation, agora_compute::EngineError> {
            let mut result = CPU.run(job, inputs, progress, cancel)?;
            if let Some(element) = result.output.get_mut(50) {
                *element = (*element + 1) % 251;
            }
            Ok(result)
        }
    }
    let error = self_test(&Wrong).unwrap_err();
    assert!(!error.is_recoverable());
    let message = error.to_string();
    assert!(
        message.contains("wrong failed the self-test \"synthetic: one tile\""),
        "{message}"
    );
}

/// It would make a verifier attest against right work.
#[test]
fn the_self_test_refuses_an_engine_whose_check_refuses_what_is_right() {
    struct Suspicious;
    impl Engine for Suspicious {
        fn name(&self) -> &str {
            "suspicious"
        }
        fn run(
            &self,
            job: &JobSpec,
            inputs: &dyn agora_compute::Inputs,
            progress: &dyn agora_compute::Progress,
            cancel: &CancelFlag,
        ) -> Result<agora_compute::Computation, agora_compute::EngineError> {
            CPU.run(job, inputs, progress, cancel)
        }
        fn check_output(
            &self,
            _: &JobSpec,
            _: &dyn agora_compute::Inputs,
            _: &[u8],
            _: &[u8; 32],
        ) -> Result<Verdict, agora_compute::EngineError> {
            Ok(Verdict::Wrong(agora_compute::Place::Byte(7)))
        }
    }
    let message = self_test(&Suspicious).unwrap_err().to_string();
    assert!(
        message.contains("the verdict of the check is \"byte 7 is wrong\", must be right"),
        "{message}"
    );
}

#[derive(Deserialize)]
struct Inclusion {
    result_leaf_scale: String,
    index: u32,
    siblings: Vec<String>,
    block: u64,
    block_hash: String,
    results_root: String,
    count: u32,
    block_leaf_scale: String,
    leaf_index: u64,
    leaf_count: u64,
    items: Vec<String>,
    compute_root: String,
    digest_item_scale: String,
}

fn hash<T: From<[u8; 32]>>(text: &String) -> T {
    let bytes: [u8; 32] = hex::decode(text).unwrap().try_into().unwrap();
    bytes.into()
}

#[test]
fn inclusion_proofs_of_the_vectors_verify() {
    let vectors: Vec<Inclusion> = serde_json::from_str(include_str!("../../../tests/vectors/inclusion.json")).unwrap();
    for vector in vectors {
        let leaf = hex::decode(&vector.result_leaf_scale).unwrap();
        let proof = ResultProof::<[u8; 32]> {
            leaf: ResultLeaf::decode(&mut leaf.as_slice()).unwrap(),
            index: vector.index,
            siblings: vector.siblings.iter().map(hash).collect(),
            block: BlockResults {
                version: 1,
                block: vector.block,
                block_hash: hash(&vector.block_hash),
                results_root: hash(&vector.results_root),
                count: vector.count,
            },
            leaf_index: vector.leaf_index,
            leaf_count: vector.leaf_count,
            items: vector.items.iter().map(hash).collect(),
        };
        assert_eq!(hex::encode(proof.block.encode()), vector.block_leaf_scale);
        assert_eq!(proof.verify(hash(&vector.compute_root)), Ok(()));
        assert!(proof.verify(hash(&vector.results_root)).is_err());
        let item = compute_root_item(hash(&vector.compute_root));
        assert_eq!(hex::encode(item.encode()), vector.digest_item_scale);
    }
}
