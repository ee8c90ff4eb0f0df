//! Who takes part, and the trait through which other pallets ask about them.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;
use sp_runtime::{BoundedVec, DispatchResult, traits::ConstU32};

pub use agora_jobs::Specialisation;

/// A role in the market. An account may have several, each with its own bond.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Computes results.
    Worker,
    /// Checks results.
    Verifier,
    /// Splits tasks into jobs and hands them to its own workers.
    Orchestrator,
    /// Decides what machines cannot.
    Expert,
}

/// The most addresses that an account has.
pub const MAX_ADDRESSES: u32 = 4;
/// The longest address, in bytes.
pub const MAX_ADDRESS_BYTES: u32 = 128;

/// Where an account serves blobs: a URL such as `https://blobs.example:8443/agora`. The chain only keeps it: whoever
/// fetches from it decides whether to trust it with a connection, and compares what comes with its hash.
pub type Address = BoundedVec<u8, ConstU32<MAX_ADDRESS_BYTES>>;
/// The addresses of one account, the preferred one first.
pub type Addresses = BoundedVec<Address, ConstU32<MAX_ADDRESSES>>;

/// Whether `address` could be a URL: printable ASCII without spaces.
pub fn is_printable(address: &[u8]) -> bool {
    !address.is_empty() && address.iter().all(u8::is_ascii_graphic)
}

/// A set of [`Specialisation`]s: bit `i` stands for the one with codec index `i`.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Specialisations(pub u16);

impl Specialisations {
    /// The empty set.
    pub const NONE: Self = Self(0);

    const fn bit(of: Specialisation) -> u16 {
        1u16.wrapping_shl(of as u32)
    }

    /// Adds `one`.
    #[must_use]
    pub const fn with(self, one: Specialisation) -> Self {
        Self(self.0 | Self::bit(one))
    }

    /// Whether `one` is in the set.
    pub const fn contains(self, one: Specialisation) -> bool {
        self.0 & Self::bit(one) != 0
    }

    /// Whether each bit stands for a specialisation that exists, and there is at least one.
    pub const fn is_valid(self) -> bool {
        self.0 != 0 && self.0.wrapping_shr(Specialisation::ALL.len() as u32) == 0
    }
}

impl FromIterator<Specialisation> for Specialisations {
    fn from_iter<I: IntoIterator<Item = Specialisation>>(all: I) -> Self {
        all.into_iter().fold(Self::NONE, Self::with)
    }
}

/// What the life of a task needs to know about, and tell to, those who take part.
pub trait Participants<AccountId> {
    /// Succeeds if `who` has `role`, is bonded, not leaving, not banned and sent a heartbeat recently.
    fn ensure_active(who: &AccountId, role: Role) -> DispatchResult;

    /// Succeeds if `who`, who need not have a role, is not banned.
    fn ensure_not_banned(who: &AccountId) -> DispatchResult;

    /// Succeeds if the worker `who` declared `specialisation`.
    fn ensure_suited(who: &AccountId, specialisation: Specialisation) -> DispatchResult;

    /// Takes one of the worker's free slots.
    ///
    /// Errors: none is free, or it is no worker.
    fn occupy_slot(who: &AccountId) -> DispatchResult;

    /// Gives the slot back. Does nothing if `who` is no worker any more.
    fn free_slot(who: &AccountId);

    /// Draws up to `count` distinct active workers with `specialisation`, with probability in proportion to priority,
    /// none of them in `exclude`. Bounded: may return fewer than there are.
    fn draw_workers(seed: H256, specialisation: Specialisation, count: u32, exclude: &[AccountId]) -> Vec<AccountId>;
}

/// Lets everybody take part, draws nobody.
impl<AccountId> Participants<AccountId> for () {
    fn ensure_active(_: &AccountId, _: Role) -> DispatchResult {
        Ok(())
    }
    fn ensure_not_banned(_: &AccountId) -> DispatchResult {
        Ok(())
    }
    fn ensure_suited(_: &AccountId, _: Specialisation) -> DispatchResult {
        Ok(())
    }
    fn occupy_slot(_: &AccountId) -> DispatchResult {
        Ok(())
    }
    fn free_slot(_: &AccountId) {}
    fn draw_workers(_: H256, _: Specialisation, _: u32, _: &[AccountId]) -> Vec<AccountId> {
        Vec::new()
    }
}

/// What all verifiers weigh together.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TotalStake {
    /// How many there are that weigh anything.
    pub verifiers: u32,
    /// The sum of their weights.
    pub weight: u64,
}

/// What verifiers' bonds weigh where some of them are drawn. In which units is up to who implements it: the same for all.
pub trait Stakes<AccountId, BlockNumber> {
    /// What all verifiers weighed before this block, for a draw whose seed is made in it.
    ///
    /// May look at a verifier and put right what it weighs from then on.
    fn freeze() -> TotalStake;

    /// What `who` weighs in a draw whose seed was made in block `at`: what its bond is worth that it has had since before that block, and
    /// has now. Raising a bond, or coming back, changes nothing in draws that were made before or in the same block.
    fn stake(who: &AccountId, at: BlockNumber) -> u32;
}

/// Everybody weighs the same, and nobody knows how many there are.
impl<AccountId, BlockNumber> Stakes<AccountId, BlockNumber> for () {
    fn freeze() -> TotalStake {
        TotalStake::default()
    }
    fn stake(_: &AccountId, _: BlockNumber) -> u32 {
        1
    }
}
