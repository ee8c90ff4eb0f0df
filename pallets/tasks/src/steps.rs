//! The steps of a task's life that no worker takes: beginning to reveal, judging, closing the appeal window, expiry,
//! purging.
//!
//! Each step is given a progress that has been taken out of the agenda, and schedules it for the next step.

use crate::{
    pallet::*,
    transitions::rule_on_appeal,
    types::{TaskOf, TaskProgress},
    weights::WeightInfo,
};
use agora_primitives::{
    TaskId,
    judging::{Answer, AppealTerms, Judge, Ruling, Seed, Verdict},
    participants::Participants,
    reputation::Reputation,
    task::{Chosen, Contribution, ContributionState, Phase, RoundKind},
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{ensure, pallet_prelude::*};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;

/// All workers of a task and how far they are.
pub(crate) type Workers<T> = Vec<(<T as frame_system::Config>::AccountId, Contribution<BlockNumberFor<T>>)>;

type ProgressFor<T> = TaskProgress<BlockNumberFor<T>>;
type VerdictOf<T> = Verdict<<T as frame_system::Config>::AccountId>;
type ChosenOf<T> = Chosen<<T as frame_system::Config>::AccountId>;

impl<T: Config> Pallet<T> {
    /// All workers of a task, also those that were replaced. At most `MaxContributions`, in the order of their hashed accounts.
    pub(crate) fn workers_of(id: TaskId) -> Workers<T> {
        Contributions::<T>::iter_prefix(id).collect()
    }

    /// The time to work is over: those who committed may reveal.
    pub(crate) fn start_reveal(id: TaskId, mut progress: ProgressFor<T>, now: BlockNumberFor<T>) -> Weight {
        let until = progress.start_reveal(now);
        Self::deposit_event(Event::RevealStarted { task: id, until });
        let due = progress.due;
        Self::store_and_schedule(id, progress, due, now);
        T::WeightInfo::start_reveal()
    }

    /// Nobody accepted, committed or revealed: the publisher gets everything back, and workers who accepted pay a penalty.
    pub(crate) fn expire(
        id: TaskId,
        task: &TaskOf<T>,
        progress: ProgressFor<T>,
        now: BlockNumberFor<T>,
    ) -> Result<Weight, DispatchError> {
        let workers = Self::workers_of(id);
        Self::free_slots(&workers, progress.round);
        Self::end_without_result(id, task, &workers, progress, Phase::Expired, now)?;
        Self::deposit_event(Event::Expired { task: id });
        Ok(T::WeightInfo::expire(workers.len() as u32))
    }

    /// Judges what was revealed.
    pub(crate) fn judge(
        id: TaskId,
        task: &TaskOf<T>,
        progress: ProgressFor<T>,
        now: BlockNumberFor<T>,
    ) -> Result<Weight, DispatchError> {
        let workers = Self::workers_of(id);
        Self::free_slots(&workers, progress.round);
        Invitations::<T>::remove(id);
        let seed = T::Seed::seed(&(b"agora/judge", id).encode());
        let verdict = Self::find_verdict(task, &workers, &progress, seed);
        match (progress.kind, verdict) {
            (RoundKind::Appeal, verdict) => Self::rule(id, task, &workers, verdict, progress, now),
            (RoundKind::Replication, Some(verdict)) => {
                let chosen = Self::choose(&workers, verdict)?;
                Self::open_appeal_window(id, task, chosen, seed, progress, now)?;
                Ok(T::WeightInfo::judge(workers.len() as u32))
            }
            (RoundKind::Replication, None) => Self::replicate_or_fail(id, task, workers, progress, now),
        }
    }

    /// Frees the slots that the workers of a round occupied.
    pub(crate) fn free_slots(workers: &Workers<T>, round: u32) {
        for (worker, contribution) in workers {
            if contribution.round == round && contribution.is_current() {
                T::Participants::free_slot(worker);
            }
        }
    }

    /// Has the answers judged: in an appeal those of its round alone, else all.
    fn find_verdict(
        task: &TaskOf<T>,
        workers: &Workers<T>,
        progress: &ProgressFor<T>,
        seed: H256,
    ) -> Option<VerdictOf<T>> {
        let specialisation = task.job.specialisation();
        let counts = |round: u32| match progress.kind {
            RoundKind::Replication => true,
            RoundKind::Appeal => round == progress.round,
        };
        let answers: Vec<_> = workers
            .iter()
            .filter(|(_, contribution)| counts(contribution.round))
            .filter_map(|(worker, contribution)| match contribution.state {
                ContributionState::Revealed { claim, committed_at } => Some(Answer {
                    worker: worker.clone(),
                    claim,
                    committed_at,
                    confidence: T::Reputation::confidence(worker, specialisation),
                }),
                _ => None,
            })
            .collect();
        if answers.is_empty() {
            return None;
        }
        T::Judge::judge(task.terms.judge, seed, &answers)
    }

    /// The result that a verdict names.
    fn choose(workers: &Workers<T>, verdict: VerdictOf<T>) -> Result<ChosenOf<T>, DispatchError> {
        let Verdict { claim, best } = verdict;
        let has_it = workers
            .iter()
            .any(|(worker, contribution)| *worker == best && contribution.claim() == Some(claim));
        ensure!(has_it, Error::<T>::UnknownWinner);
        Ok(Chosen { claim, best })
    }

    fn open_appeal_window(
        id: TaskId,
        task: &TaskOf<T>,
        chosen: ChosenOf<T>,
        seed: H256,
        mut progress: ProgressFor<T>,
        now: BlockNumberFor<T>,
    ) -> DispatchResult {
        let until = progress.open_appeal_window(task.terms.appeal_window, now);
        let terms = AppealTerms {
            claim: chosen.claim,
            seed,
            until,
            bond: task.terms.attest_bond,
            specialisation: task.job.specialisation(),
        };
        Self::deposit_event(Event::ResultChosen {
            task: id,
            claim: chosen.claim,
            best: chosen.best.clone(),
            appeal_until: until,
            seed,
        });
        Results::<T>::insert(id, chosen);
        T::Judge::open_appeal_window(id, terms)?;
        let due = progress.due;
        Self::store_and_schedule(id, progress, due, now);
        Ok(())
    }

    fn replicate_or_fail(
        id: TaskId,
        task: &TaskOf<T>,
        workers: Workers<T>,
        mut progress: ProgressFor<T>,
        now: BlockNumberFor<T>,
    ) -> Result<Weight, DispatchError> {
        let n = workers.len() as u32;
        let terms = &task.terms;
        let Some(count) = progress.more_replicas(terms.replicas, terms.max_replicas) else {
            Self::fail(id, task, &workers, progress, now)?;
            return Ok(T::WeightInfo::fail(n));
        };
        Self::start_round(id, task, &mut progress, RoundKind::Replication, count, now);
        let due = progress.due;
        Self::store_and_schedule(id, progress, due, now);
        Ok(T::WeightInfo::replicate(n))
    }

    /// No result can be agreed on: those who revealed get their bonds back, the others pay a penalty.
    fn fail(
        id: TaskId,
        task: &TaskOf<T>,
        workers: &Workers<T>,
        progress: ProgressFor<T>,
        now: BlockNumberFor<T>,
    ) -> DispatchResult {
        Self::end_without_result(id, task, workers, progress, Phase::Failed, now)?;
        Self::deposit_event(Event::Failed { task: id });
        Ok(())
    }

    /// Rules on an appealed result by the answers of the fresh round.
    fn rule(
        id: TaskId,
        task: &TaskOf<T>,
        workers: &Workers<T>,
        verdict: Option<VerdictOf<T>>,
        progress: ProgressFor<T>,
        now: BlockNumberFor<T>,
    ) -> Result<Weight, DispatchError> {
        let original = Results::<T>::get(id).ok_or(DispatchError::Corruption)?;
        let fresh = verdict.map(|verdict| Self::choose(workers, verdict)).transpose()?;
        let fresh_claim = fresh.as_ref().map(|fresh| fresh.claim);
        let ruling = rule_on_appeal(original.claim, fresh_claim, T::Judge::tally(id));
        let verifiers = T::Judge::close_appeal_window(id, ruling)?;
        match (ruling, fresh) {
            (Ruling::Overturned, Some(fresh)) => {
                Results::<T>::insert(id, &fresh);
                Self::settle(id, task, workers, fresh, verifiers, progress, now)?;
            }
            (Ruling::Upheld, _) => {
                Self::settle(id, task, workers, original, verifiers, progress, now)?;
            }
            (Ruling::Undecided | Ruling::Overturned, _) => {
                Results::<T>::remove(id);
                Self::fail(id, task, workers, progress, now)?;
            }
        }
        Ok(T::WeightInfo::rule(workers.len() as u32))
    }

    /// The appeal window is over: a result that nobody attested against is settled, else fresh workers are drawn.
    pub(crate) fn close_appeal_window(
        id: TaskId,
        task: &TaskOf<T>,
        mut progress: ProgressFor<T>,
        now: BlockNumberFor<T>,
    ) -> Result<Weight, DispatchError> {
        let workers = Self::workers_of(id);
        let n = workers.len() as u32;
        if T::Judge::tally(id).against > 0 {
            Self::start_round(id, task, &mut progress, RoundKind::Appeal, task.terms.replicas, now);
            let due = progress.due;
            Self::store_and_schedule(id, progress, due, now);
            return Ok(T::WeightInfo::reopen(n));
        }
        let chosen = Results::<T>::get(id).ok_or(DispatchError::Corruption)?;
        let verifiers = T::Judge::close_appeal_window(id, Ruling::Upheld)?;
        Self::settle(id, task, &workers, chosen, verifiers, progress, now)?;
        Ok(T::WeightInfo::settle(n))
    }

    /// Removes the record of a finished task.
    pub(crate) fn purge(id: TaskId, task: &TaskOf<T>) -> Weight {
        Tasks::<T>::remove(id);
        Progress::<T>::remove(id);
        Results::<T>::remove(id);
        References::<T>::remove(&task.publisher, task.reference);
        Self::deposit_event(Event::Purged { task: id });
        T::WeightInfo::purge()
    }
}
