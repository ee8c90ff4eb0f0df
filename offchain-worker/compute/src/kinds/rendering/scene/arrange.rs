//! Building the hierarchy of a scene: what the publisher does, once.
//!
//! Every hierarchy that [`Scene::validate`] accepts can be rendered. This one hides nothing, and keeps rays short: boxes
//! are never smaller than what is in them, and nodes are split where that costs least. It is built with integers, so
//! that it is the same everywhere.

use super::{
    Scene, bytes,
    hierarchy::{MAX_BOX, MAX_DEPTH, MAX_LEAF, Node},
};
use agora_primitives::job::MAX_SCENE_BYTES;
use std::ops::Range;

/// The most shapes of a leaf, and, if the scene would be too long with them, the most again.
const LEAF_SIZES: [usize; 2] = [4, MAX_LEAF as usize];
/// Planes along each axis between which a node may be split.
const BINS: usize = 16;
/// By how much boxes are larger than triangles and spheres: a triangle is hit up to 8 beyond its box, and rounding never
/// hides a hit.
const TRIANGLE_SLACK: i32 = 24;
const SPHERE_SLACK: i32 = 16;

impl Scene {
    /// The scene with a hierarchy: its triangles and spheres in the order of the leaves, and the nodes.
    ///
    /// The order of spheres is also the order of lights. Complexity: O(n log n).
    pub fn arranged(self) -> Self {
        let [size, larger] = LEAF_SIZES;
        let scene = self.with_leaves(size);
        if bytes::length_of(&scene.counts()) > MAX_SCENE_BYTES {
            scene.with_leaves(larger)
        } else {
            scene
        }
    }

    /// The scene with a hierarchy whose leaves have at most `leaf_size` shapes.
    pub(crate) fn with_leaves(mut self, leaf_size: usize) -> Self {
        let triangles = self.triangles.len();
        let corners = |places: [u32; 3]| places.map(|place| self.vertices.get(place as usize).copied());
        let bounds: Vec<Bounds> = self
            .triangles
            .iter()
            .map(|triangle| corners(triangle.vertices))
            // A vertex that does not exist is refused later.
            .map(|corners| Bounds::around(corners.map(Option::unwrap_or_default), TRIANGLE_SLACK))
            .chain(self.spheres.iter().map(|sphere| {
                let radius = i32::try_from(sphere.radius).unwrap_or(i32::MAX);
                Bounds::around([sphere.centre; 3], radius.saturating_add(SPHERE_SLACK))
            }))
            .collect();
        let (mut nodes, order) = build(&bounds, triangles, leaf_size);
        let (mut sorted, mut spheres) = (Vec::with_capacity(triangles), Vec::new());
        let mut numbers = vec![0; order.len()];
        for (place, &shape) in order.iter().enumerate() {
            let shape = shape as usize;
            // Scenes have fewer than 2³² shapes.
            numbers[place] = match shape.checked_sub(triangles) {
                None => {
                    sorted.push(self.triangles[shape]);
                    sorted.len() - 1
                }
                Some(sphere) => {
                    spheres.push(self.spheres[sphere]);
                    triangles + spheres.len() - 1
                }
            } as u32;
        }
        for leaf in nodes.iter_mut().filter(|node| node.count > 0) {
            leaf.at = numbers[leaf.at as usize];
        }
        (self.triangles, self.spheres, self.nodes) = (sorted, spheres, nodes);
        self
    }
}

/// A box along the axes.
#[derive(Clone, Copy)]
struct Bounds {
    low: [i32; 3],
    high: [i32; 3],
}

impl Bounds {
    const EMPTY: Self = Self {
        low: [i32::MAX; 3],
        high: [i32::MIN; 3],
    };

    /// The box around `points`, `slack` larger on each side.
    fn around(points: [[i32; 3]; 3], slack: i32) -> Self {
        let within = |c: i32| c.clamp(-MAX_BOX, MAX_BOX);
        let sides = |i: usize| points.map(|point| point[i]);
        Self {
            low: [0, 1, 2].map(|i| within(sides(i).into_iter().fold(i32::MAX, i32::min).saturating_sub(slack))),
            high: [0, 1, 2].map(|i| within(sides(i).into_iter().fold(i32::MIN, i32::max).saturating_add(slack))),
        }
    }

