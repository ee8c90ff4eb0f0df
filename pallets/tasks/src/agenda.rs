//! The agenda: which task is to be served in which block, and serving it.
//!
//! Each unfinished or retained task is in the agenda at most once, where its [`TaskProgress::scheduled_at`] says. A
//! bucket that is full spills into the next ones. What does not fit into a block's share for the agenda waits for the next
//! block; anyone may take the step in the meantime with `advance`.
//!
//! Fair: there are two queues, the buckets and what was hastened, each served from its oldest task on. Neither can keep the
//! other from being served, because each has half of the share to itself, and no task can keep its queue from being served,
//! because half of a share is enough for any step.

use crate::{
    AGENDA_PROBES, MAX_PLACES, RETRY_AFTER, pallet::*, transitions::Step, types::TaskProgress, weights::WeightInfo,
};
use agora_primitives::{TaskId, courts::MAX_SHARERS};
use frame_support::{defensive, pallet_prelude::*, storage::with_storage_layer, weights::WeightMeter};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::{One, Saturating};

/// Target of this pallet's log lines.
pub(crate) const LOG: &str = "runtime::agora-tasks";

/// What proving one more item of a map takes besides its value: its key, and nodes of the trie on the way to it. In bytes.
pub(crate) const KEY_PROOF: usize = 2_600;

/// Whether the weight sufficed to serve something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Served {
    Done,
    NoWeight,
}

// Block numbers are added saturating: windows are bounded, so block numbers would have to run out first.
impl<T: Config> Pallet<T> {
    /// Puts a task into the agenda of `at`, or of one of the blocks after it, and returns which; `None` if all are full.
    /// A step that is overdue is scheduled for the next block.
    pub(crate) fn schedule(id: TaskId, at: BlockNumberFor<T>, now: BlockNumberFor<T>) -> Option<BlockNumberFor<T>> {
        let mut block = at.max(now.saturating_add(One::one()));
        for _ in 0..AGENDA_PROBES {
            if Agenda::<T>::try_append(block, id).is_ok() {
                return Some(block);
            }
            block.saturating_inc();
        }
        None
    }

    /// Takes a task out of the agenda.
    pub(crate) fn unschedule(id: TaskId, progress: &mut TaskProgress<BlockNumberFor<T>>) {
        let Some(block) = progress.scheduled_at.take() else {
            return;
        };
        Agenda::<T>::mutate_exists(block, |bucket| {
            if let Some(tasks) = bucket {
                tasks.retain(|task| *task != id);
                if tasks.is_empty() {
                    *bucket = None;
                }
            }
        });
    }

    /// Writes the progress of a task that is not in the agenda, and puts it there for `at`.
    pub(crate) fn store_and_schedule(
        id: TaskId,
        mut progress: TaskProgress<BlockNumberFor<T>>,
        at: BlockNumberFor<T>,
        now: BlockNumberFor<T>,
    ) {
        progress.scheduled_at = Self::schedule(id, at, now);
        if progress.scheduled_at.is_none() {
            Self::deposit_event(Event::NotScheduled {
                task: id,
                due: progress.due,
            });
        }
        Progress::<T>::insert(id, progress);
    }

    /// Takes the steps that are due, as far as `limit` and the agenda's share of a block go, and returns their weight.
    pub(crate) fn serve_agenda(now: BlockNumberFor<T>, limit: Weight) -> Weight {
        let mut meter = WeightMeter::with_limit(limit.min(T::MaxAgendaWeight::get()));
        if meter.try_consume(Self::base_weight()).is_ok() {
            let for_steps = meter.remaining().saturating_sub(T::WeightInfo::on_idle_bucket());
            let mut half = WeightMeter::with_limit(for_steps.saturating_div(2));
            Self::serve_hastened(now, &mut half);
            meter.consume(half.consumed());
            Self::serve_buckets(now, &mut meter);
            Self::serve_hastened(now, &mut meter);
        }
        meter.consumed()
    }

