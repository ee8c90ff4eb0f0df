//! How results are judged.
//!
//! Terms: an *answer* is what one worker revealed; a *verdict* says which answer is right; in the *appeal window* of a
//! task verifiers attest for or against the chosen result; a *ruling* says how the window ended.
//!
//! Verifiers that attest are drawn when the window opens ([`has_seat`]). In the window they commit to what they say
//! ([`attestation_commitment`]); when it is over, randomness that nobody knew before draws chunks of the output
//! ([`drawn_chunks`]), and they reveal. Whoever says that an output is right shows with these chunks that it had all of it when
//! it committed ([`Possession`]).

mod attestations;
mod sealed;

use crate::{ids::TaskId, job::Claim, participants::Specialisation};
use agora_math::consensus;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult, Weight};

pub use attestations::{AttestError, Attestations, AttestationsError, Said, Sides};
pub use sealed::{
    ATTEST_DOMAIN, CHUNK_DOMAIN, OPENINGS, POSSESSION_DOMAIN, Possession, SEAT_DOMAIN, Sealed, attestation_commitment,
    drawn_chunks, has_seat, last_block, possession_key, to_be_shown,
};

/// The rule by which the answers to a task are judged.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum JudgeRule {
    /// The group of equal answers with enough confidence wins: `group · trust > (1 + total) · (trust − 1)`.
    Replication {
        /// The threshold, at least 2: one in `trust` agreements may be wrong.
        trust: u32,
    },
    /// The chain computes the job itself when its only worker reveals: see [`exact`](crate::exact). Nothing is judged.
    Exact,
}

impl JudgeRule {
    /// The least that can be asked of a group: that it weighs more than all others together.
    pub const MAJORITY: Self = Self::Replication { trust: 2 };
}

/// One worker's revealed claim.
pub type Answer<AccountId, BlockNumber> = consensus::Answer<AccountId, Claim, BlockNumber>;

/// What the judge found: the right claim, and the worker with the best right answer.
pub type Verdict<AccountId> = consensus::Verdict<AccountId, Claim>;

/// What a verifier says about a result that it has checked.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Attestation {
    /// The result passed the check.
    Valid,
    /// The result failed the check, or computing the job comes to another claim. That nobody serves it is no reason.
    Invalid,
}

impl Attestation {
    /// `Valid` for a result that passed the check, else `Invalid`.
    pub const fn of(valid: bool) -> Self {
        if valid { Self::Valid } else { Self::Invalid }
    }
}

/// How an appeal window ended, and so which attesters were right.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ruling {
    /// The result stands: those who attested for it were right.
    Upheld,
    /// Another output stands, or that the input is unusable: those who attested against the result were right.
    Overturned,
    /// Nobody is shown to have been wrong about the output: nothing stands instead, or the same output with other states before it, which
    /// checks need not see. All who have revealed get their bonds back.
    Undecided,
    /// The result stands, or nothing does, and fresh replicas had agreed on nothing. Those who attested against it lose a part of their bonds:
    /// the task was held up, or fails, because of their word alone.
    Disagreed,
}

impl Ruling {
    /// What those had attested who are paid for looking if something is settled: that the output is right, unless another one is.
    pub const fn pays(self) -> Attestation {
        match self {
            Self::Upheld | Self::Undecided | Self::Disagreed => Attestation::Valid,
            Self::Overturned => Attestation::Invalid,
        }
    }

    /// Whether it is known who was right.
    pub const fn is_certain(self) -> bool {
        matches!(self, Self::Upheld | Self::Overturned)
    }
}

/// How many have revealed an attestation, each way.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// How many for the result.
    pub in_favour: u32,
    /// How many against it.
    pub against: u32,
}

impl Tally {
    /// Whether more said that the result is wrong.
    pub const fn is_against(self) -> bool {
        self.against > self.in_favour
    }

    /// How many said `side`.
    pub const fn of(self, side: Attestation) -> u32 {
        match side {
            Attestation::Valid => self.in_favour,
            Attestation::Invalid => self.against,
        }
    }
}

/// What an appeal window is opened with.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppealTerms<BlockNumber, Balance> {
    /// The claim that may be appealed.
    pub claim: Claim,
    /// Randomness drawn after every answer was revealed; checks take their random vectors from it.
    pub seed: H256,
    /// The last block in which verifiers may commit to attestations, if no block is full.
    pub until: BlockNumber,
    /// How many blocks they have to reveal them, from the block on in which chunks are drawn.
    pub reveal_window: BlockNumber,
    /// What each attester puts up.
    pub bond: Balance,
    /// What kind of work is being checked.
    pub specialisation: Specialisation,
}

/// What is waited for before the attestations of a task can be counted.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reveals<BlockNumber> {
    /// Nothing: all that were committed to are revealed, or it is too late for the others.
    Done,
    /// The chunks that attesters show are to be drawn.
    Undrawn {
        /// In this block at the earliest.
        from: BlockNumber,
    },
    /// Some are not revealed.
    Pending {
        /// The last block in which they may be, if no more blocks are full.
        until: BlockNumber,
    },
}

/// Tells who has an interest in how a task is judged, and so may not attest; and is told when all attestations are revealed.
pub trait TaskParties<AccountId> {
    /// Whether `who` published `task`, accepted it, or is invited to it.
    fn is_party(task: TaskId, who: &AccountId) -> bool;

    /// The attestations of `task` need not be waited for any more.
    fn all_revealed(task: TaskId);

