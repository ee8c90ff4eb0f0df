//! What a worker says a job's result is.

use crate::BlobRef;
use agora_math::merkle::{self, Hash, Proof};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use primitive_types::H256;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// What a job's result is claimed to be.
///
/// It belongs to nobody: everybody who computes the job rightly makes the same claim, and anybody can defend or attack
/// it. Whose it is says the commitment alone.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// The job has an output.
    #[codec(index = 0)]
    Output {
        /// The canonical output.
        output: BlobRef,
        /// [`states_root`] over the digests of the states before the output.
        states_root: H256,
    },
    /// The job's inputs are not what its kind demands: it has no output, and nobody can compute it. Why, and where, is
    /// evidence and no part of the claim, because two reasons may both be true.
    #[codec(index = 1)]
    Unusable,
}

impl Claim {
    /// The output, if there is one.
    pub const fn output(&self) -> Option<&BlobRef> {
        match self {
            Self::Output { output, .. } => Some(output),
            Self::Unusable => None,
        }
    }

    /// Whether `opening` shows the digest of one of the `states` states of this claim, the output included.
    ///
    /// Complexity: O(log n), at most 64 hashes.
    pub fn verify(&self, states: u64, opening: &StateOpening) -> bool {
        let Self::Output { output, states_root } = self else {
            return false;
        };
        let Some(before) = states.checked_sub(1) else {
            return false;
        };
        if opening.index == before {
            return opening.digest == output.hash && opening.siblings.is_empty();
        }
        // Longer ones are refused before they are copied.
        opening.siblings.len() <= u64::BITS as usize
            && merkle::verify(
                &states_root.0,
                &merkle::leaf_hash(&opening.digest.0),
                &Proof {
                    index: opening.index,
                    leaf_count: before,
                    siblings: opening.siblings.iter().map(|sibling| sibling.0).collect(),
                },
            )
    }
}

impl core::fmt::Display for Claim {
    /// The digest of the output, or that the inputs are unusable.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Output { output, .. } => write!(f, "{:?}", output.hash),
            Self::Unusable => f.write_str("unusable inputs"),
        }
    }
}

/// The root of the tree over the digests of a job's states, without the last, which is the output.
///
/// Leaf `i` is the digest of state `i`; how many there are, and the length of each, follows from the job. Complexity: O(n).
pub fn states_root(digests: &[H256]) -> H256 {
    merkle::root(&leaves(digests)).into()
}

fn leaves(digests: &[H256]) -> Vec<Hash> {
    digests.iter().map(|digest| merkle::leaf_hash(&digest.0)).collect()
}

/// The first state of which two lists of digests say different things. `None`: there is none, or one list is longer.
///
/// Whoever computed rightly has the right digest there, because everything before it is equal: so the one state decides.
pub fn first_difference(one: &[H256], other: &[H256]) -> Option<u64> {
    let at = one.iter().zip(other).position(|(a, b)| a != b)?;
    Some(at as u64)
}

/// Shows the digest of a state of a claim.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct StateOpening {
    /// Which state, from 0.
    pub index: u64,
    /// Its digest.
    pub digest: H256,
    /// The hashes beside the way from it to the root, lowest first; none for the output.
    pub siblings: Vec<H256>,
}

impl StateOpening {
    /// Opens state `index`, of which `digests` are those of all states before the output. `None`: there is none before
    /// the output.
    ///
    /// Complexity: O(n).
    pub fn new(digests: &[H256], index: u64) -> Option<Self> {
        let at = usize::try_from(index).ok()?;
        let proof = merkle::prove(&leaves(digests), at)?;
        Some(Self {
            index,
            digest: *digests.get(at)?,
            siblings: proof.siblings.into_iter().map(H256).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn digests(count: usize) -> Vec<H256> {
        (0..count).map(|i| H256::from_low_u64_be(i as u64 + 1)).collect()
    }

    fn claim(states: &[H256]) -> Claim {
        Claim::Output {
            output: BlobRef::to(b"output"),
            states_root: states_root(states),
        }
    }

    proptest! {
        #[test]
        fn each_state_can_be_shown_and_nothing_else(
            count in 0usize..40, at: prop::sample::Index, byte in 0usize..32, other in 0u64..50,
        ) {
            let before = digests(count);
            let (claim, states) = (claim(&before), count as u64 + 1);
            let output = StateOpening { index: count as u64, digest: BlobRef::to(b"output").hash, siblings: vec![] };
            prop_assert!(claim.verify(states, &output));
            prop_assert!(!Claim::Unusable.verify(states, &output));
            prop_assert_eq!(StateOpening::new(&before, count as u64), None);
            prop_assume!(count > 0);
            let index = at.index(count) as u64;
            let opening = StateOpening::new(&before, index).unwrap();
            prop_assert_eq!(opening.digest, before[index as usize]);
            prop_assert!(claim.verify(states, &opening));
            prop_assert!(!claim.verify(states + 1, &opening));
            let moved = StateOpening { index: other, ..opening.clone() };
            prop_assert_eq!(claim.verify(states, &moved), other == index);
            let mut wrong = opening.clone();
            wrong.digest.0[byte] ^= 1;
            prop_assert!(!claim.verify(states, &wrong));
            let mut wrong = opening;
            wrong.siblings.push(H256::zero());
            prop_assert!(!claim.verify(states, &wrong));
        }

        #[test]
        fn the_first_difference_is_found(count in 1usize..40, at: prop::sample::Index, later: prop::sample::Index) {
            let one = digests(count);
            prop_assert_eq!(first_difference(&one, &one), None);
            let (first, second) = (at.index(count), later.index(count));
            let mut other = one.clone();
            other[first] = H256::zero();
            other[second] = H256::zero();
            prop_assert_eq!(first_difference(&one, &other), Some(first.min(second) as u64));
        }
    }

    #[test]
    fn a_claim_has_the_bytes_of_the_protocol() {
        let claim = claim(&[]);
        let Claim::Output { output, states_root } = claim else {
            unreachable!()
        };
        let bytes = [&[0][..], &output.hash.0, &6u64.to_le_bytes(), &states_root.0].concat();
        assert_eq!(claim.encode(), bytes);
        assert_eq!(Claim::Unusable.encode(), [1]);
        assert_eq!(Claim::max_encoded_len(), 73);
    }
}
