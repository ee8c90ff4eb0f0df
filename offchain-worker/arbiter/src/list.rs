//! A list that a unit reads, which may be a liar's: then only some of its chunks are known, and a few nodes of its tree.

use crate::span::{Span, halves, merge, subtree};
use agora_disputes::{Node, Tree, player::ShownList};
use agora_jobs::{BlobRef, ChunkProof, H256, blob::CHUNK_BYTES};
use std::collections::BTreeMap;

const CHUNK: u64 = CHUNK_BYTES as u64;

/// A list, as far as it is known. Whatever is said to be a part of it has been compared with its hash.
#[derive(Debug)]
pub struct List {
    /// What it is known by.
    pub blob: BlobRef,
    /// The right list, cut to its length.
    right: Vec<u8>,
    /// Subtrees in which it is right.
    equal: Vec<Span>,
    /// The hashes of subtrees of which nothing else is known.
    nodes: BTreeMap<Span, H256>,
    /// A chunk that was shown.
    shown: Option<(Span, Vec<u8>)>,
}

impl List {
    /// The list `blob`, where `right` begins with the one that would be right.
    pub fn new(blob: BlobRef, mut right: Vec<u8>, shown: Option<&ShownList<'_>>) -> Self {
        right.truncate(usize::try_from(blob.size).unwrap_or(usize::MAX));
        let mut list = Self {
            blob,
            right,
            equal: Vec::new(),
            nodes: BTreeMap::new(),
            shown: None,
        };
        if BlobRef::to(&list.right) == blob {
            list.equal.push((0, blob.size));
        } else if let Some(shown) = shown.filter(|shown| shown.list == blob) {
            list.learn(shown);
        }
        list
    }

    /// Goes down to the chunk that was shown.
    fn learn(&mut self, shown: &ShownList<'_>) -> Option<()> {
        let at = shown.index.checked_mul(CHUNK)?;
        let mut node = Node::blob(&self.blob);
        while !node.is_leaf() {
            let children = shown.openings.get(&(node.first, node.len))?;
            if !node.opens(children) {
                return None;
            }
            let mut next = None;
            for (span, &hash) in node.spans().into_iter().zip(children) {
                if self.is_right(span, hash) {
                    self.equal.push(span);
                }
                self.nodes.insert(span, hash);
                let (first, len) = span;
                if at.checked_sub(first).is_some_and(|within| within < len) {
                    next = Some(Node {
                        tree: Tree::Blob,
                        first,
                        len,
                        root: false,
                        hash,
                    });
                }
            }
            node = next?;
        }
        if node.is_chunk(&shown.bytes) {
            self.shown = Some(((node.first, node.len), shown.bytes.clone()));
        }
        Some(())
    }

    /// Whether the right list has this subtree, too.
    fn is_right(&self, span: Span, hash: H256) -> bool {
        let bytes = self.right_bytes(span).filter(|bytes| !bytes.is_empty());
        bytes.is_some_and(|bytes| subtree(span, bytes) == hash)
    }

    fn right_bytes(&self, (first, len): Span) -> Option<&[u8]> {
        let end = usize::try_from(first.checked_add(len)?).ok()?;
        self.right.get(usize::try_from(first).ok()?..end)
    }

    /// The bytes of a subtree, if they are known.
    fn bytes(&self, span: Span) -> Option<&[u8]> {
        if let Some((_, bytes)) = self.shown.as_ref().filter(|(place, _)| *place == span) {
            return Some(bytes);
        }
        let has_it = |&(first, len): &Span| {
            let end = |(first, len): Span| first.checked_add(len);
            first <= span.0 && end(span).is_some_and(|inner| end((first, len)).is_some_and(|outer| inner <= outer))
        };
        self.equal.iter().any(has_it).then(|| self.right_bytes(span))?
    }

    /// The hash of a subtree that is not the whole, if it is known.
    fn hash(&self, span: Span) -> Option<H256> {
        if let Some(bytes) = self.bytes(span) {
            return Some(subtree(span, bytes));
        }
        if let Some(hash) = self.nodes.get(&span) {
            return Some(*hash);
        }
        let [left, right] = halves(span)?;
        let (left, right) = (self.hash(left)?, self.hash(right)?);
        Some(merge(&left, &right))
    }

    fn span(&self, index: u64) -> Option<Span> {
        let first = index.checked_mul(CHUNK)?;
        Some((first, self.blob.chunk_len(index)? as u64))
    }

    /// Chunk `index`. `None`: it is not known.
    pub fn chunk(&self, index: u64) -> Option<&[u8]> {
        self.bytes(self.span(index)?)
    }

    /// Chunk `index` with its proof. `None`: it is not known.
    pub fn prove(&self, index: u64) -> Option<ChunkProof> {
        let span = self.span(index)?;
        let mut siblings = Vec::new();
        let mut way = (0, self.blob.size);
        while let Some([left, right]) = halves(way) {
            let (down, beside) = if span.0 < right.0 { (left, right) } else { (right, left) };
            siblings.push(self.hash(beside)?);
            way = down;
        }
        siblings.reverse();
        Some(ChunkProof {
            index,
            chunk: self.bytes(span)?.to_vec(),
            siblings,
        })
    }

    /// About how many bytes of memory it takes.
    pub fn bytes_held(&self) -> usize {
        self.right.len()
    }
}
