//! Computes the unit that its input, an encoded `UnitRun`, names, and writes the unit's output. Halts as unusable if the unit shows that
//! the job's inputs are; traps if what it reads does not exist, which nobody can claim who shows all blobs.

#![no_std]
#![no_main]

extern crate alloc;

use agora_guest::{Blob, End, Page, trap, write_all};
use agora_jobs::{BlobRef, blob::CHUNK_BYTES};
use agora_reference::{Content, Fault, UnitRun, whole};
use codec::DecodeAll;

agora_guest::program!(main);

/// Blobs that the machine reads.
struct Machine;

impl Content for Machine {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        let mut page = Page([0; CHUNK_BYTES]);
        let blob = Blob {
            hash: blob.hash.0,
            size: blob.size,
        };
        let length = blob.read(index, &mut page);
        *chunk = page.0;
        Some(length)
    }
}

fn main(input: Blob) -> End {
    let input = BlobRef {
        hash: input.hash.into(),
        size: input.size,
    };
    let Some(run) = whole(&input, &Machine).and_then(|bytes| UnitRun::decode_all(&mut bytes.as_slice()).ok()) else {
        trap()
    };
    match run.compute(&Machine) {
        Ok(output) => write_all(&output),
        Err(Fault::Unusable { .. }) => return End::Unusable,
        Err(Fault::Missing { .. } | Fault::NoUnit) => trap(),
    }
    End::Done
}
