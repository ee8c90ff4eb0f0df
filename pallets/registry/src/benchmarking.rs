//! What the calls and the draw cost in trees of 2²⁰ leaves.
//!
//! The cost in a Fenwick tree depends on how many leaves there are and on which one is touched, never on weights. So the trees
//! are made this large by setting the number of leaves: a leaf without weight stores nothing. The measured worker has the
//! first leaf, which has the most nodes above it.

#![allow(
    unused_qualifications,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "benchmarks are not part of a runtime that runs"
)]

use super::*;
use crate::types::{Ban, Standing};
use agora_primitives::{
    capability::Capabilities,
    courts::Offence,
    money::{Purpose, Scope},
    participants::{
        Address, Addresses, MAX_ADDRESS_BYTES, MAX_ADDRESSES, Participants, Role, Specialisation, Specialisations,
    },
};
use alloc::{vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
    ensure,
    traits::{EnsureOrigin, Get},
};
use frame_system::{RawOrigin, pallet_prelude::BlockNumberFor};
use sp_core::H256;
use sp_runtime::traits::{Bounded, One, Saturating, Zero};

/// Gives accounts money.
pub trait BenchmarkHelper<AccountId, Balance> {
    /// Gives `who` at least `amount` to spend, on top of what the account needs in order to exist.
    fn fund(who: &AccountId, amount: Balance);
}

/// For chains on which bonds cost nothing.
impl<AccountId, Balance> BenchmarkHelper<AccountId, Balance> for () {
    fn fund(_: &AccountId, _: Balance) {}
}

/// Leaves in the tree that is measured.
const LEAVES: u32 = 1 << 20;

fn profile() -> Profile {
    Profile {
        specialisations: Specialisations::from_iter(Specialisation::ALL),
        slots: 1,
        capability: 1,
    }
}

fn bond<T: Config>() -> Result<BalanceOf<T>, BenchmarkError> {
    let minimum = T::MinimumBonds::get().of(Role::Worker);
    Ok(minimum
        .ok_or(BenchmarkError::Stop("workers cannot register"))?
        .max(One::one()))
}

fn funded<T: Config>(index: u32) -> Result<T::AccountId, BenchmarkError> {
    let who = account("worker", index, 0);
    T::BenchmarkHelper::fund(&who, bond::<T>()?.saturating_mul(4u32.into()));
    Ok(who)
}

/// Registers `count` workers and spreads them evenly over a tree of `leaves` leaves.
fn workers<T: Config>(count: u32, leaves: u32) -> Result<Vec<T::AccountId>, BenchmarkError> {
    let _ = Members::<T>::clear(u32::MAX, None);
    let _ = LeafOwners::<T>::clear(u32::MAX, None);
    let _ = Nodes::<T>::clear(u32::MAX, None);
    WorkerCount::<T>::kill();

    let all = (0..count).map(funded::<T>).collect::<Result<Vec<_>, _>>()?;
    for who in &all {
        Pallet::<T>::do_register(who, Role::Worker, bond::<T>()?, profile())?;
    }
    let _ = LeafOwners::<T>::clear(u32::MAX, None);
    let _ = Nodes::<T>::clear(u32::MAX, None);
    WorkerCount::<T>::put(leaves);
    for (leaf, who) in (0..leaves).step_by((leaves / count) as usize).zip(&all) {
        let mut member = Members::<T>::get(who).expect("it was registered");
        member.worker.as_mut().expect("as a worker").leaf = leaf;
        LeafOwners::<T>::insert(leaf, who);
        Pallet::<T>::store(who, &member)?;
    }
    Ok(all)
}

/// The worker with the first leaf, which has the most nodes above it.
fn worker<T: Config>(leaves: u32) -> Result<T::AccountId, BenchmarkError> {
    Ok(workers::<T>(1, leaves)?.remove(0))
}

