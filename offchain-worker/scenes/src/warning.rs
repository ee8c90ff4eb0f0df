//! What is probably not meant: a scene is made, and its maker is told.

use crate::error::Printable;
use std::fmt;

/// What is probably not meant in a description.
#[derive(thiserror::Error, Clone, PartialEq, Debug)]
pub enum Warning {
    /// All pictures are black.
    #[error("nothing gives light: the sky is black, and nothing has an emissive material; pictures will be black")]
    NoLight,
    /// There is only sky.
    #[error("there are no spheres, planes or meshes: pictures will show the sky alone")]
    Nothing,
    /// Light of a material that gives none.
    #[error("materials.{}.emission has no effect: only the surface \"emissive\" gives light", Printable(.0))]
    Emission(String),
    /// An emissive material without light.
    #[error("materials.{} is emissive without emission: it will be black", Printable(.0))]
    Dark(String),
    /// A mesh is probably not as meant.
    #[error("{at} ({}): {warning}", Printable(.name))]
    Mesh {
        /// The place in the description.
        at: String,
        /// The mesh's file or shape.
        name: String,
        /// What is told of it.
        warning: MeshWarning,
    },
}

/// What is probably not meant in a mesh.
#[derive(thiserror::Error, Clone, PartialEq, Debug)]
pub enum MeshWarning {
    /// Lines and points beside faces.
    #[error("{count} lines or points are left out, the first at {first}: only faces are drawn")]
    LinesAndPoints {
        /// How many.
        count: usize,
        /// Where the first is.
        first: Place,
    },
    /// Faces with fewer than three corners.
    #[error("{count} faces of fewer than three corners are left out, the first in line {line}")]
    SmallFaces {
        /// How many.
        count: usize,
        /// Where the first is.
        line: usize,
    },
    /// Faces whose triangles overlap.
    #[error(
        "{count} faces cross themselves or are folded, the first in line {line}: their triangles overlap or leave gaps"
    )]
    CrossedFaces {
        /// How many.
        count: usize,
        /// Where the first is.
        line: usize,
    },
    /// Faces that name normals that do not exist.
    #[error(
        "{count} faces name normals that the file does not have, the first in line {line}: they are taken as without"
    )]
    MissingNormals {
        /// How many.
        count: usize,
        /// Where the first is.
        line: usize,
    },
    /// Faces with normals at some corners only.
    #[error("{count} faces have normals at some of their corners only, the first in line {line}: they are flat")]
    SomeNormals {
        /// How many.
        count: usize,
        /// Where the first is.
        line: usize,
    },
    /// Normals of length zero, or of what is no number.
    #[error("{0} triangles have a normal without a direction (zeros, or no numbers): they are flat")]
    ZeroNormals(usize),
    /// Statements that the format does not have.
    #[error("{count} unknown statements are left out, the first in line {line}: {word:?}")]
    UnknownStatements {
        /// How many.
        count: usize,
        /// Where the first is.
        line: usize,
        /// Its first word.
        word: String,
    },
    /// Vertices of a skin without weights.
    #[error("{0} vertices have no weights for the joints of their skin: they follow the joint that they name first")]
    Unweighted(usize),
    /// Several materials.
    #[error("it has {0} materials, which are not read: all of it gets the material of the description")]
    Materials(usize),
    /// Lights.
    #[error("its lights are not read: use emissive spheres")]
    Lights,
    /// Several scenes and no default.
    #[error("it has {0} scenes and names no default: the first is read")]
    Scenes(usize),
    /// Indices or vertices left over.
    #[error("{count} primitives have corners left over that make no triangle, the first {first}")]
    Incomplete {
        /// How many.
        count: usize,
        /// Where the first is.
        first: Place,
    },
    /// Primitives without positions.
    #[error("{count} primitives have no positions and are left out, the first {first}")]
    NoPositions {
        /// How many.
        count: usize,
        /// Where the first is.
        first: Place,
    },
    /// Small triangles vanish.
    #[error("rounded to 1/65536, it loses {percent:.1} % of its area: {advice}")]
    AreaLost {
        /// How much of the area.
        percent: f64,
        /// With which scale less than 1 % is lost.
        advice: Enlarge,
    },
}

/// A place in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// A line, counted from 1.
    Line(usize),
    /// A path in a JSON text.
    Path(String),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(formatter, "line {line}"),
            Self::Path(path) => path.fmt(formatter),
        }
    }
}

/// The scale at which a mesh loses less than 1 % of its area, if there is one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Enlarge(pub Option<f64>);

impl fmt::Display for Enlarge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(scale) => write!(
                formatter,
                "use `\"scale\": {scale}` or more, and enlarge the scene as much"
            ),
            None => formatter.write_str("no scale mends it, as some parts are too small beside the whole"),
        }
    }
}
