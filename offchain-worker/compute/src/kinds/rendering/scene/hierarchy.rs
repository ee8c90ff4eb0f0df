//! The hierarchy of a scene: the boxes through which a ray finds what it may hit, specified in
//! `docs/protocol/rendering.md`.
//!
//! It is part of the scene, and the search through it is part of the specification: a ray that takes too many steps
//! ends early, on every engine at the same one. Boxes need not be true. One that leaves out what is in its node hides
//! that, on every engine alike, and harms its publisher alone.

use super::{Scene, SceneError, refused};
use std::ops::Range;

/// The deepest node; the root has depth 0.
pub const MAX_DEPTH: usize = 40;
/// The most shapes of a leaf.
pub const MAX_LEAF: u16 = 8;
/// The largest coordinate of a box: more than any shape reaches.
pub const MAX_BOX: i32 = 1 << 27;

/// A box and what is in it: two nodes, or some shapes. A node's first child follows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Node {
    /// The box's lowest coordinates.
    pub low: [i32; 3],
    /// The second child, or the first of a leaf's shapes. Triangles are shapes, then spheres.
    pub at: u32,
    /// The box's highest coordinates.
    pub high: [i32; 3],
    /// Shapes of a leaf; 0 if the node has children.
    pub count: u16,
    /// The axis along which the first child is the lower one; 0 for a leaf.
    pub axis: u16,
}

impl Scene {
    /// Checks the nodes.
    ///
    /// Errors: `Refused`.
    pub(super) fn validate_hierarchy(&self) -> Result<(), SceneError> {
        let [nodes, triangles, spheres] = [self.nodes.len(), self.triangles.len(), self.spheres.len()];
        // The counts are within their limits.
        let mut check = HierarchyCheck::new(nodes as u32, triangles as u32, spheres as u32);
        for (index, node) in self.nodes.iter().enumerate() {
            if let Some(reason) = check.take(node) {
                let what = "node";
                return Err(SceneError::Refused { what, index, reason });
            }
        }
        if check.is_complete() {
            Ok(())
        } else {
            Err(refused(
                "hierarchy",
                "it ends before each triangle and sphere was in a leaf",
            ))
        }
    }
}

/// Checks the nodes one after the other, with less than a kilobyte of memory: that they are one tree in the order in
/// which it is walked, not too deep, and that its leaves have every shape once, in order.
struct HierarchyCheck {
    nodes: u32,
    /// Triangles and spheres that are to come, as numbers of shapes.
    triangles: Range<u32>,
    spheres: Range<u32>,
    /// How many nodes were seen.
    seen: u32,
    depth: usize,
    /// The second children that are to come, innermost last, each with its depth.
    second: [(u32, usize); MAX_DEPTH],
    waiting: usize,
}

const DISORDER: &str = "it is not where the order of the tree puts it";

impl HierarchyCheck {
    /// A check of `nodes` nodes over so many triangles and spheres.
    fn new(nodes: u32, triangles: u32, spheres: u32) -> Self {
        Self {
            nodes,
            triangles: 0..triangles,
            // Valid counts are far below 2³².
            spheres: triangles..triangles.saturating_add(spheres),
            seen: 0,
            depth: 0,
            second: [(0, 0); MAX_DEPTH],
            waiting: 0,
        }
    }

    /// Takes the next node; returns what is wrong with it.
    fn take(&mut self, node: &Node) -> Option<&'static str> {
        let place = self.seen;
        self.seen += 1;
        if (0..3).any(|i| node.low[i] > node.high[i] || node.low[i] < -MAX_BOX || node.high[i] > MAX_BOX) {
            return Some("its box is no box, or larger than 2048 units");
        }
        if node.count == 0 {
            return self.take_parent(node, place);
        }
        if let Some(reason) = self.take_leaf(node) {
            return Some(reason);
        }
        // What follows a leaf is the innermost second child that is to come.
        if self.waiting == 0 {
            return (self.seen != self.nodes).then_some("it ends the tree, but is not the last node");
        }
        self.waiting -= 1;
        let (second, depth) = self.second[self.waiting];
        self.depth = depth;
        (second != self.seen).then_some("the node after it is not the second child due")
    }

    fn take_parent(&mut self, node: &Node, place: u32) -> Option<&'static str> {
        if node.axis > 2 {
            return Some("its axis does not exist");
        }
        // The first child follows it; the second comes later, but before what is due already.
        let end = self
            .waiting
            .checked_sub(1)
            .map_or(self.nodes, |last| self.second[last].0);
        if node.at <= place.saturating_add(1) || node.at >= end {
            return Some(DISORDER);
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Some("its children are deeper than 40");
        }
        self.second[self.waiting] = (node.at, self.depth);
        self.waiting += 1;
        None
    }

    fn take_leaf(&mut self, leaf: &Node) -> Option<&'static str> {
        if leaf.count > MAX_LEAF || leaf.axis != 0 {
            return Some("it has more than 8 shapes, or an axis");
        }
        let due = if leaf.at == self.triangles.start && !self.triangles.is_empty() {
            &mut self.triangles
        } else {
            &mut self.spheres
        };
        if leaf.at != due.start || u32::from(leaf.count) > due.end - due.start {
            return Some("its shapes are not the next ones of their table");
        }
        due.start += u32::from(leaf.count);
        None
    }

    /// Whether every shape was in a leaf, after all nodes were taken without a fault.
    fn is_complete(&self) -> bool {
        let is_over = self.seen == self.nodes && self.waiting == 0;
        is_over && self.triangles.is_empty() && self.spheres.is_empty()
    }
}
