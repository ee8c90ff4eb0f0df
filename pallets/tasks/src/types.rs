//! The record of a task, as it is stored. Its transitions are in [`transitions`](crate::transitions); what chain and
//! clients share is in [`agora_primitives::task`].
//!
//! What never changes ([`Task`], [`Terms`]) is kept apart from what every call changes ([`TaskProgress`], small), so that
//! committing and revealing touch two short storage items and nothing else.
//!
//! Terms: a *step* is what is to be done with a task when it is `due`.

use crate::{Config, MAX_PLACES, TaskClass, places::MostClaims};
use agora_primitives::{
    ClassId, Reference, TaskId,
    courts::Accusers,
    job::{Claim, JobSource},
    judging::JudgeRule,
    money::{Escrow, RewardPlanner},
    reputation::Outcome,
    task::{Assignment, Chosen, Difficulty, Invitation, LATE_STEP_PARTS, Phase, RoundKind, TaskPage, TaskView},
};
use alloc::vec::Vec;
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, traits::ConstU32};
use frame_system::pallet_prelude::BlockNumberFor;
use scale_info::TypeInfo;
use sp_runtime::{
    Permill,
    traits::{AtLeast32BitUnsigned, Zero},
};

type AccountIdOf<T> = <T as frame_system::Config>::AccountId;

/// Unit of money.
pub type BalanceOf<T> = <<T as Config>::Escrow as Escrow<AccountIdOf<T>>>::Balance;

/// A task class of this runtime.
pub type ClassOf<T> = TaskClass<BalanceOf<T>, BlockNumberFor<T>>;

/// How a reward is divided in this runtime.
pub type SplitOf<T> = <<T as Config>::Rewards as RewardPlanner<AccountIdOf<T>>>::Split;

/// The unchanging record of a task of this runtime.
pub type TaskOf<T> = Task<AccountIdOf<T>, BalanceOf<T>, BlockNumberFor<T>, SplitOf<T>>;

/// The workers that are invited to a task.
pub type InvitedOf<T> = BoundedVec<AccountIdOf<T>, <T as Config>::MaxContributions>;

/// Who may accept a round before anybody else.
pub type InvitationOf<T> = Invitation<InvitedOf<T>, BlockNumberFor<T>>;

/// The claims that fell, each with those who share what is won by that.
pub type FallenOf<T> = BoundedVec<(Claim, Accusers<AccountIdOf<T>>), MostClaims<T>>;

/// The claims that accusers have entered.
pub type PlacesOf<T> = BoundedVec<Place<AccountIdOf<T>, BalanceOf<T>>, ConstU32<MAX_PLACES>>;

/// A claim of somebody who has accused a result and is no worker of the task.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place<AccountId, Balance> {
    /// Who.
    pub who: AccountId,
    /// What it says is right.
    pub claim: Claim,
    /// What is held of it: of that it pays `wrong_penalty` if its claim is wrong.
    pub bond: Balance,
}

/// A round whose workers are to be drawn.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DrawOrder<BlockNumber> {
    /// The task.
    pub task: TaskId,
    /// The round. If the task is in another one when its turn comes, nobody is drawn.
    pub round: u32,
    /// The block in which the round began.
    pub ordered_at: BlockNumber,
}

/// Which numbers a queue has given out.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Queue {
    /// The first that waits, if it is below `next`.
    pub first: u64,
    /// The next to be given out.
    pub next: u64,
}

/// What clients are told of a task.
pub type TaskViewOf<T> = TaskView<AccountIdOf<T>, BalanceOf<T>, BlockNumberFor<T>>;

/// A page of such views.
pub type TaskPageOf<T> = TaskPage<AccountIdOf<T>, BalanceOf<T>, BlockNumberFor<T>>;

/// What a task was published with. Never changes.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
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
    /// Its terms.
    pub terms: Terms<Balance, BlockNumber, Split>,
}

