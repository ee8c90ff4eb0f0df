//! The market's calls, typed.

use crate::{
    AccountId, Balance, BlockNumber, H256, Payload, ProxyType,
    api::api::{self, runtime_types::bounded_collections::bounded_vec::BoundedVec},
};
use agora_primitives::{
    ClassId, Reference, TaskId,
    job::{Claim, JobSource},
    judging::Attestation,
    participants::{Role, Specialisations},
    task::Difficulty,
};

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

/// Takes the step of a task that is due.
pub fn advance(task: TaskId) -> impl Payload {
    api::transactions().tasks().advance(task.into())
}

/// Attests for or against a result.
pub fn attest(task: TaskId, attestation: Attestation) -> impl Payload {
    api::transactions().judging().attest(task.into(), attestation.into())
}

/// Responds to the caller's hardware challenge.
pub fn respond(round: u32, digest: H256) -> impl Payload {
    api::transactions().capability().respond(round, digest)
}

/// Votes on a worker's response to its hardware challenge.
pub fn vote(round: u32, worker: AccountId, vote: Attestation) -> impl Payload {
    api::transactions().capability().vote(round, worker, vote.into())
}

/// Moves money from the caller to `to` and keeps the caller's account alive.
pub fn transfer(to: AccountId, amount: Balance) -> impl Payload {
    api::transactions().balances().transfer_keep_alive(to.into(), amount)
}
