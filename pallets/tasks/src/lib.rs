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

pub use classes::{
    ClassError, ClassName, Difficulty, Dispatch, TaskClass, Windows, genesis_classes,
};
pub use pallet::*;
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
pub use scenario::BenchmarkHelper;

mod agenda;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod classes;
mod impls;
#[cfg(test)]
mod mock;
#[cfg(any(test, feature = "runtime-benchmarks"))]
mod scenario;
mod settlement;
mod steps;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod types;
pub mod weights;

/// How many agenda buckets are tried, beginning with the wanted block, before a task counts as not schedulable.
pub const AGENDA_PROBES: u32 = 4;

/// After how many blocks a step that failed is tried again (settling, when a block's tree of results is full).
pub const RETRY_AFTER: u32 = 5;

/// The pallet: see the crate's documentation.
#[frame_support::pallet]
pub mod pallet {
    use crate::{
        classes::{ClassError, Difficulty, Dispatch, TaskClass},
        types::{Chosen, Contribution, Task, TaskProgress, TransitionError},
        weights::WeightInfo,
    };
    use agora_primitives::{
        ClassId, Reference, TaskId,
        commitment::Salt,
        job::{JobError, JobSource},
        judging::{Judge, Seed},
        money::{Escrow, RewardPlanner},
        participants::Participants,
        reputation::{Outcome, Reputation},
        results::ResultSink,
    };
    use alloc::vec::Vec;
    use frame_support::{
        pallet_prelude::*,
        traits::{EnsureOrigin, tokens::Balance},
    };
    use frame_system::pallet_prelude::*;
    use sp_core::H256;
    use sp_runtime::traits::{One, Zero};

    /// The storage layout this code reads and writes.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// Unit of money.
    pub type BalanceOf<T> =
        <<T as Config>::Escrow as Escrow<<T as frame_system::Config>::AccountId>>::Balance;

    /// A task class of this runtime.
    pub type ClassOf<T> = TaskClass<BalanceOf<T>, BlockNumberFor<T>>;

    /// The unchanging record of a task of this runtime.
    pub type TaskOf<T> =
        Task<<T as frame_system::Config>::AccountId, BalanceOf<T>, BlockNumberFor<T>>;

    /// The workers that are invited to a task.
    pub type InvitedOf<T> =
        BoundedVec<<T as frame_system::Config>::AccountId, <T as Config>::MaxContributions>;

    /// Who may accept a task first.
    #[derive(Encode, Decode, MaxEncodedLen, TypeInfo, CloneNoBound, PartialEqNoBound, EqNoBound, DebugNoBound)]
    #[scale_info(skip_type_params(T))]
    pub struct Invitation<T: Config> {
        /// Those who were drawn.
        pub workers: InvitedOf<T>,
        /// The last block in which nobody else may accept.
        pub until: BlockNumberFor<T>,
    }

    /// What a runtime gives to this pallet.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>, Hash = H256>
    {
        /// Holds and moves the money of tasks.
        type Escrow: Escrow<Self::AccountId, Balance: Balance>;

        /// Divides rewards.
        type Rewards: RewardPlanner<Self::AccountId, Balance = BalanceOf<Self>>;

        /// Judges answers and keeps the challenge window.
        type Judge: Judge<Self::AccountId, BlockNumber = BlockNumberFor<Self>, Balance = BalanceOf<Self>>;

        /// Knows the workers.
        type Participants: Participants<Self::AccountId>;

        /// Remembers how work went.
        type Reputation: Reputation<Self::AccountId>;

        /// Takes settled results into the tree whose root the block header carries.
        type Results: ResultSink<Self::AccountId>;

        /// The chain's randomness: draws invitations, lots and the vectors of checks.
        type Seed: Seed;

        /// Who may set and remove classes.
        type ClassOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// The most workers one task can have, over all its rounds.
        #[pallet::constant]
        type MaxContributions: Get<u32>;

        /// The most tasks that are put into the agenda of one block.
        #[pallet::constant]
        type MaxTasksPerBlock: Get<u32>;

        /// The longest time from publishing to the deadline, and the longest window of a class, in blocks.
        #[pallet::constant]
        type MaxLifetime: Get<BlockNumberFor<Self>>;

        /// How long the record of a finished task is kept, in blocks.
        #[pallet::constant]
        type RetentionPeriod: Get<BlockNumberFor<Self>>;

        /// Weights of the calls and of the agenda's steps.
        type WeightInfo: WeightInfo;

        /// Makes the accounts that the benchmarks need.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: crate::scenario::BenchmarkHelper<Self::AccountId, BalanceOf<Self>>;
    }

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The classes. Bounded by those who may set them.
    #[pallet::storage]
    pub type Classes<T: Config> = StorageMap<_, Twox64Concat, ClassId, ClassOf<T>>;

