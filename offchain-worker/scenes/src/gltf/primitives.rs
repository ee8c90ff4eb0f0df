//! The triangles of primitives, placed where their nodes are.

mod piece;

use super::{
    accessors::{Component, Elements},
    buffers::Source,
    document::{Node, Primitive},
    matrix::{Matrix, Placement, multiplied, of_parts},
    named,
    nodes::Hierarchy,
    part,
};
use crate::{
    error::{MeshError, PartError, at_most},
    mesh::Mesh,
    warning::{MeshWarning, Place},
};
use agora_compute::scene::{MAX_TRIANGLES, MAX_VERTICES};
use piece::Piece;
use std::collections::BTreeSet;

/// What a look at a primitive costs, in elements.
const VISIT: u64 = 64;
/// Why rotations of instances are refused.
const ROTATIONS: &str = "rotations of instances should be four floats, or normalized bytes or shorts";

/// How often something was seen, and where first. It may be often.
#[derive(Default)]
struct Tally {
    count: usize,
    first: String,
}

impl Tally {
    fn at(&mut self, at: &str) {
        if self.count == 0 {
            at.clone_into(&mut self.first);
        }
        self.count += 1;
    }

    fn told(&self) -> Option<(usize, Place)> {
        (self.count > 0).then(|| (self.count, Place::Path(self.first.clone())))
    }
}

/// Reads primitives into a mesh.
pub(super) struct Reader<'a, 'b> {
    source: &'a Source<'b>,
    hierarchy: &'a Hierarchy<'b>,
    mesh: Mesh,
    lines_and_points: Tally,
    without_positions: Tally,
    incomplete: Tally,
    unweighted: usize,
    materials: BTreeSet<Option<u32>>,
}

impl<'a, 'b> Reader<'a, 'b> {
    pub(super) fn new(source: &'a Source<'b>, hierarchy: &'a Hierarchy<'b>) -> Self {
        Self {
            source,
            hierarchy,
            mesh: Mesh::default(),
            lines_and_points: Tally::default(),
            without_positions: Tally::default(),
            incomplete: Tally::default(),
            unweighted: 0,
            materials: BTreeSet::new(),
        }
    }

    /// The mesh of all nodes that were added.
    pub(super) fn finish(mut self) -> Mesh {
        let lines_and_points = self.lines_and_points.told();
        let without_positions = self.without_positions.told();
        let incomplete = self.incomplete.told();
        let told = [
            lines_and_points.map(|(count, first)| MeshWarning::LinesAndPoints { count, first }),
            without_positions.map(|(count, first)| MeshWarning::NoPositions { count, first }),
            incomplete.map(|(count, first)| MeshWarning::Incomplete { count, first }),
        ];
        self.mesh.warnings.extend(told.into_iter().flatten());
        if self.unweighted > 0 {
            self.mesh.warnings.push(MeshWarning::Unweighted(self.unweighted));
        }
        if self.materials.len() > 1 {
            self.mesh.warnings.push(MeshWarning::Materials(self.materials.len()));
        }
        self.mesh
    }

    /// Adds the mesh of a node.
    pub(super) fn add_node(&mut self, index: usize) -> Result<(), MeshError> {
        let (source, hierarchy) = (self.source, self.hierarchy);
        let node = &hierarchy.nodes[index];
        let Some(mesh_index) = node.mesh else { return Ok(()) };
        let at = format!("nodes[{index}]");
        let mesh = named(&source.document.meshes, "meshes", mesh_index, &at)?;
        let weights = node
            .weights
            .as_ref()
            .or(mesh.weights.as_ref())
            .map_or(&[][..], Vec::as_slice);
        let instances = self.instances(node, &hierarchy.matrices[index], &at)?;
        for (i, primitive) in mesh.primitives.iter().enumerate() {
            source.spend(VISIT)?;
            let at = format!("meshes[{mesh_index}].primitives[{i}]");
            let Some(corners) = self.corners(primitive, &at, instances.count())? else {
                continue;
            };
            self.materials.insert(primitive.material);
            let skin = node.skin.map(|skin| (skin, hierarchy));
            let piece = Piece::read(source, primitive, &at, (corners, weights, skin))?;
            for instance in 0..instances.count() {
                self.add(&piece, &instances.placement(instance)?)?;
            }
        }
        Ok(())
    }

