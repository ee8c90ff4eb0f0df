//! What the calls do, and the traits through which other pallets meet this one.

use crate::{
    AddressesOf, BalanceOf, Bans, Config, Error, Event, LeafOwners, Members, Pallet,
    tree::{Trees, refusal},
    types::{Ban, Levels, Member, Profile, ProfileError, Proven, Standing, Worker},
};
use agora_primitives::{
    capability::Capabilities,
    money::{Escrow, Purpose, Scope},
    participants::{Addresses, Participants, Role, Specialisation, is_printable},
    reputation::{Level, OnLevelChanged, Reputation, Side},
};
use alloc::vec::Vec;
use frame_support::{defensive, ensure, storage::with_storage_layer, traits::Get};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::{
    DispatchError, DispatchResult,
    traits::{CheckedDiv, Saturating, UniqueSaturatedInto, Zero},
};

impl<T> From<ProfileError> for Error<T> {
    fn from(error: ProfileError) -> Self {
        match error {
            ProfileError::Specialisations => Self::InvalidSpecialisations,
            ProfileError::Slots => Self::SlotsOutOfRange,
            ProfileError::Capability => Self::CapabilityOutOfRange,
        }
    }
}

/// Calls.
impl<T: Config> Pallet<T> {
    pub(crate) fn do_register(who: &T::AccountId, role: Role, bond: BalanceOf<T>, profile: Profile) -> DispatchResult {
        let now = Self::now();
        let minimum = T::MinimumBonds::get().of(role).ok_or(Error::<T>::RoleClosed)?;
        ensure!(bond >= minimum, Error::<T>::BondTooSmall);
        ensure!(!Self::is_banned(who, now), Error::<T>::Banned);
        let mut member = Members::<T>::get(who).unwrap_or_else(|| Member::new(now));
        ensure!(member.standing(role).is_none(), Error::<T>::AlreadyRegistered);
        if role == Role::Worker {
            Self::validate(&profile)?;
        }

        T::Escrow::hold(Purpose::RoleBond, Scope::Role(role), who, bond)?;
        match role {
            Role::Worker => member.worker = Some(Self::new_worker(who, profile)?),
            Role::Verifier => member.verifier = Some(Standing::Staying),
            Role::Orchestrator => member.orchestrator = Some(Standing::Staying),
            Role::Expert => member.expert = Some(Standing::Staying),
        }
        Self::note_heartbeat(who, &mut member, now);
        Self::store(who, &member)?;
        Self::note_stake(who, &member);
        Self::deposit_event(Event::Registered {
            who: who.clone(),
            role,
            bond,
        });
        Ok(())
    }

    pub(crate) fn do_update_profile(who: &T::AccountId, profile: Profile) -> DispatchResult {
        Self::validate(&profile)?;
        Self::try_mutate_worker(who, |worker| {
            ensure!(worker.standing == Standing::Staying, Error::<T>::Leaving);
            ensure!(profile.slots >= worker.occupied, Error::<T>::FewerSlotsThanOccupied);
            worker.profile = profile;
            Ok(())
        })?;
        Self::deposit_event(Event::ProfileUpdated { who: who.clone() });
        Ok(())
    }

    pub(crate) fn do_add_bond(who: &T::AccountId, role: Role, amount: BalanceOf<T>) -> DispatchResult {
        ensure!(!amount.is_zero(), Error::<T>::AmountZero);
        let mut member = Members::<T>::get(who).ok_or(Error::<T>::NotRegistered)?;
        Self::ensure_staying(&member, role)?;
        T::Escrow::hold(Purpose::RoleBond, Scope::Role(role), who, amount)?;
        if role == Role::Worker {
            if let Some(worker) = member.worker.as_mut() {
                worker.covered = Self::covered_slots(who);
            }
            Self::wake(who, &mut member, Self::now());
            Self::store(who, &member)?;
        }
        Self::note_stake(who, &member);
        Self::deposit_event(Event::BondAdded {
            who: who.clone(),
            role,
            amount,
        });
        Ok(())
    }

    pub(crate) fn do_heartbeat(who: &T::AccountId) -> DispatchResult {
        let mut member = Members::<T>::get(who).ok_or(Error::<T>::NotRegistered)?;
        Self::note_heartbeat(who, &mut member, Self::now());
        Self::store(who, &member)?;
        Self::note_stake(who, &member);
        Self::deposit_event(Event::Heartbeat { who: who.clone() });
        Ok(())
    }

