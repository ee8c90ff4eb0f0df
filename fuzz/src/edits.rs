//! Changes to true proofs.
//!
//! The fuzzer cannot invent a proof, because the hashes of a proof fit one another. So its input says what to change in
//! a true one. Adding or removing a hash is an edit of its own, because it changes two places of the encoding.

use crate::proofs::{Account, Inclusion, Opened, Unknown};
use agora_math::merkle::Hash;
use agora_primitives::{
    job::{BlobRef, ChunkProof},
    results::ResultProof,
};
use codec::Encode;
use sp_core::H256;
use sp_runtime::Digest;

/// Says which lists of hashes a value has: at least one.
pub trait Lists {
    /// What the lists are of.
    type Hash: Copy + From<Hash>;

    /// Returns the lists.
    fn lists(&mut self) -> Vec<&mut Vec<Self::Hash>>;
}

impl Lists for Inclusion {
    type Hash = Hash;

    fn lists(&mut self) -> Vec<&mut Vec<Hash>> {
        let (_, path, _, mountain) = self;
        vec![&mut path.siblings, &mut mountain.items]
    }
}

impl Lists for Unknown {
    type Hash = Hash;

    fn lists(&mut self) -> Vec<&mut Vec<Hash>> {
        vec![&mut self.path.siblings, &mut self.mountain.items]
    }
}

impl Lists for (BlobRef, ChunkProof) {
    type Hash = H256;

    fn lists(&mut self) -> Vec<&mut Vec<H256>> {
        vec![&mut self.1.siblings]
    }
}

impl Lists for Opened {
    type Hash = H256;

    fn lists(&mut self) -> Vec<&mut Vec<H256>> {
        vec![&mut self.2.siblings]
    }
}

impl Lists for (Digest, ResultProof<Account>) {
    type Hash = H256;

    fn lists(&mut self) -> Vec<&mut Vec<H256>> {
        vec![&mut self.1.siblings, &mut self.1.items]
    }
}

/// Changes `value` as `script` says, and returns what its encoding became.
///
/// The script is a sequence of edits of four bytes each; an incomplete last edit is ignored. The first byte says what
/// to do, the next two (little endian) say where, the last says how. Changes to lists come before changes to the
/// encoding. Positions and numbers of lists wrap around.
pub fn apply<T: Lists + Encode>(mut value: T, script: &[u8]) -> Vec<u8> {
    let (edits, _) = script.as_chunks::<4>();
    for [what, place @ .., how] in edits {
        let mut lists = value.lists();
        let list = usize::from(place[0]) % lists.len();
        let hashes = &mut lists[list];
        let position = usize::from(place[1]) % (hashes.len() + 1);
        match what % 8 {
            4 if *how % 2 == 0 => hashes.insert(position, [*how; 32].into()),
            // Any hash of the list, so that one may occur twice.
            4 if !hashes.is_empty() => hashes.insert(position, hashes[usize::from(*how) % hashes.len()]),
            5 if position < hashes.len() => {
                hashes.remove(position);
            }
            _ => {}
        }
    }
    let mut bytes = value.encode();
    for [what, place @ .., how] in edits {
        let position = usize::from(u16::from_le_bytes(*place)) % (bytes.len() + 1);
        match what % 8 {
            0..=3 if position < bytes.len() => bytes[position] = *how,
            6 => bytes.insert(position, *how),
            7 => {
                let end = (position + usize::from(*how)).min(bytes.len());
                bytes.drain(position..end);
            }
            _ => {}
        }
    }
    bytes
}
