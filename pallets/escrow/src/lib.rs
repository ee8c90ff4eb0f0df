#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;

pub use pallet::*;
pub use types::{BalanceOf, PURPOSES};
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod impls;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
mod types;
pub mod weights;

/// The pallet: see the crate's documentation.
#[frame_support::pallet]
pub mod pallet {
    use crate::{
        types::{self, BalanceOf},
        weights::WeightInfo,
    };
    use agora_primitives::money::{Escrow, Payee, Purpose, Scope};
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::{Mutate, MutateHold},
    };
    use frame_system::pallet_prelude::*;

    /// The storage layout this code reads and writes.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// What a runtime gives to this pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// The money that is held and moved, usually `Balances`.
        type Currency: Mutate<Self::AccountId> + MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;

        /// The runtime's hold reasons; always `RuntimeHoldReason`.
        type RuntimeHoldReason: Parameter + From<HoldReason>;

        /// The account that gets the treasury's part, and what nobody else can receive.
        ///
        /// It should exist from genesis on: what is dust to an account that does not exist is burned.
        type Treasury: Get<Self::AccountId>;

        /// Weights of the calls and of the trait methods.
        type WeightInfo: WeightInfo;
    }

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Why the currency holds money: one reason per [`Purpose`], so that two purposes never mix.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The reward of a task, held from its publisher.
        TaskReward,
        /// The publisher's stake in the task.
        PublisherStake,
        /// The fee for publishing.
        PublicationFee,
        /// The bond of a role in the market.
        RoleBond,
        /// A worker's bond for one task.
        TaskBond,
        /// An attesting validator's or a challenger's bond for one task.
        ChallengeBond,
        /// A customer's prepaid balance.
        Prepaid,
    }

    /// What is held, by account, purpose and scope. Never zero.
    ///
    /// The scopes of one account and purpose add up to exactly what the currency holds of it for that reason.
    #[pallet::storage]
    pub type Deposits<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Blake2_128Concat, T::AccountId>,
            NMapKey<Twox64Concat, Purpose>,
            NMapKey<Twox64Concat, Scope>,
        ),
        BalanceOf<T>,
        ValueQuery,
    >;

    /// Every move of money, exactly one of `Held`, `Released` and `Paid` for each.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// `amount` of `who`'s free balance is held.
        Held {
            /// What for.
            purpose: Purpose,
            /// What it belongs to.
            scope: Scope,
            /// Whose money it is.
            who: T::AccountId,
            /// How much, in addition to what was held.
            amount: BalanceOf<T>,
        },
        /// `amount` is free again.
        Released {
            /// What it was held for.
            purpose: Purpose,
            /// What it belonged to.
            scope: Scope,
            /// Whose money it is.
            who: T::AccountId,
            /// How much.
            amount: BalanceOf<T>,
        },
        /// `amount` went from `from`'s hold to `payee`.
        Paid {
            /// What it was held for.
            purpose: Purpose,
            /// What it belonged to.
            scope: Scope,
            /// Whose money it was.
            from: T::AccountId,
            /// Who has it now.
            payee: Payee<T::AccountId>,
            /// How much.
            amount: BalanceOf<T>,
        },
        /// `payee` could not receive `amount`, so `replacement` did: the `Paid` that follows names it.
        PayeeReplaced {
            /// What it was held for.
            purpose: Purpose,
            /// What it belonged to.
            scope: Scope,
            /// Whose money it was.
            from: T::AccountId,
            /// Who was to have it.
            payee: Payee<T::AccountId>,
            /// Who has it instead.
            replacement: Payee<T::AccountId>,
            /// How much.
            amount: BalanceOf<T>,
        },
    }

    /// Why money was not moved.
    #[pallet::error]
    pub enum Error<T> {
        /// The free balance does not cover the amount and the existential deposit, or is frozen. Add funds first.
        InsufficientBalance,
        /// Less is held for this purpose and scope. Ask for no more than is held.
        InsufficientDeposit,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                types::reasons_are_distinct::<T>(),
                "each purpose needs a hold reason of its own"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Adds `amount` of the caller's free balance to its prepaid balance.
        ///
        /// Origin: signed. Events: `Held`; none if `amount` is zero. Errors: `InsufficientBalance`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::deposit())]
        pub fn deposit(origin: OriginFor<T>, amount: BalanceOf<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            <Self as Escrow<_>>::hold(Purpose::Prepaid, Scope::Account, &who, amount)
        }

        /// Gives `amount` of the caller's prepaid balance back.
        ///
        /// Origin: signed. Events: `Released`; none if `amount` is zero. Errors: `InsufficientDeposit`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::withdraw())]
        pub fn withdraw(origin: OriginFor<T>, amount: BalanceOf<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            <Self as Escrow<_>>::release(Purpose::Prepaid, Scope::Account, &who, amount)
        }
    }
}
