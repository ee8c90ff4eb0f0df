//! What must hold after every block.

use crate::{AnswerOf, Answers, Config, CurrentRound, CurrentSchedule, FirstKept, Pallet};
use agora_primitives::judging::Attestation;
use alloc::collections::BTreeSet;
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks that
    /// 1. the schedule is one that could be set;
    /// 2. no answer is of a round to come, or of one whose answers were forgotten;
    /// 3. nobody voted twice on an answer or on its own, and no side has more than its places.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let places = AnswerOf::<T>::places_per_side();
        if let Some(schedule) = CurrentSchedule::<T>::get() {
            ensure!(schedule.validate(places).is_ok(), "capability: an impossible schedule");
        }
        let current = CurrentRound::<T>::get().map_or(0, |round| round.number);
        for (round, worker, answer) in Answers::<T>::iter() {
            ensure!(
                (FirstKept::<T>::get()..=current).contains(&round),
                "capability: an answer of a round that is not kept"
            );
            let voters: BTreeSet<_> = answer.attestations.iter().map(|(who, _)| who).collect();
            ensure!(
                voters.len() == answer.attestations.len() && !voters.contains(&worker),
                "capability: somebody voted twice, or on its own answer"
            );
            for side in [Attestation::Valid, Attestation::Invalid] {
                let votes = answer.attestations.iter().filter(|(_, said)| *said == side);
                ensure!(
                    votes.count() <= places as usize,
                    "capability: a side has more than its places"
                );
            }
        }
        Ok(())
    }
}
