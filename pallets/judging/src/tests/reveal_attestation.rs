use crate::{Error, Event, mock::*};
use agora_primitives::{
    job::Claim,
    judging::{AppealTerms, Attestation, Judge, Possession, Ruling, Tally},
};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use sp_core::H256;
use sp_runtime::DispatchError;

/// A window in which 1 has committed for the result and 2 against it, in the block of the draw.
fn drawn_window(test: impl FnOnce()) {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        assert_ok!(attest(1, TASK, Attestation::Valid));
        assert_ok!(attest(2, TASK, Attestation::Invalid));
        draw(TASK);
        System::reset_events();
        test();
    });
}

#[test]
fn counts_what_was_committed_to_and_is_free() {
    drawn_window(|| {
        assert_eq!(reveal(1, TASK, Attestation::Valid).unwrap().pays_fee, Pays::No);
        assert!(Told::get().is_empty(), "another is waited for");
        assert_eq!(reveal(2, TASK, Attestation::Invalid).unwrap().pays_fee, Pays::No);
        let attested = |verifier, attestation| Event::Attested {
            task: TASK,
            verifier,
            attestation,
        };
        assert_eq!(
            events(),
            [attested(1, Attestation::Valid), attested(2, Attestation::Invalid)]
        );
        let tally = Tally {
            in_favour: 1,
            against: 1,
        };
        assert_eq!(Judging::tally(TASK), tally);
        assert_eq!([1, 2].map(|who| bond_of(who, TASK)), [BOND; 2], "it stays held");
        assert_eq!(Told::get(), [TASK]);
    });
}

#[test]
fn is_possible_from_the_draw_to_the_last_block_and_is_once() {
    drawn_window(|| {
        assert_ok!(reveal(2, TASK, Attestation::Invalid));
        assert_noop!(reveal(2, TASK, Attestation::Invalid), Error::<Test>::NothingHidden);
        System::set_block_number(REVEAL_UNTIL);
        assert_ok!(reveal(1, TASK, Attestation::Valid));
    });
}

#[test]
fn fails_before_the_draw_after_the_window_and_without_one() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(reveal(1, TASK, Attestation::Valid), Error::<Test>::NoAppealWindow);
        open(TASK);
        assert_ok!(attest(1, TASK, Attestation::Valid));
        for block in [UNTIL, UNTIL + 1, DRAWN_AT] {
            System::set_block_number(block);
            assert_noop!(reveal(1, TASK, Attestation::Valid), Error::<Test>::NotRevealing);
        }
        draw(TASK);
        assert_noop!(reveal(2, TASK, Attestation::Valid), Error::<Test>::NothingHidden);
        System::set_block_number(REVEAL_UNTIL + 1);
        assert_noop!(reveal(1, TASK, Attestation::Valid), Error::<Test>::NotRevealing);
        assert_ok!(Judging::close_appeal_window(TASK, Ruling::Upheld));
        assert_noop!(reveal(1, TASK, Attestation::Valid), Error::<Test>::NoAppealWindow);
    });
}

#[test]
fn full_blocks_are_no_time_up_to_a_bound() {
    drawn_window(|| {
        Full::set(3);
        System::set_block_number(REVEAL_UNTIL + 4);
        assert_noop!(reveal(1, TASK, Attestation::Valid), Error::<Test>::NotRevealing);
        System::set_block_number(REVEAL_UNTIL + 3);
        assert_ok!(reveal(1, TASK, Attestation::Valid));
        Full::set(1_000_000);
        System::set_block_number(REVEAL_UNTIL + 12 * REVEAL_WINDOW + 1);
        assert_noop!(reveal(2, TASK, Attestation::Invalid), Error::<Test>::NotRevealing);
        System::set_block_number(REVEAL_UNTIL + 12 * REVEAL_WINDOW);
        assert_ok!(reveal(2, TASK, Attestation::Invalid));
    });
}

#[test]
fn blocks_that_were_full_before_the_draw_do_not_count() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        assert_ok!(attest(1, TASK, Attestation::Valid));
        Full::set(50);
        draw(TASK);
        System::set_block_number(REVEAL_UNTIL + 1);
        assert_noop!(reveal(1, TASK, Attestation::Valid), Error::<Test>::NotRevealing);
    });
}

#[test]
fn fails_for_anything_else_than_what_was_committed_to() {
    drawn_window(|| {
        let other = Error::<Test>::OtherAttestation;
        assert_noop!(reveal(1, TASK, Attestation::Invalid), other);
        assert_noop!(reveal(2, TASK, Attestation::Valid), Error::<Test>::OtherAttestation);
        let root = Possession {
            root: H256::zero(),
            ..possession(1, TASK)
        };
        assert_noop!(
            reveal_with(1, TASK, Attestation::Valid, Some(root)),
            Error::<Test>::OtherAttestation
        );
        assert_noop!(
            reveal_with(1, TASK, Attestation::Valid, None),
            Error::<Test>::OtherAttestation
        );
        let salted = Judging::reveal_attestation(RuntimeOrigin::signed(2), TASK, Attestation::Invalid, [0; 32], None);
        assert_noop!(salted, Error::<Test>::OtherAttestation);
        // What need not be shown is not carried, for nothing.
        assert_noop!(
            reveal_with(2, TASK, Attestation::Invalid, Some(possession(2, TASK))),
            Error::<Test>::NotShown
        );
        assert_ok!(reveal_with(2, TASK, Attestation::Invalid, None));
    });
}

#[test]
fn fails_for_chunks_that_were_not_drawn() {
    drawn_window(|| {
        let right = possession(1, TASK);
        let mut fewer = right.clone();
        fewer.openings.pop();
        let mut turned = right.clone();
        turned.openings.as_mut().reverse();
        let mut other = right;
        let key = key(1, TASK);
        let index = (drawn(1, TASK)[0] + 1) % 41;
        other.openings[0] = agora_primitives::job::KeyedProof::new(&key, &output(), index).unwrap();
        for wrong in [fewer, turned, other] {
            assert_noop!(
                reveal_with(1, TASK, Attestation::Valid, Some(wrong)),
                Error::<Test>::NotShown
            );
        }
    });
}

#[test]
fn nothing_is_shown_of_unusable_inputs_and_of_no_bytes() {
    let empty = Claim::Output {
        output: agora_primitives::job::BlobRef::to(&[]),
        states_root: H256::zero(),
    };
    for claim in [Claim::Unusable, empty] {
        ExtBuilder::default().build_and_execute(|| {
            assert_ok!(Judging::open_appeal_window(TASK, AppealTerms { claim, ..terms() }));
            let sealed = agora_primitives::judging::Sealed {
                genesis: System::block_hash(0),
                task: TASK,
                seed: SEED,
                claim: &claim,
                verifier: &1u64,
                attestation: Attestation::Valid,
                root: None,
            };
            let commitment = agora_primitives::judging::attestation_commitment(&sealed, &SALT);
            assert_ok!(commit_to(1, TASK, commitment));
            draw(TASK);
            assert_ok!(reveal_with(1, TASK, Attestation::Valid, None));
            assert_eq!(Judging::tally(TASK).in_favour, 1);
        });
    }
}

#[test]
fn fails_for_unsigned_and_root() {
    drawn_window(|| {
        for origin in [RuntimeOrigin::none(), RuntimeOrigin::root()] {
            let call = Judging::reveal_attestation(origin, TASK, Attestation::Invalid, SALT, None);
            assert_noop!(call, DispatchError::BadOrigin);
        }
    });
}