    /// The corners of triangles of a primitive, in threes; `None` if it has none. That `instances` of them are not too many
    /// is checked.
    fn corners(&mut self, primitive: &Primitive, at: &str, instances: u64) -> Result<Option<Vec<u32>>, MeshError> {
        let mode = primitive.mode.unwrap_or(4);
        if mode < 4 {
            self.lines_and_points.at(at);
            return Ok(None);
        }
        if mode > 6 {
            return Err(part(at, PartError::Unfit("its mode is unknown")));
        }
        let Some(&positions) = primitive.attributes.get("POSITION") else {
            self.without_positions.at(at);
            return Ok(None);
        };
        let indices = primitive
            .indices
            .map(|index| indices(self.source, index, at))
            .transpose()?;
        let positions = named(&self.source.document.accessors, "accessors", positions, at)?;
        let count = indices.as_ref().map_or(positions.count, Elements::count);
        let triangles = if mode == 4 { count / 3 } else { count.saturating_sub(2) };
        let is_incomplete = if mode == 4 {
            !count.is_multiple_of(3)
        } else {
            matches!(count, 1 | 2)
        };
        if is_incomplete {
            self.incomplete.at(at);
        }
        let made = triangles.saturating_mul(instances);
        let all = made.saturating_add(self.mesh.triangles.len() as u64);
        at_most("triangles", all, MAX_TRIANGLES.into())?;
        self.source.spend(triangles * 3)?;
        let places = (0..triangles).flat_map(|i| match mode {
            4 => [3 * i, 3 * i + 1, 3 * i + 2],
            5 => [i, i + 1 + i % 2, i + 2 - i % 2],
            _ => [i + 1, i + 2, 0],
        });
        let corner = |place| corner(place, indices.as_ref(), positions.count, at);
        let corners: Vec<_> = places.map(corner).collect::<Result<_, _>>()?;
        Ok((!corners.is_empty()).then_some(corners))
    }

    /// Adds a piece that `placement` moves; skinned ones have their places already.
    fn add(&mut self, piece: &Piece, placement: &Placement) -> Result<(), MeshError> {
        let (first_vertex, first_normal) = (self.mesh.vertices.len(), self.mesh.normals.len());
        let vertices = first_vertex.saturating_add(piece.vertices.len());
        at_most("vertices", vertices as u64, MAX_VERTICES.into())?;
        let mirrors = if let Some(bent) = &piece.placed {
            self.unweighted += bent.unweighted;
            self.mesh.vertices.extend(&piece.vertices);
            self.mesh.normals.extend(&piece.normals);
            bent.mirrors
        } else {
            self.mesh
                .vertices
                .extend(piece.vertices.iter().map(|&vertex| placement.vertex(vertex)));
            self.mesh
                .normals
                .extend(piece.normals.iter().map(|&normal| placement.normal(normal)));
            placement.determinant() < 0.0
        };
        // Below 2²¹, checked above and when the corners were counted.
        let from = |face: [u32; 3], first: usize| face.map(|corner| corner + first as u32);
        let has_normals = !piece.normals.is_empty();
        self.mesh.triangles.extend(piece.faces.iter().map(|&[a, b, c]| {
            let face = if mirrors { [a, c, b] } else { [a, b, c] };
            let normals = has_normals.then(|| from(face, first_normal));
            (from(face, first_vertex), normals)
        }));
        Ok(())
    }

