//! The statements of an OBJ file.

use super::faces::{self, Corner, Faces};
use crate::{
    error::{LineError, MeshError, at_most},
    mesh::Mesh,
    warning::{MeshWarning, Place},
};
use agora_compute::scene::MAX_VERTICES;
use std::collections::HashSet;

/// Statements that change nothing of the geometry of polygons.
const IGNORED: [&[u8]; 16] = [
    b"vt",
    b"vp",
    b"g",
    b"o",
    b"mg",
    b"mtllib",
    b"usemap",
    b"maplib",
    b"bevel",
    b"c_interp",
    b"d_interp",
    b"lod",
    b"shadow_obj",
    b"trace_obj",
    b"ctech",
    b"stech",
];
/// Statements of free-form curves and surfaces.
const FREE_FORM: [&str; 14] = [
    "cstype", "deg", "bmat", "step", "curv", "curv2", "surf", "parm", "trim", "hole", "scrv", "sp", "end", "con",
];
/// Statements of versions before 3.0.
const SUPERSEDED: [&str; 6] = ["fo", "bsp", "bzp", "cdc", "cdp", "res"];
/// Statements that read other files or run programs.
const RUNNING: [&str; 2] = ["call", "csh"];
/// The longest word that is shown.
const SHOWN: usize = 40;

/// How often something was seen, and the first line of it.
#[derive(Default)]
pub(super) struct Seen {
    count: usize,
    first: usize,
}

impl Seen {
    pub(super) fn at(&mut self, line: usize) {
        if self.count == 0 {
            self.first = line;
        }
        self.count += 1;
    }

    /// The count and the first line, if there is one.
    pub(super) fn told(&self) -> Option<(usize, usize)> {
        (self.count > 0).then_some((self.count, self.first))
    }
}

/// What was read so far.
#[derive(Default)]
pub(super) struct Statements {
    vertices: Vec<[f64; 3]>,
    normals: Vec<[f64; 3]>,
    faces: Faces,
    lines_and_points: Seen,
    small_faces: Seen,
    unknown: Seen,
    unknown_word: String,
    smooths: bool,
    materials: HashSet<Vec<u8>>,
}

impl Statements {
    /// Adds the statement in line `line`, which may be empty.
    pub(super) fn add(&mut self, line: usize, content: &[u8]) -> Result<(), MeshError> {
        let statement = content.split(|&byte| byte == b'#').next().unwrap_or_default();
        let mut words = statement.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let refused = |source| MeshError::Line { line, source };
        match words.next() {
            None => {}
            Some(b"v") => self.vertices.push(vector(words).map_err(refused)?),
            Some(b"vn") => self.normals.push(vector(words).map_err(refused)?),
            Some(b"f") => self.add_face(line, words)?,
            Some(b"l" | b"p") => self.lines_and_points.at(line),
            Some(b"s") => self.smooths |= !matches!(words.next(), None | Some(b"off" | b"0")),
            Some(b"usemtl") => {
                self.materials.insert(words.collect::<Vec<_>>().join(&b' '));
            }
            Some(word) if IGNORED.contains(&word) => {}
            Some(word) => self.add_other(line, &shown(word)).map_err(refused)?,
        }
        at_most("vertices", self.vertices.len() as u64, MAX_VERTICES.into())?;
        at_most("normals", self.normals.len() as u64, MAX_VERTICES.into())
    }

