//! One chain of products on one device: uploads, dispatches, and reading back every state while the next is computed.

use super::{context::Context, plan::Plan};
use crate::{
    digest::output_digest,
    engine::{CancelFlag, Progress},
    error::EngineError,
};
use agora_math::{field::symmetric, merkle::Hash};
use bytemuck::{Pod, Zeroable, bytes_of};
use rayon::prelude::*;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// States that are on their way to the host at a time.
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

/// The shader's parameters: see `common.wgsl`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    first_row_tile: u32,
    end_row_tile: u32,
    first_column_tile: u32,
    end_column_tile: u32,
    next_offset: u32,
    state_offset: u32,
    vectors: u32,
    words: u32,
}

/// One dispatch with its buffers bound, for both directions between the two buffers of states.
struct Step {
    bind_groups: [wgpu::BindGroup; 2],
    workgroups: [u32; 2],
    work: u64,
}

/// All buffers of a chain, one per panel.
struct Buffers {
    left: Vec<wgpu::Buffer>,
    right: [Vec<wgpu::Buffer>; 2],
    state: Vec<wgpu::Buffer>,
    staging: [Vec<wgpu::Buffer>; SLOTS],
    steps: Vec<Step>,
}

impl Buffers {
    fn new(context: &Context, plan: &Plan) -> Self {
        use wgpu::BufferUsages as Usage;
        let buffers = |label: &str, usage| -> Vec<wgpu::Buffer> {
            let descriptor = |panel| wgpu::BufferDescriptor {
                label: Some(label),
                size: plan.bytes(panel),
                usage,
                mapped_at_creation: false,
            };
            let panels = plan.panels.iter();
            panels
                .map(|panel| context.device.create_buffer(&descriptor(panel)))
                .collect()
        };
        let left = buffers("left", Usage::STORAGE | Usage::COPY_DST);
        let right = [(); 2].map(|()| buffers("right", Usage::STORAGE | Usage::COPY_DST));
        let state = buffers("state", Usage::STORAGE | Usage::COPY_SRC);
        let staging = [(); SLOTS].map(|()| buffers("staging", Usage::MAP_READ | Usage::COPY_DST));
        let mut all = Self {
            left,
            right,
            state,
            staging,
            steps: Vec::new(),
        };
        for r in 0..plan.panels.len() {
            for c in 0..plan.panels.len() {
                all.add_steps(context, plan, r, c);
            }
        }
        all
    }

    /// Adds the dispatches for the product of the panels `r` (of rows) and `c` (of columns).
    fn add_steps(&mut self, context: &Context, plan: &Plan, r: usize, c: usize) {
        let (rows, columns) = (&plan.panels[r], &plan.panels[c]);
        let layout = context.pipeline.get_bind_group_layout(0);
        for dispatch in plan.dispatches(rows, columns) {
            let params = Params {
                first_row_tile: dispatch.row_tiles.start,
                end_row_tile: dispatch.row_tiles.end,
                first_column_tile: dispatch.column_tiles.start,
                end_column_tile: dispatch.column_tiles.end,
                next_offset: rows.start / 4,
                state_offset: columns.start / 4,
                vectors: plan.padded / 16,
                words: plan.padded / 4,
            };
            let uniform = context.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("parameters"),
                size: size_of::<Params>() as u64,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            context.queue.write_buffer(&uniform, 0, bytes_of(&params));
            let bind = |from: usize| {
                let bound = [
                    &self.left[r],
                    &self.right[from][c],
                    &self.right[1 - from][c],
                    &self.state[r],
                    &uniform,
                ];
                let entries: Vec<_> = (0..)
                    .zip(bound)
                    .map(|(binding, buffer)| wgpu::BindGroupEntry {
                        binding,
                        resource: buffer.as_entire_binding(),
                    })
                    .collect();
                context.device.create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some("product"),
                    layout: &layout,
                    entries: &entries,
                })
            };
            let bind_groups = [bind(0), bind(1)];
            let workgroups = plan.workgroups(&dispatch);
            self.steps.push(Step {
                bind_groups,
                workgroups,
                work: dispatch.work,
            });
        }
    }

    /// Writes the factor's rows and the state's columns.
    fn upload(&self, context: &Context, plan: &Plan, chain: &Chain) {
        let n = plan.n as usize;
        for (i, panel) in plan.panels.iter().enumerate() {
            let rows = packed(plan, panel, |row, k| chain.factor[row * n + k]);
            context.queue.write_buffer(&self.left[i], 0, &rows);
            let columns = packed(plan, panel, |column, k| chain.state[k * n + column]);
            context.queue.write_buffer(&self.right[0][i], 0, &columns);
        }
        context.queue.submit([]);
    }
}

/// The signed bytes of a panel: `element(line, k)` in symmetric residues, zero in the padding.
fn packed(plan: &Plan, panel: &std::ops::Range<u32>, element: impl Fn(usize, usize) -> u8 + Sync) -> Vec<u8> {
    let (n, padded) = (plan.n as usize, plan.padded as usize);
    let mut bytes = vec![0; plan.bytes(panel) as usize];
    bytes
        .par_chunks_mut(padded)
        .zip(panel.start as usize..panel.end as usize)
        .for_each(|(line, index)| {
            if index < n {
                for (k, byte) in line[..n].iter_mut().enumerate() {
                    // The cast keeps the lowest byte: two's complement.
                    *byte = symmetric(element(index, k)) as u8;
                }
            }
        });
    bytes
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

/// Records `steps`, from the buffers of states `from` to the others.
fn record(context: &Context, steps: &[Step], from: usize) -> wgpu::CommandEncoder {
    let mut encoder = context.device.create_command_encoder(&Default::default());
    let mut pass = encoder.begin_compute_pass(&Default::default());
    pass.set_pipeline(&context.pipeline);
    for step in steps {
        pass.set_bind_group(0, &step.bind_groups[from], &[]);
        let [x, y] = step.workgroups;
        pass.dispatch_workgroups(x, y, 1);
    }
    drop(pass);
    encoder
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
