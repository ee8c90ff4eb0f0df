//! What the chain knows, in the form that programs and people want it.

mod dispute;

pub use dispute::{ClockView, DefenceView, DisputeView, DisputedView, MatchView, Moment, RunView};

use crate::{AccountId, Balance, BlockNumber, H256, ProxyType};
use agora_disputes::{Game, Terms};
use agora_primitives::{
    ClassId, TaskId,
    capability::challenge_job,
    job::{Claim, JobKind, JobSpec},
    judging::{self, JudgeRule},
    money::{Payee, Purpose, Scope},
    participants::{Specialisation, Specialisations},
    reputation::Side,
    task::{self, Difficulty},
};
use serde::Serialize;
use sp_runtime::traits::ConstU32;

/// A task, with where it is in its life.
pub type TaskView = task::TaskView<AccountId, Balance, BlockNumber>;

/// Some of the chain's tasks, and where to go on.
pub(crate) type TaskPage = task::TaskPage<AccountId, Balance, BlockNumber>;

/// One worker's part in a task.
pub type Contribution = task::Contribution<BlockNumber>;

/// How far a worker is with a task.
pub type ContributionState = task::ContributionState<BlockNumber>;

/// Who attested what, as many as the chain takes.
pub type Attestations = judging::Attestations<AccountId, ConstU32<{ u32::MAX }>>;

/// One accuser against one claim, with all that was shown.
#[derive(Clone, Debug)]
pub struct TrialView {
    /// The task.
    pub task: TaskId,
    /// The number of the case.
    pub case: u64,
    /// The lengths of the phases.
    pub terms: Terms,
    /// What the accusation, and each defence and run, puts up, in plancks.
    pub bond: Balance,
    /// Who wins if the claim stands.
    pub defender: Option<AccountId>,
    /// Where it is.
    pub game: Game<AccountId>,
}

/// An open case: a claim that may be accused.
pub type CaseView = agora_primitives::courts::CaseView<BlockNumber>;

/// Some of the open cases.
pub(crate) type CasePage = agora_primitives::courts::CasePage<BlockNumber>;

/// An open appeal window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppealWindowView {
    /// The task.
    pub task: TaskId,
    /// The claim that may be appealed.
    pub claim: Claim,
    /// Where checks take their randomness from.
    pub seed: H256,
    /// The last block in which verifiers may commit to attestations, if no more blocks are full.
    pub until: BlockNumber,
    /// How many blocks they have to reveal them.
    pub reveal_window: BlockNumber,
    /// The draw of the chunks that they show; `None`: it is to come.
    pub draw: Option<ChunkDraw>,
    /// What has been attested.
    pub attestations: Attestations,
}

/// A draw of the chunks that attesters show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChunkDraw {
    /// What they are drawn with.
    pub seed: H256,
    /// The block in which it was made.
    pub at: BlockNumber,
    /// How many blocks were full before it.
    pub full_before: u64,
}

impl AppealWindowView {
    /// The draw, and the last block in which attestations may be revealed, before which `full` blocks were full. `None`: chunks
    /// are not drawn.
    pub fn reveals(&self, full: u64) -> Option<(ChunkDraw, BlockNumber)> {
        let draw = self.draw?;
        let full = full.saturating_sub(draw.full_before);
        Some((draw, judging::last_block(draw.at, self.reveal_window, full)))
    }
}

/// The keys that may act for an account.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProxyView {
    /// Each with what it may do, and the blocks from announcing a call to making it.
    pub proxies: Vec<(AccountId, ProxyType, BlockNumber)>,
    /// What the account deposits for them, in plancks.
    pub deposit: Balance,
}

/// When rounds of hardware challenges are held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct ScheduleView {
    /// Blocks from one round to the next.
    pub period: BlockNumber,
    /// Blocks in which a round takes responses.
    pub window: BlockNumber,
    /// Blocks after that in which it takes votes.
    pub voting: BlockNumber,
    /// Blocks in which the votes that were drawn are revealed.
    pub revealing: BlockNumber,
    /// Blocks from the opening of a round in which what it proved counts.
    pub validity: BlockNumber,
    /// How many of the votes that count must agree on a response.
    pub quorum: u32,
    /// How many votes on a response are to count, on average.
    pub seats: u32,
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
    /// The first block in which it takes no votes.
    pub votes_close_at: BlockNumber,
    /// The first block in which no vote is revealed.
    pub ends_at: BlockNumber,
    /// How many votes on a response are to count, on average.
    pub seats: u32,
    /// What votes are drawn with, once no more of them are taken.
    pub draw: Option<H256>,
}

/// What a verifier can do about the responses of a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoundPhase {
    /// Commit to votes.
    Voting {
        /// The last block for that.
        until: BlockNumber,
    },
    /// Reveal votes that were drawn.
    Revealing {
        /// What they were drawn with.
        draw: H256,
        /// The last block for that.
        until: BlockNumber,
    },
    /// Nothing.
    Waiting,
}

impl RoundView {
    /// What can be done in the block after `best`.
    pub fn phase_after(&self, best: BlockNumber) -> RoundPhase {
        let next = best.saturating_add(1);
        match self.draw {
            None if next < self.votes_close_at => RoundPhase::Voting {
                until: self.votes_close_at.saturating_sub(1),
            },
            Some(draw) if next < self.ends_at => RoundPhase::Revealing {
                draw,
                until: self.ends_at.saturating_sub(1),
            },
            None | Some(_) => RoundPhase::Waiting,
        }
    }

    /// The job with which `worker` proves `capability` in this round.
    pub fn challenge(&self, worker: &AccountId, capability: u32) -> JobSpec {
        JobSpec::V2(JobKind::Synthetic(challenge_job(
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
    /// The weight of all votes on it.
    pub weight: u64,
}

/// A vote on a response that was committed to, and not revealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VoteView {
    /// What it weighs.
    pub weight: u32,
    /// What was committed to.
    pub commitment: H256,
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
    /// How answers are judged.
    pub judge: JudgeRule,
}

/// The most that the chain computes itself, of a job in a class that says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExactLimits {
    /// What computing it may take: see `agora_reference::total_work`.
    pub work: u64,
    /// The bytes of all its inputs together.
    pub evidence: u32,
}

/// How the tasks of a class pay their workers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct TermsView {
    /// The workers' part of the reward, in parts per million.
    pub worker: u32,
    /// What the best answer gets of that part where there are other right ones, in parts per million.
    pub best_share: u32,
    /// How many workers a task has at most before a result is chosen.
    pub max_replicas: u32,
}

impl ClassView {
    /// The least reward at `difficulty`; `None` if it overflows.
    pub fn least_reward(&self, difficulty: Difficulty) -> Option<Balance> {
        difficulty.scale(&self.base_reward)
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
    /// How many of a worker's slots are taken: from accepting until its round is judged.
    pub occupied: u32,
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
