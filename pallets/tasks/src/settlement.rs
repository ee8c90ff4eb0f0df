//! How a task ends: who is paid, who gets money back and who loses some, which reputations are told.
//!
//! All or nothing: each step runs in a storage layer of its own, so a step that fails leaves nothing behind.

use crate::{
    pallet::*,
    steps::Workers,
    transitions::{Confirmation, outcome},
    types::{BalanceOf, FeeGoes, Place, SplitOf, TaskOf, TaskProgress, Terms},
};
use agora_primitives::{
    TaskId,
    courts::shares,
    job::Claim,
    money::{Escrow, Payee, Payroll, Purpose, RewardPlanner, Scope},
    participants::Participants,
    reputation::{Outcome, Reputation, Side},
    results::{ResultLeaf, ResultSink},
    task::{Chosen, Contribution, Phase},
};
use alloc::vec::Vec;
use frame_support::{ensure, pallet_prelude::*};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
    ArithmeticError, Permill,
    traits::{CheckedAdd, Saturating, Zero},
};

impl<T: Config> Pallet<T> {
    /// Holds what publishing costs.
    pub(crate) fn hold_of_publisher(
        id: TaskId,
        publisher: &T::AccountId,
        terms: &Terms<BalanceOf<T>, BlockNumberFor<T>, SplitOf<T>>,
    ) -> DispatchResult {
        Self::hold(Purpose::TaskReward, id, publisher, terms.reward)?;
        Self::hold(Purpose::PublisherStake, id, publisher, terms.stake)?;
        Self::hold(Purpose::PublicationFee, id, publisher, terms.fee)
    }

    /// Gives reward and stake back to the publisher.
    pub(crate) fn refund_publisher(id: TaskId, task: &TaskOf<T>, fee: FeeGoes) -> DispatchResult {
        let (scope, publisher) = (Scope::Task(id), &task.publisher);
        T::Escrow::release_all(Purpose::TaskReward, scope, publisher)?;
        T::Escrow::release_all(Purpose::PublisherStake, scope, publisher)?;
        match fee {
            FeeGoes::Back => {
                T::Escrow::release_all(Purpose::PublicationFee, scope, publisher)?;
                Ok(())
            }
            FeeGoes::ToTreasury => Self::take_fee(id, task),
        }
    }

    /// What was not paid for late steps goes to the treasury.
    fn take_fee(id: TaskId, task: &TaskOf<T>) -> DispatchResult {
        let fee = T::Escrow::held(Purpose::PublicationFee, Scope::Task(id), &task.publisher);
        Self::pay(Purpose::PublicationFee, id, &task.publisher, Payee::Treasury, fee)
    }

    /// Pays `who` of the publication fee for taking a step, if it is late. Returns whether it did. Finding out that others are
    /// waited for is no step: the chain has failed nobody.
    pub(crate) fn pay_for_step(who: T::AccountId, id: TaskId, now: BlockNumberFor<T>) -> Result<bool, DispatchError> {
        let mut progress = Self::progress_of(id)?;
        if !progress.pay_step(now) || Self::awaits_others(id, &progress, now) {
            return Ok(false);
        }
        Progress::<T>::insert(id, progress);
        let task = Self::task_of(id)?;
        let (pay, publisher) = (task.terms.step_pay(), &task.publisher);
        Self::pay(Purpose::PublicationFee, id, publisher, Payee::Account(who), pay)?;
        Ok(true)
    }

    fn pay(
        purpose: Purpose,
        id: TaskId,
        from: &T::AccountId,
        payee: Payee<T::AccountId>,
        amount: BalanceOf<T>,
    ) -> DispatchResult {
        if amount.is_zero() {
            return Ok(());
        }
        T::Escrow::pay(purpose, Scope::Task(id), from, payee, amount)
    }

    /// Ends a task that has no result. If it expired, the publisher gets the fee back too: the market did not do its part.
    pub(crate) fn end_without_result(
        id: TaskId,
        task: &TaskOf<T>,
        workers: &Workers<T>,
        progress: TaskProgress<BlockNumberFor<T>>,
        phase: Phase,
        now: BlockNumberFor<T>,
    ) -> DispatchResult {
        let fee = match phase {
            Phase::Expired => FeeGoes::Back,
            _ => FeeGoes::ToTreasury,
        };
        Self::refund_publisher(id, task, fee)?;
        Self::dismiss(id, task, workers, None)?;
        Self::finish(id, task, progress, phase, now);
        Ok(())
    }

