//! The trees of priorities, one for each specialisation, in storage.
//!
//! All have the same leaves, one for each worker; where a worker does not take a kind of work, its leaf weighs nothing. Node
//! `k` of all trees is kept in one place, so that a change of a worker costs as many reads and writes as in a single tree,
//! however many specialisations it declares. A draw reads the tree of its specialisation alone, and never hits a worker that
//! does not declare it.

use crate::{
    BalanceOf, Config, Error, Event, LeafOwners, Members, Nodes, Pallet, WorkerCount,
    types::{Member, Sums, Weights},
};
use agora_math::fenwick::{Fenwick, FenwickError, Hit, NodeStore};
use agora_primitives::participants::{Role, Specialisation};
use alloc::{collections::btree_map::BTreeMap, vec::Vec};
use core::{
    cell::{Cell, RefCell},
    marker::PhantomData,
};
use frame_support::traits::Get;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::{DispatchError, traits::Zero};

/// The trees of all specialisations: what was read of them, and what was changed and is not saved yet.
///
/// Each node is read once and written once, whichever trees it changes in.
pub struct Trees<T> {
    /// By index; with each, whether it was changed.
    nodes: RefCell<BTreeMap<u32, (Sums, bool)>>,
    leaf_count: Cell<u32>,
    config: PhantomData<T>,
}

/// The nodes of the tree of one specialisation.
pub struct Column<'a, T> {
    trees: &'a Trees<T>,
    specialisation: Specialisation,
    /// Its own, so that each tree sees the same number when a leaf is added to all of them.
    leaf_count: u32,
}

impl<T: Config> Trees<T> {
    /// The trees as they are in storage.
    pub fn load() -> Self {
        Self {
            nodes: RefCell::default(),
            leaf_count: Cell::new(WorkerCount::<T>::get()),
            config: PhantomData,
        }
    }

    /// The tree of one specialisation. Leaf `i` is the worker [`LeafOwners`]`[i]`.
    pub fn of(&self, specialisation: Specialisation) -> Fenwick<Column<'_, T>> {
        Fenwick::new(Column {
            trees: self,
            specialisation,
            leaf_count: self.leaf_count.get(),
        })
    }

    /// Appends a leaf, and returns its index.
    pub(crate) fn push(&self, weights: Weights) -> Result<u32, FenwickError> {
        let mut leaf = self.leaf_count.get();
        for (one, weight) in Specialisation::ALL.into_iter().zip(weights) {
            leaf = self.of(one).push(weight)?;
        }
        self.leaf_count.set(leaf.checked_add(1).ok_or(FenwickError::Full)?);
        Ok(leaf)
    }

    /// Gives a leaf other weights.
    pub(crate) fn set(&self, leaf: u32, weights: Weights) -> Result<(), FenwickError> {
        for (one, weight) in Specialisation::ALL.into_iter().zip(weights) {
            self.of(one).set(leaf, weight)?;
        }
        Ok(())
    }

    /// Removes a leaf; the last one takes its place. Returns the index that the last leaf had, if it was moved.
    pub(crate) fn swap_remove(&self, leaf: u32) -> Result<Option<u32>, FenwickError> {
        let mut moved = None;
        for one in Specialisation::ALL {
            moved = self.of(one).swap_remove(leaf)?;
        }
        let left = self.leaf_count.get().checked_sub(1).ok_or(FenwickError::OutOfRange)?;
        self.leaf_count.set(left);
        Ok(moved)
    }

    /// Writes what was changed.
    pub(crate) fn save(self) {
        let changed = self.nodes.into_inner().into_iter().filter(|(_, (_, changed))| *changed);
        for (index, (sums, _)) in changed {
            if sums.is_zero() {
                Nodes::<T>::remove(index);
            } else {
                Nodes::<T>::insert(index, sums);
            }
        }
        match self.leaf_count.get() {
            count if count == WorkerCount::<T>::get() => {}
            0 => WorkerCount::<T>::kill(),
            count => WorkerCount::<T>::put(count),
        }
    }

    /// How many nodes were read, and how many of them were changed.
    #[cfg(test)]
    pub(crate) fn touched(&self) -> (usize, usize) {
        let nodes = self.nodes.borrow();
        (nodes.len(), nodes.values().filter(|(_, changed)| *changed).count())
    }
}

impl<T: Config> NodeStore for Column<'_, T> {
    fn leaf_count(&self) -> u32 {
        self.leaf_count
    }

    fn set_leaf_count(&mut self, count: u32) {
        self.leaf_count = count;
    }

    fn node(&self, index: u32) -> u128 {
        let mut nodes = self.trees.nodes.borrow_mut();
        let (sums, _) = nodes.entry(index).or_insert_with(|| (Nodes::<T>::get(index), false));
        sums.of(self.specialisation)
    }

    fn set_node(&mut self, index: u32, sum: u128) {
        let mut nodes = self.trees.nodes.borrow_mut();
        let (sums, changed) = nodes.entry(index).or_insert_with(|| (Nodes::<T>::get(index), false));
        if sums.of(self.specialisation) != sum {
            sums.set(self.specialisation, sum);
            *changed = true;
        }
    }
}

/// A tree that does not let itself be changed is out of leaves or broken.
pub(crate) fn refusal<T: Config>(error: FenwickError) -> DispatchError {
    match error {
        FenwickError::Full => Error::<T>::TooManyWorkers.into(),
        FenwickError::OutOfRange | FenwickError::Corrupt => {
            log::error!(target: "runtime::agora", "a tree of priorities is broken: {error}");
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
    /// Those who were hit with more weight than they should have: a capability counts no more, or the bond was cut.
    pub outdated: Vec<(AccountId, Member<BlockNumber>)>,
}

impl<T: Config> Pallet<T> {
    /// Draws from `tree`, which is that of `specialisation`; see [`Participants::draw_workers`](agora_primitives::participants::Participants::draw_workers).
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
            outdated: Vec::new(),
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
            let mut corrected = worker.clone();
            Self::correct(&who, &mut corrected, now);
            if corrected.priority(specialisation) < worker.priority(specialisation) {
                drawn.outdated.push((who, member));
                continue;
            }
            if !exclude.contains(&who) {
                drawn.workers.push(who);
            }
        }
        Ok(drawn)
    }

    /// Draws, and corrects the weights of those who were hit and not drawn: to zero for the inactive, to what is backed for
    /// those whose capability counts no more or whose bond was cut.
    pub(crate) fn do_draw_workers(
        seed: H256,
        specialisation: Specialisation,
        count: u32,
        exclude: &[T::AccountId],
    ) -> Result<Vec<T::AccountId>, DispatchError> {
        let trees = Trees::<T>::load();
        let tree = trees.of(specialisation);
        let drawn = Self::draw_from(&tree, seed, specialisation, count, exclude).map_err(refusal::<T>)?;
        for (who, mut member) in drawn.inactive {
            if let Some(worker) = member.worker.as_mut() {
                worker.dormant = true;
            }
            Self::store(&who, &member)?;
            Self::deposit_event(Event::WorkerDormant { who });
        }
        let now = frame_system::Pallet::<T>::block_number();
        for (who, mut member) in drawn.outdated {
            if let Some(worker) = member.worker.as_mut()
                && Self::correct(&who, worker, now)
            {
                Self::deposit_event(Event::CapabilityExpired { who: who.clone() });
            }
            Self::store(&who, &member)?;
        }
        Ok(drawn.workers)
    }
}
