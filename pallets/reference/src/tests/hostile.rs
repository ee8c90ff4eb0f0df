//! Units of any job within the limits, given bytes that no honest computation gives.

use super::world::check_size;
use crate::*;
use agora_jobs::blob::CHUNK_BYTES;
use agora_math::field::philox4x32_10;
use std::cell::Cell;

/// Every chunk of every source, full of random bytes.
pub struct Noise {
    seed: u32,
    /// Each byte is lowered by the bits that this does not have.
    mask: u8,
    reads: Cell<u64>,
}

impl Noise {
    pub fn new(seed: u32, mask: u8) -> Self {
        Self {
            seed,
            mask,
            reads: Cell::new(0),
        }
    }
}

impl Blobs for Noise {
    fn chunk(&self, source: &Source, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        self.reads.set(self.reads.get() + 1);
        let (which, number) = match *source {
            Source::Input(blob) => (0, blob.size),
            Source::State(state) => (1, state),
            Source::Kept(_, unit) => (2, unit),
        };
        for (block, bytes) in (0..).zip(chunk.chunks_exact_mut(16)) {
            let words = philox4x32_10([block, index as u32, which, number as u32], [self.seed, 0]);
            let random = words.into_iter().flat_map(u32::to_le_bytes);
            bytes
                .iter_mut()
                .zip(random)
                .for_each(|(byte, random)| *byte = random & self.mask);
        }
        Some(CHUNK_BYTES)
    }
}

/// Computes a unit from noise: it has the length and reads no more than is said, or finds an input unusable.
pub fn survives_noise(law: &dyn Reference, step: Step, unit: u64, noise: &Noise) {
    noise.reads.set(0);
    let said = law.unit(step, unit).unwrap();
    match law.compute(noise, step, unit) {
        Ok(bytes) => check_size(&said, &bytes),
        Err(Fault::Unusable { .. }) => assert_eq!(step, Step::Inputs, "only scans judge inputs"),
        Err(fault) => panic!("{step:?} {unit}: {fault}"),
    }
    assert!(
        noise.reads.get() <= said.chunks,
        "{step:?} {unit}: {} reads, {said:?}",
        noise.reads.get()
    );
}

/// Units beyond the last, and steps beyond the last, do not exist.
pub fn has_an_end(law: &dyn Reference) {
    let beyond = Step::State(law.states());
    let mut places = vec![(beyond, 0), (beyond, u64::MAX), (Step::State(u64::MAX), 0)];
    for step in [Step::Inputs, Step::State(0), Step::State(law.states() - 1)] {
        places.extend([(step, law.units(step)), (step, u64::MAX)]);
    }
    for (step, unit) in places {
        assert_eq!(law.unit(step, unit), None);
        assert_eq!(law.compute(&Noise::new(0, 255), step, unit), Err(Fault::NoUnit));
    }
    assert_eq!(law.units(beyond), 0);
}
