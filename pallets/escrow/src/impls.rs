//! How money is held, released and paid. Every method is all or nothing, also where no call surrounds it.

use crate::{
    Config, Deposits, Error, Event, Pallet,
    types::{BalanceOf, reason},
};
use agora_primitives::money::{Escrow, Payee, Purpose, Scope};
use frame_support::{
    ensure,
    storage::with_storage_layer,
    traits::{
        Get,
        fungible::{Inspect, MutateHold},
        tokens::{
            Fortitude::{Force, Polite},
            Precision::Exact,
            Preservation::Preserve,
            Restriction::Free,
        },
    },
};
use sp_runtime::{
    DispatchError, DispatchResult, TokenError,
    traits::{CheckedSub, EnsureAdd, Zero},
};

impl<T: Config> Escrow<T::AccountId> for Pallet<T> {
    type Balance = BalanceOf<T>;

    fn hold(purpose: Purpose, scope: Scope, who: &T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
        if amount.is_zero() {
            return Ok(());
        }
        with_storage_layer(|| {
            // Stricter than the currency, which lets an account with other providers go below the existential deposit
            // (small releases would then be refused) and frozen money be held (it could then be paid away).
            let available = T::Currency::reducible_balance(who, Preserve, Polite);
            ensure!(amount <= available, Error::<T>::InsufficientBalance);
            T::Currency::hold(&reason::<T>(purpose), who, amount)?;
            Deposits::<T>::try_mutate((who, purpose, scope), |deposit| -> DispatchResult {
                *deposit = deposit.ensure_add(amount)?;
                Ok(())
            })?;
            Self::deposit_event(Event::Held {
                purpose,
                scope,
                who: who.clone(),
                amount,
            });
            Ok(())
        })
    }

    fn held(purpose: Purpose, scope: Scope, who: &T::AccountId) -> BalanceOf<T> {
        Deposits::<T>::get((who, purpose, scope))
    }

    fn release(purpose: Purpose, scope: Scope, who: &T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
        if amount.is_zero() {
            return Ok(());
        }
        with_storage_layer(|| {
            let payee = Payee::Account(who.clone());
            let receiver = Self::take(purpose, scope, who, &payee, amount)?;
            Self::deposit_event(if receiver == payee {
                Event::Released {
                    purpose,
                    scope,
                    who: who.clone(),
                    amount,
                }
            } else {
                Event::Paid {
                    purpose,
                    scope,
                    from: who.clone(),
                    payee: receiver,
                    amount,
                }
            });
            Ok(())
        })
    }

    fn release_all(purpose: Purpose, scope: Scope, who: &T::AccountId) -> Result<BalanceOf<T>, DispatchError> {
        let amount = Self::held(purpose, scope, who);
        Self::release(purpose, scope, who, amount)?;
        Ok(amount)
    }

    fn pay(
        purpose: Purpose,
        scope: Scope,
        from: &T::AccountId,
        payee: Payee<T::AccountId>,
        amount: BalanceOf<T>,
    ) -> DispatchResult {
        if amount.is_zero() {
            return Ok(());
        }
        with_storage_layer(|| {
            let receiver = Self::take(purpose, scope, from, &payee, amount)?;
            Self::deposit_event(Event::Paid {
                purpose,
                scope,
                from: from.clone(),
                payee: receiver,
                amount,
            });
            Ok(())
        })
    }
}

impl<T: Config> Pallet<T> {
    /// Takes `amount` out of a deposit and gives it to `payee` or, if that cannot receive it, to the treasury or, if not
    /// even that can, to nobody. Returns who got it, and tells by event if it is somebody else than `payee`.
    ///
    /// To be called within a storage layer.
    fn take(
        purpose: Purpose,
        scope: Scope,
        from: &T::AccountId,
        payee: &Payee<T::AccountId>,
        amount: BalanceOf<T>,
    ) -> Result<Payee<T::AccountId>, DispatchError> {
        Deposits::<T>::try_mutate_exists((from, purpose, scope), |deposit| {
            let held = deposit.take().unwrap_or_default();
            let rest = held.checked_sub(&amount).ok_or(Error::<T>::InsufficientDeposit)?;
            *deposit = (!rest.is_zero()).then_some(rest);
            Ok::<_, Error<T>>(())
        })?;
        let receiver = Self::deliver(purpose, from, payee, amount)?;
        if receiver != *payee {
            Self::deposit_event(Event::PayeeReplaced {
                purpose,
                scope,
                from: from.clone(),
                payee: payee.clone(),
                replacement: receiver.clone(),
                amount,
            });
        }
        Ok(receiver)
    }

    /// Tries `payee`, then the treasury, then burns. Returns who got it.
    fn deliver(
        purpose: Purpose,
        from: &T::AccountId,
        payee: &Payee<T::AccountId>,
        amount: BalanceOf<T>,
    ) -> Result<Payee<T::AccountId>, DispatchError> {
        for receiver in [payee, &Payee::Treasury] {
            let attempt = match receiver {
                Payee::Account(to) => Self::transfer(purpose, from, to, amount),
                Payee::Treasury => Self::transfer(purpose, from, &T::Treasury::get(), amount),
                Payee::Burn => break,
            };
            match attempt {
                Ok(()) => return Ok(receiver.clone()),
                // Says nothing about the receiver: the call stack is too deep.
                Err(error @ DispatchError::Transactional(_)) => return Err(error),
                Err(_) => continue,
            }
        }
        T::Currency::burn_held(&reason::<T>(purpose), from, amount, Exact, Force)?;
        Ok(Payee::Burn)
    }

    /// Moves `amount` from `from`'s hold to `to`'s free balance, or leaves everything as it is.
    fn transfer(purpose: Purpose, from: &T::AccountId, to: &T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
        let reason = reason::<T>(purpose);
        with_storage_layer(|| {
            let moved = if from == to {
                T::Currency::release(&reason, from, amount, Exact)?
            } else {
                T::Currency::transfer_on_hold(&reason, from, to, amount, Exact, Free, Force)?
            };
            // A release says so, rather than failing, when the account died of its last hold and nothing arrived.
            ensure!(moved == amount, TokenError::BelowMinimum);
            Ok(())
        })
    }
}
