//! Weighted draws without replacement in O(log n).
//!
//! A [Fenwick tree](Fenwick) keeps one weight per leaf and sums over runs of leaves, so that changing a weight, adding
//! or removing a leaf, and finding the leaf that a *ticket* (a number below the total) falls on each touch O(log n)
//! nodes. Where the nodes are kept is up to a [`NodeStore`]: a storage map on chain, a vector elsewhere.
//!
//! A draw writes nothing: a list in memory keeps the leaves that were drawn already, so that they are skipped.
//!
//! Terms: *leaf* `i` counts from 0; *node* `k` counts from 1 and is the sum of the leaves `k − lowbit(k) .. k`, where
//! `lowbit` is the lowest bit that is set; the *children* of node `k` are the nodes that, with leaf `k − 1`, add up to it.
//!
//! Source: P. Fenwick, "A new data structure for cumulative frequency tables", Software: Practice and Experience
//! 24 (1994) 327–336.

use alloc::vec::Vec;
use core::fmt;
use sp_crypto_hashing::blake2_256;

/// Separates the hashes that make tickets from everything else that is hashed; the last byte counts versions.
pub const TICKET_DOMAIN: &[u8] = b"agora/draw/1";

/// The largest bound that [`Tickets::below`] takes: above every total of 2³² − 1 leaves of 64 bits.
pub const MAX_TICKET_BOUND: u128 = 1 << 96;

/// Keeps the nodes of one [`Fenwick`] tree.
pub trait NodeStore {
    /// How many leaves there are; there are as many nodes.
    fn leaf_count(&self) -> u32;

    /// Sets how many leaves there are. Nodes that this adds are zero; those that it drops were set to zero before.
    fn set_leaf_count(&mut self, count: u32);

    /// Node `index`, from 1 to the number of leaves; zero if it was never set.
    fn node(&self, index: u32) -> u128;

    /// Sets node `index`. Zero may be kept as "nothing there".
    fn set_node(&mut self, index: u32, sum: u128);
}

/// Node `k` is element `k − 1`.
impl NodeStore for Vec<u128> {
    fn leaf_count(&self) -> u32 {
        u32::try_from(self.len()).unwrap_or(u32::MAX)
    }

    fn set_leaf_count(&mut self, count: u32) {
        self.resize(count as usize, 0);
    }

    fn node(&self, index: u32) -> u128 {
        index
            .checked_sub(1)
            .and_then(|at| self.get(at as usize))
            .copied()
            .unwrap_or_default()
    }

    fn set_node(&mut self, index: u32, sum: u128) {
        if let Some(node) = index.checked_sub(1).and_then(|at| self.get_mut(at as usize)) {
            *node = sum;
        }
    }
}

/// Why a tree refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FenwickError {
    /// There is no such leaf, or the ticket is not below the total.
    OutOfRange,
    /// Leaves are counted in 32 bits, and there are that many.
    Full,
    /// The nodes contradict each other: somebody else wrote to the store. What was being written may be half there, so
    /// on chain the transaction must be rolled back.
    Corrupt,
}

impl fmt::Display for FenwickError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfRange => "there is no such leaf, or the ticket is not below the total",
            Self::Full => "the tree has as many leaves as 32 bits count",
            Self::Corrupt => "the nodes of the tree contradict each other",
        })
    }
}

impl core::error::Error for FenwickError {}

/// Where a ticket falls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// The leaf.
    pub leaf: u32,
    /// The first ticket that falls on it: the sum of all weights before it.
    pub start: u128,
    /// Its weight, never zero: the tickets `start .. start + weight` fall on it.
    pub weight: u64,
}

/// A sequence of weights with sums over runs of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fenwick<S>(S);

/// `k & −k`: as many leaves as node `k` sums.
const fn lowbit(index: u32) -> u32 {
    index & index.wrapping_neg()
}

/// The next node above `index` that counts its leaf; nothing above the range of indices.
const fn parent(index: u32) -> Option<u32> {
    index.checked_add(lowbit(index))
}

/// A node's new sum after one of its leaves went from `old` to `new`.
fn replaced(sum: u128, old: u64, new: u64) -> Result<u128, FenwickError> {
    sum.checked_sub(old.into())
        .and_then(|rest| rest.checked_add(new.into()))
        .ok_or(FenwickError::Corrupt)
}

impl<S: NodeStore> Fenwick<S> {
    /// The tree whose nodes are in `nodes`.
    pub const fn new(nodes: S) -> Self {
        Self(nodes)
    }

    /// The store.
    pub const fn nodes(&self) -> &S {
        &self.0
    }

    /// The store, for another tree or none.
    pub fn into_nodes(self) -> S {
        self.0
    }

    /// How many leaves there are, those with weight zero included.
    pub fn leaf_count(&self) -> u32 {
        self.0.leaf_count()
    }

