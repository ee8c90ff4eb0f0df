//! What can be wrong with a description, a mesh or a file.

use agora_compute::scene::SceneError;
use std::io;

/// Why a description makes no scene.
#[derive(thiserror::Error, Debug)]
pub enum DescriptionError {
    /// The text is no description.
    #[error("the description cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// A number is outside of its range.
    #[error("{what} is {value}; it must be from {least} to {most}")]
    Number {
        /// The name of the number.
        what: &'static str,
        /// The value found.
        value: f64,
        /// The least that is possible.
        least: f64,
        /// The most that is possible.
        most: f64,
    },
    /// Something has a material that is not described.
    #[error("there is no material called {0:?}")]
    UnknownMaterial(String),
    /// The size of a pattern's fields is no power of two that scenes can have.
    #[error("a pattern's size is {0}; it must be a power of two from 1/32768 to 512")]
    PatternSize(f64),
    /// A mesh cannot be used.
    #[error("the mesh {name} is refused: {source}")]
    Mesh {
        /// Its file or shape.
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
    #[error("{path} cannot be read: {source}")]
    File {
        /// Its path.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is outside of the description's folder.
    #[error("{0} is outside of the folder of the description")]
    OutsideOfFolder(String),
    /// The file is too long.
    #[error("it has {found} bytes; at most {most} are possible")]
    TooLong {
        /// Its length.
        found: u64,
        /// The most that is possible.
        most: u64,
    },
    /// The OBJ file is malformed.
    #[error("it is no OBJ file: line {line} cannot be read")]
    Obj {
        /// Which line, counted from 1.
        line: usize,
    },
    /// The glTF file is malformed.
    #[error("it is no glTF file: {0}")]
    Gltf(#[from] serde_json::Error),
    /// The glTF file refers to a part that is not there.
    #[error("it refers to a part that it has not")]
    Missing,
    /// The glTF file uses a feature that is not supported.
    #[error("it has {0}, which is not supported")]
    Unsupported(&'static str),
    /// Data ends too early.
    #[error("{0} reach beyond the end of the data")]
    Truncated(&'static str),
    /// The kind of a file is unknown.
    #[error("its kind is unknown: its name should end in .obj, .gltf or .glb")]
    UnknownKind,
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
    /// The nodes are no tree, or too deep a one.
    #[error("its nodes form no tree, or one that is too deep")]
    Nodes,
    /// Data inside of the file is not what it says.
    #[error("data in its text is not in base 64: {0}")]
    Base64(#[from] base64::DecodeError),
}

/// Checks a count against its limit, before anything of that size is made.
pub(crate) fn at_most(what: &'static str, count: u64, most: u64) -> Result<(), MeshError> {
    if count > most {
        Err(MeshError::TooMany { what, count, most })
    } else {
        Ok(())
    }
}
