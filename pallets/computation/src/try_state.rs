//! What must hold after every block.

use crate::{
    BalanceOf, Config, Defences, Endings, Excused, HiddenAccusations, Matches, NextCase, NextTrial, OpenCases, Pallet,
    Runs, Trials,
};
use agora_primitives::{
    TaskId,
    money::{Escrow, Purpose, Scope},
};
use alloc::{collections::BTreeMap, vec::Vec};
use codec::Encode;
use frame_support::ensure;
use sp_runtime::{TryRuntimeError, traits::Saturating};

impl<T: Config> Pallet<T> {
    /// Checks that
    ///
    /// 1. numbers of cases and trials are below the next,
    /// 2. a case counts its hidden accusations and those of its trials that are not over,
    /// 3. a closed case counts those of its accusations that could not be revealed, if any could not,
    ///    and those of its trials that were not over, if it was decided before,
    /// 4. a trial counts its parts, and every part has a trial, stands under its own hash, and a match between two runs,
    /// 5. of each account exactly its bonds are held, for this purpose and each task.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let mut bonds = BTreeMap::<(TaskId, Vec<u8>), (T::AccountId, BalanceOf<T>)>::new();
        let mut add = |task: TaskId, who: &T::AccountId, bond: BalanceOf<T>| {
            let (_, sum) = bonds
                .entry((task, who.encode()))
                .or_insert_with(|| (who.clone(), BalanceOf::<T>::default()));
            *sum = sum.saturating_add(bond);
        };
        let (mut hidden, mut open) = (BTreeMap::<u64, u32>::new(), BTreeMap::<u64, u32>::new());
        for (case, who, accusation) in HiddenAccusations::<T>::iter() {
            ensure!(
                case < NextCase::<T>::get(),
                "computation: an accusation of a case of the future"
            );
            add(accusation.task, &who, accusation.bond);
            let count = hidden.entry(case).or_default();
            *count = count.saturating_add(1);
        }
        for (id, trial) in Trials::<T>::iter() {
            ensure!(id < NextTrial::<T>::get(), "computation: a trial of the future");
            if trial.verdict().is_none() {
                let count = open.entry(trial.case).or_default();
                *count = count.saturating_add(1);
            }
            add(trial.task, &trial.accuser, trial.bond);
            let mut parts = 0u32;
            for (key, defended) in Defences::<T>::iter_prefix(id) {
                ensure!(
                    key == defended.branch.defence.id(),
                    "computation: a defence under another hash"
                );
                add(trial.task, &defended.branch.by, trial.bond);
                parts = parts.saturating_add(1);
            }
            for ((_, root), run) in Runs::<T>::iter_prefix((id,)) {
                ensure!(root == run.root, "computation: a run under another root");
                add(trial.task, &run.by, trial.bond);
                parts = parts.saturating_add(1);
            }
            for ((key, one, other), game) in Matches::<T>::iter_prefix((id,)) {
                let has_runs = [one, other].map(|root| Runs::<T>::contains_key((id, key, root)));
                // Once the trial is over, its runs may be collected before their matches.
                let is_between = one < other && (game.is_none() || Self::is_settled(&trial) || has_runs == [true; 2]);
                ensure!(is_between, "computation: a match that is not between two runs");
                parts = parts.saturating_add(1);
            }
            ensure!(
                parts == trial.parts,
                "computation: a trial has not as many parts as it counts"
            );
        }
        for (_, case) in OpenCases::<T>::iter() {
            ensure!(case.number < NextCase::<T>::get(), "computation: a case of the future");
            let hidden = hidden.get(&case.number).copied().unwrap_or_default();
            ensure!(
                hidden == case.hidden,
                "computation: a case miscounts its hidden accusations"
            );
            let open = open.get(&case.number).copied().unwrap_or_default();
            ensure!(open == case.open, "computation: a case miscounts its trials");
            let is_in_order = case.accusers.windows(2).all(|pair| match pair {
                [one, other] => one.order < other.order,
                _ => false,
            });
            let is_known = case.accusers.iter().all(|accuser| accuser.order < case.committed);
            ensure!(
                is_in_order && is_known,
                "computation: the accusers of a case are not in the order in which they committed"
            );
        }
        for (case, ended) in Endings::<T>::iter() {
            let is_open = OpenCases::<T>::iter_values().any(|open| open.number == case);
            let is_counted = ended.open > 0 && open.get(&case) == Some(&ended.open);
            ensure!(
                !is_open && is_counted,
                "computation: a closed case miscounts its trials"
            );
        }
        for (case, count) in Excused::<T>::iter() {
            let is_open = OpenCases::<T>::iter_values().any(|open| open.number == case);
            let is_counted = hidden.get(&case) == Some(&count);
            ensure!(
                !is_open && is_counted,
                "computation: a closed case miscounts its hidden accusations"
            );
        }
        let mut trials = Defences::<T>::iter_keys()
            .map(|(trial, _)| trial)
            .chain(Runs::<T>::iter_keys().map(|(trial, ..)| trial))
            .chain(Matches::<T>::iter_keys().map(|(trial, ..)| trial));
        ensure!(trials.all(Trials::<T>::contains_key), "computation: a part of no trial");
        for ((task, _), (who, sum)) in bonds {
            let held = T::Escrow::held(Purpose::CourtBond, Scope::Task(task), &who);
            ensure!(held == sum, "computation: what is held of somebody is not its bonds");
        }
        Ok(())
    }
}