    /// The most that being told weighs.
    fn weight() -> Weight;
}

/// Sees no interest anywhere.
impl<AccountId> TaskParties<AccountId> for () {
    fn is_party(_: TaskId, _: &AccountId) -> bool {
        false
    }
    fn all_revealed(_: TaskId) {}
    fn weight() -> Weight {
        Weight::zero()
    }
}

/// Judges answers and keeps the appeal windows.
pub trait Judge<AccountId, BlockNumber, Balance> {
    /// Decides among `answers`. The verdict depends on the set of answers and `seed`, never on their order.
    /// `None`: there is no sufficient agreement (yet).
    fn judge(rule: JudgeRule, seed: H256, answers: &[Answer<AccountId, BlockNumber>]) -> Option<Verdict<AccountId>>;

    /// Opens the appeal window of a task.
    ///
    /// Errors: one is open already.
    fn open_appeal_window(task: TaskId, terms: AppealTerms<BlockNumber, Balance>) -> DispatchResult;

    /// The claim that the appeal window of a task was opened with; `None` for a task without one.
    fn appealed(task: TaskId) -> Option<Claim>;

    /// The last block in which verifiers may commit to attestations, for or against that claim, if no more blocks are full; `None` for a task
    /// without an appeal window.
    fn appeal_until(task: TaskId) -> Option<BlockNumber>;

    /// What is waited for before attestations can be counted. Asked when committing is over.
    fn reveals(task: TaskId) -> Reveals<BlockNumber>;

    /// Draws the chunks that attesters are to show, with `seed`: from now on attestations may be revealed. Does nothing where that is not
    /// waited for.
    fn draw_chunks(task: TaskId, seed: H256);

    /// What has been attested, and revealed, so far; zero for a task without an appeal window.
    fn tally(task: TaskId) -> Tally;

    /// Who has committed to an attestation so far, revealed or not; nobody for a task without an appeal window.
    fn attesters(task: TaskId) -> Vec<AccountId>;

    /// Closes the appeal window for good: bonds go back, or are lost by `ruling`, and reputations are told. Nobody gains what another loses.
    /// Who could have revealed and has not pays as if it had been wrong.
    ///
    /// Returns the verifiers to be paid, if something is settled: [`Ruling::pays`]. Errors: no window is open.
    fn close_appeal_window(task: TaskId, ruling: Ruling) -> Result<Vec<AccountId>, DispatchError>;
}

/// Judges nothing and keeps no appeal window: no answers ever agree, and nobody attests.
///
/// With this judge every task ends without a result: for chains that try out the rest of the market, and for tests.
impl<AccountId, BlockNumber, Balance> Judge<AccountId, BlockNumber, Balance> for () {
    fn judge(_: JudgeRule, _: H256, _: &[Answer<AccountId, BlockNumber>]) -> Option<Verdict<AccountId>> {
        None
    }
    fn open_appeal_window(_: TaskId, _: AppealTerms<BlockNumber, Balance>) -> DispatchResult {
        Ok(())
    }
    fn appealed(_: TaskId) -> Option<Claim> {
        None
    }
    fn appeal_until(_: TaskId) -> Option<BlockNumber> {
        None
    }
    fn reveals(_: TaskId) -> Reveals<BlockNumber> {
        Reveals::Done
    }
    fn draw_chunks(_: TaskId, _: H256) {}
    fn tally(_: TaskId) -> Tally {
        Tally::default()
    }
    fn attesters(_: TaskId) -> Vec<AccountId> {
        Vec::new()
    }
    fn close_appeal_window(_: TaskId, _: Ruling) -> Result<Vec<AccountId>, DispatchError> {
        Ok(Vec::new())
    }
}

/// Tells a chain's current randomness. `()` knows only zeroes: it is for tests alone.
pub trait Seed {
    /// Randomness of this block, mixed with `subject`. Whoever makes a call cannot have known it, and whoever alone makes this
    /// block or the one before it could not while the one before it still took calls. What is drawn with it is to be fixed before
    /// the call that asks for it.
    fn seed(subject: &[u8]) -> H256;
}

impl Seed for () {
    fn seed(_: &[u8]) -> H256 {
        H256::zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks a judge everything, as the pallet that keeps the tasks does.
    fn judged_by<J: Judge<u64, u32, u128>>() -> (Option<Verdict<u64>>, Tally, Vec<u64>) {
        let answers = [Answer {
            worker: 1,
            claim: Claim::Unusable,
            committed_at: 2,
            confidence: 303,
        }];
        let terms = AppealTerms {
            claim: Claim::Unusable,
            seed: H256::zero(),
            until: 9,
            reveal_window: 4,
            bond: 5,
            specialisation: Specialisation::Synthetic,
        };
        let verdict = J::judge(JudgeRule::Replication { trust: 2 }, H256::zero(), &answers);
        assert_eq!(J::open_appeal_window(TaskId(1), terms), Ok(()));
        assert_eq!(J::appealed(TaskId(1)), None);
        J::draw_chunks(TaskId(1), H256::zero());
        assert_eq!(J::reveals(TaskId(1)), Reveals::Done);
        let attested = (J::tally(TaskId(1)), J::attesters(TaskId(1)));
        assert_eq!(J::close_appeal_window(TaskId(1), Ruling::Upheld), Ok(Vec::new()));
        (verdict, attested.0, attested.1)
    }

    #[test]
    fn no_judge_judges_nothing() {
        assert_eq!(judged_by::<()>(), (None, Tally::default(), Vec::new()));
    }
}
