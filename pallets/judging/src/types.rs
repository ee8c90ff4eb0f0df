//! An appeal window, and how bonds pass from the wrong side to the right one. Pure.

use crate::Config;
use agora_primitives::{
    judging::{AppealTerms, Attestations},
    money::{Escrow, Payee},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound,
    traits::{Get, tokens::Balance},
};
use frame_system::pallet_prelude::BlockNumberFor;
use scale_info::TypeInfo;

/// Unit of money.
pub type BalanceOf<T> = <<T as Config>::Escrow as Escrow<<T as frame_system::Config>::AccountId>>::Balance;

/// The appeal window of this runtime.
pub type AppealWindowOf<T> = AppealWindow<
    <T as frame_system::Config>::AccountId,
    BlockNumberFor<T>,
    BalanceOf<T>,
    <T as Config>::MaxAttestations,
>;

/// An open appeal window: its terms, and what was attested so far.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(CloneNoBound, PartialEqNoBound, EqNoBound, DebugNoBound)]
#[scale_info(skip_type_params(MaxAttestations))]
#[codec(mel_bound(AccountId: MaxEncodedLen, BlockNumber: MaxEncodedLen, Balance: MaxEncodedLen))]
pub struct AppealWindow<AccountId, BlockNumber, Balance, MaxAttestations>
where
    AccountId: Clone + PartialEq + Eq + core::fmt::Debug,
    BlockNumber: Clone + PartialEq + Eq + core::fmt::Debug,
    Balance: Clone + PartialEq + Eq + core::fmt::Debug,
    MaxAttestations: Get<u32>,
{
    /// What it was opened with.
    pub terms: AppealTerms<BlockNumber, Balance>,
    /// Who attested what.
    pub attestations: Attestations<AccountId, MaxAttestations>,
}

impl<AccountId, BlockNumber, Balance, MaxAttestations> AppealWindow<AccountId, BlockNumber, Balance, MaxAttestations>
where
    AccountId: Clone + PartialEq + Eq + core::fmt::Debug,
    BlockNumber: Clone + PartialEq + Eq + core::fmt::Debug,
    Balance: Clone + PartialEq + Eq + core::fmt::Debug,
    MaxAttestations: Get<u32>,
{
    /// Opens a window in which nobody has attested yet.
    pub fn new(terms: AppealTerms<BlockNumber, Balance>) -> Self {
        Self {
            terms,
            attestations: Attestations::default(),
        }
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
