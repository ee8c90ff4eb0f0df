//! Which images the batch of a step has: those at its places in the order of their epochs, which is the order of random
//! words.
//!
//! A small data set is sorted by one unit. For a large one, units count and select, slice of images by slice of images,
//! each going on from the counts of the unit before: the upper halves of the words, then the lower halves of those words
//! whose upper half is that of the first place of the batch, then the batch itself, which are the smallest words from
//! there on. A batch then is part of two epochs at most.

use super::{
    plan::{Plan, Task},
    step::Training,
};
use crate::{
    Fault, Output, Reader, WORD_WORK,
    counts::{product, sum, touched},
    parts,
};
use agora_math::field::Generator;
use alloc::{collections::BinaryHeap, vec, vec::Vec};
use core::ops::Range;

/// The generator's label of the images' order.
const LABEL: &[u8] = b"training order";
/// The most images that are sorted by one unit.
const SORTED: u64 = 1 << 20;
/// Images of a unit of a larger data set.
const SLICE: u64 = 1 << 21;
/// Operations for one image, random word included: its share of sorting a million, or of a heap of 256.
const IMAGE_WORK: u64 = WORD_WORK + 44;
/// How many values half a word has.
const HALVES: u64 = 1 << 16;
/// Bytes of the counts of one epoch.
const COUNTS_BYTES: u64 = HALVES * 4;
/// Epochs of which a large data set's batch can be part.
const EPOCHS: u64 = 2;

/// What a unit of a large data set does with its slice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pass {
    Upper,
    Lower,
    Select,
}

/// How many units find the images of a step.
pub(super) fn units(plan: &Plan<'_>) -> u64 {
    match slices(plan) {
        None => 1,
        Some(slices) => product([3, slices]),
    }
}

/// The slices of a large data set.
fn slices(plan: &Plan<'_>) -> Option<u64> {
    (plan.images > SORTED).then(|| parts(plan.images, SLICE))
}

fn pass(plan: &Plan<'_>, unit: u64) -> Option<(Pass, Range<u64>)> {
    let slices = slices(plan)?;
    let pass = match unit.checked_div(slices)? {
        0 => Pass::Upper,
        1 => Pass::Lower,
        _ => Pass::Select,
    };
    let start = product([unit.checked_rem(slices)?, SLICE]);
    Some((pass, start..plan.images.min(start.saturating_add(SLICE))))
}

/// Output, work and chunks of unit `unit`.
pub(super) fn facts(plan: &Plan<'_>, unit: u64) -> (Output, u64, u64) {
    let kept = |size| Output::Kept { size };
    let Some((pass, _)) = pass(plan, unit) else {
        // Epochs that a batch touches, whole.
        let last = plan.batch.saturating_add(plan.images).saturating_sub(2);
        let epochs = last.checked_div(plan.images).unwrap_or_default().saturating_add(1);
        let work = product([epochs, plan.images, IMAGE_WORK]);
        return (kept(product([4, plan.batch])), work, 1);
    };
    let size = match pass {
        Pass::Upper | Pass::Lower => product([EPOCHS, COUNTS_BYTES]),
        Pass::Select => selection_bytes(plan),
    };
    let counts = product([EPOCHS, COUNTS_BYTES]);
    let work = sum([product([EPOCHS, SLICE, IMAGE_WORK]), product([8, counts])]);
    let chunks = sum([1, product([2, touched(counts)]), touched(size)]);
    (kept(size), work, chunks)
}

/// A selection: for each epoch, how many words so far were that of the first place; for each place of the batch, its key.
fn selection_bytes(plan: &Plan<'_>) -> u64 {
    sum([product([4, EPOCHS]), product([8, plan.batch])])
}

/// The images of the batch.
pub(super) struct Order<'a> {
    reader: Reader<'a>,
    first: u64,
    each: u64,
    images: u64,
}

impl<'a> Order<'a> {
    /// The order that the units of this training step have found.
    pub fn new(training: &Training<'a>) -> Self {
        let plan = training.plan;
        let last = units(plan).saturating_sub(1);
        // The lower half of a key is the image.
        let (first, each) = match slices(plan) {
            None => (0, 4),
            Some(_) => (4 * EPOCHS, 8),
        };
        Self {
            reader: training.kept(Task::Order(last)),
            first,
            each,
            images: plan.images,
        }
    }

    /// The image at place `place` of the batch.
    pub fn image(&mut self, place: u64) -> Result<u64, Fault> {
        let mut bytes = [0; 4];
        let at = sum([self.first, product([place, self.each])]);
        self.reader.read(at, &mut bytes)?;
        let image = u64::from(u32::from_le_bytes(bytes));
        Ok(image.checked_rem(self.images).unwrap_or_default())
    }
}

