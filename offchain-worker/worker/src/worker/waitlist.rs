//! Tasks that were not taken: for good, or not now. The latter are looked at again, after longer and longer times.

use super::policy::Unsuitable;
use agora_chain::{BlockNumber, views::TaskView};
use agora_primitives::TaskId;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Blocks until a task is looked at again for the first time, where each further time it is twice as many; and the most.
const WAIT: (BlockNumber, BlockNumber) = (2, 64);
/// The same where looking costs a fee.
const WAIT_FOR_MONEY: (BlockNumber, BlockNumber) = (16, 1024);

#[derive(Default)]
pub(super) struct Waitlist(Mutex<HashMap<TaskId, Declined>>);

struct Declined {
    round: u32,
    why: Unsuitable,
    times: u32,
    /// Whether the invitation to it was declined.
    is_declined: bool,
    /// `None`: never.
    again_at: Option<BlockNumber>,
}

impl Waitlist {
    /// `task` was not taken at block `now`. Returns whether that has another reason than the last time.
    pub fn decline(&self, task: TaskId, round: u32, why: Unsuitable, now: BlockNumber) -> bool {
        let mut list = self.lock();
        let before = list.get(&task).filter(|before| before.round == round);
        let is_new = before.is_none_or(|before| before.why != why);
        let times = before.map_or(0, |before| before.times.saturating_add(1));
        let is_declined = before.is_some_and(|before| before.is_declined);
        let (first, longest) = match why {
            Unsuitable::Refused => WAIT_FOR_MONEY,
            _ => WAIT,
        };
        let wait = first.saturating_mul(1 << times.min(16)).min(longest);
        let again_at = (!why.is_for_good()).then(|| now.saturating_add(wait));
        list.insert(
            task,
            Declined {
                round,
                why,
                times,
                is_declined,
                again_at,
            },
        );
        is_new
    }

    /// Whether to look at `task`, which is in `round`, at block `now`. A new round is a new chance, except for what is for
    /// good.
    pub fn is_due(&self, task: TaskId, round: u32, now: BlockNumber) -> bool {
        let list = self.lock();
        list.get(&task).is_none_or(|declined| match declined.again_at {
            None => false,
            Some(again_at) => declined.round != round || again_at <= now,
        })
    }

    /// Whether to decline the invitation to `task`, which is in `round`: once, if it is of no use.
    pub fn declines(&self, task: TaskId, round: u32) -> bool {
        let mut list = self.lock();
        let declined = list
            .get_mut(&task)
            .filter(|declined| declined.round == round && !declined.is_declined && declined.why.is_worth_declining());
        declined.is_some_and(|declined| {
            declined.is_declined = true;
            true
        })
    }

    /// Forgets `task`.
    pub fn remove(&self, task: TaskId) {
        self.lock().remove(&task);
    }

    /// Forgets all that is not among `open`, and returns what that was.
    pub fn keep<'a>(&self, open: impl Iterator<Item = &'a TaskView>) -> Vec<TaskId> {
        let mut list = self.lock();
        let mut kept = HashMap::new();
        for task in open {
            if let Some(declined) = list.remove(&task.id) {
                kept.insert(task.id, declined);
            }
        }
        std::mem::replace(&mut *list, kept).into_keys().collect()
    }

    /// How many are declined, by reason.
    pub fn count(&self) -> HashMap<Unsuitable, i64> {
        let mut count = HashMap::new();
        for declined in self.lock().values() {
            *count.entry(declined.why).or_default() += 1;
        }
        count
    }

    /// How many tasks are remembered.
    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TaskId, Declined>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_for_now_is_looked_at_again_later_and_later() {
        let list = Waitlist::default();
        let task = TaskId(1);
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..8 {
            assert!(list.is_due(task, 0, now));
            list.decline(task, 0, Unsuitable::Input, now);
            let wait = (1..)
                .find(|wait| list.is_due(task, 0, now + wait))
                .expect("at some time");
            waits.push(wait);
            now += wait;
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 64, 64]);
    }

    #[test]
    fn what_is_for_good_is_not_looked_at_again_in_any_round() {
        let list = Waitlist::default();
        list.decline(TaskId(1), 0, Unsuitable::Kind, 0);
        list.decline(TaskId(2), 0, Unsuitable::Time, 0);
        assert!(!list.is_due(TaskId(1), 0, 1_000_000));
        assert!(!list.is_due(TaskId(1), 1, 1_000_000));
        assert!(!list.is_due(TaskId(2), 0, 1));
        assert!(list.is_due(TaskId(2), 1, 1), "a new round has a new deadline");
    }

    #[test]
    fn a_reason_is_new_once() {
        let list = Waitlist::default();
        assert!(list.decline(TaskId(1), 0, Unsuitable::Input, 0));
        assert!(!list.decline(TaskId(1), 0, Unsuitable::Input, 2));
        assert!(list.decline(TaskId(1), 0, Unsuitable::Funds, 6));
        assert_eq!(list.count().get(&Unsuitable::Funds), Some(&1));
        list.keep(std::iter::empty());
        assert!(list.count().is_empty());
    }

    #[test]
    fn an_invitation_of_no_use_is_declined_once_a_round() {
        let list = Waitlist::default();
        let task = TaskId(1);
        assert!(!list.declines(task, 0), "nothing is known of it");
        list.decline(task, 0, Unsuitable::Slots, 10);
        assert!(!list.declines(task, 0), "a slot may be free soon");
        list.decline(task, 0, Unsuitable::Input, 12);
        assert!(!list.declines(task, 1), "that is another round");
        assert!(list.declines(task, 0));
        list.decline(task, 0, Unsuitable::Input, 14);
        assert!(!list.declines(task, 0));
        list.decline(task, 1, Unsuitable::Input, 20);
        assert!(list.declines(task, 1));
    }
}
