//! The unit of work that decides: which one made a chunk, what it reads, and what it should have come to.

use crate::{Error, Execution};
use agora_jobs::{BlobRef, H256, blob, blob::CHUNK_BYTES};
use agora_reference::{Output, Reference, Step, UnitRun};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_crypto_hashing::blake2_256;

/// Bytes of a chunk.
const CHUNK: u64 = CHUNK_BYTES as u64;
/// Bytes of an entry of a list.
const ENTRY: u64 = 32;
/// Entries of a chunk of a list.
pub const ENTRIES: usize = CHUNK_BYTES / 32;

/// What is said to be wrong.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aim {
    /// A chunk of a state.
    Chunk {
        /// The number of the state.
        state: u64,
        /// The number of the chunk.
        chunk: u64,
        /// BLAKE3 of its bytes, as the claim has them.
        hash: H256,
    },
    /// That the inputs are usable, of a claim with an output.
    Usable,
    /// That the inputs are unusable.
    Unusable,
}

/// A list of digests that is committed to only inside a dispute.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum List {
    /// The states before the one in dispute; none if it is the inputs.
    States,
    /// What the units of [`Step::Inputs`] kept.
    Scans,
    /// What the units of the state in dispute kept.
    Kept,
}

/// What a defence says was computed on the way: the hashes of lists, each a blob of digests of 32 bytes.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Defence {
    /// [`List::States`]; of a program, the digest of the state before the one in dispute, if there is one.
    pub states: H256,
    /// [`List::Scans`]; against [`Aim::Unusable`] those before [`Self::failing`].
    pub scans: H256,
    /// [`List::Kept`].
    pub kept: H256,
    /// The unit of [`Step::Inputs`] that finds the inputs unusable, for a claim that they are; else 0.
    pub failing: u64,
}

impl Defence {
    /// What a chain knows it by in its dispute.
    pub fn id(&self) -> H256 {
        self.using_encoded(|bytes| blake2_256(bytes).into())
    }
}

/// A unit, and what it should have come to.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Point {
    /// The state that it belongs to. `None`: the inputs.
    pub state: Option<u64>,
    /// Its number in its step.
    pub unit: u64,
    /// What the claim says of it.
    pub expected: Expected,
}

/// What a claim says that a unit comes to.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// An output with this digest.
    Output(H256),
    /// An output with a chunk.
    Chunk {
        /// The number of the chunk in the output.
        index: u64,
        /// BLAKE3 of its bytes.
        hash: H256,
    },
    /// The inputs are unusable.
    Unusable,
}

/// The step of a state; of the inputs.
pub fn step_of(state: Option<u64>) -> Step {
    state.map_or(Step::Inputs, Step::State)
}

impl Point {
    /// The unit's step.
    pub fn step(&self) -> Step {
        step_of(self.state)
    }

    /// The length of its output in bytes, from the job alone.
    pub fn size(&self, law: &dyn Reference) -> Option<u64> {
        law.unit(self.step(), self.unit).map(|unit| match unit.output {
            Output::Kept { size } | Output::Part { size, .. } => size,
        })
    }
}

impl Aim {
    /// The state whose unit is in dispute. `None`: the inputs.
    pub const fn state(&self) -> Option<u64> {
        match self {
            Self::Chunk { state, .. } => Some(*state),
            Self::Usable | Self::Unusable => None,
        }
    }

    /// The state before the one in dispute, and the digest that `defence` says it has: of a program, whose runs are given that digest instead
    /// of a list. `None`: there is a list, or no state before.
    pub fn before(&self, law: &dyn Reference, defence: &Defence) -> Option<(u64, H256)> {
        let state = law.program().and(self.state())?;
        Some((state.checked_sub(1)?, defence.states))
    }

    /// How many entries `list` has.
    pub fn entries(&self, law: &dyn Reference, defence: &Defence, list: List) -> u64 {
        match (list, self) {
            (List::Scans, Self::Unusable) => defence.failing,
            (List::Scans, _) => law.units(Step::Inputs),
            // See `before`.
            (List::States, _) if law.program().is_some() => 0,
            (List::States, Self::Chunk { state, .. }) => *state,
            (List::Kept, Self::Chunk { state, .. }) => kept(law, Step::State(*state)),
            (List::States | List::Kept, _) => 0,
        }
    }

    /// `list` as a blob.
    pub fn list(&self, law: &dyn Reference, defence: &Defence, list: List) -> BlobRef {
        BlobRef {
            hash: match list {
                List::States => defence.states,
                List::Scans => defence.scans,
                List::Kept => defence.kept,
            },
            size: self.entries(law, defence, list).saturating_mul(ENTRY),
        }
    }

