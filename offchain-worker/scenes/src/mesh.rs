//! Meshes of triangles, before they become part of a scene.

use crate::{
    error::{MeshError, at_most},
    warning::MeshWarning,
};
use agora_compute::scene::{MAX_TRIANGLES, MAX_VERTICES};
use std::collections::HashMap;

/// Triangles with their vertices, and normals for some of them.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Mesh {
    /// The vertices.
    pub vertices: Vec<[f64; 3]>,
    /// Normals at vertices, of any length.
    pub normals: Vec<[f64; 3]>,
    /// Places of the vertices and normals of each triangle.
    pub triangles: Vec<([u32; 3], Option<[u32; 3]>)>,
    /// What is probably not as meant.
    pub warnings: Vec<MeshWarning>,
}

impl Mesh {
    /// Checks every number.
    ///
    /// Errors: `TooMany`, `NotFinite`, `Index`.
    pub fn validate(&self) -> Result<(), MeshError> {
        at_most("vertices", self.vertices.len() as u64, MAX_VERTICES.into())?;
        at_most("normals", self.normals.len() as u64, MAX_VERTICES.into())?;
        at_most("triangles", self.triangles.len() as u64, MAX_TRIANGLES.into())?;
        for (what, list) in [("vertex", &self.vertices), ("normal", &self.normals)] {
            if let Some(index) = list.iter().position(|v| v.iter().any(|c| !c.is_finite())) {
                return Err(MeshError::NotFinite { what, index });
            }
        }
        let within = |places: &[u32; 3], count: usize| places.iter().all(|&place| (place as usize) < count);
        let wrong = self.triangles.iter().position(|(vertices, normals)| {
            let vertices_exist = within(vertices, self.vertices.len());
            let normals_exist = normals
                .as_ref()
                .is_none_or(|normals| within(normals, self.normals.len()));
            !vertices_exist || !normals_exist
        });
        wrong.map_or(Ok(()), |triangle| Err(MeshError::Index(triangle)))
    }

    /// Gives each place the sum of the normals of the faces around it, in which larger faces count more. Every place is within
    /// the vertices.
    pub(crate) fn smooth(&mut self) {
        let (at, scale) = (self.first_places(), self.scale());
        self.normals = vec![[0.0; 3]; self.vertices.len()];
        for (vertices, normals) in &mut self.triangles {
            let normal = face_normal(vertices.map(|place| self.vertices[place as usize].map(|c| c * scale)));
            let places = vertices.map(|place| at[place as usize]);
            for place in places {
                add(&mut self.normals[place as usize], normal);
            }
            *normals = Some(places);
        }
    }

    /// Smooths faces together with those of their group that meet them at a place, as [`Self::smooth`] does with all triangles; a
    /// face counts with all of its area, however it is cut. `faces` has the group of each and how many of the triangles it is, in
    /// their order; those in group 0 are left as they are.
    pub(crate) fn smooth_groups(&mut self, faces: &[(u32, usize)]) {
        if faces.iter().all(|(group, _)| *group == 0) {
            return;
        }
        let (at, scale) = (self.first_places(), self.scale());
        let mut known = HashMap::new();
        let mut corners = Vec::new();
        let mut rest = &mut self.triangles[..];
        for &(group, count) in faces {
            let (face, others) = rest.split_at_mut(count.min(rest.len()));
            rest = others;
            if group == 0 {
                continue;
            }
            let mut normal = [0.0; 3];
            corners.clear();
            for (vertices, _) in face.iter() {
                let scaled = vertices.map(|place| self.vertices[place as usize].map(|c| c * scale));
                add(&mut normal, face_normal(scaled));
                corners.extend(vertices.map(|place| at[place as usize]));
            }
            corners.sort_unstable();
            corners.dedup();
            for &place in &corners {
                // At most three for each of 2²⁰ triangles.
                let next = self.normals.len() as u32;
                let index = *known.entry((group, place)).or_insert(next);
                if index == next {
                    self.normals.push([0.0; 3]);
                }
                add(&mut self.normals[index as usize], normal);
            }
            for (vertices, normals) in face {
                *normals =
                    Some(vertices.map(|place| known.get(&(group, at[place as usize])).copied().unwrap_or_default()));
            }
        }
    }

    /// A power of two with which coordinates are near one, so that no product of them is infinite, or zero without need.
    fn scale(&self) -> f64 {
        let largest = self
            .vertices
            .iter()
            .flatten()
            .fold(0.0f64, |largest, c| largest.max(c.abs()));
        // Of zero the logarithm is infinite.
        let exponent = largest.log2().floor().clamp(-1000.0, 1000.0);
        2f64.powi(-(exponent as i32))
    }

    /// For each vertex the first that is at the same place. Files have several there where colours or textures meet.
    fn first_places(&self) -> Vec<u32> {
        let mut firsts = HashMap::with_capacity(self.vertices.len());
        let first_at = |(place, vertex): (usize, &[f64; 3])| {
            // Zero has two signs.
            let key = vertex.map(|c| (c + 0.0).to_bits());
            // Below 2²¹.
            *firsts.entry(key).or_insert(place as u32)
        };
        self.vertices.iter().enumerate().map(first_at).collect()
    }

    /// Makes triangles flat that have a normal without a direction.
    pub(crate) fn drop_zero_normals(&mut self) {
        let is_zero = |&place: &u32| self.normals[place as usize] == [0.0; 3];
        let mut count = 0;
        for (_, normals) in &mut self.triangles {
            if normals.is_some_and(|places| places.iter().any(is_zero)) {
                *normals = None;
                count += 1;
            }
        }
        if count > 0 {
            self.warnings.push(MeshWarning::ZeroNormals(count));
        }
    }

    /// Takes the normals away.
    pub(crate) fn flatten(&mut self) {
        self.normals.clear();
        for (_, normals) in &mut self.triangles {
            *normals = None;
        }
    }
}

/// Twice the area of a triangle.
pub(crate) fn double_area(corners: [[f64; 3]; 3]) -> f64 {
    face_normal(corners).iter().map(|c| c * c).sum::<f64>().sqrt()
}

/// The normal of a triangle, as long as twice its area.
fn face_normal([a, b, c]: [[f64; 3]; 3]) -> [f64; 3] {
    cross(difference(b, a), difference(c, a))
}

fn add(sum: &mut [f64; 3], vector: [f64; 3]) {
    *sum = [0, 1, 2].map(|i| sum[i] + vector[i]);
}

pub(crate) fn difference(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub(crate) fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

/// The vector in the direction of `v` with length one; of zero, straight up.
pub(crate) fn normalised(v: [f64; 3]) -> [f64; 3] {
    let largest = v.iter().fold(0.0f64, |largest, c| largest.max(c.abs()));
    if largest == 0.0 {
        return [0.0, 1.0, 0.0];
    }
    // So that no square becomes zero or infinite.
    let v = v.map(|c| c / largest);
    let length = v.iter().map(|c| c * c).sum::<f64>().sqrt();
    v.map(|c| c / length)
}
