//! Claims that accusers enter, and which claim is chosen when one fell.
//!
//! Whoever accuses a result may say what is right instead, and keeps that place until the task ends: whether its own accusation decides
//! anything or not, and whoever else accuses. Equal claims have one place, that of who entered first; a claim that a worker has needs
//! none.
//!
//! There are [`MAX_PLACES`] of them, and each costs twice the bond of the one before it, whatever has become of that. So a task has an end: each fall
//! takes a claim out of those that it can have at most, one for each worker and one for each place. And whoever wants to make it last,
//! with wrong claims that fall one after the other, pays twice as much for each further one, while who is right has its bond back.

use crate::{
    MAX_PLACES,
    pallet::*,
    types::{BalanceOf, Place},
};
use agora_primitives::{
    TaskId,
    job::Claim,
    money::Purpose,
    participants::Participants,
    task::{Chosen, Contribution, ContributionState, Phase},
};
use alloc::vec::Vec;
use core::cmp::Reverse;
use frame_support::{pallet_prelude::*, weights::Weight};
use sp_runtime::traits::Saturating;

/// The bond of a place, if there were `before` before it and a worker's is `bond`: doubled for each of them.
///
/// Saturating: nobody has as much, so that there is no such place.
pub fn price<Balance: Copy + From<u32> + Saturating>(bond: Balance, before: u32) -> Balance {
    (0..before).fold(bond, |price, _| price.saturating_mul(Balance::from(2u32)))
}

/// The result that takes the place of one that fell, if any claim is left. Nobody has to agree with it: it stands if nobody shows that it
/// is wrong.
///
/// What workers say comes first, because they were let in by a draw, and places can be bought: what most of them say; of as many, what
/// was committed to first, and within a block the lowest `lot`. Then come the places, the oldest first.
///
/// `workers` are all who took part. Complexity: O(n²) claims compared.
pub fn heir<AccountId: Clone, Balance, BlockNumber: Ord + Copy, Lot: Ord>(
    workers: &[(AccountId, Contribution<BlockNumber>)],
    places: &[Place<AccountId, Balance>],
    fallen: &[Claim],
    lot: impl Fn(&AccountId) -> Lot,
) -> Option<Chosen<AccountId>> {
    let answers: Vec<_> = workers
        .iter()
        .filter_map(|(who, contribution)| match contribution.state {
            ContributionState::Revealed { claim, committed_at } => Some((who, claim, committed_at)),
            _ => None,
        })
        .filter(|(_, claim, _)| !fallen.contains(claim))
        .collect();
    let count = |claim: Claim| answers.iter().filter(|(_, said, _)| *said == claim).count();
    let rank = |(who, claim, at): &&(&AccountId, Claim, BlockNumber)| (Reverse(count(*claim)), *at, lot(who));
    let of_workers = answers
        .iter()
        .min_by_key(rank)
        .map(|(best, claim, _)| ((*best).clone(), *claim));
    let entered = || places.iter().find(|place| !fallen.contains(&place.claim));
    let (best, claim) = of_workers.or_else(|| entered().map(|place| (place.who.clone(), place.claim)))?;
    Some(Chosen { claim, best })
}

impl<T: Config> Pallet<T> {
    /// Gives `claim` about task `id` a place, with a bond of `who`, who accuses the result. Returns whether it did.
    pub(crate) fn do_enter(id: TaskId, who: &T::AccountId, claim: Claim) -> bool {
        let Some(bond) = Self::price_of(id, who, claim) else {
            return false;
        };
        let place = Place {
            who: who.clone(),
            claim,
            bond,
        };
        let mut places = Places::<T>::get(id);
        if places.try_push(place).is_err() || Self::hold(Purpose::TaskBond, id, who, bond).is_err() {
            return false;
        }
        Places::<T>::insert(id, places);
        Self::deposit_event(Event::ClaimEntered {
            task: id,
            accuser: who.clone(),
            claim,
            bond,
        });
        true
    }

    /// What a place for `claim` costs `who`. `None`: it cannot have one. A publisher does not work on its own task, nobody has two answers in a
    /// task or comes back to one, and nobody who is banned gets anything for work.
    fn price_of(id: TaskId, who: &T::AccountId, claim: Claim) -> Option<BalanceOf<T>> {
        let is_in_court = Progress::<T>::get(id)?.phase == Phase::Appealable;
        let task = Tasks::<T>::get(id)?;
        let places = Places::<T>::get(id);
        let is_known = Results::<T>::get(id)?.claim == claim
            || Fallen::<T>::get(id).iter().any(|(fallen, _)| *fallen == claim)
            || places.iter().any(|place| place.claim == claim || place.who == *who);
        let is_workers =
            |(worker, part): &(T::AccountId, Contribution<_>)| worker == who || part.claim() == Some(claim);
        let may_enter = is_in_court
            && !is_known
            && task.publisher != *who
            && !Self::workers_of(id).iter().any(is_workers)
            && T::Participants::ensure_not_banned(who).is_ok();
        may_enter.then(|| price(task.terms.bond, places.len() as u32))
    }

    /// Whether `who` has a place.
    pub(crate) fn has_entered(id: TaskId, who: &T::AccountId) -> bool {
        Places::<T>::get(id).iter().any(|place| place.who == *who)
    }

    /// How many there are to be dismissed when task `id` ends, besides its workers.
    pub(crate) fn places_of(id: TaskId) -> u32 {
        Places::<T>::decode_len(id).map_or(0, |count| count as u32)
    }

    /// The most that telling this pallet about a case weighs: entering a claim, or bringing a task's next step nearer.
    pub(crate) fn cases_weight() -> Weight {
        use crate::weights::WeightInfo;
        T::WeightInfo::enter().max(Self::look_weight().saturating_add(T::DbWeight::get().writes(1)))
    }
}

/// The most claims about a task that there can be: each worker's, and those of the places.
pub struct MostClaims<T>(PhantomData<T>);

impl<T: Config> Get<u32> for MostClaims<T> {
    fn get() -> u32 {
        T::MaxContributions::get().saturating_add(MAX_PLACES)
    }
}
