//! Random operations by several accounts: after each the state is consistent, money is conserved, the records are what
//! a plain model says, and what failed changed nothing.

use crate::{PURPOSES, mock::*};
use agora_primitives::{
    TaskId,
    money::{Escrow as _, Payee, Purpose, Scope},
    participants::Role,
};
use frame_support::traits::fungible::MutateFreeze;
use proptest::{collection::vec, prelude::*, sample::select};
use sp_runtime::{DispatchResult, StateVersion};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Operation {
    Hold(Purpose, Scope, AccountId, Balance),
    Release(Purpose, Scope, AccountId, Balance),
    ReleaseAll(Purpose, Scope, AccountId),
    Pay(Purpose, Scope, AccountId, Payee<AccountId>, Balance),
    Deposit(AccountId, Balance),
    Withdraw(AccountId, Balance),
    Transfer(AccountId, AccountId, Balance),
    Freeze(AccountId, Balance),
    KeepAliveOtherwise(AccountId),
    SpendAllBut(AccountId, Balance),
}

type Model = BTreeMap<(AccountId, Purpose, Scope), Balance>;

impl Operation {
    fn run(&self) -> DispatchResult {
        match self.clone() {
            Self::Hold(purpose, scope, who, amount) => Escrow::hold(purpose, scope, &who, amount),
            Self::Release(purpose, scope, who, amount) => Escrow::release(purpose, scope, &who, amount),
            Self::ReleaseAll(purpose, scope, who) => Escrow::release_all(purpose, scope, &who).map(drop),
            Self::Pay(purpose, scope, from, payee, amount) => Escrow::pay(purpose, scope, &from, payee, amount),
            Self::Deposit(who, amount) => Escrow::deposit(RuntimeOrigin::signed(who), amount),
            Self::Withdraw(who, amount) => Escrow::withdraw(RuntimeOrigin::signed(who), amount),
            Self::Transfer(from, to, amount) => frame_support::storage::with_storage_layer(|| {
                Balances::transfer_allow_death(RuntimeOrigin::signed(from), to, amount)
            }),
            Self::Freeze(who, amount) => {
                frame_support::storage::with_storage_layer(|| Balances::set_freeze(&(), &who, amount))
            }
            Self::KeepAliveOtherwise(who) => {
                keep_alive_otherwise(who);
                Ok(())
            }
            Self::SpendAllBut(who, rest) => frame_support::storage::with_storage_layer(|| {
                keep_alive_otherwise(who);
                let all = free(who).saturating_sub(rest);
                Balances::transfer_allow_death(RuntimeOrigin::signed(who), CAROL, all)
            }),
        }
    }

    /// What a success does to the records.
    fn apply(&self, model: &mut Model) {
        match self.clone() {
            Self::Hold(purpose, scope, who, amount) => *model.entry((who, purpose, scope)).or_default() += amount,
            Self::Deposit(who, amount) => {
                *model.entry((who, Purpose::Prepaid, Scope::Account)).or_default() += amount;
            }
            Self::Release(purpose, scope, who, amount) | Self::Pay(purpose, scope, who, _, amount) => {
                *model.entry((who, purpose, scope)).or_default() -= amount;
            }
            Self::Withdraw(who, amount) => {
                *model.entry((who, Purpose::Prepaid, Scope::Account)).or_default() -= amount;
            }
            Self::ReleaseAll(purpose, scope, who) => {
                model.remove(&(who, purpose, scope));
            }
            Self::Transfer(..) | Self::Freeze(..) | Self::KeepAliveOtherwise(..) | Self::SpendAllBut(..) => {}
        }
        model.retain(|_, amount| *amount > 0);
    }
}

/// Makes another pallet's part in keeping `who` alive, once.
fn keep_alive_otherwise(who: AccountId) {
    if System::providers(&who) == 1 {
        System::inc_providers(&who);
    }
}

/// Accounts that exist at genesis, one that does not, and the treasury.
fn account() -> impl Strategy<Value = AccountId> {
    select(vec![ALICE, ALICE, BOB, BOB, CAROL, NOBODY, TREASURY])
}

