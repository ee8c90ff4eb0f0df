//! A chain of matrix products over F_251: `M_{i+1} = A · D_i · M_i`. Specified in `docs/protocol/synthetic.md`.
//!
//! A part is a range of the elements of a state, row by row. It reads the whole state before it once, row by row, and
//! makes the rows of `A` that it needs and `D_i` itself.

use crate::{
    Blobs, Fault, MAX_PART_BYTES, MAX_UNIT_WORK, Output, Reader, Reference, Source, Step, Unit, WORD_WORK, part, parts,
    whole_chunks,
};
use agora_jobs::{SyntheticJob, blob::CHUNK_BYTES};
use agora_math::field::{Generator, MODULUS};
use alloc::{vec, vec::Vec};
use core::ops::Range;

/// The generator's labels of `A`, `M_0` and the diagonals.
const LABEL_FACTOR: &[u8] = b"A";
const LABEL_FIRST: &[u8] = b"M";
const LABEL_DIAGONAL: &[u8] = b"D";

/// How many residues there are.
const M: u32 = MODULUS as u32;

/// How many of them are not zero.
const NON_ZERO: u32 = M - 1;

impl Reference for SyntheticJob {
    fn states(&self) -> u64 {
        u64::from(self.iterations).saturating_add(1)
    }

    fn state_size(&self, _state: u64) -> u64 {
        u64::from(self.matrix_size).saturating_pow(2)
    }

    fn units(&self, step: Step) -> u64 {
        match step {
            Step::State(state) if state < self.states() => parts(self.state_size(state), part_bytes(self, state)),
            Step::State(_) | Step::Inputs => 0,
        }
    }

    fn unit(&self, step: Step, unit: u64) -> Option<Unit> {
        let Step::State(state) = step else { return None };
        if state >= self.states() {
            return None;
        }
        let (offset, size) = part(self.state_size(state), part_bytes(self, state), unit)?;
        let n = u64::from(self.matrix_size);
        Some(Unit {
            output: Output::Part { offset, size },
            work: match state {
                0 => size.saturating_mul(WORD_WORK),
                _ => product_work(n, size),
            },
            chunks: match state {
                0 => 0,
                _ => n.saturating_mul(n).div_ceil(CHUNK_BYTES as u64),
            },
        })
    }

    fn compute(&self, blobs: &dyn Blobs, step: Step, unit: u64) -> Result<Vec<u8>, Fault> {
        let (Step::State(state), Some(Unit { output, .. })) = (step, self.unit(step, unit)) else {
            return Err(Fault::NoUnit);
        };
        let Output::Part { offset, size } = output else {
            return Err(Fault::NoUnit);
        };
        match state.checked_sub(1) {
            None => {
                // A part has at most 128 KiB.
                let mut elements = vec![0; size as usize];
                Generator::new(&self.seed, LABEL_FIRST).fill(offset, &mut elements);
                Ok(elements)
            }
            Some(before) => product(self, blobs, before, offset..offset.saturating_add(size)),
        }
    }
}

/// The length of the parts of `state`, except the last.
fn part_bytes(job: &SyntheticJob, state: u64) -> u64 {
    if state == 0 {
        return MAX_PART_BYTES;
    }
    let n = u64::from(job.matrix_size);
    // So that `product_work` is within the limit.
    let fixed = n.saturating_mul(4).saturating_mul(WORD_WORK);
    let each = n.saturating_add(WORD_WORK.saturating_mul(2));
    whole_chunks(
        MAX_UNIT_WORK
            .saturating_sub(fixed)
            .checked_div(each)
            .unwrap_or_default(),
    )
}

/// What `size` elements of a product take: a row of `A` for each row that they touch, the diagonal, `n` products and a
/// reduction for each element.
fn product_work(n: u64, size: u64) -> u64 {
    let rows = size.checked_div(n).unwrap_or_default().saturating_add(2);
    let generated = rows.saturating_add(1).saturating_mul(n).saturating_add(size);
    size.saturating_mul(n)
        .saturating_add(generated.saturating_mul(WORD_WORK))
}

/// Elements `range` of `A · D · M`, where `M` is state `before`.
///
/// Bytes above 250 in `M` count as the residues that they are congruent to.
fn product(job: &SyntheticJob, blobs: &dyn Blobs, before: u64, range: Range<u64>) -> Result<Vec<u8>, Fault> {
    let n = u64::from(job.matrix_size);
    let size = job.matrix_size as usize;
    let bands = bands(n, range);
    let factor = Generator::new(&job.seed, LABEL_FACTOR);
    let rows: Vec<Vec<u8>> = bands
        .iter()
        .map(|band| {
            let mut row = vec![0; size];
            factor.fill(band.row.saturating_mul(n), &mut row);
            row
        })
        .collect();
    // At most 4096 · 250 · 255 < 2³² each.
    let mut sums: Vec<Vec<u32>> = bands.iter().map(|band| vec![0; band.columns.len()]).collect();
    let diagonal = diagonal(job, before);
    let mut reader = Reader::new(blobs, Source::State(before));
    let mut line = vec![0; size];
    for (j, &scale) in diagonal.iter().enumerate() {
        reader.read((j as u64).saturating_mul(n), &mut line)?;
        for ((band, row), sums) in bands.iter().zip(&rows).zip(&mut sums) {
            let element = row.get(j).copied().unwrap_or_default();
            let weight = u32::from(element).wrapping_mul(scale) % M;
            let line = line.get(band.columns.clone()).unwrap_or_default();
            for (sum, &value) in sums.iter_mut().zip(line) {
                *sum = sum.wrapping_add(weight.wrapping_mul(u32::from(value)));
            }
        }
    }
    let reduced = sums.iter().flatten().map(|&sum| (sum % M) as u8);
    Ok(reduced.collect())
}

/// The elements of `D_i` for step `i`: element `j` is one more than word `(i · n + j) mod 4` of block
/// `⌊(i · n + j) / 4⌋`, modulo 250.
fn diagonal(job: &SyntheticJob, step: u64) -> Vec<u32> {
    let generator = Generator::new(&job.seed, LABEL_DIAGONAL);
    let first = step.saturating_mul(job.matrix_size.into());
    let words = (first / 4..).flat_map(|block| generator.words(block));
    words
        .skip((first % 4) as usize)
        .take(job.matrix_size as usize)
        .map(|word| (word % NON_ZERO).wrapping_add(1))
        .collect()
}

/// Neighbouring elements of one row.
struct Band {
    row: u64,
    columns: Range<usize>,
}

/// The rows of width `n` that the elements `range` touch.
fn bands(n: u64, range: Range<u64>) -> Vec<Band> {
    let mut bands = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let (Some(row), Some(column)) = (at.checked_div(n), at.checked_rem(n)) else {
            break;
        };
        let end = range.end.min(at.saturating_sub(column).saturating_add(n));
        let until = column.saturating_add(end.saturating_sub(at));
        bands.push(Band {
            row,
            // Columns are below 4096.
            columns: column as usize..until as usize,
        });
        at = end;
    }
    bands
}
