//! The record of a task, and the transitions of its life as pure functions.
//!
//! What never changes ([`Task`], [`Terms`]) is kept apart from what every call changes ([`TaskProgress`], small), so that
//! committing and revealing touch two short storage items and nothing else.
//!
//! Terms: a *round* is one turn of accepting, committing and revealing. The first round and those that draw more
//! replicas are of the kind [`RoundKind::Replication`], their answers are judged together; a round after a challenge is
//! an [`RoundKind::Appeal`] and judged by itself. A *step* is what is to be done with a task when it is `due`.

use crate::classes::{Difficulty, Dispatch};
use agora_primitives::{
    ClassId, Reference,
    job::JobSource,
    judging::{JudgeRule, Ruling, Tally},
    money::PresetId,
    reputation::Outcome,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::cmp::Ordering;
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::{
    Permill,
    traits::{AtLeast32BitUnsigned, One, Saturating},
};

/// What a task was published with. Never changes.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo, Clone, PartialEq, Eq, Debug)]
pub struct Task<AccountId, Balance, BlockNumber> {
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
    pub terms: Terms<Balance, BlockNumber>,
}

/// The terms of a task: its class's when it was published, with the amounts worked out.
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo, Clone, PartialEq, Eq, Debug)]
pub struct Terms<Balance, BlockNumber> {
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
    pub split: PresetId,
    /// How the answers are judged.
    pub judge: JudgeRule,
    /// How the work is handed out.
    pub dispatch: Dispatch,
    /// The least time between accepting and committing.
    pub min_thinking: BlockNumber,
    /// How long later rounds may be worked on.
    pub work_window: BlockNumber,
    /// How long may be revealed.
    pub reveal_window: BlockNumber,
    /// How long validators may attest.
    pub challenge_window: BlockNumber,
    /// How long only the drawn workers may accept.
    pub invite_window: BlockNumber,
}

impl<Balance: AtLeast32BitUnsigned + Copy, BlockNumber> Terms<Balance, BlockNumber> {
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
    Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Copy, PartialEq, Eq, Debug,
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
    Challengeable,
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
    Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Copy, PartialEq, Eq, Debug,
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

/// What is to be done with a task that is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nobody accepted, committed or revealed: end it.
    Expire,
    /// Time to work is over: begin to reveal.
    StartReveal,
    /// Judge what was revealed.
    Judge,
    /// The challenge window is over: settle or reopen.
    CloseChallenge,
    /// Its record has been kept for long enough.
    Purge,
}

/// Why a transition is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransitionError {
    /// Somebody has accepted the task, or it is over.
    NotOpen,
    /// No round is open for acceptance.
    NotAccepting,
    /// As many workers as wanted have accepted.
    AllSlotsTaken,
    /// What is accepted now could not be committed in time.
    TooLateToAccept,
    /// The task is not being worked on.
    NotWorking,
    /// Commitments are not being revealed.
    NotRevealing,
    /// The worker accepted in a round that is over.
    RoundOver,
    /// The thinking time is not over.
    TooEarly,
    /// The phase's last block has passed.
    TooLate,
    /// The worker has committed.
    AlreadyCommitted,
    /// The worker has not committed.
    NotCommitted,
    /// The worker has revealed.
    AlreadyRevealed,
    /// The result is not the one committed to.
    CommitmentMismatch,
}

/// What a commitment or a reveal brought about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect<BlockNumber> {
    /// Others are waited for.
    OthersWaitedFor,
    /// All committed: revealing has begun.
    RevealStarted {
        /// The last block for it.
        until: BlockNumber,
    },
    /// All revealed: judging is due.
    AllRevealed,
}

/// How a challenge against a result ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AppealOutcome {
    /// The result stands.
    Upheld,
    /// The fresh round's result takes its place.
    Overturned,
    /// Nobody can tell.
    Undecided,
}

impl From<AppealOutcome> for Ruling {
    fn from(outcome: AppealOutcome) -> Self {
        match outcome {
            AppealOutcome::Upheld => Self::Upheld,
            AppealOutcome::Overturned => Self::Overturned,
            AppealOutcome::Undecided => Self::Undecided,
        }
    }
}

/// Rules on a challenge.
///
/// `fresh` is what the fresh round agreed on. Where it agreed on nothing, the side with more attesters decides (their
/// bonds are equal); a result that falls without another in its place is nobody's.
pub fn rule_on_appeal(original: H256, fresh: Option<H256>, tally: Tally) -> AppealOutcome {
    match fresh {
        Some(digest) if digest == original => AppealOutcome::Upheld,
        Some(_) => AppealOutcome::Overturned,
        None => match tally.in_favour.cmp(&tally.against) {
            Ordering::Greater => AppealOutcome::Upheld,
            Ordering::Equal | Ordering::Less => AppealOutcome::Undecided,
        },
    }
}

