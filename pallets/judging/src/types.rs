//! An appeal window, and what is waited for in it. Pure.

use crate::Config;
use agora_primitives::{
    capability::Lots,
    judging::{AppealTerms, Attestations, Reveals, last_block},
    money::Escrow,
    participants::TotalStake,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound, traits::Get};
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
    /// How many blocks were full before that.
    pub full_before: u64,
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
    /// Opens a window in block `now`, before which `full` blocks were full. Nobody has attested yet; verifiers weigh `total`, and `seats` of
    /// them may attest.
    pub fn new(
        terms: AppealTerms<BlockNumber, Balance>,
        total: TotalStake,
        seats: u32,
        now: BlockNumber,
        full: u64,
    ) -> Self {
        Self {
            terms,
            opened_at: now,
            full_before: full,
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

    /// The last block in which attestations may be committed to, if no more blocks are full than the `full` so far. Else whoever fills
    /// the blocks of a window would keep everybody from attesting.
    pub fn commit_until(&self, full: u64) -> BlockNumber {
        let window = self.terms.until.saturating_sub(self.opened_at);
        last_block(self.opened_at, window, full.saturating_sub(self.full_before))
    }

    /// The last block in which they may be revealed; the same holds. `None` before the draw.
    pub fn reveal_until(&self, full: u64) -> Option<BlockNumber> {
        let draw = self.draw.as_ref()?;
        let full = full.saturating_sub(draw.full_before);
        Some(last_block(draw.at, self.terms.reveal_window, full))
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
                from: self.commit_until(full).saturating_add(DRAW_DELAY.into()),
            },
            Some(until) if now <= until => Reveals::Pending { until },
            Some(_) => Reveals::Done,
        }
    }
}
