//! What every engine does, and what it gives.

pub mod cpu;
pub mod gpu;

use crate::{error::EngineError, inputs::Inputs};
use agora_math::{
    merkle::Hash,
    trace::{self, Opening},
};
use agora_primitives::job::JobSpec;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Computes jobs. Equal jobs give equal bytes, on every engine.
pub trait Engine: Send + Sync {
    /// The engine's name, for people.
    fn name(&self) -> &str;

    /// Computes `job` from `inputs`. Blocks until the end; calls on one engine from several threads run side by
    /// side.
    ///
    /// Errors: `Job` when the job is outside of the limits, `Input` when an input cannot be had, `Cancelled` soon after `cancel` is set, and what befalls the
    /// device. A lost device is opened again, and the job goes on, before `DeviceLost` is returned.
    fn run(
        &self,
        job: &JobSpec,
        inputs: &dyn Inputs,
        progress: &dyn Progress,
        cancel: &CancelFlag,
    ) -> Result<Computation, EngineError>;
}

/// Is told how far a computation is.
pub trait Progress: Send + Sync {
    /// `done` of `total` steps (iterations, tiles, items) are computed. `done` never falls, and is `total` at the end.
    fn update(&self, done: u32, total: u32);
}

impl<F: Fn(u32, u32) + Send + Sync> Progress for F {
    fn update(&self, done: u32, total: u32) {
        self(done, total);
    }
}

/// Listens to no progress.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn update(&self, _: u32, _: u32) {}
}

/// Asks a computation to stop. Clones are one flag.
#[derive(Clone, Debug, Default)]
pub struct CancelFlag {
    own: Arc<AtomicBool>,
    parent: Option<Arc<AtomicBool>>,
}

impl CancelFlag {
    /// A flag that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// A flag that is set with this one, and can be set without it. It does not follow what this one itself follows.
    pub fn child(&self) -> Self {
        Self {
            own: Arc::default(),
            parent: Some(Arc::clone(&self.own)),
        }
    }

    /// Sets the flag, for good.
    pub fn cancel(&self) {
        self.own.store(true, Ordering::Relaxed);
    }

    /// Whether the flag is set.
    pub fn is_cancelled(&self) -> bool {
        let mut flags = [Some(&self.own), self.parent.as_ref()].into_iter().flatten();
        flags.any(|flag| flag.load(Ordering::Relaxed))
    }

    /// Errors: `Cancelled` if the flag is set.
    pub(crate) fn check(&self) -> Result<(), EngineError> {
        if self.is_cancelled() {
            Err(EngineError::Cancelled)
        } else {
            Ok(())
        }
    }
}

/// The result of a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Computation {
    /// The canonical output.
    pub output: Vec<u8>,
    /// The digests of the intermediate states, from the first to the last, which is the output.
    pub state_digests: Vec<Hash>,
}

impl Computation {
    /// The result `output` of a job whose parts have the digests `parts`: these are the states before the output.
    pub(crate) fn of_parts(parts: Vec<Hash>, output: Vec<u8>) -> Self {
        let mut state_digests = parts;
        state_digests.push(crate::output_digest(&output));
        Self { output, state_digests }
    }

    /// The digest of the output: that of the last state.
    pub fn digest(&self) -> Hash {
        self.state_digests
            .last()
            .copied()
            .unwrap_or_else(|| crate::output_digest(&self.output))
    }

    /// Commits `account` to the states: the root of [`trace`].
    pub fn trace_root(&self, account: &[u8; 32]) -> Hash {
        trace::root(account, &self.state_digests)
    }

    /// Opens state `index` of `account`'s trace; nothing if there is no such state.
    pub fn open(&self, account: &[u8; 32], index: u32) -> Option<Opening> {
        trace::open(account, &self.state_digests, index)
    }
}
