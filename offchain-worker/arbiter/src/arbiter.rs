//! Whoever has computed a job, and plays by it.

use crate::{
    image::pinned,
    record::{Cache, Record},
};
use agora_disputes::{
    Execution, Game, Move, Rules, Side, Target, Terms,
    player::{Player, ShownList, Traced, Tracer, Truth},
};
use agora_jobs::{BlobRef, Claim, H256, JobError, JobSpec, blob};
use agora_machine::run_tree::Children;
use agora_reference::{Fault, Inputs, Output, Step};
use codec::Encode;
use std::{collections::BTreeMap, sync::Arc};

/// Why there is no arbiter.
#[derive(thiserror::Error, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// The job is outside of its limits: nobody can compute it.
    #[error("the job is outside of its limits: {0}")]
    Job(#[from] JobError),
    /// A unit was not computed: an input is missing.
    #[error("the job was not computed: {0}")]
    Unit(#[from] Fault),
}

impl Error {
    /// Whether it may go better with the same job later: once all inputs are at hand.
    pub const fn is_recoverable(&self) -> bool {
        matches!(self, Self::Unit(Fault::Missing { .. }))
    }
}

/// Everything that somebody knows who has computed a job.
pub(crate) struct Known<I> {
    spec: JobSpec,
    /// The specification, encoded, and what it is known by.
    job: (BlobRef, Vec<u8>),
    inputs: I,
    truth: Truth,
    /// Where in `truth` the content of each digest is.
    places: BTreeMap<H256, Place>,
    /// The digests of all states, as a list.
    pub states: Vec<u8>,
    /// The digests of what the units of the inputs kept.
    pub scans: Vec<u8>,
    /// The digests of what the units of each state kept.
    kept: Vec<Vec<u8>>,
}

#[derive(Clone, Copy)]
enum Place {
    Scan(usize),
    State(usize),
    Kept(usize, usize),
}

impl<I: Inputs> Known<I> {
    fn new(spec: JobSpec, inputs: I, truth: Truth) -> Self {
        let mut places = BTreeMap::new();
        let mut list = |contents: &[Vec<u8>], place: &dyn Fn(usize) -> Place| {
            let digests: Vec<_> = contents.iter().map(|content| blob::hash(content)).collect();
            places.extend(digests.iter().enumerate().map(|(at, digest)| (*digest, place(at))));
            agora_reference::list(&digests)
        };
        let states = list(&truth.states, &Place::State);
        let scans = list(&truth.scans, &Place::Scan);
        let of_state = |(state, kept): (usize, &Vec<Vec<u8>>)| list(kept, &|unit| Place::Kept(state, unit));
        let kept = truth.kept.iter().enumerate().map(of_state).collect();
        let job = spec.encode();
        Self {
            job: (BlobRef::to(&job), job),
            spec,
            inputs,
            truth,
            places,
            states,
            scans,
            kept,
        }
    }

    /// The digests of what the units of `state` kept, as a list.
    pub fn kept(&self, state: u64) -> &[u8] {
        let kept = usize::try_from(state).ok().and_then(|state| self.kept.get(state));
        kept.map(Vec::as_slice).unwrap_or_default()
    }

    /// The content of `blob`, unless it is a list. `None`: it is not at hand.
    pub fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        let content = match self.places.get(&blob.hash) {
            Some(&Place::State(state)) => self.truth.states.get(state),
            Some(&Place::Scan(unit)) => self.truth.scans.get(unit),
            Some(&Place::Kept(state, unit)) => self.truth.kept.get(state).and_then(|kept| kept.get(unit)),
            None => None,
        };
        let content = content.filter(|content| content.len() as u64 == blob.size);
        match content {
            Some(content) => Some(content),
            None if self.job.0 == *blob => Some(&self.job.1),
            None => self.inputs.content(blob),
        }
    }
}

/// Plays disputes about one job.
pub struct Arbiter<I> {
    known: Known<I>,
    cache: Cache,
}

