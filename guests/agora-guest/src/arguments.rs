//! What a run is started with: `docs/protocol/program.md`.

use crate::{Blob, Content, PAGE_BYTES, Page};
use alloc::vec::Vec;

/// The version that arguments begin with.
const VERSION: u64 = 1;
/// Bytes of the reference to a blob.
const BLOB_BYTES: usize = 40;
/// Bytes at the end of a record: how its run ended, and the length of its output.
const TRAILER_BYTES: u64 = 8;

/// What a run is started with.
pub struct Arguments {
    /// The number of the item, or of the step of a fold, from 0.
    pub item: u64,
    /// How many there are.
    pub items: u64,
    /// Of a fold, what the step before has left; the first step has none.
    pub before: Option<Before>,
    /// The inputs of the job, in its order.
    pub inputs: Vec<Blob>,
}

/// The record of the step before.
pub struct Before(Blob);

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The program said that its output is complete.
    Done,
    /// The program said that it cannot use what it was given.
    Unusable,
    /// An instruction could not be executed: the number of the machine's trap.
    Trapped(u8),
    /// Its gas was used up.
    OutOfGas,
    /// Its output does not fit the record.
    TooLong,
}

impl Arguments {
    /// Those that the blob `input` has.
    ///
    /// Traps if it has none: the program was started as something else than a run of a job.
    #[doc(hidden)]
    pub fn read(input: &Blob) -> Self {
        let mut page = Page([0; PAGE_BYTES]);
        let length = input.read(0, &mut page);
        let mut words = Words(&page.0[..length]);
        assert!(words.next() == VERSION, "these are arguments of another version");
        let (item, items, before) = (words.next(), words.next(), words.blob());
        let inputs = (0..words.next()).map(|_| words.blob()).collect();
        Self {
            item,
            items,
            before: (before.size > 0).then_some(Before(before)),
            inputs,
        }
    }
}

/// Numbers and references, one after the other.
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn next(&mut self) -> u64 {
        let (word, rest) = self
            .0
            .split_first_chunk()
            .expect("arguments have a length that follows from them");
        self.0 = rest;
        u64::from_le_bytes(*word)
    }

    fn blob(&mut self) -> Blob {
        let (bytes, rest) = self.0.split_at(BLOB_BYTES);
        self.0 = rest;
        let (hash, size) = bytes.split_at(32);
        let (mut blob, mut size_bytes) = (Blob { hash: [0; 32], size: 0 }, [0; 8]);
        blob.hash.copy_from_slice(hash);
        size_bytes.copy_from_slice(size);
        blob.size = u64::from_le_bytes(size_bytes);
        blob
    }
}

impl Before {
    /// How the step before ended.
    pub fn ending(&self) -> Ending {
        match self.trailer() {
            [1, ..] => Ending::Done,
            [2, ..] => Ending::Unusable,
            [3, trap, ..] => Ending::Trapped(trap),
            [4, ..] => Ending::OutOfGas,
            _ => Ending::TooLong,
        }
    }

    /// What it wrote before it ended, however it ended.
    pub fn output(&self) -> Content {
        let [.., a, b, c, d] = self.trailer();
        self.0.range(0..u32::from_le_bytes([a, b, c, d]).into())
    }

    /// The whole record, of the length that the job says.
    pub const fn record(&self) -> &Blob {
        &self.0
    }

    fn trailer(&self) -> [u8; TRAILER_BYTES as usize] {
        let end = self.0.range(self.0.size - TRAILER_BYTES..self.0.size);
        let mut trailer = [0; TRAILER_BYTES as usize];
        trailer.copy_from_slice(&end);
        trailer
    }
}
