//! Skins: vertices that follow joints. The joints are where their nodes are, so the mesh is drawn at rest.

use super::{
    accessors::{Component, Elements},
    buffers::Source,
    document::Primitive,
    matrix::{IDENTITY, Matrix, Placement, multiplied, of_columns},
    named,
    nodes::Hierarchy,
    part,
};
use crate::error::{MeshError, PartError, at_most};

/// The most joints of a skin, and the most sets of four joints of a vertex.
const MAX_JOINTS: u64 = 1 << 16;
const MAX_SETS: usize = 16;

/// How the vertices of a primitive follow the joints of a skin.
pub(super) struct Skinning<'a> {
    joints: Vec<Matrix>,
    sets: Vec<(Elements<'a, 4>, Elements<'a, 4>)>,
    at: String,
}

impl<'a> Skinning<'a> {
    /// The skin `index`, and the attributes of a primitive for it.
    pub(super) fn new(
        source: &'a Source<'_>,
        hierarchy: &Hierarchy<'_>,
        index: u32,
        (primitive, at): (&Primitive, &str),
    ) -> Result<Self, MeshError> {
        let sets = sets(source, primitive, at)?;
        if sets.is_empty() {
            return Err(part(
                at,
                PartError::Unfit("its node has a skin, and it has no JOINTS_0 and WEIGHTS_0"),
            ));
        }
        let skin = named(&source.document.skins, "skins", index, at)?;
        let skin_at = format!("skins[{index}]");
        at_most("joints", skin.joints.len() as u64, MAX_JOINTS)?;
        source.spend(skin.joints.len() as u64)?;
        let inverses = skin.inverse_bind_matrices.map(|index| {
            let wanted = "inverseBindMatrices should be matrices of 4 × 4 floats";
            Elements::<16>::new(source, (index, &skin_at), &[Component::F32], wanted)
        });
        let inverses = inverses.transpose()?;
        if inverses
            .as_ref()
            .is_some_and(|all| all.count() < skin.joints.len() as u64)
        {
            return Err(part(
                skin_at,
                PartError::Unfit("it has fewer inverseBindMatrices than joints"),
            ));
        }
        let joints = skin.joints.iter().zip(0..).map(|(&joint, i)| {
            let matrix = named(&hierarchy.matrices, "nodes", joint, &skin_at)?;
            let inverse = inverses.as_ref().map(|all| all.get(i)).transpose()?;
            Ok(multiplied(
                matrix,
                &inverse.map_or(IDENTITY, |numbers| of_columns(&numbers)),
            ))
        });
        Ok(Self {
            joints: joints.collect::<Result<_, MeshError>>()?,
            sets,
            at: at.to_owned(),
        })
    }

    /// Moves vertices and normals, of which `used` are the places, into the space of the scene.
    pub(super) fn bend(
        &self,
        source: &Source<'_>,
        used: &[u32],
        vertices: &mut [[f64; 3]],
        normals: &mut [[f64; 3]],
    ) -> Result<Bent, MeshError> {
        source.spend(used.len() as u64 * self.sets.len() as u64)?;
        let mut normals = normals.iter_mut();
        let (mut volume, mut unweighted) = (0.0, 0);
        for (&place, vertex) in used.iter().zip(vertices) {
            let matrix = match self.blended(place)? {
                Some(matrix) => matrix,
                None => {
                    unweighted += 1;
                    self.first(place)?
                }
            };
            let placement = Placement::new(&matrix);
            *vertex = placement.vertex(*vertex);
            if let Some(normal) = normals.next() {
                *normal = placement.normal(*normal);
            }
            volume += placement.determinant();
        }
        Ok(Bent {
            mirrors: volume < 0.0,
            unweighted,
        })
    }

    /// The matrix of the joint that a vertex names first.
    fn first(&self, place: u32) -> Result<Matrix, MeshError> {
        let joint = match self.sets.first() {
            Some((joints, _)) => joints.get(place.into())?[0],
            None => 0.0,
        };
        self.joint(joint)
    }

    fn joint(&self, joint: f64) -> Result<Matrix, MeshError> {
        let missing = || {
            part(
                self.at.clone(),
                PartError::Unfit("it names a joint that its skin has not"),
            )
        };
        self.joints.get(joint as usize).copied().ok_or_else(missing)
    }

    /// The mean of the joints' matrices by their weights for a vertex; `None` if all weights are zero.
    fn blended(&self, place: u32) -> Result<Option<Matrix>, MeshError> {
        let mut blended = [[0.0; 4]; 4];
        let (mut sum, mut has_weights) = (0.0, false);
        for (joints, weights) in &self.sets {
            let (joints, weights) = (joints.get(place.into())?, weights.get(place.into())?);
            for (joint, weight) in joints.into_iter().zip(weights).filter(|(_, weight)| *weight != 0.0) {
                let matrix = self.joint(joint)?;
                has_weights = true;
                for (column, other) in blended.iter_mut().zip(matrix) {
                    *column = [0, 1, 2, 3].map(|row| column[row] + weight * other[row]);
                }
                sum += weight;
            }
        }
        if !has_weights {
            return Ok(None);
        }
        if sum <= 0.0 {
            let reason = "the weights of a vertex for its joints are zero or less in sum";
            return Err(part(self.at.clone(), PartError::Unfit(reason)));
        }
        // Weights that were rounded do not sum to one.
        Ok(Some(blended.map(|column| column.map(|c| c / sum))))
    }
}

/// What became of the vertices that follow joints.
pub(super) struct Bent {
    /// Whether they are a mirror image.
    pub(super) mirrors: bool,
    /// How many have no weights, which the format does not allow. They follow the joint that they name first, as programs that
    /// show such files do.
    pub(super) unweighted: usize,
}

type Sets<'a> = Vec<(Elements<'a, 4>, Elements<'a, 4>)>;

/// The sets of joints and weights of a primitive.
fn sets<'a>(source: &'a Source<'_>, primitive: &Primitive, at: &str) -> Result<Sets<'a>, MeshError> {
    let mut sets = Vec::new();
    for set in 0..MAX_SETS {
        let [joints, weights] = ["JOINTS", "WEIGHTS"].map(|name| primitive.attributes.get(&format!("{name}_{set}")));
        let (&joints, &weights) = match (joints, weights) {
            (Some(joints), Some(weights)) => (joints, weights),
            (None, None) => break,
            _ => {
                return Err(part(
                    at,
                    PartError::Unfit("it has joints without weights, or weights without joints"),
                ));
            }
        };
        let allowed = [Component::U8, Component::U16];
        let joints = Elements::new(
            source,
            (joints, at),
            &allowed,
            "joints should be four unsigned bytes or shorts",
        )?;
        let allowed = [Component::F32, Component::U8, Component::U16];
        let wanted = "weights should be four floats, or normalized unsigned bytes or shorts";
        let weights = Elements::new(source, (weights, at), &allowed, wanted)?;
        sets.push((joints, weights));
    }
    Ok(sets)
}
