//! What must hold after every block.

use crate::{
    Config, Deposits, Pallet,
    types::{BalanceOf, PURPOSES, reason},
};
use agora_primitives::money::Purpose;
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::{
    TryRuntimeError,
    traits::{CheckedAdd, Zero},
};

impl<T: Config> Pallet<T> {
    /// Checks that
    /// 1. no deposit is zero;
    /// 2. the deposits of each account and purpose add up to exactly what the currency holds of it for that reason, for
    ///    each reason separately, so that nothing is held which belongs to nothing, and no two purposes mix.
    ///
    /// Complexity: O(accounts + deposits).
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let mut totals = BTreeMap::<(T::AccountId, Purpose), BalanceOf<T>>::new();
        for ((who, purpose, _), deposit) in Deposits::<T>::iter() {
            ensure!(!deposit.is_zero(), "a deposit is zero");
            let total = totals.entry((who, purpose)).or_default();
            *total = total
                .checked_add(&deposit)
                .ok_or("the deposits of an account overflow")?;
        }
        for who in frame_system::Account::<T>::iter_keys() {
            for purpose in PURPOSES {
                let held = T::Currency::balance_on_hold(&reason::<T>(purpose), &who);
                let total = totals.remove(&(who.clone(), purpose)).unwrap_or_default();
                ensure!(held == total, "deposits and holds differ");
            }
        }
        ensure!(totals.is_empty(), "an account that does not exist has a deposit");
        Ok(())
    }
}
