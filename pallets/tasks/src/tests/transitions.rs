//! The pure transitions.

use crate::transitions::{Confirmation, Effect, Step, TransitionError, outcome, rule_on, rule_on_appeal};
use crate::types::TaskProgress;
use agora_primitives::{
    job::{BlobRef, Claim},
    judging::{Ruling, Tally},
    reputation::Outcome,
    task::{Contribution, ContributionState, LATE_AFTER, Phase, RoundKind},
};
use sp_core::H256;

const COMMITMENT: H256 = H256::repeat_byte(1);
const CLAIM: Claim = output(1, 1);
const OTHER: Claim = output(2, 2);

const fn output(content: u8, states: u8) -> Claim {
    Claim::Output {
        output: BlobRef {
            hash: H256::repeat_byte(content),
            size: 9,
        },
        states_root: H256::repeat_byte(states),
    }
}

fn published() -> TaskProgress<u32> {
    TaskProgress::published(RoundKind::Replication, 20, 2, 5)
}

fn committed(progress: &mut TaskProgress<u32>, now: u32) -> Contribution<u32> {
    let mut contribution = progress.accept(2, 9, now).unwrap();
    progress.commit(&mut contribution, COMMITMENT, now + 2).unwrap();
    contribution
}

#[test]
fn a_round_with_all_wanted_workers() {
    let mut progress = published();
    assert_eq!((progress.due, progress.until()), (21, 20));
    let mut first = committed(&mut progress, 1);
    let mut second = progress.accept(2, 9, 3).unwrap();
    assert_eq!(progress.accept(2, 9, 3), Err(TransitionError::AllSlotsTaken));
    let started = progress.commit(&mut second, COMMITMENT, 6);
    assert_eq!(started, Ok(Effect::RevealStarted { until: 11 }));
    let reveal =
        |progress: &mut TaskProgress<u32>, contribution: &mut _| progress.reveal(contribution, CLAIM, || COMMITMENT, 7);
    assert_eq!(reveal(&mut progress, &mut first), Ok(Effect::OthersWaitedFor));
    assert_eq!(progress.step(7), None);
    assert_eq!(reveal(&mut progress, &mut second), Ok(Effect::AllRevealed));
    assert_eq!(progress.step(7), None);
    assert_eq!(progress.step(8), Some(Step::Judge));
    assert_eq!(first.claim(), Some(CLAIM));
}

#[test]
fn steps_by_phase() {
    let mut progress = published();
    assert_eq!(progress.step(20), None);
    assert_eq!(progress.step(21), Some(Step::Expire));
    let mut contribution = progress.accept(2, 9, 1).unwrap();
    assert_eq!(progress.step(21), Some(Step::Expire));
    progress.commit(&mut contribution, COMMITMENT, 3).unwrap();
    assert_eq!(progress.step(21), Some(Step::StartReveal));
    assert_eq!(progress.start_reveal(21), 26);
    assert_eq!(progress.step(26), None);
    assert_eq!(progress.step(27), Some(Step::Expire));
    progress.start_round(RoundKind::Appeal, 2, 10, 30);
    assert_eq!((progress.phase, progress.due), (Phase::Working, 41));
    assert_eq!(progress.step(41), Some(Step::Judge));
    assert_eq!(progress.open_appeal_window(4, 50), 54);
    assert_eq!(progress.step(55), Some(Step::CloseAppealWindow));
    progress.finish(Phase::Failed, 100, 60);
    assert_eq!(progress.step(160), None);
    assert_eq!(progress.step(161), Some(Step::Purge));
}

#[test]
fn a_commitment_is_checked_only_while_it_is_time() {
    let mut progress = published();
    let mut contribution = committed(&mut progress, 1);
    progress.start_reveal(5);
    let never = || -> H256 { panic!("not asked") };
    let late = progress.reveal(&mut contribution, CLAIM, never, 11);
    assert_eq!(late, Err(TransitionError::TooLate));
    let wrong = progress.reveal(&mut contribution, CLAIM, H256::zero, 10);
    assert_eq!(wrong, Err(TransitionError::CommitmentMismatch));
    assert_eq!(progress.revealed, 0);
}

