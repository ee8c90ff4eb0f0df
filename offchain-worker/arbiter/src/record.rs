//! A run of the machine that was made, and what is kept of it; and where all that are kept are.

use crate::{
    IMAGE, RUN_GAS,
    arbiter::Known,
    computed::Computed,
    contents::{Contents, chunk_of, whole},
    list::List,
};
use agora_disputes::{Execution, player::ShownList};
use agora_jobs::{BlobRef, ChunkProof, H256, blob, blob::CHUNK_BYTES};
use agora_machine::{Checkpoints, Chunks, Program, run_tree::RunTree, trace_with_checkpoints};
use agora_reference::{Step, UnitRun};
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
    /// The image of a program; empty, if it is the one that decides.
    image: Vec<u8>,
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
    fn new<I: Contents, C: Computed>(
        known: &Known<I, C>,
        run: &Execution,
        shown: Option<&ShownList<'_>>,
    ) -> Option<Self> {
        let input = run.input();
        let (lists, image) = match run {
            Execution::Unit(run) => (lists(known, run, shown)?.into(), Vec::new()),
            Execution::Program(run) => (Vec::new(), whole(&known.inputs, &run.image)?),
        };
        let (made, checkpoints) = {
            let reads = Reads::new(known, run, &input, &lists)?;
            let program = program(run, &image, &input);
            trace_with_checkpoints(&program, &reads, CHECKPOINT_BYTES).ok()?
        };
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
            image,
        })
    }

    /// The state before segment `number`, and its witness. After the end nothing happens, and nothing is read.
    pub fn segment<I: Contents, C: Computed>(&self, known: &Known<I, C>, number: u64) -> Option<Shown> {
        if number >= self.segments {
            return Some((self.end.clone(), Vec::new()));
        }
        let of = |shown: &BTreeMap<u64, Shown>| shown.get(&number).cloned();
        if let Some(found) = of(&self.shown.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Some(found);
        }
        let reads = Reads::new(known, &self.run, &self.input, &self.lists)?;
        let program = program(&self.run, &self.image, &self.input);
        let (state, witness) = self.checkpoints.show_segment(&program, &reads, number).ok()?;
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
            self.image.len(),
            self.checkpoints.bytes_held(),
        ];
        let all = lists.chain(others);
        all.fold(0, usize::saturating_add)
    }
}

/// The lists that a unit reads, as far as they are known. `None`: what is right is not at hand now.
fn lists<I, C: Computed>(known: &Known<I, C>, run: &UnitRun, shown: Option<&ShownList<'_>>) -> Option<[List; 3]> {
    let list = |digests: &[H256]| agora_reference::list(digests);
    let kept = match run.step {
        Step::Inputs => Vec::new(),
        Step::State(state) => list(&known.computed.kept(state)?),
    };
    Some([
        List::new(run.states, list(&known.computed.states()), shown),
        List::new(run.scans, list(&known.computed.scans()), shown),
        List::new(run.kept, kept, shown),
    ])
}

/// What the machine runs.
fn program<'a>(run: &'a Execution, image: &'a [u8], input: &[u8]) -> Program<'a> {
    let input = BlobRef::to(input);
    match run {
        Execution::Unit(_) => Program {
            image: IMAGE,
            input,
            gas: RUN_GAS,
            reads: None,
        },
        Execution::Program(run) => Program {
            image,
            input,
            gas: run.gas,
            reads: Some(&run.reads),
        },
    }
}

/// What a run reads.
struct Reads<'a, I, C> {
    known: &'a Known<I, C>,
    /// What was computed that it may read.
    computed: Box<dyn Contents + 'a>,
    input: (BlobRef, &'a [u8]),
    lists: &'a [List],
}

impl<'a, I: Contents, C: Computed> Reads<'a, I, C> {
    /// `None`: something is not at hand now.
    fn new(known: &'a Known<I, C>, run: &Execution, input: &'a [u8], lists: &'a [List]) -> Option<Self> {
        let step = match run {
            Execution::Unit(run) => run.step,
            // Nothing is kept by its runs.
            Execution::Program(_) => Step::Inputs,
        };
        Some(Self {
            known,
            computed: known.computed.of_step(step)?,
            input: (BlobRef::to(input), input),
            lists,
        })
    }

    /// What is in memory in any case: the input, and the job.
    fn held(&self, blob: &BlobRef) -> Option<&[u8]> {
        let (job, spec) = &self.known.job;
        let held = [(&self.input.0, self.input.1), (job, spec.as_slice())];
        held.into_iter().find(|(held, _)| *held == blob).map(|(_, bytes)| bytes)
    }

    /// The lists that are `blob`: two may be the same.
    fn lists(&self, blob: &BlobRef) -> impl Iterator<Item = &List> {
        self.lists.iter().filter(|list| list.blob == *blob)
    }
}

impl<I: Contents, C: Computed> Chunks for Reads<'_, I, C> {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<()> {
        if let Some(bytes) = self.lists(blob).find_map(|list| list.chunk(index)) {
            chunk.get_mut(..bytes.len())?.copy_from_slice(bytes);
            return Some(());
        }
        let read = match self.held(blob) {
            Some(bytes) => chunk_of(bytes, index, chunk),
            None => {
                let computed = self.computed.chunk(blob, index, chunk);
                computed.or_else(|| self.known.inputs.chunk(blob, index, chunk))
            }
        };
        read.map(|_| ())
    }

    fn prove(&self, blob: &BlobRef, index: u64) -> Option<ChunkProof> {
        let of_list = self.lists(blob).find_map(|list| list.prove(index));
        let of_held = || ChunkProof::new(self.held(blob)?, index);
        of_list
            .or_else(of_held)
            .or_else(|| self.computed.prove(blob, index))
            .or_else(|| self.known.inputs.prove(blob, index))
    }
}

/// The runs that are kept: those used last.
#[derive(Default)]
pub struct Cache(Mutex<VecDeque<(H256, Option<Arc<Record>>)>>);

impl Cache {
    /// The run of `run`, made now if it is not kept. `None`: something that it reads is not known.
    pub fn record<I: Contents, C: Computed>(
        &self,
        known: &Known<I, C>,
        run: &Execution,
        shown: Option<&ShownList<'_>>,
    ) -> Option<Arc<Record>> {
        let parts = shown.map(|shown| (shown.list, shown.openings, shown.index, &shown.bytes));
        let key = (run, parts).using_encoded(blob::hash);
        if let Some(made) = self.find(&key) {
            return made;
        }
        let troubles = known.computed.troubles();
        // A run takes long: whoever asks for another meanwhile does not wait.
        let made = Record::new(known, run, shown).map(Arc::new);
        // What a disk did not give now it may give later.
        if made.is_some() || known.computed.troubles() == troubles {
            self.keep(key, made.clone());
        }
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
