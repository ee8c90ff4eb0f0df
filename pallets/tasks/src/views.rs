//! What the view functions answer with.

use crate::{
    TASKS_PER_PAGE,
    pallet::*,
    types::{TaskOf, TaskPageOf, TaskProgress, TaskViewOf},
};
use agora_primitives::{
    TaskId,
    judging::Judge,
    task::{Invitation, Phase, TaskPage},
};
use alloc::vec::Vec;
use frame_system::pallet_prelude::BlockNumberFor;

impl<T: Config> Pallet<T> {
    /// The view of one task.
    pub(crate) fn view_of(id: TaskId) -> Option<TaskViewOf<T>> {
        Self::view(id, &Progress::<T>::get(id)?)
    }

    fn view(id: TaskId, progress: &TaskProgress<BlockNumberFor<T>>) -> Option<TaskViewOf<T>> {
        let invited = Invitations::<T>::get(id).map(|invitation| Invitation {
            workers: invitation.workers.into_inner(),
            until: invitation.until,
        });
        let task = Tasks::<T>::get(id)?;
        let kept = Self::slots_kept_until(id, &task, progress);
        let is_appealable = progress.phase == Phase::Appealable;
        let appeal_until = T::Judge::appeal_until(id).filter(|_| is_appealable);
        Some(task.view(id, progress, appeal_until, kept, invited, Results::<T>::get(id)))
    }

    /// The last block in which no slot of the current round may be taken over; `None`: none ever may be.
    fn slots_kept_until(
        id: TaskId,
        task: &TaskOf<T>,
        progress: &TaskProgress<BlockNumberFor<T>>,
    ) -> Option<BlockNumberFor<T>> {
        if !progress.may_replace(Self::most_replaced(task)) {
            return None;
        }
        let workers = Contributions::<T>::iter_prefix_values(id);
        workers.filter_map(|worker| progress.slot_kept_until(&worker)).min()
    }

    /// Whether a task's current round wants more workers, now or when one of its workers is late.
    pub(crate) fn wants_workers(id: TaskId, progress: &TaskProgress<BlockNumberFor<T>>) -> bool {
        progress.phase.takes_workers()
            && Tasks::<T>::get(id).is_some_and(|task| progress.wants_workers(Self::most_replaced(&task)))
    }

    /// The tasks after `after` in the order of the map, as many as a page looks at, of which those that are `wanted`.
    pub(crate) fn page(
        after: Option<TaskId>,
        wanted: impl Fn(TaskId, &TaskProgress<BlockNumberFor<T>>) -> bool,
    ) -> TaskPageOf<T> {
        let entries = match after {
            Some(id) => Progress::<T>::iter_from_key(id),
            None => Progress::<T>::iter(),
        };
        let page: Vec<_> = entries.take(TASKS_PER_PAGE as usize).collect();
        let is_full = page.len() == TASKS_PER_PAGE as usize;
        TaskPage {
            next: page.last().map(|(id, _)| *id).filter(|_| is_full),
            tasks: page
                .iter()
                .filter(|(id, progress)| wanted(*id, progress))
                .filter_map(|(id, progress)| Self::view(*id, progress))
                .collect(),
        }
    }
}
