//! The bounding volume hierarchy: the boxes through which a ray finds what it may hit.
//!
//! It is no part of the specification. Boxes are never smaller than what is in them, the test against them never misses
//! one, and the nearest of all hits counts, so that every hierarchy gives the same picture. It is built with integers
//! nevertheless, so that every run does the same work.

use std::ops::Range;

/// The most primitives of a leaf.
const LEAF_SIZE: usize = 4;
/// Planes along each axis between which a node may be split.
const BINS: usize = 16;
/// Nodes at this depth or deeper are split in the middle, so that none is deeper than [`MAX_DEPTH`].
const HEURISTIC_DEPTH: u32 = 32;
/// The deepest node: 2²¹ primitives at [`HEURISTIC_DEPTH`] are halved at most 21 times.
pub(crate) const MAX_DEPTH: usize = 56;
/// Bits of [`Node::content`] with the number of primitives.
pub(crate) const COUNT_BITS: u32 = 4;

/// A box along the axes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bounds {
    pub low: [i32; 3],
    pub high: [i32; 3],
}

impl Bounds {
    const EMPTY: Self = Self {
        low: [i32::MAX; 3],
        high: [i32::MIN; 3],
    };

    fn with(self, other: &Self) -> Self {
        Self {
            low: [0, 1, 2].map(|i| self.low[i].min(other.low[i])),
            high: [0, 1, 2].map(|i| self.high[i].max(other.high[i])),
        }
    }

    /// Twice the centre: coordinates stay below 2²⁸.
    fn centre(&self, axis: usize) -> i32 {
        self.low[axis] + self.high[axis]
    }

    /// Half of the surface.
    fn area(&self) -> u128 {
        let side = |i: usize| u128::from(self.high[i].abs_diff(self.low[i]));
        let [x, y, z] = [side(0), side(1), side(2)];
        x * y + y * z + z * x
    }
}

/// A box and what is in it. A node's first child follows it; the second one is where the first one's `skip` points.
#[derive(Clone, Copy, PartialEq, Eq, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(crate) struct Node {
    pub low: [i32; 3],
    /// The node after all that is in this one.
    pub skip: u32,
    pub high: [i32; 3],
    /// The lowest [`COUNT_BITS`]: number of primitives, or 0 for a node with children. Above: the first primitive, or
    /// the axis along which the first child is the lower one.
    pub content: u32,
}

/// Builds the hierarchy of `bounds`; returns its nodes and the order of the primitives in its leaves.
///
/// Complexity: O(n log n).
pub(crate) fn build(bounds: &[Bounds]) -> (Vec<Node>, Vec<u32>) {
    let mut builder = Builder {
        bounds,
        order: (0..bounds.len() as u32).collect(),
        nodes: Vec::with_capacity(bounds.len()),
    };
    if !bounds.is_empty() {
        builder.add(0..bounds.len(), 0);
    }
    (builder.nodes, builder.order)
}

struct Builder<'a> {
    bounds: &'a [Bounds],
    order: Vec<u32>,
    nodes: Vec<Node>,
}

impl Builder<'_> {
    fn bounds_of(&self, range: Range<usize>) -> Bounds {
        self.order[range]
            .iter()
            .fold(Bounds::EMPTY, |all, &place| all.with(&self.bounds[place as usize]))
    }

    /// Adds the node for a range of the order, and all nodes below it.
    fn add(&mut self, range: Range<usize>, depth: u32) {
        let place = self.nodes.len();
        let Bounds { low, high } = self.bounds_of(range.clone());
        let (skip, content) = (0, 0);
        self.nodes.push(Node {
            low,
            skip,
            high,
            content,
        });
        self.nodes[place].content = if range.len() <= LEAF_SIZE {
            ((range.start as u32) << COUNT_BITS) | range.len() as u32
        } else {
            let (axis, middle) = self.split(range.clone(), depth);
            self.add(range.start..middle, depth + 1);
            self.add(middle..range.end, depth + 1);
            (axis as u32) << COUNT_BITS
        };
        self.nodes[place].skip = self.nodes.len() as u32;
    }

    /// Divides a range in two that are not empty; returns the axis and where the second begins.
    fn split(&mut self, range: Range<usize>, depth: u32) -> (usize, usize) {
        let centres = self.order[range.clone()].iter().fold(Bounds::EMPTY, |all, &place| {
            let bounds = &self.bounds[place as usize];
            let centre = [0, 1, 2].map(|axis| bounds.centre(axis));
            all.with(&Bounds {
                low: centre,
                high: centre,
            })
        });
        if depth < HEURISTIC_DEPTH
            && let Some((axis, bin)) = self.cheapest(range.clone(), &centres)
        {
            let (lower, upper): (Vec<u32>, Vec<u32>) = self.order[range.clone()]
                .iter()
                .partition(|&&place| bin_of(&self.bounds[place as usize], axis, &centres) <= bin);
            let middle = range.start + lower.len();
            self.order[range.start..middle].copy_from_slice(&lower);
            self.order[middle..range.end].copy_from_slice(&upper);
            return (axis, middle);
        }
        let side = |axis: usize| centres.high[axis].abs_diff(centres.low[axis]);
        let axis = (0..3).max_by_key(|&axis| side(axis)).unwrap_or(0);
        let middle = range.start + range.len() / 2;
        let bounds = self.bounds;
        self.order[range].sort_by_key(|&place| (bounds[place as usize].centre(axis), place));
        (axis, middle)
    }

    /// The axis and the last lower bin of the split whose halves are smallest and most even; `None` if all centres are
    /// in one place.
    fn cheapest(&self, range: Range<usize>, centres: &Bounds) -> Option<(usize, usize)> {
        let mut best: Option<(u128, usize, usize)> = None;
        for axis in (0..3).filter(|&axis| centres.low[axis] < centres.high[axis]) {
            let mut bins = [(Bounds::EMPTY, 0u128); BINS];
            for &place in &self.order[range.clone()] {
                let bounds = &self.bounds[place as usize];
                let (all, count) = &mut bins[bin_of(bounds, axis, centres)];
                *all = all.with(bounds);
                *count += 1;
            }
            let grow = |(all, count): &mut (Bounds, u128), (bounds, more): &(Bounds, u128)| {
                *all = all.with(bounds);
                *count += more;
                Some(if *count == 0 { 0 } else { all.area() * *count })
            };
            let empty = (Bounds::EMPTY, 0);
            let lower: Vec<u128> = bins.iter().scan(empty, grow).collect();
            let mut upper: Vec<u128> = bins.iter().rev().scan(empty, grow).collect();
            upper.reverse();
            // The lowest and the highest bin are not empty: they hold the extreme centres.
            for bin in 0..BINS - 1 {
                let cost = lower[bin] + upper[bin + 1];
                if best.is_none_or(|(least, ..)| cost < least) {
                    best = Some((cost, axis, bin));
                }
            }
        }
        best.map(|(_, axis, bin)| (axis, bin))
    }
}

/// The bin of a centre between the lowest and the highest one.
fn bin_of(bounds: &Bounds, axis: usize, centres: &Bounds) -> usize {
    let side = u64::from(centres.high[axis].abs_diff(centres.low[axis])) + 1;
    let at = u64::from(bounds.centre(axis).abs_diff(centres.low[axis]));
    (at * BINS as u64 / side) as usize
}
