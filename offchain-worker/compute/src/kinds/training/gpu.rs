//! Training on graphics devices: many steps in one submission, two submissions on their way at a time.

use super::{batches::Batches, data::Dataset, optimizer, record::Record, state::Checkpoint};
use crate::{
    computation::Computation,
    device::{Batch, Bounds, Context, DeviceError, Needs, Readback},
    kernels::{PHILOX_WGSL, WIDE_WGSL, gpu::Gpu},
    kinds::EngineError,
    networks::classifier::{
        self, FIRST_SHIFT, Shape,
        gpu::{Buffers, Entry, FORWARD_WGSL, Kernel, Sizes, Step, binding},
    },
    run::Run,
};
use agora_primitives::job::{ClassifierShape, TrainingJob};
use bytemuck::cast_slice;
use std::collections::VecDeque;
use wgpu::BufferUsages as Usage;

/// The most steps of one submission.
const MAX_STEPS: u32 = 64;
/// The most bytes of states that one submission brings to the host, unless one state is more.
const MAX_STATE_BYTES: u64 = 16 << 20;
/// Submissions on their way at a time.
const FLIGHTS: usize = 2;

/// How the steps of a job are cut, and the bytes of the buffers that hold them.
struct Plan {
    /// The most steps of one submission.
    most_steps: u64,
    /// The most states of the job that one submission brings to the host.
    most_states: u64,
    state_bytes: u64,
    loss_bytes: u64,
}

impl Plan {
    fn new(job: &TrainingJob, shape: &Shape, bounds: &Bounds) -> Self {
        let most_steps = (bounds.work / step_work(job, shape)).clamp(1, MAX_STEPS.into());
        let state_bytes = 8 * shape.weights() as u64;
        Self {
            most_steps,
            most_states: (MAX_STATE_BYTES / state_bytes).clamp(1, most_steps),
            state_bytes,
            loss_bytes: 4 * most_steps,
        }
    }

    /// Bytes of losses and states on their way to the host. One state more is that at the end of a submission, to go on from.
    const fn staging_bytes(&self) -> u64 {
        self.loss_bytes + (self.most_states + 1) * self.state_bytes
    }
}

/// Bytes of the errors of a batch in the last layer.
fn class_error_bytes(job: &TrainingJob) -> u64 {
    4 * u64::from(job.batch * job.classes)
}

/// Bytes of the gradients of the first layer.
fn gradient_bytes(shape: &Shape) -> u64 {
    4 * shape.first_weights() as u64
}

/// What `job` needs of a device with `bounds`: all images are in one buffer.
pub(super) fn needs(job: &TrainingJob, bounds: &Bounds) -> Needs {
    let shape = Shape::from(ClassifierShape::of(job));
    let plan = Plan::new(job, &shape, bounds);
    // An image and its class.
    let images = job.data.size / (shape.pixels() as u64 + 1);
    let sizes = Sizes::of(job, shape);
    classifier::gpu::needs(&sizes, images, plan.most_steps)
        // The state, and the host's that it is uploaded from.
        .buffers(2, plan.state_bytes)
        .buffers(FLIGHTS as u64, plan.staging_bytes())
        .buffers_of([
            class_error_bytes(job),
            // Those of the features: as many.
            4 * u64::from(job.batch) * shape.features() as u64,
            plan.loss_bytes,
            gradient_bytes(&shape),
        ])
}

/// How far a job has come. Survives the loss of a device.
struct Reached {
    record: Record,
    /// The state after the steps that are done.
    state: Checkpoint,
}