#[test]
fn more_replicas_are_half_a_round_within_the_limit() {
    let progress = |accepted, contributions| TaskProgress {
        accepted,
        contributions,
        ..published()
    };
    assert_eq!(progress(5, 5).more_replicas(5, 9), Some(3));
    assert_eq!(progress(3, 8).more_replicas(5, 9), Some(1));
    assert_eq!(progress(1, 9).more_replicas(5, 9), None);
    assert_eq!(progress(0, 5).more_replicas(5, 9), None, "nobody came");
}

#[test]
fn an_appeal_is_ruled_on_by_fresh_answers_and_then_by_attesters() {
    let tally = |in_favour, against| Tally { in_favour, against };
    let rule = |fresh, tally| rule_on_appeal(CLAIM, fresh, tally);
    assert_eq!(rule(Some(CLAIM), tally(0, 9)), Ruling::Upheld);
    for other in [OTHER, Claim::Unusable, output(1, 2)] {
        assert_eq!(rule(Some(other), tally(9, 1)), Ruling::Overturned);
    }
    assert_eq!(rule(None, tally(2, 1)), Ruling::Upheld);
    for (in_favour, against) in [(1, 1), (1, 2), (0, 1)] {
        assert_eq!(rule(None, tally(in_favour, against)), Ruling::Disagreed);
    }
}

#[test]
fn attesters_are_right_or_wrong_about_the_output_that_stands_in_the_end() {
    for has_disagreed in [false, true] {
        let rule = |first, last| rule_on(first, last, has_disagreed);
        let stands = if has_disagreed {
            Ruling::Disagreed
        } else {
            Ruling::Upheld
        };
        for first in [CLAIM, OTHER, Claim::Unusable] {
            assert_eq!(rule(first, first), stands);
        }
        assert_eq!(rule(CLAIM, OTHER), Ruling::Overturned);
        assert_eq!(rule(CLAIM, Claim::Unusable), Ruling::Overturned);
        assert_eq!(rule(Claim::Unusable, CLAIM), Ruling::Overturned);
        // The same output after other states.
        assert_eq!(rule(output(1, 1), output(1, 2)), Ruling::Undecided);
        assert_eq!(rule(output(1, 1), output(2, 1)), Ruling::Overturned);
    }
}

#[test]
fn outcomes_by_state() {
    let contribution = |state| Contribution {
        round: 0,
        accepted_at: 1,
        state,
    };
    let accepted = contribution(ContributionState::Accepted {
        commit_from: 3,
        commit_by: 9,
    });
    let replaced = contribution(ContributionState::Replaced);
    let committed = contribution(ContributionState::Committed {
        commitment: COMMITMENT,
        at: 3,
    });
    let revealed = contribution(ContributionState::Revealed {
        claim: CLAIM,
        committed_at: 3,
    });
    let alone = Confirmation::None;
    for right in [None, Some(CLAIM), Some(OTHER), Some(Claim::Unusable)] {
        assert_eq!(outcome(&accepted, right, alone), Some(Outcome::Late));
        assert_eq!(outcome(&replaced, right, alone), None, "it was judged before");
        assert_eq!(outcome(&committed, right, alone), Some(Outcome::Wrong));
    }
    assert_eq!(outcome(&revealed, None, alone), None);
    for wrong in [OTHER, Claim::Unusable, output(1, 2), output(2, 1)] {
        assert_eq!(outcome(&revealed, Some(wrong), alone), Some(Outcome::Wrong));
    }
    let right = |confirmed| Some(Outcome::Right { confirmed });
    assert_eq!(outcome(&revealed, Some(CLAIM), alone), right(false));
    assert_eq!(outcome(&revealed, Some(CLAIM), Confirmation::ByOthers), right(true));
}

#[test]
fn only_an_output_is_confirmed_by_others() {
    let counts = [1, 2, 16];
    let confirmed = |claim: &Claim| counts.map(|count| Confirmation::of(claim, count));
    let others = Confirmation::ByOthers;
    assert_eq!(confirmed(&CLAIM), [Confirmation::None, others, others]);
    assert_eq!(confirmed(&Claim::Unusable), [Confirmation::None; 3]);
}

