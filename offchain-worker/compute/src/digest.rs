//! Digests of outputs and states, on all cores: equal to `merkle::chunked_root`, which says what they are.

use agora_math::merkle::{Hash, OUTPUT_CHUNK, root_of_chunks};
use blake2b_simd::{
    Params,
    many::{HashManyJob, MAX_DEGREE, hash_many},
};
use rayon::prelude::*;

/// Chunks that one task hashes.
const CHUNKS_PER_TASK: usize = 64;
/// The byte that `merkle::leaf_hash` puts before a leaf.
const LEAF: u8 = 0;
/// A leaf with its prefix.
const LEAF_SIZE: usize = OUTPUT_CHUNK + 1;

/// The digest of an output: the Merkle root of its 1 KiB chunks.
///
/// Complexity: O(n), on all cores, several chunks at a time in vector registers.
pub fn output_digest(output: &[u8]) -> Hash {
    let hashes: Vec<Hash> = output
        .par_chunks(OUTPUT_CHUNK * CHUNKS_PER_TASK)
        .flat_map_iter(leaf_hashes)
        .collect();
    root_of_chunks(output.len() as u64, &hashes)
}

/// The hashes of the chunks of `bytes`.
fn leaf_hashes(bytes: &[u8]) -> Vec<Hash> {
    let mut params = Params::new();
    params.hash_length(32);
    let mut leaves = [[LEAF; LEAF_SIZE]; MAX_DEGREE];
    let mut hashes = Vec::with_capacity(bytes.len().div_ceil(OUTPUT_CHUNK));
    for group in bytes.chunks(OUTPUT_CHUNK * MAX_DEGREE) {
        let chunks = group.chunks(OUTPUT_CHUNK);
        for (leaf, chunk) in leaves.iter_mut().zip(chunks.clone()) {
            leaf[1..=chunk.len()].copy_from_slice(chunk);
        }
        let mut jobs: Vec<HashManyJob<'_>> = leaves
            .iter()
            .zip(chunks)
            .map(|(leaf, chunk)| HashManyJob::new(&params, &leaf[..=chunk.len()]))
            .collect();
        hash_many(&mut jobs);
        // The hash length is set to 32 above: the prefix is the whole.
        hashes.extend(
            jobs.iter()
                .filter_map(|job| job.to_hash().as_bytes().first_chunk().copied()),
        );
    }
    hashes
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_math::merkle::chunked_root;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_the_root_of_the_chunks(length in 0usize..300_000, first: u8) {
            let bytes: Vec<u8> = (0..length).map(|i| first.wrapping_add((i / 7) as u8)).collect();
            prop_assert_eq!(output_digest(&bytes), chunked_root(&bytes, OUTPUT_CHUNK));
        }
    }

    #[test]
    fn lengths_around_every_boundary_agree() {
        let bytes = vec![42; OUTPUT_CHUNK * (CHUNKS_PER_TASK + 9)];
        for chunks in [
            0,
            1,
            2,
            MAX_DEGREE,
            MAX_DEGREE + 1,
            CHUNKS_PER_TASK,
            CHUNKS_PER_TASK + 8,
        ] {
            for extra in [0, 1, OUTPUT_CHUNK - 1] {
                let part = &bytes[..chunks * OUTPUT_CHUNK + extra];
                assert_eq!(output_digest(part), chunked_root(part, OUTPUT_CHUNK));
            }
        }
    }
}