/// The terms of a task: those of its class when it was published, with the amounts computed.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms<Balance, BlockNumber, Split> {
    /// What those who do it right divide.
    pub reward: Balance,
    /// The publisher's stake: a part of the reward, so never more.
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
    /// How long after accepting a worker's slot is its own.
    pub commit_window: BlockNumber,
    /// How long later rounds may be worked on.
    pub work_window: BlockNumber,
    /// How long may be revealed: claims by workers, and attestations by verifiers.
    pub reveal_window: BlockNumber,
    /// How long verifiers may commit to attestations.
    pub appeal_window: BlockNumber,
    /// How long only the drawn workers may accept.
    pub invite_window: BlockNumber,
}

impl<AccountId, Balance, BlockNumber: AtLeast32BitUnsigned + Copy, Split> Task<AccountId, Balance, BlockNumber, Split> {
    /// What clients are told of the task.
    pub fn view(
        self,
        id: TaskId,
        progress: &TaskProgress<BlockNumber>,
        appeal_until: Option<BlockNumber>,
        slots_kept_until: Option<BlockNumber>,
        invited: Option<Invitation<Vec<AccountId>, BlockNumber>>,
        chosen: Option<Chosen<AccountId>>,
    ) -> TaskView<AccountId, Balance, BlockNumber> {
        TaskView {
            id,
            publisher: self.publisher,
            reference: self.reference,
            class: self.class,
            specialisation: self.job.specialisation(),
            judge: self.terms.judge,
            job: self.job,
            difficulty: self.difficulty,
            reward: self.terms.reward,
            stake: self.terms.stake,
            fee: self.terms.fee,
            bond: self.terms.bond,
            published_at: self.published_at,
            deadline: self.deadline,
            min_thinking: self.terms.min_thinking,
            commit_window: self.terms.commit_window,
            phase: progress.phase,
            until: progress.until(),
            appeal_until,
            round: progress.round,
            wanted: progress.wanted,
            accepted: progress.accepted,
            committed: progress.committed,
            revealed: progress.revealed,
            slots_kept_until,
            invited,
            chosen,
        }
    }
}

impl<Balance: AtLeast32BitUnsigned + Copy, BlockNumber, Split> Terms<Balance, BlockNumber, Split> {
    /// What is paid for a late step, of the publication fee. Rounded down.
    pub fn step_pay(&self) -> Balance {
        self.fee.checked_div(&LATE_STEP_PARTS.into()).unwrap_or_else(Zero::zero)
    }

    /// How often slots may change hands, over all rounds, if a task has records of `most` workers: those that no round
    /// and no appeal may need.
    pub fn most_replaced(&self, most: u32) -> u32 {
        most.saturating_sub(self.max_replicas).saturating_sub(self.replicas)
    }

    /// What somebody with this outcome loses of `bond`. Rounded down.
    pub fn penalty(&self, outcome: Outcome, bond: Balance) -> Balance {
        match outcome {
            Outcome::Right { .. } => Balance::zero(),
            Outcome::Wrong => self.wrong_penalty.mul_floor(bond),
            Outcome::Late => self.late_penalty.mul_floor(bond),
        }
    }
}

/// What every call on a task changes. Kept small: committing and revealing read and write it.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskProgress<BlockNumber> {
    /// Where the task is in its life.
    pub phase: Phase,
    /// What the current round is for.
    pub kind: RoundKind,
    /// Whether the fresh round after an appeal agreed on nothing.
    pub has_disagreed: bool,
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
    /// How many accepted in all rounds and were not replaced.
    pub contributions: u32,
    /// How many were replaced in all rounds.
    pub replaced: u32,
    /// How many late steps were paid for.
    pub paid_steps: u32,
    /// The first block in which the next step may be taken; the phase's calls are taken up to the block before it.
    pub due: BlockNumber,
    /// The block in whose agenda the task is; `None`: there was no room, and somebody has to call `advance`.
    pub scheduled_at: Option<BlockNumber>,
    /// How long may be revealed.
    pub reveal_window: BlockNumber,
}

/// Where the publication fee goes when a task ends without a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeeGoes {
    /// Back to the publisher: the market did not do its part.
    Back,
    /// To the treasury.
    ToTreasury,
}
