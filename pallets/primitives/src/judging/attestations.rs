//! Who attests what of one result.

use super::{Attestation, Tally};
use alloc::{collections::BTreeSet, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::slice::Iter;
use derive_where::derive_where;
use scale_info::TypeInfo;
use sp_core::{Get, H256};
use sp_runtime::BoundedVec;

/// What a verifier says about a result.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said {
    /// It has committed to it: see [`attestation_commitment`](super::attestation_commitment).
    Hidden(H256),
    /// It has revealed it.
    Revealed(Attestation),
}

/// Who attests what, in the order of arrival: nobody twice, and at most `Max`.
///
/// The places are not kept apart by side, because nobody knows the sides before they are revealed. That verifiers who agree do not fill
/// them all is left to the draw of those who may attest.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive_where(Clone, PartialEq, Eq, Debug; AccountId)]
#[derive_where(Default)]
#[codec(mel_bound(AccountId: MaxEncodedLen))]
#[scale_info(skip_type_params(Max))]
pub struct Attestations<AccountId, Max: Get<u32>>(BoundedVec<(AccountId, Said), Max>);

/// Why an attestation is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttestError {
    /// This account has committed to one already.
    AlreadyAttested,
    /// All places are taken.
    Full,
}

/// What is wrong with [`Attestations`] that were read from somewhere: somebody attests twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AttestationsError;

/// Attesters, divided when the truth is known; each part in the order of arrival.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sides<AccountId> {
    /// Who has revealed the truth.
    pub right: Vec<AccountId>,
    /// Who has revealed its opposite.
    pub wrong: Vec<AccountId>,
    /// Who has revealed nothing.
    pub silent: Vec<AccountId>,
}

impl<AccountId, Max: Get<u32>> Attestations<AccountId, Max> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in the order of arrival.
    pub fn iter(&self) -> Iter<'_, (AccountId, Said)> {
        self.0.iter()
    }

    /// Whether any is not revealed.
    pub fn has_hidden(&self) -> bool {
        self.iter().any(|(_, said)| matches!(said, Said::Hidden(_)))
    }

    /// How many are revealed, both ways.
    pub fn tally(&self) -> Tally {
        let count = |side| {
            let said = self.iter().filter(|(_, said)| *said == Said::Revealed(side));
            // The list is bounded by a `u32`.
            said.count() as u32
        };
        Tally {
            in_favour: count(Attestation::Valid),
            against: count(Attestation::Invalid),
        }
    }

    /// Divides the attesters, `truth` being what is right to say.
    pub fn sides(self, truth: Attestation) -> Sides<AccountId> {
        let (mut right, mut wrong, mut silent) = (Vec::new(), Vec::new(), Vec::new());
        for (who, said) in self.0 {
            match said {
                Said::Hidden(_) => silent.push(who),
                Said::Revealed(said) if said == truth => right.push(who),
                Said::Revealed(_) => wrong.push(who),
            }
        }
        Sides { right, wrong, silent }
    }
}

impl<AccountId: Ord, Max: Get<u32>> Attestations<AccountId, Max> {
    /// What `who` says; `None`: it has not committed to anything.
    pub fn said(&self, who: &AccountId) -> Option<Said> {
        let found = self.iter().find(|(attester, _)| attester == who);
        found.map(|(_, said)| *said)
    }

    /// Takes down what `verifier` commits to.
    ///
    /// Errors: `AlreadyAttested`, `Full`. Complexity: O(n).
    pub fn commit(&mut self, verifier: AccountId, commitment: H256) -> Result<(), AttestError> {
        if self.said(&verifier).is_some() {
            return Err(AttestError::AlreadyAttested);
        }
        self.0
            .try_push((verifier, Said::Hidden(commitment)))
            .map_err(|_| AttestError::Full)
    }

    /// Takes down what `verifier` reveals. Does nothing if it has not committed to anything.
    pub fn reveal(&mut self, verifier: &AccountId, attestation: Attestation) {
        if let Some((_, said)) = self.0.iter_mut().find(|(attester, _)| attester == verifier) {
            *said = Said::Revealed(attestation);
        }
    }

    /// Checks what the type promises and its encoding does not.
    ///
    /// Errors: somebody attests twice. Complexity: O(n log n).
    pub fn validate(&self) -> Result<(), AttestationsError> {
        let accounts: BTreeSet<_> = self.iter().map(|(who, _)| who).collect();
        match accounts.len() == self.len() {
            true => Ok(()),
            false => Err(AttestationsError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sp_core::ConstU32;

    type Votes = Attestations<u64, ConstU32<9>>;

    proptest! {
        #[test]
        fn each_account_has_one_place_and_says_one_thing(
            said in prop::collection::vec((0u64..12, any::<bool>(), any::<bool>()), 0..40),
        ) {
            let mut votes = Votes::default();
            let mut taken: Vec<(u64, Said)> = Vec::new();
            for (who, valid, reveals) in said {
                let hash = H256::from_low_u64_be(who);
                let expected = if taken.iter().any(|(other, _)| *other == who) {
                    Err(AttestError::AlreadyAttested)
                } else if taken.len() == 9 {
                    Err(AttestError::Full)
                } else {
                    taken.push((who, Said::Hidden(hash)));
                    Ok(())
                };
                prop_assert_eq!(votes.commit(who, hash), expected);
                if reveals {
                    votes.reveal(&who, Attestation::of(valid));
                    if let Some((_, said)) = taken.iter_mut().find(|(other, _)| *other == who) {
                        *said = Said::Revealed(Attestation::of(valid));
                    }
                }
                prop_assert_eq!(votes.validate(), Ok(()));
                let of = taken.iter().find(|(other, _)| *other == who);
                prop_assert_eq!(votes.said(&who), of.map(|(_, said)| *said));
            }
            prop_assert!(votes.iter().eq(&taken));
            prop_assert_eq!(&Votes::decode(&mut &taken.encode()[..]).unwrap(), &votes);
            let on = |wanted: fn(Said) -> bool| -> Vec<u64> {
                taken.iter().filter(|(_, said)| wanted(*said)).map(|(who, _)| *who).collect()
            };
            let valid = on(|said| said == Said::Revealed(Attestation::Valid));
            let invalid = on(|said| said == Said::Revealed(Attestation::Invalid));
            let silent = on(|said| matches!(said, Said::Hidden(_)));
            prop_assert_eq!(votes.has_hidden(), !silent.is_empty());
            let tally = Tally { in_favour: valid.len() as u32, against: invalid.len() as u32 };
            prop_assert_eq!(votes.tally(), tally);
            let sides = Sides { right: valid.clone(), wrong: invalid.clone(), silent: silent.clone() };
            prop_assert_eq!(votes.clone().sides(Attestation::Valid), sides);
            prop_assert_eq!(votes.sides(Attestation::Invalid), Sides { right: invalid, wrong: valid, silent });
        }
    }

    #[test]
    fn what_was_read_may_be_wrong() {
        let decoded = |list: Vec<(u64, Said)>| Votes::decode(&mut &list.encode()[..]).unwrap();
        let valid = |who| (who, Said::Revealed(Attestation::Valid));
        assert_eq!(decoded(vec![]).validate(), Ok(()));
        assert_eq!(decoded((0..9).map(valid).collect()).validate(), Ok(()));
        let twice = vec![valid(3), (3, Said::Hidden(H256::zero()))];
        assert_eq!(decoded(twice).validate(), Err(AttestationsError));
    }
}
