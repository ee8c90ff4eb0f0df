//! Meshes from Wavefront OBJ files: vertices, normals and faces. `docs/formats/scenes.md` says what becomes of each
//! statement.
//!
//! This is written here because the crate `tobj` (4.0.5) overflows in its arithmetic on indices of hostile files, and cuts
//! all faces as fans.

mod faces;
mod lines;
mod statements;

use crate::{content, error::MeshError, mesh::Mesh};
use lines::Lines;
use statements::Statements;

/// Reads all objects of an OBJ file as one mesh; faces with more corners are cut into triangles.
///
/// Errors: `TooLong`, `Foreign`, `Line`, `TooMany`, `NoTriangles`.
pub fn read(bytes: &[u8]) -> Result<Mesh, MeshError> {
    let mut statements = Statements::default();
    for (line, content) in Lines::new(content::text(bytes)?) {
        statements.add(line, &content)?;
    }
    let mesh = statements.into_mesh()?;
    mesh.validate()?;
    Ok(mesh)
}
