//! One chain of products on one device: submits product after product, and reads back each state while the next ones
//! are computed.

use super::{buffers::Buffers, plan::Plan};
use crate::{
    device::{Batch, Context, DeviceError, Readback},
    digest::output_digest,
    kernels::gpu::Tuning,
    run::Run,
};
use agora_math::merkle::Hash;
use std::collections::VecDeque;

/// States that are being read back at a time.
const SLOTS: usize = 3;

/// How far a chain has come. Survives the loss of a device.
pub(super) struct Chain {
    pub iterations: u32,
    /// The factor, in canonical residues.
    pub factor: Vec<u8>,
    /// The last state that was read back, in canonical residues.
    pub state: Vec<u8>,
    /// The digests of all states up to that one.
    pub digests: Vec<Hash>,
}

impl Chain {
    /// Iterations that are done.
    pub fn done(&self) -> u32 {
        // The first digest is that of the first state.
        self.digests.len().saturating_sub(1) as u32
    }

    /// Goes on from the last state to the end.
    pub fn run(&mut self, context: &Context, tuning: Tuning, plan: &Plan, run: &Run<'_>) -> Result<(), DeviceError> {
        let buffers = Buffers::new(context, plan, self)?;
        let products = |from| buffers.products(context, tuning, plan, from);
        let products = [products(0)?, products(1)?];
        let mut batch = Batch::new(context, run.cancel);
        let mut flight = VecDeque::new();
        for i in 0..self.iterations - self.done() {
            if flight.len() == SLOTS
                && let Some(oldest) = flight.pop_front()
            {
                self.take(oldest, context, plan, run)?;
            }
            for gemm in &products[(i % 2) as usize] {
                gemm.record(&mut batch)?;
            }
            let state: Vec<_> = buffers.state.iter().map(|panel| panel.slice(..)).collect();
            flight.push_back(batch.read(&state)?);
        }
        for oldest in flight {
            self.take(oldest, context, plan, run)?;
        }
        Ok(())
    }

    /// Takes in a state, without the padding.
    fn take(&mut self, flight: Readback, context: &Context, plan: &Plan, run: &Run<'_>) -> Result<(), DeviceError> {
        let (n, padded) = (plan.n as usize, plan.padded as usize);
        flight.wait(context, run.cancel, |panel, bytes| {
            let first = plan.panels[panel].start as usize;
            let rows = self.state.chunks_exact_mut(n).skip(first);
            for (row, from) in rows.zip(bytes.chunks_exact(padded)) {
                row.copy_from_slice(&from[..n]);
            }
        })?;
        self.digests.push(output_digest(&self.state));
        run.progress.update(self.done(), self.iterations);
        Ok(())
    }
}
