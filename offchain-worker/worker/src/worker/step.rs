//! What is due now: a pure decision from the chain's state and the journal's record, so that it can be tested without
//! either.

use crate::Stage;
use agora_chain::{
    BlockNumber,
    views::{ContributionState, Phase},
};

/// The next thing a worker does about a task that its journal knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Nothing now; look again at the next block.
    Wait,
    /// Send the acceptance (again).
    Accept,
    /// Compute the result and store it.
    Compute,
    /// Send the commitment.
    Commit,
    /// Send the reveal.
    Reveal,
    /// The task has ended for this worker: close its record.
    End,
}

/// What the chain says about a task and this worker's part in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Situation {
    /// Now.
    pub now: BlockNumber,
    /// The task's phase; `None`: the chain does not know the task.
    pub phase: Option<Phase>,
    /// This worker's contribution; `None`: there is none.
    pub contribution: Option<ContributionState>,
    /// Blocks that must pass between accepting and committing.
    pub min_thinking: BlockNumber,
}

impl Step {
    /// Decides by the chain's state first and by the journal only where the chain is silent.
    pub(super) fn decide(situation: Situation, stage: Stage) -> Self {
        let Some(phase) = situation.phase else { return Self::End };
        match (phase, situation.contribution) {
            (Phase::Finished, _) => Self::End,
            (Phase::Open { .. } | Phase::Working { .. }, None) if stage == Stage::Accepting => Self::Accept,
            (_, None) => Self::End,
            (Phase::Working { until }, Some(ContributionState::Accepted { at })) => {
                if situation.now >= until {
                    Self::Wait
                } else if stage == Stage::Accepting {
                    Self::Compute
                } else if situation.now >= at.saturating_add(situation.min_thinking) {
                    Self::Commit
                } else {
                    Self::Wait
                }
            }
            (Phase::Revealing { until }, Some(ContributionState::Committed { .. })) if situation.now < until => {
                Self::Reveal
            }
            (_, Some(_)) => Self::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_chain::H256;

    const OPEN: Phase = Phase::Open { until: 100 };
    const WORKING: Phase = Phase::Working { until: 100 };
    const REVEALING: Phase = Phase::Revealing { until: 120 };
    const ACCEPTED: ContributionState = ContributionState::Accepted { at: 10 };
    const COMMITTED: ContributionState = ContributionState::Committed {
        commitment: H256([1; 32]),
        at: 20,
    };
    const REVEALED: ContributionState = ContributionState::Revealed {
        digest: H256([2; 32]),
        trace_root: H256([3; 32]),
    };

    fn decide(now: BlockNumber, phase: Phase, contribution: Option<ContributionState>, stage: Stage) -> Step {
        Step::decide(
            Situation {
                now,
                phase: Some(phase),
                contribution,
                min_thinking: 2,
            },
            stage,
        )
    }

    #[test]
    fn an_acceptance_that_the_chain_does_not_know_is_sent_again() {
        for phase in [OPEN, WORKING] {
            assert_eq!(decide(11, phase, None, Stage::Accepting), Step::Accept);
        }
        assert_eq!(
            decide(11, REVEALING, None, Stage::Accepting),
            Step::End,
            "it came too late"
        );
    }

    #[test]
    fn a_result_is_computed_once_and_committed_after_the_thinking_time() {
        assert_eq!(decide(11, WORKING, Some(ACCEPTED), Stage::Accepting), Step::Compute);
        assert_eq!(decide(11, WORKING, Some(ACCEPTED), Stage::Committing), Step::Wait);
        assert_eq!(decide(12, WORKING, Some(ACCEPTED), Stage::Committing), Step::Commit);
        assert_eq!(
            decide(100, WORKING, Some(ACCEPTED), Stage::Committing),
            Step::Wait,
            "too late to commit"
        );
    }

    #[test]
    fn a_commitment_on_chain_is_never_sent_again() {
        for stage in [Stage::Committing, Stage::Revealing] {
            assert_eq!(decide(30, WORKING, Some(COMMITTED), stage), Step::Wait);
        }
    }

    #[test]
    fn a_reveal_is_sent_until_the_chain_has_it() {
        for stage in [Stage::Committing, Stage::Revealing] {
            assert_eq!(decide(110, REVEALING, Some(COMMITTED), stage), Step::Reveal);
            assert_eq!(decide(110, REVEALING, Some(REVEALED), stage), Step::Wait);
        }
        assert_eq!(
            decide(120, REVEALING, Some(COMMITTED), Stage::Revealing),
            Step::Wait,
            "too late to reveal"
        );
    }

    #[test]
    fn the_record_is_closed_when_the_task_is_over_or_gone() {
        assert_eq!(decide(30, Phase::Finished, Some(REVEALED), Stage::Revealing), Step::End);
        let gone = Situation {
            now: 30,
            phase: None,
            contribution: None,
            min_thinking: 2,
        };
        assert_eq!(Step::decide(gone, Stage::Revealing), Step::End);
    }
}
