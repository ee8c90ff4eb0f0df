//! The state a test starts from, and what must hold of the money in it.

use crate::{AccountId, Balance, ReputationDouble};
use frame_support::{
    assert_ok,
    traits::fungible::{Inspect, Mutate},
};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_balances::AccountData;
use sp_runtime::{BuildStorage, traits::One};

/// Returns the state after `genesis`, in block 1: no event is kept in block 0. Doubles forget what they know.
pub fn state<T: frame_system::Config>(genesis: impl BuildStorage) -> sp_io::TestExternalities {
    ReputationDouble::reset();
    let storage = genesis.build_storage().expect("the genesis of the test can be built");
    let mut state = sp_io::TestExternalities::new(storage);
    state.execute_with(|| frame_system::Pallet::<T>::set_block_number(BlockNumberFor::<T>::one()));
    state
}

/// Balances at genesis: `amount` for each of `accounts`, and the existential deposit for the treasury.
pub fn endow(accounts: impl IntoIterator<Item = AccountId>, amount: Balance) -> Vec<(AccountId, Balance)> {
    accounts
        .into_iter()
        .map(|who| (who, amount))
        .chain([(crate::TREASURY, crate::ED)])
        .collect()
}

/// Makes `amount` for `who` out of nothing, and what the account needs in order to exist: for benchmarks.
pub fn mint<Currency: Mutate<AccountId, Balance = Balance>>(who: &AccountId, amount: Balance) {
    assert_ok!(Currency::mint_into(who, amount + Currency::minimum_balance()));
}

/// Checks that the money of all accounts adds up to the issuance.
pub fn assert_issuance<T>()
where
    T: frame_system::Config<AccountId = AccountId, AccountData = AccountData<Balance>>,
    T: pallet_balances::Config<Balance = Balance>,
{
    let accounts: Balance = frame_system::Account::<T>::iter_values()
        .map(|account| account.data.free + account.data.reserved)
        .sum();
    let issuance = <pallet_balances::Pallet<T> as Inspect<AccountId>>::total_issuance();
    assert_eq!(accounts, issuance, "accounts and issuance differ");
}
