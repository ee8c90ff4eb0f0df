//! How votes count.

use crate::types::Response;
use agora_primitives::{
    capability::Decision,
    judging::{Attestation, Tally},
};
use frame_support::traits::ConstU32;
use proptest::prelude::*;
use sp_core::H256;

type Votes = Response<u64, u128, ConstU32<32>>;

fn response(sides: &[bool], weight: u64) -> Votes {
    let mut response = Votes {
        weight,
        ..Votes::new(1, H256::zero(), 0)
    };
    for (who, side) in (0u64..).zip(sides) {
        response.votes.try_push((who, Attestation::of(*side))).unwrap();
    }
    response
}

proptest! {
    #[test]
    fn the_larger_side_with_a_quorum_decides(
        sides in prop::collection::vec(any::<bool>(), 0..20), quorum in 1u32..=4, weight in 0u64..100, most in 0u64..100,
    ) {
        let response = response(&sides, weight);
        let valid = sides.iter().filter(|side| **side).count() as u32;
        let invalid = sides.len() as u32 - valid;
        prop_assert_eq!(response.tally(), Tally { in_favour: valid, against: invalid });
        let expected = if 2 * weight < most || valid.max(invalid) < quorum || valid == invalid {
            Decision::Open
        } else if valid > invalid {
            Decision::Proven
        } else {
            Decision::Refuted
        };
        prop_assert_eq!(response.decision(quorum, most), expected);
        let decoy = Votes { is_decoy: true, ..response.clone() };
        prop_assert_eq!(decoy.decision(quorum, most), Decision::Refuted);

        for truth in [Attestation::Valid, Attestation::Invalid] {
            let (right, wrong) = response.sides(truth);
            let said = |who: &&u64| sides[**who as usize] == (truth == Attestation::Valid);
            prop_assert!(right.iter().all(said) && !wrong.iter().any(said));
            prop_assert_eq!(right.len() + wrong.len(), sides.len());
        }
    }
}

/// Half of the weight on another response is enough; what is less is too few.
#[test]
fn less_than_half_of_the_most_weight_decides_nothing() {
    let sides = [true; 3];
    assert_eq!(response(&sides, 50).decision(1, 100), Decision::Proven);
    assert_eq!(response(&sides, 49).decision(1, 99), Decision::Open);
}
