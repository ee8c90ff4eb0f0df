//! Who attested what of one result.

use super::{Attestation, Tally};
use alloc::{collections::BTreeSet, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::slice::Iter;
use derive_where::derive_where;
use scale_info::TypeInfo;
use sp_core::Get;
use sp_runtime::BoundedVec;

/// Who attested what, in the order of arrival: nobody twice, and at most half of `Max` for each side. So verifiers who
/// agree with each other, however many, leave room for as many others who disagree.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive_where(Clone, PartialEq, Eq, Debug; AccountId)]
#[derive_where(Default)]
#[codec(mel_bound(AccountId: MaxEncodedLen))]
#[scale_info(skip_type_params(Max))]
pub struct Attestations<AccountId, Max: Get<u32>>(BoundedVec<(AccountId, Attestation), Max>);

/// Why an attestation is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttestError {
    /// This account has attested already.
    AlreadyAttested,
    /// All places of this side are taken.
    SideFull,
}

/// What is wrong with [`Attestations`] that were read from somewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttestationsError {
    /// Somebody attested twice.
    Twice,
    /// A side has more than its places.
    TooMany,
}

impl<AccountId, Max: Get<u32>> Attestations<AccountId, Max> {
    /// How many places each side has.
    pub fn places_per_side() -> u32 {
        Max::get().wrapping_div(2)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in the order of arrival.
    pub fn iter(&self) -> Iter<'_, (AccountId, Attestation)> {
        self.0.iter()
    }

    /// How many attested both ways.
    pub fn tally(&self) -> Tally {
        let count = |side| {
            let said = self.iter().filter(|(_, said)| *said == side);
            // The list is bounded by a `u32`.
            said.count() as u32
        };
        Tally {
            in_favour: count(Attestation::Valid),
            against: count(Attestation::Invalid),
        }
    }

    /// Divides the attesters into those who said `truth` and the others, each in the order of arrival.
    pub fn sides(self, truth: Attestation) -> (Vec<AccountId>, Vec<AccountId>) {
        let (right, wrong): (Vec<_>, Vec<_>) = self.0.into_iter().partition(|(_, said)| *said == truth);
        let accounts = |side: Vec<(AccountId, Attestation)>| side.into_iter().map(|(who, _)| who);
        (accounts(right).collect(), accounts(wrong).collect())
    }
}

impl<AccountId: Ord, Max: Get<u32>> Attestations<AccountId, Max> {
    /// Whether `who` has attested.
    pub fn has(&self, who: &AccountId) -> bool {
        self.iter().any(|(attester, _)| attester == who)
    }

    /// Takes down what `verifier` says.
    pub fn attest(&mut self, verifier: AccountId, said: Attestation) -> Result<(), AttestError> {
        if self.has(&verifier) {
            return Err(AttestError::AlreadyAttested);
        }
        if self.tally().of(said) >= Self::places_per_side() {
            return Err(AttestError::SideFull);
        }
        self.0.try_push((verifier, said)).map_err(|_| AttestError::SideFull)
    }

    /// Checks what the type promises and its encoding does not. Complexity: O(n log n).
    pub fn validate(&self) -> Result<(), AttestationsError> {
        let accounts: BTreeSet<_> = self.iter().map(|(who, _)| who).collect();
        if accounts.len() != self.len() {
            return Err(AttestationsError::Twice);
        }
        let Tally { in_favour, against } = self.tally();
        if in_favour.max(against) > Self::places_per_side() {
            return Err(AttestationsError::TooMany);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sp_core::ConstU32;

    type Votes = Attestations<u64, ConstU32<9>>;

    fn decoded(list: Vec<(u64, Attestation)>) -> Votes {
        Votes::decode(&mut &list.encode()[..]).unwrap()
    }

    proptest! {
        #[test]
        fn each_account_has_one_and_each_side_half_of_the_places(
            said in prop::collection::vec((0u64..12, any::<bool>()), 0..40),
        ) {
            let mut votes = Votes::default();
            let mut taken: Vec<(u64, Attestation)> = Vec::new();
            for (who, valid) in said {
                let side = Attestation::of(valid);
                let expected = if taken.iter().any(|(other, _)| *other == who) {
                    Err(AttestError::AlreadyAttested)
                } else if taken.iter().filter(|(_, other)| *other == side).count() == 4 {
                    Err(AttestError::SideFull)
                } else {
                    taken.push((who, side));
                    Ok(())
                };
                prop_assert_eq!(votes.attest(who, side), expected);
                prop_assert_eq!(votes.validate(), Ok(()));
            }
            prop_assert!(votes.iter().eq(&taken));
            prop_assert_eq!(&decoded(taken.clone()), &votes);
            let on = |side| -> Vec<u64> {
                taken.iter().filter(|(_, said)| *said == side).map(|(who, _)| *who).collect()
            };
            let (valid, invalid) = (on(Attestation::Valid), on(Attestation::Invalid));
            let tally = Tally { in_favour: valid.len() as u32, against: invalid.len() as u32 };
            prop_assert_eq!(votes.tally(), tally);
            prop_assert_eq!(votes.clone().sides(Attestation::Valid), (valid.clone(), invalid.clone()));
            prop_assert_eq!(votes.sides(Attestation::Invalid), (invalid, valid));
        }
    }

    #[test]
    fn what_was_read_may_be_wrong() {
        let valid = |who| (who, Attestation::Valid);
        assert_eq!(decoded(vec![]).validate(), Ok(()));
        assert_eq!(
            decoded(vec![valid(3), (3, Attestation::Invalid)]).validate(),
            Err(AttestationsError::Twice)
        );
        assert_eq!(
            decoded((0..5).map(valid).collect()).validate(),
            Err(AttestationsError::TooMany)
        );
    }
}