    /// Pays for the claim by rule and takes it into the block's tree. `verifiers` are those to be paid, and how many attested.
    pub(crate) fn settle(
        id: TaskId,
        task: &TaskOf<T>,
        workers: &Workers<T>,
        chosen: Chosen<T::AccountId>,
        (verifiers, attested): (Vec<T::AccountId>, u32),
        progress: TaskProgress<BlockNumberFor<T>>,
        now: BlockNumberFor<T>,
    ) -> DispatchResult {
        let Chosen { claim, best } = chosen;
        let places = Places::<T>::get(id);
        let also_correct = workers
            .iter()
            .map(|(worker, contribution)| (worker, contribution.claim()))
            .chain(places.iter().map(|place| (&place.who, Some(place.claim))))
            .filter(|(who, said)| *said == Some(claim) && **who != best)
            .map(|(who, _)| who.clone())
            .collect();
        let payroll = Payroll {
            best: best.clone(),
            also_correct,
            verifiers,
            attested,
        };
        Self::pay_for(&claim, id, task, &payroll)?;
        Self::take_fee(id, task)?;
        Self::dismiss(id, task, workers, Some(claim))?;
        let job = task.job.job_hash();
        let winner = best.clone();
        T::Results::append(ResultLeaf {
            task: id,
            job,
            claim,
            winner,
        })?;
        Self::finish(id, task, progress, Phase::Settled, now);
        Self::deposit_event(Event::Settled { task: id, claim, best });
        Ok(())
    }

    /// Pays for the claim, gives the publisher back what is not paid with, and has its reputation told.
    ///
    /// An output is paid with the reward. That the input is unusable is paid with the stake, divided alike, because it is
    /// the publisher's fault: nothing of it goes back. The stake is never more than the reward, so nobody gains by calling
    /// a good input unusable what the same conspirators would not gain by a wrong output.
    fn pay_for(claim: &Claim, id: TaskId, task: &TaskOf<T>, payroll: &Payroll<T::AccountId>) -> DispatchResult {
        let terms = &task.terms;
        let (paid_with, amount, returned, outcome) = match claim {
            Claim::Output { .. } => (
                Purpose::TaskReward,
                terms.reward,
                Purpose::PublisherStake,
                Outcome::Right { confirmed: false },
            ),
            Claim::Unusable => (
                Purpose::PublisherStake,
                terms.stake,
                Purpose::TaskReward,
                Outcome::Wrong,
            ),
        };
        Self::divide(paid_with, amount, id, task, payroll)?;
        T::Escrow::release_all(returned, Scope::Task(id), &task.publisher)?;
        T::Reputation::record(&task.publisher, Side::Publisher, outcome);
        Ok(())
    }

    /// Divides what is held of the publisher for `purpose`, `amount`, by the task's split.
    fn divide(
        purpose: Purpose,
        amount: BalanceOf<T>,
        id: TaskId,
        task: &TaskOf<T>,
        payroll: &Payroll<T::AccountId>,
    ) -> DispatchResult {
        let plan = T::Rewards::plan(&task.terms.split, amount, payroll)?;
        let mut total = BalanceOf::<T>::zero();
        for payment in plan {
            total = total.checked_add(&payment.amount).ok_or(ArithmeticError::Overflow)?;
            Self::pay(purpose, id, &task.publisher, payment.payee, payment.amount)?;
        }
        ensure!(total == amount, Error::<T>::PlanMismatch);
        Ok(())
    }

    /// Ends the part of every worker, and of every accuser with a claim of its own: bonds go back less the penalties, reputations are told.
    /// `right` is the right claim.
    fn dismiss(id: TaskId, task: &TaskOf<T>, workers: &Workers<T>, right: Option<Claim>) -> DispatchResult {
        let confirmed = right.map_or(Confirmation::None, |right| {
            let has_it = |contribution: &Contribution<_>| contribution.claim() == Some(right);
            let count = workers.iter().filter(|(_, contribution)| has_it(contribution)).count();
            Confirmation::of(&right, count)
        });
        let fallen = Fallen::<T>::get(id);
        let bond = task.terms.bond;
        for (worker, contribution) in workers {
            let fell = fallen.iter().find(|(claim, _)| contribution.claim() == Some(*claim));
            if let Some((_, accusers)) = fell {
                Self::punish(id, task, worker, bond, accusers)?;
            } else if let Some(outcome) = outcome(contribution, right, confirmed) {
                Self::judge_worker(id, task, worker, bond, outcome)?;
            }
            // Nothing is held any more of a worker that was replaced.
            if contribution.is_current() {
                T::Escrow::release_all(Purpose::TaskBond, Scope::Task(id), worker)?;
            }
            Contributions::<T>::remove(id, worker);
        }
        for Place { who, claim, bond } in Places::<T>::take(id) {
            let fell = fallen.iter().find(|(fallen, _)| *fallen == claim);
            match (fell, right) {
                (Some((_, accusers)), _) => Self::punish(id, task, &who, bond, accusers)?,
                // Nobody's work agrees with it that was done without knowing it.
                (None, Some(right)) if right == claim => {
                    Self::judge_worker(id, task, &who, bond, Outcome::Right { confirmed: false })?;
                }
                (None, Some(_)) => Self::judge_worker(id, task, &who, bond, Outcome::Wrong)?,
                (None, None) => {}
            }
            T::Escrow::release_all(Purpose::TaskBond, Scope::Task(id), &who)?;
        }
        Ok(())
    }

