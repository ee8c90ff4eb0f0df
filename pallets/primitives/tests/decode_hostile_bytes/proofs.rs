//! Proofs of settled results and of states: whatever they contain, nothing panics, and nothing but the truth is believed.

use crate::{mutation::hostile, rounds};
use agora_math::merkle::{Hash, MountainProof, Proof};
use agora_primitives::job::Claim;
use codec::{Decode, Encode};
use properties::{Unknown, check_inclusion, check_merkle, check_opening, check_state, opened, truth};
use proptest::{collection::vec, prelude::*, sample::Index};
use sp_core::H256;

#[path = "../../../../fuzz/src/proofs.rs"]
#[allow(dead_code, reason = "the fuzz targets check more")]
mod properties;

fn inclusions() -> impl Strategy<Value = (Hash, properties::Inclusion)> {
    (1u64..20, 1u64..20)
        .prop_flat_map(|(blocks, results)| (Just(blocks), Just(results), 0..blocks, 0..results))
        .prop_map(|(blocks, results, at, index)| truth(blocks, results, at, index))
}

#[test]
fn only_the_truth_is_believed_of_a_result() {
    let strategy = inclusions().prop_flat_map(|(root, inclusion)| {
        let bytes = inclusion.encode();
        (Just(root), Just(inclusion), hostile(Just(bytes)))
    });
    rounds::run(file!(), strategy, |(root, truth, bytes)| {
        check_inclusion(&root, &truth, &bytes);
        Ok(())
    });
}

#[test]
fn proofs_of_no_sense_are_refused() {
    let valid = inclusions().prop_map(|(root, (_, path, _, mountain))| (root, path, mountain).encode());
    let strategy = (hostile(valid), vec(any::<u8>(), 0..64));
    rounds::run(file!(), strategy, |(bytes, content)| {
        let Ok((root, path, mountain)) = <(Hash, Proof, MountainProof)>::decode(&mut &bytes[..]) else {
            return Ok(());
        };
        let unknown = Unknown {
            root,
            path,
            mountain,
            content,
        };
        // The roots are of something else than this content.
        prop_assert_eq!(check_merkle(&unknown), [false; 2]);
        Ok(())
    });
}

/// The digests of a job's states, of which some are equal, and the number of one.
fn states() -> impl Strategy<Value = (Vec<H256>, usize)> {
    let digest = prop_oneof![(0u8..4).prop_map(H256::repeat_byte), any::<[u8; 32]>().prop_map(H256)];
    (vec(digest, 1..40), any::<Index>()).prop_map(|(digests, index)| {
        let index = index.index(digests.len());
        (digests, index)
    })
}

#[test]
fn only_the_truth_is_believed_of_a_state() {
    let strategy = states().prop_flat_map(|(digests, index)| {
        let truth = opened(&digests, index).expect("there is a state");
        (Just(digests), Just(index), hostile(Just(truth.encode())))
    });
    rounds::run(file!(), strategy, |(digests, index, bytes)| {
        check_state(&digests, index, |_| bytes.clone());
        Ok(())
    });
}

#[test]
fn openings_of_no_sense_are_refused() {
    let valid = states().prop_map(|(digests, index)| opened(&digests, index).expect("there is a state").encode());
    // The root is of something else than what is opened.
    let strategy = (hostile(valid), any::<[u8; 32]>());
    rounds::run(file!(), strategy, |(bytes, root)| {
        let Ok((mut claim, states, opening)) = properties::Opened::decode(&mut &bytes[..]) else {
            return Ok(());
        };
        if let Claim::Output { output, states_root } = &mut claim {
            (output.hash, *states_root) = (H256(root), H256(root));
        }
        prop_assert!(!check_opening(&(claim, states, opening)));
        Ok(())
    });
}
