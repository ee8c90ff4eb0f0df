//! One chain of products on one device: submits product after product. Where the device hashes, the digest of each state is
//! read back while the next ones are computed; elsewhere the state, and it is hashed here.

use super::{super::Diagonals, buffers::Buffers, plan::Plan};
use crate::{
    device::{Batch, Context, DeviceError, Readback},
    digest::output_digest,
    kernels::gpu::{Digest, Gpu},
    run::Run,
};
use agora_math::merkle::Hash;
use std::collections::VecDeque;

/// States that are being read back at a time.
pub(super) const SLOTS: usize = 3;
/// Where the device hashes, one of so many states is read back: from there the chain goes on if the device is lost.
const KEPT_STATES: u32 = 64;

/// How far a chain has come. Survives the loss of a device.
pub(super) struct Chain {
    pub iterations: u32,
    /// The factor, in canonical residues.
    pub factor: Vec<u8>,
    pub diagonals: Diagonals,
    /// The last state that was read back, in canonical residues.
    pub state: Vec<u8>,
    /// Iterations up to that one.
    pub kept: u32,
    /// The digests of all states that are known.
    pub digests: Vec<Hash>,
}

/// A state on its way, or its digest, or both.
struct Flight {
    iteration: u32,
    digest: Option<Readback>,
    state: Option<Readback>,
}

impl Chain {
    /// Iterations that are done.
    pub fn done(&self) -> u32 {
        // The first digest is that of the first state.
        self.digests.len().saturating_sub(1) as u32
    }

    /// Goes on from the last state that was read back to the end.
    pub fn run(&mut self, context: &Context, gpu: &Gpu, plan: &Plan, run: &Run<'_>) -> Result<(), DeviceError> {
        let first = self.kept;
        self.digests.truncate(first as usize + 1);
        let buffers = Buffers::new(context, plan, self)?;
        let products = |from| buffers.products(context, gpu.tuning(), plan, from);
        let products = [products(0)?, products(1)?];
        let digest = match (&buffers.state[..], plan.lines()) {
            ([state], lines) if gpu.hashes() && lines.suit() => Some(Digest::new(context, state, lines)?),
            _ => None,
        };
        let mut batch = Batch::new(context, run.cancel);
        let mut flights = VecDeque::new();
        for i in first..self.iterations {
            if flights.len() == SLOTS
                && let Some(oldest) = flights.pop_front()
            {
                self.take(oldest, context, plan, run)?;
            }
            // All that was recorded for earlier steps is submitted, as each step is when it is read.
            buffers.scales.write(context, &self.diagonals.of(i + 1))?;
            for gemm in &products[((i - first) % 2) as usize] {
                gemm.record(&mut batch)?;
            }
            let iteration = i + 1;
            let is_kept = digest.is_none() || iteration == self.iterations || iteration.is_multiple_of(KEPT_STATES);
            let panels: Vec<_> = buffers.state.iter().map(|panel| panel.slice(..)).collect();
            if let Some(digest) = &digest {
                digest.record(&mut batch)?;
            }
            flights.push_back(Flight {
                iteration,
                digest: digest.as_ref().map(|digest| batch.read(&[digest.hash()])).transpose()?,
                state: is_kept.then(|| batch.read(&panels)).transpose()?,
            });
        }
        for oldest in flights {
            self.take(oldest, context, plan, run)?;
        }
        Ok(())
    }

    /// Takes in what has arrived of a state.
    fn take(&mut self, flight: Flight, context: &Context, plan: &Plan, run: &Run<'_>) -> Result<(), DeviceError> {
        let mut digest = None;
        if let Some(readback) = flight.digest {
            readback.wait(context, run.cancel, |_, bytes| digest = bytes.first_chunk().copied())?;
        }
        if let Some(readback) = flight.state {
            let (n, padded) = (plan.n as usize, plan.padded as usize);
            readback.wait(context, run.cancel, |panel, bytes| {
                // Without the padding.
                let first = plan.panels[panel].start as usize;
                let rows = self.state.chunks_exact_mut(n).skip(first);
                for (row, from) in rows.zip(bytes.chunks_exact(padded)) {
                    row.copy_from_slice(&from[..n]);
                }
            })?;
            self.kept = flight.iteration;
        }
        self.digests.push(digest.unwrap_or_else(|| output_digest(&self.state)));
        run.progress.update(self.done(), self.iterations);
        Ok(())
    }
}
