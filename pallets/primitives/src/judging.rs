//! How results are judged.

mod attestations;

use crate::{ids::TaskId, participants::Specialisation};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult};

pub use attestations::{AttestError, Attestations, AttestationsError};

/// The rule by which the answers to a task are judged.
#[derive(
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug
)]
pub enum JudgeRule {
    /// The group of equal answers with enough confidence wins: `group · trust > (1 + total) · (trust − 1)`.
    Replication {
        /// The threshold, at least 2: one in `trust` agreements may be wrong.
        trust: u32,
    },
}

/// One revealed answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer<AccountId, BlockNumber> {
    /// Whose it is.
    pub worker: AccountId,
    /// Merkle root of the output.
    pub digest: H256,
    /// When it was committed to.
    pub committed_at: BlockNumber,
    /// The worker's confidence score when it is judged.
    pub confidence: u32,
}

/// What the judge found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict<AccountId> {
    /// The answer that is right.
    pub digest: H256,
    /// The worker with the best right answer: committed in the earliest block; lots are drawn within a block.
    pub best: AccountId,
    /// The other workers with the right answer.
    pub also_correct: Vec<AccountId>,
    /// The workers with another answer.
    pub wrong: Vec<AccountId>,
}

/// What a verifier says about a result that it has checked.
#[derive(
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug
)]
#[serde(rename_all = "kebab-case")]
pub enum Attestation {
    /// The result passed the check.
    Valid,
    /// The result failed the check, or could not be had.
    Invalid,
}

impl Attestation {
    /// What is to be said of a result that is `valid`, or is not.
    pub const fn of(valid: bool) -> Self {
        if valid { Self::Valid } else { Self::Invalid }
    }
}

/// How a challenge ended, and so who of its attesters pays whom.
#[derive(
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug
)]
pub enum Ruling {
    /// The result stands: those who attested for it were right.
    Upheld,
    /// The result fell: those who attested against it were right.
    Overturned,
    /// Nothing could be found out: those who attested for the result get their bonds back, those against it lose a part,
    /// for a task that came to nothing by their word alone.
    Undecided,
}

impl Ruling {
    /// What those who were right had attested; `None` where nobody can be said to have been.
    pub const fn vindicates(self) -> Option<Attestation> {
        match self {
            Self::Upheld => Some(Attestation::Valid),
            Self::Overturned => Some(Attestation::Invalid),
            Self::Undecided => None,
        }
    }
}

/// What attesters said by the end of a appeal window.
#[derive(
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default
)]
pub struct Tally {
    /// How many attested for the result.
    pub in_favour: u32,
    /// How many attested against it.
    pub against: u32,
}

impl Tally {
    /// How many said `side`.
    pub const fn of(self, side: Attestation) -> u32 {
        match side {
            Attestation::Valid => self.in_favour,
            Attestation::Invalid => self.against,
        }
    }
}

/// What a challenge is opened with.
#[derive(
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Clone,
    PartialEq,
    Eq,
    Debug
)]
pub struct AppealTerms<BlockNumber, Balance> {
    /// The result that may be appealed.
    pub digest: H256,
    /// Randomness drawn after every answer was revealed; checks take their random vectors from it.
    pub seed: H256,
    /// The last block in which attesting is possible.
    pub until: BlockNumber,
    /// What each attester puts up.
    pub bond: Balance,
    /// What kind of work is being checked.
    pub specialisation: Specialisation,
}

/// Tells who has an interest in how a task is judged, and so may not attest.
pub trait TaskParties<AccountId> {
    /// Whether `who` published `task` or has worked, or been asked to work, on it.
    fn is_party(task: TaskId, who: &AccountId) -> bool;
}

/// Sees no interest anywhere.
impl<AccountId> TaskParties<AccountId> for () {
    fn is_party(_: TaskId, _: &AccountId) -> bool {
        false
    }
}

/// Judges answers and keeps the appeal window.
pub trait Judge<AccountId> {
    /// Block number.
    type BlockNumber;
    /// Unit of money.
    type Balance;

    /// Decides among `answers`. The result depends on the set of answers and `seed`, never on their order.
    /// `None`: there is no sufficient agreement (yet).
    fn judge(
        rule: JudgeRule,
        seed: H256,
        answers: &[Answer<AccountId, Self::BlockNumber>],
    ) -> Option<Verdict<AccountId>>;

    /// Opens the appeal window of a task.
    ///
    /// Errors: one is open already.
    fn open_appeal_window(task: TaskId, terms: AppealTerms<Self::BlockNumber, Self::Balance>) -> DispatchResult;

    /// What has been attested so far; zero for a task without a challenge.
    fn tally(task: TaskId) -> Tally;

    /// Who has attested so far; nobody for a task without a challenge.
    fn attesters(task: TaskId) -> Vec<AccountId>;

    /// Ends the challenge for good: bonds go back or to the other side by `ruling`, reputations are told, and those who
    /// were right are returned: the verifiers to be paid.
    fn close_appeal_window(task: TaskId, ruling: Ruling) -> Result<Vec<AccountId>, DispatchError>;
}

/// Tells a chain's current randomness. No-op users may give `()`, which knows only zeroes: tests alone.
pub trait Seed {
    /// Randomness that nobody could know before this block's parent was sealed, mixed with `subject`.
    fn seed(subject: &[u8]) -> H256;
}

impl Seed for () {
    fn seed(_: &[u8]) -> H256 {
        H256::zero()
    }
}
