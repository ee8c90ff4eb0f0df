//! The golden vectors as inputs for the targets.

use crate::proofs::{Account, Unknown, check_merkle, check_result};
use agora_math::merkle::{Hash, MountainProof, Proof, chunked_root};
use agora_primitives::results::{BlockResults, ResultLeaf, ResultProof};
use codec::{DecodeAll, Encode};
use serde::Deserialize;
use sp_core::H256;
use sp_runtime::{Digest, DigestItem};
use std::{env, fs, path::PathBuf};

const SYNTHETIC: &str = include_str!("../../tests/vectors/synthetic.json");
const INCLUSION: &str = include_str!("../../tests/vectors/inclusion.json");

#[derive(Deserialize)]
struct Synthetic {
    job_spec_scale: String,
    job_source_inline_scale: String,
    job_source_stored_scale: String,
}

#[derive(Deserialize)]
struct Inclusion {
    result_leaf_scale: String,
    index: u32,
    siblings: Vec<String>,
    block_leaf_scale: String,
    leaf_index: u64,
    leaf_count: u64,
    items: Vec<String>,
    compute_root: String,
    digest_item_scale: String,
}

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).expect("the vectors are hexadecimal")
}

fn decode<T: DecodeAll>(hex: &str) -> T {
    T::decode_all(&mut &bytes(hex)[..]).expect("the vectors are of these types")
}

fn hash(hex: &str) -> Hash {
    decode(hex)
}

/// Writes what `seeds` returns into the folder that the environment variable `AGORA_FUZZ_SEEDS` names, a file each; does
/// nothing without it. For a target to call before the fuzzer reads its corpus.
pub fn plant(seeds: impl FnOnce() -> Vec<Vec<u8>>) {
    let Some(folder) = env::var_os("AGORA_FUZZ_SEEDS").map(PathBuf::from) else {
        return;
    };
    for (number, seed) in seeds().iter().enumerate() {
        let file = folder.join(format!("golden-{number}"));
        fs::write(&file, seed).unwrap_or_else(|error| panic!("{} cannot be written: {error}", file.display()));
    }
}

fn synthetic() -> Vec<Synthetic> {
    serde_json::from_str(SYNTHETIC).expect("the vectors are of this form")
}

fn inclusion() -> Vec<Inclusion> {
    serde_json::from_str(INCLUSION).expect("the vectors are of this form")
}

/// Returns the job specifications.
pub fn job_specs() -> Vec<Vec<u8>> {
    synthetic().iter().map(|vector| bytes(&vector.job_spec_scale)).collect()
}

/// Returns the job sources of both kinds.
pub fn job_sources() -> Vec<Vec<u8>> {
    let both = |vector: Synthetic| [vector.job_source_inline_scale, vector.job_source_stored_scale];
    synthetic().into_iter().flat_map(both).map(|hex| bytes(&hex)).collect()
}

/// Returns digests, each with the proof of a result.
pub fn result_proofs() -> Vec<Vec<u8>> {
    let seed = |vector: Inclusion| {
        let hashes = |from: &[String]| from.iter().map(|hex| H256(hash(hex))).collect();
        let digest = Digest {
            logs: vec![decode::<DigestItem>(&vector.digest_item_scale)],
        };
        let proof = ResultProof {
            leaf: decode::<ResultLeaf<Account>>(&vector.result_leaf_scale),
            index: vector.index,
            siblings: hashes(&vector.siblings),
            block: decode::<BlockResults>(&vector.block_leaf_scale),
            leaf_index: vector.leaf_index,
            leaf_count: vector.leaf_count,
            items: hashes(&vector.items),
        };
        assert!(check_result(&digest, &proof), "the vectors are true");
        (digest, proof).encode()
    };
    inclusion().into_iter().map(seed).collect()
}

/// Returns proofs through trees and mountain ranges, and one of a chunk.
pub fn merkle_proofs() -> Vec<Vec<u8>> {
    let seeds = |vector: Inclusion| {
        let hashes = |from: &[String]| from.iter().map(|hex| hash(hex)).collect();
        let block: BlockResults = decode(&vector.block_leaf_scale);
        let unknown = |root, content| Unknown {
            root,
            path: Proof {
                index: vector.index.into(),
                leaf_count: block.count.into(),
                siblings: hashes(&vector.siblings),
            },
            mountain: MountainProof {
                leaf_index: vector.leaf_index,
                leaf_count: vector.leaf_count,
                items: hashes(&vector.items),
            },
            length: 0,
            chunk_size: 0,
            content,
        };
        let path = unknown(block.results_root.0, bytes(&vector.result_leaf_scale));
        let mountain = unknown(hash(&vector.compute_root), bytes(&vector.block_leaf_scale));
        assert_eq!(check_merkle(&path), [true, false, false], "the vectors are true");
        assert_eq!(check_merkle(&mountain), [false, false, true], "the vectors are true");
        let chunk = Unknown {
            root: chunked_root(&path.content, path.content.len()),
            path: Proof {
                index: 0,
                leaf_count: 1,
                siblings: Vec::new(),
            },
            length: path.content.len() as u64,
            chunk_size: path.content.len() as u16,
            ..unknown([0; 32], path.content.clone())
        };
        assert_eq!(
            check_merkle(&chunk),
            [false, true, false],
            "the only chunk is under the root"
        );
        [path, mountain, chunk].map(|unknown| unknown.encode())
    };
    inclusion().into_iter().flat_map(seeds).collect()
}
