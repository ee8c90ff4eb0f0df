//! What must always hold.

use crate::{
    AddressesOf, BalanceOf, Bans, Config, LeafOwners, Members, Nodes, OffenceBans, Pallet, Stakes, TotalStakes,
    WorkerCount,
    types::{Standing, Weights},
};
use agora_primitives::{
    money::{Escrow, Purpose, Scope},
    participants::{Role, Specialisation, TotalStake, is_printable},
};
use alloc::{collections::btree_map::BTreeMap, vec::Vec};
use frame_support::ensure;
use sp_runtime::{TryRuntimeError, traits::Zero};

impl<T: Config> Pallet<T> {
    /// Checks that
    /// 1. every member has a role, and holds no bond for a role that it does not have;
    /// 2. a worker's profile is one that can be declared, and no more slots are taken than it has;
    /// 3. leaves and workers stand for each other, one for one, and there are as many as are counted;
    /// 4. a banned worker has no weight, and no offence bans for no time;
    /// 5. no record of addresses is empty, each address could be a URL, and no member deposits for a record that is not there;
    /// 6. every node is the sum of its leaves' priorities in the tree of each specialisation, which are computed anew; and there is
    ///    no other node;
    /// 7. only verifiers have stakes, those who are leaving or banned have none that weigh, and the sum of all is what is kept.
    ///
    /// Bonds are kept by the escrow alone, whose own check covers the amounts.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::check_addresses()?;
        ensure!(
            OffenceBans::<T>::iter_values().all(|blocks| !blocks.is_zero()),
            "an offence bans for no time"
        );
        Self::check_stakes()?;
        Self::check_leaves(&Self::check_members()?)
    }

    fn check_stakes() -> Result<(), TryRuntimeError> {
        let now = frame_system::Pallet::<T>::block_number();
        let mut total = TotalStake::default();
        for (who, stake) in Stakes::<T>::iter() {
            let member = Members::<T>::get(&who);
            let standing = member.and_then(|member| member.standing(Role::Verifier));
            let standing = standing.ok_or("somebody weighs as a verifier who is none")?;
            let banned = Bans::<T>::get(&who).is_some_and(|ban| ban.holds(now));
            ensure!(
                stake.weight == 0 || (standing == Standing::Staying && !banned),
                "a verifier that is leaving or banned can be drawn"
            );
            ensure!(stake.raised_at <= now, "a stake rose in the future");
            total.weight = total.weight.saturating_add(stake.weight.into());
            total.verifiers = total.verifiers.saturating_add(u32::from(stake.weight > 0));
        }
        ensure!(
            TotalStakes::<T>::get().now == total,
            "the sum of the stakes is not what is kept"
        );
        Ok(())
    }

    fn check_addresses() -> Result<(), TryRuntimeError> {
        for addresses in AddressesOf::<T>::iter_values() {
            ensure!(!addresses.is_empty(), "a record of addresses is empty");
            ensure!(
                addresses.iter().all(|address| is_printable(address)),
                "an address cannot be a URL"
            );
        }
        Ok(())
    }

    /// Returns the weights of every leaf.
    fn check_members() -> Result<Vec<Weights>, TryRuntimeError> {
        let now = frame_system::Pallet::<T>::block_number();
        let mut weights = BTreeMap::<u32, Weights>::new();
        for (who, member) in Members::<T>::iter() {
            ensure!(!member.is_gone(), "a member has no role");
            let deposit = T::Escrow::held(Purpose::Addresses, Scope::Account, &who);
            ensure!(
                AddressesOf::<T>::contains_key(&who) || deposit.is_zero(),
                "there is a deposit for no record of addresses"
            );
            for role in [Role::Worker, Role::Verifier, Role::Orchestrator, Role::Expert] {
                let bond = T::Escrow::held(Purpose::RoleBond, Scope::Role(role), &who);
                ensure!(
                    member.standing(role).is_some() || bond == BalanceOf::<T>::zero(),
                    "a bond is held for a role that its owner does not have"
                );
            }
            let Some(worker) = &member.worker else {
                continue;
            };
            ensure!(
                worker.profile.validate(u32::MAX, u32::MAX).is_ok(),
                "a worker has an impossible profile"
            );
            ensure!(
                worker.occupied <= worker.profile.slots,
                "more slots are taken than there are"
            );
            ensure!(
                LeafOwners::<T>::get(worker.leaf).as_ref() == Some(&who),
                "a worker's leaf is not its own"
            );
            let banned = Bans::<T>::get(&who).is_some_and(|ban| ban.holds(now));
            ensure!(
                !banned || worker.weights() == Weights::default(),
                "a banned worker can be drawn"
            );
            weights.insert(worker.leaf, worker.weights());
        }
        // As many different leaves as leaves at all, and none is outside: so they are all the leaves.
        let count = WorkerCount::<T>::get();
        ensure!(
            weights.len() == count as usize,
            "the number of workers is not what is counted"
        );
        ensure!(
            LeafOwners::<T>::iter_keys().count() == count as usize,
            "a leaf has no worker"
        );
        ensure!(weights.keys().all(|leaf| *leaf < count), "a leaf is outside the tree");
        Ok(weights.into_values().collect())
    }

    fn check_leaves(weights: &[Weights]) -> Result<(), TryRuntimeError> {
        let mut kept = 0usize;
        for index in 1..=WorkerCount::<T>::get() {
            let first = index & index.saturating_sub(1);
            let run = weights
                .get(first as usize..index as usize)
                .ok_or("a node is outside the tree")?;
            let node = Nodes::<T>::get(index);
            for one in Specialisation::ALL {
                let sum = run
                    .iter()
                    .map(|weights| weights.get(one as usize).copied().unwrap_or_default())
                    .try_fold(0u128, |sum, weight| sum.checked_add(weight.into()));
                ensure!(sum == Some(node.of(one)), "a node is not the sum that it stands for");
            }
            ensure!(
                !node.is_zero() || !Nodes::<T>::contains_key(index),
                "a node that is zero is kept"
            );
            kept = kept.saturating_add(usize::from(!node.is_zero()));
        }
        ensure!(
            Nodes::<T>::iter_keys().count() == kept,
            "there is a node outside the tree"
        );
        Ok(())
    }
}
