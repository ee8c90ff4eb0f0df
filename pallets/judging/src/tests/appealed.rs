use crate::mock::*;
use agora_primitives::judging::{Judge, Ruling};
use frame_support::assert_ok;

#[test]
fn is_the_claim_that_the_window_was_opened_with_until_it_is_closed() {
    ExtBuilder::default().build_and_execute(|| {
        assert_eq!(Judging::appealed(TASK), None);
        contest(TASK, &[1], &[2]);
        let window = crate::AppealWindows::<Test>::get(TASK).unwrap();
        assert_eq!(Judging::appealed(TASK), Some(window.terms.claim));
        assert_eq!(Judging::appealed(OTHER_TASK), None);
        assert_ok!(Judging::close_appeal_window(TASK, Ruling::Upheld));
        assert_eq!(Judging::appealed(TASK), None);
    });
}
