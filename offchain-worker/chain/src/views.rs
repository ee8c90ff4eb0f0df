//! What the chain knows, in the form that programs and people want it.

use crate::{AccountId, Balance, BlockNumber, H256, api::api};
use agora_primitives::{
    ClassId, Reference, TaskId,
    capability::{Decision, challenge_job},
    job::{JobKind, JobSource, JobSpec},
    judging,
    money::{Payee, Purpose, Scope},
    participants::{Specialisation, Specialisations},
    reputation::Side,
};
use serde::Serialize;
use sp_runtime::traits::ConstU32;
use std::fmt;

use api::runtime_types::pallet_agora_tasks::types as tasks;

/// A task, with where it is in its life.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TaskView {
    /// Its number.
    pub id: TaskId,
    /// Who published it, and pays.
    pub publisher: AccountId,
    /// The publisher's own name of it.
    #[serde(with = "crate::hex_text")]
    pub reference: Reference,
    /// Its class.
    pub class: ClassId,
    /// The kind of work.
    pub specialisation: Specialisation,
    /// What is to be computed.
    pub job: JobSource,
    /// How hard it is, in thousandths.
    pub difficulty: u32,
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
    /// Where it is in its life.
    pub status: Status,
    /// The last block of the current phase.
    pub until: BlockNumber,
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
    /// Who alone may accept for now, and until when.
    pub invited: Option<Invited>,
    /// The result, once one is chosen.
    pub chosen: Option<ChosenView>,
}

/// Workers that may accept before others.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Invited {
    /// They.
    pub workers: Vec<AccountId>,
    /// The last block of their privilege.
    pub until: BlockNumber,
}

/// The result that was chosen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ChosenView {
    /// Merkle root of the output.
    pub digest: H256,
    /// The worker with the best right answer.
    pub best: AccountId,
    /// That worker's commitment to its intermediate states.
    pub trace_root: H256,
}

/// Where a task is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the runtime's `Phase` explains them")]
pub enum Status {
    Open,
    Working,
    Revealing,
    Judging,
    Appealable,
    Settled,
    Cancelled,
    Expired,
    Failed,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Open => "open",
            Self::Working => "working",
            Self::Revealing => "revealing",
            Self::Judging => "judging",
            Self::Appealable => "appealable",
            Self::Settled => "settled",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Failed => "failed",
        })
    }
}

/// The phase of a task with its last block: what is to be done follows from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(
    missing_docs,
    reason = "the runtime's `Phase` explains them; `until` is the last block of the phase"
)]
pub enum Phase {
    Open { until: BlockNumber },
    Working { until: BlockNumber },
    Revealing { until: BlockNumber },
    Judging,
    Appealable { until: BlockNumber },
    Finished,
}

impl Phase {
    /// Whether the task has had its terminal event.
    pub fn is_finished(&self) -> bool {
        matches!(self, Self::Finished)
    }
}

impl TaskView {
    /// Its phase.
    pub fn phase(&self) -> Phase {
        let until = self.until;
        match self.status {
            Status::Open => Phase::Open { until },
            Status::Working => Phase::Working { until },
            Status::Revealing => Phase::Revealing { until },
            Status::Judging => Phase::Judging,
            Status::Appealable => Phase::Appealable { until },
            Status::Settled | Status::Cancelled | Status::Expired | Status::Failed => Phase::Finished,
        }
    }

    /// The last block in which the current round's work may be committed.
    pub fn work_until(&self) -> BlockNumber {
        match self.phase() {
            Phase::Open { until } | Phase::Working { until } => until,
            _ => 0,
        }
    }

    /// Whether `worker`, who has no part in it yet, may accept it now.
    pub fn takes(&self, worker: &AccountId, now: BlockNumber) -> bool {
        let open = matches!(self.status, Status::Open | Status::Working) && self.accepted < self.wanted;
        let invited = match &self.invited {
            Some(invited) if now < invited.until => invited.workers.contains(worker),
            _ => true,
        };
        open && invited
    }
}

/// How far a worker is with a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContributionState {
    /// It accepted.
    Accepted {
        /// When.
        at: BlockNumber,
    },
    /// It committed to a result.
    Committed {
        /// The commitment.
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
    },
}

/// One worker's part in a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContributionView {
    /// The round in which it accepted.
    pub round: u32,
    /// How far it is.
    pub state: ContributionState,
}

/// Who attested what, as many as the chain takes.
pub type Attestations = judging::Attestations<AccountId, ConstU32<{ u32::MAX }>>;

/// An open appeal window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppealWindowView {
    /// The task.
    pub task: TaskId,
    /// The result that may be appealed.
    pub digest: H256,
    /// Where checks take their randomness from.
    pub seed: H256,
    /// The last block in which attesting is possible.
    pub until: BlockNumber,
    /// What has been attested.
    pub attestations: Attestations,
}