/// The first block after `window` blocks that follow `now`. Saturating: windows are bounded, so block numbers would have
/// to run out first.
pub fn first_after<BlockNumber>(now: BlockNumber, window: BlockNumber) -> BlockNumber
where
    BlockNumber: Saturating + One,
{
    now.saturating_add(window).saturating_add(One::one())
}

/// Counts one more. Saturating: every count is bounded by the most contributions of a task.
fn one_more(count: &mut u32) {
    *count = count.saturating_add(1);
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> TaskProgress<BlockNumber> {
    /// A task that has just been published.
    pub fn published(deadline: BlockNumber, replicas: u32, reveal_window: BlockNumber) -> Self {
        Self {
            phase: Phase::Open,
            kind: RoundKind::Replication,
            round: 0,
            wanted: replicas,
            accepted: 0,
            committed: 0,
            revealed: 0,
            contributions: 0,
            due: deadline.saturating_add(One::one()),
            scheduled_at: None,
            reveal_window,
        }
    }

    /// The last block in which the phase's calls are taken.
    pub fn until(&self) -> BlockNumber {
        self.due.saturating_sub(One::one())
    }

    /// Takes one more worker.
    pub fn accept(
        &mut self,
        min_thinking: BlockNumber,
        now: BlockNumber,
    ) -> Result<Contribution<BlockNumber>, TransitionError> {
        if !matches!(self.phase, Phase::Open | Phase::Working) {
            return Err(TransitionError::NotAccepting);
        }
        if self.accepted >= self.wanted {
            return Err(TransitionError::AllSlotsTaken);
        }
        let commit_from = now.saturating_add(min_thinking);
        if commit_from >= self.due {
            return Err(TransitionError::TooLateToAccept);
        }
        one_more(&mut self.accepted);
        one_more(&mut self.contributions);
        self.phase = Phase::Working;
        Ok(Contribution {
            round: self.round,
            accepted_at: now,
            state: ContributionState::Accepted { commit_from },
        })
    }

    /// Takes a commitment. Revealing begins with the last one that is waited for.
    pub fn commit(
        &mut self,
        contribution: &mut Contribution<BlockNumber>,
        commitment: H256,
        now: BlockNumber,
    ) -> Result<Effect<BlockNumber>, TransitionError> {
        let ContributionState::Accepted { commit_from } = contribution.state else {
            return Err(TransitionError::AlreadyCommitted);
        };
        if contribution.round != self.round {
            return Err(TransitionError::RoundOver);
        }
        if self.phase != Phase::Working {
            return Err(TransitionError::NotWorking);
        }
        if now < commit_from {
            return Err(TransitionError::TooEarly);
        }
        if now >= self.due {
            return Err(TransitionError::TooLate);
        }
        contribution.state = ContributionState::Committed { commitment, at: now };
        one_more(&mut self.committed);
        if self.committed < self.wanted {
            return Ok(Effect::OthersWaitedFor);
        }
        Ok(Effect::RevealStarted { until: self.start_reveal(now) })
    }

    /// Begins to reveal, and returns the last block for it.
    pub fn start_reveal(&mut self, now: BlockNumber) -> BlockNumber {
        self.phase = Phase::Revealing;
        self.due = first_after(now, self.reveal_window);
        self.until()
    }

    /// Takes a result. `committed_to` computes the commitment that it would have had.
    pub fn reveal(
        &mut self,
        contribution: &mut Contribution<BlockNumber>,
        digest: H256,
        trace_root: H256,
        committed_to: impl FnOnce() -> H256,
        now: BlockNumber,
    ) -> Result<Effect<BlockNumber>, TransitionError> {
        let (commitment, committed_at) = match contribution.state {
            ContributionState::Committed { commitment, at } => (commitment, at),
            ContributionState::Accepted { .. } => return Err(TransitionError::NotCommitted),
            ContributionState::Revealed { .. } => return Err(TransitionError::AlreadyRevealed),
        };
        if contribution.round != self.round {
            return Err(TransitionError::RoundOver);
        }
        if self.phase != Phase::Revealing {
            return Err(TransitionError::NotRevealing);
        }
        if now >= self.due {
            return Err(TransitionError::TooLate);
        }
        if commitment != committed_to() {
            return Err(TransitionError::CommitmentMismatch);
        }
        contribution.state = ContributionState::Revealed { digest, trace_root, committed_at };
        one_more(&mut self.revealed);
        if self.revealed < self.committed {
            return Ok(Effect::OthersWaitedFor);
        }
        self.phase = Phase::Judging;
        self.due = now;
        Ok(Effect::AllRevealed)
    }

    /// What is to be done now; `None` while nothing is due.
    pub fn step(&self, now: BlockNumber) -> Option<Step> {
        if now < self.due {
            return None;
        }
        // Later rounds have the answers of the rounds before them, or a result to rule on.
        let first = self.round == 0;
        Some(match self.phase {
            Phase::Open => Step::Expire,
            Phase::Working if self.committed > 0 => Step::StartReveal,
            Phase::Working if first => Step::Expire,
            Phase::Working => Step::Judge,
            Phase::Revealing if first && self.revealed == 0 => Step::Expire,
            Phase::Revealing | Phase::Judging => Step::Judge,
            Phase::Challengeable => Step::CloseChallenge,
            Phase::Settled | Phase::Cancelled | Phase::Expired | Phase::Failed => Step::Purge,
        })
    }

    /// How many more replicas to draw when the answers so far agree on nothing: half a first round, rounded up, within the
    /// limit. `None`: no more may be, or nobody came the last time.
    pub fn more_replicas(&self, replicas: u32, max_replicas: u32) -> Option<u32> {
        let left = max_replicas.saturating_sub(self.contributions);
        let count = replicas.div_ceil(2).min(left);
        (self.accepted > 0 && count > 0).then_some(count)
    }

    /// Begins another round.
    pub fn start_round(
        &mut self,
        kind: RoundKind,
        wanted: u32,
        work_window: BlockNumber,
        now: BlockNumber,
    ) {
        self.phase = Phase::Working;
        self.kind = kind;
        // Saturating: a round takes at least one contribution, and those are bounded.
        self.round = self.round.saturating_add(1);
        self.wanted = wanted;
        self.accepted = 0;
        self.committed = 0;
        self.revealed = 0;
        self.due = first_after(now, work_window);
    }

    /// Opens the result to challenges, and returns the last block for them.
    pub fn open_challenge(
        &mut self,
        challenge_window: BlockNumber,
        now: BlockNumber,
    ) -> BlockNumber {
        self.phase = Phase::Challengeable;
        self.due = first_after(now, challenge_window);
        self.until()
    }

    /// Succeeds while the publisher may still take the task back.
    pub fn ensure_cancellable(&self) -> Result<(), TransitionError> {
        match self.phase {
            Phase::Open => Ok(()),
            _ => Err(TransitionError::NotOpen),
        }
    }

    /// Ends the task; its record is kept for `retention`.
    pub fn finish(&mut self, phase: Phase, retention: BlockNumber, now: BlockNumber) {
        self.phase = phase;
        self.due = first_after(now, retention);
    }
}

impl<BlockNumber> Contribution<BlockNumber> {
    /// The digest that was revealed.
    pub fn digest(&self) -> Option<H256> {
        match self.state {
            ContributionState::Revealed { digest, .. } => Some(digest),
            _ => None,
        }
    }

    /// What this contribution amounts to when `right` is the right digest; `None` if that is not known and it was
    /// revealed. An answer is right if its digest is the right one, whichever round it is from.
    pub fn outcome(&self, right: Option<H256>, confirmed: Confirmation) -> Option<Outcome> {
        match (&self.state, right) {
            (ContributionState::Accepted { .. }, _) => Some(Outcome::Late),
            (ContributionState::Committed { .. }, _) => Some(Outcome::Wrong),
            (ContributionState::Revealed { .. }, None) => None,
            (ContributionState::Revealed { digest, .. }, Some(right)) if *digest == right => {
                Some(Outcome::Right { confirmed: confirmed == Confirmation::ByOthers })
            }
            (ContributionState::Revealed { .. }, Some(_)) => Some(Outcome::Wrong),
        }
    }
}

/// Whether anybody else found what a worker found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Confirmation {
    /// At least two workers have the right answer.
    ByOthers,
    /// One worker alone has it, or nobody.
    None,
}

impl Confirmation {
    /// From the number of right answers.
    pub const fn from_count(right: usize) -> Self {
        if right >= 2 { Self::ByOthers } else { Self::None }
    }
}

/// Where the publication fee goes when a task ends without a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeeGoes {
    /// Back to the publisher: the market did not do its part.
    Back,
    /// To the treasury.
    ToTreasury,
}
