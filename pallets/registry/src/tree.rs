//! The tree of priorities, in storage.

use crate::{BalanceOf, Config, Error, Event, LeafOwners, Members, Nodes, Pallet, WorkerCount, types::Member};
use agora_math::fenwick::{Fenwick, FenwickError, Hit, NodeStore};
use agora_primitives::participants::{Role, Specialisation};
use alloc::vec::Vec;
use core::marker::PhantomData;
use frame_support::traits::Get;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::{DispatchError, traits::Zero};

/// Keeps the nodes of the tree in [`Nodes`] and [`WorkerCount`].
pub struct StorageNodes<T>(PhantomData<T>);

impl<T> Default for StorageNodes<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: Config> NodeStore for StorageNodes<T> {
    fn leaf_count(&self) -> u32 {
        WorkerCount::<T>::get()
    }

    fn set_leaf_count(&mut self, count: u32) {
        if count.is_zero() {
            WorkerCount::<T>::kill();
        } else {
            WorkerCount::<T>::put(count);
        }
    }

    fn node(&self, index: u32) -> u128 {
        Nodes::<T>::get(index)
    }

    fn set_node(&mut self, index: u32, sum: u128) {
        if sum.is_zero() {
            Nodes::<T>::remove(index);
        } else {
            Nodes::<T>::insert(index, sum);
        }
    }
}

/// A tree that does not let itself be changed is out of leaves or broken.
pub(crate) fn refusal<T: Config>(error: FenwickError) -> DispatchError {
    match error {
        FenwickError::Full => Error::<T>::TooManyWorkers.into(),
        FenwickError::OutOfRange | FenwickError::Corrupt => {
            log::error!(target: "runtime::agora", "the tree of priorities is broken: {error}");
            DispatchError::Corruption
        }
    }
}

/// The result of a draw.
pub(crate) struct Drawn<AccountId, BlockNumber> {
    /// Those who were asked for, in the order they were drawn.
    pub workers: Vec<AccountId>,
    /// Those who were hit but are not active.
    pub inactive: Vec<(AccountId, Member<BlockNumber>)>,
    /// Those who were hit with the weight of a capability that counts no more.
    pub unproven: Vec<(AccountId, Member<BlockNumber>)>,
}

impl<T: Config> Pallet<T> {
    /// The tree of priorities. Leaf `i` is the worker [`LeafOwners`]`[i]`.
    pub fn tree() -> Fenwick<StorageNodes<T>> {
        Fenwick::new(StorageNodes::default())
    }

    /// Draws from `tree`; see [`Participants::draw_workers`](agora_primitives::participants::Participants::draw_workers).
    /// Writes nothing.
    ///
    /// Complexity: O(`MaxDrawTries` · log n) reads.
    pub(crate) fn draw_from<S: NodeStore>(
        tree: &Fenwick<S>,
        seed: H256,
        specialisation: Specialisation,
        count: u32,
        exclude: &[T::AccountId],
    ) -> Result<Drawn<T::AccountId, BlockNumberFor<T>>, FenwickError> {
        let now = frame_system::Pallet::<T>::block_number();
        let minimum = T::MinimumBonds::get()
            .of(Role::Worker)
            .unwrap_or_else(BalanceOf::<T>::zero);
        let mut drawn = Drawn {
            workers: Vec::new(),
            inactive: Vec::new(),
            unproven: Vec::new(),
        };
        let mut hits = tree.draw(seed.0)?.take(T::MaxDrawTries::get() as usize);
        while drawn.workers.len() < count as usize {
            let Some(Hit { leaf, .. }) = hits.next() else {
                break;
            };
            let Some((who, member)) =
                LeafOwners::<T>::get(leaf).and_then(|who| Members::<T>::get(&who).map(|member| (who, member)))
            else {
                frame_support::defensive!("a leaf with weight has no worker");
                continue;
            };
            if Self::check_active(&who, &member, Role::Worker, now, minimum).is_err() {
                drawn.inactive.push((who, member));
                continue;
            }
            let Some(worker) = &member.worker else {
                frame_support::defensive!("a leaf stands for somebody who is no worker");
                continue;
            };
            if worker.proven.as_ref().is_some_and(|proven| proven.is_over(&now)) {
                drawn.unproven.push((who, member));
                continue;
            }
            let suited = worker.profile.specialisations.contains(specialisation);
            if suited && !exclude.contains(&who) {
                drawn.workers.push(who);
            }
        }
        Ok(drawn)
    }

    /// Draws, and corrects the weights of those who were hit and not drawn: to zero for the inactive, to that of an unproven
    /// capability where what was proven counts no more.
    pub(crate) fn do_draw_workers(
        seed: H256,
        specialisation: Specialisation,
        count: u32,
        exclude: &[T::AccountId],
    ) -> Result<Vec<T::AccountId>, DispatchError> {
        let drawn = Self::draw_from(&Self::tree(), seed, specialisation, count, exclude).map_err(refusal::<T>)?;
        for (who, mut member) in drawn.inactive {
            if let Some(worker) = member.worker.as_mut() {
                worker.dormant = true;
            }
            Self::store(&who, &member)?;
            Self::deposit_event(Event::WorkerDormant { who });
        }
        let now = frame_system::Pallet::<T>::block_number();
        for (who, mut member) in drawn.unproven {
            Self::forget_past_capability(&who, &mut member, now);
            Self::store(&who, &member)?;
        }
        Ok(drawn.workers)
    }
}
