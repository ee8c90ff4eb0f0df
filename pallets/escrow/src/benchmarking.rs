//! What the calls and the trait methods cost, at their worst: a deposit that begins or ends, a payee that is new.

#![allow(
    unused_qualifications,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "benchmarks are not part of a runtime that runs"
)]

use crate::{Call, Config, Deposits, Event, Pallet, types::BalanceOf};
use agora_primitives::{
    TaskId,
    money::{Escrow, Payee, Purpose, Scope},
};
use frame_benchmarking::v2::*;
use frame_support::{
    assert_ok,
    traits::{
        Get,
        fungible::{Inspect, Mutate},
    },
};
use frame_system::RawOrigin;
use sp_runtime::traits::Zero;

const PURPOSE: Purpose = Purpose::TaskReward;
const SCOPE: Scope = Scope::Task(TaskId(0));

/// Enough for an account to exist.
fn enough<T: Config>() -> BalanceOf<T> {
    T::Currency::minimum_balance() * 10u32.into()
}

fn funded<T: Config>(name: &'static str) -> T::AccountId {
    let who = account(name, 0, 0);
    T::Currency::set_balance(&who, enough::<T>() * 10u32.into());
    who
}

fn assert_last_event<T: Config>(event: Event<T>) {
    frame_system::Pallet::<T>::assert_last_event(event.into());
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn deposit() {
        let who = funded::<T>("who");
        let amount = enough::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), amount);

        assert_eq!(Pallet::<T>::held(Purpose::Prepaid, Scope::Account, &who), amount);
    }

    #[benchmark]
    fn withdraw() {
        let who = funded::<T>("who");
        let amount = enough::<T>();
        assert_ok!(Pallet::<T>::hold(Purpose::Prepaid, Scope::Account, &who, amount));

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), amount);

        assert!(!Deposits::<T>::contains_key((who, Purpose::Prepaid, Scope::Account)));
    }

    #[benchmark]
    fn hold() {
        let who = funded::<T>("who");
        let amount = enough::<T>();

        #[block]
        {
            assert_ok!(<Pallet<T> as Escrow<_>>::hold(PURPOSE, SCOPE, &who, amount));
        }

        assert_eq!(Pallet::<T>::held(PURPOSE, SCOPE, &who), amount);
    }

    #[benchmark]
    fn release() {
        let who = funded::<T>("who");
        let amount = enough::<T>();
        assert_ok!(<Pallet<T> as Escrow<_>>::hold(PURPOSE, SCOPE, &who, amount));

        #[block]
        {
            assert_ok!(<Pallet<T> as Escrow<_>>::release(PURPOSE, SCOPE, &who, amount));
        }

        assert!(!Deposits::<T>::contains_key((who, PURPOSE, SCOPE)));
    }

    #[benchmark]
    fn pay() {
        let from = funded::<T>("from");
        let to: T::AccountId = account("to", 0, 0);
        let amount = enough::<T>();
        assert_ok!(<Pallet<T> as Escrow<_>>::hold(PURPOSE, SCOPE, &from, amount));

        #[block]
        {
            assert_ok!(<Pallet<T> as Escrow<_>>::pay(
                PURPOSE,
                SCOPE,
                &from,
                Payee::Account(to.clone()),
                amount
            ));
        }

        assert_eq!(T::Currency::balance(&to), amount);
    }

    #[benchmark]
    fn pay_replaced() {
        let from = funded::<T>("from");
        let to: T::AccountId = account("to", 0, 0);
        T::Currency::set_balance(&T::Treasury::get(), enough::<T>());
        let dust = T::Currency::minimum_balance() / 2u32.into();
        // Where there is no dust nobody is ever replaced; then this measures an ordinary payment.
        let amount = if dust.is_zero() { enough::<T>() } else { dust };
        assert_ok!(<Pallet<T> as Escrow<_>>::hold(PURPOSE, SCOPE, &from, amount));
        let payee = if dust.is_zero() {
            Payee::Treasury
        } else {
            Payee::Account(to)
        };

        #[block]
        {
            assert_ok!(<Pallet<T> as Escrow<_>>::pay(PURPOSE, SCOPE, &from, payee, amount));
        }

        assert_last_event::<T>(Event::Paid {
            purpose: PURPOSE,
            scope: SCOPE,
            from,
            payee: Payee::Treasury,
            amount,
        });
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ExtBuilder::default().build(), crate::mock::Test);
}
