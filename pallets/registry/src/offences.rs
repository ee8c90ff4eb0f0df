//! What follows from offences that are reported: a ban, for as long as the chain's data says.
//!
//! Nobody is heard before. Who is banned by a report may have been honest, with a machine that failed: [`Config::BanOrigin`]
//! lifts a ban at once (`lift_ban`), and that is the appeal.

use crate::{Bans, Config, Error, Event, OffenceBans, Pallet, WeightInfo, types::Ban};
use agora_primitives::courts::{Offence, Offences};
use frame_support::{defensive, ensure, storage::with_storage_layer, traits::Get, weights::Weight};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
    DispatchResult,
    traits::{Saturating, Zero},
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_offence_ban(offence: Offence, blocks: Option<BlockNumberFor<T>>) -> DispatchResult {
        ensure!(
            blocks.is_none_or(|blocks| !blocks.is_zero()),
            Error::<T>::BanEndsInThePast
        );
        OffenceBans::<T>::set(offence, blocks);
        Self::deposit_event(Event::OffenceBanSet { offence, blocks });
        Ok(())
    }
}

impl<T: Config> Offences<T::AccountId> for Pallet<T> {
    /// Bans `who`, unless it is banned for longer. Emits `OffenceReported` and `Banned` if it does.
    fn report(who: &T::AccountId, offence: Offence) {
        let Some(blocks) = OffenceBans::<T>::get(offence) else {
            return;
        };
        // Saturating: block numbers would have to run out first.
        let until = frame_system::Pallet::<T>::block_number().saturating_add(blocks);
        let is_longer = |ban: Ban<BlockNumberFor<T>>| ban.until.is_none_or(|end| end >= until);
        if Bans::<T>::get(who).is_some_and(is_longer) {
            return;
        }
        Self::deposit_event(Event::OffenceReported {
            who: who.clone(),
            offence,
        });
        if let Err(error) = with_storage_layer(|| Self::do_ban(who, Some(until))) {
            defensive!(error);
        }
    }

    fn weight() -> Weight {
        T::WeightInfo::ban()
            .saturating_add(T::WeightInfo::correct_stake())
            .saturating_add(T::DbWeight::get().reads(2))
    }
}
