//! Down a tree that one side has committed to: the defence shows what is below a node, the accuser names where to go on.

use crate::{
    Error,
    tree::{Children, Node, padded},
    unit::{ENTRIES, digests},
};
use agora_jobs::H256;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What the defence shows: anybody can, for it is right or refused.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shown {
    /// The children of a node, at most 16.
    Children(Vec<H256>),
    /// The chunk.
    Chunk(Vec<u8>),
}

/// Whose move it is.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant, reason = "it is stored as it is, and is about a KiB at most")]
pub enum Turn {
    /// The defence's: it shows children or a chunk.
    Show,
    /// The accuser's: it names one of these children.
    Name(Children),
    /// The accuser's: it names one of the digests of a chunk of a list.
    Entry([H256; ENTRIES]),
}

/// The way down a tree.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Descent {
    /// Where it is.
    pub node: Node,
    /// Whose move it is.
    pub turn: Turn,
}

impl Descent {
    /// From `root` on.
    pub const fn new(root: Node) -> Self {
        Self {
            node: root,
            turn: Turn::Show,
        }
    }

    /// Shows the children of the node; the accuser is next.
    ///
    /// Errors: `NotNow`, `WrongOpening`. Complexity: 16 hashes.
    pub fn show(&mut self, children: &[H256]) -> Result<(), Error> {
        if self.turn != Turn::Show {
            return Err(Error::NotNow);
        }
        if !self.node.opens(children) {
            return Err(Error::WrongOpening);
        }
        self.turn = Turn::Name(padded(children).ok_or(Error::WrongOpening)?);
        Ok(())
    }

    /// Checks the chunk that the node stands for.
    ///
    /// Errors: `NotNow`, `WrongOpening`. Complexity: a chunk.
    pub fn chunk(&self, chunk: &[u8]) -> Result<(), Error> {
        match (self.turn, self.node.is_chunk(chunk)) {
            (Turn::Show, true) => Ok(()),
            (Turn::Show, false) => Err(Error::WrongOpening),
            _ => Err(Error::NotNow),
        }
    }

    /// Shows the chunk of a list; the accuser is next.
    ///
    /// Errors: those of [`Self::chunk`].
    pub fn entries(&mut self, chunk: &[u8]) -> Result<(), Error> {
        self.chunk(chunk)?;
        let digests = digests(chunk).ok_or(Error::WrongOpening)?;
        self.turn = Turn::Entry(padded(&digests).ok_or(Error::WrongOpening)?);
        Ok(())
    }

    /// Names a child; the defence is next.
    ///
    /// Errors: `NotNow`, `NoChild`.
    pub fn name(&mut self, child: u32) -> Result<(), Error> {
        let Turn::Name(children) = self.turn else {
            return Err(Error::NotNow);
        };
        *self = Self::new(self.node.child(&children, child)?);
        Ok(())
    }

    /// The number in the list, and the digest, of an entry of the chunk that is shown.
    ///
    /// Errors: `NotNow`, `NoChild`.
    pub fn entry(&self, entry: u32) -> Result<(u64, H256), Error> {
        const BYTES: u64 = 32;
        let Turn::Entry(entries) = self.turn else {
            return Err(Error::NotNow);
        };
        let has_it = u64::from(entry) < self.node.len / BYTES;
        let digest = entries.get(entry as usize).filter(|_| has_it).ok_or(Error::NoChild)?;
        let number = (self.node.first / BYTES).saturating_add(entry.into());
        Ok((number, *digest))
    }
}
