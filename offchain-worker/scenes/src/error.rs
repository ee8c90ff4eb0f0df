//! What can be wrong with a description, a mesh or a file.

use crate::content::Foreign;
use agora_compute::scene::SceneError;
use std::{fmt, io};

/// Why a description makes no scene.
#[derive(thiserror::Error, Debug)]
pub enum DescriptionError {
    /// The file is something else.
    #[error(transparent)]
    Foreign(#[from] Foreign),
    /// The text is in another encoding.
    #[error("it is not UTF-8 text: save it as UTF-8 ({0})")]
    Encoding(#[from] std::str::Utf8Error),
    /// The text is no description.
    #[error("the description cannot be read: {}", Printable(.0))]
    Json(#[from] serde_json::Error),
    /// A number is outside of its range.
    #[error("{} is {value}; it must be from {least} to {most}", Printable(.at))]
    Number {
        /// The place in the description.
        at: String,
        /// The value found.
        value: f64,
        /// The least that is possible.
        least: f64,
        /// The most that is possible.
        most: f64,
    },
    /// Something has a material that is not described.
    #[error("{at} is {name:?}, and there is no such material; there are {known}")]
    UnknownMaterial {
        /// The place in the description.
        at: String,
        /// The name found.
        name: String,
        /// The names of the materials.
        known: String,
    },
    /// The size of a pattern's fields is no power of two that scenes can have.
    #[error("{} is {size}; it must be a power of two from 1/32768 to 512", Printable(.at))]
    PatternSize {
        /// The place in the description.
        at: String,
        /// The size found.
        size: f64,
    },
    /// A direction has no length.
    #[error("{at} is 0, 0, 0, which is no direction")]
    Direction {
        /// The place in the description.
        at: String,
    },
    /// A mesh cannot be used.
    #[error("{at} ({}): {source}", Printable(.name))]
    Mesh {
        /// The place in the description.
        at: String,
        /// The mesh's file or shape.
        name: String,
        /// What is wrong with it.
        source: MeshError,
    },
    /// The scene is outside of its limits.
    #[error("the scene is refused: {0}")]
    Scene(#[from] SceneError),
}

/// Why a mesh cannot be used.
#[derive(thiserror::Error, Debug)]
pub enum MeshError {
    /// The file cannot be read.
    #[error("{} cannot be read: {source}", Printable(.path))]
    File {
        /// Its path.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is outside of the description's folder.
    #[error("{} is outside of the folder of the description: copy it there", Printable(.0))]
    OutsideOfFolder(String),
    /// The file is too long.
    #[error("it has {found} bytes; at most {most} are possible")]
    TooLong {
        /// Its length.
        found: u64,
        /// The most that is possible.
        most: u64,
    },
    /// The file is something else.
    #[error(transparent)]
    Foreign(#[from] Foreign),
    /// A file that another names is something else.
    #[error("{}: {source}", Printable(.path))]
    StandIn {
        /// Its path.
        path: String,
        /// What it is.
        source: Foreign,
    },
    /// The kind of a file is unknown.
    #[error(
        "its kind is unknown: only files whose names end in .obj, .gltf or .glb are read; convert it to one of them"
    )]
    UnknownKind,
    /// A line of an OBJ file cannot be used.
    #[error("line {line}: {source}")]
    Line {
        /// Which line, counted from 1.
        line: usize,
        /// What is wrong with it.
        source: LineError,
    },
    /// The text of a glTF file is no glTF.
    #[error("it is no glTF 2.0 file: {}", Printable(.0))]
    Json(#[from] serde_json::Error),
    /// A part of a glTF file cannot be used.
    #[error("{}: {source}", Printable(.at))]
    Part {
        /// The part's place in the file.
        at: String,
        /// What is wrong with it.
        source: PartError,
    },
    /// There is nothing to draw.
    #[error("it has no triangles: only faces are drawn, no points, lines or curves")]
    NoTriangles,
    /// The description makes a point of it.
    #[error("its `scale` is 0")]
    Scale,
    /// All triangles are lines or points.
    #[error("its triangles have no area: the corners of each are on one line")]
    NoArea,
    /// Nothing is left of the mesh on the grid of scenes.
    #[error("it is too small: rounded to 1/65536, none of its area is left; give it a larger `scale`")]
    TooSmall,
    /// The mesh is outside of the space of scenes.
    #[error("it reaches {reach} from the origin; at most 512 is possible: {advice}")]
    Space {
        /// The coordinate that is largest in amount.
        reach: f64,
        /// A scale and a position with which it fits.
        advice: Fit,
    },
    /// There are too many of something.
    #[error("it has {count} {what}; at most {most} are possible")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many.
        count: u64,
        /// The most that is possible.
        most: u64,
    },
    /// A coordinate is not a number, or infinite.
    #[error("a coordinate of {what} {index} is not a finite number")]
    NotFinite {
        /// Of a vertex or a normal.
        what: &'static str,
        /// Which, counted from 0.
        index: usize,
    },
    /// A triangle names a vertex or a normal that does not exist.
    #[error("triangle {0} names a vertex or normal that does not exist")]
    Index(usize),
}

impl MeshError {
    /// Whether there is no file of that name.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// What is wrong with a line of an OBJ file.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum LineError {
    /// A word should be a number.
    #[error("{word:?} is no finite number{hint}", word = .0, hint = hint(.0))]
    Number(String),
    /// A vertex or normal has fewer than three coordinates.
    #[error("it has {0} coordinates; it needs 3")]
    Coordinates(usize),
    /// A word should be a corner of a face.
    #[error("{0:?} is no corner of a face: these are written 1, 1/2, 1//3 or 1/2/3")]
    Corner(String),
    /// A corner names a vertex that does not exist.
    #[error("it names vertex {index}, and there are {count}, counted from 1")]
    Index {
        /// The number found.
        index: i64,
        /// How many there are.
        count: usize,
    },
    /// Nothing in the file is a face, and something in it is no statement.
    #[error("{0:?} is no statement of OBJ files, and the file has no faces: is it one?")]
    NoObj(String),
    /// A face has no corners.
    #[error("it is a face without corners")]
    NoCorners,
    /// Statements of free-form geometry.
    #[error("`{0}` belongs to free-form curves and surfaces, which are not read: export the model as polygons")]
    FreeForm(String),
    /// Statements of versions before 3.0.
    #[error("`{0}` is from before version 3.0 of the format and is not read: export the model anew")]
    Superseded(String),
    /// Statements that read other files or run programs.
    #[error("`{0}` runs programs or reads other files, which is not done: put their content into this file")]
    Runs(String),
    /// Cutting all concave faces into triangles would take too long.
    #[error(
        "its concave face of {0} corners would take too long to be cut into triangles, as one may have 46340 corners, and \
         several less: export the model as triangles"
    )]
    Clipping(usize),
}

/// What is wrong with a part of a glTF file.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum PartError {
    /// It is of another version.
    #[error("it is of version {0} of glTF; 2.0 is read: export it as glTF 2.0")]
    Version(String),
    /// It needs a later version.
    #[error("it needs version {0} of glTF; 2.0 is read")]
    MinVersion(String),
    /// It needs an extension that is unknown here.
    #[error("it needs the extension {0:?}, which is not supported: export the model without it")]
    Extension(String),
    /// It names what does not exist.
    #[error("it names {what} {index}, which does not exist")]
    Missing {
        /// A list of the file.
        what: &'static str,
        /// The place in it.
        index: u64,
    },
    /// It has something that the format does not allow, or that is not supported.
    #[error("{0}")]
    Unfit(&'static str),
    /// Data ends too early.
    #[error(
        "{what} needs {needed} bytes, and there are {found}: the file is cut off, or not the one that belongs here"
    )]
    CutOff {
        /// What needs them.
        what: &'static str,
        /// How many it needs.
        needed: u64,
        /// How many there are.
        found: u64,
    },
    /// A file's address is no relative path.
    #[error("it is at {0:?}: only files beside this one are read; put it there")]
    Address(String),
    /// Data in the text is not in base 64.
    #[error("its data are not in base 64: {0}")]
    Base64(base64::DecodeError),
    /// A number of an element is infinite or no number.
    #[error("element {0} has a number that is not finite")]
    NotFinite(u64),
}

