//! What is waited for, and the draw of chunks.

use crate::{Event, mock::*};
use agora_primitives::judging::{Attestation, Judge, Reveals};
use frame_support::assert_ok;
use sp_core::H256;

#[test]
fn nothing_is_waited_for_where_nobody_has_committed() {
    ExtBuilder::default().build_and_execute(|| {
        assert_eq!(Judging::reveals(TASK), Reveals::Done);
        open(TASK);
        draw(TASK);
        assert_eq!(Judging::reveals(TASK), Reveals::Done);
        assert_eq!(window(TASK).unwrap().draw, None, "nobody has anything to show");
    });
}

#[test]
fn the_draw_and_then_those_who_have_not_revealed() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        assert_ok!(attest(1, TASK, Attestation::Valid));
        assert_ok!(attest(2, TASK, Attestation::Valid));
        let undrawn = Reveals::Undrawn { from: DRAWN_AT };
        assert_eq!(Judging::reveals(TASK), undrawn);
        // Not while somebody could commit, nor in the block after that, whose author may have made the one before it.
        for block in [UNTIL, UNTIL + 1] {
            System::set_block_number(block);
            Judging::draw_chunks(TASK, DRAW);
            assert_eq!(Judging::reveals(TASK), undrawn);
        }
        System::reset_events();
        draw(TASK);
        let drawn = Event::ChunksDrawn {
            task: TASK,
            draw: DRAW,
            until: REVEAL_UNTIL,
        };
        assert_eq!(events(), [drawn]);
        assert_eq!(Judging::reveals(TASK), Reveals::Pending { until: REVEAL_UNTIL });
        // Once and for all.
        Judging::draw_chunks(TASK, H256::zero());
        assert_eq!(window(TASK).unwrap().draw.unwrap().seed, DRAW);
        Full::set(2);
        assert_eq!(
            Judging::reveals(TASK),
            Reveals::Pending {
                until: REVEAL_UNTIL + 2
            }
        );
        assert_ok!(reveal(1, TASK, Attestation::Valid));
        System::set_block_number(REVEAL_UNTIL + 2);
        assert_eq!(
            Judging::reveals(TASK),
            Reveals::Pending {
                until: REVEAL_UNTIL + 2
            }
        );
        System::set_block_number(REVEAL_UNTIL + 3);
        assert_eq!(Judging::reveals(TASK), Reveals::Done, "it is too late for the other");
        // With each block that is full, one passes: it stays so.
        Full::set(3);
        System::set_block_number(REVEAL_UNTIL + 4);
        assert_eq!(Judging::reveals(TASK), Reveals::Done);
    });
}

#[test]
fn a_late_draw_leaves_as_much_time() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        assert_ok!(attest(1, TASK, Attestation::Valid));
        System::set_block_number(DRAWN_AT + 100);
        draw(TASK);
        let until = DRAWN_AT + 100 + REVEAL_WINDOW;
        assert_eq!(Judging::reveals(TASK), Reveals::Pending { until });
        assert_ok!(reveal(1, TASK, Attestation::Valid));
        assert_eq!(Judging::reveals(TASK), Reveals::Done);
    });
}
