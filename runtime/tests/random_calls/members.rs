//! What everybody does with roles, bonds and money: mostly sensible, sometimes not.

use crate::{
    calls::{Call, odd_amount},
    rng::Rng,
    world::{World, minimum_bond},
};
use agora_primitives::participants::{Role, Specialisation, Specialisations};
use agora_runtime::{AccountId, Balance, Balances, MICRO_UNIT, Runtime, UNIT};
use pallet_agora_registry::Profile;
use sp_keyring::Sr25519Keyring;

fn profile(rng: &mut Rng) -> Profile {
    let any = Profile {
        specialisations: Specialisations(rng.below(1 << 11) as u16),
        slots: rng.below(5) as u32,
        capability: rng.below(300) as u32,
    };
    let all: Specialisations = Specialisation::ALL.into_iter().collect();
    if rng.chance(30) {
        any
    } else {
        Profile {
            specialisations: all,
            slots: 3,
            capability: 50,
        }
    }
}

pub fn heartbeat(world: &World, rng: &mut Rng) -> Option<Call> {
    Some(Call::signed(
        world.anybody(rng),
        pallet_agora_registry::Call::heartbeat {},
    ))
}

/// Somebody wants a record to be forgotten, long before it has faded.
pub fn forget(world: &World, rng: &mut Rng) -> Option<Call> {
    let records: Vec<_> = pallet_agora_reputation::Records::<Runtime>::iter_keys().collect();
    let (who, side) = rng.pick(&records)?.clone();
    Some(Call::signed(
        world.anybody(rng),
        pallet_agora_reputation::Call::forget { who, side },
    ))
}

/// A role and somebody who should have it, mostly.
fn member(world: &World, rng: &mut Rng) -> Option<(AccountId, Role)> {
    Some(match rng.below(100) {
        0..70 => (rng.pick(&world.workers)?.clone(), Role::Worker),
        70..92 => (rng.pick(&world.verifiers)?.clone(), Role::Verifier),
        _ => {
            let roles = [Role::Worker, Role::Verifier, Role::Orchestrator, Role::Expert];
            (world.anybody(rng), *rng.pick(&roles)?)
        }
    })
}

pub fn register(world: &World, rng: &mut Rng) -> Option<Call> {
    let (who, role) = member(world, rng)?;
    let bond = match rng.below(10) {
        0 => odd_amount(rng),
        1..6 => minimum_bond(role),
        _ => minimum_bond(role) + Balance::from(rng.below(1_000)) * MICRO_UNIT,
    };
    Some(Call::signed(
        who,
        pallet_agora_registry::Call::register {
            role,
            bond,
            profile: profile(rng),
        },
    ))
}

pub fn update_profile(world: &World, rng: &mut Rng) -> Option<Call> {
    let (who, _) = member(world, rng)?;
    Some(Call::signed(
        who,
        pallet_agora_registry::Call::update_profile { profile: profile(rng) },
    ))
}

pub fn add_bond(world: &World, rng: &mut Rng) -> Option<Call> {
    let (who, role) = member(world, rng)?;
    let amount = if rng.chance(80) { UNIT } else { odd_amount(rng) };
    Some(Call::signed(
        who,
        pallet_agora_registry::Call::add_bond { role, amount },
    ))
}

pub fn request_exit(world: &World, rng: &mut Rng) -> Option<Call> {
    let (who, role) = member(world, rng)?;
    // The cool-down may be longer than an episode, so an account that leaves does not come back.
    let is_needed = world
        .workers
        .iter()
        .skip(3)
        .chain(&world.verifiers[2..])
        .any(|one| *one == who);
    if is_needed && rng.chance(98) {
        return None;
    }
    Some(Call::signed(who, pallet_agora_registry::Call::request_exit { role }))
}

pub fn withdraw_bond(world: &World, rng: &mut Rng) -> Option<Call> {
    let (who, role) = member(world, rng)?;
    Some(Call::signed(who, pallet_agora_registry::Call::withdraw_bond { role }))
}

fn prepaid_amount(rng: &mut Rng) -> Balance {
    if rng.chance(80) {
        Balance::from(rng.below(5_000)) * MICRO_UNIT
    } else {
        odd_amount(rng)
    }
}

pub fn deposit(world: &World, rng: &mut Rng) -> Option<Call> {
    let amount = prepaid_amount(rng);
    Some(Call::signed(
        world.anybody(rng),
        pallet_agora_escrow::Call::deposit { amount },
    ))
}

pub fn withdraw(world: &World, rng: &mut Rng) -> Option<Call> {
    let amount = prepaid_amount(rng);
    Some(Call::signed(
        world.anybody(rng),
        pallet_agora_escrow::Call::withdraw { amount },
    ))
}

/// Moves money, so that some accounts run dry or die and others can go on.
pub fn transfer(world: &World, rng: &mut Rng) -> Option<Call> {
    let dest = world.anybody(rng);
    if rng.chance(50) {
        let value = 500 * UNIT;
        let call = pallet_balances::Call::transfer_keep_alive {
            dest: dest.into(),
            value,
        };
        return Some(Call::signed(Sr25519Keyring::Alice.to_account_id(), call));
    }
    let from = world.anybody(rng);
    let value = match rng.below(10) {
        0 => odd_amount(rng),
        1..4 => Balances::free_balance(&from),
        _ => Balances::free_balance(&from) / Balance::from(rng.between(2, 50)),
    };
    let call = pallet_balances::Call::transfer_allow_death {
        dest: dest.into(),
        value,
    };
    Some(Call::signed(from, call))
}
