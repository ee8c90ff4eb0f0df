//! The result of a job, and what a worker claims it to be.

use crate::digest::output_digest;
use agora_math::merkle::Hash;
use agora_primitives::job::{BlobRef, Claim, H256, states_root};

/// The result of a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Computation {
    /// The canonical output.
    pub output: Vec<u8>,
    /// The digests of the states, from the first to the last, which is the output.
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

    /// The digests of the states before the output: the list that is published beside the output.
    pub fn states(&self) -> Vec<H256> {
        let before = self.state_digests.split_last().map_or(&[][..], |(_, before)| before);
        before.iter().copied().map(H256).collect()
    }

    /// What everybody claims who computes the job rightly.
    pub fn claim(&self) -> Claim {
        Claim::Output {
            output: BlobRef {
                hash: H256(self.digest()),
                size: self.output.len() as u64,
            },
            states_root: states_root(&self.states()),
        }
    }
}