    pub(crate) fn do_set_addresses(who: &T::AccountId, addresses: Addresses) -> DispatchResult {
        ensure!(
            addresses.iter().all(|address| is_printable(address)),
            Error::<T>::InvalidAddress
        );
        let (purpose, scope) = (Purpose::Addresses, Scope::Account);
        if addresses.is_empty() {
            T::Escrow::release_all(purpose, scope, who)?;
            AddressesOf::<T>::remove(who);
        } else {
            if !AddressesOf::<T>::contains_key(who) {
                T::Escrow::hold(purpose, scope, who, T::AddressDeposit::get())?;
            }
            AddressesOf::<T>::insert(who, &addresses);
        }
        Self::deposit_event(Event::AddressesSet {
            who: who.clone(),
            addresses,
        });
        Ok(())
    }

    pub(crate) fn do_request_exit(who: &T::AccountId, role: Role) -> DispatchResult {
        let mut member = Members::<T>::get(who).ok_or(Error::<T>::NotRegistered)?;
        Self::ensure_staying(&member, role)?;
        // A block number that cannot be reached: the exit would never end, but nothing would be lost either.
        let withdrawable_at = Self::now().saturating_add(T::ExitCoolDown::get());
        if let Some(standing) = member.standing_mut(role) {
            *standing = Standing::Leaving { withdrawable_at };
        }
        Self::store(who, &member)?;
        Self::note_stake(who, &member);
        Self::deposit_event(Event::ExitRequested {
            who: who.clone(),
            role,
            withdrawable_at,
        });
        Ok(())
    }

    pub(crate) fn do_withdraw_bond(who: &T::AccountId, role: Role) -> DispatchResult {
        let mut member = Members::<T>::get(who).ok_or(Error::<T>::NotRegistered)?;
        match member.standing(role).ok_or(Error::<T>::NotRegistered)? {
            Standing::Staying => return Err(Error::<T>::ExitNotRequested.into()),
            Standing::Leaving { withdrawable_at } => {
                ensure!(Self::now() >= withdrawable_at, Error::<T>::CoolDownNotOver)
            }
        }
        if let Some(worker) = member.take(role) {
            ensure!(worker.occupied == 0, Error::<T>::SlotsOccupied);
            Self::remove_leaf(worker.leaf)?;
        }
        let bond = T::Escrow::release_all(Purpose::RoleBond, Scope::Role(role), who)?;
        if member.is_gone() {
            Members::<T>::remove(who);
        } else {
            Members::<T>::insert(who, &member);
        }
        if role == Role::Verifier {
            Self::correct_stake(who);
        }
        Self::deposit_event(Event::Exited {
            who: who.clone(),
            role,
            bond,
        });
        Ok(())
    }

    pub(crate) fn do_ban(who: &T::AccountId, until: Option<BlockNumberFor<T>>) -> DispatchResult {
        let ban = Ban { until };
        ensure!(ban.holds(Self::now()), Error::<T>::BanEndsInThePast);
        Bans::<T>::insert(who, ban);
        if let Some(mut member) = Members::<T>::get(who) {
            if let Some(worker) = member.worker.as_mut() {
                worker.dormant = true;
                Self::store(who, &member)?;
            }
            Self::note_stake(who, &member);
        }
        Self::deposit_event(Event::Banned {
            who: who.clone(),
            until,
        });
        Ok(())
    }

    pub(crate) fn do_lift_ban(who: &T::AccountId) -> DispatchResult {
        Bans::<T>::take(who).ok_or(Error::<T>::NotBanned)?;
        if let Some(mut member) = Members::<T>::get(who) {
            Self::wake(who, &mut member, Self::now());
            Self::store(who, &member)?;
            Self::note_stake(who, &member);
        }
        Self::deposit_event(Event::BanLifted { who: who.clone() });
        Ok(())
    }
}

