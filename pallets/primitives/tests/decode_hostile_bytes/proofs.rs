//! Proofs of settled results: whatever they contain, nothing panics, and nothing but the truth is believed.

use crate::{mutation::hostile, rounds};
use agora_math::merkle::{Hash, MountainProof, Proof};
use codec::{Decode, Encode};
use properties::{Unknown, check_claim, check_merkle, truth};
use proptest::prelude::*;

#[path = "../../../../fuzz/src/proofs.rs"]
#[allow(dead_code, reason = "the fuzz targets check more")]
mod properties;

fn claims() -> impl Strategy<Value = (Hash, properties::Claim)> {
    (1u64..20, 1u64..20)
        .prop_flat_map(|(blocks, results)| (Just(blocks), Just(results), 0..blocks, 0..results))
        .prop_map(|(blocks, results, at, index)| truth(blocks, results, at, index))
}

#[test]
fn only_the_truth_is_believed_of_a_result() {
    let strategy = claims().prop_flat_map(|(root, claim)| {
        let bytes = claim.encode();
        (Just(root), Just(claim), hostile(Just(bytes)))
    });
    rounds::run(file!(), strategy, |(root, truth, bytes)| {
        check_claim(&root, &truth, &bytes);
        Ok(())
    });
}

#[test]
fn proofs_of_no_sense_are_refused() {
    let valid = claims().prop_map(|(root, (_, path, _, mountain))| (root, path, mountain).encode());
    let strategy = (
        hostile(valid),
        any::<u64>(),
        any::<u16>(),
        proptest::collection::vec(any::<u8>(), 0..64),
    );
    rounds::run(file!(), strategy, |(bytes, length, chunk_size, content)| {
        let Ok((root, path, mountain)) = <(Hash, Proof, MountainProof)>::decode(&mut &bytes[..]) else {
            return Ok(());
        };
        let unknown = Unknown {
            root,
            path,
            mountain,
            length,
            chunk_size,
            content,
        };
        // The roots are of something else than this content.
        prop_assert_eq!(check_merkle(&unknown), [false; 3]);
        Ok(())
    });
}
