//! The check of the state finds what is broken.

use crate::{CurrentSchedule, FirstKept, Responses, Schedule, mock::*, types::Response};
use agora_primitives::judging::Attestation;
use codec::{Decode, Encode};
use sp_core::H256;

fn finds(broken: &str, break_it: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        run_to(PERIOD);
        check_state();
        break_it();
        let found = format!("{:?}", Capability::do_try_state().unwrap_err());
        assert!(found.contains(broken), "{found}");
    });
}

fn with_votes(votes: Vec<(AccountId, Attestation)>) -> Response<AccountId, MaxVotes> {
    Response {
        votes: Decode::decode(&mut &votes.encode()[..]).unwrap(),
        ..Response::new(1, H256::zero())
    }
}

#[test]
fn an_impossible_schedule() {
    finds("schedule", || {
        CurrentSchedule::<Test>::put(Schedule { quorum: 0, ..SCHEDULE })
    });
}

#[test]
fn responses_of_rounds_to_come_or_forgotten() {
    finds("not kept", || Responses::<Test>::insert(2, ALICE, with_votes(vec![])));
    finds("not kept", || {
        Responses::<Test>::insert(0, ALICE, with_votes(vec![]));
        FirstKept::<Test>::put(1);
    });
}

#[test]
fn votes_that_are_too_many() {
    let valid = |who| (who, Attestation::Valid);
    finds("voted twice", || {
        Responses::<Test>::insert(1, ALICE, with_votes(vec![valid(3), valid(3)]));
    });
    finds("one's own", || {
        Responses::<Test>::insert(1, ALICE, with_votes(vec![valid(ALICE)]))
    });
    finds("places", || {
        Responses::<Test>::insert(1, ALICE, with_votes((3..8).map(valid).collect()));
    });
}
