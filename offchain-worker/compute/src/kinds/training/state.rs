//! The state of training, which is also what a checkpoint holds.

use super::optimizer::{MAX_WEIGHT, WEIGHT_BITS, max_momentum, quantise};
use crate::networks::classifier::Shape;
use agora_math::field::Generator;

/// The generator's label of the first weights.
const LABEL_WEIGHTS: &[u8] = b"training weights";

/// Why a checkpoint or an output of training cannot be used.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum StateError {
    /// It is too long or too short.
    #[error("it must have {expected} bytes for a network of this shape, and has {found}")]
    Length {
        /// As the shape demands.
        expected: u64,
        /// The length found.
        found: u64,
    },
    /// A weight or a momentum is larger than training can make one.
    #[error("the number at byte {at} is {found}, its amount may be {most} at most")]
    Range {
        /// Where.
        at: u64,
        /// What it is.
        found: i32,
        /// The largest amount.
        most: i32,
    },
    /// The steps would be more than can be counted.
    #[error("there were {step} steps already: the job's would be more than can be counted")]
    Steps {
        /// The steps so far.
        step: u32,
    },
}

/// The state of training after a number of steps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Steps so far, including those before the checkpoint from which training went on.
    pub step: u32,
    /// The weights of both layers as in [`Shape::weights`], in parts of which 2¹⁶ are one.
    pub weights: Vec<i32>,
    /// The momenta of the weights.
    pub momenta: Vec<i32>,
}

impl Checkpoint {
    /// The state before the first step: random weights, those of constant inputs zero.
    ///
    /// Weight `i` with `n` inputs (the constant one counted) is word `i mod 4` of block ⌊i / 4⌋ of the generator, as a
    /// signed number, shifted right so that its amount is at most 2^(24 − ⌈b / 2⌉), where `b` is the number of bits of
    /// `n`.
    pub(super) fn first(shape: &Shape, seed: &[u8; 32]) -> Self {
        let generator = Generator::new(seed, LABEL_WEIGHTS);
        let first = shape.first_weights();
        let weight = |i: usize| {
            let (inputs, at) = if i < first {
                (shape.inputs(), i)
            } else {
                (shape.features() + 1, i - first)
            };
            if at % inputs == inputs - 1 {
                return 0;
            }
            let word = generator.words((i / 4) as u64)[i % 4].cast_signed();
            word >> (31 - first_weight_bits(inputs))
        };
        Self {
            step: 0,
            weights: (0..shape.weights()).map(weight).collect(),
            momenta: vec![0; shape.weights()],
        }
    }

    /// Reads a checkpoint of a network of `shape` that was trained with `momentum_shift`.
    ///
    /// Errors: `Length`, `Range`. The length is checked before anything is allocated.
    pub fn decode(shape: &Shape, momentum_shift: u32, bytes: &[u8]) -> Result<Self, StateError> {
        let count = shape.weights();
        let expected = 4 + 8 * count as u64;
        let words = bytes.as_chunks::<4>().0;
        let (Some((&step, numbers)), true) = (words.split_first(), bytes.len() as u64 == expected) else {
            return Err(StateError::Length {
                expected,
                found: bytes.len() as u64,
            });
        };
        let (weights, momenta) = numbers.split_at(count);
        Ok(Self {
            step: u32::from_le_bytes(step),
            weights: numbers_within(weights, 4, MAX_WEIGHT)?,
            momenta: numbers_within(momenta, 4 + 4 * count as u64, max_momentum(momentum_shift))?,
        })
    }

    /// The checkpoint's bytes: the steps, the weights, the momenta, each number little endian.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4 + 8 * self.weights.len());
        bytes.extend(self.step.to_le_bytes());
        for numbers in [&self.weights, &self.momenta] {
            bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        }
        bytes
    }

    /// The weights as they are multiplied with, −127 to 127.
    pub fn quantised(&self) -> Vec<i8> {
        // They fit.
        self.weights.iter().map(|&weight| quantise(weight) as i8).collect()
    }
}

/// The first weights of a unit with `inputs` inputs are below two to this power: about √(6 / inputs).
fn first_weight_bits(inputs: usize) -> u32 {
    let bits = usize::BITS - inputs.leading_zeros();
    WEIGHT_BITS + 8 - bits.div_ceil(2)
}

/// The numbers of `words`, which begin at byte `at`.
fn numbers_within(words: &[[u8; 4]], at: u64, most: i32) -> Result<Vec<i32>, StateError> {
    let number = |(at, &word): (u64, &[u8; 4])| {
        let found = i32::from_le_bytes(word);
        if found.unsigned_abs() > most.unsigned_abs() {
            return Err(StateError::Range { at, found, most });
        }
        Ok(found)
    };
    (at..).step_by(4).zip(words).map(number).collect()
}
