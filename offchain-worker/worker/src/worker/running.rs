//! The computations that run, and until when.
//!
//! The chain says when a computation is too late. This machine's clock only forecasts that: blocks may come slower than
//! they should, and a computation that is given up too early is a bond that is lost.

use agora_chain::BlockNumber;
use agora_compute::CancelFlag;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The computations that run. Cheap to clone; clones share them.
#[derive(Clone, Default)]
pub(super) struct Running(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    /// The newest best block.
    now: BlockNumber,
    next_number: u64,
    flags: HashMap<u64, (BlockNumber, CancelFlag)>,
}

impl Running {
    /// Cancels `flag` once block `until` is there, as long as the guard lives.
    pub fn add(&self, until: BlockNumber, flag: CancelFlag) -> Guard {
        let mut inner = self.lock();
        if inner.now >= until {
            flag.cancel();
        }
        let number = inner.next_number;
        inner.next_number += 1;
        inner.flags.insert(number, (until, flag));
        Guard {
            running: self.clone(),
            number,
        }
    }

    /// Cancels what is too late at best block `now`.
    pub fn cancel_late(&self, now: BlockNumber) {
        let mut inner = self.lock();
        inner.now = now;
        for (until, flag) in inner.flags.values() {
            if now >= *until {
                flag.cancel();
            }
        }
    }

    /// How many computations run.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.lock().flags.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A computation that runs.
pub(super) struct Guard {
    running: Running,
    number: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.running.lock().flags.remove(&self.number);
    }
}
