//! Faces of an OBJ file, which become triangles when all vertices are known.

use super::statements::Seen;
use crate::{
    error::{LineError, MeshError, at_most},
    mesh::Mesh,
    polygon::{Polygons, Shape},
    warning::MeshWarning,
};
use agora_compute::scene::MAX_TRIANGLES;

/// A corner of a face: places counted from 0, which need not exist.
#[derive(Clone, Copy)]
pub(super) struct Corner {
    pub(super) vertex: u32,
    pub(super) normal: Option<u32>,
}

struct Face {
    line: usize,
    /// The place of its first corner.
    start: usize,
    /// Its smoothing group; 0 is none.
    group: u32,
}

/// The faces that were read.
#[derive(Default)]
pub(super) struct Faces {
    corners: Vec<Corner>,
    faces: Vec<Face>,
    /// The smoothing group of faces that are begun from now on.
    group: u32,
    /// How many triangles they make.
    triangles: u64,
}

impl Faces {
    /// Begins a face without corners.
    pub(super) fn begin(&mut self, line: usize) {
        let start = self.corners.len();
        let group = self.group;
        self.faces.push(Face { line, start, group });
    }

    /// Puts the faces that follow into a smoothing group; 0 is none.
    pub(super) const fn smooth(&mut self, group: u32) {
        self.group = group;
    }

    /// Adds a corner to the last face.
    ///
    /// Errors: `TooMany`.
    pub(super) fn push(&mut self, corner: Corner) -> Result<(), MeshError> {
        self.corners.push(corner);
        if self.corners_of_last() > 2 {
            self.triangles += 1;
        }
        at_most("triangles", self.triangles, MAX_TRIANGLES.into())
    }

    pub(super) fn corners_of_last(&self) -> usize {
        self.corners.len() - self.faces.last().map_or(0, |face| face.start)
    }

    /// Takes the last face away, which makes no triangle.
    pub(super) fn undo(&mut self) {
        if let Some(face) = self.faces.pop() {
            self.corners.truncate(face.start);
        }
    }

    /// All faces with their corners.
    fn iter(&self) -> impl Iterator<Item = (&Face, &[Corner])> {
        let ends = self
            .faces
            .iter()
            .skip(1)
            .map(|face| face.start)
            .chain([self.corners.len()]);
        self.faces
            .iter()
            .zip(ends)
            .map(|(face, end)| (face, &self.corners[face.start..end]))
    }
}

/// Cuts all faces into triangles of `mesh`, which has the vertices and normals, and smooths those that are in a smoothing group
/// and have no normals of their own.
///
/// Errors: `Line`.
pub(super) fn cut(faces: &Faces, mesh: &mut Mesh) -> Result<(), MeshError> {
    let (vertices, normals) = (&mesh.vertices, mesh.normals.len());
    let mut groups = Vec::new();
    let mut polygons = Polygons::default();
    let (mut crossed, mut some_normals, mut missing_normals) = (Seen::default(), Seen::default(), Seen::default());
    for (face, corners) in faces.iter() {
        let line = face.line;
        let refused = |source| MeshError::Line { line, source };
        for corner in corners {
            exists(corner.vertex, vertices.len()).map_err(refused)?;
        }
        let normal = |corner: &Corner| corner.normal.filter(|&place| (place as usize) < normals);
        if corners
            .iter()
            .any(|corner| corner.normal.is_some() && normal(corner).is_none())
        {
            missing_normals.at(line);
        }
        let with_normals = corners.iter().filter(|corner| normal(corner).is_some()).count();
        if with_normals > 0 && with_normals < corners.len() {
            some_normals.at(line);
        }
        let places = corners.iter().map(|corner| vertices[corner.vertex as usize]);
        let cut = polygons
            .cut(places)
            .ok_or_else(|| refused(LineError::Clipping(corners.len())))?;
        if cut == Shape::Crossed {
            crossed.at(line);
        }
        // Some corners are said to have other normals than the group's: those faces are flat.
        let group = if with_normals == 0 { face.group } else { 0 };
        groups.push((group, polygons.triangles().len()));
        mesh.triangles.extend(polygons.triangles().iter().map(|&triangle| {
            let [a, b, c] = triangle.map(|place| corners[place as usize]);
            let at = [a, b, c].map(|corner| normal(&corner));
            let normals = match at {
                [Some(a), Some(b), Some(c)] if with_normals == corners.len() => Some([a, b, c]),
                _ => None,
            };
            ([a.vertex, b.vertex, c.vertex], normals)
        }));
    }
    mesh.smooth_groups(&groups);
    let crossed = crossed.told();
    mesh.warnings
        .extend(crossed.map(|(count, line)| MeshWarning::CrossedFaces { count, line }));
    let missing_normals = missing_normals.told();
    mesh.warnings
        .extend(missing_normals.map(|(count, line)| MeshWarning::MissingNormals { count, line }));
    let some_normals = some_normals.told();
    mesh.warnings
        .extend(some_normals.map(|(count, line)| MeshWarning::SomeNormals { count, line }));
    Ok(())
}

fn exists(vertex: u32, count: usize) -> Result<(), LineError> {
    if (vertex as usize) < count {
        return Ok(());
    }
    Err(LineError::Index {
        index: i64::from(vertex) + 1,
        count,
    })
}
