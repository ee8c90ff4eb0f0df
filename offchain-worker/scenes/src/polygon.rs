//! Polygons cut into triangles: convex ones as fans, others by ear clipping, seen along their normal.

use crate::mesh::{self, cross, difference};
use earcut::Earcut;

/// The most that all ear clipping for one file may cost, as the sum of the squares of corners: a polygon of 46 340 corners, or
/// 64 of 5 792. Clipping takes n log n steps for most, but n² for some: some seconds in all.
const MAX_CLIPPING: u64 = 1 << 31;
/// By how much of its area the triangles of a polygon may differ from it.
const TOLERANCE: f64 = 1e-6;
/// By how much of its area the triangles of a polygon may miss the area vector that every cut along its edges has. Corners that
/// are on a line as seen along the normal are left out, which changes nothing if the polygon is flat.
const FOLDED: f64 = 1e-4;

/// What a polygon is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// Its triangles cover it.
    Simple,
    /// It crosses itself, or is folded where it is seen from the side: its triangles do not cover it exactly.
    Crossed,
}

/// Cuts polygons, one after the other.
#[derive(Default)]
pub(crate) struct Polygons {
    corners: Vec<[f64; 3]>,
    flat: Vec<[f64; 2]>,
    triangles: Vec<[u32; 3]>,
    clipper: Option<Earcut<f64>>,
    indices: Vec<u32>,
    cost: u64,
}

impl Polygons {
    /// The triangles of the last polygon: places of its corners, in its direction.
    pub(crate) fn triangles(&self) -> &[[u32; 3]] {
        &self.triangles
    }

    /// Cuts a polygon of at least three corners; `None` if that would take too long.
    pub(crate) fn cut(&mut self, corners: impl Iterator<Item = [f64; 3]>) -> Option<Shape> {
        self.corners.clear();
        self.corners.extend(corners);
        let count = self.corners.len() as u32;
        if count <= 3 {
            self.fan(count);
            return Some(Shape::Simple);
        }
        self.scale();
        let normal = self.normal();
        self.flatten(normal);
        let area = double_area(&self.flat);
        if area <= 0.0 {
            // All of it is on a line, or its parts go round both ways and cancel.
            self.fan(count);
            let corners = |face: &[u32; 3]| face.map(|place| self.corners[place as usize]);
            let is_line = self
                .triangles
                .iter()
                .all(|face| mesh::double_area(corners(face)) == 0.0);
            return Some(if is_line { Shape::Simple } else { Shape::Crossed });
        }
        if is_convex(&self.flat) {
            self.fan(count);
            return Some(Shape::Simple);
        }
        self.cost = self.cost.saturating_add(u64::from(count).pow(2));
        if self.cost > MAX_CLIPPING {
            return None;
        }
        self.clip();
        let differs = (self.covered() - area).abs() > area * TOLERANCE || self.misses(normal);
        Some(if differs { Shape::Crossed } else { Shape::Simple })
    }

    /// Moves and scales the polygon to the unit cube, so that no product is too large or small.
    fn scale(&mut self) {
        let Some(&origin) = self.corners.first() else { return };
        // Halves, because a difference of two finite numbers may be infinite.
        let away = |corner: [f64; 3]| [0, 1, 2].map(|i| corner[i] / 2.0 - origin[i] / 2.0);
        let furthest = self
            .corners
            .iter()
            .flat_map(|&corner| away(corner))
            .fold(0.0f64, |most, c| most.max(c.abs()));
        let furthest = if furthest > 0.0 { furthest } else { 1.0 };
        for corner in &mut self.corners {
            *corner = away(*corner).map(|c| c / furthest);
        }
    }

    /// The normal by Newell's method: its length is twice the area.
    fn normal(&self) -> [f64; 3] {
        let first = self.corners.first().copied().unwrap_or_default();
        let mut normal = [0.0; 3];
        for pair in self.corners.windows(2) {
            let [a, b] = [difference(pair[0], first), difference(pair[1], first)];
            let part = cross(a, b);
            normal = [0, 1, 2].map(|i| normal[i] + part[i]);
        }
        normal
    }

