//! What must hold after every block.

use crate::{Answers, AttestationsOf, Config, CurrentRound, CurrentSchedule, FirstKept, Pallet};
use agora_primitives::judging::AttestationsError;
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks that
    /// 1. the schedule is one that could be set;
    /// 2. no answer is of a round to come, or of one whose answers were forgotten;
    /// 3. nobody voted twice on an answer or on its own, and no side has more than its places.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let places = AttestationsOf::<T>::places_per_side();
        if let Some(schedule) = CurrentSchedule::<T>::get() {
            ensure!(schedule.validate(places).is_ok(), "capability: an impossible schedule");
        }
        let current = CurrentRound::<T>::get().map_or(0, |round| round.number);
        for (round, worker, answer) in Answers::<T>::iter() {
            ensure!(
                (FirstKept::<T>::get()..=current).contains(&round),
                "capability: an answer of a round that is not kept"
            );
            answer.attestations.validate().map_err(|error| match error {
                AttestationsError::Twice => "capability: somebody voted twice",
                AttestationsError::TooMany => "capability: a side has more than its places",
            })?;
            ensure!(
                answer.attestations.iter().all(|(voter, _)| *voter != worker),
                "capability: a vote on an answer of one's own"
            );
        }
        Ok(())
    }
}
