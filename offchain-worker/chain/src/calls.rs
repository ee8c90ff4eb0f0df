//! The market's calls, typed.

use crate::{
    AccountId, Balance, BlockNumber, H256, Payload, ProxyType,
    api::api::{self, runtime_types::bounded_collections::bounded_vec::BoundedVec},
};
use agora_disputes::{Accusation, BranchMove, Children, Defence, Player, RunEnd, Segment, Shown};
use agora_primitives::{
    ClassId, Reference, TaskId,
    job::{ChunkProof, Claim, JobSource, JobSpec},
    judging::{Attestation, Possession},
    participants::{Role, Specialisations},
    task::Difficulty,
};

pub use api::runtime_types::pallet_agora_computation::types::{Clocked, Part};

/// Takes a role; for roles other than worker the last three are zero.
pub fn register(
    role: Role,
    bond: Balance,
    specialisations: Specialisations,
    slots: u32,
    capability: u32,
) -> impl Payload {
    let profile = profile(specialisations, slots, capability);
    api::transactions().registry().register(role.into(), bond, profile)
}

/// Changes what the calling worker declares.
pub fn update_profile(specialisations: Specialisations, slots: u32, capability: u32) -> impl Payload {
    let profile = profile(specialisations, slots, capability);
    api::transactions().registry().update_profile(profile)
}

fn profile(
    specialisations: Specialisations,
    slots: u32,
    capability: u32,
) -> api::runtime_types::pallet_agora_registry::types::Profile {
    api::runtime_types::pallet_agora_registry::types::Profile {
        specialisations: specialisations.into(),
        slots,
        capability,
    }
}

/// Shows that the caller is there.
pub fn heartbeat() -> impl Payload {
    api::transactions().registry().heartbeat()
}

/// Says where the caller serves blobs, the preferred URL first; none: nowhere any more.
///
/// The chain refuses more than [`MAX_ADDRESSES`](agora_primitives::participants::MAX_ADDRESSES), and longer ones than
/// [`MAX_ADDRESS_BYTES`](agora_primitives::participants::MAX_ADDRESS_BYTES).
pub fn set_addresses(addresses: &[String]) -> impl Payload + use<> {
    let addresses = addresses
        .iter()
        .map(|address| BoundedVec(address.clone().into_bytes()))
        .collect();
    api::transactions().registry().set_addresses(BoundedVec(addresses))
}

/// Lets `proxy` make calls of the caller's account, as far as `proxy_type` allows, at once.
pub fn add_proxy(proxy: AccountId, proxy_type: ProxyType) -> impl Payload {
    api::transactions()
        .proxy()
        .add_proxy(proxy.into(), proxy_type.into(), 0)
}

/// Takes back what [`add_proxy`] gave.
pub fn remove_proxy(proxy: AccountId, proxy_type: ProxyType) -> impl Payload {
    api::transactions()
        .proxy()
        .remove_proxy(proxy.into(), proxy_type.into(), 0)
}

/// Asks to leave a role; its bond can be withdrawn after the cool-down.
pub fn request_exit(role: Role) -> impl Payload {
    api::transactions().registry().request_exit(role.into())
}

/// Withdraws the bond of a role that was left.
pub fn withdraw_bond(role: Role) -> impl Payload {
    api::transactions().registry().withdraw_bond(role.into())
}

/// Publishes a task.
pub fn publish(
    class: ClassId,
    job: JobSource,
    difficulty: Difficulty,
    reward: Balance,
    deadline: BlockNumber,
    reference: Reference,
) -> impl Payload {
    api::transactions()
        .tasks()
        .publish(class.into(), job.into(), difficulty.into(), reward, deadline, reference)
}

/// Takes back a task that nobody works on.
pub fn cancel(task: TaskId) -> impl Payload {
    api::transactions().tasks().cancel(task.into())
}

/// Accepts a task.
pub fn accept(task: TaskId) -> impl Payload {
    api::transactions().tasks().accept(task.into())
}

/// Declines the invitation to a task.
pub fn decline(task: TaskId) -> impl Payload {
    api::transactions().tasks().decline(task.into())
}

/// Commits to a result.
pub fn commit(task: TaskId, commitment: H256) -> impl Payload {
    api::transactions().tasks().commit(task.into(), commitment)
}

/// Reveals a claim.
pub fn reveal(task: TaskId, claim: Claim, salt: [u8; 32]) -> impl Payload {
    api::transactions().tasks().reveal(task.into(), claim.into(), salt)
}

/// Reveals a claim about a task that the chain computes, with the bytes of all inputs of its job, in their order.
pub fn reveal_exact(task: TaskId, claim: Claim, salt: [u8; 32], evidence: Vec<u8>) -> impl Payload {
    api::transactions()
        .exact()
        .reveal(task.into(), claim.into(), salt, BoundedVec(evidence))
}

