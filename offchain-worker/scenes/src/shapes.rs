//! Meshes that are computed.

use crate::{
    error::{MeshError, at_most},
    mesh::{Mesh, cross, difference, normalised},
};
use std::{collections::HashMap, f64::consts::TAU};

/// The most subdivisions of an icosphere: 20·4⁷ = 327 680 triangles.
pub const MAX_SUBDIVISIONS: u32 = 7;
/// The most segments of a knot along its curve, and around its tube.
pub const MAX_SEGMENTS: u32 = 4096;
/// The most segments of a knot's tube.
pub const MAX_SIDES: u32 = 128;

/// A sphere of radius 1 as an icosahedron whose triangles were cut in four `subdivisions` times.
///
/// Errors: `TooMany`.
pub fn icosphere(subdivisions: u32) -> Result<Mesh, MeshError> {
    at_most("subdivisions", subdivisions.into(), MAX_SUBDIVISIONS.into())?;
    let golden = f64::midpoint(1.0, 5f64.sqrt());
    let mut vertices = Vec::new();
    for sign in [1.0, -1.0] {
        for other in [golden, -golden] {
            vertices.extend([[0.0, sign, other], [sign, other, 0.0], [other, 0.0, sign]]);
        }
    }
    let mut vertices: Vec<[f64; 3]> = vertices.into_iter().map(normalised).collect();
    let mut faces = faces_of_icosahedron(&vertices);
    for _ in 0..subdivisions {
        let mut middles = HashMap::new();
        let mut middle = |a: u32, b: u32| {
            *middles.entry((a.min(b), a.max(b))).or_insert_with(|| {
                let [from, to] = [vertices[a as usize], vertices[b as usize]];
                vertices.push(normalised([0, 1, 2].map(|i| from[i] + to[i])));
                vertices.len() as u32 - 1
            })
        };
        faces = faces
            .into_iter()
            .flat_map(|[a, b, c]| {
                let [ab, bc, ca] = [middle(a, b), middle(b, c), middle(c, a)];
                [[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]
            })
            .collect();
    }
    Ok(Mesh {
        normals: vertices.clone(),
        triangles: faces.into_iter().map(|face| (face, Some(face))).collect(),
        vertices,
        warnings: Vec::new(),
    })
}

/// All triples of vertices that are next to one another, counter-clockwise seen from outside.
fn faces_of_icosahedron(vertices: &[[f64; 3]]) -> Vec<[u32; 3]> {
    let near = |a: usize, b: usize| difference(vertices[a], vertices[b]).iter().map(|c| c * c).sum::<f64>() < 1.2;
    let mut faces = Vec::new();
    for a in 0..vertices.len() {
        for b in a + 1..vertices.len() {
            for c in b + 1..vertices.len() {
                if near(a, b) && near(b, c) && near(c, a) {
                    let normal = cross(
                        difference(vertices[b], vertices[a]),
                        difference(vertices[c], vertices[a]),
                    );
                    let outward: f64 = normal.iter().zip(vertices[a]).map(|(n, v)| n * v).sum();
                    let [a, b, c] = [a as u32, b as u32, c as u32];
                    faces.push(if outward > 0.0 { [a, b, c] } else { [a, c, b] });
                }
            }
        }
    }
    faces
}

/// A tube along a torus knot.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TorusKnot {
    /// Turns around the axis.
    pub turns: u32,
    /// Turns around the ring.
    pub windings: u32,
    /// Radius of the ring; that of its own circle is half of it.
    pub radius: f64,
    /// Radius of the tube.
    pub tube: f64,
    /// Segments along the curve.
    pub segments: u32,
    /// Segments around the tube.
    pub sides: u32,
}

impl TorusKnot {
    /// The point of the curve at `part` of its length in turns.
    fn at(&self, part: f64) -> [f64; 3] {
        let (around, along) = (
            f64::from(self.turns) * part * TAU,
            f64::from(self.windings) * part * TAU,
        );
        let distance = self.radius * (1.0 + 0.5 * along.cos());
        [
            distance * around.cos(),
            self.radius * 0.5 * along.sin(),
            distance * around.sin(),
        ]
    }

    /// The mesh of the tube, with normals.
    ///
    /// Errors: `TooMany`, `NotFinite`.
    pub fn mesh(&self) -> Result<Mesh, MeshError> {
        at_most("segments", self.segments.into(), MAX_SEGMENTS.into())?;
        at_most("sides", self.sides.into(), MAX_SIDES.into())?;
        let (segments, sides) = (self.segments.max(3), self.sides.max(3));
        let mut mesh = Mesh::default();
        for segment in 0..segments {
            let part = f64::from(segment) / f64::from(segments);
            let centre = self.at(part);
            let forward = normalised(difference(self.at(part + 1e-4), self.at(part - 1e-4)));
            // Away from the middle of the ring's tube: never along the curve.
            let across = normalised(cross(forward, normalised(cross([0.0, 1.0, 0.0], forward))));
            let side = cross(forward, across);
            for i in 0..sides {
                let angle = f64::from(i) / f64::from(sides) * TAU;
                let normal = [0, 1, 2].map(|c| across[c] * angle.cos() + side[c] * angle.sin());
                mesh.vertices.push([0, 1, 2].map(|c| centre[c] + self.tube * normal[c]));
                mesh.normals.push(normal);
            }
        }
        for segment in 0..segments {
            for i in 0..sides {
                let at = |segment: u32, side: u32| (segment % segments) * sides + side % sides;
                let [a, b] = [at(segment, i), at(segment, i + 1)];
                let [c, d] = [at(segment + 1, i), at(segment + 1, i + 1)];
                mesh.triangles
                    .extend([[a, b, c], [b, d, c]].map(|face| (face, Some(face))));
            }
        }
        mesh.validate()?;
        Ok(mesh)
    }
}
