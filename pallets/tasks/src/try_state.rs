//! What must hold at the end of every block. These invariants are the pallet's documentation of its own storage.

use crate::{
    pallet::*,
    places::price,
    types::{TaskOf, TaskProgress},
};
use agora_primitives::{
    TaskId,
    courts::Accusers,
    judging::JudgeRule,
    money::{Escrow, Purpose, Scope},
    task::{ContributionState, MOST_LATE_STEPS, Phase, RoundKind},
};
use alloc::collections::{BTreeMap, BTreeSet};
use codec::Encode;
use frame_support::{ensure, traits::Get};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
    TryRuntimeError,
    traits::{Saturating, Zero},
};

type Checked = Result<(), TryRuntimeError>;
type ProgressFor<T> = TaskProgress<BlockNumberFor<T>>;

impl<T: Config> Pallet<T> {
    /// Checks every invariant of this pallet's storage, and its money against the escrow.
    ///
    /// 1. Every class is valid.
    /// 2. Each task has one progress and one reference, and nothing has them without a task; ids are below the next one.
    /// 3. Reward, stake and fee of an unfinished task are held exactly, less what late steps were paid with; of a finished one
    ///    nothing is held.
    /// 4. Each worker of an unfinished task has exactly its bond held, but one that was replaced nothing; its progress counts
    ///    them right; a finished task has no workers and no invitation.
    /// 5. A result is kept exactly while there is one: appealable, appealed, settled.
    /// 6. The agenda has each task exactly where its progress says, and nothing for blocks that were served.
    /// 7. The unfinished tasks per publisher and class are counted right.
    /// 8. The agenda's share of a block is enough for the heaviest step of each queue.
    /// 9. Claims fell only of tasks whose result may be appealed, each once, and no result is chosen that fell.
    ///    Claims were entered only of tasks with a result, each once, by accounts that have no other part in the task.
    /// 10. Draws that were ordered wait in turn, and exactly the rounds that wait for one invite nobody yet.
    /// 11. Exactly the tasks that the chain computes have a round for that, and none of them is ever judged, appealed or failed.
    pub fn do_try_state() -> Checked {
        Self::check_classes()?;
        Self::check_records()?;
        for (id, progress) in Progress::<T>::iter() {
            let task = Self::task_of(id).map_err(|_| "progress without a task")?;
            Self::check_rule(&task, &progress)?;
            Self::check_publisher_money(id, &task, &progress)?;
            Self::check_workers(id, &task, &progress)?;
            Self::check_result(id, &progress)?;
        }
        Self::check_fallen()?;
        Self::check_places()?;
        Self::check_agenda()?;
        ensure!(
            Self::least_share().all_lte(T::MaxAgendaWeight::get()),
            "the agenda's share of a block is too small"
        );
        Self::check_draws()?;
        Self::check_open_tasks()
    }

    fn check_classes() -> Checked {
        for (_, class) in Classes::<T>::iter() {
            Self::ensure_class(&class).map_err(|_| "a class is not valid")?;
        }
        Ok(())
    }

    fn check_rule(task: &TaskOf<T>, progress: &ProgressFor<T>) -> Checked {
        let is_exact = task.terms.judge == JudgeRule::Exact;
        ensure!(
            is_exact == (progress.kind == RoundKind::Exact),
            "a round is for something else than the rule of its task"
        );
        let waits = matches!(progress.phase, Phase::Judging | Phase::Appealable | Phase::Failed);
        ensure!(!(is_exact && waits), "a task is judged that the chain computes");
        Ok(())
    }

    fn check_records() -> Checked {
        let next = NextTaskId::<T>::get();
        for (id, task) in Tasks::<T>::iter() {
            ensure!(id < next, "a task's id is not below the next");
            ensure!(Progress::<T>::contains_key(id), "a task without progress");
            ensure!(
                References::<T>::get(&task.publisher, task.reference) == Some(id),
                "a task's reference does not lead to it"
            );
        }
        let (tasks, references) = (Tasks::<T>::iter_keys().count(), References::<T>::iter().count());
        ensure!(tasks == references, "a reference without a task");
        for (id, _) in Contributions::<T>::iter_keys() {
            ensure!(Tasks::<T>::contains_key(id), "a contribution without a task");
        }
        for (id, invitation) in Invitations::<T>::iter() {
            let mut invited = invitation.workers.iter();
            let has_accepted = |worker| Contributions::<T>::contains_key(id, worker);
            ensure!(
                !invited.any(has_accepted),
                "a slot is kept for somebody who has accepted"
            );
        }
        for id in Results::<T>::iter_keys().chain(Invitations::<T>::iter_keys()) {
            ensure!(Tasks::<T>::contains_key(id), "a result or invitation without a task");
        }
        Ok(())
    }

