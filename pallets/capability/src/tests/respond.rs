use crate::{Error, Event, mock::*};
use agora_primitives::{
    capability::{challenge_job, max_provable},
    participants::Role,
};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use pallet_agora_registry::Profile;

#[test]
fn keeps_the_response_and_holds_the_fee() {
    in_a_round(|| {
        let done = Capability::respond(signed(ALICE), 1, DIGEST).unwrap();
        assert_eq!(done.pays_fee, Pays::No);
        let response = response_of(ALICE).unwrap();
        assert_eq!(
            (response.capability, response.digest, response.fee),
            (DECLARED, DIGEST, FEE)
        );
        assert_eq!((fees(ALICE), wealth(ALICE)), (FEE, ENDOWMENT));
        System::assert_last_event(
            Event::Responded {
                round: 1,
                worker: ALICE,
                capability: DECLARED,
                digest: DIGEST,
            }
            .into(),
        );
        // A response alone proves nothing.
        assert_eq!(capability(ALICE), 1);
    });
}

#[test]
fn proves_no_more_than_the_round_can() {
    in_a_round(|| {
        let most = max_provable(WINDOW * 3_000);
        let profile = Profile {
            capability: most + 1,
            ..worker(ALICE).profile
        };
        assert_ok!(Registry::update_profile(signed(ALICE), profile));
        respond(ALICE);
        assert_eq!(response_of(ALICE).unwrap().capability, most);
        let job = challenge_job(round().seed, &ALICE, most, round().window_ms);
        assert_eq!((job.matrix_size, job.iterations), (4096, 16_383));
    });
}

#[test]
fn is_taken_in_the_last_block_of_the_window_and_not_later() {
    in_a_round(|| {
        run_to(PERIOD + WINDOW - 1);
        respond(ALICE);
        run_to(PERIOD + WINDOW);
        assert_noop!(Capability::respond(signed(BOB), 1, DIGEST), Error::<Test>::WindowClosed);
    });
}

#[test]
fn is_taken_once_per_round() {
    in_a_round(|| {
        respond(ALICE);
        assert_noop!(
            Capability::respond(signed(ALICE), 1, DIGEST),
            Error::<Test>::AlreadyResponded
        );
        run_to(2 * PERIOD);
        respond(ALICE);
    });
}

#[test]
fn is_refused_to_who_cannot_pay_the_fee() {
    in_a_round(|| {
        let poor = 9_000;
        register(poor, Role::Worker, 0);
        assert_noop!(
            Capability::respond(signed(poor), 1, DIGEST),
            pallet_agora_escrow::Error::<Test>::InsufficientBalance
        );
    });
}

#[test]
fn is_for_the_current_round_only() {
    in_a_round(|| {
        for round in [0, 2, u32::MAX] {
            assert_noop!(
                Capability::respond(signed(ALICE), round, DIGEST),
                Error::<Test>::NotCurrentRound
            );
        }
    });
    genesis(None).execute_with(|| {
        register(ALICE, Role::Worker, 0);
        run_to(PERIOD);
        assert_noop!(
            Capability::respond(signed(ALICE), 1, DIGEST),
            Error::<Test>::NotCurrentRound
        );
    });
}

#[test]
fn is_for_active_workers_only() {
    in_a_round(|| {
        assert_noop!(
            Capability::respond(signed(FIRST_VERIFIER), 1, DIGEST),
            pallet_agora_registry::Error::<Test>::NotRegistered
        );
        assert_ok!(Registry::ban(RuntimeOrigin::root(), ALICE, None));
        assert_noop!(
            Capability::respond(signed(ALICE), 1, DIGEST),
            pallet_agora_registry::Error::<Test>::Banned
        );
    });
}
