//! Meshes from glTF 2.0 files, text or binary: the geometry of a scene's triangles, at rest. `docs/formats/scenes.md` says
//! what is read, what is left out and what is refused.
//!
//! The text is read by types of our own (`document.rs`), which hold what geometry needs. The crate `gltf` (1.4.1) refuses valid
//! files (a scene without nodes, an animation without a node), and its validation panics on references to what does not exist.

mod accessors;
mod buffers;
mod container;
mod document;
mod matrix;
mod nodes;
mod primitives;
mod skins;

use crate::{
    error::{MeshError, PartError},
    files::Files,
    mesh::Mesh,
    warning::MeshWarning,
};
use buffers::Source;
use document::Document;
use nodes::Hierarchy;
use primitives::Reader;

/// Reads the default scene of a glTF file, or else the first one, or else all nodes, as one mesh; buffers in other files are
/// asked of `files`, by their paths from the file's folder.
///
/// Errors: those of `files`, `TooLong`, `Foreign`, `StandIn`, `Json`, `Part`, `TooMany`, `NoTriangles`, `NotFinite`.
pub fn read(bytes: &[u8], files: &dyn Files) -> Result<Mesh, MeshError> {
    let (text, binary) = container::open(bytes)?;
    let document = Document::read(text)?;
    let source = Source::new(&document, binary, files);
    let hierarchy = Hierarchy::new(&document.nodes)?;
    let mut reader = Reader::new(&source, &hierarchy);
    for node in nodes::drawn(&document, &hierarchy)? {
        reader.add_node(node)?;
    }
    let mut mesh = reader.finish();
    warn(&document, &mut mesh);
    if mesh.triangles.is_empty() {
        return Err(MeshError::NoTriangles);
    }
    mesh.validate()?;
    Ok(mesh)
}

/// Tells of what is left out of the whole file.
fn warn(document: &Document, mesh: &mut Mesh) {
    let scenes = document.scenes.len();
    if document.scene.is_none() && scenes > 1 {
        mesh.warnings.push(MeshWarning::Scenes(scenes));
    }
    if document.has_lights() {
        mesh.warnings.push(MeshWarning::Lights);
    }
}

/// An error of the part at `at`.
fn part(at: impl Into<String>, source: PartError) -> MeshError {
    MeshError::Part { at: at.into(), source }
}

/// What `index` names in `list`, the list called `what`, if it exists; `at` names it.
fn named<'a, T>(list: &'a [T], what: &'static str, index: u32, at: &str) -> Result<&'a T, MeshError> {
    list.get(index as usize).ok_or_else(|| {
        let index = index.into();
        part(at, PartError::Missing { what, index })
    })
}