fn set_dormant<T: Config>(who: &T::AccountId) -> Result<(), BenchmarkError> {
    let mut member = Members::<T>::get(who).expect("it was registered");
    member.worker.as_mut().expect("as a worker").dormant = true;
    Pallet::<T>::store(who, &member)?;
    Ok(())
}

fn is_dormant<T: Config>(who: &T::AccountId) -> bool {
    Members::<T>::get(who)
        .and_then(|member| member.worker)
        .is_some_and(|worker| worker.dormant)
}

/// A ban that is over but was not forgotten yet.
fn set_past_ban<T: Config>(who: &T::AccountId) {
    Bans::<T>::insert(
        who,
        Ban {
            until: Some(Zero::zero()),
        },
    );
}

fn pass_blocks<T: Config>(blocks: BlockNumberFor<T>) {
    let now = frame_system::Pallet::<T>::block_number();
    frame_system::Pallet::<T>::set_block_number(now.saturating_add(blocks).saturating_add(One::one()));
}

fn ban_origin<T: Config>() -> Result<T::RuntimeOrigin, BenchmarkError> {
    T::BanOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register() -> Result<(), BenchmarkError> {
        // The leaf appended has the most nodes below it.
        worker::<T>(LEAVES - 1)?;
        let who = funded::<T>(1)?;
        set_past_ban::<T>(&who);
        let bond = bond::<T>()?;

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), Role::Worker, bond, profile());

        ensure!(WorkerCount::<T>::get() == LEAVES, "registered");
        Ok(())
    }

    #[benchmark]
    fn update_profile() -> Result<(), BenchmarkError> {
        let who = worker::<T>(LEAVES)?;
        // So that what is declared counts.
        <Pallet<T> as Capabilities<_, _>>::prove(&who, T::MaxCapability::get(), Bounded::max_value());
        let better = Profile {
            capability: T::MaxCapability::get(),
            slots: T::MaxSlots::get(),
            ..profile()
        };

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), better);

        ensure!(
            Members::<T>::get(&who)
                .and_then(|it| it.worker)
                .is_some_and(|it| it.profile == better),
            "updated"
        );
        Ok(())
    }

    #[benchmark]
    fn add_bond() -> Result<(), BenchmarkError> {
        let who = worker::<T>(LEAVES)?;
        set_dormant::<T>(&who)?;
        let amount = bond::<T>()?;

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), Role::Worker, amount);

        ensure!(!is_dormant::<T>(&who), "awake");
        Ok(())
    }

    #[benchmark]
    fn heartbeat() -> Result<(), BenchmarkError> {
        let who = worker::<T>(LEAVES)?;
        set_dormant::<T>(&who)?;
        set_past_ban::<T>(&who);
        <Pallet<T> as Capabilities<_, _>>::prove(&who, 1, Zero::zero());

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        ensure!(!is_dormant::<T>(&who), "awake");
        Ok(())
    }

    #[benchmark]
    fn request_exit() -> Result<(), BenchmarkError> {
        let who = worker::<T>(LEAVES)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), Role::Worker);

        let standing = Members::<T>::get(&who).and_then(|member| member.standing(Role::Worker));
        ensure!(matches!(standing, Some(Standing::Leaving { .. })), "leaving");
        Ok(())
    }

    #[benchmark]
    fn withdraw_bond() -> Result<(), BenchmarkError> {
        // The last worker, whose leaf has the most nodes below it, takes the leaf with the most nodes above it.
        let who = worker::<T>(LEAVES - 1)?;
        let last = funded::<T>(1)?;
        Pallet::<T>::do_register(&last, Role::Worker, bond::<T>()?, profile())?;
        Pallet::<T>::do_request_exit(&who, Role::Worker)?;
        pass_blocks::<T>(T::ExitCoolDown::get());

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), Role::Worker);

        ensure!(Members::<T>::get(&who).is_none(), "gone");
        ensure!(
            T::Escrow::held(Purpose::RoleBond, Scope::Role(Role::Worker), &who).is_zero(),
            "given back"
        );
        ensure!(LeafOwners::<T>::get(0) == Some(last), "moved");
        Ok(())
    }

    #[benchmark]
    fn set_addresses() -> Result<(), BenchmarkError> {
        let who = funded::<T>(0)?;
        let address = vec![b'x'; MAX_ADDRESS_BYTES as usize];
        let address = Address::try_from(address).map_err(|_| "it has the length allowed")?;
        let addresses = vec![address; MAX_ADDRESSES as usize];
        let addresses = Addresses::try_from(addresses).map_err(|_| "there are as many as allowed")?;

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), addresses.clone());

        ensure!(AddressesOf::<T>::get(&who) == Some(addresses), "kept");
        Ok(())
    }

    #[benchmark]
    fn ban() -> Result<(), BenchmarkError> {
        let origin = ban_origin::<T>()?;
        let who = worker::<T>(LEAVES)?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, who.clone(), None);

        ensure!(is_dormant::<T>(&who), "out of the draw");
        Ok(())
    }

    #[benchmark]
    fn lift_ban() -> Result<(), BenchmarkError> {
        let origin = ban_origin::<T>()?;
        let who = worker::<T>(LEAVES)?;
        Pallet::<T>::do_ban(&who, None)?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, who.clone());

        ensure!(!is_dormant::<T>(&who), "back in the draw");
        Ok(())
    }

    /// A verifier weighs more than is kept.
    #[benchmark]
    fn correct_stake() -> Result<(), BenchmarkError> {
        let who: T::AccountId = account("verifier", 0, 0);
        let minimum = T::MinimumBonds::get().of(Role::Verifier);
        let bond = minimum
            .ok_or(BenchmarkError::Stop("verifiers cannot register"))?
            .max(One::one());
        T::BenchmarkHelper::fund(&who, bond);
        Pallet::<T>::do_register(&who, Role::Verifier, bond, profile())?;
        let right = Stakes::<T>::get(&who).map(|stake| stake.weight);
        Pallet::<T>::change_total(right.unwrap_or_default(), 0);
        Stakes::<T>::mutate(&who, |stake| {
            if let Some(stake) = stake {
                stake.weight = 0;
            }
        });

        #[block]
        {
            Pallet::<T>::correct_stake(&who);
        }

        ensure!(
            Stakes::<T>::get(&who).map(|stake| stake.weight) == right,
            "it weighs what it should"
        );
        Ok(())
    }

    #[benchmark]
    fn set_offence_ban() -> Result<(), BenchmarkError> {
        let origin = ban_origin::<T>()?;
        let blocks = Some(BlockNumberFor::<T>::from(9u32));

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, Offence::Fraud, blocks);

        ensure!(OffenceBans::<T>::get(Offence::Fraud) == blocks, "it bans");
        Ok(())
    }

    /// Draws `c` workers, all of them active.
    #[benchmark]
    fn draw_workers(c: Linear<1, { T::MaxDrawTries::get() }>) -> Result<(), BenchmarkError> {
        workers::<T>(c, LEAVES)?;
        let drawn;

        #[block]
        {
            drawn = Pallet::<T>::draw_workers(H256::repeat_byte(7), Specialisation::Synthetic, c, &[]);
        }

        ensure!(drawn.len() == c as usize, "drawn");
        Ok(())
    }

    /// Draws from workers that are all silent: `c` are hit, and put out of the draw.
    #[benchmark]
    fn draw_inactive(c: Linear<1, { T::MaxDrawTries::get() }>) -> Result<(), BenchmarkError> {
        let all = workers::<T>(c, LEAVES)?;
        pass_blocks::<T>(T::HeartbeatTimeout::get());
        let drawn;

        #[block]
        {
            drawn = Pallet::<T>::draw_workers(H256::repeat_byte(7), Specialisation::Synthetic, c, &[]);
        }

        ensure!(drawn.is_empty(), "none is active");
        ensure!(all.iter().all(is_dormant::<T>), "all were hit");
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ExtBuilder::default().build(), crate::mock::Test);
}
