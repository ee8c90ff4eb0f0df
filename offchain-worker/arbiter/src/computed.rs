//! What a job comes to, as whoever plays has it: in memory here, on disk in [`disk`](crate::disk).

use crate::contents::{Contents, chunk_of};
use agora_disputes::player::{Knowledge, Truth};
use agora_jobs::{BlobRef, ChunkProof, Claim, H256, blob, blob::CHUNK_BYTES};
use agora_reference::Step;
#[cfg(feature = "fault-injection")]
use agora_reference::{Output, Reference};
use std::{borrow::Cow, collections::BTreeMap};

/// What somebody knows who has computed a job, and has the contents that units read.
pub trait Computed: Knowledge {
    /// What units of `step` may read of it, by content address: states, and what was kept of the inputs and in the same step. `None`: it is
    /// not at hand now.
    fn of_step(&self, step: Step) -> Option<Box<dyn Contents + '_>>;

    /// How often something was not at hand that may be later, because of a disk.
    fn troubles(&self) -> u64 {
        0
    }

    /// What a unit of the job of `law` comes to. `None`: there is none, or it is not at hand now.
    #[cfg(feature = "fault-injection")]
    fn output(&self, law: &dyn Reference, step: Step, unit: u64) -> Option<Vec<u8>>;
}

/// A [`Truth`] and where in it the content of each digest is.
pub struct Memory {
    pub truth: Truth,
    places: BTreeMap<H256, Place>,
    scans: Vec<H256>,
    states: Vec<H256>,
    kept: Vec<Vec<H256>>,
}

#[derive(Clone, Copy)]
enum Place {
    Scan(usize),
    State(usize),
    Kept(usize, usize),
}

impl Memory {
    pub fn new(truth: Truth) -> Self {
        let mut places = BTreeMap::new();
        let mut list = |contents: &[Vec<u8>], place: &dyn Fn(usize) -> Place| {
            let digests: Vec<_> = contents.iter().map(|content| blob::hash(content)).collect();
            places.extend(digests.iter().enumerate().map(|(at, digest)| (*digest, place(at))));
            digests
        };
        let states = list(&truth.states, &Place::State);
        let scans = list(&truth.scans, &Place::Scan);
        let of_state = |(state, kept): (usize, &Vec<Vec<u8>>)| list(kept, &|unit| Place::Kept(state, unit));
        let kept = truth.kept.iter().enumerate().map(of_state).collect();
        Self {
            places,
            scans,
            states,
            kept,
            truth,
        }
    }

    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        let content = match *self.places.get(&blob.hash)? {
            Place::State(state) => self.truth.states.get(state),
            Place::Scan(unit) => self.truth.scans.get(unit),
            Place::Kept(state, unit) => self.truth.kept.get(state).and_then(|kept| kept.get(unit)),
        };
        content
            .filter(|content| content.len() as u64 == blob.size)
            .map(Vec::as_slice)
    }
}

impl Knowledge for Memory {
    fn scans(&self) -> Cow<'_, [H256]> {
        self.scans.as_slice().into()
    }

    fn is_unusable(&self) -> bool {
        self.truth.unusable
    }

    fn states(&self) -> Cow<'_, [H256]> {
        self.states.as_slice().into()
    }

    fn kept(&self, state: u64) -> Option<Cow<'_, [H256]>> {
        let kept = usize::try_from(state).ok().and_then(|state| self.kept.get(state));
        Some(kept.map(Vec::as_slice).unwrap_or_default().into())
    }

    fn subtree(&self, state: u64, first: u64, len: u64) -> Option<H256> {
        self.truth.subtree(state, first, len)
    }

    fn bytes(&self, state: u64, first: u64, len: u64) -> Option<Vec<u8>> {
        self.truth.bytes(state, first, len)
    }

    fn claim(&self) -> Claim {
        self.truth.claim()
    }
}

impl Computed for Memory {
    fn of_step(&self, _: Step) -> Option<Box<dyn Contents + '_>> {
        Some(Box::new(InMemory(self)))
    }

    #[cfg(feature = "fault-injection")]
    fn output(&self, law: &dyn Reference, step: Step, unit: u64) -> Option<Vec<u8>> {
        let at = usize::try_from(unit).ok()?;
        match (step, law.unit(step, unit)?.output) {
            (Step::Inputs, _) => self.truth.scans.get(at).cloned(),
            (Step::State(state), Output::Kept { .. }) => {
                let kept = self.truth.kept.get(usize::try_from(state).ok()?)?;
                kept.get(at).cloned()
            }
            (Step::State(state), Output::Part { offset, size }) => self.bytes(state, offset, size),
        }
    }
}

struct InMemory<'a>(&'a Memory);

impl Contents for InMemory<'_> {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        chunk_of(self.0.content(blob)?, index, chunk)
    }

    fn prove(&self, blob: &BlobRef, index: u64) -> Option<ChunkProof> {
        ChunkProof::new(self.0.content(blob)?, index)
    }
}
