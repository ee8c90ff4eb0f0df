use super::*;
use agora_chain::H256;
use agora_primitives::job::Claim;

const ACCEPTED: ContributionState = ContributionState::Accepted {
    commit_from: 12,
    commit_by: 60,
};
const COMMITTED: ContributionState = ContributionState::Committed {
    commitment: H256([1; 32]),
    at: 20,
};
const REVEALED: ContributionState = ContributionState::Revealed {
    claim: Claim::Unusable,
    committed_at: 20,
};
const FINISHED: [Phase; 4] = [Phase::Settled, Phase::Cancelled, Phase::Expired, Phase::Failed];

/// At block `now`; the task's phase lasts until 100, and 120 while revealing.
fn at(now: BlockNumber, phase: Phase, contribution: Option<ContributionState>) -> Situation {
    Situation {
        now,
        task: Some(TaskNow {
            phase,
            until: if phase == Phase::Revealing { 120 } else { 100 },
            round: 0,
            is_open: phase.takes_workers() && contribution.is_none(),
        }),
        contribution: contribution.map(|state| (0, state)),
    }
}

fn unknown(now: BlockNumber) -> Situation {
    Situation {
        now,
        task: None,
        contribution: None,
    }
}

fn known(stage: Stage) -> Known {
    Known {
        stage,
        seen_at: 10,
        acceptance: Acceptance::Unsure,
    }
}

/// Where best and finalised state say the same.
fn decide(now: BlockNumber, phase: Phase, contribution: Option<ContributionState>, stage: Stage) -> Step {
    let here = at(now, phase, contribution);
    Step::decide(&here, &here, known(stage))
}

#[test]
fn an_acceptance_that_the_chain_does_not_know_is_sent_again() {
    for phase in [Phase::Open, Phase::Working] {
        assert_eq!(decide(11, phase, None, Stage::Accepting), Step::Accept);
    }
    let refused = Known {
        acceptance: Acceptance::Refused,
        ..known(Stage::Accepting)
    };
    let here = at(20, Phase::Open, None);
    assert_eq!(
        Step::decide(&here, &here, refused),
        Step::Forget,
        "not if it was refused"
    );
}

#[test]
fn an_acceptance_whose_answer_was_lost_is_forgotten_only_when_it_can_no_longer_come() {
    let last = 10 + ACCEPTANCE_LIFE - 1;
    for now in [11, last] {
        assert_eq!(decide(now, Phase::Revealing, None, Stage::Accepting), Step::Wait);
    }
    assert_eq!(decide(last + 1, Phase::Revealing, None, Stage::Accepting), Step::Forget);
}

#[test]
fn a_refusal_is_believed_when_it_is_final() {
    let refused = Known {
        acceptance: Acceptance::Refused,
        ..known(Stage::Accepting)
    };
    let best = at(22, Phase::Working, None);
    let last = 10 + REFUSAL_LIFE;
    assert_eq!(
        Step::decide(&best, &at(last - 1, Phase::Working, None), refused),
        Step::Wait
    );
    assert_eq!(
        Step::decide(&best, &at(last, Phase::Working, None), refused),
        Step::Forget
    );
}

#[test]
fn an_acceptance_that_a_reorg_undid_after_computing_is_sent_again_when_that_is_certain() {
    let best = at(14, Phase::Working, None);
    let computed = known(Stage::Committing);
    assert_eq!(Step::decide(&best, &at(9, Phase::Working, None), computed), Step::Wait);
    assert_eq!(
        Step::decide(&best, &at(10, Phase::Working, None), computed),
        Step::Accept
    );
    let with = at(10, Phase::Working, Some(ACCEPTED));
    assert_eq!(
        Step::decide(&best, &with, computed),
        Step::Wait,
        "the best state is the odd one"
    );
}

