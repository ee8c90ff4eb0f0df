//! A challenge, its transitions, and how bonds pass from the wrong side to the right one. Pure.

use crate::{Config, Error};
use agora_primitives::{
    judging::{Attestation, ChallengeTerms, Tally},
    money::{Escrow, Payee},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    BoundedVec, CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound,
    traits::{Get, tokens::Balance},
};
use frame_system::pallet_prelude::BlockNumberFor;
use scale_info::TypeInfo;

/// Unit of money.
pub type BalanceOf<T> = <<T as Config>::Escrow as Escrow<<T as frame_system::Config>::AccountId>>::Balance;

/// The challenge of this runtime.
pub type ChallengeOf<T> =
    Challenge<<T as frame_system::Config>::AccountId, BlockNumberFor<T>, BalanceOf<T>, <T as Config>::MaxAttestations>;

/// An open challenge: its terms, and what was attested so far.
#[derive(
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    CloneNoBound,
    PartialEqNoBound,
    EqNoBound,
    DebugNoBound,
)]
#[scale_info(skip_type_params(MaxAttestations))]
#[codec(mel_bound(AccountId: MaxEncodedLen, BlockNumber: MaxEncodedLen, Balance: MaxEncodedLen))]
pub struct Challenge<AccountId, BlockNumber, Balance, MaxAttestations>
where
    AccountId: Clone + PartialEq + Eq + core::fmt::Debug,
    BlockNumber: Clone + PartialEq + Eq + core::fmt::Debug,
    Balance: Clone + PartialEq + Eq + core::fmt::Debug,
    MaxAttestations: Get<u32>,
{
    /// What it was opened with.
    pub terms: ChallengeTerms<BlockNumber, Balance>,
    /// Who attested what, in the order of arrival. Nobody twice; at most half of the places for each side.
    pub attestations: BoundedVec<(AccountId, Attestation), MaxAttestations>,
}

/// Why an attestation is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The window is over.
    WindowClosed,
    /// This account has attested already.
    AlreadyAttested,
    /// All places of this side are taken.
    SideFull,
}

impl<T> From<Refusal> for Error<T> {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::WindowClosed => Self::WindowClosed,
            Refusal::AlreadyAttested => Self::AlreadyAttested,
            Refusal::SideFull => Self::TooManyAttestations,
        }
    }
}

impl<AccountId, BlockNumber, Balance, MaxAttestations> Challenge<AccountId, BlockNumber, Balance, MaxAttestations>
where
    AccountId: Clone + PartialEq + Eq + core::fmt::Debug,
    BlockNumber: Clone + PartialEq + Eq + PartialOrd + core::fmt::Debug,
    Balance: Clone + PartialEq + Eq + core::fmt::Debug,
    MaxAttestations: Get<u32>,
{
    /// Opens a challenge that nobody has attested in.
    pub fn new(terms: ChallengeTerms<BlockNumber, Balance>) -> Self {
        Self {
            terms,
            attestations: BoundedVec::new(),
        }
    }

    /// How many places each side has: half of all. So validators who agree with each other, however many, leave room
    /// for as many others who disagree.
    pub fn places_per_side() -> u32 {
        MaxAttestations::get().wrapping_div(2)
    }

    /// Takes down what `validator` says at block `now`.
    pub fn attest(&mut self, now: BlockNumber, validator: AccountId, attestation: Attestation) -> Result<(), Refusal> {
        if now > self.terms.until {
            return Err(Refusal::WindowClosed);
        }
        if self.attestations.iter().any(|(who, _)| *who == validator) {
            return Err(Refusal::AlreadyAttested);
        }
        if self.count(attestation) >= Self::places_per_side() {
            return Err(Refusal::SideFull);
        }
        self.attestations
            .try_push((validator, attestation))
            .map_err(|_| Refusal::SideFull)
    }

    /// How many attested both ways.
    pub fn tally(&self) -> Tally {
        Tally {
            in_favour: self.count(Attestation::Valid),
            against: self.count(Attestation::Invalid),
        }
    }

    /// Divides the attesters into those who said `truth` and the others, each in the order of arrival.
    pub fn sides(self, truth: Attestation) -> (Vec<AccountId>, Vec<AccountId>) {
        let (right, wrong): (Vec<_>, Vec<_>) = self.attestations.into_iter().partition(|(_, said)| *said == truth);
        let accounts = |side: Vec<(AccountId, Attestation)>| side.into_iter().map(|(who, _)| who);
        (accounts(right).collect(), accounts(wrong).collect())
    }

    fn count(&self, attestation: Attestation) -> u32 {
        // The list is bounded by a `u32`.
        self.attestations
            .iter()
            .filter(|(_, said)| *said == attestation)
            .count() as u32
    }
}

/// One movement of money out of a loser's bond.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer<AccountId, Balance> {
    /// Whose bond it comes from.
    pub from: AccountId,
    /// Who gets it.
    pub payee: Payee<AccountId>,
    /// How much. Never zero.
    pub amount: Balance,
}

/// Divides `penalties` equally among `winners`, rounding each share down; the remainder, or all of it where there are no
/// winners, goes to the treasury.
///
/// Returns the share of each winner and the transfers; they add up to exactly the penalties, from each loser exactly its
/// own, and there are at most as many as losers and winners together. Complexity: O(losers + winners).
pub fn redistribute<AccountId: Clone, B: Balance>(
    penalties: &[(AccountId, B)],
    winners: &[AccountId],
) -> (B, Vec<Transfer<AccountId, B>>) {
    // Saturating: penalties are parts of what is held, which is below the total issuance.
    let pot = penalties
        .iter()
        .fold(B::zero(), |sum, (_, penalty)| sum.saturating_add(*penalty));
    let heads = B::from(winners.len() as u32);
    let share = pot.checked_div(&heads).unwrap_or_default();
    // Neither can overflow: the share was rounded down.
    let remainder = pot.saturating_sub(share.saturating_mul(heads));

    let to_winners = winners.iter().map(|winner| (Payee::Account(winner.clone()), share));
    let mut dues = to_winners
        .chain([(Payee::Treasury, remainder)])
        .filter(|(_, due)| !due.is_zero());
    let mut next = dues.next();
    let mut transfers = Vec::new();
    for (from, penalty) in penalties {
        let mut left = *penalty;
        while let Some((payee, due)) = next.as_mut().filter(|_| !left.is_zero()) {
            let amount = left.min(*due);
            transfers.push(Transfer {
                from: from.clone(),
                payee: payee.clone(),
                amount,
            });
            // Neither can underflow: the amount is the lesser of the two.
            left = left.saturating_sub(amount);
            *due = due.saturating_sub(amount);
            if due.is_zero() {
                next = dues.next();
            }
        }
    }
    (share, transfers)
}
