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

    /// Gives each place the sum of the normals of the faces around it, in which larger faces count more. Files have several
    /// vertices at one place where colours or textures meet. Every place is within the vertices.
    pub(crate) fn smooth(&mut self) {
        let mut firsts = HashMap::with_capacity(self.vertices.len());
        let first_at = |(place, vertex): (usize, &[f64; 3])| {
            // Zero has two signs.
            let key = vertex.map(|c| (c + 0.0).to_bits());
            // Below 2²¹.
            *firsts.entry(key).or_insert(place as u32)
        };
        let at: Vec<u32> = self.vertices.iter().enumerate().map(first_at).collect();
        self.normals = vec![[0.0; 3]; self.vertices.len()];
        for (vertices, normals) in &mut self.triangles {
            let [a, b, c] = vertices.map(|place| self.vertices[place as usize]);
            let normal = cross(difference(b, a), difference(c, a));
            let places = vertices.map(|place| at[place as usize]);
            for place in places {
                let sum = &mut self.normals[place as usize];
                *sum = [0, 1, 2].map(|i| sum[i] + normal[i]);
            }
            *normals = Some(places);
        }
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
pub(crate) fn double_area([a, b, c]: [[f64; 3]; 3]) -> f64 {
    cross(difference(b, a), difference(c, a))
        .iter()
        .map(|c| c * c)
        .sum::<f64>()
        .sqrt()
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