/// Computes `job` from the data and the first state that belong to it: the same bytes as the processor.
///
/// Errors: `Cancelled`, and `Device` if the device fails.
pub(super) fn train(
    job: &TrainingJob,
    gpu: &Gpu,
    data: &Dataset,
    state: Checkpoint,
    run: &Run<'_>,
) -> Result<Computation, EngineError> {
    let mut reached = Reached {
        record: Record::new(job, &state),
        state,
    };
    run.progress.update(0, job.steps());
    gpu.on_device(|context| {
        let mut trainer = Trainer::new(context, job, data, &reached)?;
        let mut batch = Batch::new(context, run.cancel);
        while reached.record.done < job.steps() {
            while trainer.can_launch() {
                trainer.launch(&mut batch)?;
            }
            trainer.land(run, &mut reached)?;
            run.progress.update(reached.record.done, job.steps());
        }
        Ok::<_, EngineError>(())
    })?;
    Ok(reached.record.finish())
}

impl Sizes {
    /// The sizes of the steps of `job`, whose network has this `shape`.
    fn of(job: &TrainingJob, shape: Shape) -> Self {
        Self {
            shape,
            batch: job.batch,
            shift: FIRST_SHIFT,
        }
    }
}

/// Multiply–add operations of a step, forward and backward.
fn step_work(job: &TrainingJob, shape: &Shape) -> u64 {
    3 * shape.work() * u64::from(job.batch)
}

/// Submitted steps that were not read back yet.
struct Flight {
    readback: Readback,
    /// The steps of the job.
    steps: std::ops::Range<u32>,
}

/// The buffers of training, besides those of every network.
struct Training {
    state: wgpu::Buffer,
    class_errors: wgpu::Buffer,
    feature_errors: wgpu::Buffer,
    losses: wgpu::Buffer,
    /// Of the first layer, zeros between two steps.
    gradients: wgpu::Buffer,
}

/// A network in training on a device.
struct Trainer<'a> {
    context: &'a Context,
    job: &'a TrainingJob,
    data: &'a Dataset,
    sizes: Sizes,
    /// Steps in earlier jobs.
    first_step: u32,
    order: Batches,
    buffers: Buffers,
    training: Training,
    /// Features, errors, gradients, change.
    kernels: [Kernel; 4],
    flights: VecDeque<Flight>,
    /// Steps of the job that are launched.
    launched: u32,
    plan: Plan,
}

impl<'a> Trainer<'a> {
    /// Goes on from the state in `reached`.
    fn new(
        context: &'a Context,
        job: &'a TrainingJob,
        data: &'a Dataset,
        reached: &Reached,
    ) -> Result<Self, EngineError> {
        let shape = Shape::of(job)?;
        let sizes = Sizes::of(job, shape);
        let plan = Plan::new(job, &shape, &context.bounds);
        let buffers = Buffers::new(context, &sizes, data.count().into(), plan.most_steps)?;
        let upload = Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC;
        let training = Training {
            state: context.buffer("state", plan.state_bytes, upload)?,
            class_errors: context.buffer("class errors", class_error_bytes(job), Usage::STORAGE)?,
            feature_errors: context.buffer("feature errors", buffers.features.size(), Usage::STORAGE)?,
            losses: context.buffer("losses", plan.loss_bytes, upload)?,
            gradients: context.buffer("gradients", gradient_bytes(&shape), Usage::STORAGE)?,
        };
        let kernels = training.kernels(context, &sizes, &buffers)?;
        context.check()?;
        buffers.upload_images(context, &shape, data.maximum, &data.pixels);
        buffers.upload_weights(context, &reached.state.quantised());
        let numbers = [reached.state.weights.as_slice(), &reached.state.momenta].concat();
        context.queue.write_buffer(&training.state, 0, cast_slice(&numbers));
        Ok(Self {
            context,
            job,
            data,
            sizes,
            first_step: reached.state.step - reached.record.done,
            order: Batches::new(job, data),
            buffers,
            training,
            kernels,
            flights: VecDeque::new(),
            launched: reached.record.done,
            plan,
        })
    }

    /// Whether there is more to launch, and room for it.
    fn can_launch(&self) -> bool {
        self.flights.len() < FLIGHTS && self.launched < self.job.steps()
    }

