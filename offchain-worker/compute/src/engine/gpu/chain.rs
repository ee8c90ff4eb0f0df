//! One chain of products on one device: submits product after product, and reads back each state while the next ones are
//! computed.

use super::{
    buffers::{Buffers, SLOTS, Step, record},
    context::Context,
    plan::Plan,
};
use crate::{
    digest::output_digest,
    engine::{CancelFlag, Progress},
    error::EngineError,
};
use agora_math::merkle::Hash;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

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
    pub fn run(
        &mut self,
        context: &Context,
        plan: &Plan,
        progress: &dyn Progress,
        cancel: &CancelFlag,
    ) -> Result<(), EngineError> {
        let buffers = Buffers::new(context, plan);
        context.check()?;
        buffers.upload(context, plan, self);
        let mut flight = Flight::new(context, plan, &buffers, cancel);
        let first = self.done();
        for i in first..self.iterations {
            if flight.is_full() {
                self.take(&mut flight, progress)?;
            }
            flight.launch(((i - first) % 2) as usize)?;
        }
        while self.done() < self.iterations {
            self.take(&mut flight, progress)?;
        }
        Ok(())
    }

    /// Takes in the oldest state in flight.
    fn take(&mut self, flight: &mut Flight<'_>, progress: &dyn Progress) -> Result<(), EngineError> {
        if flight.land(&mut self.state)? {
            self.digests.push(output_digest(&self.state));
            progress.update(self.done(), self.iterations);
        }
        Ok(())
    }
}

/// A submission of the job, counted from zero.
#[derive(Clone)]
struct Submission {
    number: u64,
    index: wgpu::SubmissionIndex,
    work: u64,
}

/// A state on its way to the host.
struct Launched {
    slot: usize,
    submission: Submission,
    arrival: Arc<Mutex<Arrival>>,
}

/// What has become of the panels of a state.
#[derive(Clone, Copy, Default)]
struct Arrival {
    arrived: usize,
    failed: usize,
}

/// How long the device takes for one product, after a warm-up, without anything around it.
pub(super) fn time_product(context: &Context, plan: &Plan) -> Result<Duration, EngineError> {
    let buffers = Buffers::new(context, plan);
    context.check()?;
    let submit = |from| context.queue.submit([record(context, &buffers.steps, from).finish()]);
    let never = CancelFlag::new();
    context.wait(&submit(0), &never, || true)?;
    let started = Instant::now();
    submit(1);
    context.wait(&submit(0), &never, || true)?;
    Ok(started.elapsed() / 2)
}

/// What the device is busy with.
struct Flight<'a> {
    context: &'a Context,
    plan: &'a Plan,
    buffers: &'a Buffers,
    cancel: &'a CancelFlag,
    launched: VecDeque<Launched>,
    next_slot: usize,
    /// Submissions that were not waited for: bounded, so that a cancelled job soon leaves the device.
    submitted: VecDeque<Submission>,
    count: u64,
}

impl<'a> Flight<'a> {
    fn new(context: &'a Context, plan: &'a Plan, buffers: &'a Buffers, cancel: &'a CancelFlag) -> Self {
        let (launched, submitted) = (VecDeque::new(), VecDeque::new());
        Self {
            context,
            plan,
            buffers,
            cancel,
            launched,
            next_slot: 0,
            submitted,
            count: 0,
        }
    }

    /// Whether a state must land before another can be launched.
    fn is_full(&self) -> bool {
        self.launched.len() == SLOTS
    }

    /// Submits one product from the buffers of states `from` to the others, and the way of the result to the host.
    fn launch(&mut self, from: usize) -> Result<(), EngineError> {
        let mut steps = self.buffers.steps.as_slice();
        let slot = self.next_slot;
        self.next_slot = (slot + 1) % SLOTS;
        loop {
            self.cancel.check()?;
            let (batch, work) = self.batch(steps);
            steps = &steps[batch.len()..];
            let mut encoder = record(self.context, batch, from);
            if steps.is_empty() {
                for (state, staging) in self.buffers.state.iter().zip(&self.buffers.staging[slot]) {
                    encoder.copy_buffer_to_buffer(state, 0, staging, 0, None);
                }
            }
            let index = self.context.queue.submit([encoder.finish()]);
            let submission = Submission {
                number: self.count,
                index,
                work,
            };
            self.count += 1;
            self.submitted.push_back(submission.clone());
            if steps.is_empty() {
                self.request(slot, submission);
                return self.throttle();
            }
            self.throttle()?;
        }
    }

    /// The steps that fit in one submission, at least one.
    fn batch<'s>(&self, steps: &'s [Step]) -> (&'s [Step], u64) {
        let mut work = 0;
        let mut count = 0;
        for step in steps {
            if count > 0 && work + step.work > self.context.bounds.work {
                break;
            }
            work += step.work;
            count += 1;
        }
        (&steps[..count], work)
    }

    /// Waits until the device has at most two full submissions before it.
    fn throttle(&mut self) -> Result<(), EngineError> {
        let mut work: u64 = self.submitted.iter().map(|submission| submission.work).sum();
        while work > 2 * self.context.bounds.work
            && self.submitted.len() > 1
            && let Some(oldest) = self.submitted.pop_front()
        {
            self.context.wait(&oldest.index, self.cancel, || true)?;
            work -= oldest.work;
        }
        Ok(())
    }

    /// Asks for the staging buffers of `slot` as soon as `submission` has ended.
    fn request(&mut self, slot: usize, submission: Submission) {
        let arrival = Arc::new(Mutex::new(Arrival::default()));
        for staging in &self.buffers.staging[slot] {
            let arrival = Arc::clone(&arrival);
            staging.map_async(wgpu::MapMode::Read, .., move |result| {
                let mut arrival = arrival.lock().unwrap_or_else(PoisonError::into_inner);
                match result {
                    Ok(()) => arrival.arrived += 1,
                    Err(_) => arrival.failed += 1,
                }
            });
        }
        self.launched.push_back(Launched {
            slot,
            submission,
            arrival,
        });
    }

    /// Waits for the oldest state and copies it to `state`, without the padding. Returns whether there was one.
    fn land(&mut self, state: &mut [u8]) -> Result<bool, EngineError> {
        let Some(Launched {
            slot,
            submission,
            arrival,
        }) = self.launched.pop_front()
        else {
            return Ok(false);
        };
        let panels = self.plan.panels.len();
        self.context.wait(&submission.index, self.cancel, || {
            let Arrival { arrived, failed } = *arrival.lock().unwrap_or_else(PoisonError::into_inner);
            if failed > 0 {
                self.context.report_loss("a result could not be read");
            }
            arrived == panels
        })?;
        // What was submitted before has ended too.
        self.submitted.retain(|other| other.number > submission.number);

        let (n, padded) = (self.plan.n as usize, self.plan.padded as usize);
        for (panel, staging) in self.plan.panels.iter().zip(&self.buffers.staging[slot]) {
            let view = staging
                .get_mapped_range(..)
                .map_err(|error| self.context.lost(error.to_string()))?;
            let rows = state.chunks_exact_mut(n).skip(panel.start as usize);
            for (row, from) in rows.zip(view.chunks_exact(padded)) {
                row.copy_from_slice(&from[..n]);
            }
            drop(view);
            staging.unmap();
        }
        Ok(true)
    }
}