    /// The sum of the first `leaves` weights.
    ///
    /// Errors: `OutOfRange`, `Corrupt`. Complexity: reads at most ⌊log₂ n⌋ + 1 nodes.
    pub fn prefix_sum(&self, leaves: u32) -> Result<u128, FenwickError> {
        if leaves > self.leaf_count() {
            return Err(FenwickError::OutOfRange);
        }
        self.sum_down(leaves, 0)
    }

    /// The sum of all weights.
    ///
    /// Errors: `Corrupt`. Complexity: reads at most ⌊log₂ n⌋ + 1 nodes.
    pub fn total(&self) -> Result<u128, FenwickError> {
        self.sum_down(self.leaf_count(), 0)
    }

    /// The weight of one leaf.
    ///
    /// Errors: `OutOfRange`, `Corrupt`. Complexity: reads at most ⌊log₂ n⌋ + 1 nodes, and two on average over all leaves.
    pub fn weight(&self, leaf: u32) -> Result<u64, FenwickError> {
        let index = self.index(leaf)?;
        self.own_weight(index, self.0.node(index))
    }

    /// Appends a leaf and returns its index.
    ///
    /// Errors: `Full`, `Corrupt`. Complexity: reads at most ⌊log₂ n⌋ + 1 nodes, writes one and the number of leaves.
    pub fn push(&mut self, weight: u64) -> Result<u32, FenwickError> {
        let leaf = self.leaf_count();
        let index = leaf.checked_add(1).ok_or(FenwickError::Full)?;
        let sum = self
            .children(index)?
            .checked_add(weight.into())
            .ok_or(FenwickError::Corrupt)?;
        self.0.set_leaf_count(index);
        self.0.set_node(index, sum);
        Ok(leaf)
    }

    /// Gives a leaf another weight and returns the one it had.
    ///
    /// Errors: `OutOfRange`, `Corrupt`. Complexity: reads and writes at most ⌊log₂ n⌋ + 1 nodes; writes none if the
    /// weight is the same.
    pub fn set(&mut self, leaf: u32, weight: u64) -> Result<u64, FenwickError> {
        let index = self.index(leaf)?;
        let sum = self.0.node(index);
        let old = self.own_weight(index, sum)?;
        if old == weight {
            return Ok(old);
        }
        self.0.set_node(index, replaced(sum, old, weight)?);
        let count = self.leaf_count();
        let mut above = parent(index);
        while let Some(index) = above.filter(|index| *index <= count) {
            self.0.set_node(index, replaced(self.0.node(index), old, weight)?);
            above = parent(index);
        }
        Ok(old)
    }

    /// Removes a leaf; the last one takes its place. Returns the index that the last leaf had, if it was moved.
    ///
    /// Errors: `OutOfRange`, `Corrupt`. Complexity: reads at most 2⌊log₂ n⌋ + 2 nodes, writes at most ⌊log₂ n⌋ + 2 and
    /// the number of leaves.
    pub fn swap_remove(&mut self, leaf: u32) -> Result<Option<u32>, FenwickError> {
        self.index(leaf)?;
        let last_index = self.leaf_count();
        let last = last_index.checked_sub(1).ok_or(FenwickError::OutOfRange)?;
        let moved = leaf != last;
        if moved {
            self.set(leaf, self.weight(last)?)?;
        }
        // No other node counts the last leaf: a node's index is that of the last leaf it sums.
        self.0.set_node(last_index, 0);
        self.0.set_leaf_count(last);
        Ok(moved.then_some(last))
    }

    /// Finds the leaf that `ticket` falls on. A leaf of weight zero is never found.
    ///
    /// Errors: `OutOfRange` if the ticket is not below the total; `Corrupt`.
    /// Complexity: reads at most ⌊log₂ n⌋ + 1 nodes.
    pub fn find(&self, ticket: u128) -> Result<Hit, FenwickError> {
        let count = self.leaf_count();
        let mut step = count.checked_ilog2().map_or(0, |log| 1u32.wrapping_shl(log));
        let mut passed = 0u32;
        let mut rest = ticket;
        // What remains of the last node that the ticket falls into when the nodes passed since are taken off. The
        // leaf found is the last of that node, and all else in the node is passed: so in the end this is its weight.
        let mut within = None;
        while step > 0 {
            // `passed` has only bits above `step`, so this is their sum.
            let index = passed | step;
            if index <= count {
                let sum = self.0.node(index);
                if sum <= rest {
                    passed = index;
                    rest = rest.checked_sub(sum).ok_or(FenwickError::Corrupt)?;
                    within = match within {
                        Some(left) => Some(u128::checked_sub(left, sum).ok_or(FenwickError::Corrupt)?),
                        None => None,
                    };
                } else {
                    within = Some(sum);
                }
            }
            step = step.wrapping_shr(1);
        }
        let weight = within.ok_or(FenwickError::OutOfRange)?;
        if rest >= weight {
            return Err(FenwickError::Corrupt);
        }
        Ok(Hit {
            leaf: passed,
            start: ticket.checked_sub(rest).ok_or(FenwickError::Corrupt)?,
            weight: u64::try_from(weight).map_err(|_| FenwickError::Corrupt)?,
        })
    }

