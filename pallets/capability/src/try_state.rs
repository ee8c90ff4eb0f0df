//! What must hold after every block.

use crate::{Config, CurrentRound, CurrentSchedule, FirstKept, Pallet, Responses, VotesOf};
use agora_primitives::judging::AttestationsError;
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks that
    /// 1. the schedule is one that could be set;
    /// 2. no response is of a round to come, or of one whose responses were forgotten;
    /// 3. nobody voted twice on a response or on its own, and no side has more than its places.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let places = VotesOf::<T>::places_per_side();
        if let Some(schedule) = CurrentSchedule::<T>::get() {
            ensure!(schedule.validate(places).is_ok(), "capability: an impossible schedule");
        }
        let current = CurrentRound::<T>::get().map_or(0, |round| round.number);
        for (round, worker, response) in Responses::<T>::iter() {
            ensure!(
                (FirstKept::<T>::get()..=current).contains(&round),
                "capability: a response of a round that is not kept"
            );
            response.votes.validate().map_err(|error| match error {
                AttestationsError::Twice => "capability: somebody voted twice",
                AttestationsError::TooMany => "capability: a side has more than its places",
            })?;
            ensure!(
                response.votes.iter().all(|(voter, _)| *voter != worker),
                "capability: a vote on a response of one's own"
            );
        }
        Ok(())
    }
}
