//! `set_offence_ban`, and what follows from offences that are reported.

use crate::{Bans, Error, Event, OffenceBans, WeightInfo, mock::*, types::Ban};
use agora_primitives::{
    courts::{Offence, Offences},
    participants::{Participants, Role},
};
use frame_support::{assert_noop, assert_ok, traits::Get, weights::RuntimeDbWeight};
use sp_runtime::DispatchError;

const BLOCKS: BlockNumber = 50;

fn set(offence: Offence, blocks: Option<BlockNumber>) {
    assert_ok!(Registry::set_offence_ban(RuntimeOrigin::root(), offence, blocks));
}

fn report(who: AccountId, offence: Offence) {
    <Registry as Offences<AccountId>>::report(&who, offence);
}

#[test]
fn an_offence_bans_for_as_long_as_was_said_and_no_other_does() {
    ExtBuilder::default().build_and_execute(|| {
        for who in [ALICE, BOB] {
            register_worker(who, 10);
        }
        report(ALICE, Offence::Fraud);
        assert_eq!(Bans::<Test>::get(ALICE), None, "nothing was said");
        set(Offence::Fraud, Some(BLOCKS));
        for offence in [Offence::Late, Offence::Silent, Offence::Wrong] {
            report(ALICE, offence);
        }
        assert_eq!(Bans::<Test>::get(ALICE), None);
        assert_ok!(Registry::ensure_not_banned(&ALICE));

        let until = System::block_number() + BLOCKS;
        report(ALICE, Offence::Fraud);
        let events: Vec<Event<Test>> = System::read_events_for_pallet();
        let offence = Offence::Fraud;
        let reported = Event::OffenceReported { who: ALICE, offence };
        let banned = Event::Banned {
            who: ALICE,
            until: Some(until),
        };
        assert!(events.ends_with(&[reported, banned]));
        assert_noop!(Registry::ensure_active(&ALICE, Role::Worker), Error::<Test>::Banned);
        assert_noop!(Registry::ensure_not_banned(&ALICE), Error::<Test>::Banned);
        assert_eq!((weight_of(ALICE), weight_of(BOB)), (0, 20));
        assert_ok!(Registry::ensure_not_banned(&BOB));
        run_to(until);
        assert_ok!(Registry::ensure_not_banned(&ALICE));
    });
}

#[test]
fn whoever_may_lift_bans_hears_the_appeal() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        set(Offence::Fraud, Some(BLOCKS));
        report(ALICE, Offence::Fraud);
        assert_ok!(Registry::lift_ban(RuntimeOrigin::root(), ALICE));
        assert_ok!(Registry::ensure_active(&ALICE, Role::Worker));
        assert_eq!(weight_of(ALICE), 20);
    });
}

#[test]
fn a_ban_that_is_longer_stays_and_a_shorter_one_does_not() {
    ExtBuilder::default().build_and_execute(|| {
        set(Offence::Fraud, Some(BLOCKS));
        let until = System::block_number() + BLOCKS;
        for longer in [None, Some(until + 1), Some(until)] {
            assert_ok!(Registry::ban(RuntimeOrigin::root(), ALICE, longer));
            let events = System::event_count();
            report(ALICE, Offence::Fraud);
            assert_eq!(Bans::<Test>::get(ALICE), Some(Ban { until: longer }));
            assert_eq!(System::event_count(), events);
        }
        assert_ok!(Registry::ban(RuntimeOrigin::root(), ALICE, Some(until - 1)));
        report(ALICE, Offence::Fraud);
        assert_eq!(Bans::<Test>::get(ALICE), Some(Ban { until: Some(until) }));
    });
}

#[test]
fn accounts_without_a_role_are_banned_from_taking_one_on() {
    ExtBuilder::default().build_and_execute(|| {
        set(Offence::Wrong, Some(1));
        report(BOB, Offence::Wrong);
        let call = Registry::register(
            RuntimeOrigin::signed(BOB),
            Role::Verifier,
            VERIFIER_BOND,
            Default::default(),
        );
        assert_noop!(call, Error::<Test>::Banned);
    });
}

#[test]
fn which_offence_bans_is_for_whoever_bans_to_say() {
    ExtBuilder::default().build_and_execute(|| {
        let call = |origin, blocks| Registry::set_offence_ban(origin, Offence::Late, blocks);
        assert_noop!(call(RuntimeOrigin::signed(ALICE), Some(1)), DispatchError::BadOrigin);
        assert_noop!(call(RuntimeOrigin::root(), Some(0)), Error::<Test>::BanEndsInThePast);
        assert_ok!(call(RuntimeOrigin::root(), Some(3)));
        let (offence, blocks) = (Offence::Late, Some(3));
        System::assert_last_event(Event::OffenceBanSet { offence, blocks }.into());
        assert_eq!(OffenceBans::<Test>::get(Offence::Late), Some(3));
        assert_ok!(call(RuntimeOrigin::root(), None));
        assert_eq!(OffenceBans::<Test>::iter().count(), 0);
    });
}

#[test]
fn reporting_weighs_as_banning() {
    let database: RuntimeDbWeight = <Test as frame_system::Config>::DbWeight::get();
    let weight = <() as WeightInfo>::ban()
        .saturating_add(<() as WeightInfo>::correct_stake())
        .saturating_add(database.reads(2));
    assert_eq!(<Registry as Offences<AccountId>>::weight(), weight);
}

#[test]
fn a_chain_may_start_with_offences_that_ban() {
    let json = serde_json::json!({ "participants": [], "offenceBans": [["fraud", 9]] });
    let config: crate::GenesisConfig<Test> = serde_json::from_value(json).unwrap();
    assert_eq!(config.offence_bans, [(Offence::Fraud, 9)]);
    ExtBuilder::default().build_and_execute(|| {
        use frame_support::traits::BuildGenesisConfig;
        config.build();
        assert_eq!(OffenceBans::<Test>::get(Offence::Fraud), Some(9));
    });
}
