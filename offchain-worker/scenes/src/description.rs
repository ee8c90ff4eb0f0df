//! A scene as text: the names of its parts, and the defaults of those that are left out.

use crate::{content, error::DescriptionError};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, MapAccess, SeqAccess, Visitor, value::SeqAccessDeserializer},
};
use std::{collections::BTreeMap, fmt, marker::PhantomData};

/// A scene as text. Lengths are in units, of which the space has 512 in each direction; y points up.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The radiance that comes from where nothing is.
    #[serde(default)]
    pub sky: SkyDescription,
    /// The factor by which all light is multiplied before it becomes a colour.
    #[serde(default = "one")]
    pub exposure: f64,
    /// The most light of a path, below 16. A lower limit leaves fewer bright dots, but also less of the light that
    /// makes them.
    #[serde(default = "default_clamp")]
    pub clamp: f64,
    /// The materials by their names.
    #[serde(deserialize_with = "unique")]
    pub materials: BTreeMap<String, MaterialDescription>,
    /// The spheres.
    #[serde(default)]
    pub spheres: Vec<SphereDescription>,
    /// The planes.
    #[serde(default)]
    pub planes: Vec<PlaneDescription>,
    /// The meshes.
    #[serde(default)]
    pub meshes: Vec<MeshDescription>,
    /// The camera's keyframes.
    pub camera: Vec<CameraDescription>,
}

impl Description {
    /// Reads a description from the content of a file.
    ///
    /// Errors: `Foreign`, `Encoding`, `Json`.
    pub fn read(bytes: &[u8]) -> Result<Self, DescriptionError> {
        content::known(bytes)?;
        Self::parse(std::str::from_utf8(content::without_mark(bytes))?)
    }

    /// Reads a description.
    ///
    /// Errors: `Json`.
    pub fn parse(text: &str) -> Result<Self, DescriptionError> {
        Ok(serde_json::from_str(text)?)
    }
}

/// Three channels of linear light: a list of three numbers, or `"#rrggbb"` in sRGB.
#[derive(Serialize, Clone, Copy, PartialEq, Debug)]
pub struct Colour(pub [f64; 3]);

impl<'de> Deserialize<'de> for Colour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ColourVisitor)
    }
}

/// Reads a colour in either form. This is done by hand, because `serde(untagged)` cannot read numbers of `serde_json`
/// when a crate of the program has its feature `arbitrary_precision` turned on.
struct ColourVisitor;

impl<'de> Visitor<'de> for ColourVisitor {
    type Value = Colour;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("three channels, or \"#rrggbb\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Colour, E> {
        from_hex(text).ok_or_else(|| E::custom("a colour is written \"#rrggbb\""))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Colour, A::Error> {
        Deserialize::deserialize(SeqAccessDeserializer::new(sequence)).map(Colour)
    }
}

fn from_hex(text: &str) -> Option<Colour> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let number = u32::from_str_radix(digits, 16).ok()?;
    Some(Colour([16, 8, 0].map(|shift| {
        let channel = f64::from((number >> shift) & 0xff) / 255.0;
        if channel <= 0.04045 {
            channel / 12.92
        } else {
            ((channel + 0.055) / 1.055).powf(2.4)
        }
    })))
}

/// Reads a map without two entries of one name, of which the former would be lost.
fn unique<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error> {
    deserializer.deserialize_map(UniqueVisitor(PhantomData))
}

struct UniqueVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for UniqueVisitor<T> {
    type Value = BTreeMap<String, T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("materials by their names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((name, value)) = entries.next_entry::<String, T>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom(format_args!("two are called {name:?}")));
            }
            map.insert(name, value);
        }
        Ok(map)
    }
}

const fn one() -> f64 {
    1.0
}

const fn default_clamp() -> f64 {
    8.0
}

const fn default_index() -> f64 {
    1.5
}

const fn white() -> Colour {
    Colour([1.0; 3])
}

