//! What is kept about a participant, and the transitions of it. Pure: knows the time and the limits only as arguments.

use agora_primitives::{
    participants::{Role, Specialisation, Specialisations},
    reputation::Level,
};
use codec::{Compact, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The smallest bond of each role; a role without one is closed to registrations.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MinimumBonds<Balance> {
    /// Of workers.
    pub worker: Option<Balance>,
    /// Of verifiers.
    pub verifier: Option<Balance>,
    /// Of orchestrators.
    pub orchestrator: Option<Balance>,
    /// Of experts.
    pub expert: Option<Balance>,
}

impl<Balance: Copy> MinimumBonds<Balance> {
    /// The smallest bond of `role`; nothing if the role is closed.
    pub const fn of(&self, role: Role) -> Option<Balance> {
        match role {
            Role::Worker => self.worker,
            Role::Verifier => self.verifier,
            Role::Orchestrator => self.orchestrator,
            Role::Expert => self.expert,
        }
    }
}

/// What a worker says about itself. The other roles have none.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Profile {
    /// The kinds of work it takes; at least one.
    #[serde(with = "specialisation_names")]
    pub specialisations: Specialisations,
    /// How many tasks it works on at the same time; at least one.
    pub slots: u32,
    /// How much it computes, in 10⁹ integer operations per second; at least one.
    pub capability: u32,
}

/// A set of specialisations in a chain specification: a list of names.
mod specialisation_names {
    use super::{Specialisation, Specialisations};
    use alloc::vec::Vec;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(set: &Specialisations, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(Specialisation::ALL.into_iter().filter(|one| set.contains(*one)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Specialisations, D::Error> {
        Ok(Vec::<Specialisation>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// What is wrong with a [`Profile`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProfileError {
    /// No specialisation, or one that does not exist.
    Specialisations,
    /// No slot, or more than a worker may have.
    Slots,
    /// No capability, or more than a worker may declare.
    Capability,
}

impl Profile {
    /// Checks the profile against the limits.
    pub const fn validate(&self, max_slots: u32, max_capability: u32) -> Result<(), ProfileError> {
        if !self.specialisations.is_valid() {
            return Err(ProfileError::Specialisations);
        }
        if self.slots == 0 || self.slots > max_slots {
            return Err(ProfileError::Slots);
        }
        if self.capability == 0 || self.capability > max_capability {
            return Err(ProfileError::Capability);
        }
        Ok(())
    }
}

/// How much a level multiplies a worker's priority in the specialisation that it was reached in: low, medium, high, highest.
///
/// | level | beginner | skilled | expert | master |
/// | --- | --- | --- | --- | --- |
/// | factor | 1 | 2 | 3 | 4 |
pub const fn level_factor(level: Level) -> u64 {
    match level {
        Level::Beginner => 1,
        Level::Skilled => 2,
        Level::Expert => 3,
        Level::Master => MAX_LEVEL_FACTOR,
    }
}

/// The largest [`level_factor`].
pub const MAX_LEVEL_FACTOR: u64 = 4;

/// A worker's level in every specialisation, by codec index.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Levels([Level; Specialisation::ALL.len()]);

impl Levels {
    /// Asks `level` for each specialisation.
    pub fn collect(level: impl FnMut(Specialisation) -> Level) -> Self {
        Self(Specialisation::ALL.map(level))
    }

    /// Sets the level in one specialisation.
    pub fn set(&mut self, specialisation: Specialisation, level: Level) {
        if let Some(kept) = self.0.get_mut(specialisation as usize) {
            *kept = level;
        }
    }

    /// The level in one specialisation.
    pub fn of(&self, specialisation: Specialisation) -> Level {
        self.0.get(specialisation as usize).copied().unwrap_or_default()
    }
}

/// Whether the holder of a role is staying.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing<BlockNumber> {
    /// It takes new work.
    Staying,
    /// It takes no new work.
    Leaving {
        /// The first block in which the bond can be withdrawn.
        withdrawable_at: BlockNumber,
    },
}

/// The capability that counts for a worker that has proven none, in 10⁹ operations per second.
pub const UNPROVEN_CAPABILITY: u32 = 1;

/// A capability that was proven by a hardware challenge.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proven<BlockNumber> {
    /// In 10⁹ operations per second.
    pub capability: u32,
    /// The first block in which it counts no more.
    pub until: BlockNumber,
}

impl<BlockNumber: PartialOrd> Proven<BlockNumber> {
    /// Whether it counts no more.
    pub fn is_over(&self, now: &BlockNumber) -> bool {
        *now >= self.until
    }
}

/// A weight for each specialisation, by codec index.
pub type Weights = [u64; Specialisation::ALL.len()];

/// A node of the trees of all specialisations: the sum in each of them, by codec index.
///
/// The trees have the same leaves, so that a change touches as many nodes as in one tree. Most sums are zero, and take a byte.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sums([Compact<u128>; Specialisation::ALL.len()]);

impl Default for Sums {
    fn default() -> Self {
        Self([Compact(0); Specialisation::ALL.len()])
    }
}

impl Sums {
    /// The sum in the tree of one specialisation.
    pub fn of(&self, specialisation: Specialisation) -> u128 {
        self.0.get(specialisation as usize).map_or(0, |sum| sum.0)
    }

    /// Sets the sum in the tree of one specialisation.
    pub fn set(&mut self, specialisation: Specialisation, sum: u128) {
        if let Some(kept) = self.0.get_mut(specialisation as usize) {
            kept.0 = sum;
        }
    }

    /// Whether the node is zero in all trees.
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|sum| sum.0 == 0)
    }
}

/// What the draw needs to know about a worker.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Worker<BlockNumber> {
    /// Whether it is staying.
    pub standing: Standing<BlockNumber>,
    /// What it declared.
    pub profile: Profile,
    /// What it has proven of the capability that it declared. It may count no more and still be here: it goes with the
    /// next heartbeat, or when a draw hits the worker.
    pub proven: Option<Proven<BlockNumber>>,
    /// How many of its slots are taken.
    pub occupied: u32,
    /// How many slots its bond covers, with a minimum bond for each. The bond may have been cut since: that is found out with
    /// the next heartbeat, or when a draw hits the worker.
    pub covered: u32,
    /// Its reputation.
    pub levels: Levels,
    /// Its leaf, the same in the trees of all specialisations.
    pub leaf: u32,
    /// Whether it is out of the draw because it was banned, or because a draw hit it and found it silent or short of its
    /// bond. Ends when a heartbeat, a higher bond or the end of a ban makes it active again.
    pub dormant: bool,
}

