//! A run of the machine that was made, and what is kept of it; and where all that are kept are.

use crate::{IMAGE, RUN_GAS, arbiter::Known, list::List};
use agora_disputes::{Execution, player::ShownList};
use agora_jobs::{BlobRef, ChunkProof, H256, blob, blob::CHUNK_BYTES};
use agora_machine::{Checkpoints, Chunks, Program, run_tree::RunTree, trace_with_checkpoints};
use agora_reference::{Inputs, Step, UnitRun};
use codec::Encode;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

/// Segments of one run that are kept once they were shown.
const SEGMENTS: usize = 64;

/// Bytes of the checkpoints of one run, from which its segments are shown: else each would take as long as the run.
const CHECKPOINT_BYTES: usize = 1 << 26;

/// About how many bytes the runs that one [`Arbiter`](crate::Arbiter) keeps may take, all together.
pub const CACHE_BYTES: usize = 1 << 28;

/// A state, and the witness of the segment after it, encoded.
pub type Shown = (Vec<u8>, Vec<u8>);

/// A run that was made.
pub struct Record {
    run: Execution,
    /// What it was given.
    input: Vec<u8>,
    /// The lists that it reads; a program has none.
    lists: Vec<List>,
    /// The tree over its states.
    pub tree: RunTree,
    /// How many segments it has.
    pub segments: u64,
    /// The last state, encoded.
    pub end: Vec<u8>,
    /// What it has written.
    pub output: Vec<u8>,
    checkpoints: Checkpoints,
    shown: Mutex<BTreeMap<u64, Shown>>,
}

impl Record {
    /// Makes the run. `None`: something that it reads is not known.
    fn new<I: Inputs>(known: &Known<I>, run: &Execution, shown: Option<&ShownList<'_>>) -> Option<Self> {
        let input = run.input();
        let lists = match run {
            Execution::Unit(run) => lists(known, run, shown).into(),
            Execution::Program(_) => Vec::new(),
        };
        let reads = Reads {
            known,
            input: (BlobRef::to(&input), &input),
            lists: &lists,
        };
        let (made, checkpoints) =
            trace_with_checkpoints(&program(known, run, &input)?, &reads, CHECKPOINT_BYTES).ok()?;
        let segments = made.states.len() as u64;
        Some(Self {
            tree: RunTree::new(made.states)?,
            segments,
            end: made.end.encode(),
            output: made.output,
            checkpoints,
            shown: Mutex::default(),
            run: run.clone(),
            input,
            lists,
        })
    }

    /// The state before segment `number`, and its witness. After the end nothing happens, and nothing is read.
    pub fn segment<I: Inputs>(&self, known: &Known<I>, number: u64) -> Option<Shown> {
        if number >= self.segments {
            return Some((self.end.clone(), Vec::new()));
        }
        let of = |shown: &BTreeMap<u64, Shown>| shown.get(&number).cloned();
        if let Some(found) = of(&self.shown.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Some(found);
        }
        let reads = Reads {
            known,
            input: (BlobRef::to(&self.input), &self.input),
            lists: &self.lists,
        };
        let (state, witness) = self
            .checkpoints
            .show_segment(&program(known, &self.run, &self.input)?, &reads, number)
            .ok()?;
        let found = (state.encode(), witness.encode());
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.len() >= SEGMENTS {
            shown.clear();
        }
        shown.insert(number, found.clone());
        Some(found)
    }

    /// About how many bytes of memory it takes.
    fn bytes_held(&self) -> usize {
        const STATE: usize = 35;
        let states = usize::try_from(self.segments).unwrap_or(usize::MAX);
        let lists = self.lists.iter().map(List::bytes_held);
        let others = [
            states.saturating_mul(STATE),
            self.output.len(),
            self.checkpoints.bytes_held(),
        ];
        let all = lists.chain(others);
        all.fold(0, usize::saturating_add)
    }
}

