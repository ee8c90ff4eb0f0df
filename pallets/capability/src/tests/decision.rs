//! How votes count.

use crate::types::Response;
use agora_primitives::{
    capability::Decision,
    judging::{AttestError, Attestation},
};
use frame_support::traits::ConstU32;
use proptest::prelude::*;
use sp_core::H256;

type Votes = Response<u64, ConstU32<8>>;

proptest! {
    #[test]
    fn the_larger_side_with_a_quorum_decides(sides in prop::collection::vec(any::<bool>(), 0..20), quorum in 1u32..=4) {
        let mut response = Votes::new(1, H256::zero());
        let mut counts = [0u32; 2];
        for (who, side) in (0u64..).zip(sides) {
            let said = Attestation::of(side);
            let count = &mut counts[usize::from(side)];
            if *count == 4 {
                prop_assert_eq!(response.votes.attest(who, said), Err(AttestError::SideFull));
                continue;
            }
            *count += 1;
            prop_assert_eq!(response.votes.attest(who, said), Ok(()));
            prop_assert_eq!(response.votes.attest(who, said), Err(AttestError::AlreadyAttested));
            let [invalid, valid] = counts;
            let expected = if valid.max(invalid) < quorum {
                Decision::Open
            } else if valid > invalid {
                Decision::Proven
            } else if valid < invalid {
                Decision::Refuted
            } else {
                Decision::Open
            };
            prop_assert_eq!(response.decision(quorum), expected);
        }
    }
}
