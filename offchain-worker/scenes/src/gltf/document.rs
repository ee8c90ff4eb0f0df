//! The parts of a glTF file's text that its geometry needs. All others are skipped, whatever is in them.

use super::part;
use crate::error::{MeshError, PartError, at_most};
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, SeqAccess, Visitor},
};
use serde_json::Value;
use std::{collections::BTreeMap, fmt, marker::PhantomData};

/// The most objects in one list.
const MAX_PARTS: usize = 1 << 16;
/// The most values in a text: each may take a hundred times its bytes in memory.
const MAX_VALUES: u64 = 1 << 22;

/// Extensions that may be required: those that are read, and those of lights and others that shape no mesh, which are left out.
const KNOWN: [&str; 12] = [
    "KHR_mesh_quantization",
    "EXT_mesh_gpu_instancing",
    "KHR_node_visibility",
    "KHR_lights_punctual",
    "EXT_lights_image_based",
    "KHR_animation_pointer",
    "KHR_xmp_json_ld",
    "KHR_technique_webgl",
    "KHR_techniques_webgl",
    "EXT_texture_webp",
    "EXT_texture_avif",
    "MSFT_texture_dds",
];
/// What the names of extensions begin with that are about materials and textures, which are left out.
const OF_MATERIALS: [&str; 4] = ["KHR_materials_", "KHR_texture_", "EXT_materials_", "ADOBE_materials_"];

/// Whether nothing of a mesh is lost without what the extension `name` adds.
fn is_known(name: &str) -> bool {
    KNOWN.contains(&name) || OF_MATERIALS.iter().any(|beginning| name.starts_with(beginning))
}

/// What tells the version, which is read first.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    asset: Asset,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Asset {
    // A number in files from before version 1.0.
    version: Option<Value>,
    min_version: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    pub(super) scene: Option<u32>,
    #[serde(default, deserialize_with = "few")]
    pub(super) scenes: Vec<Scene>,
    #[serde(default, deserialize_with = "few")]
    pub(super) nodes: Vec<Node>,
    #[serde(default, deserialize_with = "few")]
    pub(super) meshes: Vec<Mesh>,
    #[serde(default, deserialize_with = "few")]
    pub(super) skins: Vec<Skin>,
    #[serde(default, deserialize_with = "few")]
    pub(super) accessors: Vec<Accessor>,
    #[serde(default, deserialize_with = "few")]
    pub(super) buffer_views: Vec<View>,
    #[serde(default, deserialize_with = "few")]
    pub(super) buffers: Vec<Buffer>,
    #[serde(default, deserialize_with = "few")]
    extensions_required: Vec<String>,
    #[serde(default)]
    extensions: RootExtensions,
}