    /// Takes the penalty of somebody whose claim a court found wrong: half, rounded down, goes to those who accused it; the rest
    /// is burned, so that nobody gains by showing that its own claim is wrong.
    fn punish(
        id: TaskId,
        task: &TaskOf<T>,
        who: &T::AccountId,
        bond: BalanceOf<T>,
        accusers: &[T::AccountId],
    ) -> DispatchResult {
        let penalty = task.terms.penalty(Outcome::Wrong, bond);
        let reward = Permill::from_percent(50).mul_floor(penalty);
        let mut rest = penalty;
        for (accuser, share) in shares(reward, accusers) {
            // Together they are not above the penalty.
            rest = rest.saturating_sub(share);
            Self::pay_share(id, who, accuser, share)?;
        }
        Self::pay(Purpose::TaskBond, id, who, Payee::Burn, rest)?;
        Self::report(id, task, who, Outcome::Wrong);
        Ok(())
    }

    /// Pays an accuser its share of what `who` loses.
    pub(crate) fn pay_share(
        id: TaskId,
        who: &T::AccountId,
        accuser: &T::AccountId,
        share: BalanceOf<T>,
    ) -> DispatchResult {
        Self::pay(Purpose::TaskBond, id, who, Payee::Account(accuser.clone()), share)
    }

    /// Takes the penalty for `outcome` from what is held of somebody, and has its reputation told.
    fn judge_worker(
        id: TaskId,
        task: &TaskOf<T>,
        worker: &T::AccountId,
        bond: BalanceOf<T>,
        outcome: Outcome,
    ) -> DispatchResult {
        let penalty = task.terms.penalty(outcome, bond);
        Self::pay(Purpose::TaskBond, id, worker, Payee::Treasury, penalty)?;
        Self::report(id, task, worker, outcome);
        Ok(())
    }

    fn report(id: TaskId, task: &TaskOf<T>, worker: &T::AccountId, outcome: Outcome) {
        T::Reputation::record(worker, Side::Worker(task.job.specialisation()), outcome);
        Self::deposit_event(Event::WorkerJudged {
            task: id,
            worker: worker.clone(),
            outcome,
        });
    }

    /// Ends the part of a worker that is replaced: it pays for being late. Its record stays until the task ends, so that it
    /// does not come back.
    pub(crate) fn dismiss_late(
        id: TaskId,
        task: &TaskOf<T>,
        worker: &T::AccountId,
        contribution: Contribution<BlockNumberFor<T>>,
    ) -> DispatchResult {
        Self::judge_worker(id, task, worker, task.terms.bond, Outcome::Late)?;
        T::Escrow::release_all(Purpose::TaskBond, Scope::Task(id), worker)?;
        T::Participants::free_slot(worker);
        Contributions::<T>::insert(id, worker, contribution);
        Ok(())
    }

    /// Ends a task that is out of the agenda; its record is kept for a while.
    pub(crate) fn finish(
        id: TaskId,
        task: &TaskOf<T>,
        mut progress: TaskProgress<BlockNumberFor<T>>,
        phase: Phase,
        now: BlockNumberFor<T>,
    ) {
        progress.finish(phase, T::RetentionPeriod::get(), now);
        OpenTasks::<T>::mutate_exists(&task.publisher, task.class, |count| {
            *count = count.and_then(|count| count.checked_sub(1)).filter(|count| *count > 0);
        });
        Invitations::<T>::remove(id);
        Fallen::<T>::remove(id);
        let due = progress.due;
        Self::store_and_schedule(id, progress, due, now);
    }
}
