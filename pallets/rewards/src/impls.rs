//! Keeping presets, and planning by them.

use crate::{
    Config, Error, Event, Pallet, Presets, plan,
    types::{InvalidSplit, Split},
};
use agora_math::split::SplitError;
use agora_primitives::money::{Payment, PaymentPlan, Payroll, PresetId, RewardPlanner};
use frame_support::{
    ensure,
    traits::{Contains, Get},
};
use sp_runtime::{ArithmeticError, DispatchError, DispatchResult};

impl<T> From<InvalidSplit> for Error<T> {
    fn from(why: InvalidSplit) -> Self {
        match why {
            InvalidSplit::NotWhole => Self::SplitNotWhole,
            InvalidSplit::BestShareTooSmall => Self::BestShareTooSmall,
        }
    }
}

/// Calls.
impl<T: Config> Pallet<T> {
    /// Makes or changes a preset.
    pub(crate) fn do_set_preset(id: PresetId, split: Split) -> DispatchResult {
        split.validate().map_err(Error::<T>::from)?;
        let has_room = Presets::<T>::count() < T::MaxPresets::get();
        ensure!(has_room || Presets::<T>::contains_key(id), Error::<T>::TooManyPresets);
        Presets::<T>::insert(id, split);
        Self::deposit_event(Event::PresetSet { id, split });
        Ok(())
    }

    /// Removes a preset.
    pub(crate) fn do_remove_preset(id: PresetId) -> DispatchResult {
        ensure!(Presets::<T>::contains_key(id), Error::<T>::UnknownPreset);
        ensure!(!T::InUse::contains(&id), Error::<T>::PresetInUse);
        Presets::<T>::remove(id);
        Self::deposit_event(Event::PresetRemoved { id });
        Ok(())
    }
}

impl<T: Config> RewardPlanner<T::AccountId> for Pallet<T> {
    type Balance = T::Balance;
    type Split = Split;

    fn split(preset: PresetId) -> Option<Split> {
        Presets::<T>::get(preset)
    }

    fn plan(
        split: &Split,
        reward: T::Balance,
        payroll: &Payroll<T::AccountId>,
    ) -> Result<PaymentPlan<T::AccountId, T::Balance>, DispatchError> {
        let reward: u128 = reward.try_into().map_err(|_| ArithmeticError::Overflow)?;
        plan(split, reward, payroll)
            .map_err(|why| match why {
                SplitError::NotWhole => DispatchError::from(Error::<T>::SplitNotWhole),
                SplitError::Overflow | SplitError::EmptySet => ArithmeticError::Overflow.into(),
            })?
            .into_iter()
            .map(|Payment { payee, amount }| {
                let amount = amount.try_into().map_err(|_| ArithmeticError::Overflow)?;
                Ok(Payment { payee, amount })
            })
            .collect()
    }
}
