//! A task as the chain and its clients see it: the phases of its life, how far its workers are, and the view of it that
//! the runtime serves.
//!
//! How tasks are stored is the tasks pallet's own affair: clients read [`TaskView`]s.
//!
//! Terms: a *round* is one turn of accepting, committing and revealing. The first round and those that draw more replicas
//! are of the kind [`RoundKind::Replication`], and their answers are judged together. The round after an appeal is of the
//! kind [`RoundKind::Appeal`], and its answers are judged by themselves. A task that the chain computes itself has one round, of the kind
//! [`RoundKind::Exact`].

use crate::{
    ids::{ClassId, Reference, TaskId},
    job::{Claim, JobSource},
    judging::JudgeRule,
    participants::Specialisation,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize, Serializer};
use sp_core::{H256, hexdisplay::HexDisplay};
use sp_runtime::traits::{AtLeast32BitUnsigned, Saturating, Zero};

/// How hard a task is, in thousandths: 1000 is ×1.0. Reward and publication fee rise in proportion.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Difficulty(pub u32);

impl Difficulty {
    /// ×1.0.
    pub const ONE: Self = Self(1000);

    /// `amount` times the difficulty, rounded down; `None` if it overflows.
    pub fn scale<Balance: AtLeast32BitUnsigned>(self, amount: &Balance) -> Option<Balance> {
        amount
            .checked_mul(&Balance::from(self.0))?
            .checked_div(&Balance::from(Self::ONE.0))
    }
}

/// Who may accept a task first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Assignment {
    /// Open competition: any suited worker may accept at once.
    Open,
    /// Priority assignment: workers are drawn in proportion to their ability and may accept before anybody else.
    Priority,
}

/// A step of a task that has been due for more blocks than this is late: who takes it then is paid for it.
pub const LATE_AFTER: u32 = 16;
/// Each late step is paid with this part of the publication fee: one in so many.
pub const LATE_STEP_PARTS: u32 = 8;
/// So many late steps of a task are paid for.
pub const MOST_LATE_STEPS: u32 = 4;

/// Where a task is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
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

    /// Whether a worker may accept the task, as long as the round wants one more.
    pub const fn takes_workers(self) -> bool {
        matches!(self, Self::Open | Self::Working)
    }

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Working => "working",
            Self::Revealing => "revealing",
            Self::Judging => "judging",
            Self::Appealable => "appealable",
            Self::Settled => "settled",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a round is for.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoundKind {
    /// To find a result: judged together with the rounds before it.
    Replication,
    /// To check a result that was attested against: judged by itself.
    Appeal,
    /// To have one worker reveal what the job comes to: the chain computes it, and nothing is judged.
    Exact,
}

impl RoundKind {
    /// What the first round of a task is for that is judged by `rule`.
    pub const fn first(rule: JudgeRule) -> Self {
        match rule {
            JudgeRule::Replication { .. } => Self::Replication,
            JudgeRule::Exact => Self::Exact,
        }
    }
}

/// One worker's part in a task.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contribution<BlockNumber> {
    /// The round in which it accepted.
    pub round: u32,
    /// When it accepted.
    pub accepted_at: BlockNumber,
    /// How far it is.
    pub state: ContributionState<BlockNumber>,
}

/// How far a worker is.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContributionState<BlockNumber> {
    /// It accepted.
    Accepted {
        /// The first block in which it may commit: thinking takes time.
        commit_from: BlockNumber,
        /// The last block in which its slot is its own. After that it may still commit, until somebody else takes the slot
        /// or the round ends.
        commit_by: BlockNumber,
    },
    /// It committed to a result.
    Committed {
        /// See [`commitment`](crate::commitment).
        commitment: H256,
        /// When.
        at: BlockNumber,
    },
    /// It revealed its result.
    Revealed {
        /// What it claims the result to be.
        claim: Claim,
        /// When it had committed.
        committed_at: BlockNumber,
    },
    /// It did not commit in its time, and somebody else has its slot. It has paid for that, and takes no further part.
    Replaced,
}

impl<BlockNumber> Contribution<BlockNumber> {
    /// Whether it has not lost its slot to somebody else.
    pub const fn is_current(&self) -> bool {
        !matches!(self.state, ContributionState::Replaced)
    }

    /// The claim that was revealed.
    pub fn claim(&self) -> Option<Claim> {
        match self.state {
            ContributionState::Revealed { claim, .. } => Some(claim),
            _ => None,
        }
    }
}

/// Who may accept the current round of a task before anybody else: a slot is kept for each.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct Invitation<Workers, BlockNumber> {
    /// Those who were drawn, and have neither accepted nor declined. Nobody: they are still to be drawn, and nobody may accept.
    pub workers: Workers,
    /// The last block in which slots are kept for them; the last there can be while they are still to be drawn.
    pub until: BlockNumber,
}

/// The result that was chosen.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub struct Chosen<AccountId> {
    /// What the result is claimed to be.
    pub claim: Claim,
    /// The worker with the best right answer.
    pub best: AccountId,
}

