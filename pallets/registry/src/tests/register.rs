//! `register`.

use crate::{Error, Event, LeafOwners, Members, Profile, WorkerCount, mock::*};
use agora_primitives::participants::{Role, Specialisation, Specialisations};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, traits::Dispatchable};

#[test]
fn holds_the_bond_and_enters_the_draw() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Registry::register(signed(ALICE), Role::Worker, 150, profile(10)));

        System::assert_last_event(
            Event::Registered {
                who: ALICE,
                role: Role::Worker,
                bond: 150,
            }
            .into(),
        );
        assert_eq!(bond_of(ALICE, Role::Worker), 150);
        assert_eq!(free(ALICE), ENDOWMENT - 150);
        // Nothing is proven yet.
        assert_eq!(weight_of(ALICE), 1);
        assert_eq!(LeafOwners::<Test>::get(0), Some(ALICE));
    });
}

#[test]
fn bonds_of_roles_and_accounts_do_not_mix() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Worker);
        register(ALICE, Role::Verifier);
        register(ALICE, Role::Orchestrator);
        register(BOB, Role::Verifier);

        assert_eq!(bond_of(ALICE, Role::Worker), WORKER_BOND);
        assert_eq!(bond_of(ALICE, Role::Verifier), VERIFIER_BOND);
        assert_eq!(bond_of(ALICE, Role::Orchestrator), 300);
        assert_eq!(free(ALICE), ENDOWMENT - WORKER_BOND - VERIFIER_BOND - 300);
        assert_eq!(bond_of(BOB, Role::Worker), 0);
        assert_eq!(free(BOB), ENDOWMENT - VERIFIER_BOND);
        assert_eq!(workers(), 1);
    });
}

#[test]
fn passes_over_the_profile_of_other_roles() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Registry::register(
            signed(ALICE),
            Role::Verifier,
            VERIFIER_BOND,
            Profile::default()
        ));
        assert_eq!(workers(), 0);
        assert!(member(ALICE).worker.is_none());
    });
}

#[test]
fn counts_as_a_heartbeat() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Worker);
        run_to(8);
        register(ALICE, Role::Verifier);
        assert_eq!(member(ALICE).last_heartbeat, 8);
    });
}

#[test]
fn fails_for_a_closed_role() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Registry::register(signed(ALICE), Role::Expert, 10_000, profile(1)),
            Error::<Test>::RoleClosed
        );
    });
}

#[test]
fn fails_with_less_than_the_minimum() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Registry::register(signed(ALICE), Role::Worker, WORKER_BOND - 1, profile(1)),
            Error::<Test>::BondTooSmall
        );
        // The minimum is that of the role.
        assert_noop!(
            Registry::register(signed(ALICE), Role::Verifier, WORKER_BOND, profile(1)),
            Error::<Test>::BondTooSmall
        );
    });
}

#[test]
fn fails_without_the_money() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Registry::register(signed(NOBODY), Role::Worker, WORKER_BOND, profile(1)),
            pallet_agora_escrow::Error::<Test>::InsufficientBalance
        );
        // The account has to stay alive.
        assert_noop!(
            Registry::register(signed(ALICE), Role::Worker, ENDOWMENT, profile(1)),
            pallet_agora_escrow::Error::<Test>::InsufficientBalance
        );
        assert_ok!(Registry::register(
            signed(ALICE),
            Role::Worker,
            ENDOWMENT - ED,
            profile(1)
        ));
    });
}

#[test]
fn fails_twice_for_one_role() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Worker);
        register(ALICE, Role::Verifier);
        for role in [Role::Worker, Role::Verifier] {
            assert_noop!(
                Registry::register(signed(ALICE), role, 1_000, profile(1)),
                Error::<Test>::AlreadyRegistered
            );
        }
        // Nor while leaving.
        assert_ok!(Registry::request_exit(signed(ALICE), Role::Worker));
        assert_noop!(
            Registry::register(signed(ALICE), Role::Worker, 1_000, profile(1)),
            Error::<Test>::AlreadyRegistered
        );
    });
}

#[test]
fn fails_with_an_impossible_profile() {
    ExtBuilder::default().build_and_execute(|| {
        let good = profile(10);
        let cases = [
            (
                Profile {
                    specialisations: Specialisations::NONE,
                    ..good
                },
                Error::<Test>::InvalidSpecialisations,
            ),
            (
                Profile {
                    specialisations: Specialisations(1 << Specialisation::ALL.len()),
                    ..good
                },
                Error::<Test>::InvalidSpecialisations,
            ),
            (Profile { slots: 0, ..good }, Error::<Test>::SlotsOutOfRange),
            (
                Profile {
                    slots: MAX_SLOTS + 1,
                    ..good
                },
                Error::<Test>::SlotsOutOfRange,
            ),
            (Profile { capability: 0, ..good }, Error::<Test>::CapabilityOutOfRange),
            (
                Profile {
                    capability: MAX_CAPABILITY + 1,
                    ..good
                },
                Error::<Test>::CapabilityOutOfRange,
            ),
        ];
        for (profile, error) in cases {
            assert_noop!(
                Registry::register(signed(ALICE), Role::Worker, WORKER_BOND, profile),
                error
            );
        }
        let most = Profile {
            slots: MAX_SLOTS,
            capability: MAX_CAPABILITY,
            ..good
        };
        assert_ok!(Registry::register(signed(ALICE), Role::Worker, WORKER_BOND, most));
    });
}

#[test]
fn fails_while_banned_and_not_after() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Registry::ban(RuntimeOrigin::root(), ALICE, Some(5)));
        assert_noop!(
            Registry::register(signed(ALICE), Role::Worker, WORKER_BOND, profile(1)),
            Error::<Test>::Banned
        );
        register(BOB, Role::Worker);
        run_to(4);
        assert_noop!(
            Registry::register(signed(ALICE), Role::Worker, WORKER_BOND, profile(1)),
            Error::<Test>::Banned
        );
        run_to(5);
        register_worker(ALICE, 1);
        assert_eq!(weight_of(ALICE), 2);
        // The ban that is over is forgotten.
        assert!(crate::Bans::<Test>::iter().next().is_none());
    });
}

#[test]
fn fails_when_the_tree_is_full() {
    ExtBuilder::default().build_and_execute(|| {
        WorkerCount::<Test>::put(u32::MAX);
        let register = crate::Call::register {
            role: Role::Worker,
            bond: WORKER_BOND,
            profile: profile(1),
        };
        assert_noop!(
            RuntimeCall::Registry(register).dispatch(signed(ALICE)),
            Error::<Test>::TooManyWorkers
        );
        WorkerCount::<Test>::kill();
    });
}

#[test]
fn needs_a_signature() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Registry::register(RuntimeOrigin::root(), Role::Worker, WORKER_BOND, profile(1)),
            DispatchError::BadOrigin
        );
        assert!(Members::<Test>::iter().next().is_none());
    });
}
