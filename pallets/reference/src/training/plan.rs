//! How the work of a training job is cut into units. All of it follows from the job.
//!
//! The units of a state are those of its training steps, one step after the other, and then its parts. A training step
//! has these units, all of them kept:
//!
//! | units | output |
//! | --- | --- |
//! | order | the images of the batch |
//! | features, for some images and a slice of channels | of each image: its features, and which positions were chosen, `u8` |
//! | errors, for some images | of each image: its loss, `u32`; δ of each class and ε of each feature, `i16` |
//! | loss | the sum of the losses, `u32` |
//! | updates, for some rows of one layer's weights | `W'` of each, then `V'` of each, `i32` |
//!
//! The output has parts alone, which copy. The first step of a state begins from the state before, any other from the
//! updates of the step before it.

use super::{order, shape::Shape};
use crate::{
    MAX_KEPT_BYTES, MAX_PART_BYTES, MAX_SCAN_BYTES, Step,
    counts::{product, sum},
    part, parts,
};
use agora_jobs::{BlobRef, Limits, TrainingJob};

/// Bytes of a data set before its pixels.
pub(super) const HEADER: u64 = 16;
/// The work at which units are cut: half of the most, so that what is rounded up has room.
const CUT_WORK: u64 = 1 << 27;
/// The most weights of a slice of channels: 4 MiB of state.
const SLICE_WEIGHTS: u64 = 1 << 20;
/// The most weights of an update: its output has 8 bytes for each.
const UPDATE_WEIGHTS: u64 = MAX_KEPT_BYTES / 8;

/// `total` divided by `by`, rounded down; at least 1, and at most `most`.
fn cut(total: u64, by: u64, most: u64) -> u64 {
    total.checked_div(by).unwrap_or(most).min(most).max(1)
}

/// A job, and how its work is cut.
pub(super) struct Plan<'a> {
    pub job: &'a TrainingJob,
    pub shape: Shape,
    /// Images of the data set. One, if its length is that of no data set: then no unit of a state is ever needed.
    pub images: u64,
    pub batch: u64,
    /// Channels of a slice.
    pub slice: u64,
    /// Images of a unit of features.
    pub features_group: u64,
    /// Images of a unit of errors.
    pub errors_group: u64,
    /// Channels of an update of the first layer.
    channels_update: u64,
    /// Classes of an update of the last layer.
    classes_update: u64,
}

/// An input of a job. The two may be the same blob.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Input {
    Data(BlobRef),
    Start(BlobRef),
}

/// What a unit does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Work {
    /// Scans a piece of an input.
    Scan { input: Input, offset: u64, size: u64 },
    /// Does a part of training step `step`, counted from the first of this state.
    Train { step: u64, task: Task },
    /// Makes a part of the state.
    Part { offset: u64, size: u64 },
}

/// What a unit does of a training step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Task {
    Order(u64),
    Features { group: u64, slice: u64 },
    Errors(u64),
    Loss,
    Update(u64),
}

/// Rows of one layer's weights that an update changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    /// Of the first layer: rows are channels. Else they are classes.
    pub is_first: bool,
    pub row: u64,
    pub rows: u64,
    /// The number of its first weight, and how many it has.
    pub first: u64,
    pub weights: u64,
}

impl<'a> Plan<'a> {
    pub fn new(job: &'a TrainingJob) -> Self {
        let shape = Shape::of(job);
        let batch = u64::from(job.batch);
        let slice = cut(SLICE_WEIGHTS, shape.inputs, shape.channels);
        let mut plan = Self {
            job,
            shape,
            images: images(job).unwrap_or(1),
            batch,
            slice,
            features_group: batch,
            errors_group: batch,
            channels_update: 1,
            classes_update: cut(UPDATE_WEIGHTS, shape.class_weights(), shape.classes),
        };
        let image_bytes = product([2, slice, shape.positions]);
        let groups = cut(CUT_WORK, plan.features_work(1), batch);
        plan.features_group = groups.min(cut(MAX_KEPT_BYTES, image_bytes, batch));
        let groups = cut(CUT_WORK, plan.errors_work(1), batch);
        plan.errors_group = groups.min(cut(MAX_KEPT_BYTES, plan.errors_bytes(), batch));
        let channels = cut(CUT_WORK, plan.channels_work(1), shape.channels);
        plan.channels_update = channels.min(cut(UPDATE_WEIGHTS, shape.inputs, shape.channels));
        plan
    }

    /// Training steps of `step`.
    fn training_steps(&self, step: Step) -> u64 {
        match step {
            Step::State(0) | Step::Inputs => 0,
            Step::State(state) if self.is_output(state) => 0,
            Step::State(_) => self.job.state_interval.into(),
        }
    }

    /// The first state, those every `state_interval` steps, and the output.
    pub fn states(&self) -> u64 {
        let between = self
            .job
            .steps()
            .checked_div(self.job.state_interval)
            .unwrap_or_default();
        u64::from(between).saturating_add(2)
    }

    pub fn is_output(&self, state: u64) -> bool {
        state.saturating_add(1) == self.states()
    }

    pub fn state_size(&self, state: u64) -> u64 {
        if self.is_output(state) {
            return product([self.job.segment_bytes(), self.job.segments.into()]);
        }
        let losses = match state {
            0 => 0,
            _ => product([4, self.job.state_interval.into()]),
        };
        sum([self.job.state_bytes(), losses])
    }

    pub fn units(&self, step: Step) -> u64 {
        match step {
            Step::Inputs => self
                .job
                .inputs()
                .iter()
                .fold(0, |units, blob| sum([units, parts(blob.size, MAX_SCAN_BYTES)])),
            Step::State(state) if state < self.states() => sum([
                product([self.training_steps(step), self.units_per_step()]),
                parts(self.state_size(state), MAX_PART_BYTES),
            ]),
            Step::State(_) => 0,
        }
    }

