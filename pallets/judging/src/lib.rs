//! Judges results: by agreement among replicas, and by validators who put money on their word.
//!
//! Two instruments, both behind the trait [`Judge`](agora_primitives::judging::Judge):
//!
//! - **Replication.** [`Judge::judge`](agora_primitives::judging::Judge::judge) takes the revealed answers to a task and
//!   finds the group of equal answers that outweighs the others by the confidence its members have earned. Pure: see
//!   [`agora_math::consensus`].
//! - **Attestation.** Once a result has been chosen, a *challenge window* is open. Registered validators check the result
//!   with the cheap check of its kind, seeded by randomness drawn after the reveal, and [`attest`](Pallet::attest) for
//!   or against it with a bond. When the life of the task has decided what is right, the challenge is closed with a
//!   *ruling*: those on the right side get their bonds back and share the bonds of the wrong side.
//!
//! Terms: an *attester* is a validator who attested in this window; a *party* is whoever has an interest in the task
//! (its publisher and its workers) and therefore may not attest.
//!
//! This pallet never draws replicas, never decides when a window closes, never pays rewards: that is the life of the
//! task. It moves no money but through [`Escrow`](agora_primitives::money::Escrow).

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
pub use types::*;
pub use weights::WeightInfo;

mod impls;
mod types;
pub mod weights;

#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use agora_primitives::{
        TaskId,
        judging::{Attestation, Ruling, TaskParties},
        money::{Escrow, Purpose, Scope},
        participants::{Participants, Role},
        reputation::Reputation,
    };
    use frame_support::{pallet_prelude::*, traits::tokens::Balance};
    use frame_system::pallet_prelude::*;
    use sp_core::H256;
    use sp_runtime::Permill;

    /// Version of this pallet's storage layout.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// What this pallet needs of the chain it is built into.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// Holds the attesters' bonds and moves them when the challenge is over.
        type Escrow: Escrow<Self::AccountId, Balance: Balance>;

        /// Knows who is an active validator.
        type Participants: Participants<Self::AccountId>;

        /// Is told whether an attester was right or wrong.
        type Reputation: Reputation<Self::AccountId>;

        /// Knows who has an interest in a task and so may not attest.
        type Parties: TaskParties<Self::AccountId>;

        /// The most attestations per task; half of the places are kept for each side, so that neither can crowd out
        /// the other. Even, at least 2.
        #[pallet::constant]
        type MaxAttestations: Get<u32>;

        /// The part of its bond that an attester on the wrong side loses. Rounded down.
        #[pallet::constant]
        type LoserPenalty: Get<Permill>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;

        /// Makes the validators that the benchmarks need.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper<Self::AccountId, BalanceOf<Self>>;
    }

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The challenges that are open. Bounded by the number of tasks in progress: each is removed when it is closed.
    #[pallet::storage]
    pub type Challenges<T: Config> = StorageMap<_, Twox64Concat, TaskId, ChallengeOf<T>>;

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// The challenge window of a task is open: validators may check the result and attest.
        ChallengeOpened {
            /// The task.
            task: TaskId,
            /// The result that is to be checked.
            digest: H256,
            /// Randomness from which checks take their random vectors.
            seed: H256,
            /// The last block in which attesting is possible.
            until: BlockNumberFor<T>,
            /// What each attester puts up.
            bond: BalanceOf<T>,
        },
        /// A validator attested, and its bond is held.
        Attested {
            /// The task.
            task: TaskId,
            /// Who attested.
            validator: T::AccountId,
            /// What it said.
            attestation: Attestation,
        },
        /// An attester was right. It has its bond back and gets its share of the wrong side's bonds.
        AttesterPaid {
            /// The task.
            task: TaskId,
            /// Who was right.
            validator: T::AccountId,
            /// Its share of the wrong side's bonds; zero where nobody was wrong. Its own bond does not count.
            amount: BalanceOf<T>,
        },
        /// An attester was wrong, and lost some or all of its bond; what is left of it has been given back.
        AttesterSlashed {
            /// The task.
            task: TaskId,
            /// Who was wrong.
            validator: T::AccountId,
            /// What it lost.
            amount: BalanceOf<T>,
        },
        /// The challenge is over and all bonds are settled. Where the ruling is `Undecided` each went back in full.
        ChallengeClosed {
            /// The task.
            task: TaskId,
            /// How it ended.
            ruling: Ruling,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The task has no challenge: its result is not chosen yet, or is settled already.
        NoChallenge,
        /// The task has a challenge already; close it before opening another one.
        ChallengeAlreadyOpen,
        /// The last block in which attesting was possible is over.
        WindowClosed,
        /// An account attests once per challenge.
        AlreadyAttested,
        /// The publisher and the workers of a task cannot attest in it.
        PartyToTask,
        /// All places of this side are taken.
        TooManyAttestations,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            let places = T::MaxAttestations::get();
            assert!(
                places >= 2 && places.is_multiple_of(2),
                "MaxAttestations must be even and at least 2: half of the places are kept for each side"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Attests for or against the result of `task`, with the challenge's bond.
        ///
        /// Origin: signed by an active validator that is no party to the task.
        ///
        /// Effect: holds the bond of the caller until the challenge is closed. If the ruling agrees with `attestation`
        /// the bond comes back, with a share of the wrong side's bonds; if it disagrees, `LoserPenalty` of it is lost.
        ///
        /// Emits `Attested`.
        ///
        /// Errors: `NoChallenge`, `WindowClosed`, `AlreadyAttested`, `PartyToTask`, `TooManyAttestations`; those of the
        /// registry if the caller is no active validator, and of the escrow if its balance does not cover the bond.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::attest())]
        pub fn attest(
            origin: OriginFor<T>,
            task: TaskId,
            attestation: Attestation,
        ) -> DispatchResult {
            let validator = ensure_signed(origin)?;
            T::Participants::ensure_active(&validator, Role::Validator)?;
            let mut challenge = Challenges::<T>::get(task).ok_or(Error::<T>::NoChallenge)?;
            ensure!(
                !T::Parties::is_party(task, &validator),
                Error::<T>::PartyToTask
            );

            let now = frame_system::Pallet::<T>::block_number();
            challenge
                .attest(now, validator.clone(), attestation)
                .map_err(Error::<T>::from)?;

            let bond = challenge.terms.bond;
            T::Escrow::hold(Purpose::ChallengeBond, Scope::Task(task), &validator, bond)?;
            Challenges::<T>::insert(task, challenge);
            Self::deposit_event(Event::Attested {
                task,
                validator,
                attestation,
            });
            Ok(())
        }
    }
}