    fn check_draws() -> Checked {
        let queue = DrawQueue::<T>::get();
        let mut waiting = BTreeSet::new();
        for (number, order) in DrawOrders::<T>::iter() {
            ensure!(
                (queue.first..queue.next).contains(&number),
                "a draw was ordered out of turn"
            );
            waiting.insert((order.task, order.round));
        }
        let all = queue.next.saturating_sub(queue.first);
        ensure!(
            all == DrawOrders::<T>::iter_keys().count() as u64,
            "an ordered draw is missing"
        );
        for (id, invitation) in Invitations::<T>::iter() {
            let round = Progress::<T>::get(id).map(|progress| progress.round);
            let waits = round.is_some_and(|round| waiting.contains(&(id, round)));
            ensure!(
                waits == invitation.workers.is_empty(),
                "a task is closed that waits for no draw, or open though it waits for one"
            );
        }
        Ok(())
    }

    fn check_publisher_money(id: TaskId, task: &TaskOf<T>, progress: &ProgressFor<T>) -> Checked {
        let terms = &task.terms;
        ensure!(progress.paid_steps <= MOST_LATE_STEPS, "too many steps were paid for");
        let paid = terms.step_pay().saturating_mul(progress.paid_steps.into());
        for (purpose, amount) in [
            (Purpose::TaskReward, terms.reward),
            (Purpose::PublisherStake, terms.stake),
            (Purpose::PublicationFee, terms.fee.saturating_sub(paid)),
        ] {
            let expected = if progress.phase.is_finished() {
                Zero::zero()
            } else {
                amount
            };
            let held = T::Escrow::held(purpose, Scope::Task(id), &task.publisher);
            ensure!(held == expected, "not what the publisher should have held");
        }
        Ok(())
    }

    fn check_workers(id: TaskId, task: &TaskOf<T>, progress: &ProgressFor<T>) -> Checked {
        let (mut all, mut replaced, mut accepted, mut committed, mut revealed) = (0u32, 0u32, 0u32, 0u32, 0u32);
        for (worker, contribution) in Contributions::<T>::iter_prefix(id) {
            let held = T::Escrow::held(Purpose::TaskBond, Scope::Task(id), &worker);
            let expected = if contribution.is_current() {
                task.terms.bond
            } else {
                Zero::zero()
            };
            ensure!(held == expected, "not the bond a worker should have held");
            ensure!(worker != task.publisher, "a publisher works on its own task");
            ensure!(
                contribution.round <= progress.round,
                "a contribution from a round to come"
            );
            if !contribution.is_current() {
                replaced = replaced.saturating_add(1);
                continue;
            }
            all = all.saturating_add(1);
            if contribution.round == progress.round {
                let state = &contribution.state;
                let is_revealed = matches!(state, ContributionState::Revealed { .. });
                let is_accepted = matches!(state, ContributionState::Accepted { .. });
                accepted = accepted.saturating_add(1);
                committed = committed.saturating_add(u32::from(!is_accepted));
                revealed = revealed.saturating_add(u32::from(is_revealed));
            }
        }
        if progress.phase.is_finished() {
            ensure!(all == 0 && replaced == 0, "a finished task has workers");
            ensure!(!Invitations::<T>::contains_key(id), "a finished task invites");
            return Ok(());
        }
        ensure!(all == progress.contributions, "contributions are miscounted");
        ensure!(replaced == progress.replaced, "replaced workers are miscounted");
        ensure!(
            progress.workers() <= T::MaxContributions::get(),
            "too many contributions"
        );
        let counted = (progress.accepted, progress.committed, progress.revealed);
        ensure!((accepted, committed, revealed) == counted, "a round is miscounted");
        ensure!(accepted <= progress.wanted, "more workers than wanted");
        ensure!(
            (progress.phase == Phase::Open) <= (all == 0),
            "an open task has workers"
        );
        Ok(())
    }