fn amount() -> impl Strategy<Value = Balance> {
    prop_oneof![
        0..2 * ED,
        0..500u128,
        0..ENDOWMENT,
        Just(ENDOWMENT - ED),
        Just(Balance::MAX)
    ]
}

fn purpose() -> impl Strategy<Value = Purpose> {
    select(vec![
        Purpose::TaskReward,
        Purpose::TaskReward,
        Purpose::TaskBond,
        Purpose::Prepaid,
        Purpose::RoleBond,
    ])
}

fn scope() -> impl Strategy<Value = Scope> {
    select(vec![
        Scope::Account,
        Scope::Task(TaskId(0)),
        Scope::Task(TaskId(1)),
        Scope::Role(Role::Worker),
    ])
}

fn payee() -> impl Strategy<Value = Payee<AccountId>> {
    prop_oneof![3 => account().prop_map(Payee::Account), 1 => Just(Payee::Treasury), 1 => Just(Payee::Burn)]
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    prop_oneof![
        6 => (purpose(), scope(), account(), amount()).prop_map(|(p, s, who, a)| Hold(p, s, who, a)),
        2 => (purpose(), scope(), account(), amount()).prop_map(|(p, s, who, a)| Release(p, s, who, a)),
        2 => (purpose(), scope(), account()).prop_map(|(p, s, who)| ReleaseAll(p, s, who)),
        6 => (purpose(), scope(), account(), payee(), amount()).prop_map(|(p, s, who, to, a)| Pay(p, s, who, to, a)),
        2 => (account(), amount()).prop_map(|(who, a)| Deposit(who, a)),
        2 => (account(), amount()).prop_map(|(who, a)| Withdraw(who, a)),
        3 => (account(), account(), amount()).prop_map(|(from, to, a)| Transfer(from, to, a)),
        1 => (account(), 0..ENDOWMENT).prop_map(|(who, a)| Freeze(who, a)),
        1 => account().prop_map(KeepAliveOtherwise),
        2 => (account(), 0..ED).prop_map(|(who, rest)| SpendAllBut(who, rest)),
    ]
}

/// Compares every record with the model.
fn check_records(model: &Model) {
    let records: Model = crate::Deposits::<Test>::iter().collect();
    assert_eq!(records, *model);
}

proptest! {
    #![proptest_config(agora_test_support::cases(128))]

    #[test]
    fn any_sequence_conserves_money(treasury_exists: bool, operations in vec(operation(), 1..80)) {
        let builder = ExtBuilder::default();
        let builder = if treasury_exists { builder } else { builder.without_treasury() };
        builder.build().execute_with(|| {
            let initial = issuance();
            let mut burned_so_far = 0;
            let mut model = Model::new();
            for operation in operations {
                System::reset_events();
                let before = sp_io::storage::root(StateVersion::V1);
                match operation.run() {
                    Ok(()) => operation.apply(&mut model),
                    Err(_) => assert_eq!(sp_io::storage::root(StateVersion::V1), before, "{operation:?} failed half-way"),
                }
                burned_so_far += burned();
                check_state();
                assert_eq!(issuance() + burned_so_far, initial, "after {operation:?}");
                check_records(&model);
            }
        });
    }

    #[test]
    fn whatever_is_held_can_always_be_paid_out(
        treasury_exists: bool,
        operations in vec(operation(), 1..60),
        payees in vec(payee(), 1..8),
    ) {
        let builder = ExtBuilder::default();
        let builder = if treasury_exists { builder } else { builder.without_treasury() };
        builder.build().execute_with(|| {
            for operation in operations {
                let _ = operation.run();
            }
            let records: Model = crate::Deposits::<Test>::iter().collect();
            for (((who, purpose, scope), amount), payee) in records.into_iter().zip(payees.into_iter().cycle()) {
                let half = amount / 2;
                assert_eq!(Escrow::pay(purpose, scope, &who, payee, half), Ok(()));
                assert_eq!(Escrow::release_all(purpose, scope, &who), Ok(amount - half));
                check_state();
            }
            for who in [ALICE, BOB, CAROL, NOBODY, TREASURY] {
                assert!(PURPOSES.into_iter().all(|purpose| on_hold(purpose, who) == 0));
            }
        });
    }
}
