//! What has been computed of a training job: what becomes the output and the states before it.

use super::Checkpoint;
use crate::{computation::Computation, digest::output_digest};
use agora_math::merkle::Hash;
use agora_primitives::job::TrainingJob;

/// What has been computed of a job.
pub(super) struct Record {
    /// Steps of a segment, and between digests of states.
    segment_steps: u32,
    state_interval: u32,
    /// Steps done.
    pub done: u32,
    output: Vec<u8>,
    losses: Vec<u8>,
    digests: Vec<Hash>,
}

impl Record {
    /// Nothing yet, from `state` on.
    pub fn new(job: &TrainingJob, state: &Checkpoint) -> Self {
        Self {
            segment_steps: job.segment_steps,
            state_interval: job.state_interval,
            done: 0,
            output: Vec::with_capacity(job.segment_bytes() as usize * job.segments as usize),
            losses: Vec::new(),
            digests: vec![output_digest(&state.encode())],
        }
    }

    /// Whether there is a state after `done` steps.
    pub fn has_state(&self, done: u32) -> bool {
        done.is_multiple_of(self.state_interval)
    }

    /// Takes in the loss of the next step.
    pub fn push_loss(&mut self, loss: u32) {
        self.losses.extend(loss.to_le_bytes());
        self.done += 1;
    }

    /// Takes in the checkpoint after the steps done, which with the losses since the last one is a state.
    pub fn push_state(&mut self, checkpoint: &[u8]) {
        let since = self.losses.len().saturating_sub(4 * self.state_interval as usize);
        self.digests
            .push(output_digest(&[checkpoint, &self.losses[since..]].concat()));
        if self.done.is_multiple_of(self.segment_steps) {
            self.output.extend(checkpoint);
            self.output.append(&mut self.losses);
        }
    }

    /// The result.
    pub fn finish(mut self) -> Computation {
        self.digests.push(output_digest(&self.output));
        Computation {
            output: self.output,
            state_digests: self.digests,
        }
    }
}