/// The lists that a unit reads, as far as they are known.
fn lists<I: Inputs>(known: &Known<I>, run: &UnitRun, shown: Option<&ShownList<'_>>) -> [List; 3] {
    let kept = match run.step {
        Step::Inputs => &[],
        Step::State(state) => known.kept(state),
    };
    [
        List::new(run.states, &known.states, shown),
        List::new(run.scans, &known.scans, shown),
        List::new(run.kept, kept, shown),
    ]
}

/// What the machine runs. `None`: the image is not at hand.
fn program<'a, I: Inputs>(known: &'a Known<I>, run: &'a Execution, input: &[u8]) -> Option<Program<'a>> {
    let input = BlobRef::to(input);
    Some(match run {
        Execution::Unit(_) => Program {
            image: IMAGE,
            input,
            gas: RUN_GAS,
            reads: None,
        },
        Execution::Program(run) => Program {
            image: known.content(&run.image)?,
            input,
            gas: run.gas,
            reads: Some(&run.reads),
        },
    })
}

/// What a run reads.
struct Reads<'a, I> {
    known: &'a Known<I>,
    input: (BlobRef, &'a [u8]),
    lists: &'a [List],
}

impl<I: Inputs> Reads<'_, I> {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        let (input, bytes) = self.input;
        match input == *blob {
            true => Some(bytes),
            false => self.known.content(blob),
        }
    }

    /// The lists that are `blob`: two may be the same.
    fn lists(&self, blob: &BlobRef) -> impl Iterator<Item = &List> {
        self.lists.iter().filter(|list| list.blob == *blob)
    }
}

impl<I: Inputs> Chunks for Reads<'_, I> {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<()> {
        let of_list = self.lists(blob).find_map(|list| list.chunk(index));
        let of_content = || {
            let from = usize::try_from(index).ok()?.checked_mul(CHUNK_BYTES)?;
            let bytes = self.content(blob)?.get(from..)?;
            bytes.get(..bytes.len().min(CHUNK_BYTES))
        };
        let bytes = of_list.or_else(of_content)?;
        chunk.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(())
    }

    fn prove(&self, blob: &BlobRef, index: u64) -> Option<ChunkProof> {
        let of_list = self.lists(blob).find_map(|list| list.prove(index));
        of_list.or_else(|| ChunkProof::new(self.content(blob)?, index))
    }
}

/// The runs that are kept: those used last.
#[derive(Default)]
pub struct Cache(Mutex<VecDeque<(H256, Option<Arc<Record>>)>>);

impl Cache {
    /// The run of `run`, made now if it is not kept. `None`: something that it reads is not known.
    pub fn record<I: Inputs>(
        &self,
        known: &Known<I>,
        run: &Execution,
        shown: Option<&ShownList<'_>>,
    ) -> Option<Arc<Record>> {
        let parts = shown.map(|shown| (shown.list, shown.openings, shown.index, &shown.bytes));
        let key = (run, parts).using_encoded(blob::hash);
        if let Some(made) = self.find(&key) {
            return made;
        }
        // A run takes long: whoever asks for another meanwhile does not wait.
        let made = Record::new(known, run, shown).map(Arc::new);
        self.keep(key, made.clone());
        made
    }

    fn find(&self, key: &H256) -> Option<Option<Arc<Record>>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|(other, _)| other == key)?;
        let (_, made) = all.remove(at)?;
        all.push_back((*key, made.clone()));
        Some(made)
    }

    fn keep(&self, key: H256, made: Option<Arc<Record>>) {
        const ENTRY: usize = 1024;
        let held = |made: &Option<Arc<Record>>| ENTRY.saturating_add(made.as_ref().map_or(0, |run| run.bytes_held()));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(other, _)| *other != key);
        all.push_back((key, made));
        let mut sum = all.iter().map(|(_, made)| held(made)).fold(0, usize::saturating_add);
        while sum > CACHE_BYTES && all.len() > 1 {
            let gone = all.pop_front().map_or(0, |(_, made)| held(&made));
            sum = sum.saturating_sub(gone);
        }
    }
}
