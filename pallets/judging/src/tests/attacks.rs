//! What attesters try who have not looked, or have not had what they attest.

use crate::{Error, mock::*};
use agora_primitives::{
    job::ChunkProof,
    judging::{Attestation, Judge, Possession, Ruling},
};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;

const VALID: Attestation = Attestation::Valid;

/// Ends the window, with the result upheld, and returns what somebody has won.
fn end(who: AccountId) -> i128 {
    System::set_block_number(REVEAL_UNTIL + 1);
    assert_ok!(Judging::close_appeal_window(TASK, Ruling::Upheld));
    free(who) as i128 - ENDOWMENT as i128
}

/// Commits to a root over `had`, and tries to show the output with it, knowing all of it when chunks are drawn. Returns whether that
/// succeeds.
fn passes_with(who: AccountId, had: &[u8]) -> bool {
    let root = root(who, TASK, had);
    assert_ok!(commit_to(who, TASK, commitment_to(who, TASK, VALID, Some(root))));
    draw(TASK);
    let mut shown = Possession::new(&key(who, TASK), root, had, &drawn(who, TASK)).unwrap();
    for opening in &mut shown.openings {
        opening.plain = ChunkProof::new(&output(), opening.plain.index).unwrap();
    }
    match reveal_with(who, TASK, VALID, Some(shown)) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.error, Error::<Test>::NotShown.into());
            false
        }
    }
}

#[test]
fn who_copies_a_commitment_cannot_reveal_it() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        assert_ok!(attest(1, TASK, VALID));
        let copied = commitment_to(1, TASK, VALID, Some(root(1, TASK, &output())));
        assert_ok!(commit_to(2, TASK, copied));
        draw(TASK);
        assert_ok!(reveal(1, TASK, VALID));
        // With what the other has shown now, and with what it has found out since.
        assert_noop!(
            reveal_with(2, TASK, VALID, Some(possession(1, TASK))),
            Error::<Test>::OtherAttestation
        );
        assert_noop!(reveal(2, TASK, VALID), Error::<Test>::OtherAttestation);
        assert_eq!(end(2), -(BOND as i128));
        assert_eq!(free(1), ENDOWMENT);
    });
}

#[test]
fn who_takes_over_the_root_of_another_cannot_show_it() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        // Even if the other tells it: the key is another.
        let others = root(1, TASK, &output());
        assert_ok!(commit_to(2, TASK, commitment_to(2, TASK, VALID, Some(others))));
        draw(TASK);
        let output = output();
        let shown = Possession::new(&key(1, TASK), others, &output, &drawn(2, TASK));
        assert_noop!(reveal_with(2, TASK, VALID, shown), Error::<Test>::NotShown);
        assert_eq!(end(2), -(BOND as i128));
    });
}

#[test]
fn who_has_nothing_shows_nothing() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        assert!(!passes_with(1, &vec![0; output().len()]));
        assert_eq!(end(1), -(BOND as i128));
    });
    // Nor with a root that is no root, or without any.
    for root in [None, Some(H256::repeat_byte(1))] {
        ExtBuilder::default().build_and_execute(|| {
            open(TASK);
            assert_ok!(commit_to(1, TASK, commitment_to(1, TASK, VALID, root)));
            draw(TASK);
            let shown = root.map(|root| Possession {
                root,
                ..possession(1, TASK)
            });
            assert_noop!(reveal_with(1, TASK, VALID, shown), Error::<Test>::NotShown);
            assert_noop!(reveal(1, TASK, VALID), Error::<Test>::OtherAttestation);
            assert_eq!(end(1), -(BOND as i128));
        });
    }
}

#[test]
fn who_fetches_the_drawn_chunks_when_they_are_drawn_is_too_late() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        let commitment = commitment_to(1, TASK, VALID, Some(H256::repeat_byte(1)));
        assert_ok!(commit_to(1, TASK, commitment));
        draw(TASK);
        // It has them now, and could make any root: but it has committed to one.
        assert_noop!(reveal(1, TASK, VALID), Error::<Test>::OtherAttestation);
        assert_eq!(end(1), -(BOND as i128));
    });
}

#[test]
fn who_has_a_half_is_found_three_times_in_four() {
    let output = output();
    let mut passed = 0;
    for who in 1..=VERIFIERS {
        for half in [0..output.len() / 2, output.len() / 2..output.len()] {
            ExtBuilder::default().build_and_execute(|| {
                open(TASK);
                let mut had = output.clone();
                had[half.clone()].fill(0xff);
                let passes = passes_with(who, &had);
                passed += u32::from(passes);
                assert_eq!(end(who) < 0, !passes);
            });
        }
    }
    // Of 24 a quarter is 6, with a deviation of 2.1.
    assert!((1..=12).contains(&passed), "{passed} of 24");
}

#[test]
fn who_never_reveals_pays_as_who_was_wrong() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        assert_ok!(attest(1, TASK, VALID));
        draw(TASK);
        assert_eq!(end(1), -(BOND as i128));
        assert_eq!(free(TREASURY), ED + BOND);
    });
}

#[test]
fn many_small_accounts_cannot_crowd_out_who_is_drawn() {
    ExtBuilder::default().build_and_execute(|| {
        use agora_primitives::participants::TotalStake;
        // Eleven accounts have as much bond together as the one that objects; there are two seats.
        Seats::set(2);
        MaxAttestations::set(4);
        Total::set(TotalStake {
            verifiers: 12,
            weight: 22,
        });
        let weigh = |who| (who, (if who == 12 { 11 } else { 1 }, 0));
        Weights::set((1..=12).map(weigh).collect());
        let (mut crowded, mut seats) = (0, 0);
        for number in 0..100 {
            let task = agora_primitives::TaskId(500 + number);
            let free_of_charge = agora_primitives::judging::AppealTerms { bond: 0, ..terms() };
            assert_ok!(Judging::open_appeal_window(task, free_of_charge));
            seats += (1..12).filter(|who| attest(*who, task, VALID).is_ok()).count();
            crowded += u32::from(attest(12, task, Attestation::Invalid).is_err());
        }
        assert!((70..=130).contains(&seats), "{seats}");
        assert!(crowded <= 6, "{crowded} of 100");
    });
}
