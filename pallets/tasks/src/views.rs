//! What the view functions answer with.

use crate::{
    TASKS_PER_PAGE,
    pallet::*,
    types::{TaskPageOf, TaskProgress, TaskViewOf},
};
use agora_primitives::{
    TaskId,
    task::{Invitation, TaskPage},
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
        Some(task.view(id, progress, invited, Results::<T>::get(id)))
    }

    /// The tasks after `after` in the order of the map, as many as a page looks at, of which those that are `wanted`.
    pub(crate) fn page(
        after: Option<TaskId>,
        wanted: impl Fn(&TaskProgress<BlockNumberFor<T>>) -> bool,
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
                .filter(|(_, progress)| wanted(progress))
                .filter_map(|(id, progress)| Self::view(*id, progress))
                .collect(),
        }
    }
}