/// Light from where nothing is.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct SkyDescription {
    /// Straight above.
    pub zenith: Colour,
    /// At the horizon.
    pub horizon: Colour,
    /// Straight below.
    pub ground: Colour,
}

impl Default for SkyDescription {
    fn default() -> Self {
        Self {
            zenith: Colour([0.25, 0.45, 0.85]),
            horizon: Colour([0.85, 0.9, 1.0]),
            ground: Colour([0.25, 0.22, 0.2]),
        }
    }
}

/// What a surface does with light.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum SurfaceDescription {
    /// Scatters evenly.
    Diffuse,
    /// Reflects, more or less sharply.
    Metal,
    /// Reflects and refracts.
    Glass,
    /// Gives light and reflects none.
    Emissive,
    /// Scatters under a clear coat that reflects.
    Coated,
}

/// A material.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct MaterialDescription {
    /// What it does with light.
    pub surface: SurfaceDescription,
    /// Its colour, each channel from 0 to 1.
    #[serde(default = "white")]
    pub colour: Colour,
    /// A chequerboard with another colour.
    #[serde(default)]
    pub pattern: Option<PatternDescription>,
    /// How blurred a metal's reflection is, from 0 to 1.
    #[serde(default)]
    pub roughness: f64,
    /// Index of refraction of glass and of a coat, from 1 to 2.5.
    #[serde(default = "default_index")]
    pub index: f64,
    /// Light of an emissive surface, each channel from 0 to 1024.
    #[serde(default)]
    pub emission: Option<Colour>,
}

/// A chequerboard, the same at every height.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct PatternDescription {
    /// The other colour.
    pub colour: Colour,
    /// Side of a field: a power of two.
    pub size: f64,
}

/// A sphere.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct SphereDescription {
    /// Its centre.
    pub centre: [f64; 3],
    /// Its radius.
    pub radius: f64,
    /// The name of its material.
    pub material: String,
}

/// A plane.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct PlaneDescription {
    /// One of its points.
    pub point: [f64; 3],
    /// Its normal, of any length.
    pub normal: [f64; 3],
    /// The name of its material.
    pub material: String,
}

/// A mesh and its place: scaled, then turned around x, y and z, then moved.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct MeshDescription {
    /// Its triangles.
    pub shape: ShapeDescription,
    /// The name of its material.
    pub material: String,
    /// Where its normals come from.
    #[serde(default)]
    pub shading: Shading,
    /// By how much it is larger.
    #[serde(default = "one")]
    pub scale: f64,
    /// Angles around x, y and z in degrees.
    #[serde(default)]
    pub turn: [f64; 3],
    /// Where its origin is.
    #[serde(default)]
    pub position: [f64; 3],
}

/// The triangles of a mesh.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum ShapeDescription {
    /// From a file whose name ends in `.obj`, `.gltf` or `.glb`.
    File(String),
    /// A sphere of radius 1: an icosahedron that is subdivided so often.
    Icosphere(u32),
    /// A tube along a torus knot.
    TorusKnot {
        /// Turns around the axis.
        turns: u32,
        /// Turns around the ring.
        windings: u32,
        /// Radius of the ring.
        radius: f64,
        /// Radius of the tube.
        tube: f64,
        /// Segments along the curve.
        segments: u32,
        /// Segments around the tube.
        sides: u32,
    },
}

/// Where a mesh's normals come from.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Shading {
    /// From the mesh, where it has some.
    #[default]
    AsGiven,
    /// Between those of the faces.
    Smooth,
    /// None: each face is flat.
    Flat,
}

/// The camera at one frame.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct CameraDescription {
    /// The frame.
    #[serde(default)]
    pub frame: u32,
    /// Where it is.
    pub position: [f64; 3],
    /// Where it looks.
    pub target: [f64; 3],
    /// The angle between the image's upper and lower edge in degrees.
    pub field_of_view: f64,
    /// Radius of the lens.
    #[serde(default)]
    pub aperture: f64,
    /// Distance at which everything is sharp; if left out, that of the target.
    #[serde(default)]
    pub focus: Option<f64>,
}
