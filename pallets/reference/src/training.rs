//! Training: a classifier of images, by integer stochastic gradient descent. Specified in `docs/protocol/training.md`,
//! whose letters are used here.

mod errors;
mod facts;
mod features;
mod images;
mod join;
mod order;
mod plan;
mod scan;
mod shape;
mod step;
mod update;

use crate::{Blobs, Fault, Reference, Step, Unit};
use agora_jobs::TrainingJob;
use alloc::vec::Vec;
use plan::{Plan, Task, Work};
use step::Training;

impl Reference for TrainingJob {
    fn states(&self) -> u64 {
        Plan::new(self).states()
    }

    fn state_size(&self, state: u64) -> u64 {
        Plan::new(self).state_size(state)
    }

    fn units(&self, step: Step) -> u64 {
        Plan::new(self).units(step)
    }

    fn unit(&self, step: Step, unit: u64) -> Option<Unit> {
        let plan = Plan::new(self);
        plan.unit(plan.work(step, unit)?)
    }

    fn compute(&self, blobs: &dyn Blobs, step: Step, unit: u64) -> Result<Vec<u8>, Fault> {
        let plan = Plan::new(self);
        match (plan.work(step, unit).ok_or(Fault::NoUnit)?, step) {
            (Work::Scan { input, offset, size }, _) => scan::scan(&plan, blobs, input, offset, size),
            (Work::Part { offset, size }, Step::State(state)) => join::part(&plan, blobs, state, offset, size),
            (Work::Train { step, task }, Step::State(state)) => {
                let training = Training {
                    plan: &plan,
                    blobs,
                    state,
                    step,
                };
                train(&training, task)
            }
            (Work::Part { .. } | Work::Train { .. }, Step::Inputs) => Err(Fault::NoUnit),
        }
    }
}

fn train(training: &Training<'_>, task: Task) -> Result<Vec<u8>, Fault> {
    match task {
        Task::Order(unit) => order::compute(training, unit),
        Task::Features { group, slice } => features::compute(training, group, slice),
        Task::Errors(group) => errors::compute(training, group),
        Task::Loss => errors::loss(training),
        Task::Update(index) => {
            let piece = training.plan.piece(index).ok_or(Fault::NoUnit)?;
            update::compute(training, piece)
        }
    }
}
