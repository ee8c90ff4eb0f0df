//! The machine that decides in the end, as far as a game needs it: one segment at a time.

use agora_jobs::{BlobRef, H256, ProgramRun, program::Ending};
use agora_machine::{MAX_WITNESS_BYTES, State, Status, Witness, execute_segment};
use agora_reference::UnitRun;
use alloc::vec::Vec;
use codec::{Decode, DecodeAll, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The most bytes of a state. It holds at most 64 hashes of its output.
pub const MAX_STATE_BYTES: usize = 4096;

/// The run that decides what a unit comes to: that of the pinned image on it, or, if the unit is itself a run of a program, this run.
#[derive(Encode, Clone, PartialEq, Eq, Debug)]
pub enum Execution {
    /// The image of a chain, which computes the unit.
    Unit(UnitRun),
    /// The program of a job.
    Program(ProgramRun),
}

impl Execution {
    /// The content of the blob with which it is started.
    pub fn input(&self) -> Vec<u8> {
        match self {
            Self::Unit(run) => run.encode(),
            Self::Program(run) => run.arguments.clone(),
        }
    }
}

/// How a run ends, and what it has written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// How.
    pub ending: Ending,
    /// The output.
    pub output: BlobRef,
}

/// Executes segments of runs.
pub trait Segments {
    /// The hash of the state with which `run` begins.
    fn start(&self, run: &Execution) -> H256;

    /// The hash of `state`, and that of the state after the segment of `run` that begins there; the same if the run has ended.
    /// `None`: `state` is none, or `witness` does not show what the segment needs. That says nothing about the run.
    fn next(&self, run: &Execution, state: &[u8], witness: &[u8]) -> Option<(H256, H256)>;

    /// The hash of `state`, and how the run has ended there. `None`: it is no state, or not the last.
    fn end(&self, state: &[u8]) -> Option<(H256, End)>;
}

/// The image that computes units of all kinds but programs, in the machine of [`agora_machine`].
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pinned {
    /// The image.
    pub image: BlobRef,
    /// The most instructions of a run of it.
    pub gas: u64,
}

impl Pinned {
    /// The image, the gas and the bounds of `run`.
    fn terms<'a>(&self, run: &'a Execution) -> (BlobRef, u64, Option<&'a [BlobRef]>) {
        match run {
            Execution::Unit(_) => (self.image, self.gas, None),
            Execution::Program(run) => (run.image, run.gas, Some(&run.reads)),
        }
    }
}

impl Segments for Pinned {
    fn start(&self, run: &Execution) -> H256 {
        let (_, gas, _) = self.terms(run);
        State::start(&BlobRef::to(&run.input()), gas).hash()
    }

    fn next(&self, run: &Execution, state: &[u8], witness: &[u8]) -> Option<(H256, H256)> {
        let (image, _, reads) = self.terms(run);
        let state = decoded(state)?;
        let before = state.hash();
        if state.status != Status::Running {
            return Some((before, before));
        }
        let mut witness = witness.get(..).filter(|bytes| bytes.len() <= MAX_WITNESS_BYTES)?;
        let witness = Witness::decode_all(&mut witness).ok()?;
        let after = execute_segment(&image, reads, &state, &witness).ok()?;
        Some((before, after.hash()))
    }

    fn end(&self, state: &[u8]) -> Option<(H256, End)> {
        let state = decoded(state)?;
        let end = End {
            ending: state.status.ending()?,
            output: state.output.blob(),
        };
        Some((state.hash(), end))
    }
}

fn decoded(state: &[u8]) -> Option<State> {
    let mut state = Some(state).filter(|bytes| bytes.len() <= MAX_STATE_BYTES)?;
    State::decode_all(&mut state).ok()
}
