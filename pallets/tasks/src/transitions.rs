//! The transitions of a task's life, as pure functions of what is recorded and the current block.

use crate::types::TaskProgress;
use agora_primitives::{
    job::Claim,
    judging::{Ruling, Tally},
    reputation::Outcome,
    task::{Contribution, ContributionState, LATE_AFTER, MOST_LATE_STEPS, Phase, RoundKind},
};
use core::cmp::Ordering;
use sp_core::H256;
use sp_runtime::traits::{AtLeast32BitUnsigned, One, Saturating};

/// What is to be done with a task that is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nobody accepted, committed or revealed: end it.
    Expire,
    /// Time to work is over: begin to reveal.
    StartReveal,
    /// Judge what was revealed.
    Judge,
    /// The appeal window is over: settle or reopen.
    CloseAppealWindow,
    /// Its record has been kept for long enough.
    Purge,
}

/// Why a transition is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransitionError {
    /// Somebody works on the task, or it is over.
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
    /// The worker was late, and somebody else has its slot.
    Replaced,
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
    /// The claim is not the one committed to.
    CommitmentMismatch,
    /// The chain computes the task: a claim alone is not enough.
    Exact,
    /// The chain does not compute the task.
    NotExact,
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

/// Rules on an appeal against the result `original`.
///
/// `fresh` is what the fresh round agreed on, or at least what most of it says where most attesters are against the result. Where that is
/// nothing, the side with more attesters decides (their bonds are equal); without a majority for the result, nobody does.
pub fn rule_on_appeal(original: Claim, fresh: Option<Claim>, tally: Tally) -> Ruling {
    match fresh {
        Some(claim) if claim == original => Ruling::Upheld,
        Some(_) => Ruling::Overturned,
        None => match tally.in_favour.cmp(&tally.against) {
            Ordering::Greater => Ruling::Upheld,
            Ordering::Equal | Ordering::Less => Ruling::Disagreed,
        },
    }
}

