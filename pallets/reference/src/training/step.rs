//! What the units of one training step share: where their weights are, the step's number, each other's outputs.

use super::{
    plan::{Plan, Task},
    update::quantise,
};
use crate::{
    Blobs, Fault, Reader, Source, Step,
    counts::{product, sum},
};
use alloc::vec::Vec;

/// Weights that are quantised at once, so that few are held with all their bits.
const READ_WEIGHTS: usize = 1 << 16;

/// One of the two numbers of each weight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Number {
    /// `W`
    Weight,
    /// `V`
    Momentum,
}

/// A training step of a state.
#[derive(Clone, Copy)]
pub(super) struct Training<'a> {
    pub plan: &'a Plan<'a>,
    pub blobs: &'a dyn Blobs,
    /// The state that is computed.
    pub state: u64,
    /// The number of the training step, counted from the first of this state.
    pub step: u64,
}

impl<'a> Training<'a> {
    /// Reads what `task` of this step has kept.
    pub fn kept(&self, task: Task) -> Reader<'a> {
        let unit = self.plan.unit_of(self.step, task);
        Reader::new(self.blobs, Source::Kept(Step::State(self.state), unit))
    }

    /// The state before.
    fn before(&self) -> Reader<'a> {
        Reader::new(self.blobs, Source::State(self.state.saturating_sub(1)))
    }

    /// `t`: how many steps were made before this one, those before the job included.
    pub fn number(&self) -> Result<u32, Fault> {
        let mut bytes = [0; 4];
        self.before().read(0, &mut bytes)?;
        // Since the start was scanned, no honest state's number leaves 32 bits.
        Ok(u32::from_le_bytes(bytes).wrapping_add(self.step as u32))
    }

    /// `number` of `count` weights from `first` on, before this step.
    pub fn numbers(&self, number: Number, first: u64, count: u64) -> Result<Vec<i32>, Fault> {
        if self.step > 0 {
            let before = Self {
                step: self.step.saturating_sub(1),
                ..*self
            };
            return before.updated(number, first, count);
        }
        let before = match number {
            Number::Weight => 0,
            Number::Momentum => self.plan.shape.weights(),
        };
        let mut reader = self.before();
        let mut numbers = Vec::new();
        read_numbers(&mut reader, sum([1, before, first]), count, &mut numbers)?;
        Ok(numbers)
    }

    /// `number` of `count` weights from `first` on, after this step.
    pub fn updated(&self, number: Number, first: u64, count: u64) -> Result<Vec<i32>, Fault> {
        let mut numbers = Vec::new();
        let end = first.saturating_add(count);
        let mut at = first;
        while at < end {
            let index = self.plan.piece_of(at).ok_or(Fault::NoUnit)?;
            let piece = self.plan.piece(index).ok_or(Fault::NoUnit)?;
            let piece_end = piece.first.saturating_add(piece.weights).min(end);
            let before = match number {
                Number::Weight => 0,
                Number::Momentum => piece.weights,
            };
            let within = sum([before, at.saturating_sub(piece.first)]);
            let count = piece_end
                .checked_sub(at)
                .filter(|&count| count > 0)
                .ok_or(Fault::NoUnit)?;
            read_numbers(&mut self.kept(Task::Update(index)), within, count, &mut numbers)?;
            at = piece_end;
        }
        Ok(numbers)
    }

    /// The weights of `count` weights from `first` on as they are multiplied with.
    pub fn quantised(&self, first: u64, count: u64) -> Result<Vec<i8>, Fault> {
        let end = first.saturating_add(count);
        let mut quantised = Vec::new();
        for first in (first..end).step_by(READ_WEIGHTS) {
            let count = end.saturating_sub(first).min(READ_WEIGHTS as u64);
            let weights = self.numbers(Number::Weight, first, count)?;
            quantised.extend(weights.into_iter().map(quantise));
        }
        Ok(quantised)
    }
}

/// Appends the `count` numbers of 32 bits from number `first` on.
fn read_numbers(reader: &mut Reader<'_>, first: u64, count: u64, numbers: &mut Vec<i32>) -> Result<(), Fault> {
    let bytes = reader.read_vec(product([4, first]), product([4, count]) as usize)?;
    numbers.extend(bytes.as_chunks().0.iter().map(|&number| i32::from_le_bytes(number)));
    Ok(())
}
