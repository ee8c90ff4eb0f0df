//! The tree over the pages of the memory.

use crate::{MEMORY_PAGES, PAGE_BYTES};
use alloc::{vec, vec::Vec};
use primitive_types::H256;

/// Levels from a page to the root.
pub const DEPTH: u32 = MEMORY_PAGES.ilog2();

/// The BLAKE3 key of the hash of a page.
const PAGE_KEY: &[u8; 32] = b"agora/machine/page/1............";
/// The BLAKE3 key of the hash of two nodes.
const NODE_KEY: &[u8; 32] = b"agora/machine/node/1............";

/// The hash of a page.
pub fn page_hash(page: &[u8; PAGE_BYTES]) -> H256 {
    blake3::keyed_hash(PAGE_KEY, page).as_bytes().into()
}

/// The hash of the node above two.
pub fn node_hash(left: &H256, right: &H256) -> H256 {
    let mut hasher = blake3::Hasher::new_keyed(NODE_KEY);
    hasher.update(&left.0).update(&right.0);
    hasher.finalize().as_bytes().into()
}

/// The hashes of nodes that stand over zeroes alone: a page, two pages, and so on to the root.
pub fn empty_nodes() -> Vec<H256> {
    let mut node = page_hash(&[0; PAGE_BYTES]);
    let mut nodes = vec![node];
    for _ in 0..DEPTH {
        node = node_hash(&node, &node);
        nodes.push(node);
    }
    nodes
}

/// The root of a memory of zeroes: the last of [`empty_nodes`], as a test sees.
pub const EMPTY_ROOT: H256 = H256([
    0x6d, 0x9c, 0xd5, 0x98, 0x98, 0xa1, 0x3d, 0x50, 0x9d, 0x60, 0x2c, 0x27, 0x24, 0x4f, 0x16, 0x99, 0x9e, 0x0f, 0xac,
    0x74, 0x60, 0x7d, 0x04, 0x57, 0x89, 0x15, 0xbb, 0x61, 0xc7, 0xf6, 0x75, 0xb2,
]);

/// The root of a tree of which only some pages are known.
///
/// `pages` are their numbers, ascending, and their hashes; `siblings` the hashes of the subtrees beside them, level by level from
/// the pages up, from left to right. `None`: there are more or fewer of these than it takes, or there is no page.
///
/// Complexity: O(pages · [`DEPTH`]).
pub fn root_of(pages: &[(u32, H256)], siblings: &[H256]) -> Option<H256> {
    let mut siblings = siblings.iter();
    let mut level = pages.to_vec();
    for _ in 0..DEPTH {
        let mut above = Vec::with_capacity(level.len());
        let mut nodes = level.iter().peekable();
        while let Some(&(number, node)) = nodes.next() {
            let hash = if number & 1 == 1 {
                node_hash(siblings.next()?, &node)
            } else if let Some((_, right)) = nodes.next_if(|(next, _)| *next == number | 1) {
                node_hash(&node, right)
            } else {
                node_hash(&node, siblings.next()?)
            };
            above.push((number >> 1, hash));
        }
        level = above;
    }
    match (level.as_slice(), siblings.next()) {
        (&[(0, root)], None) => Some(root),
        _ => None,
    }
}

/// The whole tree, of which only what is not zero takes memory.
pub(crate) struct Tree {
    /// The nodes, a level after the other from the pages up. All zeroes stand for a node over zeroes alone.
    levels: Vec<Vec<[u8; 32]>>,
    empty: Vec<H256>,
}

impl Tree {
    /// That of a memory of zeroes.
    pub fn new() -> Self {
        let level = |height: u32| vec![[0; 32]; MEMORY_PAGES.wrapping_shr(height) as usize];
        Self {
            levels: (0..=DEPTH).map(level).collect(),
            empty: empty_nodes(),
        }
    }

