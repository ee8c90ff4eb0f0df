//! What is proven counts for a time, in the registry's weights too.

use crate::mock::*;
use agora_primitives::participants::{Participants, Specialisation};
use frame_support::assert_ok;
use pallet_agora_registry::Trees;
use sp_core::H256;

fn weight(who: AccountId) -> u64 {
    let trees = Trees::<Test>::load();
    trees.of(Specialisation::Synthetic).weight(worker(who).leaf).unwrap()
}

fn prove(who: AccountId) {
    decide(who, 2, 0);
}

#[test]
fn a_proof_is_renewed_by_the_next() {
    in_a_round(|| {
        prove(ALICE);
        run_to(2 * PERIOD);
        prove(ALICE);
        run_to(PERIOD + VALIDITY);
        assert_ok!(Registry::heartbeat(signed(ALICE)));
        assert_eq!(weight(ALICE), u64::from(DECLARED));
        run_to(2 * PERIOD + VALIDITY);
        assert_ok!(Registry::heartbeat(signed(ALICE)));
        assert_eq!(weight(ALICE), 1);
    });
}

#[test]
fn nobody_is_drawn_by_a_proof_that_is_over() {
    in_a_round(|| {
        prove(ALICE);
        assert_eq!(weight(ALICE), u64::from(DECLARED));
        run_to(PERIOD + VALIDITY);
        let draw = |number| Registry::draw_workers(H256::repeat_byte(number), Specialisation::Synthetic, 2, &[]);
        // Both are hit; she was hit by more than she has now, and has less from now on.
        assert_eq!(draw(1), [BOB]);
        assert_eq!((weight(ALICE), weight(BOB)), (1, 1));
        assert_eq!(draw(2).len(), 2);
    });
}

#[test]
fn less_is_proven_than_is_declared_later() {
    in_a_round(|| {
        prove(ALICE);
        let mut profile = worker(ALICE).profile;
        profile.capability = 10 * DECLARED;
        assert_ok!(Registry::update_profile(signed(ALICE), profile));
        assert_eq!(weight(ALICE), u64::from(DECLARED));
        profile.capability = 3;
        assert_ok!(Registry::update_profile(signed(ALICE), profile));
        assert_eq!(weight(ALICE), 3);
    });
}