/// Rules on what was attested of the claim `first`, when `last` is what stands in the end.
///
/// Attestations are about what checks see. Those need not see the states before an output: some refute an output alone, at a small part of
/// the cost of computing the states. So nobody was wrong about a claim whose output stands with other states.
///
/// `has_disagreed`: fresh replicas had agreed on nothing. Who had objected to what stands all the same pays less then.
pub fn rule_on(first: Claim, last: Claim, has_disagreed: bool) -> Ruling {
    match (first, last) {
        (first, last) if first == last && has_disagreed => Ruling::Disagreed,
        (first, last) if first == last => Ruling::Upheld,
        (Claim::Output { output, .. }, Claim::Output { output: other, .. }) if output == other => Ruling::Undecided,
        _ => Ruling::Overturned,
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
    /// A task that has just been published, whose first round is for `kind`.
    pub fn published(kind: RoundKind, deadline: BlockNumber, replicas: u32, reveal_window: BlockNumber) -> Self {
        Self {
            phase: Phase::Open,
            kind,
            has_disagreed: false,
            round: 0,
            wanted: replicas,
            accepted: 0,
            committed: 0,
            revealed: 0,
            contributions: 0,
            replaced: 0,
            paid_steps: 0,
            due: deadline.saturating_add(One::one()),
            scheduled_at: None,
            reveal_window,
        }
    }

    /// The last block in which the phase's calls are taken.
    pub fn until(&self) -> BlockNumber {
        self.due.saturating_sub(One::one())
    }

    /// How many workers it has had, replaced ones too.
    pub fn workers(&self) -> u32 {
        // Saturating: both are bounded by the most contributions of a task.
        self.contributions.saturating_add(self.replaced)
    }

    /// How many slots of the current round are free.
    pub fn free_slots(&self) -> u32 {
        self.wanted.saturating_sub(self.accepted)
    }

    /// Whether all slots of the current round are taken.
    pub fn is_full(&self) -> bool {
        self.phase.takes_workers() && self.accepted >= self.wanted
    }

    /// Whether slots of the current round may be taken over now or later, if so many may be over all rounds.
    pub fn may_replace(&self, most_replaced: u32) -> bool {
        self.phase == Phase::Working && self.committed < self.accepted && self.replaced < most_replaced
    }

    /// Whether the current round takes one more worker, now or when a worker is late, if so many may be replaced.
    pub fn wants_workers(&self, most_replaced: u32) -> bool {
        self.phase.takes_workers() && (self.accepted < self.wanted || self.may_replace(most_replaced))
    }

    /// The last block in which the slot is the worker's own; `None`: it has none in this round, or has committed.
    pub fn slot_kept_until(&self, contribution: &Contribution<BlockNumber>) -> Option<BlockNumber> {
        match contribution.state {
            ContributionState::Accepted { commit_by, .. }
                if contribution.round == self.round && self.phase == Phase::Working =>
            {
                Some(commit_by)
            }
            _ => None,
        }
    }

    /// Whether the worker has been silent for longer than its slot is its own.
    pub fn is_late(&self, contribution: &Contribution<BlockNumber>, now: BlockNumber) -> bool {
        self.slot_kept_until(contribution).is_some_and(|until| now > until)
    }

    /// Takes the slot of a worker that [is late](Self::is_late).
    pub fn replace(&mut self, late: &mut Contribution<BlockNumber>) {
        late.state = ContributionState::Replaced;
        // Saturating: the worker is counted in both.
        self.accepted = self.accepted.saturating_sub(1);
        self.contributions = self.contributions.saturating_sub(1);
        one_more(&mut self.replaced);
    }

    /// Takes one more worker, whose slot is its own for `commit_window` blocks.
    pub fn accept(
        &mut self,
        min_thinking: BlockNumber,
        commit_window: BlockNumber,
        now: BlockNumber,
    ) -> Result<Contribution<BlockNumber>, TransitionError> {
        if !self.phase.takes_workers() {
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
            state: ContributionState::Accepted {
                commit_from,
                commit_by: now.saturating_add(commit_window).min(self.until()),
            },
        })
    }

    /// Takes a commitment. Revealing begins with the last one that is waited for.
    pub fn commit(
        &mut self,
        contribution: &mut Contribution<BlockNumber>,
        commitment: H256,
        now: BlockNumber,
    ) -> Result<Effect<BlockNumber>, TransitionError> {
        let commit_from = match contribution.state {
            ContributionState::Accepted { commit_from, .. } => commit_from,
            ContributionState::Replaced => return Err(TransitionError::Replaced),
            ContributionState::Committed { .. } | ContributionState::Revealed { .. } => {
                return Err(TransitionError::AlreadyCommitted);
            }
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
        Ok(Effect::RevealStarted {
            until: self.start_reveal(now),
        })
    }

    /// Begins to reveal, and returns the last block for it.
    pub fn start_reveal(&mut self, now: BlockNumber) -> BlockNumber {
        self.phase = Phase::Revealing;
        self.due = first_after(now, self.reveal_window);
        self.until()
    }

    /// Takes a claim. `committed_to` computes the commitment that it would have had.
    pub fn reveal(
        &mut self,
        contribution: &mut Contribution<BlockNumber>,
        claim: Claim,
        committed_to: impl FnOnce() -> H256,
        now: BlockNumber,
    ) -> Result<Effect<BlockNumber>, TransitionError> {
        if self.kind == RoundKind::Exact {
            return Err(TransitionError::Exact);
        }
        self.take_claim(contribution, claim, committed_to, now)?;
        if self.revealed < self.committed {
            return Ok(Effect::OthersWaitedFor);
        }
        self.phase = Phase::Judging;
        // The lots of judging are drawn with a seed that is made after this block: whoever reveals last cannot know whether it
        // would win, and gains nothing by waiting for a better block.
        self.due = now.saturating_add(One::one());
        Ok(Effect::AllRevealed)
    }

    /// Takes the claim of the only worker of a task that the chain computes: the task can be settled now.
    pub fn reveal_exact(
        &mut self,
        contribution: &mut Contribution<BlockNumber>,
        claim: Claim,
        committed_to: impl FnOnce() -> H256,
        now: BlockNumber,
    ) -> Result<(), TransitionError> {
        if self.kind != RoundKind::Exact {
            return Err(TransitionError::NotExact);
        }
        self.take_claim(contribution, claim, committed_to, now)
    }

    fn take_claim(
        &mut self,
        contribution: &mut Contribution<BlockNumber>,
        claim: Claim,
        committed_to: impl FnOnce() -> H256,
        now: BlockNumber,
    ) -> Result<(), TransitionError> {
        let (commitment, committed_at) = match contribution.state {
            ContributionState::Committed { commitment, at } => (commitment, at),
            ContributionState::Accepted { .. } => return Err(TransitionError::NotCommitted),
            ContributionState::Replaced => return Err(TransitionError::Replaced),
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
        contribution.state = ContributionState::Revealed { claim, committed_at };
        one_more(&mut self.revealed);
        Ok(())
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
            Phase::Appealable => Step::CloseAppealWindow,
            Phase::Settled | Phase::Cancelled | Phase::Expired | Phase::Failed => Step::Purge,
        })
    }

    /// Counts a step that whoever takes it now is paid for, and returns whether it is one: it is late, the task is not over, and
    /// not too many were paid for.
    pub fn pay_step(&mut self, now: BlockNumber) -> bool {
        let late_from = first_after(self.due, LATE_AFTER.into());
        let is_paid = !self.phase.is_finished() && now >= late_from && self.paid_steps < MOST_LATE_STEPS;
        if is_paid {
            one_more(&mut self.paid_steps);
        }
        is_paid
    }

    /// How many more replicas to draw when the answers so far agree on nothing: half a first round, rounded up, within the
    /// limit. `None`: no more may be, or nobody came the last time.
    pub fn more_replicas(&self, replicas: u32, max_replicas: u32) -> Option<u32> {
        let left = max_replicas.saturating_sub(self.contributions);
        let count = replicas.div_ceil(2).min(left);
        (self.accepted > 0 && count > 0).then_some(count)
    }

    /// Begins another round.
    pub fn start_round(&mut self, kind: RoundKind, wanted: u32, work_window: BlockNumber, now: BlockNumber) {
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

    /// Opens the appeal window of the result, and returns its last block.
    pub fn open_appeal_window(&mut self, appeal_window: BlockNumber, now: BlockNumber) -> BlockNumber {
        self.phase = Phase::Appealable;
        self.due = first_after(now, appeal_window);
        self.until()
    }

    /// Waits for the court, or for attestations to be revealed, until after block `until` at the latest, and for a block at least.
    pub fn await_others(&mut self, until: BlockNumber, now: BlockNumber) {
        self.due = until.max(now).saturating_add(One::one());
    }

    /// What was waited for is there: the next step is due now, and not late however long that took. Returns whether any step waited
    /// for it.
    pub fn hear_others(&mut self, now: BlockNumber) -> bool {
        let is_asked = self.phase == Phase::Appealable;
        if is_asked {
            self.due = now;
        }
        is_asked
    }

    /// The result is, or may be, another one than was attested: no round is to rule on it any more, and a court may be asked about it for
    /// `window` blocks. Returns the last of them.
    pub fn replace_result(&mut self, window: BlockNumber, now: BlockNumber) -> BlockNumber {
        self.kind = RoundKind::Appeal;
        self.open_appeal_window(window, now)
    }

    /// Succeeds while the publisher may still take the task back: nobody works on it, or nobody but workers that are late,
    /// and there is no answer.
    pub fn ensure_cancellable<'a>(
        &self,
        workers: impl IntoIterator<Item = &'a Contribution<BlockNumber>>,
        now: BlockNumber,
    ) -> Result<(), TransitionError>
    where
        BlockNumber: 'a,
    {
        let mut current = workers.into_iter().filter(|contribution| contribution.is_current());
        match self.phase {
            Phase::Open => Ok(()),
            Phase::Working if current.all(|contribution| self.is_late(contribution, now)) => Ok(()),
            _ => Err(TransitionError::NotOpen),
        }
    }

    /// Ends the task; its record is kept for `retention`.
    pub fn finish(&mut self, phase: Phase, retention: BlockNumber, now: BlockNumber) {
        self.phase = phase;
        self.due = first_after(now, retention);
    }
}

