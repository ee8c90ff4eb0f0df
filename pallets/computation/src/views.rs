//! What the view functions answer.

use crate::pallet::{Config, Defences, Matches, Pallet, Runs, Trials};
use agora_disputes::{DefenceView, TrialView};

impl<T: Config> Pallet<T> {
    /// A trial with all its parts, in the order of the maps, which means nothing.
    pub(crate) fn view_of(id: u64) -> Option<TrialView<T::AccountId>> {
        let trial = Trials::<T>::get(id)?;
        let defences = Defences::<T>::iter_prefix(id).map(|(key, defended)| DefenceView {
            branch: defended.branch,
            openings: defended
                .shown
                .into_iter()
                .map(|shown| ((shown.first, shown.len), shown.children.into_inner()))
                .collect(),
            runs: Runs::<T>::iter_prefix_values((id, key)).collect(),
            matches: Matches::<T>::iter_prefix((id, key))
                .map(|((one, other), game)| (one, other, game))
                .collect(),
        });
        Some(TrialView {
            task: trial.task.0,
            case: trial.case,
            own: trial.own,
            job: trial.job,
            terms: trial.terms,
            accuser: trial.accuser,
            dispute: trial.dispute,
            defences: defences.collect(),
        })
    }
}