    /// The places where a node's mesh is drawn.
    fn instances(&self, node: &Node, matrix: &Matrix, at: &str) -> Result<Instances<'a>, MeshError> {
        let source = self.source;
        let mut instances = Instances {
            matrix: *matrix,
            parts: None,
            count: 1,
        };
        let Some(instancing) = &node.extensions.instancing else {
            return Ok(instances);
        };
        let at = format!("{at}.extensions.EXT_mesh_gpu_instancing");
        if node.skin.is_some() {
            return Err(part(
                at,
                PartError::Unfit("instances of a mesh with a skin are not supported"),
            ));
        }
        let index = |name: &str| instancing.attributes.get(name).copied();
        let vectors = |name| {
            let wanted = "translations and scales of instances should be three floats";
            let elements = index(name).map(|index| Elements::new(source, (index, &at), &[Component::F32], wanted));
            elements.transpose()
        };
        let allowed = [Component::F32, Component::I8, Component::I16];
        let rotation = index("ROTATION").map(|index| Elements::new(source, (index, &at), &allowed, ROTATIONS));
        let parts = Parts {
            translation: vectors("TRANSLATION")?,
            rotation: rotation.transpose()?,
            scale: vectors("SCALE")?,
            at: at.clone(),
        };
        instances.count = parts.count()?;
        at_most("instances", instances.count, MAX_TRIANGLES.into())?;
        source.spend(instances.count)?;
        instances.parts = Some(parts);
        Ok(instances)
    }
}

/// The places where a mesh is drawn.
struct Instances<'a> {
    /// That of the node.
    matrix: Matrix,
    parts: Option<Parts<'a>>,
    count: u64,
}

struct Parts<'a> {
    translation: Option<Elements<'a, 3>>,
    rotation: Option<Elements<'a, 4>>,
    scale: Option<Elements<'a, 3>>,
    at: String,
}

impl Parts<'_> {
    /// How many instances there are: as many as each attribute has elements.
    fn count(&self) -> Result<u64, MeshError> {
        let counts = [
            self.translation.as_ref().map(Elements::count),
            self.rotation.as_ref().map(Elements::count),
            self.scale.as_ref().map(Elements::count),
        ];
        let mut counts = counts.into_iter().flatten();
        // Other attributes are for the program that made the file.
        let first = counts.next().unwrap_or(1);
        if counts.any(|count| count != first) {
            let reason = "its attributes have different counts";
            return Err(part(self.at.clone(), PartError::Unfit(reason)));
        }
        Ok(first)
    }
}

impl Instances<'_> {
    const fn count(&self) -> u64 {
        self.count
    }

    fn placement(&self, index: u64) -> Result<Placement, MeshError> {
        let Some(parts) = &self.parts else {
            return Ok(Placement::new(&self.matrix));
        };
        let translation = parts.translation.as_ref().map(|all| all.get(index)).transpose()?;
        let rotation = parts.rotation.as_ref().map(|all| all.get(index)).transpose()?;
        let scale = parts.scale.as_ref().map(|all| all.get(index)).transpose()?;
        let matrix = of_parts(
            translation.unwrap_or_default(),
            rotation.unwrap_or([0.0, 0.0, 0.0, 1.0]),
            scale.unwrap_or([1.0; 3]),
        );
        let zero = || part(parts.at.clone(), PartError::Unfit("a rotation is of length zero"));
        Ok(Placement::new(&multiplied(&self.matrix, &matrix.ok_or_else(zero)?)))
    }
}

fn indices<'a>(source: &'a Source<'_>, index: u32, at: &str) -> Result<Elements<'a, 1>, MeshError> {
    let allowed = [Component::U8, Component::U16, Component::U32];
    let elements = Elements::new(source, (index, at), &allowed, "indices should be unsigned integers")?;
    if elements.is_normalised() {
        let at = format!("accessors[{index}]");
        return Err(part(at, PartError::Unfit("indices should not be normalized")));
    }
    Ok(elements)
}

/// The vertex at a place of the indices, if there are some, which is one of `count`.
fn corner(place: u64, indices: Option<&Elements<'_, 1>>, count: u64, at: &str) -> Result<u32, MeshError> {
    let index = match indices {
        Some(indices) => indices.get(place)?[0] as u64,
        None => place,
    };
    if index >= count {
        let what = "vertex";
        return Err(part(format!("{at}.indices"), PartError::Missing { what, index }));
    }
    // Places are less than 2³² where there are indices, and than 2²² where there are none.
    Ok(index as u32)
}
