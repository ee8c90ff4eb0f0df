//! Decides what is due now, purely from what the chain says and the journal's record, so that it can be tested without
//! either.
//!
//! What a worker *does* follows from the best state, because time is short; a re-org only makes it do the same again. What a
//! worker *gives up* follows from the finalised state alone: a record that is closed by mistake is a salt that is lost, and
//! with it a bond.

use crate::Stage;
use agora_chain::{
    BlockNumber,
    views::{Contribution, ContributionState, TaskView},
};
use agora_primitives::task::Phase;

/// How many blocks after it was sent an acceptance may still get into a block, and some: the life of a transaction.
const ACCEPTANCE_LIFE: BlockNumber = 128;

/// How many blocks after it was sent a refused acceptance is in a block at the latest.
const REFUSAL_LIFE: BlockNumber = 8;

/// The next thing a worker does about a task that its journal knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Nothing now; look again later.
    Wait,
    /// Send the acceptance (again).
    Accept,
    /// Compute the result and store it.
    Compute,
    /// Send the commitment.
    Commit,
    /// Send the reveal.
    Reveal,
    /// Put the result where others find it.
    Serve,
    /// The task has ended for this worker, for good: close its record.
    End,
    /// The task was never accepted, and will not be by what was sent: forget it.
    Forget,
}

/// What one state says about a task and this worker's part in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Situation {
    /// The number of the state's block.
    pub now: BlockNumber,
    /// The task; `None`: the state does not know it.
    pub task: Option<TaskNow>,
    /// This worker's contribution: its round, and how far it is.
    pub contribution: Option<(u32, ContributionState)>,
}

/// What counts of a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TaskNow {
    /// Where it is in its life.
    pub phase: Phase,
    /// The last block of the phase.
    pub until: BlockNumber,
    /// The current round.
    pub round: u32,
    /// Whether this worker could accept it.
    pub is_open: bool,
}

impl Situation {
    /// Of what a state says.
    pub fn new(now: BlockNumber, task: Option<(&TaskView, bool)>, contribution: Option<&Contribution>) -> Self {
        Self {
            now,
            task: task.map(|(task, is_open)| TaskNow {
                phase: task.phase,
                until: task.until,
                round: task.round,
                is_open,
            }),
            contribution: contribution.map(|part| (part.round, part.state)),
        }
    }

    /// The last block of the task's phase; of a task that is not known, this one.
    pub fn until(&self) -> BlockNumber {
        self.task.map_or(self.now, |task| task.until)
    }

    /// The last block in which the worker's slot is its own; once it has committed, that of the task's phase.
    pub fn commit_by(&self) -> BlockNumber {
        match self.contribution {
            Some((_, ContributionState::Accepted { commit_by, .. })) => commit_by,
            _ => self.until(),
        }
    }

    /// The last block in which this worker's claim is of use.
    pub fn of_use_until(&self) -> BlockNumber {
        let is_working = self.task.is_some_and(|task| task.phase == Phase::Working);
        match self.contribution {
            // It is revealed in the next phase, whose end is not known yet.
            Some((_, ContributionState::Committed { .. })) if is_working => BlockNumber::MAX,
            _ => self.until(),
        }
    }

    /// Whether somebody else has the worker's slot.
    fn is_replaced(&self) -> bool {
        matches!(self.contribution, Some((_, ContributionState::Replaced)))
    }

    /// Whether it is the same as `other`, whatever the time.
    pub fn is_like(&self, other: &Self) -> bool {
        self.task == other.task && self.contribution == other.contribution
    }

    /// Whether the commitments of `round` can be seen by everybody and no more are taken.
    fn has_closed(&self, round: u32) -> bool {
        self.task
            .is_some_and(|task| task.round > round || !task.phase.takes_workers())
    }
}

/// What the journal says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Known {
    /// How far the worker has come.
    pub stage: Stage,
    /// The number of the best block when that was written.
    pub seen_at: BlockNumber,
    /// What became of the acceptance that was sent.
    pub acceptance: Acceptance,
}

/// What is known of an acceptance that is not in the best state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Acceptance {
    /// It may get into a block.
    Unsure,
    /// It was refused, by the pool or in a block.
    Refused,
}

impl Step {
    /// What is due.
    pub(super) fn decide(best: &Situation, finalised: &Situation, known: Known) -> Self {
        if finalised.task.is_some_and(|task| task.phase.is_finished()) || finalised.is_replaced() {
            return Self::End;
        }
        let is_final = finalised.now >= known.seen_at;
        let Some(task) = best.task else {
            // Purged, or published in a fork that lost. Else this state is older than what was seen.
            let is_gone = is_final && finalised.task.is_none();
            return if is_gone { Self::End } else { Self::Wait };
        };
        match best.contribution {
            // It ends when that is final.
            _ if task.phase.is_finished() => Self::Wait,
            None => Self::without_contribution(&task, finalised, known),
            Some((round, state)) => Self::with_contribution(best.now, &task, round, state, finalised, known.stage),
        }
    }

    fn without_contribution(task: &TaskNow, finalised: &Situation, known: Known) -> Self {
        if finalised.contribution.is_some() {
            return Self::Wait;
        }
        let life = match known.acceptance {
            Acceptance::Unsure if task.is_open => {
                // Computed already, and then a re-org: only when it is certain that it undid the acceptance.
                let is_certain = known.stage == Stage::Accepting || finalised.now >= known.seen_at;
                return if is_certain { Self::Accept } else { Self::Wait };
            }
            Acceptance::Unsure => ACCEPTANCE_LIFE,
            Acceptance::Refused => REFUSAL_LIFE,
        };
        match finalised.now >= known.seen_at.saturating_add(life) {
            true => Self::Forget,
            false => Self::Wait,
        }
    }

    fn with_contribution(
        now: BlockNumber,
        task: &TaskNow,
        round: u32,
        state: ContributionState,
        finalised: &Situation,
        stage: Stage,
    ) -> Self {
        let is_too_late = task.round != round || now >= task.until;
        match (task.phase, state) {
            (_, ContributionState::Revealed { .. }) if stage < Stage::Served && finalised.has_closed(round) => {
                Self::Serve
            }
            (_, ContributionState::Revealed { .. }) => Self::Wait,
            // The chain would refuse it, for a fee.
            _ if is_too_late => Self::Wait,
            (Phase::Working, ContributionState::Accepted { .. }) if stage == Stage::Accepting => Self::Compute,
            // The disk did not take the claim that was committed to, and the process ended. A job has one result.
            (Phase::Working | Phase::Revealing, ContributionState::Committed { .. }) if stage == Stage::Accepting => {
                Self::Compute
            }
            (Phase::Working, ContributionState::Accepted { commit_from, .. }) if now >= commit_from => Self::Commit,
            (Phase::Revealing, ContributionState::Committed { .. }) => Self::Reveal,
            _ => Self::Wait,
        }
    }
}

#[cfg(test)]
mod tests;