    /// Draws leaves, each with probability in proportion to its weight, none of them twice, with the tickets of `seed`.
    ///
    /// Errors: `Corrupt`. Complexity: reads at most ⌊log₂ n⌋ + 1 nodes here and as many for each leaf drawn; in memory
    /// the `k`-th leaf costs O(k).
    pub fn draw(&self, seed: [u8; 32]) -> Result<Draw<'_, S>, FenwickError> {
        Ok(Draw {
            tree: self,
            tickets: Tickets::new(seed),
            remaining: self.total()?,
            taken: Vec::new(),
        })
    }

    /// Node index of a leaf that exists.
    fn index(&self, leaf: u32) -> Result<u32, FenwickError> {
        leaf.checked_add(1)
            .filter(|index| *index <= self.leaf_count())
            .ok_or(FenwickError::OutOfRange)
    }

    /// The sum of the leaves `to .. from`, where `to` is `from` less some of its lowest bits.
    fn sum_down(&self, mut from: u32, to: u32) -> Result<u128, FenwickError> {
        let mut sum = 0u128;
        while from > to {
            sum = sum.checked_add(self.0.node(from)).ok_or(FenwickError::Corrupt)?;
            from ^= lowbit(from);
        }
        Ok(sum)
    }

    /// The sum of the nodes below node `index`: all its leaves but the last.
    fn children(&self, index: u32) -> Result<u128, FenwickError> {
        self.sum_down(index.saturating_sub(1), index ^ lowbit(index))
    }

    /// The weight of the last leaf of node `index`, whose sum is `sum`.
    fn own_weight(&self, index: u32, sum: u128) -> Result<u64, FenwickError> {
        sum.checked_sub(self.children(index)?)
            .and_then(|weight| u64::try_from(weight).ok())
            .ok_or(FenwickError::Corrupt)
    }
}

/// Draws without replacement: see [`Fenwick::draw`]. Ends when no weight is left (or the tree is corrupt).
#[derive(Clone, Debug)]
pub struct Draw<'a, S> {
    tree: &'a Fenwick<S>,
    tickets: Tickets,
    /// The sum of all weights but those taken.
    remaining: u128,
    /// What was drawn, by `start`.
    taken: Vec<Hit>,
}

impl<S: NodeStore> Iterator for Draw<'_, S> {
    type Item = Hit;

    fn next(&mut self) -> Option<Hit> {
        // The ticket counts only what remains: step over each taken run that lies at or before it.
        let mut ticket = self.tickets.below(self.remaining)?;
        for gap in &self.taken {
            if ticket < gap.start {
                break;
            }
            ticket = ticket.checked_add(gap.weight.into())?;
        }
        let hit = self.tree.find(ticket).ok()?;
        self.remaining = self.remaining.checked_sub(hit.weight.into())?;
        let at = self.taken.partition_point(|gap| gap.start < hit.start);
        self.taken.insert(at, hit);
        Some(hit)
    }
}

/// Numbers drawn from a seed.
///
/// The `i`-th is `blake2_256("agora/draw/1" ‖ seed ‖ i (u32, little endian))`, read as a big-endian number of 256 bits,
/// modulo the bound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tickets {
    seed: [u8; 32],
    counter: u32,
}

impl Tickets {
    /// The numbers of `seed`, from the first.
    pub const fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0 }
    }

    /// The next number, below `bound`; nothing if `bound` is zero or above [`MAX_TICKET_BOUND`], or after 2³² − 1 numbers.
    ///
    /// Bias: with a uniform hash each number's probability is off by less than 2⁻²⁵⁶, so that the distribution is
    /// within `bound` · 2⁻²⁵⁶ ≤ 2⁻¹⁶⁰ of the uniform one. No loop, no rejection: every draw costs the same.
    pub fn below(&mut self, bound: u128) -> Option<u128> {
        if bound > MAX_TICKET_BOUND {
            return None;
        }
        let mut input = Vec::with_capacity(TICKET_DOMAIN.len().saturating_add(36));
        input.extend_from_slice(TICKET_DOMAIN);
        input.extend_from_slice(&self.seed);
        input.extend_from_slice(&self.counter.to_le_bytes());
        let hash = blake2_256(&input);
        // Long division by limbs of 32 bits; the remainder is below 2⁹⁶, so the shift loses nothing.
        let mut rest = 0u128;
        for limb in hash.chunks_exact(4) {
            let limb = limb
                .iter()
                .fold(0u128, |limb, byte| limb.wrapping_shl(8) | u128::from(*byte));
            rest = (rest.wrapping_shl(32) | limb).checked_rem(bound)?;
        }
        self.counter = self.counter.checked_add(1)?;
        Some(rest)
    }
}

#[cfg(test)]
mod tests;
