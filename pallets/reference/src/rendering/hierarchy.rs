//! The check of a hierarchy, node by node: "Hierarchy" of the page, with its letters.

use super::{
    entries::Node,
    tables::{Header, Numbers, Table},
};
use crate::counts::sum;
use alloc::vec::Vec;

/// The most shapes of a leaf.
pub const MAX_LEAF: u16 = 8;
/// The deepest node; the root has depth 0.
const MAX_DEPTH: u32 = 40;
/// Bytes of a check under way: `depth`, `t`, `s`, the number of second children due, and each of them with its depth.
pub const CHECK_BYTES: u64 = 4 * (4 + 2 * MAX_DEPTH as u64);

/// What the nodes so far leave to be checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// `n`, `T` and `T + S`.
    nodes: u64,
    triangles: u64,
    shapes: u64,
    depth: u32,
    /// The next triangle and the next sphere of a leaf, by their numbers as shapes.
    t: u32,
    s: u32,
    /// Second children due, the innermost last: each node's number and depth.
    due: Vec<(u32, u32)>,
}

impl Check {
    /// Before the first node.
    pub fn new(header: &Header) -> Self {
        Self {
            nodes: header.count(Table::Nodes),
            triangles: header.count(Table::Triangles),
            shapes: header.shapes(),
            depth: 0,
            t: 0,
            // At most 2²⁰.
            s: header.count(Table::Triangles) as u32,
            due: Vec::new(),
        }
    }

    /// Goes on from what was kept. What no check keeps is changed.
    pub fn from_bytes(header: &Header, bytes: &[u8]) -> Self {
        let mut numbers = Numbers(bytes);
        let (depth, t, s) = (numbers.u32(), numbers.u32(), numbers.u32());
        let count = numbers.u32().min(MAX_DEPTH);
        Self {
            depth: depth.min(MAX_DEPTH),
            t,
            s,
            due: (0..count)
                .map(|_| (numbers.u32(), numbers.u32().min(MAX_DEPTH)))
                .collect(),
            ..Self::new(header)
        }
    }

    /// What is kept: [`CHECK_BYTES`].
    pub fn bytes(&self) -> Vec<u8> {
        // At most 40.
        let count = self.due.len() as u32;
        let due = self.due.iter().flat_map(|&(node, depth)| [node, depth]);
        let numbers = [self.depth, self.t, self.s, count].into_iter().chain(due);
        let mut bytes: Vec<u8> = numbers.flat_map(u32::to_le_bytes).collect();
        bytes.resize(CHECK_BYTES as usize, 0);
        bytes
    }

    /// Checks `node`, which is number `i`; says why the scene is unusable.
    pub fn node(&mut self, i: u64, node: &Node) -> Option<&'static str> {
        if let Some(reason) = node.fault() {
            return Some(reason);
        }
        let fault = match node.count {
            0 => self.parent(i, node),
            _ => self.leaf(i, node),
        };
        fault.or_else(|| self.end(i))
    }

    fn parent(&mut self, i: u64, node: &Node) -> Option<&'static str> {
        if node.axis > 2 {
            return Some("its axis does not exist");
        }
        let e = self.due.last().map_or(self.nodes, |&(node, _)| node.into());
        if u64::from(node.at) <= sum([i, 1]) || u64::from(node.at) >= e {
            return Some("its second child is not where it can be");
        }
        if self.depth >= MAX_DEPTH {
            return Some("its children are too deep");
        }
        self.depth = self.depth.saturating_add(1);
        if self.due.len() < MAX_DEPTH as usize {
            self.due.push((node.at, self.depth));
        }
        None
    }

    fn leaf(&mut self, i: u64, node: &Node) -> Option<&'static str> {
        if node.axis != 0 || node.count > MAX_LEAF {
            return Some("it is a leaf with an axis, or with too many shapes");
        }
        let (next, end) = if u64::from(self.t) < self.triangles && node.at == self.t {
            (&mut self.t, self.triangles)
        } else {
            (&mut self.s, self.shapes)
        };
        let after = node.at.saturating_add(node.count.into());
        if node.at != *next || u64::from(after) > end {
            return Some("its shapes are not the next ones");
        }
        *next = after;
        let is_last = sum([i, 1]) == self.nodes;
        let follows = match self.due.pop() {
            None => is_last,
            Some((node, depth)) => {
                self.depth = depth;
                u64::from(node) == sum([i, 1])
            }
        };
        (!follows).then_some("the node after it is not the one due")
    }

    /// If node `i` is the last: whether anything is left over.
    fn end(&self, i: u64) -> Option<&'static str> {
        let is_last = sum([i, 1]) == self.nodes;
        let is_complete =
            self.due.is_empty() && u64::from(self.t) == self.triangles && u64::from(self.s) == self.shapes;
        (is_last && !is_complete).then_some("after it, not every shape was in a leaf")
    }
}
