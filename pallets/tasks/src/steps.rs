//! The steps of a task's life that no worker takes: beginning to reveal, judging, closing the appeal window, expiry,
//! purging.
//!
//! Each step is given a progress that has been taken out of the agenda, and schedules it for the next step.

use crate::{
    pallet::*,
    places::heir,
    transitions::{rule_on, rule_on_appeal},
    types::{TaskOf, TaskProgress},
    weights::WeightInfo,
};
use agora_math::consensus::lot;
use agora_primitives::{
    TaskId,
    courts::{Accusers, CaseTerms, Court, Standing},
    job::Claim,
    judging::{Answer, AppealTerms, Judge, JudgeRule, Reveals, Ruling, Seed, Tally, Verdict},
    participants::Participants,
    reputation::Reputation,
    task::{Chosen, Contribution, ContributionState, Phase, RoundKind},
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{ensure, pallet_prelude::*};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::traits::{One, Saturating};

/// All workers of a task and how far they are.
pub(crate) type Workers<T> = Vec<(<T as frame_system::Config>::AccountId, Contribution<BlockNumberFor<T>>)>;

type ProgressFor<T> = TaskProgress<BlockNumberFor<T>>;
type AnswerOf<T> = Answer<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;
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
        mut progress: ProgressFor<T>,
        now: BlockNumberFor<T>,
    ) -> Result<Weight, DispatchError> {
        let workers = Self::workers_of(id);
        Self::free_slots(&workers, progress.round);
        Invitations::<T>::remove(id);
        let seed = T::Seed::seed(&(b"agora/judge", id).encode());
        let answers = Self::answers_of(task, &workers, &progress);
        let mut verdict = T::Judge::judge(task.terms.judge, seed, &answers);
        if verdict.is_none() && progress.kind == RoundKind::Appeal && T::Judge::tally(id).is_against() {
            // Who sits in the round can spoil its agreement. Most of those who looked say that the result is wrong: what
            // most of the round says is taken to court then, not what they all objected to. That is no agreement: whoever
            // objected, and is found wrong for want of somebody who accuses, loses a part of the bond alone.
            progress.has_disagreed = true;
            verdict = T::Judge::judge(JudgeRule::MAJORITY, seed, &answers);
        }
        match (progress.kind, verdict) {
            (RoundKind::Appeal, verdict) => Self::rule(id, task, &workers, verdict, progress, now),
            (RoundKind::Replication | RoundKind::Exact, Some(verdict)) => {
                let chosen = Self::choose(&workers, verdict)?;
                Self::open_appeal_window(id, task, chosen, seed, progress, now)?;
                Ok(T::WeightInfo::judge(workers.len() as u32))
            }
            (RoundKind::Replication | RoundKind::Exact, None) => {
                Self::replicate_or_fail(id, task, workers, progress, now)
            }
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

    /// The answers that are judged: in an appeal those of its round alone, else all.
    fn answers_of(task: &TaskOf<T>, workers: &Workers<T>, progress: &ProgressFor<T>) -> Vec<AnswerOf<T>> {
        let specialisation = task.job.specialisation();
        let counts = |round: u32| match progress.kind {
            RoundKind::Replication | RoundKind::Exact => true,
            RoundKind::Appeal => round == progress.round,
        };
        workers
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
            .collect()
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
            reveal_window: task.terms.reveal_window,
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
        Self::open_case(id, task, chosen.claim, until)?;
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
        let after = match (ruling, fresh) {
            (Ruling::Overturned, Some(fresh)) => Self::replace_result(id, task, workers, fresh, progress, now)?,
            (Ruling::Upheld, _) => Self::replace_result(id, task, workers, original, progress, now)?,
            _ => Self::stand_without_agreement(id, task, workers, original, progress, now)?,
        };
        Ok(T::WeightInfo::rule(workers.len() as u32).saturating_add(after))
    }

    /// Fresh replicas agree on nothing, and no majority of attesters is for the result. It stands all the same if the court may be asked
    /// about it once more: else a publisher could have a right result, and its reward back, for a few attesters and one place in the
    /// round. Without a court nobody can tell, and the task fails. Returns what that weighs.
    fn stand_without_agreement(
        id: TaskId,
        task: &TaskOf<T>,
        workers: &Workers<T>,
        original: ChosenOf<T>,
        mut progress: ProgressFor<T>,
        now: BlockNumberFor<T>,
    ) -> Result<Weight, DispatchError> {
        progress.has_disagreed = true;
        let until = progress.replace_result(task.terms.appeal_window, now);
        if !Self::open_case(id, task, original.claim, until)? {
            return Self::end_undecided(id, task, workers, Ruling::Disagreed, progress, now);
        }
        Self::await_case(id, original, until, progress, now);
        Ok(Weight::zero())
    }

    /// No claim is known to be right: the task fails. Returns what that weighs.
    fn end_undecided(
        id: TaskId,
        task: &TaskOf<T>,
        workers: &Workers<T>,
        ruling: Ruling,
        progress: ProgressFor<T>,
        now: BlockNumberFor<T>,
    ) -> Result<Weight, DispatchError> {
        // Settling closes an appeal window, too, and pays more.
        let weight = Self::settled_weight(id, workers);
        T::Judge::close_appeal_window(id, ruling)?;
        Results::<T>::remove(id);
        Self::fail(id, task, workers, progress, now)?;
        Ok(weight)
    }

    /// What ending a task that has had an appeal window weighs: accusers that have entered are as many more workers, and the penalties of
    /// those whose claims fell are divided.
    fn settled_weight(id: TaskId, workers: &Workers<T>) -> Weight {
        let n = Self::places_of(id).saturating_add(workers.len() as u32);
        let fallen = Fallen::<T>::get(id);
        match fallen.iter().map(|(_, accusers)| accusers.len() as u32).max() {
            Some(sharers) => Self::settle_fallen_weight(n, sharers),
            None => T::WeightInfo::settle(n),
        }
    }

    /// What settling weighs if the penalty of each of `n` is divided among so many accusers: one was measured with it.
    pub(crate) fn settle_fallen_weight(n: u32, sharers: u32) -> Weight {
        let more = u64::from(sharers.saturating_sub(1)).saturating_mul(n.into());
        let one = T::WeightInfo::share(1).saturating_sub(T::WeightInfo::share(0));
        T::WeightInfo::settle_fallen(n).saturating_add(one.saturating_mul(more))
    }

    /// Opens the case of a claim; whether there is a court that decides it.
    fn open_case(id: TaskId, task: &TaskOf<T>, claim: Claim, until: BlockNumberFor<T>) -> Result<bool, DispatchError> {
        let job = task.job.clone();
        T::Court::open(id, CaseTerms { job, claim, until })
    }

    /// Chooses `chosen` instead of the result that was chosen before, or once more. Where there is a court it may be asked about this one,
    /// too: else whoever can have a result replaced could choose it. Returns what settling weighs, if there is none.
    fn replace_result(
        id: TaskId,
        task: &TaskOf<T>,
        workers: &Workers<T>,
        chosen: ChosenOf<T>,
        mut progress: ProgressFor<T>,
        now: BlockNumberFor<T>,
    ) -> Result<Weight, DispatchError> {
        let claim = chosen.claim;
        Results::<T>::insert(id, &chosen);
        let until = progress.replace_result(task.terms.appeal_window, now);
        if !Self::open_case(id, task, claim, until)? {
            return Self::conclude(id, task, workers, chosen, progress, now);
        }
        Self::await_case(id, chosen, until, progress, now);
        Ok(Weight::zero())
    }

    /// Waits for what the court says about the result, of which a case is open in the place of an earlier one.
    fn await_case(
        id: TaskId,
        chosen: ChosenOf<T>,
        until: BlockNumberFor<T>,
        progress: ProgressFor<T>,
        now: BlockNumberFor<T>,
    ) {
        let Chosen { claim, best } = chosen;
        Self::deposit_event(Event::ResultReplaced {
            task: id,
            claim,
            best,
            until,
        });
        let due = progress.due;
        Self::store_and_schedule(id, progress, due, now);
    }

    /// Settles the result that stands in the end, and rules on what was attested of the one that was chosen first. Returns what that
    /// weighs.
    fn conclude(
        id: TaskId,
        task: &TaskOf<T>,
        workers: &Workers<T>,
        chosen: ChosenOf<T>,
        progress: ProgressFor<T>,
        now: BlockNumberFor<T>,
    ) -> Result<Weight, DispatchError> {
        let first = T::Judge::appealed(id).unwrap_or(chosen.claim);
        let ruling = rule_on(first, chosen.claim, progress.has_disagreed);
        let weight = Self::settled_weight(id, workers);
        let Tally { in_favour, against } = T::Judge::tally(id);
        let attested = in_favour.saturating_add(against);
        let verifiers = T::Judge::close_appeal_window(id, ruling)?;
        Self::settle(id, task, workers, chosen, (verifiers, attested), progress, now)?;
        Ok(weight)
    }

    /// A court found that the result is wrong: another claim takes its place ([`heir`]); if there is none, the task fails. Returns what
    /// comes on top of that.
    fn bring_down(
        id: TaskId,
        task: &TaskOf<T>,
        workers: &Workers<T>,
        accusers: Accusers<T::AccountId>,
        progress: ProgressFor<T>,
        now: BlockNumberFor<T>,
    ) -> Result<Weight, DispatchError> {
        let claim = Results::<T>::get(id).ok_or(DispatchError::Corruption)?.claim;
        Self::deposit_event(Event::ResultFell {
            task: id,
            claim,
            accusers: accusers.clone(),
        });
        let mut noted = Fallen::<T>::get(id);
        // There is room for every claim that there can be.
        noted
            .try_push((claim, accusers))
            .map_err(|_| DispatchError::Corruption)?;
        let fallen: Vec<_> = noted.iter().map(|(claim, _)| *claim).collect();
        Fallen::<T>::insert(id, noted);
        // Drawn now, so that nobody can choose an account or a block by it.
        let seed = T::Seed::seed(&(b"agora/heir", id).encode());
        let lot = |who: &T::AccountId| lot(seed.as_fixed_bytes(), who);
        match heir(workers, &Places::<T>::get(id), &fallen, lot) {
            Some(heir) => Self::replace_result(id, task, workers, heir, progress, now),
            None => Self::end_undecided(id, task, workers, Ruling::Undecided, progress, now),
        }
    }

    /// Whether nothing would come of the step of a task now, because it waits for the court, or for attestations to be revealed.
    pub(crate) fn awaits_others(id: TaskId, progress: &ProgressFor<T>, now: BlockNumberFor<T>) -> bool {
        if progress.phase != Phase::Appealable {
            return false;
        }
        match T::Judge::reveals(id) {
            Reveals::Undrawn { from } => now < from,
            Reveals::Pending { .. } => true,
            Reveals::Done => match T::Court::standing(id) {
                Standing::Pending { .. } => true,
                Standing::Stands => Self::may_attest_until(id, now).is_some(),
                Standing::Fallen { .. } | Standing::Undecided => false,
            },
        }
    }

    /// The last block in which verifiers may commit to attestations, if they still may: full blocks were no time to do so.
    fn may_attest_until(id: TaskId, now: BlockNumberFor<T>) -> Option<BlockNumberFor<T>> {
        T::Judge::appeal_until(id).filter(|until| now <= *until)
    }

    /// The block up to which a task waits for the court, which says so, and for attestations to be revealed. Draws the chunks
    /// that attesters show, when it is time.
    ///
    /// Attestations are waited for whatever the court says: else somebody who is right could lose its bond because it had no time
    /// to reveal.
    fn awaited(
        id: TaskId,
        standing: &Standing<T::AccountId, BlockNumberFor<T>>,
        now: BlockNumberFor<T>,
    ) -> Option<BlockNumberFor<T>> {
        let mut reveals = T::Judge::reveals(id);
        if let Reveals::Undrawn { from } = reveals {
            if now < from {
                // To be asked again in that block.
                return Some(from.saturating_sub(One::one()));
            }
            T::Judge::draw_chunks(id, T::Seed::seed(&(b"agora/chunks", id).encode()));
            reveals = T::Judge::reveals(id);
        }
        let court = match standing {
            Standing::Pending { until } => Some(*until),
            Standing::Stands => Self::may_attest_until(id, now),
            Standing::Fallen { .. } | Standing::Undecided => None,
        };
        match reveals {
            Reveals::Pending { until } => court.max(Some(until)),
            Reveals::Done | Reveals::Undrawn { .. } => court,
        }
    }

    /// The appeal window is over, attestations are revealed, or the court has decided. What there is none of is waited for; if
    /// the result fell, another takes its place. Else a result that nobody attested against, or that was ruled on, is settled;
    /// for others fresh workers are drawn.
    pub(crate) fn close_appeal_window(
        id: TaskId,
        task: &TaskOf<T>,
        mut progress: ProgressFor<T>,
        now: BlockNumberFor<T>,
    ) -> Result<Weight, DispatchError> {
        let standing = T::Court::standing(id);
        if let Some(until) = Self::awaited(id, &standing, now) {
            progress.await_others(until, now);
            let due = progress.due;
            Self::store_and_schedule(id, progress, due, now);
            return Ok(T::WeightInfo::await_court());
        }
        T::Court::close(id);
        let workers = Self::workers_of(id);
        let n = workers.len() as u32;
        match standing {
            Standing::Fallen { accusers } => {
                let after = Self::bring_down(id, task, &workers, accusers, progress, now)?;
                return Ok(T::WeightInfo::bring_down(n).saturating_add(after));
            }
            Standing::Undecided => {
                return Self::end_undecided(id, task, &workers, Ruling::Undecided, progress, now);
            }
            Standing::Stands | Standing::Pending { .. } => {}
        }
        let is_appealed = progress.kind == RoundKind::Replication && T::Judge::tally(id).against > 0;
        if is_appealed {
            Self::start_round(id, task, &mut progress, RoundKind::Appeal, task.terms.replicas, now);
            let due = progress.due;
            Self::store_and_schedule(id, progress, due, now);
            return Ok(T::WeightInfo::reopen(n));
        }
        let chosen = Results::<T>::get(id).ok_or(DispatchError::Corruption)?;
        Self::conclude(id, task, &workers, chosen, progress, now)
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
