//! Who takes part in the Agora market: roles, bonds, specialisations, capability, availability and bans.
//!
//! An account registers for a role with a bond, says what it can do, is heard of from time to time, and leaves after a
//! cool-down. Other pallets ask through [`Participants`](agora_primitives::participants::Participants) whether somebody
//! may act in a role, take and give back the slots of workers, and have workers drawn.
//!
//! It never decides what work is worth, never slashes and moves no money itself: bonds are held by
//! [`Config::Escrow`], which alone knows how much of them is left, so the registry keeps no amounts of its own.
//!
//! # Terms
//! - *Active*: has the role, is not leaving, is not banned, was heard of within [`Config::HeartbeatTimeout`] blocks, and
//!   has at least the minimum bond (a bond may have been cut).
//! - *Priority* of a worker: capability that counts × [reputation factor](types::level_factor) × free slots.
//! - *Capability that counts*: as much of what a worker declares as is proven. Whoever checks proofs tells this pallet
//!   through [`Capabilities`](agora_primitives::capability::Capabilities). Without a proof, or when it is over, one.
//! - *Dormant*: a worker whose weight in the draw is zero until its next heartbeat, because it was banned, or because a
//!   draw hit it and found it inactive. No loop looks for inactive workers: they are found when they are hit.
//!
//! # The draw
//! Priorities are the leaves of a [Fenwick tree](agora_math::fenwick) in storage. A draw reads O(log n) nodes for each
//! worker it tries, of whom there are at most [`Config::MaxDrawTries`]; a change of priority reads and writes O(log n). A
//! worker that leaves frees its leaf for the last worker in the tree, so the tree is never larger than needed.

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

mod impls;
mod tree;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod types;
pub mod weights;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use tree::StorageNodes;
pub use types::{GenesisParticipant, MinimumBonds, Profile};
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;

use agora_primitives::money::Escrow;

/// Unit of money: that of the escrow.
pub type BalanceOf<T> = <<T as Config>::Escrow as Escrow<<T as frame_system::Config>::AccountId>>::Balance;

