//! An appeal window, and how bonds pass from the wrong side to the right one. Pure.

use crate::Config;
use agora_primitives::{
    capability::Lots,
    judging::{AppealTerms, Attestations, Reveals, reveal_until},
    money::{Escrow, Payee},
    participants::TotalStake,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound,
    traits::{Get, tokens::Balance},
};
use frame_system::pallet_prelude::BlockNumberFor;
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::traits::AtLeast32BitUnsigned;

/// Blocks from the last commitment to the draw of chunks: one without commitments between them, so that not even who makes two blocks in
/// a row knows the draw while it can still commit.
const DRAW_DELAY: u32 = 2;

/// Unit of money.
pub type BalanceOf<T> = <<T as Config>::Escrow as Escrow<<T as frame_system::Config>::AccountId>>::Balance;

/// The appeal window of this runtime.
pub type AppealWindowOf<T> = AppealWindow<
    <T as frame_system::Config>::AccountId,
    BlockNumberFor<T>,
    BalanceOf<T>,
    <T as Config>::MaxAttestations,
>;

/// The draw of the chunks that attesters show.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Draw<BlockNumber> {
    /// What they are drawn with: nobody knew it while anybody could commit.
    pub seed: H256,
    /// The block in which it was made.
    pub at: BlockNumber,
    /// How many blocks were full before it.
    pub full_before: u64,
}

/// An open appeal window: its terms, who may attest, and what was attested so far.
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
    /// The block in which it was opened: a verifier is drawn with what it weighed before.
    pub opened_at: BlockNumber,
    /// What all verifiers weighed then; zero: there are no more than seats, so that all may attest.
    pub total: u64,
    /// How many may attest, on average.
    pub seats: u32,
    /// The chunks that are to be shown; `None`: they are not drawn.
    pub draw: Option<Draw<BlockNumber>>,
    /// Who attests what.
    pub attestations: Attestations<AccountId, MaxAttestations>,
}

impl<AccountId, BlockNumber, Balance, MaxAttestations> AppealWindow<AccountId, BlockNumber, Balance, MaxAttestations>
where
    AccountId: Clone + PartialEq + Eq + core::fmt::Debug,
    BlockNumber: AtLeast32BitUnsigned + Copy + core::fmt::Debug,
    Balance: Clone + PartialEq + Eq + core::fmt::Debug,
    MaxAttestations: Get<u32>,
{
    /// Opens a window in which nobody has attested yet, where verifiers weigh `total` and `seats` of them may attest.
    pub fn new(terms: AppealTerms<BlockNumber, Balance>, total: TotalStake, seats: u32, now: BlockNumber) -> Self {
        Self {
            terms,
            opened_at: now,
            total: match total.verifiers <= seats {
                true => 0,
                false => total.weight,
            },
            seats,
            draw: None,
            attestations: Attestations::default(),
        }
    }

    /// How those are drawn who may attest.
    pub fn lots(&self) -> Lots {
        Lots {
            draw: self.terms.seed,
            total: self.total,
            seats: self.seats,
        }
    }

    /// The last block in which attestations may be revealed, if no more blocks are full than the `full` so far; `None` before the draw.
    pub fn reveal_until(&self, full: u64) -> Option<BlockNumber> {
        let draw = self.draw.as_ref()?;
        let full = full.saturating_sub(draw.full_before);
        Some(reveal_until(draw.at, self.terms.reveal_window, full))
    }

    /// Whether attestations may be revealed in block `now`, before which `full` blocks were full.
    ///
    /// Once this is over it stays so: with each block that is full, one passes.
    pub fn takes_reveals(&self, now: BlockNumber, full: u64) -> bool {
        self.reveal_until(full).is_some_and(|until| now <= until)
    }

    /// What is waited for in block `now`, before which `full` blocks were full.
    pub fn reveals(&self, now: BlockNumber, full: u64) -> Reveals<BlockNumber> {
        if !self.attestations.has_hidden() {
            return Reveals::Done;
        }
        match self.reveal_until(full) {
            None => Reveals::Undrawn {
                from: self.terms.until.saturating_add(DRAW_DELAY.into()),
            },
            Some(until) if now <= until => Reveals::Pending { until },
            Some(_) => Reveals::Done,
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
