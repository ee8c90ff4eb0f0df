//! What the calls do: load, pure transition, write, event. And the traits that other pallets meet this one through.

use crate::{
    DRAW_DELAY,
    agenda::KEY_PROOF,
    pallet::*,
    transitions::Effect,
    types::{BalanceOf, ClassOf, InvitationOf, Task, TaskOf, TaskProgress},
    weights::WeightInfo,
};
use agora_primitives::{
    ClassId, Reference, TaskId,
    commitment::{Salt, commitment},
    courts::Cases,
    exact::ExactCourt,
    job::{Claim, JobSource},
    judging::{Judge, JudgeRule, TaskParties},
    money::{Escrow, PresetId, Purpose, RewardPlanner, Scope},
    participants::{Participants, Role},
    task::{Assignment, Contribution, Difficulty, Invitation, Phase, RoundKind},
};
use frame_support::{ensure, pallet_prelude::*, storage::with_storage_layer, traits::Contains};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::{
    ArithmeticError,
    traits::{One, Saturating, Zero},
};

/// `invitation` without `worker`; `None` if it is not invited.
fn without<AccountId: PartialEq, Most: Get<u32>, BlockNumber>(
    mut invitation: Invitation<BoundedVec<AccountId, Most>, BlockNumber>,
    worker: &AccountId,
) -> Option<Invitation<BoundedVec<AccountId, Most>, BlockNumber>> {
    let at = invitation.workers.iter().position(|invited| invited == worker)?;
    invitation.workers.remove(at);
    Some(invitation)
}

impl<T: Config> Pallet<T> {
    pub(crate) fn now() -> BlockNumberFor<T> {
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
        let first = RoundKind::first(terms.judge);
        let mut progress = TaskProgress::published(first, deadline, terms.replicas, terms.reveal_window);
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
        let mut weight = T::WeightInfo::publish();
        if task.terms.judge == JudgeRule::Exact {
            weight = weight.saturating_add(T::Exact::weight());
        }
        if assignment == Assignment::Priority {
            Self::order_draw(id, &task, 0, now);
            // It pays for the draw, which a later block carries out.
            weight = weight.saturating_add(T::WeightInfo::invite());
        }
        Ok(weight)
    }

