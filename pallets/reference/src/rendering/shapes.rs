//! Planes, triangles and spheres: where rays hit them, and their normals. "Shapes" of the page.

use super::{
    entries,
    number::{
        Int, Vector, WHITE, ZERO, abs, add, cross, dot, each, int, ints, normalise, ratio, root, scale, sub, took,
    },
};

/// The farthest that a ray reaches.
pub const MAX_DISTANCE: Int = core::num::Wrapping(1 << 28);
/// Planes end at this coordinate.
const PLANE_END: Int = core::num::Wrapping(1 << 26);
/// How far outside of the box of its vertices a triangle is hit, and how far beyond an edge.
const BOX_SLACK: Int = core::num::Wrapping(8);
const EDGE_SLACK: Int = core::num::Wrapping(2);

/// Where a ray begins, and its direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ray {
    pub origin: Vector,
    pub direction: Vector,
}

impl Ray {
    pub fn at(&self, t: Int) -> Vector {
        add(self.origin, scale(self.direction, t))
    }
}

/// A hit at this distance, if it is one.
fn hit(t: Int) -> Option<Int> {
    (int(1)..=MAX_DISTANCE).contains(&t).then_some(t)
}

/// Where `ray` hits the plane of unit normal `n` and offset `k`.
fn hit_flat(ray: &Ray, n: Vector, k: Int) -> Option<Int> {
    let a = k - dot(n, ray.origin);
    let b = dot(n, ray.direction);
    if a == ZERO || b == ZERO || (a < ZERO) != (b < ZERO) {
        return None;
    }
    hit(ratio(abs(a) << 30, abs(b)))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plane {
    pub normal: Vector,
    offset: Int,
    pub material: u32,
}

impl Plane {
    pub fn of(plane: entries::Plane) -> Self {
        let normal = normalise(ints(plane.normal));
        Self {
            normal,
            offset: dot(normal, ints(plane.point)),
            material: plane.material,
        }
    }

    pub fn hit(&self, ray: &Ray) -> Option<Int> {
        let t = hit_flat(ray, self.normal, self.offset)?;
        ray.at(t).into_iter().all(|c| abs(c) <= PLANE_END).then_some(t)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sphere {
    pub centre: Vector,
    pub radius: Int,
    pub material: u32,
}

impl Sphere {
    pub fn of(sphere: entries::Sphere) -> Self {
        Self {
            centre: ints(sphere.centre),
            radius: int(sphere.radius),
            material: sphere.material,
        }
    }

    pub fn hit(&self, ray: &Ray) -> Option<Int> {
        let r = self.radius;
        let e = sub(self.centre, ray.origin);
        let m = dot(e, ray.direction);
        let f = sub(e, scale(ray.direction, m));
        if f.into_iter().any(|c| abs(c) > r) {
            return None;
        }
        took(4);
        let [f0, f1, f2] = f.map(|c| c * c);
        let q = r * r - f0 - f1 - f2;
        if q < ZERO {
            return None;
        }
        let h = root(q);
        hit(if m > h { m - h } else { m + h })
    }

    pub fn outward(&self, p: Vector) -> Vector {
        normalise(sub(p, self.centre))
    }
}

/// An edge of a triangle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Edge {
    m: Vector,
    k: Int,
    h: Int,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Triangle {
    pub normal: Vector,
    offset: Int,
    edges: [Edge; 3],
    /// The box around its vertices.
    low: Vector,
    high: Vector,
    /// It is so thin that it is never hit.
    is_thin: bool,
    /// The numbers of its normals; `None`: it is flat.
    pub normals: Option<[u32; 3]>,
    pub material: u32,
}

impl Triangle {
    pub fn of(vertices: [Vector; 3], normals: Option<[u32; 3]>, material: u32) -> Self {
        let [v0, v1, v2] = vertices;
        let wide = cross(sub(v1, v0), sub(v2, v0));
        let n = normalise(wide);
        let edge = |from: Vector, to: Vector, opposite: Vector| {
            let m = normalise(cross(n, sub(to, from)));
            let k = dot(m, from);
            let h = dot(m, opposite) - k;
            Edge { m, k, h }
        };
        let edges = [edge(v0, v1, v2), edge(v1, v2, v0), edge(v2, v0, v1)];
        Self {
            normal: n,
            offset: dot(n, v0),
            edges,
            low: each(each(v0, v1, Int::min), v2, Int::min),
            high: each(each(v0, v1, Int::max), v2, Int::max),
            is_thin: wide == [ZERO; 3] || edges.iter().any(|edge| edge.h < int(1)),
            normals,
            material,
        }
    }

    pub fn hit(&self, ray: &Ray) -> Option<Int> {
        if self.is_thin {
            return None;
        }
        let t = hit_flat(ray, self.normal, self.offset)?;
        let p = ray.at(t);
        let sides = p.into_iter().zip(self.low).zip(self.high);
        let is_near = sides
            .into_iter()
            .all(|((p, low), high)| p >= low - BOX_SLACK && p <= high + BOX_SLACK);
        let is_inside = self.edges.iter().all(|edge| dot(edge.m, p) >= edge.k - EDGE_SLACK);
        (is_near && is_inside).then_some(t)
    }

    /// The smooth normal at `p`, from the normals of its vertices.
    pub fn smooth(&self, p: Vector, normals: [Vector; 3]) -> Vector {
        let share = |edge: &Edge| {
            let s = ratio(int(1) << 30, edge.h);
            took(1);
            (((dot(edge.m, p) - edge.k).max(ZERO) * s) >> 15).min(WHITE)
        };
        let [e0, e1, e2] = &self.edges;
        let [n0, n1, n2] = normals;
        // Edge i lies opposite of vertex i + 2.
        let of_vertex = |edge: &Edge, normal: Vector| {
            let b = share(edge);
            took(3);
            normal.map(|c| b * c)
        };
        normalise(add(add(of_vertex(e0, n2), of_vertex(e1, n0)), of_vertex(e2, n1)))
    }
}

#[cfg(test)]
mod tests;