/// How many bytes somebody holds who has computed the job of `spec`: its inputs, all its states, and what its units keep. `None`: more than
/// `most`.
///
/// Complexity: the number of units, until it is more.
pub fn bytes_held(spec: &JobSpec, most: u64) -> Option<u64> {
    let law = agora_reference::of(spec);
    let mut sum: u64 = 0;
    let mut add = |bytes: u64| {
        sum = sum.checked_add(bytes).filter(|&sum| sum <= most)?;
        Some(sum)
    };
    for input in spec.inputs() {
        add(input.size)?;
    }
    let steps = core::iter::once(Step::Inputs).chain((0..law.states()).map(Step::State));
    for step in steps {
        if let Step::State(state) = step {
            add(law.state_size(state))?;
        }
        // Those that are a part of the state come last.
        for unit in 0..law.units(step) {
            match law.unit(step, unit)?.output {
                Output::Kept { size } => add(size)?,
                Output::Part { .. } => break,
            };
        }
    }
    add(0)
}

impl<I: Inputs> Arbiter<I> {
    /// Computes the job of `spec`. What `inputs` gives for a blob hashes to it.
    ///
    /// Errors: `Job`, `Unit`. Complexity: that of the job, in plain code; all states are held in memory, then and later.
    pub fn compute(spec: JobSpec, inputs: I) -> Result<Self, Error> {
        spec.validate()?;
        let truth = Truth::compute(agora_reference::of(&spec), &inputs)?;
        Ok(Self::new(spec, inputs, truth))
    }

    /// Takes `truth` for what the job comes to. Whoever gives a wrong one loses by it.
    pub fn new(spec: JobSpec, inputs: I, truth: Truth) -> Self {
        Self {
            known: Known::new(spec, inputs, truth),
            cache: Cache::default(),
        }
    }

    /// The same, but what it holds for true is what `change` makes of the truth.
    #[cfg(feature = "fault-injection")]
    #[must_use]
    pub fn corrupted(self, change: impl FnOnce(&mut Truth)) -> Self {
        let Known {
            spec,
            inputs,
            mut truth,
            ..
        } = self.known;
        change(&mut truth);
        Self::new(spec, inputs, truth)
    }

    /// The job.
    pub const fn spec(&self) -> &JobSpec {
        &self.known.spec
    }

    /// What it comes to.
    pub const fn truth(&self) -> &Truth {
        &self.known.truth
    }

    /// The claim that is right.
    pub fn claim(&self) -> Claim {
        self.truth().claim()
    }

    /// What to accuse `claim` of. `None`: it is right.
    pub fn target(&self, claim: &Claim) -> Option<Target> {
        self.truth().target(claim)
    }

    /// The rules of games about the job.
    pub fn rules<'a>(&'a self, terms: &'a Terms) -> Rules<'a> {
        Rules {
            law: agora_reference::of(self.spec()),
            job: self.known.job.0,
            segments: pinned(),
            terms,
        }
    }

    /// The moves to make now, in this order: see [`Player::moves`].
    ///
    /// Complexity: where a unit is run, up to [`RUN_GAS`](crate::RUN_GAS) instructions, or the gas of a program, once; each segment that is shown takes a small part of
    /// that, from checkpoints of the run.
    pub fn moves<A: Clone + Ord>(&self, side: Side, game: &Game<A>, terms: &Terms) -> Vec<Move> {
        let player = Player {
            truth: self.truth(),
            tracer: self,
            side,
        };
        player.moves(game, &self.rules(terms))
    }

    pub(crate) fn record(&self, run: &Execution, shown: Option<&ShownList<'_>>) -> Option<Arc<Record>> {
        self.cache.record(&self.known, run, shown)
    }
}

impl<I: Inputs> Tracer for Arbiter<I> {
    fn trace(&self, run: &Execution, shown: Option<&ShownList<'_>>) -> Option<Box<dyn Traced + '_>> {
        Some(Box::new(Run {
            known: &self.known,
            record: self.record(run, shown)?,
        }))
    }
}

/// A run, and what it takes to show its segments.
struct Run<'a, I> {
    known: &'a Known<I>,
    record: Arc<Record>,
}

impl<I: Inputs> Traced for Run<'_, I> {
    fn root(&self) -> H256 {
        self.record.tree.root()
    }

    fn open(&self, height: u32, number: u64) -> Option<Children> {
        self.record.tree.open(height, number)
    }

    fn end(&self) -> (Vec<u8>, Vec<u8>) {
        (self.record.end.clone(), self.record.output.clone())
    }

    fn segment(&self, number: u64) -> Option<(Vec<u8>, Vec<u8>)> {
        self.record.segment(self.known, number)
    }
}