    /// Submits the next steps, and the readback of losses and states.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    fn launch(&mut self, batch: &mut Batch<'_>) -> Result<(), DeviceError> {
        let steps = self.launched..self.end_of_flight();
        self.upload(&steps);
        let Training { losses, state, .. } = &self.training;
        let staging = self.context.staging(self.plan.staging_bytes())?;
        batch.encoder(0)?.clear_buffer(losses, 0, None);
        let mut bytes = losses.size();
        let mut first = steps.start;
        while first < steps.end {
            let last = self.next_state(first).min(steps.end);
            let slots = (first - steps.start) as usize..(last - steps.start) as usize;
            Kernel::record(
                batch,
                slots.flat_map(|slot| self.kernels.iter().map(move |kernel| (kernel, slot))),
            )?;
            batch.encoder(0)?.copy_buffer_to_buffer(state, 0, &staging, bytes, None);
            bytes += state.size();
            first = last;
        }
        batch.encoder(0)?.copy_buffer_to_buffer(losses, 0, &staging, 0, None);
        let readback = batch.fetch(vec![(staging, bytes)])?;
        self.launched = steps.end;
        self.flights.push_back(Flight { readback, steps });
        Ok(())
    }

    /// The first number of steps above `done` after which there is a state of the job.
    fn next_state(&self, done: u32) -> u32 {
        (done + 1).next_multiple_of(self.job.state_interval)
    }

    /// Where the next submission ends.
    fn end_of_flight(&self) -> u32 {
        let mut end = self.launched;
        for _ in 0..self.plan.most_states {
            end = self.next_state(end);
        }
        // At most `MAX_STEPS`.
        end.min(self.launched + self.plan.most_steps as u32)
            .min(self.job.steps())
    }

    /// Uploads the images and the parameters of `steps`.
    fn upload(&mut self, steps: &std::ops::Range<u32>) {
        let (key, nonce) = optimizer::rounding(self.job).key_and_nonce();
        let mut images = Vec::new();
        let mut batches: Vec<[u32; 2]> = Vec::new();
        let mut parameters = Vec::new();
        for (slot, done) in (0..).zip(steps.clone()) {
            let step = self.first_step + done;
            self.order.images_of(step, &mut images);
            let class = |image: u32| u32::from(self.data.labels[image as usize]);
            batches.extend(images.iter().map(|&image| [image, class(image)]));
            let (job, positions) = (self.job, self.sizes.shape.positions());
            let [first_shift, last_shift] =
                optimizer::learning_rate_shifts(job.rate_shift, job.halve_after, step, positions);
            parameters.push(Step {
                key,
                nonce,
                first_image: slot * job.batch,
                loss: slot,
                step,
                first_shift,
                last_shift,
                momentum_shift: job.momentum_shift,
                ..self.sizes.step()
            });
        }
        let (queue, buffers) = (&self.context.queue, &self.buffers);
        queue.write_buffer(&buffers.batches, 0, cast_slice(&batches));
        buffers.upload_steps(self.context, &parameters);
    }

    /// Waits for the oldest submission and takes in its losses and states.
    fn land(&mut self, run: &Run<'_>, reached: &mut Reached) -> Result<(), EngineError> {
        let Some(flight) = self.flights.pop_front() else {
            return Ok(());
        };
        let (losses, state) = (
            self.training.losses.size() as usize,
            self.training.state.size() as usize,
        );
        let mut last_state = flight.steps.start;
        let (mut landed, mut end) = (Vec::new(), Vec::new());
        flight.readback.wait(self.context, run.cancel, |_, bytes| {
            let (losses, states) = bytes.split_at(losses);
            let mut states = states.chunks_exact(state);
            let losses = losses.as_chunks::<4>().0;
            for (loss, done) in losses.iter().zip(flight.steps.start + 1..=flight.steps.end) {
                let mut listed = None;
                if done == self.next_state(last_state).min(flight.steps.end) {
                    last_state = done;
                    end = [
                        &(self.first_step + done).to_le_bytes(),
                        states.next().unwrap_or_default(),
                    ]
                    .concat();
                    listed = reached.record.has_state(done).then(|| end.clone());
                }
                landed.push((u32::from_le_bytes(*loss), listed));
            }
        })?;
        // What no input can bring about is the device's fault: taken for unusable inputs, it would cost the worker's bond.
        reached.state = Checkpoint::decode(&self.sizes.shape, self.job.momentum_shift, &end)
            .map_err(|error| self.context.lost(format!("it computed an impossible state: {error}")))?;
        for (loss, state) in landed {
            reached.record.push_loss(loss);
            state.iter().for_each(|state| reached.record.push_state(state));
        }
        Ok(())
    }
}