    /// What unit `unit` of `step` does. `None`: there is no such unit.
    pub fn work(&self, step: Step, unit: u64) -> Option<Work> {
        let state = match step {
            Step::Inputs => return self.scan(unit),
            Step::State(state) => Some(state).filter(|&state| state < self.states())?,
        };
        let trained = product([self.training_steps(step), self.units_per_step()]);
        if let Some(part_number) = unit.checked_sub(trained) {
            let (offset, size) = part(self.state_size(state), MAX_PART_BYTES, part_number)?;
            return Some(Work::Part { offset, size });
        }
        let training_step = unit.checked_div(self.units_per_step())?;
        let task = self.task(unit.checked_rem(self.units_per_step())?)?;
        Some(Work::Train {
            step: training_step,
            task,
        })
    }

    fn scan(&self, unit: u64) -> Option<Work> {
        let data = self.job.data;
        let (input, size, unit) = match unit.checked_sub(parts(data.size, MAX_SCAN_BYTES)) {
            None => (Input::Data(data), data.size, unit),
            Some(unit) => self.job.start.map(|start| (Input::Start(start), start.size, unit))?,
        };
        let (offset, size) = part(size, MAX_SCAN_BYTES, unit)?;
        Some(Work::Scan { input, offset, size })
    }

    pub fn slices(&self) -> u64 {
        parts(self.shape.channels, self.slice)
    }

    fn features_units(&self) -> u64 {
        product([parts(self.batch, self.features_group), self.slices()])
    }

    fn errors_units(&self) -> u64 {
        parts(self.batch, self.errors_group)
    }

    fn first_updates(&self) -> u64 {
        parts(self.shape.channels, self.channels_update)
    }

    fn updates(&self) -> u64 {
        sum([self.first_updates(), parts(self.shape.classes, self.classes_update)])
    }

    fn units_per_step(&self) -> u64 {
        sum([
            order::units(self),
            self.features_units(),
            self.errors_units(),
            1,
            self.updates(),
        ])
    }

    /// The number of the unit that does `task`, in its training step.
    fn task_unit(&self, task: Task) -> u64 {
        let features = order::units(self);
        let errors = sum([features, self.features_units()]);
        let loss = sum([errors, self.errors_units()]);
        match task {
            Task::Order(unit) => unit,
            Task::Features { group, slice } => sum([features, product([group, self.slices()]), slice]),
            Task::Errors(group) => sum([errors, group]),
            Task::Loss => loss,
            Task::Update(piece) => sum([loss, 1, piece]),
        }
    }

    fn task(&self, unit: u64) -> Option<Task> {
        let at = |task| unit.checked_sub(self.task_unit(task));
        if let Some(piece) = at(Task::Update(0)) {
            return Some(Task::Update(piece));
        }
        if at(Task::Loss).is_some() {
            return Some(Task::Loss);
        }
        if let Some(group) = at(Task::Errors(0)) {
            return Some(Task::Errors(group));
        }
        let Some(features) = at(Task::Features { group: 0, slice: 0 }) else {
            return Some(Task::Order(unit));
        };
        Some(Task::Features {
            group: features.checked_div(self.slices())?,
            slice: features.checked_rem(self.slices())?,
        })
    }

    /// The unit of a state that does `task` of training step `step`.
    pub fn unit_of(&self, step: u64, task: Task) -> u64 {
        sum([product([step, self.units_per_step()]), self.task_unit(task)])
    }

    /// The rows that update `index` changes. `None`: there is no such update.
    pub fn piece(&self, index: u64) -> Option<Piece> {
        let shape = &self.shape;
        let last = index.checked_sub(self.first_updates());
        let (is_first, (row, rows), width, before) = match last {
            None => (
                true,
                part(shape.channels, self.channels_update, index)?,
                shape.inputs,
                0,
            ),
            Some(index) => (
                false,
                part(shape.classes, self.classes_update, index)?,
                shape.class_weights(),
                shape.first_weights(),
            ),
        };
        Some(Piece {
            is_first,
            row,
            rows,
            first: sum([before, product([row, width])]),
            weights: product([rows, width]),
        })
    }

    /// The update that changes weight `weight`. `None`: there is no such weight.
    pub fn piece_of(&self, weight: u64) -> Option<u64> {
        match weight.checked_sub(self.shape.first_weights()) {
            None => weight.checked_div(product([self.channels_update, self.shape.inputs])),
            Some(last) => {
                let index = last.checked_div(product([self.classes_update, self.shape.class_weights()]))?;
                Some(sum([self.first_updates(), index]))
            }
        }
    }

    /// How many images group `group` of `size` images of the batch has.
    pub fn group(&self, size: u64, group: u64) -> u64 {
        part(self.batch, size, group).map_or(0, |(_, images)| images)
    }

    /// How many channels slice `slice` has.
    pub fn channels_of(&self, slice: u64) -> u64 {
        part(self.shape.channels, self.slice, slice).map_or(0, |(_, channels)| channels)
    }

    /// Length of an image's part of an errors unit.
    pub fn errors_bytes(&self) -> u64 {
        sum([4, product([2, self.shape.classes]), product([2, self.shape.features])])
    }
}

/// How many images a data set of this length has. `None`: none has this length.
pub(super) fn images(job: &TrainingJob) -> Option<u64> {
    let image = product([job.width.into(), job.height.into()]).checked_add(1)?;
    let bytes = job.data.size.checked_sub(HEADER)?;
    let images = bytes.checked_div(image)?;
    let is_whole = bytes.checked_rem(image) == Some(0);
    (is_whole && images > 0 && images <= u32::MAX.into()).then_some(images)
}
