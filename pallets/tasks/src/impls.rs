//! What the calls do: load, pure transition, write, event. And the traits that other pallets meet this one through.

use crate::{
    DRAW_DELAY,
    pallet::*,
    transitions::Effect,
    types::{BalanceOf, ClassOf, FeeGoes, Task, TaskOf, TaskProgress},
    weights::WeightInfo,
};
use agora_primitives::{
    ClassId, Reference, TaskId,
    commitment::{Salt, commitment},
    job::{Claim, JobSource},
    judging::{Judge, TaskParties},
    money::{Escrow, PresetId, Purpose, RewardPlanner, Scope},
    participants::{Participants, Role},
    task::{Assignment, Difficulty, Phase, RoundKind},
};
use frame_support::{ensure, pallet_prelude::*, traits::Contains};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::{
    ArithmeticError,
    traits::{One, Saturating, Zero},
};

impl<T: Config> Pallet<T> {
    fn now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number()
    }

    pub(crate) fn progress_of(id: TaskId) -> Result<TaskProgress<BlockNumberFor<T>>, Error<T>> {
        Progress::<T>::get(id).ok_or(Error::<T>::UnknownTask)
    }

    pub(crate) fn task_of(id: TaskId) -> Result<TaskOf<T>, Error<T>> {
        Tasks::<T>::get(id).ok_or(Error::<T>::UnknownTask)
    }

    /// Publishes a task, and returns what that weighs.
    pub(crate) fn do_publish(
        publisher: T::AccountId,
        class_id: ClassId,
        job: JobSource,
        difficulty: Difficulty,
        reward: BalanceOf<T>,
        deadline: BlockNumberFor<T>,
        reference: Reference,
    ) -> Result<Weight, DispatchError> {
        let now = Self::now();
        let class = Classes::<T>::get(class_id).ok_or(Error::<T>::UnknownClass)?;
        let split = T::Rewards::split(class.split).ok_or(Error::<T>::UnknownPreset)?;
        Self::ensure_of_class(&class, &job, difficulty, reward)?;
        Self::ensure_deadline(deadline, &class, now)?;
        ensure!(
            !References::<T>::contains_key(&publisher, reference),
            Error::<T>::ReferenceUsed
        );
        Self::count_open_task(&publisher, class_id, class.max_open_per_publisher)?;
        let terms = class
            .terms(reward, difficulty, split)
            .ok_or(ArithmeticError::Overflow)?;
        let assignment = terms.assignment;

        let id = Self::next_task_id()?;
        let mut progress = TaskProgress::published(deadline, terms.replicas, terms.reveal_window);
        progress.scheduled_at = Self::schedule(id, progress.due, now);
        ensure!(progress.scheduled_at.is_some(), Error::<T>::AgendaFull);
        Self::hold_of_publisher(id, &publisher, &terms)?;
        let task = Task {
            publisher: publisher.clone(),
            reference,
            class: class_id,
            job,
            difficulty,
            published_at: now,
            deadline,
            terms,
        };
        References::<T>::insert(&publisher, reference, id);
        Progress::<T>::insert(id, progress);
        Tasks::<T>::insert(id, &task);
        Self::deposit_event(Event::Published {
            task: id,
            publisher,
            class: class_id,
            reference,
            reward,
            deadline,
        });
        match assignment {
            Assignment::Open => Ok(T::WeightInfo::publish()),
            Assignment::Priority => {
                Self::order_draw(id, &task, 0, now);
                // It pays for the draw, which a later block carries out.
                Ok(T::WeightInfo::publish().saturating_add(T::WeightInfo::invite()))
            }
        }
    }

    /// Succeeds if the class takes such a job, at this difficulty and for this reward.
    fn ensure_of_class(
        class: &ClassOf<T>,
        job: &JobSource,
        difficulty: Difficulty,
        reward: BalanceOf<T>,
    ) -> DispatchResult {
        job.validate().map_err(Error::<T>::from)?;
        ensure!(
            job.specialisation() == class.specialisation,
            Error::<T>::WrongSpecialisation
        );
        ensure!(class.takes(difficulty), Error::<T>::DifficultyOutOfRange);
        let min_reward = class.min_reward(difficulty).ok_or(ArithmeticError::Overflow)?;
        ensure!(reward >= min_reward, Error::<T>::RewardTooLow);
        Ok(())
    }

    /// Succeeds if a worker who accepts as soon as somebody may can commit by `deadline`, and `deadline` is not too far.
    fn ensure_deadline(deadline: BlockNumberFor<T>, class: &ClassOf<T>, now: BlockNumberFor<T>) -> DispatchResult {
        let first = match class.assignment {
            Assignment::Priority if !class.invite_window.is_zero() => DRAW_DELAY.into(),
            Assignment::Priority | Assignment::Open => One::one(),
        };
        // Saturating: windows are bounded, so block numbers would have to run out first.
        let earliest = now.saturating_add(first).saturating_add(class.min_thinking);
        ensure!(deadline >= earliest, Error::<T>::DeadlineTooSoon);
        let latest = now.saturating_add(T::MaxLifetime::get());
        ensure!(deadline <= latest, Error::<T>::DeadlineTooFar);
        Ok(())
    }

    fn count_open_task(publisher: &T::AccountId, class: ClassId, most: u32) -> DispatchResult {
        OpenTasks::<T>::try_mutate(publisher, class, |count| {
            ensure!(*count < most, Error::<T>::TooManyOpenTasks);
            // Saturating: below `most`.
            *count = count.saturating_add(1);
            Ok(())
        })
    }

    fn next_task_id() -> Result<TaskId, DispatchError> {
        NextTaskId::<T>::try_mutate(|next| {
            let id = *next;
            next.0 = next.0.checked_add(1).ok_or(ArithmeticError::Overflow)?;
            Ok(id)
        })
    }

    pub(crate) fn do_cancel(who: T::AccountId, id: TaskId) -> DispatchResult {
        let task = Self::task_of(id)?;
        let mut progress = Self::progress_of(id)?;
        ensure!(task.publisher == who, Error::<T>::NotPublisher);
        progress.ensure_cancellable().map_err(Error::<T>::from)?;
        Self::refund_publisher(id, &task, FeeGoes::ToTreasury)?;
        Self::unschedule(id, &mut progress);
        Self::finish(id, &task, progress, Phase::Cancelled, Self::now());
        Self::deposit_event(Event::Cancelled { task: id });
        Ok(())
    }

    pub(crate) fn do_accept(worker: T::AccountId, id: TaskId) -> DispatchResult {
        let now = Self::now();
        let task = Self::task_of(id)?;
        let mut progress = Self::progress_of(id)?;
        ensure!(task.publisher != worker, Error::<T>::PublisherMayNotWork);
        ensure!(
            !Contributions::<T>::contains_key(id, &worker),
            Error::<T>::AlreadyAccepted
        );
        let contribution = progress
            .accept(task.terms.min_thinking, now)
            .map_err(Error::<T>::from)?;
        Self::ensure_invited(id, &worker, now)?;
        Self::ensure_impartial(id, &progress, &worker)?;
        T::Participants::ensure_active(&worker, Role::Worker)?;
        T::Participants::ensure_suited(&worker, task.job.specialisation())?;
        T::Participants::occupy_slot(&worker)?;
        Self::hold(Purpose::TaskBond, id, &worker, task.terms.bond)?;
        Contributions::<T>::insert(id, &worker, contribution);
        Progress::<T>::insert(id, progress);
        Self::deposit_event(Event::Accepted { task: id, worker });
        Ok(())
    }

    fn ensure_invited(id: TaskId, worker: &T::AccountId, now: BlockNumberFor<T>) -> DispatchResult {
        match Invitations::<T>::get(id) {
            Some(invitation) if now <= invitation.until => {
                ensure!(invitation.workers.contains(worker), Error::<T>::NotInvited);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Refuses attesters in the round that rules on their attestations.
    fn ensure_impartial(
        id: TaskId,
        progress: &TaskProgress<BlockNumberFor<T>>,
        worker: &T::AccountId,
    ) -> DispatchResult {
        let attested = progress.kind == RoundKind::Appeal && T::Judge::attesters(id).contains(worker);
        ensure!(!attested, Error::<T>::AttesterMayNotWork);
        Ok(())
    }

    pub(crate) fn do_commit(worker: T::AccountId, id: TaskId, hash: H256) -> DispatchResult {
        let mut progress = Self::progress_of(id)?;
        let mut contribution = Contributions::<T>::get(id, &worker).ok_or(Error::<T>::NotAccepted)?;
        let effect = progress
            .commit(&mut contribution, hash, Self::now())
            .map_err(Error::<T>::from)?;
        Contributions::<T>::insert(id, &worker, contribution);
        Progress::<T>::insert(id, progress);
        Self::deposit_event(Event::Committed {
            task: id,
            worker,
            commitment: hash,
        });
        Self::after_effect(id, effect);
        Ok(())
    }

    pub(crate) fn do_reveal(worker: T::AccountId, id: TaskId, claim: Claim, salt: Salt) -> DispatchResult {
        let mut progress = Self::progress_of(id)?;
        let mut contribution = Contributions::<T>::get(id, &worker).ok_or(Error::<T>::NotAccepted)?;
        let committed_to = || {
            let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
            commitment(genesis, id, &worker, &claim, &salt)
        };
        let effect = progress
            .reveal(&mut contribution, claim, committed_to, Self::now())
            .map_err(Error::<T>::from)?;
        Contributions::<T>::insert(id, &worker, contribution);
        Progress::<T>::insert(id, progress);
        Self::deposit_event(Event::Revealed {
            task: id,
            worker,
            claim,
        });
        Self::after_effect(id, effect);
        Ok(())
    }

    /// Takes the step that is due, and returns what it weighs.
    pub(crate) fn do_advance(id: TaskId) -> Result<Weight, DispatchError> {
        Self::take_step(id, Self::now())
    }

    pub(crate) fn do_set_class(id: ClassId, class: ClassOf<T>) -> DispatchResult {
        class
            .validate(T::MaxContributions::get(), T::MaxLifetime::get())
            .map_err(Error::<T>::from)?;
        ensure!(T::Rewards::split(class.split).is_some(), Error::<T>::UnknownPreset);
        Classes::<T>::insert(id, class);
        Self::deposit_event(Event::ClassSet { class: id });
        Ok(())
    }

    pub(crate) fn do_remove_class(id: ClassId) -> DispatchResult {
        Classes::<T>::take(id).ok_or(Error::<T>::UnknownClass)?;
        Self::deposit_event(Event::ClassRemoved { class: id });
        Ok(())
    }

    /// Queues a task whose next step has come nearer, so that it is served at the end of the block.
    fn after_effect(id: TaskId, effect: Effect<BlockNumberFor<T>>) {
        match effect {
            Effect::OthersWaitedFor => return,
            Effect::RevealStarted { until } => {
                Self::deposit_event(Event::RevealStarted { task: id, until });
            }
            Effect::AllRevealed => {}
        }
        // If the queue is full, the task stays where it is in the agenda, at the end of its time to work or reveal. It is
        // served then, or earlier by whoever calls `advance`.
        if Hastened::<T>::try_append(id).is_err() {
            log::warn!(target: crate::agenda::LOG, "task {id} is served late: too many at once");
        }
    }

    /// Begins another round, and has workers drawn for it.
    pub(crate) fn start_round(
        id: TaskId,
        task: &TaskOf<T>,
        progress: &mut TaskProgress<BlockNumberFor<T>>,
        kind: RoundKind,
        wanted: u32,
        now: BlockNumberFor<T>,
    ) {
        progress.start_round(kind, wanted, task.terms.work_window, now);
        let round = progress.round;
        Self::deposit_event(match kind {
            RoundKind::Replication => Event::ReplicasWanted {
                task: id,
                round,
                count: wanted,
            },
            RoundKind::Appeal => Event::Reopened { task: id, round },
        });
        Self::order_draw(id, task, round, now);
    }

    /// Holds `amount` of `who` for this task; nothing if it is zero.
    pub(crate) fn hold(purpose: Purpose, id: TaskId, who: &T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
        if amount.is_zero() {
            return Ok(());
        }
        T::Escrow::hold(purpose, Scope::Task(id), who, amount)
    }
}

/// The publisher, the workers and those who are invited have an interest in how a task is judged.
impl<T: Config> TaskParties<T::AccountId> for Pallet<T> {
    fn is_party(task: TaskId, who: &T::AccountId) -> bool {
        Contributions::<T>::contains_key(task, who)
            || Tasks::<T>::get(task).is_some_and(|task| task.publisher == *who)
            || Invitations::<T>::get(task).is_some_and(|invited| invited.workers.contains(who))
    }
}

/// The split presets that classes name: those may not be removed. Tasks have copies of theirs.
impl<T: Config> Contains<PresetId> for Pallet<T> {
    fn contains(preset: &PresetId) -> bool {
        Classes::<T>::iter_values().any(|class| class.split == *preset)
    }
}