impl Training {
    /// The kernels of a step, in their order.
    fn kernels(&self, context: &Context, sizes: &Sizes, buffers: &Buffers) -> Result<[Kernel; 4], DeviceError> {
        let errors = [
            (binding::BATCHES, &buffers.batches),
            (binding::FEATURES, &buffers.features),
            (binding::CLASS_ERRORS, &self.class_errors),
            (binding::FEATURE_ERRORS, &self.feature_errors),
            (binding::WEIGHTS, &buffers.weights),
            (binding::LOSSES, &self.losses),
        ];
        let gradients = [
            (binding::IMAGES, &buffers.images),
            (binding::BATCHES, &buffers.batches),
            (binding::FEATURES, &buffers.features),
            (binding::FEATURE_ERRORS, &self.feature_errors),
            (binding::GRADIENTS, &self.gradients),
        ];
        let change = [
            (binding::FEATURES, &buffers.features),
            (binding::CLASS_ERRORS, &self.class_errors),
            (binding::STATE, &self.state),
            (binding::WEIGHTS, &buffers.weights),
            (binding::GRADIENTS, &self.gradients),
        ];
        let (shape, batch, steps) = (&sizes.shape, u64::from(sizes.batch), &buffers.steps);
        let [features, weights, first] = [shape.features(), shape.weights(), shape.first_weights()].map(|n| n as u64);
        Ok([
            Kernel::features(context, sizes, buffers)?,
            kernel(
                context,
                Entry {
                    name: "compute_errors",
                    invocations: 64 * batch,
                    work: 2 * batch * features * u64::from(shape.classes),
                },
                steps,
                &errors,
            )?,
            kernel(
                context,
                Entry {
                    name: "sum_gradients",
                    invocations: first * batch.div_ceil(images_each(shape)),
                    work: first * batch * shape.positions() as u64,
                },
                steps,
                &gradients,
            )?,
            kernel(
                context,
                Entry {
                    name: "change_weights",
                    invocations: weights,
                    work: weights + (weights - first) * batch,
                },
                steps,
                &change,
            )?,
        ])
    }
}

/// Images whose part of a gradient one invocation sums.
fn images_each(shape: &Shape) -> u64 {
    (256 / shape.positions() as u64).max(1)
}

/// The kernel `entry` of `step.wgsl`.
///
/// Errors: `Limit`.
#[allow(unsafe_code, reason = "the indices are proven")]
fn kernel(
    context: &Context,
    entry: Entry,
    steps: &wgpu::Buffer,
    bound: &[(u32, &wgpu::Buffer)],
) -> Result<Kernel, DeviceError> {
    let shader = || [WIDE_WGSL, PHILOX_WGSL, FORWARD_WGSL, include_str!("gpu/step.wgsl")].concat();
    // SAFETY: as for `Kernel::forward`, and: features are written, with the offset of a position within its square,
    // before they are read. Invocations beyond `batch` and `weights`, and workgroups beyond their part, return.
    // `weights`, `state` and `gradients` are indexed by what is below `weights`, `2 · weights` and `first_weights`,
    // workgroup arrays by what is below `classes ≤ 256`, and 8 of 64 lanes. `losses` has a place for each step of a
    // submission. Every loop counts up by at least 1 to a size, or to ten. The divisor in `compute_errors` is a sum of
    // at least 2¹⁶, as the power of the largest logit is that.
    unsafe { Kernel::new(context, shader, entry, steps, bound) }
}

#[cfg(test)]
mod tests;
