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
fn is_zero_without_a_window() {
    ExtBuilder::default().build_and_execute(|| {
        assert_eq!(
            Judging::tally(TASK),
            Tally {
                in_favour: 0,
                against: 0
            }
        );
        contest(TASK, &[1], &[]);
        assert_ok!(Judging::close_appeal_window(TASK, Ruling::Upheld));
        assert_eq!(
            Judging::tally(TASK),
            Tally {
                in_favour: 0,
                against: 0
            }
        );
    });
}

#[test]
fn names_all_attesters() {
    ExtBuilder::default().build_and_execute(|| {
        assert!(Judging::attesters(TASK).is_empty());
        contest(TASK, &[1, 3], &[2]);
        assert_eq!(Judging::attesters(TASK), [1, 3, 2]);
        assert!(Judging::attesters(OTHER_TASK).is_empty());
    });
}