    /// The id of the next task.
    #[pallet::storage]
    pub type NextTaskId<T> = StorageValue<_, TaskId, ValueQuery>;

    /// What tasks were published with. Removed when their retention is over.
    #[pallet::storage]
    pub type Tasks<T: Config> = StorageMap<_, Twox64Concat, TaskId, TaskOf<T>>;

    /// Where tasks are in their life: an entry for each of [`Tasks`].
    #[pallet::storage]
    pub type Progress<T: Config> =
        StorageMap<_, Twox64Concat, TaskId, TaskProgress<BlockNumberFor<T>>>;

    /// Who works on which unfinished task. At most `MaxContributions` each.
    #[pallet::storage]
    pub type Contributions<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        TaskId,
        Blake2_128Concat,
        T::AccountId,
        Contribution<BlockNumberFor<T>>,
    >;

    /// Who may accept the current round of an unfinished task first.
    #[pallet::storage]
    pub type Invitations<T: Config> = StorageMap<_, Twox64Concat, TaskId, Invitation<T>>;

    /// The results that were chosen: of tasks that may be challenged, are being appealed or were settled.
    #[pallet::storage]
    pub type Results<T: Config> = StorageMap<_, Twox64Concat, TaskId, Chosen<T::AccountId>>;

    /// The publishers' own names of their tasks: an entry for each of [`Tasks`].
    #[pallet::storage]
    pub type References<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        Blake2_128Concat,
        Reference,
        TaskId,
    >;

    /// How many unfinished tasks a publisher has of a class. Never zero.
    #[pallet::storage]
    pub type OpenTasks<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        Twox64Concat,
        ClassId,
        u32,
        ValueQuery,
    >;

    /// Which tasks have a step due in a block. Each task is in it at most once, where its progress says.
    #[pallet::storage]
    pub type Agenda<T: Config> = StorageMap<
        _,
        Twox64Concat,
        BlockNumberFor<T>,
        BoundedVec<TaskId, T::MaxTasksPerBlock>,
        ValueQuery,
    >;

    /// The last block whose agenda was served to the end.
    #[pallet::storage]
    pub type ServedUpTo<T: Config> = StorageValue<_, BlockNumberFor<T>>;

    /// The tasks whose next step has come nearer in this block, by the last commitment or the last reveal. They are served
    /// at the end of the block, so that committing and revealing need not touch the agenda.
    ///
    /// Read and written in every block, which `on_initialize` pays for; calls find it in memory.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type Hastened<T: Config> =
        StorageValue<_, BoundedVec<TaskId, T::MaxTasksPerBlock>, ValueQuery>;