#[test]
fn a_slot_is_its_own_for_the_window_and_while_the_round_lasts() {
    let mut progress = published();
    let first = progress.accept(2, 9, 1).unwrap();
    let second = progress.accept(2, 9, 15).unwrap();
    assert_eq!(progress.slot_kept_until(&first), Some(10));
    assert_eq!(progress.slot_kept_until(&second), Some(20), "the round's last block");
    assert!(!progress.is_late(&first, 10));
    assert!(progress.is_late(&first, 11));
    let mut unbounded = published();
    let last = unbounded.accept(2, u32::MAX, 1).unwrap();
    assert_eq!(unbounded.slot_kept_until(&last), Some(20));
}

#[test]
fn only_those_who_are_silent_in_a_running_round_are_late() {
    let mut progress = published();
    let mut committed = committed(&mut progress, 1);
    let silent = progress.accept(2, 9, 1).unwrap();
    let long_after = 1_000;
    assert!(progress.is_late(&silent, long_after));
    assert!(!progress.is_late(&committed, long_after));
    progress.start_reveal(21);
    assert!(!progress.is_late(&silent, long_after), "no work is taken any more");
    progress.reveal(&mut committed, CLAIM, || COMMITMENT, 22).unwrap();
    progress.start_round(RoundKind::Replication, 2, 10, 30);
    assert!(!progress.is_late(&silent, long_after), "its round is over");
}

#[test]
fn a_replaced_worker_leaves_room_for_one_and_takes_no_further_part() {
    let mut progress = published();
    let mut late = progress.accept(2, 9, 1).unwrap();
    progress.accept(2, 9, 1).unwrap();
    assert!(progress.is_full());
    progress.replace(&mut late);
    let counts = (progress.accepted, progress.contributions, progress.replaced);
    assert_eq!((counts, progress.workers()), ((1, 1, 1), 2));
    let commit = progress.commit(&mut late, COMMITMENT, 11);
    assert_eq!(commit, Err(TransitionError::Replaced));
    progress.start_reveal(21);
    let reveal = progress.reveal(&mut late, CLAIM, || COMMITMENT, 22);
    assert_eq!(reveal, Err(TransitionError::Replaced));
}

fn appealable() -> TaskProgress<u32> {
    let mut progress = published();
    progress.open_appeal_window(4, 50);
    progress
}

#[test]
fn the_court_is_waited_for_as_long_as_it_says_and_a_block_at_least() {
    let due_after = |until, now| {
        let mut progress = appealable();
        progress.await_others(until, now);
        assert_eq!(progress.step(progress.due), Some(Step::CloseAppealWindow));
        progress.due
    };
    assert_eq!(due_after(90, 55), 91);
    assert_eq!(due_after(55, 55), 56);
    assert_eq!(due_after(3, 55), 56);
    assert_eq!(due_after(u32::MAX, 55), u32::MAX);
}

#[test]
fn a_court_is_heard_while_its_result_may_be_appealed_alone() {
    let mut waiting = appealable();
    waiting.await_others(90, 55);
    assert!(waiting.hear_others(60));
    assert_eq!(waiting.step(60), Some(Step::CloseAppealWindow));
    for phase in [
        Phase::Open,
        Phase::Working,
        Phase::Revealing,
        Phase::Judging,
        Phase::Settled,
        Phase::Failed,
    ] {
        let before = TaskProgress { phase, ..published() };
        let mut progress = before.clone();
        assert!(!progress.hear_others(10));
        assert_eq!(progress, before);
    }
}

#[test]
fn nobody_was_late_while_the_court_was_waited_for() {
    let mut progress = appealable();
    let now = progress.due + 1_000;
    assert!(progress.clone().pay_step(now));
    assert!(progress.hear_others(now));
    assert!(!progress.clone().pay_step(now + LATE_AFTER));
    assert!(progress.pay_step(now + LATE_AFTER + 1));
}

#[test]
fn a_result_that_is_replaced_is_not_ruled_on_again() {
    let mut progress = appealable();
    assert_eq!(progress.replace_result(4, 60), 64);
    assert_eq!((progress.phase, progress.kind), (Phase::Appealable, RoundKind::Appeal));
    assert_eq!(progress.step(64), None);
    assert_eq!(progress.step(65), Some(Step::CloseAppealWindow));
}