/// What a contribution amounts to when `right` is the right claim; `None` if no claim is known to be right and the worker
/// revealed one, or if it was replaced. An answer is right if it is the right claim, whole, whichever round it is from: a right output with
/// wrong states before it is wrong.
pub fn outcome<BlockNumber>(
    contribution: &Contribution<BlockNumber>,
    right: Option<Claim>,
    confirmed: Confirmation,
) -> Option<Outcome> {
    match (&contribution.state, right) {
        // It was judged when it was replaced.
        (ContributionState::Replaced, _) => None,
        (ContributionState::Accepted { .. }, _) => Some(Outcome::Late),
        (ContributionState::Committed { .. }, _) => Some(Outcome::Wrong),
        (ContributionState::Revealed { .. }, None) => None,
        (ContributionState::Revealed { claim, .. }, Some(right)) if *claim == right => Some(Outcome::Right {
            confirmed: confirmed == Confirmation::ByOthers,
        }),
        (ContributionState::Revealed { .. }, Some(_)) => Some(Outcome::Wrong),
    }
}

/// Whether anybody else's work agrees with a worker's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Confirmation {
    /// At least two workers have the right output.
    ByOthers,
    /// One worker alone has it, or there is no output.
    None,
}

impl Confirmation {
    /// Of the right claim, which `count` workers have.
    ///
    /// [`Claim::Unusable`] confirms nobody. All who say it say the same without having computed anything, so agreement on
    /// it shows nothing; and a publisher could buy confidence for workers of its own with tasks that cost it a stake only.
    pub const fn of(right: &Claim, count: usize) -> Self {
        match right {
            Claim::Output { .. } if count >= 2 => Self::ByOthers,
            Claim::Output { .. } | Claim::Unusable => Self::None,
        }
    }
}
