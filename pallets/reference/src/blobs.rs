//! What units read: chunks of inputs, states, and the outputs of other units.

use crate::Step;
use agora_jobs::{BlobRef, blob::CHUNK_BYTES};
use alloc::{vec, vec::Vec};

/// Where a chunk is from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Source {
    /// An input of the job.
    Input(BlobRef),
    /// The state of this number.
    State(u64),
    /// The output, kept, of a unit.
    Kept(Step, u64),
}

/// Gives what units read, 1 KiB at a time.
pub trait Blobs {
    /// Writes chunk `index` of `source` to `chunk`, and returns how many bytes it has: 1 KiB, or fewer if it is the last.
    ///
    /// Whoever implements this has compared the chunk with the tree of its blob. `None`: it is not at hand, or
    /// there is no such chunk.
    fn chunk(&self, source: &Source, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize>;
}

/// Why a unit has no output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A chunk is not at hand.
    Missing {
        /// Where it is from.
        source: Source,
        /// Its number.
        chunk: u64,
    },
    /// There is no such step or unit.
    NoUnit,
    /// An input is not what the kind demands: the job has no output.
    Unusable {
        /// What is wrong.
        reason: &'static str,
        /// Where in the input, in bytes.
        at: u64,
    },
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Missing { source, chunk } => write!(f, "chunk {chunk} of {source:?} is not at hand"),
            Self::NoUnit => f.write_str("the job has no such unit"),
            Self::Unusable { reason, at } => write!(f, "an input is unusable at byte {at}: {reason}"),
        }
    }
}

impl core::error::Error for Fault {}

/// Reads a source, and holds the chunk that it read last: reading on from there does not read it again.
pub struct Reader<'a> {
    blobs: &'a dyn Blobs,
    source: Source,
    chunk: [u8; CHUNK_BYTES],
    /// The number and the length of the chunk that is held.
    held: Option<(u64, usize)>,
}

impl<'a> Reader<'a> {
    /// Reads `source`; nothing is read yet.
    pub const fn new(blobs: &'a dyn Blobs, source: Source) -> Self {
        Self {
            blobs,
            source,
            chunk: [0; CHUNK_BYTES],
            held: None,
        }
    }

    /// Fills `bytes` from byte `offset` on.
    ///
    /// Errors: `Missing` if a chunk is not at hand, or the source ends before.
    pub fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), Fault> {
        const SIZE: u64 = CHUNK_BYTES as u64;
        let mut rest = bytes;
        let mut at = offset;
        while !rest.is_empty() {
            let missing = Fault::Missing {
                source: self.source,
                chunk: at / SIZE,
            };
            let from = self.hold(at / SIZE).and_then(|chunk| chunk.get((at % SIZE) as usize..));
            let from = from.filter(|from| !from.is_empty()).ok_or(missing)?;
            let count = from.len().min(rest.len());
            let (now, later) = rest.split_at_mut_checked(count).ok_or(missing)?;
            for (byte, &read) in now.iter_mut().zip(from) {
                *byte = read;
            }
            at = at.checked_add(count as u64).ok_or(missing)?;
            rest = later;
        }
        Ok(())
    }

    /// The `size` bytes from byte `offset` on.
    ///
    /// Errors: those of [`Self::read`].
    pub fn read_vec(&mut self, offset: u64, size: usize) -> Result<Vec<u8>, Fault> {
        let mut bytes = vec![0; size];
        self.read(offset, &mut bytes)?;
        Ok(bytes)
    }

    fn hold(&mut self, index: u64) -> Option<&[u8]> {
        let len = match self.held {
            Some((held, len)) if held == index => len,
            _ => {
                self.held = None;
                let len = self.blobs.chunk(&self.source, index, &mut self.chunk)?;
                self.held = Some((index, len));
                len
            }
        };
        self.chunk.get(..len)
    }
}
