//! The triangles of one primitive before they are placed: morphed by the weights of its targets, bent by its skin.

use super::super::{
    accessors::{Component, Elements},
    buffers::Source,
    document::Primitive,
    named,
    nodes::Hierarchy,
    part,
    skins::{Bent, Skinning},
};
use crate::error::{MeshError, PartError, at_most};
use agora_compute::scene::MAX_VERTICES;
use std::collections::BTreeMap;

const DRACO: &str = "KHR_draco_mesh_compression";
/// What `KHR_mesh_quantization` allows; floats are allowed without it.
const POSITIONS: [Component; 5] = [
    Component::F32,
    Component::I8,
    Component::U8,
    Component::I16,
    Component::U16,
];
const NORMALS: [Component; 3] = [Component::F32, Component::I8, Component::I16];

/// Triangles with the vertices and normals that they use.
pub(super) struct Piece {
    pub(super) vertices: Vec<[f64; 3]>,
    /// As many as vertices, or none.
    pub(super) normals: Vec<[f64; 3]>,
    pub(super) faces: Vec<[u32; 3]>,
    /// What its skin has made of it, if it is in its place already by that.
    pub(super) placed: Option<Bent>,
}

impl Piece {
    /// Reads the primitive at `at`, of which `corners` are those of its triangles, with the weights of its targets and the
    /// skin of its node.
    pub(super) fn read(
        source: &Source<'_>,
        primitive: &Primitive,
        at: &str,
        (corners, weights, skin): (Vec<u32>, &[f64], Option<(u32, &Hierarchy<'_>)>),
    ) -> Result<Self, MeshError> {
        refuse_draco(source, primitive, at)?;
        // Many primitives may share the vertices of one accessor.
        let mut used = corners.clone();
        used.sort_unstable();
        used.dedup();
        at_most("vertices", used.len() as u64, MAX_VERTICES.into())?;
        let place = |corner: u32| used.binary_search(&corner).map_or(0, |place| place as u32);
        let (faces, _) = corners.as_chunks::<3>();
        let faces = faces.iter().map(|face| face.map(place)).collect();
        let attribute =
            |name: &str, allowed: &[Component]| vectors(source, (&primitive.attributes, name), at, allowed, &used);
        let mut piece = Self {
            vertices: attribute("POSITION", &POSITIONS)?.unwrap_or_default(),
            normals: attribute("NORMAL", &NORMALS)?.unwrap_or_default(),
            faces,
            placed: None,
        };
        piece.morph(source, primitive, at, (weights, &used))?;
        if let Some((skin, hierarchy)) = skin {
            let skinning = Skinning::new(source, hierarchy, skin, (primitive, at))?;
            piece.placed = Some(skinning.bend(source, &used, &mut piece.vertices, &mut piece.normals)?);
        }
        Ok(piece)
    }

    /// Moves vertices and normals by the weights of the primitive's targets.
    fn morph(
        &mut self,
        source: &Source<'_>,
        primitive: &Primitive,
        at: &str,
        (weights, used): (&[f64], &[u32]),
    ) -> Result<(), MeshError> {
        if weights.len() > primitive.targets.len() {
            return Err(part(
                at,
                PartError::Unfit("its mesh or node has more weights than it has targets"),
            ));
        }
        let targets = primitive.targets.iter().zip(weights).enumerate();
        for (i, (target, &weight)) in targets.filter(|(_, (_, weight))| **weight != 0.0) {
            source.spend(used.len() as u64)?;
            let at = format!("{at}.targets[{i}]");
            for (name, allowed, list) in [
                ("POSITION", &POSITIONS[..], &mut self.vertices),
                ("NORMAL", &NORMALS[..], &mut self.normals),
            ] {
                let moves = vectors(source, (target, name), &at, allowed, used)?;
                for (vector, by) in list.iter_mut().zip(moves.into_iter().flatten()) {
                    *vector = [0, 1, 2].map(|c| vector[c] + weight * by[c]);
                }
            }
        }
        Ok(())
    }
}

/// Compressed vertices have accessors without data, which would be read as zeros.
fn refuse_draco(source: &Source<'_>, primitive: &Primitive, at: &str) -> Result<(), MeshError> {
    if !primitive.extensions.contains_key(DRACO) {
        return Ok(());
    }
    for &index in primitive.attributes.values().chain(&primitive.indices) {
        let accessor = named(&source.document.accessors, "accessors", index, at)?;
        if accessor.buffer_view.is_none() && accessor.sparse.is_none() {
            return Err(part(at, PartError::Extension(DRACO.to_owned())));
        }
    }
    Ok(())
}

/// The vectors at the places `used` of an attribute, if there is one. It has as many as there are positions.
fn vectors(
    source: &Source<'_>,
    (attributes, name): (&BTreeMap<String, u32>, &str),
    at: &str,
    allowed: &[Component],
    used: &[u32],
) -> Result<Option<Vec<[f64; 3]>>, MeshError> {
    let Some(&index) = attributes.get(name) else {
        return Ok(None);
    };
    let at = format!("{at}.{name}");
    let wanted = "it should have three floats, or what KHR_mesh_quantization allows";
    let elements = Elements::<3>::new(source, (index, &at), allowed, wanted)?;
    if used.last().is_some_and(|&last| u64::from(last) >= elements.count()) {
        return Err(part(
            at,
            PartError::Unfit("it has fewer elements than there are positions"),
        ));
    }
    let is_integer = elements.component() != Component::F32;
    if name == "NORMAL" && is_integer && !elements.is_normalised() {
        return Err(part(
            at,
            PartError::Unfit("normals that are integers should be normalized"),
        ));
    }
    let vector = |&place: &u32| match name {
        // Programs write normals of faces without area as what is no number.
        "NORMAL" => Ok(elements.direction(place.into())),
        _ => elements.get(place.into()),
    };
    used.iter().map(vector).collect::<Result<_, _>>().map(Some)
}
