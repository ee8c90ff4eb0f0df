//! Recording, asking, forgetting.

use crate::{Config, Error, Event, Pallet, Record, Records};
use agora_math::reputation::Fading;
use agora_primitives::{
    participants::Specialisation,
    reputation::{Level, OnLevelChanged, Outcome, Reputation, Side},
};
use frame_support::traits::Get;
use sp_runtime::{DispatchResult, Perbill, SaturatedConversion};

impl<T: Config> Pallet<T> {
    fn fading() -> Fading {
        Fading {
            per_outcome: T::Decay::get(),
            half_life_blocks: T::HalfLife::get().saturated_into(),
        }
    }

    /// The success rate of `who`: 0 where nothing is recorded. Rounded down.
    pub fn success_rate(who: &T::AccountId, side: Side) -> Perbill {
        Records::<T>::get(who, side).map_or(Perbill::zero(), |record| record.score.rate())
    }

    fn level_of(record: Option<&Record<frame_system::pallet_prelude::BlockNumberFor<T>>>) -> Level {
        record.map_or(Level::Beginner, |record| record.level(T::MinimumTasks::get()))
    }

    /// Tells of a change of level, if there is one.
    fn announce(who: &T::AccountId, side: Side, from: Level, to: Level) {
        if from == to {
            return;
        }
        Self::deposit_event(Event::LevelChanged {
            who: who.clone(),
            side,
            from,
            to,
        });
        if let Side::Worker(specialisation) = side {
            T::OnLevelChanged::on_level_changed(who, specialisation, to);
        }
    }

    pub(crate) fn do_forget(who: &T::AccountId, side: Side) -> DispatchResult {
        let record = Records::<T>::get(who, side).ok_or(Error::<T>::NoRecord)?;
        let now = frame_system::Pallet::<T>::block_number();
        if !record.is_faded(now, Self::fading().half_life_blocks) {
            return Err(Error::<T>::NotFaded.into());
        }
        Records::<T>::remove(who, side);
        Self::deposit_event(Event::Forgotten { who: who.clone(), side });
        Self::announce(who, side, Self::level_of(Some(&record)), Level::Beginner);
        Ok(())
    }
}

impl<T: Config> Reputation<T::AccountId> for Pallet<T> {
    fn record(who: &T::AccountId, side: Side, outcome: Outcome) {
        let before = Records::<T>::get(who, side);
        let now = frame_system::Pallet::<T>::block_number();
        let after = before.unwrap_or_default().after(outcome, now, &Self::fading());
        Records::<T>::insert(who, side, after);
        let level = Self::level_of(Some(&after));
        let confidence = after.score.confidence;
        Self::deposit_event(Event::OutcomeRecorded {
            who: who.clone(),
            side,
            outcome,
            level,
            confidence,
        });
        Self::announce(who, side, Self::level_of(before.as_ref()), level);
    }

    fn confidence(who: &T::AccountId, specialisation: Specialisation) -> u32 {
        Records::<T>::get(who, Side::Worker(specialisation)).map_or(0, |record| record.score.confidence)
    }

    fn level(who: &T::AccountId, side: Side) -> Level {
        Self::level_of(Records::<T>::get(who, side).as_ref())
    }
}
