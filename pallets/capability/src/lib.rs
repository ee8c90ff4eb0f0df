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

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::{Round, Schedule};
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;

use agora_primitives::judging::Attestations;
use types::ScheduleError;

/// An answer, with as many places for votes as the chain has.
pub type AnswerOf<T> = types::Answer<<T as frame_system::Config>::AccountId, <T as Config>::MaxAttestations>;

/// The votes on an answer of this runtime.
pub type AttestationsOf<T> = Attestations<<T as frame_system::Config>::AccountId, <T as Config>::MaxAttestations>;

/// Answers of past rounds that one block forgets at most, where there is room in it.
pub const MAX_SWEPT: u32 = 64;

#[allow(unused_qualifications, clippy::expect_used, reason = "in what the macro generates")]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use agora_primitives::{
        capability::{Capabilities, Standing, max_provable},
        judging::{AttestError, Attestation, Seed},
        participants::{Participants, Role},
    };
    use codec::Encode;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use sp_core::H256;
    use sp_runtime::traits::{SaturatedConversion, Saturating};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// Hardware challenges.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What a chain decides.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// Knows who is an active worker or verifier.
        type Participants: Participants<Self::AccountId>;

        /// Knows what workers declare, and is told what is proven.
        type Capabilities: Capabilities<Self::AccountId, BlockNumber = BlockNumberFor<Self>>;

        /// Where challenges come from.
        type Seed: Seed;

        /// How long a block takes, in milliseconds.
        type BlockTimeMs: Get<u64>;

        /// Who may change the schedule.
        type ScheduleOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// The most votes on an answer; half of the places are kept for each side. Even, at least 2.
        #[pallet::constant]
        type MaxAttestations: Get<u32>;

        /// What calls and hooks cost.
        type WeightInfo: WeightInfo;

        /// Makes workers and verifiers.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper<Self::AccountId>;
    }

    /// When rounds are held. Without a schedule there are none, and no capability is ever proven.
    #[pallet::storage]
    pub type CurrentSchedule<T: Config> = StorageValue<_, Schedule<BlockNumberFor<T>>>;

    /// The round that was opened last. Its answers are voted on until the next one opens.
    #[pallet::storage]
    pub type CurrentRound<T: Config> = StorageValue<_, Round<BlockNumberFor<T>>>;

    /// Answers, by the number of the round. Those of past rounds are forgotten bit by bit.
    #[pallet::storage]
    pub type Answers<T: Config> = StorageDoubleMap<_, Twox64Concat, u32, Blake2_128Concat, T::AccountId, AnswerOf<T>>;

    /// The first round whose answers may not have been forgotten yet.
    #[pallet::storage]
    pub type FirstKept<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A round is open: workers may answer.
        RoundOpened {
            /// Its number.
            round: u32,
            /// What challenges are made from.
            seed: H256,
            /// The first block in which it takes no answers.
            closes_at: BlockNumberFor<T>,
        },
        /// A worker answered its challenge.
        Answered {
            /// The round.
            round: u32,
            /// The worker.
            worker: T::AccountId,
            /// The capability that it proves if it is right.
            capability: u32,
            /// The digest of its output.
            digest: H256,
        },
        /// A verifier has checked an answer.
        Attested {
            /// The round.
            round: u32,
            /// Whose answer.
            worker: T::AccountId,
            /// Who checked it.
            verifier: T::AccountId,
            /// What it found.
            attestation: Attestation,
        },
        /// Enough verifiers found an answer right: the capability counts.
        CapabilityProven {
            /// The worker.
            worker: T::AccountId,
            /// In 10⁹ operations per second.
            capability: u32,
            /// The first block in which it counts no more.
            until: BlockNumberFor<T>,
        },
        /// Enough verifiers found an answer wrong: nothing that the worker has proven counts any more.
        CapabilityRefuted {
            /// The worker.
            worker: T::AccountId,
        },
        /// The schedule was changed, from the next round on; `None` ends the rounds.
        ScheduleSet {
            /// What holds now.
            schedule: Option<Schedule<BlockNumberFor<T>>>,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The round is not the current one: see `CurrentRound`.
        NotCurrentRound,
        /// The round takes no answers any more; answer in the next one.
        WindowClosed,
        /// A worker answers once per round.
        AlreadyAnswered,
        /// The worker has not answered in this round.
        NoAnswer,
        /// Nobody votes on an answer of its own.
        OwnAnswer,
        /// Each verifier has one vote on an answer.
        AlreadyAttested,
        /// All places of this side are taken.
        TooManyAttestations,
        /// A window is at least three blocks.
        WindowTooShort,
        /// A period is at least two windows: verifiers need time to check.
        PeriodTooShort,
        /// The validity is at least the period, or priorities lapse before workers can renew them.
        ValidityTooShort,
        /// The quorum is at least one, and at most half of `MaxAttestations`.
        QuorumOutOfRange,
    }

    impl<T> From<AttestError> for Error<T> {
        fn from(error: AttestError) -> Self {
            match error {
                AttestError::AlreadyAttested => Self::AlreadyAttested,
                AttestError::SideFull => Self::TooManyAttestations,
            }
        }
    }

    impl<T> From<ScheduleError> for Error<T> {
        fn from(error: ScheduleError) -> Self {
            match error {
                ScheduleError::WindowTooShort => Self::WindowTooShort,
                ScheduleError::PeriodTooShort => Self::PeriodTooShort,
                ScheduleError::ValidityTooShort => Self::ValidityTooShort,
                ScheduleError::QuorumOutOfRange => Self::QuorumOutOfRange,
            }
        }
    }

    /// What a chain starts with.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// When rounds are held; none for a chain without hardware challenges.
        pub schedule: Option<Schedule<BlockNumberFor<T>>>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            if let Some(schedule) = &self.schedule {
                let valid = schedule.validate(AttestationsOf::<T>::places_per_side());
                assert!(valid.is_ok(), "the schedule {schedule:?} cannot be: {valid:?}");
            }
            CurrentSchedule::<T>::set(self.schedule);
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        /// Opens a round when it is time.
        fn on_initialize(now: BlockNumberFor<T>) -> Weight {
            match CurrentSchedule::<T>::get() {
                Some(schedule) if schedule.opens_at(now) => {
                    Self::open_round(now, &schedule);
                    T::WeightInfo::open_round()
                }
                _ => T::WeightInfo::no_round(),
            }
        }

        /// Forgets answers of past rounds, if there is room for as many as a block may forget.
        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            let weight = T::WeightInfo::sweep(MAX_SWEPT);
            if !remaining.all_gte(weight) {
                return Weight::zero();
            }
            T::WeightInfo::sweep(Self::sweep())
        }

        fn integrity_test() {
            let places = T::MaxAttestations::get();
            assert!(
                places >= 2 && places.is_multiple_of(2),
                "MaxAttestations must be even and at least 2: half of the places are kept for each side"
            );
            assert!(T::BlockTimeMs::get() > 0, "a block takes time");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Answers the caller's challenge of `round` with the digest of its output. The challenge is made from the
        /// capability that the caller declares in the registry, at most what the round can prove; see
        /// [`challenge_job`](agora_primitives::capability::challenge_job). The output is to be where verifiers find it.
        ///
        /// Origin: signed by an active worker. Free if it succeeds. Emits [`Event::Answered`].
        /// Errors: [`NotCurrentRound`](Error::NotCurrentRound), [`WindowClosed`](Error::WindowClosed),
        /// [`AlreadyAnswered`](Error::AlreadyAnswered), and those of the registry if the caller is no active worker.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::answer())]
        pub fn answer(origin: OriginFor<T>, round: u32, digest: H256) -> DispatchResultWithPostInfo {
            let worker = ensure_signed(origin)?;
            T::Participants::ensure_active(&worker, Role::Worker)?;
            let current = Self::current(round)?;
            ensure!(
                frame_system::Pallet::<T>::block_number() < current.closes_at,
                Error::<T>::WindowClosed
            );
            ensure!(!Answers::<T>::contains_key(round, &worker), Error::<T>::AlreadyAnswered);
            let capability = T::Capabilities::declared(&worker)?.min(max_provable(current.window_ms));
            Answers::<T>::insert(round, &worker, AnswerOf::<T>::new(capability, digest));
            Self::deposit_event(Event::Answered {
                round,
                worker,
                capability,
                digest,
            });
            Ok(Pays::No.into())
        }

        /// Says what the caller found when it checked the answer of `worker` in `round`. When more verifiers found it
        /// right than wrong, and at least a quorum did, what it proves counts; when a quorum found it wrong, and at
        /// least as many as right, nothing that the worker has proven counts any more. Votes that come later may change
        /// that while the round is the current one.
        ///
        /// Origin: signed by an active verifier. Free, unless enough verifiers had said the same before. Emits
        /// [`Event::Attested`], and [`Event::CapabilityProven`] or [`Event::CapabilityRefuted`] where this vote decides.
        /// Errors: [`NotCurrentRound`](Error::NotCurrentRound), [`NoAnswer`](Error::NoAnswer),
        /// [`OwnAnswer`](Error::OwnAnswer), [`AlreadyAttested`](Error::AlreadyAttested),
        /// [`TooManyAttestations`](Error::TooManyAttestations), and those of the registry if the caller is no active
        /// verifier.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::attest())]
        pub fn attest(
            origin: OriginFor<T>,
            round: u32,
            worker: T::AccountId,
            attestation: Attestation,
        ) -> DispatchResultWithPostInfo {
            let verifier = ensure_signed(origin)?;
            T::Participants::ensure_active(&verifier, Role::Verifier)?;
            ensure!(verifier != worker, Error::<T>::OwnAnswer);
            let current = Self::current(round)?;
            let mut answer = Answers::<T>::get(round, &worker).ok_or(Error::<T>::NoAnswer)?;
            let before = answer.standing(current.quorum);
            answer
                .attestations
                .attest(verifier.clone(), attestation)
                .map_err(Error::<T>::from)?;
            let after = answer.standing(current.quorum);
            let capability = answer.capability;
            Answers::<T>::insert(round, &worker, answer);
            Self::deposit_event(Event::Attested {
                round,
                worker: worker.clone(),
                verifier,
                attestation,
            });
            if after != before {
                Self::decide(worker, capability, &current, after);
            }
            let is_of_use = !before.agrees_with(attestation);
            Ok(if is_of_use { Pays::No } else { Pays::Yes }.into())
        }

        /// Changes when rounds are held, from the next one on; `None` ends them, and all capabilities lapse in time.
        ///
        /// Origin: [`Config::ScheduleOrigin`]. Emits [`Event::ScheduleSet`].
        /// Errors: [`WindowTooShort`](Error::WindowTooShort), [`PeriodTooShort`](Error::PeriodTooShort),
        /// [`ValidityTooShort`](Error::ValidityTooShort), [`QuorumOutOfRange`](Error::QuorumOutOfRange).
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::set_schedule())]
        pub fn set_schedule(origin: OriginFor<T>, schedule: Option<Schedule<BlockNumberFor<T>>>) -> DispatchResult {
            T::ScheduleOrigin::ensure_origin(origin)?;
            if let Some(schedule) = &schedule {
                schedule
                    .validate(AttestationsOf::<T>::places_per_side())
                    .map_err(Error::<T>::from)?;
            }
            CurrentSchedule::<T>::set(schedule);
            Self::deposit_event(Event::ScheduleSet { schedule });
            Ok(())
        }
    }

    impl<T: Config> Pallet<T> {
        pub(crate) fn open_round(now: BlockNumberFor<T>, schedule: &Schedule<BlockNumberFor<T>>) {
            let last = CurrentRound::<T>::get().map_or(0, |round| round.number);
            let number = last.saturating_add(1);
            let window: u64 = schedule.window.saturated_into();
            let round = Round {
                number,
                seed: T::Seed::seed(&(b"hardware", number).encode()),
                closes_at: now.saturating_add(schedule.window),
                window_ms: window.saturating_mul(T::BlockTimeMs::get()),
                proven_until: now.saturating_add(schedule.validity),
                quorum: schedule.quorum,
            };
            CurrentRound::<T>::put(round);
            Self::deposit_event(Event::RoundOpened {
                round: number,
                seed: round.seed,
                closes_at: round.closes_at,
            });
        }

        /// Forgets up to [`MAX_SWEPT`] answers of the oldest past round that may have any, and says how many.
        pub(crate) fn sweep() -> u32 {
            let Some(current) = CurrentRound::<T>::get() else {
                return 0;
            };
            let oldest = FirstKept::<T>::get();
            if oldest >= current.number {
                return 0;
            }
            let swept = Answers::<T>::clear_prefix(oldest, MAX_SWEPT, None);
            if swept.maybe_cursor.is_none() {
                FirstKept::<T>::put(oldest.saturating_add(1));
            }
            swept.unique
        }

        fn current(round: u32) -> Result<Round<BlockNumberFor<T>>, Error<T>> {
            CurrentRound::<T>::get()
                .filter(|current| current.number == round)
                .ok_or(Error::NotCurrentRound)
        }

        fn decide(worker: T::AccountId, capability: u32, round: &Round<BlockNumberFor<T>>, standing: Standing) {
            match standing {
                Standing::Proven => {
                    let until = round.proven_until;
                    T::Capabilities::prove(&worker, capability, until);
                    Self::deposit_event(Event::CapabilityProven {
                        worker,
                        capability,
                        until,
                    });
                }
                Standing::Refuted => {
                    T::Capabilities::refute(&worker);
                    Self::deposit_event(Event::CapabilityRefuted { worker });
                }
                Standing::Open => {}
            }
        }
    }
}