#[test]
fn a_result_is_computed_once_and_committed_after_the_thinking_time() {
    let cases = [
        (11, Stage::Accepting, Step::Compute),
        (11, Stage::Committing, Step::Wait),
        (12, Stage::Committing, Step::Commit),
        (99, Stage::Committing, Step::Commit),
        (100, Stage::Committing, Step::Wait),
        (100, Stage::Accepting, Step::Wait),
    ];
    for (now, stage, step) in cases {
        assert_eq!(
            decide(now, Phase::Working, Some(ACCEPTED), stage),
            step,
            "{now} {stage:?}"
        );
    }
}

#[test]
fn a_worker_that_is_late_in_one_round_sends_nothing_in_the_next() {
    for (phase, state, stage) in [
        (Phase::Working, ACCEPTED, Stage::Accepting),
        (Phase::Working, ACCEPTED, Stage::Committing),
        (Phase::Revealing, COMMITTED, Stage::Revealing),
    ] {
        let mut here = at(30, phase, Some(state));
        here.task.as_mut().expect("it is there").round = 1;
        assert_eq!(Step::decide(&here, &here, known(stage)), Step::Wait, "{state:?}");
    }
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
    }
    let late = decide(120, Phase::Revealing, Some(COMMITTED), Stage::Revealing);
    assert_eq!(late, Step::Wait, "too late to reveal");
}

#[test]
fn a_revealed_result_is_shown_when_nobody_can_commit_to_it_any_more() {
    for phase in [Phase::Revealing, Phase::Judging, Phase::Appealable] {
        assert_eq!(decide(130, phase, Some(REVEALED), Stage::Revealing), Step::Serve);
        assert_eq!(decide(130, phase, Some(REVEALED), Stage::Served), Step::Wait);
        let still_open = at(98, Phase::Working, Some(COMMITTED));
        let best = at(101, phase, Some(REVEALED));
        let step = Step::decide(&best, &still_open, known(Stage::Revealing));
        assert_eq!(step, Step::Wait, "a re-org could let others commit");
    }
}

#[test]
fn a_record_is_closed_when_it_is_final_that_the_task_is_over() {
    for phase in FINISHED {
        assert_eq!(decide(30, phase, None, Stage::Revealing), Step::End);
        let best = at(30, phase, None);
        let finalised = at(27, Phase::Working, Some(COMMITTED));
        assert_eq!(Step::decide(&best, &finalised, known(Stage::Revealing)), Step::Wait);
    }
}

#[test]
fn a_task_that_a_state_does_not_know_is_over_only_if_the_state_should_know_it() {
    let gone = |best, finalised| Step::decide(&unknown(best), &unknown(finalised), known(Stage::Revealing));
    assert_eq!(gone(30, 10), Step::End);
    assert_eq!(gone(30, 9), Step::Wait, "the node was resynced and is behind");
    let best = unknown(30);
    let finalised = at(27, Phase::Revealing, Some(COMMITTED));
    assert_eq!(Step::decide(&best, &finalised, known(Stage::Revealing)), Step::Wait);
}

#[test]
fn a_task_ends_for_a_worker_that_was_replaced_when_that_is_final() {
    let replaced = Some(ContributionState::Replaced);
    for phase in [Phase::Working, Phase::Revealing, Phase::Appealable] {
        for stage in [Stage::Accepting, Stage::Committing] {
            let best = at(70, phase, replaced);
            let before = at(65, Phase::Working, Some(ACCEPTED));
            assert_eq!(Step::decide(&best, &before, known(stage)), Step::Wait);
            assert_eq!(Step::decide(&best, &best, known(stage)), Step::End);
        }
    }
}

#[test]
fn work_that_nobody_has_taken_over_goes_on_after_its_time() {
    assert_eq!(at(50, Phase::Working, Some(ACCEPTED)).commit_by(), 60);
    assert_eq!(at(50, Phase::Working, Some(COMMITTED)).commit_by(), 100);
    assert_eq!(
        decide(70, Phase::Working, Some(ACCEPTED), Stage::Accepting),
        Step::Compute
    );
    assert_eq!(
        decide(70, Phase::Working, Some(ACCEPTED), Stage::Committing),
        Step::Commit
    );
}
