//! Training on the processor.

use super::{
    batches::Batches,
    data::Dataset,
    gradient::{Gradients, Sample},
    optimizer,
    record::Record,
    state::Checkpoint,
};
use crate::{
    computation::Computation,
    kinds::EngineError,
    networks::classifier::{InputTable, Shape, forward::Weights},
    run::Run,
};
use agora_math::field::Generator;
use agora_primitives::job::TrainingJob;
use rayon::prelude::*;

/// Steps with fewer multiply–add operations run on one core.
const PARALLEL_WORK: u64 = 1 << 19;
/// Weights that one task changes; a multiple of the weights for which one block of random bits is used.
const WEIGHTS_PER_TASK: usize = 1 << 11;
/// Weights for which one block of random bits is used.
const WEIGHTS_PER_BLOCK: usize = 8;

/// Computes `job` from the data and the first state that belong to it.
///
/// Errors: `Cancelled`.
pub(super) fn train(
    job: &TrainingJob,
    data: &Dataset,
    state: Checkpoint,
    run: &Run<'_>,
) -> Result<Computation, EngineError> {
    let steps = job.steps();
    run.progress.update(0, steps);
    // Inside of rayon's pool, so that no step has to wake it.
    rayon::scope(|_| {
        let mut record = Record::new(job, &state);
        let mut trainer = Trainer::new(job, data, state)?;
        while record.done < steps {
            run.cancel.check()?;
            record.push_loss(trainer.step());
            if record.has_state(record.done) {
                record.push_state(&trainer.state.encode());
            }
            run.progress.update(record.done, steps);
        }
        Ok(record.finish())
    })
}

/// Makes step after step.
struct Trainer<'a> {
    job: &'a TrainingJob,
    data: &'a Dataset,
    shape: Shape,
    state: Checkpoint,
    batches: Batches,
    rounding: Generator,
    table: InputTable,
    /// The passes of the batch's images.
    samples: Vec<Sample>,
    gradients: Gradients,
    images: Vec<u32>,
    /// The least number of images or units for a task.
    least: usize,
}

impl<'a> Trainer<'a> {
    /// Begins from `state`.
    ///
    /// Errors: `Network`, never for a job that is within its limits.
    fn new(job: &'a TrainingJob, data: &'a Dataset, state: Checkpoint) -> Result<Self, EngineError> {
        let shape = Shape::of(job)?;
        let work = shape.work().saturating_mul(job.batch.into());
        Ok(Self {
            job,
            data,
            state,
            batches: Batches::new(job, data),
            rounding: optimizer::rounding(job),
            table: InputTable::new(data.maximum),
            samples: vec![Sample::new(&shape); job.batch as usize],
            gradients: Gradients::new(&shape),
            images: Vec::new(),
            least: if work < PARALLEL_WORK { usize::MAX } else { 1 },
            shape,
        })
    }

    /// Makes one step and returns its loss.
    fn step(&mut self) -> u32 {
        self.batches.images_of(self.state.step, &mut self.images);
        let quantised = self.state.weights.iter().map(|&weight| optimizer::quantise(weight));
        let weights = Weights::new(&self.shape, quantised);
        let (shape, data, table) = (&self.shape, self.data, &self.table);
        let loss = self
            .samples
            .par_iter_mut()
            .zip(&self.images)
            .with_min_len(self.least)
            .map(|(sample, &image)| {
                let image = image as usize;
                let pixels = &data.pixels[image * shape.pixels()..][..shape.pixels()];
                sample.run(shape, &weights, table, pixels, data.labels[image])
            })
            .sum();
        self.gradients.sum(shape, &self.samples, self.least);
        self.update();
        loss
    }

    /// Changes the weights by the gradients.
    fn update(&mut self) {
        let job = self.job;
        let shifts =
            optimizer::learning_rate_shifts(job.rate_shift, job.halve_after, self.state.step, self.shape.positions());
        let first_block = u64::from(self.state.step) << 32;
        let first_weights = self.shape.first_weights();
        let (rounding, gradients) = (&self.rounding, &self.gradients.0);
        self.state
            .weights
            .par_chunks_mut(WEIGHTS_PER_TASK)
            .zip(self.state.momenta.par_chunks_mut(WEIGHTS_PER_TASK))
            .with_min_len(self.least)
            .enumerate()
            .for_each(|(task, (weights, momenta))| {
                let first = task * WEIGHTS_PER_TASK;
                let mut random = [0; WEIGHTS_PER_BLOCK];
                for (i, (weight, momentum)) in weights.iter_mut().zip(momenta).enumerate() {
                    if i % WEIGHTS_PER_BLOCK == 0 {
                        let block = (first + i) / WEIGHTS_PER_BLOCK;
                        random = halves(rounding.words(first_block + block as u64));
                    }
                    let shift = shifts[usize::from(first + i >= first_weights)];
                    let bits = random[i % WEIGHTS_PER_BLOCK];
                    optimizer::update(weight, momentum, gradients[first + i], shift, job.momentum_shift, bits);
                }
            });
        self.state.step += 1;
    }
}

/// The halves of the words, the lower one of each first.
fn halves([a, b, c, d]: [u32; 4]) -> [u32; WEIGHTS_PER_BLOCK] {
    let (low, high) = (|word: u32| word & 0xffff, |word: u32| word >> 16);
    [low(a), high(a), low(b), high(b), low(c), high(c), low(d), high(d)]
}
