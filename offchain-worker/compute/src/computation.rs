//! The result of a job, and what a worker commits to.

use crate::digest::output_digest;
use agora_math::{
    merkle::Hash,
    trace::{self, Opening},
};

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
        state_digests.push(output_digest(&output));
        Self { output, state_digests }
    }

    /// The digest of the output: that of the last state.
    pub fn digest(&self) -> Hash {
        self.state_digests
            .last()
            .copied()
            .unwrap_or_else(|| output_digest(&self.output))
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
