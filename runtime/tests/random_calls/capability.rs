//! Hardware challenges: responses and votes, mostly in time and mostly right.

use crate::{calls::Call, rng::Rng, world::World};
use agora_primitives::judging::Attestation;
use agora_runtime::{BlockNumber, Runtime};
use pallet_agora_capability::{CurrentRound, Responses, Schedule};
use sp_core::H256;

/// Rounds that fit a run of some hundred blocks.
pub const SCHEDULE: Schedule<BlockNumber> = Schedule {
    period: 12,
    window: 4,
    validity: 30,
    quorum: 2,
};

fn round(rng: &mut Rng) -> Option<u32> {
    let current = CurrentRound::<Runtime>::get()?.number;
    Some(if rng.chance(95) { current } else { rng.below(4) as u32 })
}

pub fn respond(world: &World, rng: &mut Rng) -> Option<Call> {
    let who = if rng.chance(90) {
        rng.pick(&world.workers)?.clone()
    } else {
        world.anybody(rng)
    };
    let (round, digest) = (round(rng)?, H256::repeat_byte(rng.below(3) as u8));
    Some(Call::signed(
        who,
        pallet_agora_capability::Call::respond { round, digest },
    ))
}

pub fn vote(world: &World, rng: &mut Rng) -> Option<Call> {
    let round = round(rng)?;
    let responded: Vec<_> = Responses::<Runtime>::iter_key_prefix(round).collect();
    let worker = match rng.pick(&responded) {
        Some(worker) if rng.chance(95) => worker.clone(),
        _ => world.anybody(rng),
    };
    let who = if rng.chance(90) {
        rng.pick(&world.verifiers)?.clone()
    } else {
        world.anybody(rng)
    };
    let vote = Attestation::of(rng.chance(75));
    let call = pallet_agora_capability::Call::vote { round, worker, vote };
    Some(Call::signed(who, call))
}

pub fn set_schedule(_: &World, rng: &mut Rng) -> Option<Call> {
    let odd = Schedule {
        period: rng.below(30) as BlockNumber,
        window: rng.below(10) as BlockNumber,
        validity: rng.below(60) as BlockNumber,
        quorum: rng.below(10) as u32,
    };
    let schedule = rng.pick(&[None, Some(odd), Some(SCHEDULE), Some(SCHEDULE)]).copied()?;
    Some(Call::root(pallet_agora_capability::Call::set_schedule { schedule }))
}