/// What the calls have in common.
impl<T: Config> Pallet<T> {
    fn now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number()
    }

    fn is_banned(who: &T::AccountId, now: BlockNumberFor<T>) -> bool {
        Bans::<T>::get(who).is_some_and(|ban| ban.holds(now))
    }

    fn validate(profile: &Profile) -> Result<(), Error<T>> {
        profile
            .validate(T::MaxSlots::get(), T::MaxCapability::get())
            .map_err(Error::from)
    }

    /// Appends a worker, who is bonded, to the trees.
    fn new_worker(who: &T::AccountId, profile: Profile) -> Result<Worker<BlockNumberFor<T>>, DispatchError> {
        let levels = Levels::collect(|one| T::Reputation::level(who, Side::Worker(one)));
        let mut worker = Worker::new(profile, levels, Self::covered_slots(who), 0);
        let trees = Trees::<T>::load();
        worker.leaf = trees.push(worker.weights()).map_err(refusal::<T>)?;
        trees.save();
        LeafOwners::<T>::insert(worker.leaf, who);
        Ok(worker)
    }

    /// Takes a leaf out of the trees; the last worker takes its place.
    fn remove_leaf(leaf: u32) -> DispatchResult {
        let trees = Trees::<T>::load();
        let moved = trees.swap_remove(leaf).map_err(refusal::<T>)?;
        trees.save();
        match moved {
            None => LeafOwners::<T>::remove(leaf),
            Some(last) => {
                let moved = LeafOwners::<T>::take(last).ok_or(DispatchError::Corruption)?;
                Members::<T>::try_mutate(&moved, |member| -> DispatchResult {
                    let worker = member.as_mut().and_then(|member| member.worker.as_mut());
                    worker.ok_or(DispatchError::Corruption)?.leaf = leaf;
                    Ok(())
                })?;
                LeafOwners::<T>::insert(leaf, moved);
            }
        }
        Ok(())
    }

    /// Writes a member, and the weights of its leaf if it is a worker. Nothing else sets weights, so that a leaf always
    /// weighs what [`Worker::weights`] says.
    pub(crate) fn store(who: &T::AccountId, member: &Member<BlockNumberFor<T>>) -> DispatchResult {
        if let Some(worker) = &member.worker {
            let trees = Trees::<T>::load();
            trees.set(worker.leaf, worker.weights()).map_err(refusal::<T>)?;
            trees.save();
        }
        Members::<T>::insert(who, member);
        Ok(())
    }

    /// Puts right what a member that is stored weighs as a verifier, if it is one.
    fn note_stake(who: &T::AccountId, member: &Member<BlockNumberFor<T>>) {
        if member.verifier.is_some() {
            Self::correct_stake(who);
        }
    }

    fn try_mutate_worker(
        who: &T::AccountId,
        change: impl FnOnce(&mut Worker<BlockNumberFor<T>>) -> DispatchResult,
    ) -> DispatchResult {
        let mut member = Members::<T>::get(who).ok_or(Error::<T>::NotRegistered)?;
        change(member.worker.as_mut().ok_or(Error::<T>::NotRegistered)?)?;
        Self::store(who, &member)
    }

    /// For what other pallets tell and cannot undo: does nothing if `who` is no worker.
    fn mutate_worker_if_any(who: &T::AccountId, change: impl FnOnce(&mut Worker<BlockNumberFor<T>>)) {
        let Some(mut member) = Members::<T>::get(who) else {
            return;
        };
        let Some(worker) = member.worker.as_mut() else {
            return;
        };
        change(worker);
        if let Err(error) = with_storage_layer(|| Self::store(who, &member)) {
            defensive!(error);
        }
    }

    /// How many slots the bond of the worker `who` covers, with a minimum bond for each; all, where nothing is asked for.
    fn covered_slots(who: &T::AccountId) -> u32 {
        let minimum = T::MinimumBonds::get()
            .of(Role::Worker)
            .unwrap_or_else(BalanceOf::<T>::zero);
        T::Escrow::held(Purpose::RoleBond, Scope::Role(Role::Worker), who)
            .checked_div(&minimum)
            .map_or(u32::MAX, UniqueSaturatedInto::unique_saturated_into)
    }

    /// Takes down how many slots are covered, and forgets a proven capability that counts no more. Says whether there was one.
    pub(crate) fn correct(who: &T::AccountId, worker: &mut Worker<BlockNumberFor<T>>, now: BlockNumberFor<T>) -> bool {
        worker.covered = Self::covered_slots(who);
        worker.forget_past_capability(&now)
    }

    /// Takes down a heartbeat; forgets a ban that is over and a capability that counts no more.
    fn note_heartbeat(who: &T::AccountId, member: &mut Member<BlockNumberFor<T>>, now: BlockNumberFor<T>) {
        member.last_heartbeat = now;
        if let Some(worker) = member.worker.as_mut()
            && Self::correct(who, worker, now)
        {
            Self::deposit_event(Event::CapabilityExpired { who: who.clone() });
        }
        if Bans::<T>::get(who).is_some_and(|ban| !ban.holds(now)) {
            Bans::<T>::remove(who);
        }
        Self::wake(who, member, now);
    }

    /// Puts a dormant worker back into the draw if it is active again.
    fn wake(who: &T::AccountId, member: &mut Member<BlockNumberFor<T>>, now: BlockNumberFor<T>) {
        if !member.worker.as_ref().is_some_and(|worker| worker.dormant) {
            return;
        }
        let active = Self::ensure_member_active(who, member, Role::Worker, now).is_ok();
        if let Some(worker) = member.worker.as_mut() {
            worker.dormant = !active;
        }
    }

    fn ensure_staying(member: &Member<BlockNumberFor<T>>, role: Role) -> Result<(), Error<T>> {
        match member.standing(role) {
            None => Err(Error::NotRegistered),
            Some(Standing::Leaving { .. }) => Err(Error::Leaving),
            Some(Standing::Staying) => Ok(()),
        }
    }

    pub(crate) fn ensure_member_active(
        who: &T::AccountId,
        member: &Member<BlockNumberFor<T>>,
        role: Role,
        now: BlockNumberFor<T>,
    ) -> Result<(), Error<T>> {
        // If the role was closed after `who` registered, there is no minimum any more, and `who` keeps the role.
        let minimum = T::MinimumBonds::get().of(role).unwrap_or_else(BalanceOf::<T>::zero);
        Self::check_active(who, member, role, now, minimum)
    }

    /// Whether `member` is active in `role`: see the terms of this pallet. Reads the ban and the bond.
    pub(crate) fn check_active(
        who: &T::AccountId,
        member: &Member<BlockNumberFor<T>>,
        role: Role,
        now: BlockNumberFor<T>,
        minimum: BalanceOf<T>,
    ) -> Result<(), Error<T>> {
        Self::ensure_staying(member, role)?;
        ensure!(!Self::is_banned(who, now), Error::<T>::Banned);
        // Time does not run backwards; if it did, nobody would be silent.
        let silent = now.saturating_sub(member.last_heartbeat);
        ensure!(silent <= T::HeartbeatTimeout::get(), Error::<T>::Inactive);
        let bond = T::Escrow::held(Purpose::RoleBond, Scope::Role(role), who);
        ensure!(bond >= minimum, Error::<T>::BondTooSmall);
        Ok(())
    }
}

