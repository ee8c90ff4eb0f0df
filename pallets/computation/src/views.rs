//! What the view functions answer.

use crate::{
    CASES_PER_PAGE,
    pallet::*,
    types::{Defended, TrialOf},
};
use agora_disputes::{Branch, Game, Runs as BranchRuns};
use agora_primitives::{TaskId, courts::CasePage};
use alloc::{collections::BTreeMap, vec::Vec};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;

impl<T: Config> Pallet<T> {
    pub(crate) fn page(after: Option<TaskId>) -> CasePage<BlockNumberFor<T>> {
        let tasks = match after {
            Some(task) => OpenCases::<T>::iter_keys_from_key(task),
            None => OpenCases::<T>::iter_keys(),
        };
        let page: Vec<_> = tasks.take(CASES_PER_PAGE as usize).collect();
        let is_full = page.len() == CASES_PER_PAGE as usize;
        let full = FullBlocks::<T>::get();
        let view = |task: &TaskId| Self::case_of(*task).map(|case| case.view(*task, full));
        CasePage {
            next: page.last().copied().filter(|_| is_full),
            cases: page.iter().filter_map(view).collect(),
        }
    }

    pub(crate) fn trial_of(id: u64) -> Option<(TrialOf<T>, Game<T::AccountId>)> {
        let trial = Trials::<T>::get(id)?;
        let mut defences: Vec<_> = Defences::<T>::iter_prefix(id).collect();
        defences.sort_unstable_by_key(|(key, _)| *key);
        let game = Game {
            accuser: trial.accuser.clone(),
            dispute: trial.dispute,
            branches: defences
                .into_iter()
                .map(|(key, defended)| Self::branch_of(id, key, defended))
                .collect(),
            moves: BTreeMap::new(),
        };
        Some((trial, game))
    }

    fn branch_of(
        id: u64,
        key: H256,
        defended: Defended<T::AccountId>,
    ) -> (Branch<T::AccountId>, BranchRuns<T::AccountId>) {
        let openings = defended.shown.into_iter();
        let openings = openings.map(|shown| ((shown.first, shown.len), shown.children.into_inner()));
        let mut runs: Vec<_> = Runs::<T>::iter_prefix_values((id, key)).collect();
        runs.sort_unstable_by_key(|run| run.root);
        let number = |root: &H256| {
            let at = runs.binary_search_by_key(root, |run| run.root).ok()?;
            u32::try_from(at).ok()
        };
        let of = |((one, other), game)| Some(((number(&one)?, number(&other)?), game));
        let mut matches: Vec<_> = Matches::<T>::iter_prefix((id, key)).filter_map(of).collect();
        matches.sort_unstable_by_key(|(players, _)| *players);
        let runs = BranchRuns {
            openings: openings.collect(),
            runs,
            matches,
        };
        (defended.branch, runs)
    }
}
