//! What a computation has besides its job: inputs, a listener, and a flag that stops it.

use crate::inputs::Inputs;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

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

/// Ignores all progress.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn update(&self, _: u32, _: u32) {}
}

/// Asks a computation to stop. Clones share one flag.
#[derive(Clone, Debug, Default)]
pub struct CancelFlag {
    own: Arc<AtomicBool>,
    parent: Option<Arc<AtomicBool>>,
}

/// The [`CancelFlag`] was set.
#[derive(thiserror::Error, Clone, Copy, PartialEq, Eq, Debug)]
#[error("cancelled")]
pub(crate) struct Cancelled;

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
    pub(crate) fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

/// What a computation has besides its job.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub inputs: &'a dyn Inputs,
    pub progress: &'a dyn Progress,
    pub cancel: &'a CancelFlag,
}