    /// What a block in which nothing is due takes: the share of the agenda may be read from state.
    pub(crate) fn base_weight() -> Weight {
        T::WeightInfo::on_idle_base().saturating_add(T::DbWeight::get().reads(1))
    }

    fn serve_hastened(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
        let tasks = Hastened::<T>::get();
        let served = tasks
            .iter()
            .take_while(|id| Self::serve(**id, now, meter) == Served::Done)
            .count();
        match served {
            0 => {}
            all if all == tasks.len() => Hastened::<T>::kill(),
            some => Hastened::<T>::put(BoundedVec::truncate_from(tasks.into_iter().skip(some).collect())),
        }
    }

    fn serve_buckets(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
        let before = ServedUpTo::<T>::get().unwrap_or_else(|| now.saturating_sub(One::one()));
        let mut served_up_to = before;
        while served_up_to < now && meter.try_consume(T::WeightInfo::on_idle_bucket()).is_ok() {
            let block = served_up_to.saturating_add(One::one());
            if Self::serve_bucket(block, now, meter) == Served::NoWeight {
                break;
            }
            served_up_to = block;
        }
        ServedUpTo::<T>::put(served_up_to);
    }

    fn serve_bucket(block: BlockNumberFor<T>, now: BlockNumberFor<T>, meter: &mut WeightMeter) -> Served {
        // A task that is served takes itself out of the bucket, and nothing is put into the bucket of a block that has come.
        for id in Agenda::<T>::get(block) {
            if Self::serve(id, now, meter) == Served::NoWeight {
                return Served::NoWeight;
            }
        }
        Served::Done
    }

    /// Serves one task of the agenda if there is weight for it.
    fn serve(id: TaskId, now: BlockNumberFor<T>, meter: &mut WeightMeter) -> Served {
        if meter.try_consume(Self::look_weight()).is_err() {
            return Served::NoWeight;
        }
        // Somebody may have served a hastened task with `advance`, and it may even be purged.
        let Some(progress) = Progress::<T>::get(id) else {
            return Served::Done;
        };
        let Some(step) = progress.step(now) else {
            return Self::reschedule(id, progress, now, meter);
        };
        let most = Self::step_weight(step, &progress);
        if !meter.can_consume(most) {
            return Served::NoWeight;
        }
        match Self::take_step(id, now) {
            Ok(weight) => meter.consume(weight),
            Err(error) => {
                meter.consume(most);
                Self::postpone(id, progress, error, now);
            }
        }
        Served::Done
    }

    /// What looking at a task of the agenda takes.
    pub(crate) fn look_weight() -> Weight {
        let size = TaskProgress::<BlockNumberFor<T>>::max_encoded_len().saturating_add(KEY_PROOF);
        T::DbWeight::get()
            .reads(1)
            .saturating_add(Weight::from_parts(0, size as u64))
    }

    /// What the queue of hastened tasks takes of each block.
    pub(crate) fn queue_weight() -> Weight {
        let size = BoundedVec::<TaskId, T::MaxTasksPerBlock>::max_encoded_len().saturating_add(KEY_PROOF);
        T::DbWeight::get()
            .reads_writes(1, 1)
            .saturating_add(Weight::from_parts(0, size as u64))
    }

    /// The least share of a block with which the agenda goes on whatever is due: one step of each queue.
    #[cfg(any(feature = "std", feature = "try-runtime"))]
    pub(crate) fn least_share() -> Weight {
        let step = Self::max_step_weight()
            .max(T::WeightInfo::reschedule())
            .saturating_add(Self::look_weight());
        Self::base_weight()
            .saturating_add(T::WeightInfo::on_idle_bucket())
            .saturating_add(step.saturating_mul(2))
    }

