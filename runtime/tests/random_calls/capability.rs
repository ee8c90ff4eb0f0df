//! Hardware challenges: responses, votes and decoys, mostly in time and mostly right.

use crate::{calls::Call, rng::Rng, world::World};
use agora_primitives::{
    capability::{Ballot, challenge_job, decoy_mark, vote_commitment},
    job::{BlobRef, ChunkProof, Limits as _},
    judging::Attestation,
};
use agora_runtime::{AccountId, BlockNumber, Runtime};
use codec::Encode;
use pallet_agora_capability::{CurrentRound, HardwareRound, Responses, Schedule, Votes};
use sp_core::H256;
use sp_io::hashing::blake2_256;

/// Rounds that fit a run of some hundred blocks.
pub const SCHEDULE: Schedule<BlockNumber> = Schedule {
    period: 18,
    window: 6,
    voting: 5,
    revealing: 6,
    validity: 30,
    quorum: 1,
    seats: 4,
};

/// What all decoys are made with.
const SECRET: [u8; 32] = [3; 32];

fn current() -> Option<HardwareRound<BlockNumber>> {
    CurrentRound::<Runtime>::get()
}

/// The number of the round that is open, and now and then that of another.
fn any_round(rng: &mut Rng) -> Option<u32> {
    let current = current()?.number;
    Some(if rng.chance(95) { current } else { rng.below(4) as u32 })
}

/// The decoy that `worker` responds with if its challenge is for `capability`.
fn decoy(worker: &AccountId, capability: u32, round: &HardwareRound<BlockNumber>) -> Vec<u8> {
    let job = challenge_job(round.seed, worker, capability, round.window_ms);
    let mut output = vec![1; job.max_output_bytes() as usize];
    output[..32].copy_from_slice(&decoy_mark(round.seed, worker, &SECRET));
    output
}

pub fn respond(world: &World, rng: &mut Rng) -> Option<Call> {
    let who = if rng.chance(90) {
        rng.pick(&world.workers)?.clone()
    } else {
        world.anybody(rng)
    };
    let digest = if rng.chance(15) {
        // For the capability that most declare.
        BlobRef::to(&decoy(&who, 100, &current()?)).hash
    } else {
        H256::repeat_byte(rng.below(3) as u8)
    };
    let round = any_round(rng)?;
    Some(Call::signed(
        who,
        pallet_agora_capability::Call::respond { round, digest },
    ))
}

/// What `verifier` votes on a response, always the same, and its salt: so it can be revealed without being remembered.
fn vote_of(round: u32, worker: &AccountId, verifier: &AccountId) -> (Attestation, [u8; 32]) {
    let salt = blake2_256(&(round, worker, verifier).encode());
    (Attestation::of(!salt[0].is_multiple_of(4)), salt)
}

pub fn commit_vote(world: &World, rng: &mut Rng) -> Option<Call> {
    let round = any_round(rng)?;
    let responses: Vec<_> = Responses::<Runtime>::iter_prefix(round).collect();
    let (worker, digest) = match rng.pick(&responses) {
        Some((worker, response)) if rng.chance(95) => (worker.clone(), response.digest),
        _ => (world.anybody(rng), H256::zero()),
    };
    let verifier = if rng.chance(90) {
        rng.pick(&world.verifiers)?.clone()
    } else {
        world.anybody(rng)
    };
    let (vote, salt) = vote_of(round, &worker, &verifier);
    let ballot = Ballot {
        round_seed: current()?.seed,
        worker: &worker,
        digest,
        verifier: &verifier,
        vote,
    };
    let commitment = vote_commitment(&ballot, &salt);
    let call = pallet_agora_capability::Call::commit_vote {
        round,
        worker,
        digest,
        commitment,
    };
    Some(Call::signed(verifier, call))
}

pub fn reveal_vote(world: &World, rng: &mut Rng) -> Option<Call> {
    let votes: Vec<_> = Votes::<Runtime>::iter_keys().collect();
    let (round, verifier, worker) = match rng.pick(&votes) {
        Some(known) if rng.chance(95) => known.clone(),
        _ => (any_round(rng)?, world.anybody(rng), world.anybody(rng)),
    };
    let (vote, salt) = vote_of(round, &worker, &verifier);
    let vote = Attestation::of((vote == Attestation::Valid) == rng.chance(95));
    let call = pallet_agora_capability::Call::reveal_vote {
        round,
        worker,
        vote,
        salt,
    };
    Some(Call::signed(verifier, call))
}

pub fn show_decoy(_: &World, rng: &mut Rng) -> Option<Call> {
    let round = current()?;
    let responses: Vec<_> = Responses::<Runtime>::iter_prefix(round.number).collect();
    // Mostly one that is a decoy.
    let decoys = responses
        .iter()
        .filter(|(worker, response)| BlobRef::to(&decoy(worker, response.capability, &round)).hash == response.digest);
    let decoys: Vec<_> = decoys.cloned().collect();
    let among = if rng.chance(90) { &decoys } else { &responses };
    let (worker, response) = rng.pick(among)?.clone();
    let proof = ChunkProof::new(&decoy(&worker, response.capability, &round), 0)?;
    let call = pallet_agora_capability::Call::show_decoy {
        round: round.number,
        secret: SECRET,
        proof,
    };
    Some(Call::signed(worker, call))
}

pub fn set_schedule(_: &World, rng: &mut Rng) -> Option<Call> {
    let odd = Schedule {
        period: rng.below(60) as BlockNumber,
        window: rng.below(10) as BlockNumber,
        voting: rng.below(10) as BlockNumber,
        revealing: rng.below(10) as BlockNumber,
        validity: rng.below(90) as BlockNumber,
        quorum: rng.below(4) as u32,
        seats: rng.below(20) as u32,
    };
    let schedule = rng.pick(&[None, Some(odd), Some(SCHEDULE), Some(SCHEDULE)]).copied()?;
    Some(Call::root(pallet_agora_capability::Call::set_schedule { schedule }))
}
