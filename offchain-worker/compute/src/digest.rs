//! Digests of outputs and states: BLAKE3, on all cores.

use agora_math::merkle::Hash;

/// The digest of an output or of a state: the BLAKE3 hash of its bytes.
///
/// Complexity: O(n), on all cores, several chunks at a time in vector registers.
pub fn output_digest(output: &[u8]) -> Hash {
    blake3::Hasher::new().update_rayon(output).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_primitives::job::blob;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn all_cores_together_hash_what_one_does(length in 0usize..300_000, first: u8) {
            let bytes: Vec<u8> = (0..length).map(|i| first.wrapping_add((i / 7) as u8)).collect();
            prop_assert_eq!(output_digest(&bytes), blob::hash(&bytes).0);
        }
    }
}