/// Computes unit `unit` of a step's order.
pub(super) fn compute(training: &Training<'_>, unit: u64) -> Result<Vec<u8>, Fault> {
    let plan = training.plan;
    let first = product([training.number()?.into(), plan.batch]);
    let epochs = epochs(plan, first);
    let generator = Generator::new(&plan.job.seed, LABEL);
    let Some((pass, slice)) = pass(plan, unit) else {
        return Ok(sort(plan, &generator, &epochs));
    };
    let words = |epoch: &Epoch| keys(&generator, epoch.number, slice.clone()).map(|key| (key >> 32) as u32);
    match pass {
        Pass::Upper => {
            let mut counts = Counts::before(training, unit, 0)?;
            for (epoch, counts) in epochs.iter().zip(&mut counts.0) {
                words(epoch).for_each(|word| counts.add(word >> 16));
            }
            Ok(counts.bytes())
        }
        Pass::Lower => {
            let upper = Counts::last(training, Pass::Upper)?;
            let mut counts = Counts::before(training, unit, units(plan) / 3)?;
            for ((epoch, upper), counts) in epochs.iter().zip(&upper.0).zip(&mut counts.0) {
                let (half, _) = upper.find(epoch.rank);
                words(epoch)
                    .filter(|word| word >> 16 == half)
                    .for_each(|word| counts.add(word & 0xffff));
            }
            Ok(counts.bytes())
        }
        Pass::Select => select(training, unit, &generator, &epochs, slice),
    }
}

/// Places of a batch within an epoch.
struct Epoch {
    number: u64,
    /// The rank of the first place in the order of the epoch, from 0.
    rank: u64,
    places: u64,
}

/// The epochs that the batch which begins at place `first` is part of.
fn epochs(plan: &Plan<'_>, first: u64) -> Vec<Epoch> {
    let mut epochs = Vec::new();
    let end = first.saturating_add(plan.batch);
    let mut at = first;
    while at < end {
        let (Some(number), Some(rank)) = (at.checked_div(plan.images), at.checked_rem(plan.images)) else {
            break;
        };
        let places = plan.images.saturating_sub(rank).min(end.saturating_sub(at));
        epochs.push(Epoch { number, rank, places });
        at = at.saturating_add(places);
    }
    epochs
}

/// The keys of `images` in an epoch, in the order of the images: the random word, then the image.
///
/// Image `i` has word `i mod 4` of block `2³² · epoch + ⌊i / 4⌋`. (The number of a block is taken modulo 2⁶⁴.)
fn keys(generator: &Generator, epoch: u64, images: Range<u64>) -> impl Iterator<Item = u64> {
    // Slices begin at a multiple of four.
    let blocks = images.start / 4..images.end.div_ceil(4);
    let words = blocks.flat_map(move |block| generator.words((epoch << 32).wrapping_add(block)));
    images.zip(words).map(|(image, word)| u64::from(word) << 32 | image)
}

/// The images of a batch of a small data set.
fn sort(plan: &Plan<'_>, generator: &Generator, epochs: &[Epoch]) -> Vec<u8> {
    let of_epoch = |epoch: &Epoch| {
        let mut sorted = Vec::with_capacity(plan.images as usize);
        sorted.extend(keys(generator, epoch.number, 0..plan.images));
        sorted.sort_unstable();
        let places = sorted.into_iter().skip(epoch.rank as usize).take(epoch.places as usize);
        places.flat_map(|key| (key as u32).to_le_bytes()).collect::<Vec<u8>>()
    };
    epochs.iter().flat_map(of_epoch).collect()
}

/// How often each value of half a word occurs.
struct Half(Vec<u32>);

impl Half {
    fn add(&mut self, half: u32) {
        if let Some(count) = self.0.get_mut(half as usize) {
            *count = count.wrapping_add(1);
        }
    }

    /// The value that has rank `rank`, and how many of those before it are smaller.
    fn find(&self, rank: u64) -> (u32, u64) {
        let mut smaller = 0u64;
        for (half, &count) in (0..).zip(&self.0) {
            let until = smaller.saturating_add(count.into());
            if rank < until {
                return (half, smaller);
            }
            smaller = until;
        }
        // No honest counts are so few.
        (0, 0)
    }
}

/// The counts of all epochs of a batch.
struct Counts([Half; EPOCHS as usize]);

