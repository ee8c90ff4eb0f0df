//! The machine that decides in the end, as far as a game needs it: one segment at a time.

use agora_jobs::{BlobRef, H256};
use agora_machine::{MAX_WITNESS_BYTES, State, Status, Witness, execute_segment};
use codec::{Decode, DecodeAll, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The most bytes of a state. It holds at most 64 hashes of its output.
pub const MAX_STATE_BYTES: usize = 4096;

/// How a run ends.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It has this output.
    Done(BlobRef),
    /// The inputs are unusable.
    Unusable,
    /// It failed, as no run of a unit ever should.
    Failed,
}

/// Executes segments of the runs of one program.
pub trait Segments {
    /// The hash of the state with which the run on `input` begins.
    fn start(&self, input: &BlobRef) -> H256;

    /// The hash of `state`, and that of the state after the segment that begins there; the same if the run has ended.
    /// `None`: `state` is none, or `witness` does not show what the segment needs. That says nothing about the run.
    fn next(&self, state: &[u8], witness: &[u8]) -> Option<(H256, H256)>;

    /// The hash of `state`, and how the run has ended there. `None`: it is no state, or not the last.
    fn end(&self, state: &[u8]) -> Option<(H256, End)>;
}

/// The image of a kind of job, in the machine of [`agora_machine`].
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pinned {
    /// The image.
    pub image: BlobRef,
    /// The most instructions of a run.
    pub gas: u64,
}

impl Segments for Pinned {
    fn start(&self, input: &BlobRef) -> H256 {
        State::start(input, self.gas).hash()
    }

    fn next(&self, state: &[u8], witness: &[u8]) -> Option<(H256, H256)> {
        let state = decoded(state)?;
        let before = state.hash();
        if state.status != Status::Running {
            return Some((before, before));
        }
        let mut witness = witness.get(..).filter(|bytes| bytes.len() <= MAX_WITNESS_BYTES)?;
        let witness = Witness::decode_all(&mut witness).ok()?;
        let after = execute_segment(&self.image, &state, &witness).ok()?;
        Some((before, after.hash()))
    }

    fn end(&self, state: &[u8]) -> Option<(H256, End)> {
        let state = decoded(state)?;
        let end = match state.status {
            Status::Running => return None,
            Status::Done => End::Done(state.output.blob()),
            Status::Unusable => End::Unusable,
            Status::Trapped(_) | Status::OutOfGas => End::Failed,
        };
        Some((state.hash(), end))
    }
}

fn decoded(state: &[u8]) -> Option<State> {
    let mut state = Some(state).filter(|bytes| bytes.len() <= MAX_STATE_BYTES)?;
    State::decode_all(&mut state).ok()
}
