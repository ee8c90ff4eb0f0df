//! The tree over the states of a run: what somebody says who claims how a run goes, and what it opens later.
//!
//! Leaf `i` is the hash of the state after segment `i`. All leaves after the end are that of the last state, which
//! follows itself. So all runs have trees of one shape, and two of them can be compared leaf by leaf.

use alloc::{vec, vec::Vec};
use primitive_types::H256;

/// Children of a node.
pub const ARITY: usize = 16;
/// Levels from the states to the root. A run with [`MAX_GAS`](crate::MAX_GAS) has a leaf for each of its segments.
pub const DEPTH: u32 = 8;

/// The BLAKE3 key of the hash of sixteen nodes.
const RUN_KEY: &[u8; 32] = b"agora/machine/run/1.............";

/// The children of a node.
pub type Children = [H256; ARITY];

/// The hash of the node above sixteen.
pub fn node_hash(children: &Children) -> H256 {
    let mut hasher = blake3::Hasher::new_keyed(RUN_KEY);
    for child in children {
        hasher.update(&child.0);
    }
    hasher.finalize().as_bytes().into()
}

/// The node `levels` above leaves that are all `leaf`.
pub fn node_of_equals(leaf: H256, levels: u32) -> H256 {
    (0..levels).fold(leaf, |node, _| node_hash(&[node; ARITY]))
}

/// The tree of a run.
#[derive(Clone, Debug)]
pub struct RunTree {
    /// The nodes that do not stand over the last state alone, a level after the other from the states up.
    levels: Vec<Vec<H256>>,
    /// What stands for all others.
    rest: Vec<H256>,
}

impl RunTree {
    /// The tree over the hashes of the states after each segment. `None`: there is none.
    ///
    /// Complexity: O(n).
    pub fn new(states: Vec<H256>) -> Option<Self> {
        let last = *states.last()?;
        let mut tree = Self {
            levels: vec![states],
            rest: vec![last],
        };
        for _ in 0..DEPTH {
            let (level, rest) = (tree.levels.last()?, *tree.rest.last()?);
            let above = level
                .chunks(ARITY)
                .map(|nodes| node_hash(&filled(nodes, rest)))
                .collect();
            tree.levels.push(above);
            tree.rest.push(node_hash(&[rest; ARITY]));
        }
        Some(tree)
    }

    /// The root.
    pub fn root(&self) -> H256 {
        self.node(DEPTH, 0)
    }

    /// The node of this number, `height` levels above the states.
    pub fn node(&self, height: u32, number: u64) -> H256 {
        let level = self.levels.get(height as usize);
        let node = level.and_then(|level| level.get(usize::try_from(number).ok()?));
        node.or_else(|| self.rest.get(height as usize))
            .copied()
            .unwrap_or_default()
    }

    /// The children of the node of this number, `height` levels above the states. `None`: it is a state, or above the root.
    pub fn open(&self, height: u32, number: u64) -> Option<Children> {
        let below = height.checked_sub(1).filter(|_| height <= DEPTH)?;
        let first = number.checked_mul(ARITY as u64)?;
        let mut children = [H256::zero(); ARITY];
        for (child, at) in children.iter_mut().zip(first..) {
            *child = self.node(below, at);
        }
        Some(children)
    }
}

/// Sixteen nodes, of which the last ones are `rest`.
fn filled(nodes: &[H256], rest: H256) -> Children {
    let mut children = [rest; ARITY];
    for (child, node) in children.iter_mut().zip(nodes) {
        *child = *node;
    }
    children
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn states(count: u64) -> Vec<H256> {
        (0..count).map(|i| H256::from_low_u64_be(i + 1)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(50))]

        #[test]
        fn every_state_is_found_below_the_root(count in 1u64..600, leaf in 0..1u64 << 32) {
            for leaf in [leaf % (2 * count), leaf] {
                let tree = RunTree::new(states(count)).unwrap();
                let mut node = tree.root();
                for height in (1..=DEPTH).rev() {
                    let children = tree.open(height, leaf >> (4 * height)).unwrap();
                    prop_assert_eq!(node_hash(&children), node);
                    node = children[(leaf >> (4 * (height - 1))) as usize % ARITY];
                }
                prop_assert_eq!(node, H256::from_low_u64_be(leaf.min(count - 1) + 1));
            }
        }
    }

    #[test]
    fn what_follows_the_end_changes_nothing() {
        let mut longer = states(17);
        let root = RunTree::new(longer.clone()).unwrap().root();
        longer.push(H256::from_low_u64_be(17));
        assert_eq!(RunTree::new(longer.clone()).unwrap().root(), root);
        longer.push(H256::from_low_u64_be(18));
        assert_ne!(RunTree::new(longer).unwrap().root(), root);
        let one = RunTree::new(states(1)).unwrap();
        assert_eq!(one.root(), node_of_equals(H256::from_low_u64_be(1), DEPTH));
        assert!(RunTree::new(Vec::new()).is_none());
        assert_eq!((one.open(0, 0), one.open(DEPTH + 1, 0)), (None, None));
    }
}