impl<T: Config> Participants<T::AccountId> for Pallet<T> {
    fn ensure_active(who: &T::AccountId, role: Role) -> DispatchResult {
        let member = Members::<T>::get(who).ok_or(Error::<T>::NotRegistered)?;
        Ok(Self::ensure_member_active(who, &member, role, Self::now())?)
    }

    fn ensure_not_banned(who: &T::AccountId) -> DispatchResult {
        ensure!(!Self::is_banned(who, Self::now()), Error::<T>::Banned);
        Ok(())
    }

    fn ensure_suited(who: &T::AccountId, specialisation: Specialisation) -> DispatchResult {
        let worker = Members::<T>::get(who)
            .and_then(|member| member.worker)
            .ok_or(Error::<T>::NotRegistered)?;
        ensure!(
            worker.profile.specialisations.contains(specialisation),
            Error::<T>::NotSuited
        );
        Ok(())
    }

    fn occupy_slot(who: &T::AccountId) -> DispatchResult {
        Self::try_mutate_worker(who, |worker| {
            ensure!(worker.free_slots() > 0, Error::<T>::NoFreeSlot);
            // Below the number of slots, which fits.
            worker.occupied = worker.occupied.saturating_add(1);
            Ok(())
        })
    }

    fn free_slot(who: &T::AccountId) {
        Self::mutate_worker_if_any(who, |worker| match worker.occupied.checked_sub(1) {
            Some(occupied) => worker.occupied = occupied,
            None => {
                defensive!("a slot was given back that was not taken");
            }
        });
    }

    fn draw_workers(
        seed: H256,
        specialisation: Specialisation,
        count: u32,
        exclude: &[T::AccountId],
    ) -> Vec<T::AccountId> {
        with_storage_layer(|| Self::do_draw_workers(seed, specialisation, count, exclude)).unwrap_or_else(|error| {
            defensive!(error);
            Vec::new()
        })
    }
}

impl<T: Config> Capabilities<T::AccountId, BlockNumberFor<T>> for Pallet<T> {
    fn declared(who: &T::AccountId) -> Result<u32, DispatchError> {
        let worker = Members::<T>::get(who).and_then(|member| member.worker);
        Ok(worker.ok_or(Error::<T>::NotRegistered)?.profile.capability)
    }

    fn prove(who: &T::AccountId, capability: u32, until: BlockNumberFor<T>) {
        Self::mutate_worker_if_any(who, |worker| worker.proven = Some(Proven { capability, until }));
    }

    fn refute(who: &T::AccountId) {
        Self::mutate_worker_if_any(who, |worker| worker.proven = None);
    }
}

impl<T: Config> OnLevelChanged<T::AccountId> for Pallet<T> {
    fn on_level_changed(who: &T::AccountId, specialisation: Specialisation, level: Level) {
        Self::mutate_worker_if_any(who, |worker| worker.levels.set(specialisation, level));
    }
}
