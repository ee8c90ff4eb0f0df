//! The check of the state finds what is broken.

use crate::{Answers, CurrentSchedule, FirstKept, Schedule, mock::*, types::Answer};
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

fn with_votes(votes: Vec<(AccountId, Attestation)>) -> Answer<AccountId, MaxAttestations> {
    Answer {
        attestations: Decode::decode(&mut &votes.encode()[..]).unwrap(),
        ..Answer::new(1, H256::zero())
    }
}

#[test]
fn an_impossible_schedule() {
    finds("schedule", || {
        CurrentSchedule::<Test>::put(Schedule { quorum: 0, ..SCHEDULE })
    });
}

#[test]
fn answers_of_rounds_to_come_or_forgotten() {
    finds("not kept", || Answers::<Test>::insert(2, ALICE, with_votes(vec![])));
    finds("not kept", || {
        Answers::<Test>::insert(0, ALICE, with_votes(vec![]));
        FirstKept::<Test>::put(1);
    });
}

#[test]
fn votes_that_are_too_many() {
    let valid = |who| (who, Attestation::Valid);
    finds("voted twice", || {
        Answers::<Test>::insert(1, ALICE, with_votes(vec![valid(3), valid(3)]));
    });
    finds("one's own", || {
        Answers::<Test>::insert(1, ALICE, with_votes(vec![valid(ALICE)]))
    });
    finds("places", || {
        Answers::<Test>::insert(1, ALICE, with_votes((3..8).map(valid).collect()));
    });
}
