//! Faces of an OBJ file, which become triangles when all vertices are known.

use super::statements::Seen;
use crate::{
    error::{LineError, MeshError, at_most},
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
}

/// The faces that were read.
#[derive(Default)]
pub(super) struct Faces {
    corners: Vec<Corner>,
    faces: Vec<Face>,
    /// How many triangles they make.
    triangles: u64,
}

impl Faces {
    /// Begins a face without corners.
    pub(super) fn begin(&mut self, line: usize) {
        let start = self.corners.len();
        self.faces.push(Face { line, start });
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

    /// The lines of all faces with their corners.
    fn iter(&self) -> impl Iterator<Item = (usize, &[Corner])> {
        let ends = self
            .faces
            .iter()
            .skip(1)
            .map(|face| face.start)
            .chain([self.corners.len()]);
        self.faces
            .iter()
            .zip(ends)
            .map(|(face, end)| (face.line, &self.corners[face.start..end]))
    }
}

/// Places of the vertices and normals of a triangle.
type Triangle = ([u32; 3], Option<[u32; 3]>);

/// Cuts all faces into triangles.
///
/// Errors: `Line`.
pub(super) fn triangles(
    faces: &Faces,
    vertices: &[[f64; 3]],
    normals: usize,
    warnings: &mut Vec<MeshWarning>,
) -> Result<Vec<Triangle>, MeshError> {
    let mut triangles = Vec::new();
    let mut polygons = Polygons::default();
    let (mut crossed, mut some_normals) = (Seen::default(), Seen::default());
    for (line, corners) in faces.iter() {
        let refused = |source| MeshError::Line { line, source };
        for corner in corners {
            exists("vertex", Some(corner.vertex), vertices.len()).map_err(refused)?;
            exists("normal", corner.normal, normals).map_err(refused)?;
        }
        let with_normals = corners.iter().filter(|corner| corner.normal.is_some()).count();
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
        triangles.extend(polygons.triangles().iter().map(|&triangle| {
            let [a, b, c] = triangle.map(|place| corners[place as usize]);
            let at = [a.normal, b.normal, c.normal];
            let normals = match at {
                [Some(a), Some(b), Some(c)] if with_normals == corners.len() => Some([a, b, c]),
                _ => None,
            };
            ([a.vertex, b.vertex, c.vertex], normals)
        }));
    }
    let crossed = crossed.told();
    warnings.extend(crossed.map(|(count, line)| MeshWarning::CrossedFaces { count, line }));
    let some_normals = some_normals.told();
    warnings.extend(some_normals.map(|(count, line)| MeshWarning::SomeNormals { count, line }));
    Ok(triangles)
}

fn exists(what: &'static str, place: Option<u32>, count: usize) -> Result<(), LineError> {
    match place {
        Some(place) if place as usize >= count => Err(LineError::Index {
            what,
            index: i64::from(place) + 1,
            count,
        }),
        _ => Ok(()),
    }
}
