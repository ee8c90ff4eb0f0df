//! `ban`.

use crate::{Bans, Error, Event, mock::*, types::Ban};
use agora_primitives::participants::{Participants, Role};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn ends_activity_in_all_roles_of_one_account() {
    ExtBuilder::default().build_and_execute(|| {
        for who in [ALICE, BOB] {
            register_worker(who, 10);
            register(who, Role::Verifier);
        }
        assert_ok!(Registry::ban(RuntimeOrigin::root(), ALICE, None));

        System::assert_last_event(
            Event::Banned {
                who: ALICE,
                until: None,
            }
            .into(),
        );
        for role in [Role::Worker, Role::Verifier] {
            assert_noop!(Registry::ensure_active(&ALICE, role), Error::<Test>::Banned);
            assert_ok!(Registry::ensure_active(&BOB, role));
        }
        assert_eq!((weight_of(ALICE), weight_of(BOB)), (0, 20));
        // The bonds stay where they are.
        assert_eq!(bond_of(ALICE, Role::Worker), 2 * WORKER_BOND);
        assert_eq!(bond_of(ALICE, Role::Verifier), VERIFIER_BOND);
    });
}

#[test]
fn holds_until_its_end() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Verifier);
        assert_ok!(Registry::ban(RuntimeOrigin::root(), ALICE, Some(5)));
        System::assert_last_event(
            Event::Banned {
                who: ALICE,
                until: Some(5),
            }
            .into(),
        );
        run_to(4);
        assert_noop!(Registry::ensure_active(&ALICE, Role::Verifier), Error::<Test>::Banned);
        run_to(5);
        assert_ok!(Registry::ensure_active(&ALICE, Role::Verifier));
    });
}

#[test]
fn takes_the_place_of_an_earlier_ban() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Registry::ban(RuntimeOrigin::root(), ALICE, Some(5)));
        assert_ok!(Registry::ban(RuntimeOrigin::root(), ALICE, None));
        assert_eq!(Bans::<Test>::get(ALICE), Some(Ban { until: None }));
        assert_ok!(Registry::ban(RuntimeOrigin::root(), ALICE, Some(3)));
        assert_eq!(Bans::<Test>::get(ALICE), Some(Ban { until: Some(3) }));
    });
}

#[test]
fn reaches_accounts_without_a_role() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Registry::ban(RuntimeOrigin::root(), NOBODY, None));
        assert!(Bans::<Test>::contains_key(NOBODY));
    });
}

#[test]
fn fails_with_an_end_that_is_not_to_come() {
    ExtBuilder::default().build_and_execute(|| {
        run_to(5);
        for end in [4, 5] {
            assert_noop!(
                Registry::ban(RuntimeOrigin::root(), ALICE, Some(end)),
                Error::<Test>::BanEndsInThePast
            );
        }
        assert_ok!(Registry::ban(RuntimeOrigin::root(), ALICE, Some(6)));
    });
}

#[test]
fn needs_the_authority() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(Registry::ban(signed(BOB), ALICE, None), DispatchError::BadOrigin);
        assert_noop!(
            Registry::ban(RuntimeOrigin::none(), ALICE, None),
            DispatchError::BadOrigin
        );
    });
}