    /// Checks that lists without entries are said to be so, and that the unit that fails is one.
    ///
    /// Errors: `WrongList`, `NoUnit`.
    pub fn accepts(&self, law: &dyn Reference, defence: &Defence) -> Result<(), Error> {
        for list in [List::States, List::Scans, List::Kept] {
            let blob = self.list(law, defence, list);
            let is_digest = list == List::States && self.before(law, defence).is_some();
            if blob.size == 0 && blob.hash != blob::hash(&[]) && !is_digest {
                return Err(Error::WrongList);
            }
        }
        let is_unit = match self {
            Self::Unusable => defence.failing < law.units(Step::Inputs),
            Self::Chunk { .. } | Self::Usable => defence.failing == 0,
        };
        is_unit.then_some(()).ok_or(Error::NoUnit)
    }

    /// What is decided if all lists of a defence are right.
    ///
    /// Errors: `NoUnit` if there is nothing: then it is for the accuser to name an entry of a list.
    pub fn point(&self, law: &dyn Reference, defence: &Defence) -> Result<Point, Error> {
        match *self {
            Self::Usable => Err(Error::NoUnit),
            Self::Unusable => Ok(Point {
                state: None,
                unit: defence.failing,
                expected: Expected::Unusable,
            }),
            Self::Chunk { state, chunk, hash } => {
                let (unit, index) = maker(law, state, chunk).ok_or(Error::NoUnit)?;
                Ok(Point {
                    state: Some(state),
                    unit,
                    expected: Expected::Chunk { index, hash },
                })
            }
        }
    }

    /// The run that decides `point`, if everything that `defence` says is right.
    ///
    /// Errors: `NoUnit`.
    pub fn execution(
        &self,
        law: &dyn Reference,
        job: BlobRef,
        defence: &Defence,
        point: &Point,
    ) -> Result<Execution, Error> {
        let Some(program) = law.program() else {
            return Ok(Execution::Unit(self.unit_run(law, job, defence, point)));
        };
        // Of a map there is one state, of a fold one unit of each.
        let item = point.state.and_then(|state| state.checked_add(point.unit));
        let before = self.before(law, defence).map(|(_, digest)| digest);
        Ok(Execution::Program(program.run(item.ok_or(Error::NoUnit)?, before)))
    }

    /// What the image is given that computes the unit of `point`, to be encoded.
    pub fn unit_run(&self, law: &dyn Reference, job: BlobRef, defence: &Defence, point: &Point) -> UnitRun {
        // A unit of the inputs reads neither states nor what units of states kept.
        let of_state = |list| match point.state {
            Some(_) => self.list(law, defence, list),
            None => BlobRef::to(&[]),
        };
        UnitRun {
            job,
            states: of_state(List::States),
            scans: self.list(law, defence, List::Scans),
            kept: of_state(List::Kept),
            step: point.step(),
            unit: point.unit,
        }
    }
}

/// The unit of `state` that makes chunk `chunk`, and the number of the chunk in its output. `None`: no unit does.
///
/// Complexity: O(log n) in the number of units.
pub fn maker(law: &dyn Reference, state: u64, chunk: u64) -> Option<(u64, u64)> {
    let step = Step::State(state);
    let at = chunk.checked_mul(CHUNK_BYTES as u64)?;
    let begins_later = |unit: u64| match law.unit(step, unit)?.output {
        Output::Kept { .. } => Some(false),
        Output::Part { offset, .. } => Some(offset > at),
    };
    let after = first(law.units(step), |unit| begins_later(unit).unwrap_or(true));
    let unit = after.checked_sub(1)?;
    match law.unit(step, unit)?.output {
        Output::Part { offset, size } => {
            let within = at.checked_sub(offset).filter(|&within| within < size)?;
            Some((unit, within / CHUNK))
        }
        Output::Kept { .. } => None,
    }
}

/// How many units of `step` keep their output. They come first.
///
/// Complexity: O(log n) in the number of units.
pub fn kept(law: &dyn Reference, step: Step) -> u64 {
    first(law.units(step), |unit| {
        law.unit(step, unit)
            .is_none_or(|unit| matches!(unit.output, Output::Part { .. }))
    })
}

/// The first number below `count` that is so, of numbers of which all later ones are so, too; `count` if none is.
fn first(count: u64, is_so: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0u64, count);
    while let Some(width) = high.checked_sub(low).filter(|&width| width > 0) {
        let middle = low.saturating_add(width / 2);
        match is_so(middle) {
            true => high = middle,
            false => low = middle.saturating_add(1),
        }
    }
    low
}

/// The digests of a chunk of a list. `None`: it is none.
pub fn digests(chunk: &[u8]) -> Option<Vec<H256>> {
    let (digests, rest) = chunk.as_chunks::<32>();
    rest.is_empty().then(|| digests.iter().map(H256::from).collect())
}