impl<BlockNumber> Worker<BlockNumber> {
    /// A worker that has just come, with a bond that covers `covered` slots.
    pub const fn new(profile: Profile, levels: Levels, covered: u32, leaf: u32) -> Self {
        Self {
            standing: Standing::Staying,
            profile,
            proven: None,
            occupied: 0,
            covered,
            levels,
            leaf,
            dormant: false,
        }
    }

    /// Slots that are not taken.
    pub const fn free_slots(&self) -> u32 {
        // Never below zero: a profile with fewer slots than are taken is refused.
        self.profile.slots.saturating_sub(self.occupied)
    }

    /// The capability that counts: as much of the declared one as is proven, and [`UNPROVEN_CAPABILITY`] if nothing is.
    pub fn capability(&self) -> u32 {
        self.proven
            .as_ref()
            .map_or(UNPROVEN_CAPABILITY, |proven| proven.capability)
            .min(self.profile.capability)
    }

    /// How many slots count in the draw: those declared, as far as the bond covers them, and one while no capability is proven.
    ///
    /// A slot that nothing backs would be weight for nothing: a worker without a device would outweigh an honest one by
    /// declaring many.
    pub fn backed_slots(&self) -> u32 {
        let slots = self.profile.slots.min(self.covered);
        match self.proven {
            Some(_) => slots,
            None => slots.min(1),
        }
    }

