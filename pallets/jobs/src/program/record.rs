//! What a run leaves behind: its output, zeroes, and in the last bytes how it ended.

use super::ProgramJob;
use crate::blob::CHUNK_BYTES;
use alloc::{vec, vec::Vec};

/// Bytes at the end of a record: how the run ended (2), zeroes (2), and the length of the output (u32).
pub const TRAILER_BYTES: usize = 8;

/// Bytes of a chunk.
const CHUNK: u64 = CHUNK_BYTES as u64;

/// How a run ended. Each of them is a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It halted with 0.
    Done,
    /// It halted with 1: the program says that it cannot use what it was given.
    Unusable,
    /// An instruction could not be executed: the number of the machine's trap.
    Trapped(u8),
    /// Its gas was used up.
    OutOfGas,
    /// However it ended, its output does not fit the record, which has none of it.
    TooLong,
}

impl Ending {
    /// The first two bytes of a trailer.
    const fn bytes(self) -> [u8; 2] {
        match self {
            Self::Done => [1, 0],
            Self::Unusable => [2, 0],
            Self::Trapped(trap) => [3, trap],
            Self::OutOfGas => [4, 0],
            Self::TooLong => [5, 0],
        }
    }

    const fn of(bytes: [u8; 2]) -> Option<Self> {
        match bytes {
            [1, 0] => Some(Self::Done),
            [2, 0] => Some(Self::Unusable),
            [3, trap] => Some(Self::Trapped(trap)),
            [4, 0] => Some(Self::OutOfGas),
            [5, 0] => Some(Self::TooLong),
            _ => None,
        }
    }
}

/// How the run of a record ended, and its output. `None`: no run has this record.
pub fn read_record(record: &[u8]) -> Option<(Ending, &[u8])> {
    let (output, trailer) = record.split_last_chunk::<TRAILER_BYTES>()?;
    let [status, trap, 0, 0, size @ ..] = *trailer else {
        return None;
    };
    let (output, rest) = output.split_at_checked(u32::from_le_bytes(size) as usize)?;
    let ending = Ending::of([status, trap])?;
    let is_padded = rest.iter().all(|&byte| byte == 0) && (output.is_empty() || ending != Ending::TooLong);
    is_padded.then_some((ending, output))
}

impl ProgramJob {
    /// Whether an output of `size` bytes fits a record.
    const fn fits(&self, size: u64) -> bool {
        size <= (self.record_bytes as u64).saturating_sub(TRAILER_BYTES as u64)
    }

    /// Whether chunk `index` of the record has bytes of an output of `size` bytes: then they are those of chunk `index` of the
    /// output.
    pub const fn takes_output(&self, size: u64, index: u64) -> bool {
        self.fits(size) && index.saturating_mul(CHUNK) < size
    }

    /// Chunk `index` of the record of a run that ended with `ending` and an output of `size` bytes, of which `shown` is the chunk of this
    /// number, if it [has to be shown](Self::takes_output).
    ///
    /// `None`: the record has no such chunk, or `shown` is longer than its output can be there.
    pub fn record_chunk(&self, ending: Ending, size: u64, index: u64, shown: &[u8]) -> Option<[u8; CHUNK_BYTES]> {
        let last = (u64::from(self.record_bytes) / CHUNK).checked_sub(1)?;
        if index > last {
            return None;
        }
        let mut chunk = [0; CHUNK_BYTES];
        if self.takes_output(size, index) {
            chunk.get_mut(..shown.len())?.copy_from_slice(shown);
        }
        if index == last {
            let (ending, size) = match self.fits(size) {
                // A record has at most 128 KiB.
                true => (ending, size as u32),
                false => (Ending::TooLong, 0),
            };
            let trailer = chunk.last_chunk_mut::<TRAILER_BYTES>()?;
            let [status, trap] = ending.bytes();
            let [a, b, c, d] = size.to_le_bytes();
            *trailer = [status, trap, 0, 0, a, b, c, d];
        }
        Some(chunk)
    }

    /// The record of a run that ended with `ending` and this output.
    pub fn record(&self, ending: Ending, output: &[u8]) -> Vec<u8> {
        let mut record = vec![0; self.record_bytes as usize];
        let mut output_chunks = output.chunks(CHUNK_BYTES);
        for (place, index) in record.chunks_exact_mut(CHUNK_BYTES).zip(0..) {
            let shown = output_chunks.next().unwrap_or_default();
            // Whatever is not the last chunk of an output that fits has nothing where the trailer is.
            if let Some(chunk) = self.record_chunk(ending, output.len() as u64, index, shown) {
                place.copy_from_slice(&chunk);
            }
        }
        record
    }
}