    fn with(self, other: &Self) -> Self {
        Self {
            low: [0, 1, 2].map(|i| self.low[i].min(other.low[i])),
            high: [0, 1, 2].map(|i| self.high[i].max(other.high[i])),
        }
    }

    /// Twice the centre: at most 2²⁸ in amount.
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

/// The nodes over `bounds`, and the order of the shapes in the leaves, from which their places count. No leaf has shapes
/// from both sides of place `border`.
fn build(bounds: &[Bounds], border: usize, leaf_size: usize) -> (Vec<Node>, Vec<u32>) {
    let mut builder = Builder {
        bounds,
        border,
        leaf_size,
        // Scenes have fewer than 2³² shapes.
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
    border: usize,
    leaf_size: usize,
    order: Vec<u32>,
    nodes: Vec<Node>,
}

impl Builder<'_> {
    /// The box around some shapes.
    fn bounds_of(&self, range: Range<usize>) -> Bounds {
        self.order[range]
            .iter()
            .fold(Bounds::EMPTY, |all, &place| all.with(&self.bounds[place as usize]))
    }

    /// Adds the node for a range of the order, and all nodes below it.
    fn add(&mut self, range: Range<usize>, depth: usize) {
        let place = self.nodes.len();
        let Bounds { low, high } = self.bounds_of(range.clone());
        self.nodes.push(Node {
            low,
            // Scenes have fewer than 2³² shapes.
            at: range.start as u32,
            high,
            count: 0,
            axis: 0,
        });
        match self.split(range.clone(), depth) {
            None => self.nodes[place].count = range.len() as u16,
            Some((axis, middle)) => {
                self.add(range.start..middle, depth + 1);
                self.nodes[place].at = self.nodes.len() as u32;
                self.nodes[place].axis = axis;
                self.add(middle..range.end, depth + 1);
            }
        }
    }

    /// Divides a range in two that are not empty; returns the axis and where the second begins; `None` for a leaf.
    fn split(&mut self, range: Range<usize>, depth: usize) -> Option<(u16, usize)> {
        if range.len() <= self.leaf_size {
            let border = self.border;
            let shapes = &mut self.order[range.clone()];
            shapes.sort_by_key(|&place| place as usize >= border);
            let triangles = shapes.iter().filter(|&&place| (place as usize) < border).count();
            return (triangles > 0 && triangles < range.len()).then_some((0, range.start + triangles));
        }
        let centres = self.order[range.clone()].iter().fold(Bounds::EMPTY, |all, &place| {
            let bounds = &self.bounds[place as usize];
            let centre = [0, 1, 2].map(|axis| bounds.centre(axis));
            all.with(&Bounds {
                low: centre,
                high: centre,
            })
        });
        if depth + 1 + self.levels(range.len() - 1) <= MAX_DEPTH
            && let Some((axis, bin)) = self.cheapest(range.clone(), &centres)
        {
            let (lower, upper): (Vec<u32>, Vec<u32>) = self.order[range.clone()]
                .iter()
                .partition(|&&place| bin_of(&self.bounds[place as usize], axis, &centres) <= bin);
            let middle = range.start + lower.len();
            self.order[range.start..middle].copy_from_slice(&lower);
            self.order[middle..range.end].copy_from_slice(&upper);
            return Some((axis as u16, middle));
        }
        let side = |axis: usize| centres.high[axis].abs_diff(centres.low[axis]);
        let axis = (0..3).max_by_key(|&axis| side(axis)).unwrap_or(0);
        let middle = range.start + range.len() / 2;
        let bounds = self.bounds;
        self.order[range].sort_by_key(|&place| (bounds[place as usize].centre(axis), place));
        Some((axis as u16, middle))
    }

    /// Levels below a node of `count` shapes whose halves are as even as can be, and one to divide the kinds of shapes.
    fn levels(&self, count: usize) -> usize {
        count.div_ceil(self.leaf_size).next_power_of_two().ilog2() as usize + 1
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
