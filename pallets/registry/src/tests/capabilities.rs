//! `Capabilities`: what of a worker's capability counts, and for how long.

use crate::{Error, Event, Profile, mock::*, types::UNPROVEN_CAPABILITY};
use agora_primitives::{
    capability::Capabilities,
    participants::{Participants, Role, Specialisation},
};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;

fn declared(who: AccountId) -> Result<u32, sp_runtime::DispatchError> {
    <Registry as Capabilities<_, _>>::declared(&who)
}

fn refute(who: AccountId) {
    <Registry as Capabilities<_, _>>::refute(&who);
}

/// Registers a worker that has proven nothing, with two slots.
fn register_unproven(who: AccountId, capability: u32) {
    register_worker(who, capability);
    refute(who);
}

#[test]
fn a_worker_that_has_proven_nothing_counts_as_one() {
    ExtBuilder::default().build_and_execute(|| {
        register_unproven(ALICE, 100);
        assert_eq!(declared(ALICE), Ok(100));
        // Of its two slots one counts.
        assert_eq!(weight_of(ALICE), u64::from(UNPROVEN_CAPABILITY));
    });
}

#[test]
fn as_much_counts_as_is_proven_and_declared() {
    ExtBuilder::default().build_and_execute(|| {
        register_unproven(ALICE, 100);
        prove(ALICE, 40, 50);
        assert_eq!(weight_of(ALICE), 80);
        let lower = Profile {
            capability: 10,
            ..worker(ALICE).profile
        };
        assert_ok!(Registry::update_profile(signed(ALICE), lower));
        assert_eq!(weight_of(ALICE), 20);
        prove(ALICE, 400, 50);
        assert_eq!(weight_of(ALICE), 20);
        refute(ALICE);
        assert_eq!(weight_of(ALICE), 1);
    });
}

#[test]
fn a_heartbeat_forgets_a_capability_that_counts_no_more_and_no_other() {
    ExtBuilder::default().build_and_execute(|| {
        register_unproven(ALICE, 100);
        prove(ALICE, 100, 5);
        run_to(4);
        assert_ok!(Registry::heartbeat(signed(ALICE)));
        assert_eq!(weight_of(ALICE), 200);
        run_to(5);
        assert_ok!(Registry::heartbeat(signed(ALICE)));
        System::assert_has_event(Event::CapabilityExpired { who: ALICE }.into());
        assert_eq!(weight_of(ALICE), 1);
    });
}

#[test]
fn a_draw_does_not_draw_by_a_capability_that_counts_no_more() {
    ExtBuilder::default().build_and_execute(|| {
        register_unproven(ALICE, 1_000);
        prove(ALICE, 1_000, 5);
        let draw = |seed| Registry::draw_workers(H256::repeat_byte(seed), Specialisation::Synthetic, 1, &[]);
        assert_eq!(draw(1), [ALICE]);
        run_to(5);
        assert!(draw(1).is_empty());
        System::assert_last_event(Event::CapabilityExpired { who: ALICE }.into());
        assert_eq!(weight_of(ALICE), 1);
        assert_eq!(draw(1), [ALICE]);
    });
}

#[test]
fn those_who_are_no_workers_are_passed_over() {
    ExtBuilder::default().build_and_execute(|| {
        register(BOB, Role::Verifier);
        for who in [BOB, NOBODY] {
            assert_noop!(declared(who), Error::<Test>::NotRegistered);
            prove(who, 10, 10);
            refute(who);
        }
    });
}