    /// Priority in one specialisation: capability that counts × reputation factor × backed slots that are free, in 64 bits.
    pub fn priority(&self, specialisation: Specialisation) -> u64 {
        // `integrity_test` refuses limits with which this could reach the cap.
        u64::from(self.capability())
            .saturating_mul(level_factor(self.levels.of(specialisation)))
            .saturating_mul(self.backed_slots().saturating_sub(self.occupied).into())
    }

    /// The weight of its leaf in the tree of each specialisation, by codec index: its priority in those that it declares
    /// while it can be drawn, otherwise zero.
    pub fn weights(&self) -> Weights {
        let drawn = matches!(self.standing, Standing::Staying) && !self.dormant;
        Specialisation::ALL.map(|one| match drawn && self.profile.specialisations.contains(one) {
            true => self.priority(one),
            false => 0,
        })
    }
}

impl<BlockNumber: PartialOrd> Worker<BlockNumber> {
    /// Forgets a proven capability that counts no more, and says whether there was one.
    pub fn forget_past_capability(&mut self, now: &BlockNumber) -> bool {
        self.proven.take_if(|proven| proven.is_over(now)).is_some()
    }
}

/// An account that takes part, in one role or several.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member<BlockNumber> {
    /// The block of its last heartbeat, or of what counts as one.
    pub last_heartbeat: BlockNumber,
    /// As a worker.
    pub worker: Option<Worker<BlockNumber>>,
    /// As a verifier.
    pub verifier: Option<Standing<BlockNumber>>,
    /// As an orchestrator.
    pub orchestrator: Option<Standing<BlockNumber>>,
    /// As an expert.
    pub expert: Option<Standing<BlockNumber>>,
}

impl<BlockNumber: Copy + PartialOrd> Member<BlockNumber> {
    /// An account without a role.
    pub const fn new(now: BlockNumber) -> Self {
        Self {
            last_heartbeat: now,
            worker: None,
            verifier: None,
            orchestrator: None,
            expert: None,
        }
    }

    /// Its standing in `role`; nothing if it does not have the role.
    pub fn standing(&self, role: Role) -> Option<Standing<BlockNumber>> {
        match role {
            Role::Worker => self.worker.as_ref().map(|worker| worker.standing),
            Role::Verifier => self.verifier,
            Role::Orchestrator => self.orchestrator,
            Role::Expert => self.expert,
        }
    }

    /// Its standing in `role`, to be changed.
    pub fn standing_mut(&mut self, role: Role) -> Option<&mut Standing<BlockNumber>> {
        match role {
            Role::Worker => self.worker.as_mut().map(|worker| &mut worker.standing),
            Role::Verifier => self.verifier.as_mut(),
            Role::Orchestrator => self.orchestrator.as_mut(),
            Role::Expert => self.expert.as_mut(),
        }
    }

    /// Takes `role` away, and returns the worker that it was.
    pub fn take(&mut self, role: Role) -> Option<Worker<BlockNumber>> {
        match role {
            Role::Worker => return self.worker.take(),
            Role::Verifier => self.verifier = None,
            Role::Orchestrator => self.orchestrator = None,
            Role::Expert => self.expert = None,
        }
        None
    }

    /// Whether it has no role left.
    pub const fn is_gone(&self) -> bool {
        self.worker.is_none() && self.verifier.is_none() && self.orchestrator.is_none() && self.expert.is_none()
    }
}

/// A ban.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ban<BlockNumber> {
    /// The first block in which it is over; never, if there is none.
    pub until: Option<BlockNumber>,
}

impl<BlockNumber: PartialOrd> Ban<BlockNumber> {
    /// Whether it still holds.
    pub fn holds(&self, now: BlockNumber) -> bool {
        self.until.as_ref().is_none_or(|until| now < *until)
    }
}

/// One role of one account at the start of a chain.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisParticipant<AccountId, Balance> {
    /// The account; it has the bond at its disposal.
    pub account: AccountId,
    /// The role.
    pub role: Role,
    /// The bond, in plancks.
    pub bond: Balance,
    /// What a worker says about itself.
    #[serde(default)]
    pub profile: Profile,
}
