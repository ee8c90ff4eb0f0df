//! Decides what is due now, purely from the chain's state and the journal's record, so that it can be tested without
//! either.

use crate::Stage;
use agora_chain::{BlockNumber, views::ContributionState};
use agora_primitives::task::Phase;

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
    /// Put the result where others find it.
    Serve,
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
    /// The last block of the phase.
    pub until: BlockNumber,
    /// This worker's contribution; `None`: there is none.
    pub contribution: Option<ContributionState>,
}

impl Step {
    /// The chain's state decides first, and the journal only where the chain says nothing.
    pub(super) fn decide(situation: Situation, stage: Stage) -> Self {
        let Some(phase) = situation.phase else { return Self::End };
        let is_last_block = situation.now >= situation.until;
        match (phase, situation.contribution) {
            (phase, _) if phase.is_finished() => Self::End,
            (Phase::Open | Phase::Working, None) if stage == Stage::Accepting => Self::Accept,
            (_, None) => Self::End,
            (Phase::Working, Some(ContributionState::Accepted { commit_from })) => {
                if is_last_block {
                    Self::Wait
                } else if stage == Stage::Accepting {
                    Self::Compute
                } else if situation.now >= commit_from {
                    Self::Commit
                } else {
                    Self::Wait
                }
            }
            (Phase::Revealing, Some(ContributionState::Committed { .. })) if !is_last_block => Self::Reveal,
            (_, Some(ContributionState::Revealed { .. })) if stage < Stage::Served => Self::Serve,
            (_, Some(_)) => Self::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_chain::H256;
    use agora_primitives::job::Claim;

    const ACCEPTED: ContributionState = ContributionState::Accepted { commit_from: 12 };
    const COMMITTED: ContributionState = ContributionState::Committed {
        commitment: H256([1; 32]),
        at: 20,
    };
    const REVEALED: ContributionState = ContributionState::Revealed {
        claim: Claim::Unusable,
        committed_at: 20,
    };

    fn decide(now: BlockNumber, phase: Phase, contribution: Option<ContributionState>, stage: Stage) -> Step {
        Step::decide(
            Situation {
                now,
                phase: Some(phase),
                until: if phase == Phase::Revealing { 120 } else { 100 },
                contribution,
            },
            stage,
        )
    }

    #[test]
    fn an_acceptance_that_the_chain_does_not_know_is_sent_again() {
        for phase in [Phase::Open, Phase::Working] {
            assert_eq!(decide(11, phase, None, Stage::Accepting), Step::Accept);
        }
        assert_eq!(
            decide(11, Phase::Revealing, None, Stage::Accepting),
            Step::End,
            "it came too late"
        );
    }

    #[test]
    fn a_result_is_computed_once_and_committed_after_the_thinking_time() {
        assert_eq!(
            decide(11, Phase::Working, Some(ACCEPTED), Stage::Accepting),
            Step::Compute
        );
        assert_eq!(
            decide(11, Phase::Working, Some(ACCEPTED), Stage::Committing),
            Step::Wait
        );
        assert_eq!(
            decide(12, Phase::Working, Some(ACCEPTED), Stage::Committing),
            Step::Commit
        );
        assert_eq!(
            decide(100, Phase::Working, Some(ACCEPTED), Stage::Committing),
            Step::Wait,
            "too late to commit"
        );
    }

    #[test]
    fn a_commitment_on_chain_is_never_sent_again() {
        for stage in [Stage::Committing, Stage::Revealing] {
            assert_eq!(decide(30, Phase::Working, Some(COMMITTED), stage), Step::Wait);
        }
    }

    #[test]
    fn a_reveal_is_sent_until_the_chain_has_it() {
        for stage in [Stage::Committing, Stage::Revealing] {
            assert_eq!(decide(110, Phase::Revealing, Some(COMMITTED), stage), Step::Reveal);
            assert_eq!(decide(110, Phase::Revealing, Some(REVEALED), stage), Step::Serve);
        }
        assert_eq!(
            decide(120, Phase::Revealing, Some(COMMITTED), Stage::Revealing),
            Step::Wait,
            "too late to reveal"
        );
    }

    #[test]
    fn a_revealed_result_is_put_where_others_find_it_until_it_is_there() {
        for phase in [Phase::Revealing, Phase::Judging, Phase::Appealable, Phase::Working] {
            assert_eq!(decide(130, phase, Some(REVEALED), Stage::Revealing), Step::Serve);
            assert_eq!(decide(130, phase, Some(REVEALED), Stage::Served), Step::Wait);
        }
    }

    #[test]
    fn the_record_is_closed_when_the_task_is_over_or_gone() {
        for phase in [Phase::Settled, Phase::Cancelled, Phase::Expired, Phase::Failed] {
            assert_eq!(decide(30, phase, Some(REVEALED), Stage::Revealing), Step::End);
        }
        let gone = Situation {
            now: 30,
            phase: None,
            until: 0,
            contribution: None,
        };
        assert_eq!(Step::decide(gone, Stage::Revealing), Step::End);
    }
}
