//! Chunks of blobs: whatever their proofs contain, nothing panics, and nothing but the truth is believed.

use crate::{mutation::hostile, rounds};
use agora_primitives::job::{BlobRef, ChunkProof, H256};
use codec::{Decode, Encode};
use properties::{Shown, check_chunk, check_shown, shown};
use proptest::{collection::vec, prelude::*};

#[path = "../../../../fuzz/src/chunks.rs"]
mod properties;

/// Content, often with equal chunks, and the number of one.
fn contents() -> impl Strategy<Value = (Vec<u8>, u64)> {
    let sizes = prop_oneof![
        0usize..3_000,
        0usize..12_000,
        (0usize..10).prop_map(|chunks| chunks * 1024)
    ];
    (sizes, vec(any::<u8>(), 1..5), any::<u64>()).prop_map(|(size, pattern, index)| {
        let content = pattern.iter().copied().cycle().take(size).collect();
        (content, index)
    })
}

#[test]
fn only_the_truth_is_believed_of_a_chunk() {
    let strategy = contents().prop_flat_map(|(content, index)| {
        let truth = shown(&content, index).encode();
        (Just(content), Just(index), hostile(Just(truth)))
    });
    rounds::run(file!(), strategy, |(content, index, bytes)| {
        check_chunk(&content, index, |_| bytes.clone());
        Ok(())
    });
}

#[test]
fn only_the_true_length_is_believed_with_the_last_chunk() {
    let strategy = (contents(), 0u64..14_000);
    rounds::run(file!(), strategy, |((content, _), size)| {
        let last = BlobRef::to(&content).chunks() - 1;
        check_chunk(&content, last, |(blob, proof)| {
            let blob = BlobRef { size, ..blob };
            let index = blob.chunks() - 1;
            (blob, ChunkProof { index, ..proof }).encode()
        });
        Ok(())
    });
}

#[test]
fn proofs_of_no_sense_are_refused() {
    let valid = contents().prop_map(|(content, index)| shown(&content, index).encode());
    // The hash is of something else than what is shown.
    let strategy = (hostile(valid), any::<[u8; 32]>());
    rounds::run(file!(), strategy, |(bytes, hash)| {
        let Ok((mut blob, proof)) = Shown::decode(&mut &bytes[..]) else {
            return Ok(());
        };
        blob.hash = H256(hash);
        prop_assert!(!check_shown(&(blob, proof)));
        Ok(())
    });
}