/// Takes the step of a task that is due.
pub fn advance(task: TaskId) -> impl Payload {
    api::transactions().tasks().advance(task.into())
}

/// Commits to an attestation for or against a result.
pub fn commit_attestation(task: TaskId, commitment: H256) -> impl Payload {
    api::transactions()
        .judging()
        .commit_attestation(task.into(), commitment)
}

/// Reveals an attestation, and shows that its verifier had the output.
pub fn reveal_attestation(
    task: TaskId,
    attestation: Attestation,
    salt: [u8; 32],
    possession: Option<Possession>,
) -> impl Payload {
    let possession = possession.map(Into::into);
    api::transactions()
        .judging()
        .reveal_attestation(task.into(), attestation.into(), salt, possession)
}

/// Commits to an accusation of the claim about `task`.
pub fn accuse(task: TaskId, commitment: H256) -> impl Payload {
    api::transactions().computation().commit(task.into(), commitment)
}

/// Reveals an accusation.
pub fn reveal_accusation(task: TaskId, accusation: Accusation, salt: [u8; 32], job: JobSpec) -> impl Payload {
    api::transactions()
        .computation()
        .reveal(task.into(), accusation.into(), salt, job.into())
}

/// Shows what is below the node that a trial has come to.
pub fn show(trial: u64, shown: Shown) -> impl Payload {
    api::transactions().computation().show(trial, shown.into())
}

/// Names the child of the node at which a trial goes on.
pub fn name_child(trial: u64, child: u32) -> impl Payload {
    api::transactions().computation().name_child(trial, child)
}

/// Defends a claim with lists.
pub fn defend(trial: u64, defence: Defence) -> impl Payload {
    api::transactions().computation().defend(trial, defence.into())
}

/// Makes a move about the lists of a defence.
pub fn dispute_list(trial: u64, defence: H256, made: BranchMove) -> impl Payload {
    api::transactions()
        .computation()
        .dispute_list(trial, defence, made.into())
}

/// Adds a run.
pub fn add_run(trial: u64, defence: H256, root: H256, end: RunEnd) -> impl Payload {
    api::transactions()
        .computation()
        .add_run(trial, defence, root, end.into())
}

/// Begins a match between two runs.
pub fn challenge(trial: u64, defence: H256, one: H256, other: H256) -> impl Payload {
    api::transactions().computation().challenge(trial, defence, one, other)
}

/// Opens a node of a run in a match; the lower root is `one`.
pub fn open_node(
    trial: u64,
    defence: H256,
    (one, other): (H256, H256),
    player: Player,
    children: &Children,
) -> impl Payload + use<> {
    api::transactions()
        .computation()
        .open_node(trial, defence, one, other, player.into(), *children)
}

/// Has the chain execute the segment that is left of a match; the lower root is `one`.
pub fn execute(trial: u64, defence: H256, (one, other): (H256, H256), segment: Segment) -> impl Payload {
    api::transactions()
        .computation()
        .execute(trial, defence, one, other, segment.into())
}

/// Ends what time has ended of a trial.
pub fn advance_trial(trial: u64, what: Clocked) -> impl Payload {
    api::transactions().computation().advance(trial, what)
}

/// Settles the bond of a part of a trial that is over.
pub fn collect(trial: u64, part: Part) -> impl Payload {
    api::transactions().computation().collect(trial, part)
}

/// Responds to the caller's hardware challenge.
pub fn respond(round: u32, digest: H256) -> impl Payload {
    api::transactions().capability().respond(round, digest)
}

/// Shows that the account's own response in `round` is a decoy: its output begins with the mark of `secret`.
pub fn show_decoy(round: u32, secret: [u8; 32], proof: ChunkProof) -> impl Payload {
    api::transactions().capability().show_decoy(round, secret, proof.into())
}

/// Commits to a vote on a worker's response to its hardware challenge, which has this digest.
pub fn commit_vote(round: u32, worker: AccountId, digest: H256, commitment: H256) -> impl Payload {
    api::transactions()
        .capability()
        .commit_vote(round, worker, digest, commitment)
}

/// Reveals a vote on a worker's response.
pub fn reveal_vote(round: u32, worker: AccountId, vote: Attestation, salt: [u8; 32]) -> impl Payload {
    api::transactions()
        .capability()
        .reveal_vote(round, worker, vote.into(), salt)
}

/// Moves money from the caller to `to` and keeps the caller's account alive.
pub fn transfer(to: AccountId, amount: Balance) -> impl Payload {
    api::transactions().balances().transfer_keep_alive(to.into(), amount)
}
