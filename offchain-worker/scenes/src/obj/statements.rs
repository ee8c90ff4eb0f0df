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
    materials: HashSet<Vec<u8>>,
}

impl Statements {
    /// Adds the statement in line `line`, which may be empty.
    pub(super) fn add(&mut self, line: usize, content: &[u8]) -> Result<(), MeshError> {
        let statement = without_comment(content);
        let mut words = statement.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let refused = |source| MeshError::Line { line, source };
        match words.next() {
            None => {}
            Some(b"v") => self.vertices.push(vector(words, NotNumbers::Refused).map_err(refused)?),
            Some(b"vn") => self.normals.push(vector(words, NotNumbers::Zero).map_err(refused)?),
            Some(b"f") => self.add_face(line, words)?,
            Some(b"l" | b"p") => self.lines_and_points.at(line),
            Some(b"s") => self.faces.smooth(group(words.next())),
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
        let mut mesh = Mesh {
            warnings: self.warnings(),
            vertices: self.vertices,
            normals: self.normals,
            triangles: Vec::new(),
        };
        faces::cut(&self.faces, &mut mesh)?;
        if mesh.triangles.is_empty() {
            let no_obj = |(_, line)| MeshError::Line {
                line,
                source: LineError::NoObj(self.unknown_word.clone()),
            };
            return Err(self.unknown.told().map_or(MeshError::NoTriangles, no_obj));
        }
        Ok(mesh)
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

/// A smoothing group: a number, or `off`. `on` and other words are written by programs that have one alone.
fn group(word: Option<&[u8]>) -> u32 {
    let text = word.and_then(|word| std::str::from_utf8(word).ok()).unwrap_or("off");
    match text.parse::<i64>() {
        Ok(number) => u32::try_from(number.unsigned_abs()).unwrap_or(u32::MAX),
        Err(_) => u32::from(!text.eq_ignore_ascii_case("off")),
    }
}

/// What becomes of a vector with words that stand for no number, such as `nan`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NotNumbers {
    Refused,
    /// It has no direction: the same as zero.
    Zero,
}

/// The first three numbers; what may follow them is a weight or a colour.
fn vector<'a>(words: impl Iterator<Item = &'a [u8]>, not_numbers: NotNumbers) -> Result<[f64; 3], LineError> {
    let mut vector = [0.0; 3];
    let (mut found, mut has_direction) = (0, true);
    for (place, word) in words.enumerate() {
        let number = number(word).ok_or_else(|| LineError::Number(shown(word)))?;
        if let Some(component) = vector.get_mut(place) {
            if !number.is_finite() && not_numbers == NotNumbers::Refused {
                return Err(LineError::Number(shown(word)));
            }
            has_direction &= number.is_finite();
            *component = number;
        }
        found = place + 1;
    }
    match found {
        0..3 => Err(LineError::Coordinates(found)),
        _ if has_direction => Ok(vector),
        _ => Ok([0.0; 3]),
    }
}

/// A number. What the C library of Windows writes for results that are none, such as `-nan(ind)` and `1.#QNAN`, is one that is
/// not finite, as are `nan` and `inf`.
fn number(word: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(word).ok()?;
    text.parse().ok().or_else(|| {
        let amount = text.trim_start_matches(['-', '+']).as_bytes();
        let rest = amount.strip_prefix(b"1.#");
        let is_none =
            rest.is_some_and(is_no_number) || amount.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"nan("));
        is_none.then_some(f64::NAN)
    })
}

/// Whether this follows `1.#` where the C library of Windows writes a result that is no number.
fn is_no_number(rest: &[u8]) -> bool {
    [&b"QNAN"[..], b"SNAN", b"IND", b"INF"].iter().any(|name| {
        rest.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
    })
}

/// The line up to its comment; the `#` of a word such as `1.#QNAN` begins none.
fn without_comment(line: &[u8]) -> &[u8] {
    let begins_one = |&at: &usize| line[at] == b'#' && !(line[..at].ends_with(b"1.") && is_no_number(&line[at + 1..]));
    let end = (0..line.len()).find(begins_one);
    &line[..end.unwrap_or(line.len())]
}

/// The places of a corner's vertex and normal, written `1`, `1/2`, `1//3` or `1/2/3`; `1/`, `1//` and `1/2/` are written too,
/// and a normal 0 for none. A normal that cannot exist has a place that does not.
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
        vertex: place(vertex, vertices).ok_or(LineError::Index {
            index: vertex,
            count: vertices,
        })?,
        normal: normal.map(|normal| place(normal, normals).unwrap_or(u32::MAX)),
    })
}

/// A place counted from 0, written as counted from 1, or, below zero, back from the last of `count`; `None` if there can be
/// none. Whether it exists is only known at the end of the file.
fn place(index: i64, count: usize) -> Option<u32> {
    let place = if index < 0 {
        index.checked_add(count as i64)
    } else {
        index.checked_sub(1)
    };
    place.and_then(|place| u32::try_from(place).ok())
}

/// The beginning of a word that is no longer than messages should be.
fn shown(word: &[u8]) -> String {
    String::from_utf8_lossy(word.get(..SHOWN).unwrap_or(word)).into_owned()
}
