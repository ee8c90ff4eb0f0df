//! The nodes of a glTF file: trees, of which a scene draws some.
//!
//! Nothing here calls itself: trees may be as deep as a file has nodes.

use super::{
    document::{Document, Node},
    matrix::{IDENTITY, Matrix, multiplied, of_columns, of_parts},
    named, part,
};
use crate::error::{MeshError, PartError};

const NO_TURN: [f64; 4] = [0.0, 0.0, 0.0, 1.0];

/// All nodes with their places in the space of the scene.
pub(super) struct Hierarchy<'a> {
    pub(super) nodes: &'a [Node],
    /// The transformation of each node into the space of the scene.
    pub(super) matrices: Vec<Matrix>,
    is_root: Vec<bool>,
}

impl<'a> Hierarchy<'a> {
    /// Checks that the nodes are trees, and finds their places.
    ///
    /// Errors: `Part`.
    pub(super) fn new(nodes: &'a [Node]) -> Result<Self, MeshError> {
        let mut is_root = vec![true; nodes.len()];
        for (i, node) in nodes.iter().enumerate() {
            let at = || format!("nodes[{i}].children");
            for &child in &node.children {
                match is_root.get_mut(child as usize) {
                    Some(is_root) if *is_root => *is_root = false,
                    Some(_) => return Err(part(at(), PartError::Unfit("one of its nodes has another parent too"))),
                    None => named(nodes, "nodes", child, &at()).map(|_| ())?,
                }
            }
        }
        let mut matrices = vec![IDENTITY; nodes.len()];
        let mut is_reached = vec![false; nodes.len()];
        let roots = (0..nodes.len()).filter(|&i| is_root[i]);
        let mut waiting: Vec<_> = roots.map(|root| (root, IDENTITY)).collect();
        while let Some((i, outer)) = waiting.pop() {
            let matrix = multiplied(&outer, &matrix_of(i, &nodes[i])?);
            matrices[i] = matrix;
            is_reached[i] = true;
            waiting.extend(nodes[i].children.iter().map(|&child| (child as usize, matrix)));
        }
        // Each node has one parent at most, so those that no root leads to go round in circles.
        match is_reached.iter().position(|is_reached| !is_reached) {
            Some(i) => Err(part(format!("nodes[{i}]"), PartError::Unfit("it is within itself"))),
            None => Ok(Self {
                nodes,
                matrices,
                is_root,
            }),
        }
    }
}

/// The transformation of a node into the space of its parent.
fn matrix_of(index: usize, node: &Node) -> Result<Matrix, MeshError> {
    let unfit = |reason| Err(part(format!("nodes[{index}]"), PartError::Unfit(reason)));
    let parts = (
        node.translation.unwrap_or_default(),
        node.rotation.unwrap_or(NO_TURN),
        node.scale.unwrap_or([1.0; 3]),
    );
    let Some(numbers) = &node.matrix else {
        let matrix = of_parts(parts.0, parts.1, parts.2);
        return matrix.map_or_else(|| unfit("its rotation is of length zero"), Ok);
    };
    if parts != ([0.0; 3], NO_TURN, [1.0; 3]) {
        return unfit("it has a matrix, and also a translation, rotation or scale");
    }
    let matrix = of_columns(numbers);
    if matrix.map(|column| column[3]) != [0.0, 0.0, 0.0, 1.0] {
        return unfit("the last row of its matrix is not 0, 0, 0, 1");
    }
    Ok(matrix)
}

/// The nodes that the default scene draws, or else the first scene, or else all: parents before their children.
///
/// Errors: `Part`.
pub(super) fn drawn(document: &Document, hierarchy: &Hierarchy<'_>) -> Result<Vec<usize>, MeshError> {
    let mut waiting: Vec<usize> = roots(document, hierarchy)?;
    waiting.reverse();
    let mut drawn = Vec::new();
    while let Some(index) = waiting.pop() {
        let node = &hierarchy.nodes[index];
        let visibility = node.extensions.visibility.as_ref();
        if visibility.is_some_and(|visibility| visibility.visible == Some(false)) {
            continue;
        }
        drawn.push(index);
        waiting.extend(node.children.iter().rev().map(|&child| child as usize));
    }
    Ok(drawn)
}

fn roots(document: &Document, hierarchy: &Hierarchy<'_>) -> Result<Vec<usize>, MeshError> {
    let index = match document.scene {
        Some(index) => index,
        None if document.scenes.is_empty() => {
            return Ok((0..hierarchy.nodes.len()).filter(|&i| hierarchy.is_root[i]).collect());
        }
        None => 0,
    };
    let scene = named(&document.scenes, "scenes", index, "scene")?;
    let at = format!("scenes[{index}].nodes");
    let mut is_listed = vec![false; hierarchy.nodes.len()];
    for &node in &scene.nodes {
        named(hierarchy.nodes, "nodes", node, &at)?;
        if !hierarchy.is_root[node as usize] {
            return Err(part(at, PartError::Unfit("one of its nodes is the child of another")));
        }
        if std::mem::replace(&mut is_listed[node as usize], true) {
            return Err(part(at, PartError::Unfit("it names a node twice")));
        }
    }
    Ok(scene.nodes.iter().map(|&node| node as usize).collect())
}