    fn add_face<'a>(&mut self, line: usize, words: impl Iterator<Item = &'a [u8]>) -> Result<(), MeshError> {
        let refused = |source| MeshError::Line { line, source };
        let counts = [self.vertices.len(), self.normals.len()];
        self.faces.begin(line);
        for word in words {
            self.faces.push(corner(word, counts).map_err(refused)?)?;
        }
        match self.faces.corners_of_last() {
            0 => Err(refused(LineError::NoCorners)),
            1 | 2 => {
                self.faces.undo();
                self.small_faces.at(line);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn add_other(&mut self, line: usize, word: &str) -> Result<(), LineError> {
        if FREE_FORM.contains(&word) {
            return Err(LineError::FreeForm(word.to_owned()));
        }
        if SUPERSEDED.contains(&word) {
            return Err(LineError::Superseded(word.to_owned()));
        }
        if RUNNING.contains(&word) {
            return Err(LineError::Runs(word.to_owned()));
        }
        self.unknown.at(line);
        if self.unknown.count == 1 {
            word.clone_into(&mut self.unknown_word);
        }
        Ok(())
    }

    /// The mesh, with warnings.
    pub(super) fn into_mesh(self) -> Result<Mesh, MeshError> {
        let mut warnings = self.warnings();
        let has_normals = !self.normals.is_empty();
        if self.smooths && !has_normals {
            warnings.push(MeshWarning::SmoothingGroups);
        }
        let triangles = faces::triangles(&self.faces, &self.vertices, self.normals.len(), &mut warnings)?;
        if triangles.is_empty() {
            let no_obj = |(_, line)| MeshError::Line {
                line,
                source: LineError::NoObj(self.unknown_word.clone()),
            };
            return Err(self.unknown.told().map_or(MeshError::NoTriangles, no_obj));
        }
        Ok(Mesh {
            vertices: self.vertices,
            normals: self.normals,
            triangles,
            warnings,
        })
    }

    fn warnings(&self) -> Vec<MeshWarning> {
        let skipped = self
            .lines_and_points
            .told()
            .map(|(count, line)| MeshWarning::LinesAndPoints {
                count,
                first: Place::Line(line),
            });
        let small = self.small_faces.told();
        let small = small.map(|(count, line)| MeshWarning::SmallFaces { count, line });
        let unknown = self.unknown.told().map(|(count, line)| MeshWarning::UnknownStatements {
            count,
            line,
            word: self.unknown_word.clone(),
        });
        let materials = self.materials.len();
        let materials = (materials > 1).then_some(MeshWarning::Materials(materials));
        [skipped, small, unknown, materials].into_iter().flatten().collect()
    }
}

/// The first three numbers; what may follow them is a weight or a colour.
fn vector<'a>(words: impl Iterator<Item = &'a [u8]>) -> Result<[f64; 3], LineError> {
    let mut vector = [0.0; 3];
    let mut found = 0;
    for (place, word) in words.enumerate() {
        let number = number(word).ok_or_else(|| LineError::Number(shown(word)))?;
        if let Some(component) = vector.get_mut(place) {
            if !number.is_finite() {
                return Err(LineError::Number(shown(word)));
            }
            *component = number;
        }
        found = place + 1;
    }
    if found < 3 {
        Err(LineError::Coordinates(found))
    } else {
        Ok(vector)
    }
}

fn number(word: &[u8]) -> Option<f64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// The places of a corner's vertex and normal, written `1`, `1/2`, `1//3` or `1/2/3`; `1/`, `1//` and `1/2/` are written too,
/// and a normal 0 for none.
fn corner(word: &[u8], [vertices, normals]: [usize; 2]) -> Result<Corner, LineError> {
    let malformed = || LineError::Corner(shown(word));
    let text = std::str::from_utf8(word).map_err(|_| malformed())?;
    let mut parts = text.split('/');
    let vertex = parts.next().and_then(|part| part.parse().ok()).ok_or_else(malformed)?;
    let texture = parts.next().unwrap_or_default();
    let normal = parts.next().unwrap_or_default();
    let is_number = |part: &str| part.is_empty() || part.parse::<i64>().is_ok();
    if !is_number(texture) || !is_number(normal) || parts.next().is_some() {
        return Err(malformed());
    }
    let normal = normal.parse().ok().filter(|&normal: &i64| normal != 0);
    Ok(Corner {
        vertex: place("vertex", vertex, vertices)?,
        normal: normal.map(|normal| place("normal", normal, normals)).transpose()?,
    })
}

/// A place counted from 0, written as counted from 1, or, below zero, back from the last of `count`. Whether it exists is
/// only known at the end of the file.
fn place(what: &'static str, index: i64, count: usize) -> Result<u32, LineError> {
    let place = if index < 0 {
        index.checked_add(count as i64)
    } else {
        index.checked_sub(1)
    };
    let place = place.and_then(|place| u32::try_from(place).ok());
    place.ok_or(LineError::Index { what, index, count })
}

/// The beginning of a word that is no longer than messages should be.
fn shown(word: &[u8]) -> String {
    String::from_utf8_lossy(word.get(..SHOWN).unwrap_or(word)).into_owned()
}