    /// The classes a chain starts with: see [`genesis_classes`](crate::genesis_classes).
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Ids and terms.
        pub classes: Vec<(ClassId, ClassOf<T>)>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for (id, class) in &self.classes {
                let valid = class.validate(T::MaxContributions::get(), T::MaxLifetime::get());
                assert!(valid.is_ok(), "class {id} of the genesis configuration: {valid:?}");
                assert!(!Classes::<T>::contains_key(id), "class {id} is there twice");
                Classes::<T>::insert(id, class);
            }
        }
    }

    /// What happened. Each task has exactly one of the terminal events `Settled`, `Cancelled`, `Expired` and `Failed`.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A task was published, and its reward, stake and fee are held.
        Published {
            /// The task.
            task: TaskId,
            /// Who pays.
            publisher: T::AccountId,
            /// Its class.
            class: ClassId,
            /// The publisher's own name of it.
            reference: Reference,
            /// The reward.
            reward: BalanceOf<T>,
            /// The last block in which the first round's work may be committed.
            deadline: BlockNumberFor<T>,
        },
        /// Workers were drawn who may accept before anybody else.
        WorkersInvited {
            /// The task.
            task: TaskId,
            /// Those who were drawn.
            workers: InvitedOf<T>,
            /// The last block in which nobody else may accept.
            until: BlockNumberFor<T>,
        },
        /// A worker accepted a task, and its bond is held.
        Accepted {
            /// The task.
            task: TaskId,
            /// The worker.
            worker: T::AccountId,
        },
        /// A worker committed to a result.
        Committed {
            /// The task.
            task: TaskId,
            /// The worker.
            worker: T::AccountId,
            /// Its commitment.
            commitment: H256,
        },
        /// What was committed to may be revealed.
        RevealStarted {
            /// The task.
            task: TaskId,
            /// The last block for it.
            until: BlockNumberFor<T>,
        },
        /// A worker revealed its result.
        Revealed {
            /// The task.
            task: TaskId,
            /// The worker.
            worker: T::AccountId,
            /// Merkle root of its output.
            digest: H256,
        },
        /// The answers do not agree enough: more workers are wanted.
        ReplicasWanted {
            /// The task.
            task: TaskId,
            /// The new round.
            round: u32,
            /// How many.
            count: u32,
        },
        /// The answers agree: a result is chosen and may be attested for or against.
        ResultChosen {
            /// The task.
            task: TaskId,
            /// The result.
            digest: H256,
            /// The worker with the best right answer.
            best: T::AccountId,
            /// The last block in which it may be challenged.
            challenge_until: BlockNumberFor<T>,
            /// Randomness for checks.
            seed: H256,
        },
        /// The result was attested against: fresh workers are wanted, whose answers are judged by themselves.
        Reopened {
            /// The task.
            task: TaskId,
            /// The new round.
            round: u32,
        },
        /// Terminal: the task was paid for by rule.
        Settled {
            /// The task.
            task: TaskId,
            /// Its result.
            digest: H256,
            /// The worker with the best right answer.
            best: T::AccountId,
        },
        /// Terminal: the publisher took the task back; the fee went to the treasury.
        Cancelled {
            /// The task.
            task: TaskId,
        },
        /// Terminal: nobody accepted, committed or revealed in time; the publisher has everything back.
        Expired {
            /// The task.
            task: TaskId,
        },
        /// Terminal: no result could be agreed on; the publisher has reward and stake back.
        Failed {
            /// The task.
            task: TaskId,
        },
        /// How a worker's part in a task is judged.
        WorkerJudged {
            /// The task.
            task: TaskId,
            /// The worker.
            worker: T::AccountId,
            /// How it went.
            outcome: Outcome,
        },
        /// The record of a finished task was removed.
        Purged {
            /// The task.
            task: TaskId,
        },
        /// A step could not be taken now and is tried again.
        Postponed {
            /// The task.
            task: TaskId,
            /// Why.
            error: DispatchError,
        },
        /// The agenda had no room: from `due` on, somebody has to call `advance`.
        NotScheduled {
            /// The task.
            task: TaskId,
            /// When its next step is due.
            due: BlockNumberFor<T>,
        },
        /// A class was added or changed.
        ClassSet {
            /// The class.
            class: ClassId,
        },
        /// A class was removed.
        ClassRemoved {
            /// The class.
            class: ClassId,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no such class: see `Classes`.
        UnknownClass,
        /// There is no such task, or its record was purged.
        UnknownTask,
        /// The split preset does not exist: add it to the rewards first.
        UnknownPreset,
        /// A size or count in the job is zero.
        JobZero,
        /// A size or count in the job is above its limit.
        JobTooLarge,
        /// The job is more work than one task may be: split it.
        JobTooMuchWork,
        /// The job is of another kind than the class: choose the class by the job.
        WrongSpecialisation,
        /// The difficulty is not in the class's range.
        DifficultyOutOfRange,
        /// The reward is below the class's base reward times the difficulty.
        RewardTooLow,
        /// The deadline leaves no block in which work could be committed.
        DeadlineTooSoon,
        /// The deadline is further away than `MaxLifetime`.
        DeadlineTooFar,
        /// The publisher has a task with this reference: it was published before.
        ReferenceUsed,
        /// The publisher has as many unfinished tasks of this class as it may.
        TooManyOpenTasks,
        /// So many tasks are due at the deadline that no more fit: choose another.
        AgendaFull,
        /// Only the publisher may do that.
        NotPublisher,
        /// Somebody has accepted the task, or it is over.
        TaskNotOpen,
        /// The publisher cannot work on its own task.
        PublisherMayNotWork,
        /// The worker has accepted the task before.
        AlreadyAccepted,
        /// Only invited workers may accept so early.
        NotInvited,
        /// The task is not open for acceptance.
        NotAccepting,
        /// As many workers as wanted have accepted.
        AllSlotsTaken,
        /// There is not enough time left to think and commit.
        TooLateToAccept,
        /// The caller has not accepted the task, or the task is over.
        NotAccepted,
        /// The task is not being worked on.
        NotWorking,
        /// Commitments are not being revealed.
        NotRevealing,
        /// The worker accepted in a round that is over.
        RoundOver,
        /// The minimum thinking time is not over: see the contribution's `commit_from`.
        TooEarly,
        /// The phase's last block has passed.
        TooLate,
        /// The worker has committed before.
        AlreadyCommitted,
        /// The worker has not committed.
        NotCommitted,
        /// The worker has revealed before.
        AlreadyRevealed,
        /// Digest, trace root and salt are not what was committed to.
        CommitmentMismatch,
        /// No step of the task is due.
        NothingDue,
        /// The class's name is empty or not UTF-8.
        InvalidName,
        /// The class's least difficulty is zero or above the greatest.
        InvalidDifficulty,
        /// The class's replicas are zero, more than its limit, or leave no room for a fresh round.
        InvalidReplicas,
        /// The class's cap of unfinished tasks is zero.
        InvalidCap,
        /// One of the class's rates is above 100 %, or being late costs more than being wrong.
        InvalidRates,
        /// The class's judge could never decide: trust must be at least 2.
        InvalidJudge,
        /// One of the class's windows is zero or too long, or there is no time to think.
        InvalidWindows,
        /// The payment plan does not add up to the reward: the runtime's `Rewards` is at fault.
        PlanMismatch,
        /// The judge named a best worker who did not reveal the result: the runtime's `Judge` is at fault.
        UnknownWinner,
    }

    impl<T> From<TransitionError> for Error<T> {
        fn from(error: TransitionError) -> Self {
            match error {
                TransitionError::NotOpen => Self::TaskNotOpen,
                TransitionError::NotAccepting => Self::NotAccepting,
                TransitionError::AllSlotsTaken => Self::AllSlotsTaken,
                TransitionError::TooLateToAccept => Self::TooLateToAccept,
                TransitionError::NotWorking => Self::NotWorking,
                TransitionError::NotRevealing => Self::NotRevealing,
                TransitionError::RoundOver => Self::RoundOver,
                TransitionError::TooEarly => Self::TooEarly,
                TransitionError::TooLate => Self::TooLate,
                TransitionError::AlreadyCommitted => Self::AlreadyCommitted,
                TransitionError::NotCommitted => Self::NotCommitted,
                TransitionError::AlreadyRevealed => Self::AlreadyRevealed,
                TransitionError::CommitmentMismatch => Self::CommitmentMismatch,
            }
        }
    }

    impl<T> From<JobError> for Error<T> {
        fn from(error: JobError) -> Self {
            match error {
                JobError::Zero => Self::JobZero,
                JobError::TooLarge => Self::JobTooLarge,
                JobError::TooMuchWork => Self::JobTooMuchWork,
            }
        }
    }

    impl<T> From<ClassError> for Error<T> {
        fn from(error: ClassError) -> Self {
            match error {
                ClassError::Name => Self::InvalidName,
                ClassError::Difficulty => Self::InvalidDifficulty,
                ClassError::Replicas => Self::InvalidReplicas,
                ClassError::Cap => Self::InvalidCap,
                ClassError::Rates => Self::InvalidRates,
                ClassError::Judge => Self::InvalidJudge,
                ClassError::Windows => Self::InvalidWindows,
            }
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        /// Pays for [`Hastened`], which calls then find in memory.
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            T::DbWeight::get().reads_writes(1, 1)
        }

        /// Takes the steps that are due, as far as the block's remaining weight goes.
        fn on_idle(now: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::serve_agenda(now, remaining)
        }

        fn integrity_test() {
            assert!(T::MaxContributions::get() > 0, "a task needs at least one worker");
            assert!(T::MaxTasksPerBlock::get() > 0, "an agenda without room serves nothing");
            assert!(!T::RetentionPeriod::get().is_zero(), "records must be kept for at least a block");
            assert!(
                T::MaxLifetime::get() > One::one(),
                "a task needs at least two blocks from publishing to its deadline"
            );
            let block = T::BlockWeights::get();
            assert!(
                Self::max_step_weight().all_lte(block.max_block),
                "the heaviest step does not fit in a block: lower MaxContributions"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Publishes a task.
        ///
        /// Origin: signed, by whoever pays. Holds the reward, the stake and the publication fee at once. Where the class
        /// assigns by priority, workers are drawn and invited.
        ///
        /// Units: `difficulty` in thousandths, `reward` in plancks. `deadline` is the last block in which the first round's
        /// work may be committed. `reference` is the publisher's own name of the task, so that publishing may be retried.
        ///
        /// Emits: `Published`, `WorkersInvited`. Errors: `UnknownClass`, `UnknownPreset`, `JobZero`, `JobTooLarge`,
        /// `JobTooMuchWork`, `WrongSpecialisation`, `DifficultyOutOfRange`, `RewardTooLow`, `DeadlineTooSoon`,
        /// `DeadlineTooFar`, `ReferenceUsed`, `TooManyOpenTasks`, `AgendaFull`, and the escrow's if the balance does not
        /// suffice.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::publish().saturating_add(T::WeightInfo::invite()))]
        pub fn publish(
            origin: OriginFor<T>,
            class: ClassId,
            job: JobSource,
            difficulty: Difficulty,
            reward: BalanceOf<T>,
            deadline: BlockNumberFor<T>,
            reference: Reference,
        ) -> DispatchResultWithPostInfo {
            let publisher = ensure_signed(origin)?;
            let dispatch =
                Self::do_publish(publisher, class, job, difficulty, reward, deadline, reference)?;
            let unused = match dispatch {
                Dispatch::Open => T::WeightInfo::invite(),
                Dispatch::Priority => Weight::zero(),
            };
            let most = T::WeightInfo::publish().saturating_add(T::WeightInfo::invite());
            Ok(Some(most.saturating_sub(unused)).into())
        }

        /// Takes a task back that nobody has accepted.
        ///
        /// Origin: signed by its publisher. Reward and stake are released, the fee goes to the treasury.
        ///
        /// Emits: `Cancelled`. Errors: `UnknownTask`, `NotPublisher`, `TaskNotOpen`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::cancel())]
        pub fn cancel(origin: OriginFor<T>, task: TaskId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_cancel(who, task)
        }

        /// Accepts a task: the caller will work on it.
        ///
        /// Origin: signed by an active worker of the task's specialisation with a free slot, who has not accepted this task
        /// before and is not its publisher. Holds the worker's bond.
        ///
        /// Emits: `Accepted`. Errors: `UnknownTask`, `PublisherMayNotWork`, `AlreadyAccepted`, `NotInvited`,
        /// `NotAccepting`, `AllSlotsTaken`, `TooLateToAccept`, and those of `Participants` and `Escrow`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::accept())]
        pub fn accept(origin: OriginFor<T>, task: TaskId) -> DispatchResult {
            let worker = ensure_signed(origin)?;
            Self::do_accept(worker, task)
        }

        /// Commits to a result without showing it: see [`agora_primitives::commitment`].
        ///
        /// Origin: signed by a worker who accepted in this round, at least the minimum thinking time ago. When all wanted
        /// workers have committed, revealing begins at once; else when the time to work is over.
        ///
        /// Emits: `Committed`, `RevealStarted`. Errors: `UnknownTask`, `NotAccepted`, `AlreadyCommitted`, `RoundOver`,
        /// `NotWorking`, `TooEarly`, `TooLate`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::commit())]
        pub fn commit(origin: OriginFor<T>, task: TaskId, commitment: H256) -> DispatchResult {
            let worker = ensure_signed(origin)?;
            Self::do_commit(worker, task, commitment)
        }

        /// Reveals the result that was committed to.
        ///
        /// Origin: signed by a worker who committed in this round. `digest` is the Merkle root of the output, `trace_root`
        /// the commitment to the intermediate states, `salt` what the commitment was made with. When all have revealed,
        /// judging is due.
        ///
        /// Emits: `Revealed`. Errors: `UnknownTask`, `NotAccepted`, `NotCommitted`, `AlreadyRevealed`, `RoundOver`,
        /// `NotRevealing`, `TooLate`, `CommitmentMismatch`.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::reveal())]
        pub fn reveal(
            origin: OriginFor<T>,
            task: TaskId,
            digest: H256,
            trace_root: H256,
            salt: Salt,
        ) -> DispatchResult {
            let worker = ensure_signed(origin)?;
            Self::do_reveal(worker, task, digest, trace_root, salt)
        }

        /// Takes the step of a task that is due: begin to reveal, judge, expire, settle, reopen or purge.
        ///
        /// Origin: signed, by anyone. The agenda does the same in idle time; this is for when it is late.
        ///
        /// Emits: the step's events. Errors: `UnknownTask`, `NothingDue`, and whatever keeps the step from being taken.
        #[pallet::call_index(5)]
        #[pallet::weight(Pallet::<T>::max_step_weight())]
        pub fn advance(origin: OriginFor<T>, task: TaskId) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let taken = Self::take_step(task, frame_system::Pallet::<T>::block_number())?;
            Ok(Some(taken).into())
        }

        /// Adds or changes a class. Tasks that were published keep their terms.
        ///
        /// Origin: `ClassOrigin`.
        ///
        /// Emits: `ClassSet`. Errors: `InvalidName`, `InvalidDifficulty`, `InvalidReplicas`, `InvalidCap`, `InvalidRates`,
        /// `InvalidJudge`, `InvalidWindows`, `UnknownPreset`.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::set_class())]
        pub fn set_class(origin: OriginFor<T>, id: ClassId, class: ClassOf<T>) -> DispatchResult {
            T::ClassOrigin::ensure_origin(origin)?;
            class
                .validate(T::MaxContributions::get(), T::MaxLifetime::get())
                .map_err(Error::<T>::from)?;
            ensure!(T::Rewards::preset_exists(class.split), Error::<T>::UnknownPreset);
            Classes::<T>::insert(id, class);
            Self::deposit_event(Event::ClassSet { class: id });
            Ok(())
        }

        /// Removes a class. Tasks that were published run on.
        ///
        /// Origin: `ClassOrigin`.
        ///
        /// Emits: `ClassRemoved`. Errors: `UnknownClass`.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::remove_class())]
        pub fn remove_class(origin: OriginFor<T>, id: ClassId) -> DispatchResult {
            T::ClassOrigin::ensure_origin(origin)?;
            Classes::<T>::take(id).ok_or(Error::<T>::UnknownClass)?;
            Self::deposit_event(Event::ClassRemoved { class: id });
            Ok(())
        }
    }
}
