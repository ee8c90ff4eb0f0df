//! `set_addresses`

use crate::{AddressesOf, Error, Event, mock::*};
use agora_primitives::{
    money::{Escrow as _, Purpose, Scope},
    participants::{Addresses, MAX_ADDRESS_BYTES, MAX_ADDRESSES, Role},
};
use frame_support::{assert_noop, assert_ok};

fn addresses(all: &[&str]) -> Addresses {
    let all: Vec<_> = all
        .iter()
        .map(|address| address.as_bytes().to_vec().try_into().unwrap())
        .collect();
    all.try_into().unwrap()
}

fn deposit_of(who: AccountId) -> Balance {
    Escrow::held(Purpose::Addresses, Scope::Account, &who)
}

#[test]
fn a_publisher_without_a_role_says_where_it_serves() {
    ExtBuilder::default().build_and_execute(|| {
        let first = addresses(&["https://blobs.example/agora", "http://192.0.2.7:8080"]);
        assert_ok!(Registry::set_addresses(signed(ALICE), first.clone()));
        assert_eq!(AddressesOf::<Test>::get(ALICE), Some(first.clone()));
        assert_eq!(deposit_of(ALICE), ADDRESS_DEPOSIT);
        assert_eq!(free(ALICE), ENDOWMENT - ADDRESS_DEPOSIT);
        System::assert_last_event(
            Event::AddressesSet {
                who: ALICE,
                addresses: first,
            }
            .into(),
        );
    });
}

#[test]
fn a_new_record_takes_the_place_of_the_old_one_for_the_same_deposit() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Registry::set_addresses(signed(ALICE), addresses(&["http://a"])));
        assert_ok!(Registry::set_addresses(
            signed(ALICE),
            addresses(&["http://b", "http://c"])
        ));
        assert_eq!(
            AddressesOf::<Test>::get(ALICE),
            Some(addresses(&["http://b", "http://c"]))
        );
        assert_eq!(deposit_of(ALICE), ADDRESS_DEPOSIT);
    });
}

#[test]
fn an_empty_list_gives_the_deposit_back_and_other_holds_stay() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Verifier);
        assert_ok!(Registry::set_addresses(signed(ALICE), addresses(&["http://a"])));
        assert_ok!(Registry::set_addresses(signed(ALICE), addresses(&[])));
        assert_eq!(AddressesOf::<Test>::get(ALICE), None);
        assert_eq!(deposit_of(ALICE), 0);
        assert_eq!(free(ALICE), ENDOWMENT - VERIFIER_BOND);
        System::assert_last_event(
            Event::AddressesSet {
                who: ALICE,
                addresses: addresses(&[]),
            }
            .into(),
        );
        // Where there is no record, there is nothing to give back.
        assert_ok!(Registry::set_addresses(signed(BOB), addresses(&[])));
        assert_eq!(free(BOB), ENDOWMENT);
    });
}

#[test]
fn fails_with_what_can_be_no_url() {
    ExtBuilder::default().build_and_execute(|| {
        for wrong in ["", "http://a b", "http://a\n", "http://\u{e4}", "http://a\u{7f}", "\0"] {
            let all = addresses(&["http://fine", wrong]);
            assert_noop!(
                Registry::set_addresses(signed(ALICE), all),
                Error::<Test>::InvalidAddress
            );
        }
    });
}

#[test]
fn the_longest_record_is_kept() {
    ExtBuilder::default().build_and_execute(|| {
        let longest = "x".repeat(MAX_ADDRESS_BYTES as usize);
        let all = addresses(&vec![longest.as_str(); MAX_ADDRESSES as usize]);
        assert_ok!(Registry::set_addresses(signed(ALICE), all.clone()));
        assert_eq!(AddressesOf::<Test>::get(ALICE), Some(all));
    });
}

#[test]
fn fails_without_the_money_for_the_deposit() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Registry::set_addresses(signed(NOBODY), addresses(&["http://a"])),
            pallet_agora_escrow::Error::<Test>::InsufficientBalance
        );
    });
}