    fn node(&self, height: usize, number: u32) -> H256 {
        match self.levels.get(height).and_then(|level| level.get(number as usize)) {
            Some(node) if *node != [0; 32] => H256(*node),
            _ => self.empty.get(height).copied().unwrap_or_default(),
        }
    }

    /// The root.
    pub fn root(&self) -> H256 {
        self.node(DEPTH as usize, 0)
    }

    /// Changes pages: their numbers, ascending, and their new hashes.
    pub fn change(&mut self, pages: &[(u32, H256)]) {
        let mut changed: Vec<u32> = Vec::with_capacity(pages.len());
        if let Some(level) = self.levels.first_mut() {
            for &(number, hash) in pages {
                if let Some(node) = level.get_mut(number as usize) {
                    *node = hash.0;
                    changed.push(number >> 1);
                }
            }
        }
        for height in 1..=DEPTH as usize {
            changed.dedup();
            for number in &mut changed {
                let below = height.wrapping_sub(1);
                let left = number.wrapping_shl(1);
                let hash = node_hash(&self.node(below, left), &self.node(below, left | 1));
                if let Some(node) = self
                    .levels
                    .get_mut(height)
                    .and_then(|level| level.get_mut(*number as usize))
                {
                    *node = hash.0;
                }
                *number >>= 1;
            }
        }
    }

    /// What [`root_of`] needs beside these pages, whose numbers ascend.
    pub fn siblings(&self, pages: &[u32]) -> Vec<H256> {
        let mut siblings = Vec::new();
        let mut level = pages.to_vec();
        for height in 0..DEPTH as usize {
            let mut above = Vec::with_capacity(level.len());
            let mut numbers = level.iter().peekable();
            while let Some(&number) = numbers.next() {
                if number & 1 == 1 || numbers.next_if(|&&next| next == number | 1).is_none() {
                    siblings.push(self.node(height, number ^ 1));
                }
                above.push(number >> 1);
            }
            level = above;
        }
        siblings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_root_of_zeroes_is_known() {
        assert_eq!(empty_nodes().last(), Some(&EMPTY_ROOT));
        assert_eq!(Tree::new().root(), EMPTY_ROOT);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn some_pages_and_their_siblings_give_the_root(
            changes in prop::collection::vec((0..MEMORY_PAGES, any::<u8>()), 1..40), near in 0..MEMORY_PAGES - 40,
            shown in prop::collection::vec(any::<prop::sample::Index>(), 1..12), at: prop::sample::Index,
        ) {
            // Half of them are neighbours.
            let changes: BTreeMap<u32, H256> = changes
                .into_iter()
                .enumerate()
                .map(|(i, (page, byte))| (if i % 2 == 0 { near + i as u32 } else { page }, page_hash(&[byte; PAGE_BYTES])))
                .collect();
            let changes: Vec<(u32, H256)> = changes.into_iter().collect();
            let mut tree = Tree::new();
            tree.change(&changes);
            let shown: BTreeMap<u32, H256> = shown.iter().map(|at| changes[at.index(changes.len())]).collect();
            let mut shown: Vec<(u32, H256)> = shown.into_iter().collect();
            let numbers: Vec<u32> = shown.iter().map(|(number, _)| *number).collect();
            let mut siblings = tree.siblings(&numbers);
            prop_assert_eq!(root_of(&shown, &siblings), Some(tree.root()));

            // What is shown, changed, gives the root of the tree with the same change.
            let one = at.index(shown.len());
            shown[one].1 = H256::repeat_byte(7);
            tree.change(&shown);
            prop_assert_eq!(root_of(&shown, &siblings), Some(tree.root()));

            siblings.push(H256::zero());
            prop_assert_eq!(root_of(&shown, &siblings), None);
            siblings.truncate(siblings.len() - 2);
            prop_assert_eq!(root_of(&shown, &siblings), None);
        }
    }

    #[test]
    fn no_page_has_no_root() {
        assert_eq!(root_of(&[], &[EMPTY_ROOT]), None);
        assert_eq!(root_of(&[], &[]), None);
    }
}
