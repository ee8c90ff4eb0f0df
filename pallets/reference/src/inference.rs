//! Inference: a model applied to each item of a batch. Specified in `docs/protocol/inference.md`.
//!
//! Each item's output is a state; the last state, the output of the job, is all of them joined. [`Step::Inputs`] scans the
//! package first, then the items.

mod bytes;
mod classification;
mod embedding;
mod items;
mod operators;
mod package;
mod plan;

use crate::{Blobs, Fault, MAX_PART_BYTES, Output, Reader, Reference, Source, Step, Unit, counts::sum, part, parts};
use agora_jobs::{InferenceJob, InferenceNetwork, Limits, blob::CHUNK_BYTES};
use alloc::vec::Vec;
use classification::Images;
use embedding::Item;
use items::Items;
use package::Package;
use plan::{Plan, Task};

/// What a job applies to its items.
enum Network<'a> {
    Embedding(Texts<'a>),
    Classification(Images<'a>),
}

/// A transformer and its items.
struct Texts<'a> {
    job: &'a InferenceJob,
    plan: Plan<'a>,
}

impl<'a> Network<'a> {
    /// `None`: the task has no engine.
    fn of(job: &'a InferenceJob) -> Option<Self> {
        match &job.network {
            InferenceNetwork::Embedding { shape, tokens } => {
                let plan = Plan { shape, tokens: *tokens };
                Some(Self::Embedding(Texts { job, plan }))
            }
            InferenceNetwork::Classification { shape, maximum, shift } => Some(Self::Classification(Images {
                model: job.model,
                input: job.input,
                shape,
                maximum: *maximum,
                shift: *shift,
            })),
            InferenceNetwork::Generation => None,
        }
    }

    fn scans(&self) -> u64 {
        match self {
            Self::Embedding(texts) => sum([texts.package().scans(), texts.items().scans()]),
            Self::Classification(images) => images.scans(),
        }
    }

    fn scan_unit(&self, unit: u64) -> Option<Unit> {
        match self {
            Self::Embedding(texts) => match unit.checked_sub(texts.package().scans()) {
                None => texts.package().unit(unit),
                Some(unit) => texts.items().unit(unit),
            },
            Self::Classification(images) => images.scan_unit(unit),
        }
    }

    fn scan(&self, blobs: &dyn Blobs, unit: u64) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Embedding(texts) => match unit.checked_sub(texts.package().scans()) {
                None => texts.package().scan(blobs, unit),
                Some(unit) => texts.items().scan(blobs, unit),
            },
            Self::Classification(images) => images.scan(blobs, unit),
        }
    }

    fn item_units(&self) -> u64 {
        match self {
            Self::Embedding(texts) => texts.plan.units(),
            Self::Classification(images) => images.units(),
        }
    }

    fn item_unit(&self, unit: u64) -> Option<Unit> {
        match self {
            Self::Embedding(texts) => match texts.plan.task(unit)? {
                Task::Tokens => Some(texts.items().tokens_unit()),
                task => Some(texts.plan.unit(&task)),
            },
            Self::Classification(images) => images.unit(unit),
        }
    }

    fn compute(&self, blobs: &dyn Blobs, item: u64, unit: u64) -> Result<Vec<u8>, Fault> {
        let step = Step::State(item);
        match self {
            Self::Embedding(texts) => {
                let task = texts.plan.task(unit).ok_or(Fault::NoUnit)?;
                texts.item(blobs, item).compute(&task)
            }
            Self::Classification(images) => images.compute(blobs, step, item, unit),
        }
    }
}

impl<'a> Texts<'a> {
    fn package(&self) -> Package<'a> {
        Package {
            model: self.job.model,
            shape: self.plan.shape,
        }
    }

    fn items(&self) -> Items {
        Items {
            input: self.job.input,
            items: self.job.items,
            tokens: self.plan.tokens,
            vocabulary: self.plan.shape.vocabulary,
            first_unit: self.package().scans(),
        }
    }

    fn item(&self, blobs: &'a dyn Blobs, number: u64) -> Item<'a> {
        Item {
            plan: self.plan,
            package: self.package(),
            items: self.items(),
            blobs,
            step: Step::State(number),
            number,
        }
    }
}

impl Reference for InferenceJob {
    fn states(&self) -> u64 {
        u64::from(self.items).saturating_add(1)
    }

    fn state_size(&self, state: u64) -> u64 {
        if state < self.items.into() {
            self.item_output().into()
        } else {
            self.max_output_bytes()
        }
    }

    fn units(&self, step: Step) -> u64 {
        let Some(network) = Network::of(self) else { return 0 };
        let items = u64::from(self.items);
        match step {
            Step::Inputs => network.scans(),
            Step::State(item) if item < items => network.item_units(),
            Step::State(state) if state == items => parts(self.max_output_bytes(), MAX_PART_BYTES),
            Step::State(_) => 0,
        }
    }

    fn unit(&self, step: Step, unit: u64) -> Option<Unit> {
        let network = Network::of(self)?;
        let items = u64::from(self.items);
        match step {
            Step::Inputs => network.scan_unit(unit),
            Step::State(item) if item < items => network.item_unit(unit),
            Step::State(state) if state == items => {
                let (offset, size) = part(self.max_output_bytes(), MAX_PART_BYTES, unit)?;
                let width = u64::from(self.item_output());
                let states = size.checked_div(width)?.saturating_add(2);
                Some(Unit {
                    output: Output::Part { offset, size },
                    work: size,
                    // Each item's output is a state of its own.
                    chunks: states.saturating_mul(width.div_ceil(CHUNK_BYTES as u64)),
                })
            }
            Step::State(_) => None,
        }
    }

    fn compute(&self, blobs: &dyn Blobs, step: Step, unit: u64) -> Result<Vec<u8>, Fault> {
        let known = self.unit(step, unit).ok_or(Fault::NoUnit)?;
        let network = Network::of(self).ok_or(Fault::NoUnit)?;
        match (step, known.output) {
            (Step::Inputs, _) => network.scan(blobs, unit),
            (Step::State(state), Output::Part { offset, size }) if state == u64::from(self.items) => {
                join(blobs, self.item_output().into(), offset, size)
            }
            (Step::State(item), _) => network.compute(blobs, item, unit),
        }
    }
}

/// The `size` bytes from `offset` on of the outputs of all items, each of `width` bytes.
fn join(blobs: &dyn Blobs, width: u64, offset: u64, size: u64) -> Result<Vec<u8>, Fault> {
    let mut joined = Vec::new();
    let mut at = offset;
    let end = offset.saturating_add(size);
    while at < end {
        let (Some(item), Some(inside)) = (at.checked_div(width), at.checked_rem(width)) else {
            return Err(Fault::NoUnit);
        };
        let count = width.saturating_sub(inside).min(end.saturating_sub(at));
        let mut reader = Reader::new(blobs, Source::State(item));
        joined.extend(reader.read_vec(inside, count as usize)?);
        at = at.saturating_add(count);
    }
    Ok(joined)
}