    fn check_result(id: TaskId, progress: &ProgressFor<T>) -> Checked {
        let appealed = progress.kind == RoundKind::Appeal && !progress.phase.is_finished();
        let expected = appealed || matches!(progress.phase, Phase::Appealable | Phase::Settled);
        ensure!(
            Results::<T>::contains_key(id) == expected,
            "a result too many or too few"
        );
        Ok(())
    }

    fn check_fallen() -> Checked {
        for (id, fallen) in Fallen::<T>::iter() {
            let phase = Progress::<T>::get(id).map(|progress| progress.phase);
            ensure!(
                phase == Some(Phase::Appealable),
                "a claim fell of a task that has no result to be appealed"
            );
            ensure!(!fallen.is_empty(), "no claim fell, and that is noted");
            let has_accusers = |(_, accusers): &(_, Accusers<T::AccountId>)| !accusers.is_empty();
            ensure!(fallen.iter().all(has_accusers), "a claim fell that nobody accused");
            let claims: BTreeSet<_> = fallen.iter().map(|(claim, _)| claim.encode()).collect();
            ensure!(claims.len() == fallen.len(), "a claim fell twice");
            let chosen = Results::<T>::get(id).map(|chosen| chosen.claim.encode());
            ensure!(
                chosen.is_none_or(|chosen| !claims.contains(&chosen)),
                "a result is chosen that fell"
            );
        }
        Ok(())
    }

    fn check_places() -> Checked {
        for (id, places) in Places::<T>::iter() {
            let task = Self::task_of(id).map_err(|_| "a claim was entered of no task")?;
            ensure!(
                Results::<T>::contains_key(id) && !Self::progress_of(id)?.phase.is_finished(),
                "a claim was entered of a task that has no result to be accused"
            );
            let claims: BTreeSet<_> = places.iter().map(|place| place.claim.encode()).collect();
            let accounts: BTreeSet<_> = places.iter().map(|place| place.who.encode()).collect();
            ensure!(
                claims.len() == places.len() && accounts.len() == places.len(),
                "two places of one claim or one account"
            );
            for (place, before) in places.iter().zip(0..) {
                ensure!(
                    place.who != task.publisher && !Contributions::<T>::contains_key(id, &place.who),
                    "somebody with another part in the task has a place"
                );
                let bond = price(task.terms.bond, before);
                let held = T::Escrow::held(Purpose::TaskBond, Scope::Task(id), &place.who);
                ensure!(place.bond == bond && held == bond, "not the bond that a place costs");
            }
        }
        Ok(())
    }

    fn check_agenda() -> Checked {
        let served = ServedUpTo::<T>::get();
        let mut seen = BTreeSet::new();
        for (block, tasks) in Agenda::<T>::iter() {
            ensure!(!tasks.is_empty(), "an empty bucket in the agenda");
            ensure!(served.is_none_or(|served| block > served), "a bucket that was served");
            for id in tasks {
                ensure!(seen.insert(id), "a task is in the agenda twice");
                let progress = Self::progress_of(id).map_err(|_| "an agenda entry of no task")?;
                ensure!(progress.scheduled_at == Some(block), "a task is in the wrong bucket");
            }
        }
        for (id, progress) in Progress::<T>::iter() {
            let scheduled = progress.scheduled_at.is_some();
            ensure!(seen.contains(&id) == scheduled, "a task is not where it is scheduled");
        }
        Ok(())
    }

    fn check_open_tasks() -> Checked {
        let mut counts = BTreeMap::new();
        for (id, progress) in Progress::<T>::iter() {
            if !progress.phase.is_finished() {
                let task = Self::task_of(id).map_err(|_| "progress without a task")?;
                let count: &mut u32 = counts.entry((task.publisher.encode(), task.class)).or_default();
                *count = count.saturating_add(1);
            }
        }
        for (publisher, class, count) in OpenTasks::<T>::iter() {
            let actual = counts.remove(&(publisher.encode(), class));
            ensure!(actual == Some(count), "a publisher's unfinished tasks are miscounted");
        }
        ensure!(counts.is_empty(), "a publisher's unfinished tasks are not counted");
        Ok(())
    }
}