/// A task, with where it is in its life: what the runtime tells clients. Amounts are in plancks.
#[derive(Encode, Decode, TypeInfo)]
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
#[serde(bound(serialize = "AccountId: Serialize, Balance: fmt::Display, BlockNumber: Serialize"))]
pub struct TaskView<AccountId, Balance, BlockNumber> {
    /// Its number.
    pub id: TaskId,
    /// Who published it, and pays.
    pub publisher: AccountId,
    /// The publisher's own name of it.
    #[serde(serialize_with = "as_hex")]
    pub reference: Reference,
    /// Its class when it was published.
    pub class: ClassId,
    /// The kind of work.
    pub specialisation: Specialisation,
    /// How its answers are judged.
    pub judge: JudgeRule,
    /// What is to be computed.
    pub job: JobSource,
    /// How hard it is.
    pub difficulty: Difficulty,
    /// What those who do it right divide.
    #[serde(serialize_with = "as_text")]
    pub reward: Balance,
    /// The publisher's stake.
    #[serde(serialize_with = "as_text")]
    pub stake: Balance,
    /// The publication fee.
    #[serde(serialize_with = "as_text")]
    pub fee: Balance,
    /// Each worker's bond.
    #[serde(serialize_with = "as_text")]
    pub bond: Balance,
    /// When it was published.
    pub published_at: BlockNumber,
    /// The last block in which the first round's work may be committed.
    pub deadline: BlockNumber,
    /// Blocks that must pass between accepting and committing.
    pub min_thinking: BlockNumber,
    /// Blocks after accepting in which nobody else may take a worker's slot.
    pub commit_window: BlockNumber,
    /// Where it is in its life.
    #[serde(rename = "status")]
    pub phase: Phase,
    /// The last block of the current phase; while the result may be appealed, the court's last if that is later.
    pub until: BlockNumber,
    /// The last block in which the result may be attested; `None`: there is none that may be.
    pub appeal_until: Option<BlockNumber>,
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
    /// The last block in which no slot may be taken over from a worker that is silent; `None`: none ever may be.
    pub slots_kept_until: Option<BlockNumber>,
    /// For whom slots are kept for now, and until when.
    pub invited: Option<Invitation<Vec<AccountId>, BlockNumber>>,
    /// The result, once one is chosen.
    pub chosen: Option<Chosen<AccountId>>,
}

impl<AccountId: PartialEq, Balance, BlockNumber> TaskView<AccountId, Balance, BlockNumber>
where
    BlockNumber: Copy + Ord + Zero + Saturating,
{
    /// The last block in which the current round's work may be committed; zero while no round is worked on.
    pub fn work_until(&self) -> BlockNumber {
        if self.phase.takes_workers() {
            self.until
        } else {
            Zero::zero()
        }
    }

    /// The last block in which the slot of a worker is its own that accepts in block `at`.
    pub fn commit_by(&self, at: BlockNumber) -> BlockNumber {
        // Saturating: no round lasts for so long.
        at.saturating_add(self.commit_window).min(self.work_until())
    }

    /// The first block in which a step that the chain has not taken is late, and whoever takes it is paid; `None`: the task is
    /// over, and nobody is.
    pub fn late_from(&self) -> Option<BlockNumber>
    where
        BlockNumber: From<u32>,
    {
        // Saturating: a phase ends long before block numbers do.
        let due = self.until.saturating_add(1.into());
        let late_from = due.saturating_add(LATE_AFTER.into()).saturating_add(1.into());
        (!self.phase.is_finished()).then_some(late_from)
    }

    /// Whether the current round takes one more worker, now or when one of its workers is silent for too long.
    pub fn wants_workers(&self) -> bool {
        self.phase.takes_workers() && (self.accepted < self.wanted || self.slots_kept_until.is_some())
    }

    /// Whether `worker`, who has no part in it yet, may accept it in the block after `now`: there is a free slot, or a
    /// silent worker's.
    pub fn takes(&self, worker: &AccountId, now: BlockNumber) -> bool {
        let has_room = self.accepted < self.wanted || self.slots_kept_until.is_some_and(|until| now >= until);
        let wants_more = self.phase.takes_workers() && has_room;
        let may_accept = match &self.invited {
            Some(invited) if now < invited.until => {
                let free = self.wanted.saturating_sub(self.accepted) as usize;
                let kept = invited.workers.len();
                // Nobody is invited while the draw is still to come.
                invited.workers.contains(worker) || kept > 0 && free > kept
            }
            _ => true,
        };
        wants_more && may_accept
    }
}

/// Some of a chain's tasks, in no particular order, and where to go on.
#[derive(Encode, Decode, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskPage<AccountId, Balance, BlockNumber> {
    /// The tasks of this page. It may be empty and yet not the last.
    pub tasks: Vec<TaskView<AccountId, Balance, BlockNumber>>,
    /// The task after which the next page begins; `None`: this is the last page.
    pub next: Option<TaskId>,
}

/// Amounts are written as decimal strings: they do not fit a JSON number.
fn as_text<Balance: fmt::Display, S: Serializer>(amount: &Balance, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(amount)
}

fn as_hex<S: Serializer>(reference: &Reference, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&HexDisplay::from(reference))
}