    /// Leaves out the axis that is nearest to the normal. What is seen along it turns counter-clockwise.
    fn flatten(&mut self, normal: [f64; 3]) {
        let size = normal.map(f64::abs);
        let along = if size[0] >= size[1] && size[0] >= size[2] {
            0
        } else if size[1] >= size[2] {
            1
        } else {
            2
        };
        let [mut u, mut v] = [(along + 1) % 3, (along + 2) % 3];
        if normal[along] < 0.0 {
            (u, v) = (v, u);
        }
        self.flat.clear();
        self.flat
            .extend(self.corners.iter().map(|corner| [corner[u], corner[v]]));
    }

    fn fan(&mut self, count: u32) {
        self.triangles.clear();
        self.triangles.extend((2..count).map(|last| [0, last - 1, last]));
    }

    fn clip(&mut self) {
        let clipper = self.clipper.get_or_insert_with(Earcut::new);
        clipper.earcut_slice(&self.flat, &[], &mut self.indices);
        let (faces, _) = self.indices.as_chunks::<3>();
        self.triangles.clear();
        self.triangles.extend(faces.iter().map(|&[a, b, c]| {
            let turned = double_area(&[a, b, c].map(|place| self.flat[place as usize])) < 0.0;
            if turned { [a, c, b] } else { [a, b, c] }
        }));
    }

    /// Whether triangles are missing from the polygon, of which `normal` is the normal.
    fn misses(&self, normal: [f64; 3]) -> bool {
        let mut missing = normal;
        for triangle in &self.triangles {
            let [a, b, c] = triangle.map(|place| self.corners[place as usize]);
            missing = difference(missing, cross(difference(b, a), difference(c, a)));
        }
        let length = |v: [f64; 3]| v.iter().map(|c| c * c).sum::<f64>().sqrt();
        length(missing) > length(normal) * FOLDED
    }

    /// Twice the area of all triangles.
    fn covered(&self) -> f64 {
        let area = |triangle: &[u32; 3]| double_area(&triangle.map(|place| self.flat[place as usize])).abs();
        self.triangles.iter().map(area).sum()
    }
}

/// Twice the area of a polygon in the plane, positive if it turns counter-clockwise.
fn double_area(corners: &[[f64; 2]]) -> f64 {
    let first = corners.first().copied().unwrap_or_default();
    let away = |corner: [f64; 2]| [corner[0] - first[0], corner[1] - first[1]];
    corners.windows(2).map(|pair| wedge(away(pair[0]), away(pair[1]))).sum()
}

fn wedge(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[1] - a[1] * b[0]
}

/// Whether a polygon never turns clockwise and goes round once: its edges go to the right and back only once.
fn is_convex(corners: &[[f64; 2]]) -> bool {
    let count = corners.len();
    let edge = |i: usize| {
        let [from, to] = [corners[i % count], corners[(i + 1) % count]];
        [to[0] - from[0], to[1] - from[1]]
    };
    let mut turns = 0;
    let mut direction = 0.0;
    let mut last: Option<[f64; 2]> = None;
    // Once round and on to the first edge again; corners that are there twice have no edge between them.
    for edge in (0..=count).map(edge).filter(|edge| *edge != [0.0; 2]) {
        if let Some(last) = last {
            let turn = wedge(last, edge);
            let back = turn == 0.0 && last[0] * edge[0] + last[1] * edge[1] < 0.0;
            if turn < 0.0 || back {
                return false;
            }
        }
        if edge[0] != 0.0 {
            turns += u32::from(direction != 0.0 && edge[0].signum() != direction);
            direction = edge[0].signum();
        }
        last = Some(edge);
    }
    turns <= 2
}
