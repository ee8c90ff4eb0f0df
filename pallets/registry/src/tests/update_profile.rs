//! `update_profile`.

use crate::{Error, Event, Profile, mock::*};
use agora_primitives::participants::{Participants, Role, Specialisation, Specialisations};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn changes_profile_and_priority_of_the_caller_alone() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        register_worker(BOB, 10);
        let better = Profile {
            specialisations: Specialisations::NONE.with(Specialisation::Rendering),
            slots: 3,
            capability: 100,
        };
        assert_ok!(Registry::update_profile(signed(ALICE), better));

        System::assert_last_event(Event::ProfileUpdated { who: ALICE }.into());
        assert_eq!(worker(ALICE).profile, better);
        // 10 of it are proven, and the bond covers two slots.
        assert_eq!(weight_for(ALICE, Specialisation::Rendering), 20);
        // It is not drawn any more for what it does not declare.
        assert_eq!(weight_of(ALICE), 0);
        assert_eq!(worker(BOB).profile, profile(10));
        assert_eq!(weight_of(BOB), 20);
    });
}

#[test]
fn may_leave_as_many_slots_as_are_taken() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        assert_ok!(Registry::occupy_slot(&ALICE));
        assert_ok!(Registry::occupy_slot(&ALICE));
        assert_noop!(
            Registry::update_profile(
                signed(ALICE),
                Profile {
                    slots: 1,
                    ..profile(10)
                }
            ),
            Error::<Test>::FewerSlotsThanOccupied
        );
        assert_ok!(Registry::update_profile(signed(ALICE), profile(50)));
        assert_eq!(weight_of(ALICE), 0);
    });
}

#[test]
fn does_not_wake_a_banned_worker() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        assert_ok!(Registry::ban(RuntimeOrigin::root(), ALICE, None));
        assert_ok!(Registry::update_profile(signed(ALICE), profile(20)));
        assert_eq!(weight_of(ALICE), 0);
    });
}

#[test]
fn fails_for_those_who_are_no_workers() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Registry::update_profile(signed(ALICE), profile(1)),
            Error::<Test>::NotRegistered
        );
        register(ALICE, Role::Verifier);
        assert_noop!(
            Registry::update_profile(signed(ALICE), profile(1)),
            Error::<Test>::NotRegistered
        );
    });
}

#[test]
fn fails_while_leaving() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        assert_ok!(Registry::request_exit(signed(ALICE), Role::Worker));
        assert_noop!(
            Registry::update_profile(signed(ALICE), profile(1)),
            Error::<Test>::Leaving
        );
    });
}

#[test]
fn fails_with_an_impossible_profile() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        let good = profile(10);
        for (profile, error) in [
            (
                Profile {
                    specialisations: Specialisations::NONE,
                    ..good
                },
                Error::<Test>::InvalidSpecialisations,
            ),
            (
                Profile {
                    slots: MAX_SLOTS + 1,
                    ..good
                },
                Error::<Test>::SlotsOutOfRange,
            ),
            (Profile { capability: 0, ..good }, Error::<Test>::CapabilityOutOfRange),
        ] {
            assert_noop!(Registry::update_profile(signed(ALICE), profile), error);
        }
    });
}

#[test]
fn needs_a_signature() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Registry::update_profile(RuntimeOrigin::none(), profile(1)),
            DispatchError::BadOrigin
        );
    });
}