    /// The most that publishing weighs: a job that the chain is to compute, of which workers are drawn.
    pub(crate) fn publish_weight() -> Weight {
        T::WeightInfo::publish()
            .saturating_add(T::WeightInfo::invite())
            .saturating_add(T::Exact::weight())
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
        match class.judge {
            JudgeRule::Replication { .. } => {}
            // Last, because it looks at all units of the job.
            JudgeRule::Exact => T::Exact::admits(job).map_err(Error::<T>::from)?,
        }
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

    /// Takes a task back, and returns what that weighs.
    pub(crate) fn do_cancel(who: T::AccountId, id: TaskId) -> Result<Weight, DispatchError> {
        let now = Self::now();
        let task = Self::task_of(id)?;
        let mut progress = Self::progress_of(id)?;
        ensure!(task.publisher == who, Error::<T>::NotPublisher);
        let workers = Self::workers_of(id);
        progress
            .ensure_cancellable(workers.iter().map(|(_, contribution)| contribution), now)
            .map_err(Error::<T>::from)?;
        Self::unschedule(id, &mut progress);
        Self::free_slots(&workers, progress.round);
        Self::end_without_result(id, &task, &workers, progress, Phase::Cancelled, now)?;
        Self::deposit_event(Event::Cancelled { task: id });
        Ok(match workers.len() as u32 {
            0 => T::WeightInfo::cancel(),
            n => Self::cancel_weight(n),
        })
    }

    /// The most that cancelling weighs: workers that are late are dismissed as when a task expires.
    pub(crate) fn cancel_weight(n: u32) -> Weight {
        T::WeightInfo::cancel().saturating_add(T::WeightInfo::expire(n))
    }

    /// Accepts a task for `worker`, in place of one that is late if all slots are taken. Returns what that weighs.
    pub(crate) fn do_accept(worker: T::AccountId, id: TaskId) -> Result<Weight, DispatchError> {
        let now = Self::now();
        let task = Self::task_of(id)?;
        let mut progress = Self::progress_of(id)?;
        ensure!(task.publisher != worker, Error::<T>::PublisherMayNotWork);
        ensure!(
            !Contributions::<T>::contains_key(id, &worker),
            Error::<T>::AlreadyAccepted
        );
        let mut late = Self::late_worker(id, &task, &progress, now);
        if let Some((_, contribution)) = &mut late {
            progress.replace(contribution);
        }
        let free = progress.free_slots();
        let contribution = progress
            .accept(task.terms.min_thinking, task.terms.commit_window, now)
            .map_err(Error::<T>::from)?;
        let place = Self::ensure_place(id, free, &worker, now)?;
        Self::ensure_impartial(id, &progress, &worker)?;
        T::Participants::ensure_active(&worker, Role::Worker)?;
        T::Participants::ensure_suited(&worker, task.job.specialisation())?;
        let mut weight = match late {
            Some((late, contribution)) => {
                Self::dismiss_late(id, &task, &late, contribution)?;
                Self::deposit_event(Event::WorkerReplaced {
                    task: id,
                    worker: late,
                    by: worker.clone(),
                });
                Self::replace_weight().saturating_add(T::WeightInfo::accept())
            }
            None => T::WeightInfo::accept(),
        };
        if let Some(rest) = place {
            Self::put_invitation(id, rest);
            weight = weight.saturating_add(T::DbWeight::get().writes(1));
        }
        T::Participants::occupy_slot(&worker)?;
        Self::hold(Purpose::TaskBond, id, &worker, task.terms.bond)?;
        Contributions::<T>::insert(id, &worker, contribution);
        Progress::<T>::insert(id, progress);
        Self::deposit_event(Event::Accepted { task: id, worker });
        Ok(weight)
    }

    /// The most that accepting weighs: in place of another worker, and on invitation.
    pub(crate) fn accept_weight() -> Weight {
        T::WeightInfo::accept()
            .saturating_add(Self::replace_weight())
            .saturating_add(T::DbWeight::get().writes(1))
    }

    /// The most that replacing a worker weighs: less than an expiry with one, and all are looked at.
    fn replace_weight() -> Weight {
        let most = T::MaxContributions::get().into();
        let size = Contribution::<BlockNumberFor<T>>::max_encoded_len().saturating_add(KEY_PROOF);
        T::WeightInfo::expire(1)
            .saturating_add(T::DbWeight::get().reads(most))
            .saturating_add(Weight::from_parts(0, most.saturating_mul(size as u64)))
    }

    /// The worker to be replaced if all slots are taken: of those of the current round that are late the one whose time was
    /// over first.
    fn late_worker(
        id: TaskId,
        task: &TaskOf<T>,
        progress: &TaskProgress<BlockNumberFor<T>>,
        now: BlockNumberFor<T>,
    ) -> Option<(T::AccountId, Contribution<BlockNumberFor<T>>)> {
        if !progress.is_full() || !progress.may_replace(Self::most_replaced(task)) {
            return None;
        }
        Self::workers_of(id)
            .into_iter()
            .filter(|(_, contribution)| progress.is_late(contribution, now))
            .min_by_key(|(_, contribution)| progress.slot_kept_until(contribution))
    }

    /// How often slots of a task may change hands.
    pub(crate) fn most_replaced(task: &TaskOf<T>) -> u32 {
        task.terms.most_replaced(T::MaxContributions::get())
    }

    /// Succeeds if one of `free` slots is not kept for somebody else. Returns the invitation without the worker, if it was
    /// invited.
    fn ensure_place(
        id: TaskId,
        free: u32,
        worker: &T::AccountId,
        now: BlockNumberFor<T>,
    ) -> Result<Option<InvitationOf<T>>, Error<T>> {
        let Some(invitation) = Invitations::<T>::get(id) else {
            return Ok(None);
        };
        let kept = invitation.workers.len();
        // The draw is still to come: it is not known for whom slots are kept.
        ensure!(kept > 0, Error::<T>::NotInvited);
        let is_over = now > invitation.until;
        match without(invitation, worker) {
            Some(rest) => Ok(Some(rest)),
            None if is_over || free as usize > kept => Ok(None),
            None => Err(Error::<T>::NotInvited),
        }
    }

    /// Declines for `worker`, so that the slot that was kept for it is anybody's.
    pub(crate) fn do_decline(worker: T::AccountId, id: TaskId) -> DispatchResult {
        let progress = Self::progress_of(id)?;
        ensure!(progress.phase.takes_workers(), Error::<T>::NotAccepting);
        let invitation = Invitations::<T>::get(id).ok_or(Error::<T>::NotInvited)?;
        ensure!(Self::now() <= invitation.until, Error::<T>::NotInvited);
        let rest = without(invitation, &worker).ok_or(Error::<T>::NotInvited)?;
        Self::put_invitation(id, rest);
        Self::deposit_event(Event::InvitationDeclined { task: id, worker });
        Ok(())
    }

    /// Keeps an invitation, as long as it invites anybody.
    fn put_invitation(id: TaskId, invitation: InvitationOf<T>) {
        if invitation.workers.is_empty() {
            Invitations::<T>::remove(id);
        } else {
            Invitations::<T>::insert(id, invitation);
        }
    }

    /// The most that declining weighs: no more than committing, which reads and writes as many items, shorter ones.
    pub(crate) fn decline_weight() -> Weight {
        let size = InvitationOf::<T>::max_encoded_len().saturating_add(KEY_PROOF);
        T::WeightInfo::commit().saturating_add(Weight::from_parts(0, size as u64))
    }

    /// Refuses attesters in the round that rules on their attestations, and who has a claim of its own in court.
    fn ensure_impartial(
        id: TaskId,
        progress: &TaskProgress<BlockNumberFor<T>>,
        worker: &T::AccountId,
    ) -> DispatchResult {
        if progress.kind == RoundKind::Appeal {
            let attested = T::Judge::attesters(id).contains(worker);
            ensure!(!attested, Error::<T>::AttesterMayNotWork);
            ensure!(!Self::has_entered(id, worker), Error::<T>::AccuserMayNotWork);
        }
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

    /// What `worker` has committed to if `claim` and `salt` are what it says.
    pub(crate) fn commitment_of(id: TaskId, worker: &T::AccountId, claim: &Claim, salt: &Salt) -> H256 {
        let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        commitment(genesis, id, worker, claim, salt)
    }

    pub(crate) fn do_reveal(worker: T::AccountId, id: TaskId, claim: Claim, salt: Salt) -> DispatchResult {
        let mut progress = Self::progress_of(id)?;
        let mut contribution = Contributions::<T>::get(id, &worker).ok_or(Error::<T>::NotAccepted)?;
        let committed_to = || Self::commitment_of(id, &worker, &claim, &salt);
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

    /// Takes the step that is due for `who`, who is paid for it if it is late, and returns what that weighs.
    pub(crate) fn do_advance(who: T::AccountId, id: TaskId) -> Result<Weight, DispatchError> {
        let now = Self::now();
        with_storage_layer(|| {
            let is_paid = Self::pay_for_step(who, id, now)?;
            let step = Self::take_step(id, now)?;
            Ok(match is_paid {
                true => step.saturating_add(Self::pay_weight()),
                false => step,
            })
        })
    }

    /// The most that advancing weighs.
    pub(crate) fn advance_weight() -> Weight {
        Self::max_step_weight().saturating_add(Self::pay_weight())
    }

    /// The most that paying for a step weighs: cancelling moves more money.
    fn pay_weight() -> Weight {
        T::WeightInfo::cancel()
    }

    /// Succeeds if tasks of this class can run on this chain.
    pub(crate) fn ensure_class(class: &ClassOf<T>) -> Result<(), Error<T>> {
        class.validate(T::MaxContributions::get(), T::MaxLifetime::get())?;
        ensure!(
            class.judge != JudgeRule::Exact || T::Exact::is_there(),
            Error::<T>::NoExactCourt
        );
        Ok(())
    }

    pub(crate) fn do_set_class(id: ClassId, class: ClassOf<T>) -> DispatchResult {
        Self::ensure_class(&class)?;
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
        Self::hasten(id);
    }

    /// Queues a task for the end of the block.
    fn hasten(id: TaskId) {
        // If the queue is full, the task stays where it is in the agenda, at the end of its time to work or reveal, or of the court's.
        // It is served then, or earlier by whoever calls `advance`.
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
            // What the chain computes has one round.
            RoundKind::Replication | RoundKind::Exact => Event::ReplicasWanted {
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

/// The publisher, the workers, accusers with a claim of their own and those who are invited have an interest in how a task is judged.
impl<T: Config> TaskParties<T::AccountId> for Pallet<T> {
    fn is_party(task: TaskId, who: &T::AccountId) -> bool {
        Contributions::<T>::contains_key(task, who)
            || Self::has_entered(task, who)
            || Tasks::<T>::get(task).is_some_and(|task| task.publisher == *who)
            || Invitations::<T>::get(task).is_some_and(|invited| invited.workers.contains(who))
    }

    fn all_revealed(task: TaskId) {
        // A judge may keep an appeal window of a task that is none of this pallet's: nothing waits for that.
        let _ = Self::hear_of(task);
    }

    fn weight() -> Weight {
        Self::cases_weight()
    }
}

impl<T: Config> Pallet<T> {
    /// What a task waits for is there: takes its step at the end of the block.
    fn hear_of(task: TaskId) -> DispatchResult {
        let mut progress = Self::progress_of(task)?;
        if progress.hear_others(Self::now()) {
            Progress::<T>::insert(task, progress);
            Self::hasten(task);
        }
        Ok(())
    }
}

/// The court tells when it has decided, so that nobody waits until the last block in which it could have.
impl<T: Config> Cases<T::AccountId> for Pallet<T> {
    /// Errors: `UnknownTask`.
    fn decided(task: TaskId) -> DispatchResult {
        Self::hear_of(task)
    }

    /// Emits `ClaimEntered`.
    fn enter(task: TaskId, who: &T::AccountId, claim: Claim) -> bool {
        Self::do_enter(task, who, claim)
    }

    fn weight() -> Weight {
        Self::cases_weight()
    }
}

/// The split presets that classes name: those may not be removed. Tasks have copies of theirs.
impl<T: Config> Contains<PresetId> for Pallet<T> {
    fn contains(preset: &PresetId) -> bool {
        Classes::<T>::iter_values().any(|class| class.split == *preset)
    }
}