#[allow(unused_qualifications, clippy::expect_used, reason = "in what the macro generates")]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use crate::types::{Ban, Member};
    use agora_primitives::{participants::Role, reputation::Reputation};
    use alloc::vec::Vec;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;

    /// The layout of the storage.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// Who takes part.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What a chain decides.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// Holds the bonds.
        type Escrow: Escrow<Self::AccountId, Balance: frame_support::traits::tokens::Balance>;

        /// Knows the level that a worker reached earlier; asked when it registers. Later changes are to be told through
        /// [`OnLevelChanged`](agora_primitives::reputation::OnLevelChanged), which this pallet implements.
        type Reputation: Reputation<Self::AccountId>;

        /// The smallest bond of each role, and which roles are open.
        #[pallet::constant]
        type MinimumBonds: Get<MinimumBonds<BalanceOf<Self>>>;

        /// Who may ban and lift bans.
        type BanOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// How many blocks an account may be silent before it counts as inactive.
        #[pallet::constant]
        type HeartbeatTimeout: Get<BlockNumberFor<Self>>;

        /// How many blocks lie between asking to leave and withdrawing the bond: longer than anything that the account
        /// could still be held responsible for.
        #[pallet::constant]
        type ExitCoolDown: Get<BlockNumberFor<Self>>;

        /// The most slots a worker may have.
        #[pallet::constant]
        type MaxSlots: Get<u32>;

        /// The highest capability a worker may declare, in 10⁹ operations per second.
        #[pallet::constant]
        type MaxCapability: Get<u32>;

        /// The most workers that one draw tries.
        #[pallet::constant]
        type MaxDrawTries: Get<u32>;

        /// What calls cost.
        type WeightInfo: WeightInfo;

        /// Gives accounts money to bond.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper<Self::AccountId, BalanceOf<Self>>;
    }

    /// Accounts with at least one role.
    #[pallet::storage]
    pub type Members<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Member<BlockNumberFor<T>>>;

    /// Bans, also of accounts without a role. One that is over may still be here: it goes with the account's next
    /// registration or heartbeat.
    #[pallet::storage]
    pub type Bans<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Ban<BlockNumberFor<T>>>;

    /// How many workers, and so leaves, there are.
    #[pallet::storage]
    pub type WorkerCount<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// The worker of each leaf.
    #[pallet::storage]
    pub type LeafOwners<T: Config> = StorageMap<_, Twox64Concat, u32, T::AccountId>;

    /// The nodes of the tree of priorities, numbered from 1. Those that are zero are not kept.
    #[pallet::storage]
    pub type Nodes<T: Config> = StorageMap<_, Twox64Concat, u32, u128, ValueQuery>;

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An account took on a role.
        Registered {
            /// The account.
            who: T::AccountId,
            /// The role.
            role: Role,
            /// The bond now held for it.
            bond: BalanceOf<T>,
        },
        /// A worker changed what it says about itself.
        ProfileUpdated {
            /// The worker.
            who: T::AccountId,
        },
        /// A bond was raised.
        BondAdded {
            /// The account.
            who: T::AccountId,
            /// The role.
            role: Role,
            /// By how much.
            amount: BalanceOf<T>,
        },
        /// An account was heard of.
        Heartbeat {
            /// The account.
            who: T::AccountId,
        },
        /// An account takes no new work in a role any more.
        ExitRequested {
            /// The account.
            who: T::AccountId,
            /// The role.
            role: Role,
            /// The first block in which the bond can be withdrawn.
            withdrawable_at: BlockNumberFor<T>,
        },
        /// An account gave up a role.
        Exited {
            /// The account.
            who: T::AccountId,
            /// The role.
            role: Role,
            /// What was left of the bond, and is free again.
            bond: BalanceOf<T>,
        },
        /// An account was banned.
        Banned {
            /// The account.
            who: T::AccountId,
            /// The first block in which the ban is over; never, if there is none.
            until: Option<BlockNumberFor<T>>,
        },
        /// A ban was lifted.
        BanLifted {
            /// The account.
            who: T::AccountId,
        },
        /// A draw hit a worker that is silent for too long or short of its bond: it will not be drawn until its next
        /// heartbeat, or until the bond is raised.
        WorkerDormant {
            /// The worker.
            who: T::AccountId,
        },
        /// What a worker had proven of its capability is over: it counts as one until it is proven anew.
        CapabilityExpired {
            /// The worker.
            who: T::AccountId,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// Nobody can register for this role on this chain.
        RoleClosed,
        /// The account has this role already, or has not withdrawn its bond yet.
        AlreadyRegistered,
        /// The account does not have this role: register first.
        NotRegistered,
        /// The bond is below the role's minimum: see the constant `MinimumBonds`; `add_bond` raises it.
        BondTooSmall,
        /// An amount of zero changes nothing.
        AmountZero,
        /// A worker declares at least one specialisation, and only ones that exist.
        InvalidSpecialisations,
        /// A worker has between one slot and `MaxSlots`.
        SlotsOutOfRange,
        /// A worker's capability is between one and `MaxCapability`.
        CapabilityOutOfRange,
        /// More slots are taken than the new profile has: finish some tasks first.
        FewerSlotsThanOccupied,
        /// The worker still works on a task: finish first.
        SlotsOccupied,
        /// All slots of the worker are taken: finish a task first.
        NoFreeSlot,
        /// The worker did not declare the specialisation: see `update_profile`.
        NotSuited,
        /// The account is leaving this role: withdraw the bond when the cool-down is over, then register anew.
        Leaving,
        /// Ask to leave with `request_exit` before withdrawing the bond.
        ExitNotRequested,
        /// The cool-down is not over: the event `ExitRequested` said when it is.
        CoolDownNotOver,
        /// The account was silent for too long: send a heartbeat.
        Inactive,
        /// The account is banned.
        Banned,
        /// The account is not banned.
        NotBanned,
        /// A ban must end in a block to come, or never.
        BanEndsInThePast,
        /// There are as many workers as the tree has leaves.
        TooManyWorkers,
    }

    /// Who takes part from the start. Balances must be set up before this pallet.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Accounts and their roles. An account with several roles is listed several times.
        pub participants: Vec<GenesisParticipant<T::AccountId, BalanceOf<T>>>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for GenesisParticipant {
                account,
                role,
                bond,
                profile,
            } in &self.participants
            {
                let registered = Pallet::<T>::do_register(account, *role, *bond, *profile);
                assert!(
                    registered.is_ok(),
                    "{account:?} cannot be registered at genesis: {registered:?}"
                );
            }
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                T::HeartbeatTimeout::get() > 0u32.into(),
                "HeartbeatTimeout must be at least one block"
            );
            assert!(T::MaxSlots::get() > 0, "MaxSlots must be at least 1");
            assert!(T::MaxCapability::get() > 0, "MaxCapability must be at least 1");
            assert!(T::MaxDrawTries::get() > 0, "MaxDrawTries must be at least 1");
            assert!(
                types::MAX_LEVEL_FACTOR
                    .checked_mul(T::MaxSlots::get().into())
                    .and_then(|slots| slots.checked_mul(T::MaxCapability::get().into()))
                    .is_some(),
                "MaxCapability × MaxSlots × the highest reputation factor must fit 64 bits"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Takes on `role` with `bond`. A worker says in `profile` what it can do; other roles give any profile, it is
        /// passed over. Counts as a heartbeat.
        ///
        /// Origin: signed. Emits [`Event::Registered`].
        /// Errors: [`RoleClosed`](Error::RoleClosed), [`BondTooSmall`](Error::BondTooSmall),
        /// [`Banned`](Error::Banned), [`AlreadyRegistered`](Error::AlreadyRegistered),
        /// [`InvalidSpecialisations`](Error::InvalidSpecialisations), [`SlotsOutOfRange`](Error::SlotsOutOfRange),
        /// [`CapabilityOutOfRange`](Error::CapabilityOutOfRange), [`TooManyWorkers`](Error::TooManyWorkers), and those
        /// of the escrow if the account cannot pay the bond.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register())]
        pub fn register(
            origin: OriginFor<T>,
            role: Role,
            #[pallet::compact] bond: BalanceOf<T>,
            profile: Profile,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_register(&who, role, bond, profile)
        }

        /// Changes what the calling worker says about itself.
        ///
        /// Origin: signed by a worker. Emits [`Event::ProfileUpdated`].
        /// Errors: [`NotRegistered`](Error::NotRegistered), [`Leaving`](Error::Leaving),
        /// [`InvalidSpecialisations`](Error::InvalidSpecialisations), [`SlotsOutOfRange`](Error::SlotsOutOfRange),
        /// [`CapabilityOutOfRange`](Error::CapabilityOutOfRange),
        /// [`FewerSlotsThanOccupied`](Error::FewerSlotsThanOccupied).
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::update_profile())]
        pub fn update_profile(origin: OriginFor<T>, profile: Profile) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_update_profile(&who, profile)
        }

        /// Raises the caller's bond for `role` by `amount`. A worker that was out of the draw because its bond was too
        /// small is back in it if it is active now.
        ///
        /// Origin: signed. Emits [`Event::BondAdded`].
        /// Errors: [`AmountZero`](Error::AmountZero), [`NotRegistered`](Error::NotRegistered),
        /// [`Leaving`](Error::Leaving), and those of the escrow if the account cannot pay.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::add_bond())]
        pub fn add_bond(origin: OriginFor<T>, role: Role, #[pallet::compact] amount: BalanceOf<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_add_bond(&who, role, amount)
        }

        /// Says that the caller is there, in all its roles. A dormant worker is back in the draw if it is active now.
        ///
        /// Origin: signed. Emits [`Event::Heartbeat`]. Errors: [`NotRegistered`](Error::NotRegistered).
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::heartbeat())]
        pub fn heartbeat(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_heartbeat(&who)
        }

        /// Stops taking new work in `role` and starts the cool-down. Work that was taken on is still to be finished.
        ///
        /// Origin: signed. Emits [`Event::ExitRequested`].
        /// Errors: [`NotRegistered`](Error::NotRegistered), [`Leaving`](Error::Leaving).
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::request_exit())]
        pub fn request_exit(origin: OriginFor<T>, role: Role) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_request_exit(&who, role)
        }

        /// Gives up `role` and takes back what is left of its bond. Banned accounts may, too.
        ///
        /// Origin: signed. Emits [`Event::Exited`].
        /// Errors: [`NotRegistered`](Error::NotRegistered), [`ExitNotRequested`](Error::ExitNotRequested),
        /// [`CoolDownNotOver`](Error::CoolDownNotOver), [`SlotsOccupied`](Error::SlotsOccupied).
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::withdraw_bond())]
        pub fn withdraw_bond(origin: OriginFor<T>, role: Role) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_withdraw_bond(&who, role)
        }

        /// Bans `who` from all roles until block `ban_until`, or for good: it is not active, is not drawn, and cannot
        /// register. Takes the place of a ban that is there already. Its bonds stay held until it leaves.
        ///
        /// Origin: [`Config::BanOrigin`]. Emits [`Event::Banned`].
        /// Errors: [`BanEndsInThePast`](Error::BanEndsInThePast).
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::ban())]
        pub fn ban(origin: OriginFor<T>, who: T::AccountId, ban_until: Option<BlockNumberFor<T>>) -> DispatchResult {
            T::BanOrigin::ensure_origin(origin)?;
            Self::do_ban(&who, ban_until)
        }

        /// Ends the ban of `who`. A worker that is active now is back in the draw.
        ///
        /// Origin: [`Config::BanOrigin`]. Emits [`Event::BanLifted`]. Errors: [`NotBanned`](Error::NotBanned).
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::lift_ban())]
        pub fn lift_ban(origin: OriginFor<T>, who: T::AccountId) -> DispatchResult {
            T::BanOrigin::ensure_origin(origin)?;
            Self::do_lift_ban(&who)
        }
    }
}
