//! How a reward is divided.

use agora_math::split::ensure_whole;
use agora_primitives::money::PresetId;
use alloc::{vec, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::Permill;

/// Says which part of a task's reward goes where. The five parts add up to exactly one.
///
/// Units: parts per million.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Split {
    /// Taken out of existence.
    pub burn: Permill,
    /// To the workers with the right answer.
    pub worker: Permill,
    /// To the verifiers on the side of the final verdict, in equal shares.
    pub verifier: Permill,
    /// To the experts who decided. Goes to the treasury where none did.
    pub expert: Permill,
    /// To the treasury.
    pub treasury: Permill,
    /// The part of the workers' part that the best answer gets where there are other right ones, which share the rest
    /// equally. At least one half. Alone, the best answer gets all of it.
    pub best_share: Permill,
}

/// Why a split is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvalidSplit {
    /// The five parts do not add up to exactly one.
    NotWhole,
    /// The best answer would get less than half of the workers' part.
    BestShareTooSmall,
}

impl Split {
    /// Most of the reward is burned: burn 60 %, workers 25 %, verifiers 10 %, treasury 5 %.
    pub const BURN: Self = Self {
        burn: Permill::from_percent(60),
        worker: Permill::from_percent(25),
        verifier: Permill::from_percent(10),
        expert: Permill::from_percent(0),
        treasury: Permill::from_percent(5),
        best_share: Permill::from_percent(70),
    };

    /// Nothing is burned: workers 65 %, verifiers 20 %, experts 7.5 %, treasury 7.5 %.
    pub const PEERS: Self = Self {
        burn: Permill::from_percent(0),
        worker: Permill::from_percent(65),
        verifier: Permill::from_percent(20),
        expert: Permill::from_parts(75_000),
        treasury: Permill::from_parts(75_000),
        best_share: Permill::from_percent(70),
    };

    /// The five parts in the order burn, worker, verifier, expert, treasury.
    pub const fn parts(&self) -> [Permill; 5] {
        [self.burn, self.worker, self.verifier, self.expert, self.treasury]
    }

    /// Succeeds if the parts are whole and the best answer gets no less than any other.
    pub fn validate(&self) -> Result<(), InvalidSplit> {
        ensure_whole(&self.parts()).map_err(|_| InvalidSplit::NotWhole)?;
        if self.best_share < Permill::from_percent(50) {
            return Err(InvalidSplit::BestShareTooSmall);
        }
        Ok(())
    }
}

/// The presets a chain starts with unless its genesis says otherwise: 0 is [`Split::BURN`], 1 is [`Split::PEERS`].
pub fn default_presets() -> Vec<(PresetId, Split)> {
    vec![(0, Split::BURN), (1, Split::PEERS)]
}