    /// Moves a task to where it is due.
    pub(crate) fn reschedule(
        id: TaskId,
        mut progress: TaskProgress<BlockNumberFor<T>>,
        now: BlockNumberFor<T>,
        meter: &mut WeightMeter,
    ) -> Served {
        if meter.try_consume(T::WeightInfo::reschedule()).is_err() {
            return Served::NoWeight;
        }
        Self::unschedule(id, &mut progress);
        let due = progress.due;
        Self::store_and_schedule(id, progress, due, now);
        Served::Done
    }

    /// Schedules a step that failed for another try. Everything it did was undone.
    fn postpone(
        id: TaskId,
        mut progress: TaskProgress<BlockNumberFor<T>>,
        error: DispatchError,
        now: BlockNumberFor<T>,
    ) {
        log::warn!(target: LOG, "task {id}: a step is postponed: {error:?}");
        Self::deposit_event(Event::Postponed { task: id, error });
        Self::unschedule(id, &mut progress);
        Self::store_and_schedule(id, progress, now.saturating_add(RETRY_AFTER.into()), now);
    }

    /// The most that a step can weigh.
    pub(crate) fn step_weight(step: Step, progress: &TaskProgress<BlockNumberFor<T>>) -> Weight {
        let n = progress.workers();
        match step {
            Step::Expire => T::WeightInfo::expire(n),
            Step::StartReveal => T::WeightInfo::start_reveal(),
            Step::Judge => Self::judge_weight(n),
            Step::CloseAppealWindow => Self::close_appeal_window_weight(n),
            Step::Purge => T::WeightInfo::purge(),
        }
    }

    /// Judging ends in an appeal window, in another round or in failure; judging an appeal also in settling.
    fn judge_weight(n: u32) -> Weight {
        T::WeightInfo::judge(n)
            .max(T::WeightInfo::replicate(n))
            .max(T::WeightInfo::fail(n))
            .max(T::WeightInfo::rule(n).saturating_add(T::WeightInfo::settle(n.saturating_add(MAX_PLACES))))
    }

    /// Closing an appeal window ends in settling or failing, in another round, in waiting for the court, or in another result. That is
    /// settled at once where no court is asked any more; it can be failing, too. Whoever has entered a claim is dismissed as a worker is.
    fn close_appeal_window_weight(n: u32) -> Weight {
        let all = n.saturating_add(MAX_PLACES);
        let ends = T::WeightInfo::settle(all).max(Self::settle_fallen_weight(all, MAX_SHARERS));
        T::WeightInfo::reopen(n)
            .max(T::WeightInfo::await_court())
            .max(T::WeightInfo::bring_down(n).saturating_add(ends))
    }

    /// The most that any step can weigh.
    pub(crate) fn max_step_weight() -> Weight {
        let n = T::MaxContributions::get();
        T::WeightInfo::expire(n)
            .max(T::WeightInfo::start_reveal())
            .max(Self::judge_weight(n))
            .max(Self::close_appeal_window_weight(n))
            .max(T::WeightInfo::purge())
    }

    /// Takes the step of a task that is due, all or nothing, and returns its weight.
    ///
    /// Errors: `UnknownTask`, `NothingDue`, and whatever keeps the step from being taken.
    pub(crate) fn take_step(id: TaskId, now: BlockNumberFor<T>) -> Result<Weight, DispatchError> {
        with_storage_layer(|| {
            let mut progress = Self::progress_of(id)?;
            let step = progress.step(now).ok_or(Error::<T>::NothingDue)?;
            let Ok(task) = Self::task_of(id) else {
                defensive!("a task's progress without its record");
                return Err(DispatchError::Corruption);
            };
            Self::unschedule(id, &mut progress);
            match step {
                Step::Expire => Self::expire(id, &task, progress, now),
                Step::StartReveal => Ok(Self::start_reveal(id, progress, now)),
                Step::Judge => Self::judge(id, &task, progress, now),
                Step::CloseAppealWindow => Self::close_appeal_window(id, &task, progress, now),
                Step::Purge => Ok(Self::purge(id, &task)),
            }
        })
    }
}