/// A scale and a position with which a mesh is within the space.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fit {
    /// The scale.
    pub scale: f64,
    /// The position.
    pub position: [f64; 3],
}

impl fmt::Display for Fit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x, y, z] = self.position;
        let scale = self.scale;
        write!(
            formatter,
            "with `\"scale\": {scale}` and `\"position\": [{x}, {y}, {z}]` it is around the origin"
        )
    }
}

/// What to do about a number.
fn hint(number: &str) -> &'static str {
    let lower = number.to_ascii_lowercase();
    if number.contains(',') {
        ": write decimals with a point"
    } else if lower.contains("nan") || lower.contains("inf") || number.contains("1.#") {
        ": the program that wrote it divided by zero; take away the vertex and its faces there, and export it again"
    } else {
        ""
    }
}

/// Text of strangers, without what would control a terminal.
pub(crate) struct Printable<T>(pub T);

impl<T: fmt::Display> fmt::Display for Printable<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.to_string().chars() {
            if character.is_control() {
                write!(formatter, "{}", character.escape_default())?;
            } else {
                write!(formatter, "{character}")?;
            }
        }
        Ok(())
    }
}

/// Checks a count against its limit, before anything of that size is made.
pub(crate) fn at_most(what: &'static str, count: u64, most: u64) -> Result<(), MeshError> {
    if count > most {
        Err(MeshError::TooMany { what, count, most })
    } else {
        Ok(())
    }
}
