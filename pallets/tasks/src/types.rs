//! The record of a task. Its transitions are in [`transitions`](crate::transitions).
//!
//! What never changes ([`Task`], [`Terms`]) is kept apart from what every call changes ([`TaskProgress`], small), so that
//! committing and revealing touch two short storage items and nothing else.
//!
//! Terms: a *round* is one turn of accepting, committing and revealing. The first round and those that draw more
//! replicas are of the kind [`RoundKind::Replication`], their answers are judged together; a round after a challenge is
//! an [`RoundKind::Appeal`] and judged by itself. A *step* is what is to be done with a task when it is `due`.

use crate::classes::{Assignment, Difficulty};
use agora_primitives::{ClassId, Reference, job::JobSource, judging::JudgeRule, reputation::Outcome};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::{Permill, traits::AtLeast32BitUnsigned};

/// What a task was published with. Never changes.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo, Clone, PartialEq, Eq, Debug)]
pub struct Task<AccountId, Balance, BlockNumber, Split> {
    /// Who published it, and pays.
    pub publisher: AccountId,
    /// The publisher's own name of it.
    pub reference: Reference,
    /// Its class when it was published.
    pub class: ClassId,
    /// What is to be computed.
    pub job: JobSource,
    /// How hard it is.
    pub difficulty: Difficulty,
    /// When it was published.
    pub published_at: BlockNumber,
    /// The last block in which the first round's work may be committed.
    pub deadline: BlockNumber,
    /// What it is worked on for.
    pub terms: Terms<Balance, BlockNumber, Split>,
}

/// The terms of a task: its class's when it was published, with the amounts worked out.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo, Clone, PartialEq, Eq, Debug)]
pub struct Terms<Balance, BlockNumber, Split> {
    /// What those who do it right divide.
    pub reward: Balance,
    /// The publisher's stake.
    pub stake: Balance,
    /// The fee for publishing.
    pub fee: Balance,
    /// Each worker's bond.
    pub bond: Balance,
    /// Each attester's bond.
    pub attest_bond: Balance,
    /// What a wrong answer costs, as a part of the bond.
    pub wrong_penalty: Permill,
    /// What being late costs, as a part of the bond.
    pub late_penalty: Permill,
    /// Workers in the first round, and in an appeal.
    pub replicas: u32,
    /// Workers in all rounds before a result is chosen.
    pub max_replicas: u32,
    /// How the reward is divided.
    pub split: Split,
    /// How the answers are judged.
    pub judge: JudgeRule,
    /// How the work is handed out.
    pub assignment: Assignment,
    /// The least time between accepting and committing.
    pub min_thinking: BlockNumber,
    /// How long later rounds may be worked on.
    pub work_window: BlockNumber,
    /// How long may be revealed.
    pub reveal_window: BlockNumber,
    /// How long verifiers may attest.
    pub appeal_window: BlockNumber,
    /// How long only the drawn workers may accept.
    pub invite_window: BlockNumber,
}

impl<Balance: AtLeast32BitUnsigned + Copy, BlockNumber, Split> Terms<Balance, BlockNumber, Split> {
    /// What a worker with this outcome loses of its bond. Rounded down.
    pub fn penalty(&self, outcome: Outcome) -> Balance {
        match outcome {
            Outcome::Right { .. } => Balance::zero(),
            Outcome::Wrong => self.wrong_penalty.mul_floor(self.bond),
            Outcome::Late => self.late_penalty.mul_floor(self.bond),
        }
    }
}

/// Where a task is in its life.
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
pub enum Phase {
    /// Published; nobody has accepted it.
    Open,
    /// A round is being worked on.
    Working,
    /// Commitments may be revealed.
    Revealing,
    /// All that was committed to is revealed.
    Judging,
    /// A result is chosen and may be attested for or against.
    Appealable,
    /// Finished: paid.
    Settled,
    /// Finished: taken back before anybody accepted.
    Cancelled,
    /// Finished: nobody accepted, committed or revealed in time.
    Expired,
    /// Finished: no result could be agreed on.
    Failed,
}

impl Phase {
    /// Whether the task has had its terminal event.
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Settled | Self::Cancelled | Self::Expired | Self::Failed)
    }
}

/// What a round is for.
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
pub enum RoundKind {
    /// To find a result: judged together with the rounds before it.
    Replication,
    /// To check a result that was attested against: judged by itself.
    Appeal,
}

/// What every call on a task changes. Kept small: committing and revealing read and write it.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo, Clone, PartialEq, Eq, Debug)]
pub struct TaskProgress<BlockNumber> {
    /// Where the task is in its life.
    pub phase: Phase,
    /// What the current round is for.
    pub kind: RoundKind,
    /// The current round, counted from zero.
    pub round: u32,
    /// How many workers this round wants.
    pub wanted: u32,
    /// How many accepted in this round.
    pub accepted: u32,
    /// How many committed in this round.
    pub committed: u32,
    /// How many revealed in this round.
    pub revealed: u32,
    /// How many accepted in all rounds.
    pub contributions: u32,
    /// The first block in which the next step may be taken. Up to the block before it, the phase's calls are.
    pub due: BlockNumber,
    /// The block in whose agenda the task is; `None` if there was no room, then somebody has to call `advance`.
    pub scheduled_at: Option<BlockNumber>,
    /// How long may be revealed.
    pub reveal_window: BlockNumber,
}

/// One worker's part in a task.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo, Clone, PartialEq, Eq, Debug)]
pub struct Contribution<BlockNumber> {
    /// The round in which it accepted.
    pub round: u32,
    /// When it accepted.
    pub accepted_at: BlockNumber,
    /// How far it is.
    pub state: ContributionState<BlockNumber>,
}

/// How far a worker is.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo, Clone, PartialEq, Eq, Debug)]
pub enum ContributionState<BlockNumber> {
    /// It accepted.
    Accepted {
        /// The first block in which it may commit: thinking takes time.
        commit_from: BlockNumber,
    },
    /// It committed to a result.
    Committed {
        /// See [`agora_primitives::commitment`].
        commitment: H256,
        /// When.
        at: BlockNumber,
    },
    /// It revealed its result.
    Revealed {
        /// Merkle root of the output.
        digest: H256,
        /// Its commitment to the intermediate states.
        trace_root: H256,
        /// When it had committed.
        committed_at: BlockNumber,
    },
}

/// The result that was chosen.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo, Clone, PartialEq, Eq, Debug)]
pub struct Chosen<AccountId> {
    /// Merkle root of the output.
    pub digest: H256,
    /// The worker with the best right answer.
    pub best: AccountId,
    /// That worker's commitment to its intermediate states.
    pub trace_root: H256,
}

/// Where the publication fee goes when a task ends without a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeeGoes {
    /// Back to the publisher: the market did not do its part.
    Back,
    /// To the treasury.
    ToTreasury,
}