impl Counts {
    /// Those of the unit before `unit`; none, if `unit` is `first`.
    fn before(training: &Training<'_>, unit: u64, first: u64) -> Result<Self, Fault> {
        if unit == first {
            return Ok(Self([0; EPOCHS as usize].map(|_| Half(vec![0; HALVES as usize]))));
        }
        Self::read(training, unit.saturating_sub(1))
    }

    /// Those of the last unit of `pass`.
    fn last(training: &Training<'_>, pass: Pass) -> Result<Self, Fault> {
        let slices = units(training.plan) / 3;
        let end = match pass {
            Pass::Upper => slices,
            Pass::Lower | Pass::Select => product([2, slices]),
        };
        Self::read(training, end.saturating_sub(1))
    }

    fn read(training: &Training<'_>, unit: u64) -> Result<Self, Fault> {
        let mut reader = training.kept(Task::Order(unit));
        let mut of_epoch = |epoch: u64| -> Result<Half, Fault> {
            let bytes = reader.read_vec(product([epoch, COUNTS_BYTES]), COUNTS_BYTES as usize)?;
            Ok(Half(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&count| u32::from_le_bytes(count))
                    .collect(),
            ))
        };
        Ok(Self([of_epoch(0)?, of_epoch(1)?]))
    }

    fn bytes(&self) -> Vec<u8> {
        let counts = self.0.iter().flat_map(|half| &half.0);
        counts.flat_map(|count| count.to_le_bytes()).collect()
    }
}

/// Goes on with the selection: of each epoch, the smallest keys from the first place's on, as many as there are places.
fn select(
    training: &Training<'_>,
    unit: u64,
    generator: &Generator,
    epochs: &[Epoch],
    slice: Range<u64>,
) -> Result<Vec<u8>, Fault> {
    let (upper, lower) = (
        Counts::last(training, Pass::Upper)?,
        Counts::last(training, Pass::Lower)?,
    );
    // No key is as large, but for places that are not filled yet.
    let mut keys_bytes = vec![0xff; product([8, training.plan.batch]) as usize];
    let mut seen_bytes = vec![0; (4 * EPOCHS) as usize];
    if slice.start > 0 {
        let mut reader = training.kept(Task::Order(unit.saturating_sub(1)));
        reader.read(0, &mut seen_bytes)?;
        reader.read(4 * EPOCHS, &mut keys_bytes)?;
    }
    let mut rest = keys_bytes.as_chunks_mut::<8>().0;
    let seen = seen_bytes.as_chunks_mut::<4>().0;
    for (((epoch, seen), upper), lower) in epochs.iter().zip(seen).zip(&upper.0).zip(&lower.0) {
        let (mine, others) = rest.split_at_mut_checked(epoch.places as usize).ok_or(Fault::NoUnit)?;
        rest = others;
        let (high, below) = upper.find(epoch.rank);
        let rank = epoch.rank.saturating_sub(below);
        let (low, below) = lower.find(rank);
        let threshold = Threshold {
            word: high << 16 | low,
            skipped: rank.saturating_sub(below),
        };
        let mut count = u32::from_le_bytes(*seen);
        let found = threshold.smallest(keys(generator, epoch.number, slice.clone()), mine, &mut count);
        *seen = count.to_le_bytes();
        for (mine, found) in mine.iter_mut().zip(found) {
            *mine = found.to_le_bytes();
        }
    }
    seen_bytes.append(&mut keys_bytes);
    Ok(seen_bytes)
}

/// Where the batch begins in the order of an epoch.
struct Threshold {
    /// The word of the image at its first place.
    word: u32,
    /// How many images with this word come before that one.
    skipped: u64,
}

impl Threshold {
    /// The smallest of those that were `selected` before and of `keys` from the first place on, as many as before, in
    /// order. `seen` counts the keys with the word of the first place.
    fn smallest(&self, keys: impl Iterator<Item = u64>, selected: &[[u8; 8]], seen: &mut u32) -> Vec<u64> {
        let mut heap: BinaryHeap<u64> = selected.iter().map(|&key| u64::from_le_bytes(key)).collect();
        for key in keys {
            let word = (key >> 32) as u32;
            if word == self.word {
                *seen = seen.saturating_add(1);
            }
            let is_before = word < self.word || (word == self.word && u64::from(*seen) <= self.skipped);
            if !is_before && heap.peek().is_some_and(|&largest| key < largest) {
                heap.pop();
                heap.push(key);
            }
        }
        heap.into_sorted_vec()
    }
}

#[cfg(test)]
mod tests;
