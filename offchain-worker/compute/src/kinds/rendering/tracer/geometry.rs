//! Triangles, spheres and planes as rays are intersected with them: made once for a scene, the same on every engine.
//!
//! A triangle is a plane and, in it, three half-planes, all by unit normals: a ray's point in the plane is inside if it
//! is on the right side of each edge. No number in it depends on the triangle's size, so that large and small ones are
//! equally sharp.

use super::{
    fixed::{FRACTION, Vector, dot, mul_saturating, normalise, normalise_wide},
    scene::{Node, Plane, Scene, Sphere, Triangle},
};
use bytemuck::Zeroable;

/// How far a point may be beyond an edge, or outside the box of its triangle, and still hit it: rounding leaves no
/// cracks.
const EDGE_SLACK: i32 = 2;
const BOX_SLACK: i32 = 8;

/// A triangle or a sphere, as rays are intersected with it. 24 words, as the shader reads them.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(crate) struct Primitive {
    /// Unit normal and offset: of the triangle's plane, and inward of its edges, the offset less the slack. Of a
    /// sphere, the first is centre and radius.
    pub planes: [[i32; 4]; 4],
    /// The box around the triangle, with its slack.
    pub low: [i32; 3],
    /// [`TRIANGLE`] or [`SPHERE`].
    pub kind: u32,
    pub high: [i32; 3],
    pub padding: u32,
}

pub(crate) const TRIANGLE: u32 = 0;
pub(crate) const SPHERE: u32 = 1;

/// The normals and the material of a primitive, for shading its hits. 16 words, as the shader reads them.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(crate) struct SurfaceData {
    /// Normals at the vertices; all zero if there are none.
    pub normals: [[i32; 4]; 3],
    /// For each edge, 2³⁰ divided by the distance of the vertex opposite.
    pub scales: [u32; 3],
    pub material: u32,
}

/// An infinite plane. 8 words, as the shader reads them.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(crate) struct InfinitePlane {
    /// Unit normal and offset.
    pub plane: [i32; 4],
    pub material: u32,
    pub padding: [u32; 3],
}

/// Everything that rays can hit. Primitives and surfaces are the scene's triangles, then its spheres.
pub(crate) struct Geometry {
    pub primitives: Vec<Primitive>,
    pub surfaces: Vec<SurfaceData>,
    pub nodes: Vec<Node>,
    pub planes: Vec<InfinitePlane>,
    /// What rays have tried so far.
    #[cfg(test)]
    pub tried: Tried,
}

/// How many boxes, and how many triangles and spheres, rays have tried: counted where it is done, so that tests can
/// compare it with the steps that were taken for it.
#[cfg(test)]
#[derive(Default)]
pub(crate) struct Tried {
    pub boxes: std::sync::atomic::AtomicU64,
    pub shapes: std::sync::atomic::AtomicU64,
}

impl Geometry {
    /// Prepares `scene`, which is valid. Complexity: O(n).
    pub fn new(scene: &Scene) -> Self {
        let triangles = scene.triangles.iter().map(|triangle| {
            // All zero, it has no plane that a ray can hit.
            prepare(scene, triangle).unwrap_or_else(|| (Primitive::zeroed(), SurfaceData::zeroed()))
        });
        let (primitives, surfaces) = triangles.chain(scene.spheres.iter().map(round)).unzip();
        Self {
            primitives,
            surfaces,
            nodes: scene.nodes.clone(),
            planes: scene.planes.iter().map(infinite_plane).collect(),
            #[cfg(test)]
            tried: Tried::default(),
        }
    }
}

/// The sphere as rays are intersected with it.
fn round(sphere: &Sphere) -> (Primitive, SurfaceData) {
    let radius = sphere.radius as i32;
    let [x, y, z] = sphere.centre;
    let mut primitive = Primitive {
        kind: SPHERE,
        ..Zeroable::zeroed()
    };
    primitive.planes[0] = [x, y, z, radius];
    let surface = SurfaceData {
        material: sphere.material,
        ..Zeroable::zeroed()
    };
    (primitive, surface)
}

fn infinite_plane(plane: &Plane) -> InfinitePlane {
    let normal = normalise(plane.normal);
    let [x, y, z] = normal;
    InfinitePlane {
        plane: [x, y, z, dot(normal, plane.point)],
        material: plane.material,
        padding: [0; 3],
    }
}

/// The triangle as rays are intersected with it; `None` if it is so thin that none hits it.
fn prepare(scene: &Scene, triangle: &Triangle) -> Option<(Primitive, SurfaceData)> {
    let corners: [Vector; 3] = triangle.vertices.map(|place| scene.vertices[place as usize]);
    let wide = |from: Vector, to: Vector| [0, 1, 2].map(|i| i64::from(to[i]) - i64::from(from[i]));
    let normal = cross(wide(corners[0], corners[1]), wide(corners[0], corners[2]));
    if normal == [0; 3] {
        return None;
    }
    let (normal, _) = normalise_wide(normal);
    let mut planes = [[normal[0], normal[1], normal[2], dot(normal, corners[0])]; 4];
    let mut scales = [0; 3];
    for i in 0..3 {
        let [from, to, opposite] = [corners[i], corners[(i + 1) % 3], corners[(i + 2) % 3]];
        let (inward, _) = normalise_wide(cross(normal.map(i64::from), wide(from, to)));
        let offset = dot(inward, from);
        let height = dot(inward, opposite) - offset;
        if height < 1 {
            return None;
        }
        planes[i + 1] = [inward[0], inward[1], inward[2], offset - EDGE_SLACK];
        scales[i] = (1 << 30) / height as u32;
    }
    let extreme = |pick: fn(i32, i32) -> i32| [0, 1, 2].map(|i| corners.iter().map(|c| c[i]).reduce(pick).unwrap_or(0));
    let normals = triangle.normals.map_or([[0; 4]; 3], |places| {
        places.map(|place| {
            let [x, y, z] = scene.normals[place as usize].map(i32::from);
            [x, y, z, 0]
        })
    });
    let primitive = Primitive {
        planes,
        low: extreme(i32::min).map(|c| c - BOX_SLACK),
        kind: TRIANGLE,
        high: extreme(i32::max).map(|c| c + BOX_SLACK),
        padding: 0,
    };
    let surface = SurfaceData {
        normals,
        scales,
        material: triangle.material,
    };
    Some((primitive, surface))
}

/// The exact cross product: components stay below 2³¹ · 2²⁷.
fn cross(a: [i64; 3], b: [i64; 3]) -> [i64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

impl Geometry {
    /// The interpolated vertex normal at `point` of a primitive; `None` if its vertices have no normals.
    pub fn smooth_normal(&self, place: usize, point: Vector) -> Option<Vector> {
        let (primitive, surface) = (self.primitives.get(place)?, self.surfaces.get(place)?);
        if surface.normals == [[0; 4]; 3] {
            return None;
        }
        // How far the point is from each edge, as a fraction of how far the vertex opposite is.
        let weights = [0, 1, 2].map(|i| {
            let [x, y, z, offset] = primitive.planes[i + 1];
            let height = (dot([x, y, z], point) - offset - EDGE_SLACK).max(0);
            mul_saturating(height as u32, surface.scales[i], 15).min(FRACTION) as i32
        });
        // Edge i is opposite of vertex i + 2.
        let normal = [0, 1, 2].map(|c| (0..3).map(|i| weights[i] * surface.normals[(i + 2) % 3][c]).sum());
        Some(normalise(normal))
    }
}