#[derive(Deserialize, Default)]
struct RootExtensions {
    #[serde(rename = "KHR_lights_punctual")]
    lights: Option<IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct Scene {
    #[serde(default)]
    pub(super) nodes: Vec<u32>,
}

#[derive(Deserialize)]
pub(super) struct Node {
    #[serde(default)]
    pub(super) children: Vec<u32>,
    pub(super) mesh: Option<u32>,
    pub(super) skin: Option<u32>,
    pub(super) matrix: Option<Box<[f64; 16]>>,
    pub(super) translation: Option<[f64; 3]>,
    pub(super) rotation: Option<[f64; 4]>,
    pub(super) scale: Option<[f64; 3]>,
    pub(super) weights: Option<Vec<f64>>,
    #[serde(default)]
    pub(super) extensions: NodeExtensions,
}

#[derive(Deserialize, Default)]
pub(super) struct NodeExtensions {
    #[serde(rename = "EXT_mesh_gpu_instancing")]
    pub(super) instancing: Option<Instancing>,
    #[serde(rename = "KHR_node_visibility")]
    pub(super) visibility: Option<Visibility>,
}

#[derive(Deserialize)]
pub(super) struct Instancing {
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
pub(super) struct Visibility {
    pub(super) visible: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct Mesh {
    #[serde(deserialize_with = "few")]
    pub(super) primitives: Vec<Primitive>,
    pub(super) weights: Option<Vec<f64>>,
}

#[derive(Deserialize)]
pub(super) struct Primitive {
    pub(super) attributes: BTreeMap<String, u32>,
    pub(super) indices: Option<u32>,
    pub(super) material: Option<u32>,
    pub(super) mode: Option<u64>,
    #[serde(default, deserialize_with = "few")]
    pub(super) targets: Vec<BTreeMap<String, u32>>,
    #[serde(default)]
    pub(super) extensions: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Skin {
    pub(super) joints: Vec<u32>,
    pub(super) inverse_bind_matrices: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Accessor {
    pub(super) buffer_view: Option<u32>,
    #[serde(default)]
    pub(super) byte_offset: u64,
    pub(super) component_type: u32,
    #[serde(default)]
    pub(super) normalized: bool,
    pub(super) count: u64,
    #[serde(rename = "type")]
    pub(super) shape: String,
    pub(super) sparse: Option<Box<Sparse>>,
}

#[derive(Deserialize)]
pub(super) struct Sparse {
    pub(super) count: u64,
    pub(super) indices: SparseIndices,
    pub(super) values: SparseValues,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SparseIndices {
    pub(super) buffer_view: u32,
    #[serde(default)]
    pub(super) byte_offset: u64,
    pub(super) component_type: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SparseValues {
    pub(super) buffer_view: u32,
    #[serde(default)]
    pub(super) byte_offset: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View {
    pub(super) buffer: u32,
    #[serde(default)]
    pub(super) byte_offset: u64,
    pub(super) byte_length: u64,
    pub(super) byte_stride: Option<u64>,
    #[serde(default)]
    pub(super) extensions: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Buffer {
    pub(super) uri: Option<String>,
    pub(super) byte_length: u64,
}

impl Document {
    /// Reads a text, and refuses what it requires and is not supported.
    ///
    /// Errors: `TooMany`, `Json`, `Part`.
    pub(super) fn read(text: &[u8]) -> Result<Self, MeshError> {
        at_most("values in its text", values(text), MAX_VALUES)?;
        let head: Head = serde_json::from_slice(text)?;
        head.asset.check()?;
        let document: Self = match serde_json::from_slice(text) {
            Ok(document) => document,
            // Programs write 1.0 for the integer 1.
            Err(error) => serde_json::from_slice(&without_fractions(text)).map_err(|_| error)?,
        };
        let unknown = document.extensions_required.iter().enumerate();
        let mut unknown = unknown.filter(|(_, name)| !is_known(name));
        match unknown.next() {
            Some((i, name)) => Err(part(
                format!("extensionsRequired[{i}]"),
                PartError::Extension(name.clone()),
            )),
            None => Ok(document),
        }
    }

    /// Whether it has lights, as the extension for them says.
    pub(super) const fn has_lights(&self) -> bool {
        self.extensions.lights.is_some()
    }
}

impl Asset {
    /// Checks that the file is of version 2, and needs no later version than 2.0.
    fn check(&self) -> Result<(), MeshError> {
        let Some(version) = self.version.as_ref().map(written) else {
            let missing = PartError::Unfit("it has no version, so it is no glTF 2.0 file");
            return Err(part("asset", missing));
        };
        if numbers(&version).is_none_or(|[major, _]| major != 2) {
            return Err(part("asset.version", PartError::Version(version)));
        }
        match self.min_version.as_ref().map(written) {
            Some(least) if numbers(&least).is_none_or(|least| least > [2, 0]) => {
                Err(part("asset.minVersion", PartError::MinVersion(least)))
            }
            _ => Ok(()),
        }
    }
}

/// A version as it is written.
fn written(version: &Value) -> String {
    version.as_str().map_or_else(|| version.to_string(), str::to_owned)
}

/// The numbers of a version, such as 2.0.
fn numbers(version: &str) -> Option<[u32; 2]> {
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    Some([major.parse().ok()?, minor.parse().ok()?])
}

/// The text without the fractions of numbers whose fraction is zero, such as that of 1.0.
fn without_fractions(text: &[u8]) -> Vec<u8> {
    let mut shorter = Vec::with_capacity(text.len());
    let mut rest = text;
    let (mut in_string, mut escaped) = (false, false);
    while let [byte, behind @ ..] = rest {
        rest = behind;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'.' if !in_string && shorter.last().is_some_and(u8::is_ascii_digit) => {
                let zeros = behind.iter().take_while(|digit| **digit == b'0').count();
                let ends = |next: &u8| !next.is_ascii_digit() && !matches!(next, b'e' | b'E');
                if zeros > 0 && behind.get(zeros).is_none_or(ends) {
                    rest = &behind[zeros..];
                    continue;
                }
            }
            _ => {}
        }
        shorter.push(*byte);
    }
    shorter
}

/// How many values a text has at most: one more than commas outside of strings, and one for each bracket.
fn values(text: &[u8]) -> u64 {
    let (mut count, mut in_string, mut escaped) = (1, false, false);
    for &byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b',' | b'[' | b'{' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

/// Reads a list of at most [`MAX_PARTS`] objects.
fn few<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(Few(PhantomData))
}

struct Few<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Few<T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a list of at most {MAX_PARTS} objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(object) = sequence.next_element()? {
            if list.len() == MAX_PARTS {
                return Err(A::Error::invalid_length(MAX_PARTS + 1, &self));
            }
            list.push(object);
        }
        Ok(list)
    }
}
