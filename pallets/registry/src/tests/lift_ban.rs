//! `lift_ban`.

use crate::{Bans, Error, Event, mock::*};
use agora_primitives::participants::{Participants, Role};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn brings_one_account_back() {
    ExtBuilder::default().build_and_execute(|| {
        for who in [ALICE, BOB] {
            register_worker(who, 10);
            assert_ok!(Registry::ban(RuntimeOrigin::root(), who, None));
        }
        assert_ok!(Registry::lift_ban(RuntimeOrigin::root(), ALICE));

        System::assert_last_event(Event::BanLifted { who: ALICE }.into());
        assert_ok!(Registry::ensure_active(&ALICE, Role::Worker));
        assert_noop!(Registry::ensure_active(&BOB, Role::Worker), Error::<Test>::Banned);
        assert_eq!((weight_of(ALICE), weight_of(BOB)), (20, 0));
    });
}

#[test]
fn does_not_bring_back_those_who_fell_silent() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        assert_ok!(Registry::ban(RuntimeOrigin::root(), ALICE, None));
        run_to(2 + TIMEOUT);
        assert_ok!(Registry::lift_ban(RuntimeOrigin::root(), ALICE));
        assert_eq!(weight_of(ALICE), 0);
        assert_ok!(Registry::heartbeat(signed(ALICE)));
        assert_eq!(weight_of(ALICE), 20);
    });
}

#[test]
fn works_for_accounts_without_a_role() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Registry::ban(RuntimeOrigin::root(), NOBODY, None));
        assert_ok!(Registry::lift_ban(RuntimeOrigin::root(), NOBODY));
        assert!(!Bans::<Test>::contains_key(NOBODY));
    });
}

#[test]
fn fails_without_a_ban() {
    ExtBuilder::default().build_and_execute(|| {
        register(BOB, Role::Worker);
        assert_ok!(Registry::ban(RuntimeOrigin::root(), BOB, None));
        assert_noop!(
            Registry::lift_ban(RuntimeOrigin::root(), ALICE),
            Error::<Test>::NotBanned
        );
    });
}

#[test]
fn needs_the_authority() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Registry::ban(RuntimeOrigin::root(), ALICE, None));
        assert_noop!(Registry::lift_ban(signed(ALICE), ALICE), DispatchError::BadOrigin);
    });
}
