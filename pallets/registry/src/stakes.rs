//! What verifiers' bonds weigh where some of them are drawn.
//!
//! What counts in a draw is fixed before its seed is known: the weight of a verifier is that of the block before, and so is the sum of all
//! weights. A bond that is raised, or comes back, counts from the next block on; one that falls counts less at once. So nobody can
//! choose an account, or buy one into a seat, when the seed is there.
//!
//! A verifier that falls silent or whose bond is cut is not heard of. Each draw looks at one verifier, in turn, and corrects what it
//! weighs, so that the silent do not keep seats empty for long.

use crate::{BalanceOf, Config, Members, Pallet, Stakes, StakesLookedAt, TotalStakes};
use agora_primitives::{
    money::{Escrow, Purpose, Scope},
    participants::{self, Role, TotalStake},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::Get;
use frame_system::pallet_prelude::BlockNumberFor;
use scale_info::TypeInfo;
use sp_runtime::traits::{AtLeast32BitUnsigned, CheckedDiv, One, UniqueSaturatedInto, Zero};

/// Parts of the smallest bond in which bonds are weighed: two accounts weigh as much as one with both bonds, but for a thousandth of that.
const PARTS: u32 = 1000;

/// What a verifier's bond weighs in draws.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stake<BlockNumber> {
    /// What it weighs, in thousandths of the least bond; 1 where there is no least bond.
    pub weight: u32,
    /// The block in which it rose last.
    pub raised_at: BlockNumber,
    /// The least that it weighed before it rose then, and before all that came less than a cool-down after each other.
    pub before: u32,
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> Stake<BlockNumber> {
    /// Of a verifier that begins in block `now`.
    pub fn new(now: BlockNumber) -> Self {
        Self {
            weight: 0,
            raised_at: now,
            before: 0,
        }
    }

    /// It weighs `weight` from now on. No draw is open for longer than `memory` blocks.
    pub fn set(&mut self, weight: u32, memory: BlockNumber, now: BlockNumber) {
        if weight > self.weight {
            // Saturating: block numbers would have to run out first.
            let is_forgotten = now > self.raised_at.saturating_add(memory);
            self.before = match is_forgotten {
                true => self.weight,
                false => self.before.min(self.weight),
            };
            self.raised_at = now;
        }
        self.weight = weight;
    }

    /// What it weighs in a draw whose seed was made in block `at`: no more than it weighed before that block.
    pub fn at(&self, at: BlockNumber) -> u32 {
        match at > self.raised_at {
            true => self.weight,
            false => self.before.min(self.weight),
        }
    }
}

/// The sum of all stakes.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals<BlockNumber> {
    /// Now.
    pub now: TotalStake,
    /// The block of the last change.
    pub changed_at: BlockNumber,
    /// Before that block.
    pub before: TotalStake,
}

impl<BlockNumber: PartialEq + Copy> Totals<BlockNumber> {
    /// One stake changes.
    pub fn change(&mut self, from: u32, to: u32, now: BlockNumber) {
        if self.changed_at != now {
            self.before = self.now;
            self.changed_at = now;
        }
        let TotalStake { verifiers, weight } = &mut self.now;
        // Saturating: what is taken away was added before, and 2³² stakes of 32 bits fit.
        *weight = weight.saturating_sub(from.into()).saturating_add(to.into());
        match (from, to) {
            (0, 1..) => *verifiers = verifiers.saturating_add(1),
            (1.., 0) => *verifiers = verifiers.saturating_sub(1),
            _ => {}
        }
    }

    /// What it was before block `now`.
    pub fn before(&self, now: BlockNumber) -> TotalStake {
        match self.changed_at == now {
            true => self.before,
            false => self.now,
        }
    }
}

impl<T: Config> Pallet<T> {
    /// What the bond that is held of the verifier `who` weighs.
    fn worth(who: &T::AccountId) -> u32 {
        let minimum = T::MinimumBonds::get()
            .of(Role::Verifier)
            .unwrap_or_else(BalanceOf::<T>::zero);
        if minimum.is_zero() {
            return 1;
        }
        let unit = minimum.checked_div(&PARTS.into()).unwrap_or_else(One::one);
        T::Escrow::held(Purpose::RoleBond, Scope::Role(Role::Verifier), who)
            .checked_div(&unit.max(One::one()))
            .map_or(0, UniqueSaturatedInto::unique_saturated_into)
    }

    /// Puts right what the verifier `who` weighs: nothing, if it is not active.
    pub(crate) fn correct_stake(who: &T::AccountId) {
        let now = frame_system::Pallet::<T>::block_number();
        let member = Members::<T>::get(who).filter(|member| member.verifier.is_some());
        let known = Stakes::<T>::get(who);
        let Some(member) = member else {
            if let Some(known) = known {
                Self::change_total(known.weight, 0);
                Stakes::<T>::remove(who);
            }
            return;
        };
        let weight = match Self::ensure_member_active(who, &member, Role::Verifier, now) {
            Ok(()) => Self::worth(who),
            Err(_) => 0,
        };
        let mut stake = known.unwrap_or_else(|| Stake::new(now));
        if known.is_some() && stake.weight == weight {
            return;
        }
        Self::change_total(stake.weight, weight);
        stake.set(weight, T::ExitCoolDown::get(), now);
        Stakes::<T>::insert(who, stake);
    }

    pub(crate) fn change_total(from: u32, to: u32) {
        if from != to {
            let now = frame_system::Pallet::<T>::block_number();
            TotalStakes::<T>::mutate(|totals| totals.change(from, to, now));
        }
    }

    /// Looks at the next verifier.
    fn look_at_a_stake() {
        let mut after = match StakesLookedAt::<T>::get() {
            Some(last) => Stakes::<T>::iter_keys_from_key(last),
            None => Stakes::<T>::iter_keys(),
        };
        match after.next() {
            Some(who) => {
                Self::correct_stake(&who);
                StakesLookedAt::<T>::put(who);
            }
            // From the beginning, the next time.
            None => StakesLookedAt::<T>::kill(),
        }
    }
}

impl<T: Config> participants::Stakes<T::AccountId, BlockNumberFor<T>> for Pallet<T> {
    fn freeze() -> TotalStake {
        let total = TotalStakes::<T>::get().before(frame_system::Pallet::<T>::block_number());
        Self::look_at_a_stake();
        total
    }

    fn stake(who: &T::AccountId, at: BlockNumberFor<T>) -> u32 {
        let stake = Stakes::<T>::get(who).map_or(0, |stake| stake.at(at));
        stake.min(Self::worth(who))
    }
}
