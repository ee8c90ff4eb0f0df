//! Whoever has computed a job, and plays by it.

use crate::{
    computed::{Computed, Memory},
    contents::{Contents, Shared},
    disk::{Files, Trouble},
    image::pinned,
    record::{Cache, Record},
};
use agora_disputes::{
    Execution, Game, Move, Rules, Side, Target, Terms,
    player::{Player, ShownList, Traced, Tracer, Truth},
};
use agora_jobs::{BlobRef, Claim, H256, JobError, JobSpec};
use agora_machine::run_tree::Children;
use agora_reference::{Fault, Inputs};
use codec::Encode;
use std::sync::Arc;

/// Why there is no arbiter.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// The job is outside of its limits: nobody can compute it.
    #[error("the job is outside of its limits: {0}")]
    Job(#[from] JobError),
    /// A unit was not computed: an input is missing.
    #[error("the job was not computed: {0}")]
    Unit(#[from] Fault),
    /// The files are not as they should be, or there is no room for them. What was computed until then is kept.
    #[error(transparent)]
    Disk(#[from] Trouble),
}

impl Error {
    /// Whether it may go better with the same job later: once all inputs are at hand, or there is room.
    pub const fn is_recoverable(&self) -> bool {
        matches!(self, Self::Unit(Fault::Missing { .. }) | Self::Disk(_))
    }
}

/// Everything that somebody knows who has computed a job.
pub(crate) struct Known<I, C> {
    spec: Arc<JobSpec>,
    /// The specification, encoded, and what it is known by.
    pub job: (BlobRef, Vec<u8>),
    pub inputs: I,
    pub computed: C,
}

/// Plays disputes about one job: with all that it comes to in memory, or as an [`Arbiter::in_files`].
pub struct Arbiter<I, C = Memory> {
    known: Known<I, C>,
    cache: Cache,
}

impl<I, C> Arbiter<I, C> {
    fn with(spec: Arc<JobSpec>, inputs: I, computed: C) -> Self {
        let job = spec.encode();
        Self {
            known: Known {
                job: (BlobRef::to(&job), job),
                spec,
                inputs,
                computed,
            },
            cache: Cache::default(),
        }
    }

    /// The job.
    pub fn spec(&self) -> &JobSpec {
        &self.known.spec
    }
}

impl<I: Inputs> Arbiter<I> {
    /// Computes the job of `spec`, all in memory: for jobs that are known to be small. What `inputs` gives for a blob hashes to it.
    ///
    /// Errors: `Job`, `Unit`. Complexity: that of the job, in plain code.
    pub fn compute(spec: JobSpec, inputs: I) -> Result<Self, Error> {
        spec.validate()?;
        let truth = Truth::compute(agora_reference::of(&spec), &inputs)?;
        Ok(Self::new(spec, inputs, truth))
    }

    /// Takes `truth` for what the job comes to. Whoever gives a wrong one loses by it.
    pub fn new(spec: JobSpec, inputs: I, truth: Truth) -> Self {
        Self::with(Arc::new(spec), inputs, Memory::new(truth))
    }

    /// The same, but what it holds for true is what `change` makes of the truth.
    #[cfg(feature = "fault-injection")]
    #[must_use]
    pub fn corrupted(self, change: impl FnOnce(&mut Truth)) -> Self {
        let Known {
            spec, inputs, computed, ..
        } = self.known;
        let mut truth = computed.truth;
        change(&mut truth);
        Self::with(spec, inputs, Memory::new(truth))
    }

    /// What it comes to.
    pub const fn truth(&self) -> &Truth {
        &self.known.computed.truth
    }
}

impl Arbiter<Shared, Files> {
    /// Plays by what is in `files`.
    pub fn in_files(files: Files) -> Self {
        let (spec, inputs) = (Arc::clone(files.spec()), files.inputs().clone());
        Self::with(spec, inputs, files)
    }

    /// What is in its files.
    pub const fn files(&self) -> &Files {
        &self.known.computed
    }

    /// The same, but what it holds for true is what `change` makes of the truth. `None`: something is not at hand.
    #[cfg(feature = "fault-injection")]
    pub fn corrupted_on_disk(self, change: impl FnOnce(&mut Truth)) -> Option<Self> {
        Some(Self::in_files(self.known.computed.corrupted(change)?))
    }
}

impl<I: Contents, C: Computed> Arbiter<I, C> {
    /// The claim that is right.
    pub fn claim(&self) -> Claim {
        self.known.computed.claim()
    }

    /// What to accuse `claim` of. `None`: it is right.
    pub fn target(&self, claim: &Claim) -> Option<Target> {
        self.known.computed.target(claim)
    }

    /// The rules of games about the job.
    pub fn rules<'a>(&'a self, terms: &'a Terms) -> Rules<'a> {
        Rules {
            law: agora_reference::of(&self.known.spec),
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
            truth: &self.known.computed,
            tracer: self,
            side,
        };
        player.moves(game, &self.rules(terms))
    }

    #[cfg(feature = "fault-injection")]
    pub(crate) const fn computed(&self) -> &C {
        &self.known.computed
    }

    pub(crate) fn record(&self, run: &Execution, shown: Option<&ShownList<'_>>) -> Option<Arc<Record>> {
        self.cache.record(&self.known, run, shown)
    }
}

impl<I: Contents, C: Computed> Tracer for Arbiter<I, C> {
    fn trace(&self, run: &Execution, shown: Option<&ShownList<'_>>) -> Option<Box<dyn Traced + '_>> {
        Some(Box::new(Run {
            known: &self.known,
            record: self.record(run, shown)?,
        }))
    }
}

/// A run, and what it takes to show its segments.
struct Run<'a, I, C> {
    known: &'a Known<I, C>,
    record: Arc<Record>,
}

impl<I: Contents, C: Computed> Traced for Run<'_, I, C> {
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