/// When rounds of hardware challenges are held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct ScheduleView {
    /// Blocks from one round to the next.
    pub period: BlockNumber,
    /// Blocks in which a round takes responses.
    pub window: BlockNumber,
    /// Blocks from the opening of a round in which what it proved counts.
    pub validity: BlockNumber,
    /// How many verifiers must agree on a response.
    pub quorum: u32,
}

impl ScheduleView {
    /// The next block after `now` that opens a round.
    pub fn next_round(&self, now: BlockNumber) -> BlockNumber {
        now.checked_div(self.period)
            .map_or(BlockNumber::MAX, |past| (past + 1).saturating_mul(self.period))
    }
}

/// A round of hardware challenges.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct RoundView {
    /// Its number.
    pub number: u32,
    /// What challenges are made from.
    pub seed: H256,
    /// The first block in which it takes no responses.
    pub closes_at: BlockNumber,
    /// How long it takes responses, in milliseconds.
    pub window_ms: u64,
    /// How many verifiers must agree on a response.
    pub quorum: u32,
}

impl RoundView {
    /// The job with which `worker` proves `capability` in this round.
    pub fn challenge(&self, worker: &AccountId, capability: u32) -> JobSpec {
        JobSpec::V1(JobKind::Synthetic(challenge_job(
            self.seed,
            &worker.0,
            capability,
            self.window_ms,
        )))
    }
}

/// A worker's response to its hardware challenge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResponseView {
    /// The capability that it proves, in GOPS.
    pub capability: u32,
    /// The digest of the challenge's output.
    pub digest: H256,
    /// What verifiers found.
    pub votes: Attestations,
}

impl ResponseView {
    /// What the votes come to.
    pub fn decision(&self, quorum: u32) -> Decision {
        Decision::of(self.votes.tally(), quorum)
    }
}

/// A task class.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ClassView {
    /// Its number.
    pub id: ClassId,
    /// Its name.
    pub name: String,
    /// The kind of work.
    pub specialisation: Specialisation,
    /// The least reward at difficulty 1.
    #[serde(serialize_with = "as_text")]
    pub base_reward: Balance,
}

impl ClassView {
    /// The least reward at `difficulty` thousandths; `None` if it overflows.
    pub fn least_reward(&self, difficulty: u32) -> Option<Balance> {
        Some(self.base_reward.checked_mul(difficulty.into())? / 1000)
    }
}

/// A participant in one role.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct ParticipantView {
    /// A worker's kinds of work.
    #[serde(skip)]
    pub specialisations: Specialisations,
    /// How many tasks a worker takes at a time.
    pub slots: u32,
    /// A worker's declared speed, in GOPS.
    pub capability: u32,
    /// What it has proven of it, and the first block in which that counts no more.
    pub proven: Option<(u32, BlockNumber)>,
    /// The block in which it was last heard of.
    pub last_heartbeat: BlockNumber,
}

/// An account's money.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct BalanceView {
    /// At its disposal.
    #[serde(serialize_with = "as_text")]
    pub free: Balance,
    /// Set aside.
    #[serde(serialize_with = "as_text")]
    pub held: Balance,
}

/// Money set aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DepositView {
    /// What for.
    pub purpose: Purpose,
    /// What it belongs to.
    pub scope: Scope,
    /// How much.
    pub amount: Balance,
}

/// What is remembered of an account's work on one side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReputationView {
    /// In which capacity.
    pub side: Side,
    /// Confidence score.
    pub confidence: u32,
    /// How many outcomes were counted.
    pub count: u32,
}

/// Amounts are written as decimal strings: they do not fit a JSON number.
fn as_text<S: serde::Serializer>(amount: &Balance, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(amount)
}

impl From<tasks::Phase> for Status {
    fn from(phase: tasks::Phase) -> Self {
        match phase {
            tasks::Phase::Open => Self::Open,
            tasks::Phase::Working => Self::Working,
            tasks::Phase::Revealing => Self::Revealing,
            tasks::Phase::Judging => Self::Judging,
            tasks::Phase::Appealable => Self::Appealable,
            tasks::Phase::Settled => Self::Settled,
            tasks::Phase::Cancelled => Self::Cancelled,
            tasks::Phase::Expired => Self::Expired,
            tasks::Phase::Failed => Self::Failed,
        }
    }
}

/// Money that left a hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaymentView {
    /// What it was held for.
    pub purpose: Purpose,
    /// What it belonged to.
    pub scope: Scope,
    /// Of whom it was held.
    pub from: AccountId,
    /// Who got it.
    pub payee: Payee<AccountId>,
    /// How much, in plancks.
    pub amount: Balance,
}

/// The account that public money goes to and comes from.
pub fn treasury_account() -> AccountId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(b"modl");
    bytes[4..12].copy_from_slice(TREASURY_ID);
    AccountId(bytes)
}

/// The treasury's pallet id.
const TREASURY_ID: &[u8; 8] = b"agora/tr";
