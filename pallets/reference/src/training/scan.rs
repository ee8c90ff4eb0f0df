//! Which inputs a training job can be done with: what each piece of the data set and of the checkpoint must be.

use super::{
    plan::{HEADER, Input, Plan, images},
    update::{MAX_WEIGHT, max_momentum},
};
use crate::{Blobs, Fault, Reader, Source, counts::product};
use agora_jobs::blob::CHUNK_BYTES;
use alloc::vec::Vec;

/// What a data set begins with, the version included.
const MAGIC: [u8; 5] = *b"AGDS\x01";

/// Scans the `size` bytes of `input` from `offset` on. What is kept is empty.
///
/// Errors: `Unusable`, `Missing`.
pub(super) fn scan(plan: &Plan<'_>, blobs: &dyn Blobs, input: Input, offset: u64, size: u64) -> Result<Vec<u8>, Fault> {
    let (Input::Data(blob) | Input::Start(blob)) = input;
    let mut reader = Reader::new(blobs, Source::Input(blob));
    let header = match input {
        Input::Data(_) => Some(header(plan, &mut reader)?),
        Input::Start(_) => None,
    };
    let mut chunk = [0; CHUNK_BYTES];
    let mut at = offset;
    let mut rest = size;
    while rest > 0 {
        let count = rest.min(CHUNK_BYTES as u64);
        let bytes = chunk.get_mut(..count as usize).unwrap_or_default();
        reader.read(at, bytes)?;
        match header {
            Some((images, maximum)) => check_data(plan, images, maximum, at, bytes)?,
            None => check_checkpoint(plan, at, bytes)?,
        }
        at = at.saturating_add(count);
        rest = rest.saturating_sub(count);
    }
    Ok(Vec::new())
}

const fn unusable<T>(reason: &'static str, at: u64) -> Result<T, Fault> {
    Err(Fault::Unusable { reason, at })
}

/// Checks the header of the data set. Returns how many images it has, and the largest value of a pixel.
fn header(plan: &Plan<'_>, reader: &mut Reader<'_>) -> Result<(u64, u8), Fault> {
    let job = plan.job;
    let Some(images) = images(job) else {
        return unusable("no data set of images of the job's size has this length", 0);
    };
    let mut bytes = [0; HEADER as usize];
    reader.read(0, &mut bytes)?;
    let [m0, m1, m2, m3, m4, maximum, w0, w1, h0, h1, c0, c1, n0, n1, n2, n3] = bytes;
    if [m0, m1, m2, m3, m4] != MAGIC {
        return unusable("it is no data set of version 1", 0);
    }
    if maximum == 0 {
        return unusable("the largest value of a pixel is zero", 5);
    }
    let sizes = [
        (
            u16::from_le_bytes([w0, w1]),
            job.width,
            "the images have another width",
            6,
        ),
        (
            u16::from_le_bytes([h0, h1]),
            job.height,
            "the images have another height",
            8,
        ),
        (
            u16::from_le_bytes([c0, c1]),
            job.classes,
            "there are more or fewer classes",
            10,
        ),
    ];
    for (found, expected, reason, at) in sizes {
        if u32::from(found) != expected {
            return unusable(reason, at);
        }
    }
    if u64::from(u32::from_le_bytes([n0, n1, n2, n3])) != images {
        return unusable("it is longer or shorter than its number of images demands", 12);
    }
    Ok((images, maximum))
}

/// Checks pixels and classes among the bytes from `at` on.
fn check_data(plan: &Plan<'_>, images: u64, maximum: u8, at: u64, bytes: &[u8]) -> Result<(), Fault> {
    let labels = HEADER.saturating_add(product([images, plan.shape.pixels()]));
    for (at, &byte) in (at..).zip(bytes) {
        if at >= labels {
            if u64::from(byte) >= plan.shape.classes {
                return unusable("an image is of a class that there is not", at);
            }
        } else if at >= HEADER && byte > maximum {
            return unusable("a pixel is above the largest value", at);
        }
    }
    Ok(())
}

/// Checks the number of steps, the weights and the momenta among the bytes from `at` on, which is a multiple of four.
fn check_checkpoint(plan: &Plan<'_>, at: u64, bytes: &[u8]) -> Result<(), Fault> {
    let momenta = product([4, plan.shape.weights().saturating_add(1)]);
    for (at, &word) in (at..).step_by(4).zip(bytes.as_chunks::<4>().0) {
        let amount = i32::from_le_bytes(word).unsigned_abs();
        if at == 0 {
            if u32::from_le_bytes(word).checked_add(plan.job.steps()).is_none() {
                return unusable("the job's steps would be more than can be counted", at);
            }
        } else if at < momenta {
            if amount > MAX_WEIGHT.unsigned_abs() {
                return unusable("a weight is too large", at);
            }
        } else if amount > max_momentum(plan.job.momentum_shift).unsigned_abs() {
            return unusable("a momentum is too large", at);
        }
    }
    Ok(())
}
