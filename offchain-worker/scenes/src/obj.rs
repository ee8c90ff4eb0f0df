//! Meshes from Wavefront OBJ files: vertices, normals and faces. Everything else is ignored.
//!
//! This is written here because the crate `tobj` (4.0.5) overflows in its arithmetic on indices of hostile files.

use crate::{
    error::{MeshError, at_most},
    files::check_length,
    mesh::Mesh,
};
use agora_compute::scene::{MAX_TRIANGLES, MAX_VERTICES};

/// Reads all objects of an OBJ file as one mesh; faces with more corners are cut into triangles.
///
/// Errors: `TooLong`, `Obj`, `TooMany`, `NotFinite`, `Index`.
pub fn read(bytes: &[u8]) -> Result<Mesh, MeshError> {
    check_length(bytes.len())?;
    let mut mesh = Mesh::default();
    for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
        let refused = MeshError::Obj { line: number };
        // A line that is none of these, such as a name or a comment, need not be text.
        let Ok(line) = std::str::from_utf8(line) else { continue };
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("v") => mesh.vertices.push(vector(words).ok_or(refused)?),
            Some("vn") => mesh.normals.push(vector(words).ok_or(refused)?),
            Some("f") => add_face(&mut mesh, words, number)?,
            _ => {}
        }
        at_most("vertices", mesh.vertices.len() as u64, MAX_VERTICES.into())?;
        at_most("normals", mesh.normals.len() as u64, MAX_VERTICES.into())?;
        at_most("triangles", mesh.triangles.len() as u64, MAX_TRIANGLES.into())?;
    }
    mesh.validate()?;
    Ok(mesh)
}

/// The first three numbers; what may follow them is a weight or a colour.
fn vector<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<[f64; 3]> {
    let mut number = || words.next()?.parse().ok();
    Some([number()?, number()?, number()?])
}

/// Adds a face as a fan of triangles around its first corner.
fn add_face<'a>(mesh: &mut Mesh, words: impl Iterator<Item = &'a str>, line: usize) -> Result<(), MeshError> {
    let counts = [mesh.vertices.len(), mesh.normals.len()];
    let mut corners = words.map(|word| corner(word, counts).ok_or(MeshError::Obj { line }));
    let first = corners.next().ok_or(MeshError::Obj { line })??;
    let mut last = corners.next().ok_or(MeshError::Obj { line })??;
    for corner in corners {
        let corner = corner?;
        let face = [first, last, corner];
        let normals = match face.map(|(_, normal)| normal) {
            [Some(a), Some(b), Some(c)] => Some([a, b, c]),
            _ => None,
        };
        at_most("triangles", mesh.triangles.len() as u64 + 1, MAX_TRIANGLES.into())?;
        mesh.triangles.push((face.map(|(vertex, _)| vertex), normals));
        last = corner;
    }
    Ok(())
}

/// The places of a corner's vertex and normal, written `1`, `1/2`, `1//3` or `1/2/3`.
fn corner(word: &str, [vertices, normals]: [usize; 2]) -> Option<(u32, Option<u32>)> {
    let mut parts = word.split('/');
    let vertex = place(parts.next()?, vertices)?;
    match parts.nth(1) {
        None => Some((vertex, None)),
        Some(normal) => Some((vertex, Some(place(normal, normals)?))),
    }
}

/// A place counted from 0, written as counted from 1, or, below zero, back from the last of `count`.
fn place(text: &str, count: usize) -> Option<u32> {
    let number: i64 = text.parse().ok()?;
    let place = if number < 0 {
        number.checked_add(count as i64)?
    } else {
        number - 1
    };
    u32::try_from(place).ok()
}
