use crate::mock::*;
use agora_primitives::judging::{Judge, Ruling, Tally};
use frame_support::assert_ok;

#[test]
fn counts_both_sides() {
    ExtBuilder::default().build_and_execute(|| {
        contest(TASK, &[1, 2, 3], &[4]);
        assert_eq!(
            Judging::tally(TASK),
            Tally {
                in_favour: 3,
                against: 1
            }
        );
    });
}

#[test]
fn is_zero_without_a_challenge() {
    ExtBuilder::default().build_and_execute(|| {
        assert_eq!(
            Judging::tally(TASK),
            Tally {
                in_favour: 0,
                against: 0
            }
        );
        contest(TASK, &[1], &[]);
        assert_ok!(Judging::close_challenge(TASK, Ruling::Upheld));
        assert_eq!(
            Judging::tally(TASK),
            Tally {
                in_favour: 0,
                against: 0
            }
        );
    });
}
