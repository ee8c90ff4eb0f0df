//! What a file is by its content, whatever its name says.

use crate::error::MeshError;
use crate::files::check_length;

/// The mark before UTF-8 text.
const MARK: &[u8] = b"\xEF\xBB\xBF";
/// A file is judged by so many of its first bytes.
const BEGINNING: usize = 512;

/// Files that are something else than their names say, with the remedy.
#[derive(thiserror::Error, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Foreign {
    /// Nothing.
    #[error("it is empty")]
    Empty,
    /// Text in another encoding.
    #[error("it is UTF-16 or UTF-32 text: save it as UTF-8")]
    Wide,
    /// What Git has in place of a large file.
    #[error("it is a pointer of Git LFS in place of the file: fetch that with `git lfs pull`")]
    LfsPointer,
    /// A page of a web site, such as one that says where to log in.
    #[error("it is a web page (HTML or XML) in place of the file: download the file itself")]
    WebPage,
    /// An STL file.
    #[error("it is an STL file: convert it to OBJ or glTF")]
    Stl,
    /// A PLY file.
    #[error("it is a PLY file: convert it to OBJ or glTF")]
    Ply,
    /// A file of a modelling program.
    #[error("it is a file of a modelling program (FBX or Blender): export it as OBJ or glTF")]
    Program,
    /// A glTF file, or other JSON.
    #[error("it is a glTF file or other JSON: let the name of a glTF file end in .gltf or .glb")]
    Gltf,
    /// A packed file.
    #[error("it is a packed file (zip, gzip, xz or 7z): unpack it first")]
    Packed,
    /// Binary data of another kind.
    #[error("it has bytes that are zero, so it is no text: it is of another kind, or damaged")]
    Binary,
}

const BEGINNINGS: [(&[u8], Foreign); 14] = [
    (b"\xFF\xFE", Foreign::Wide),
    (b"\xFE\xFF", Foreign::Wide),
    (b"\0\0\xFE\xFF", Foreign::Wide),
    (b"version https://git-lfs", Foreign::LfsPointer),
    (b"solid", Foreign::Stl),
    (b"ply\n", Foreign::Ply),
    (b"ply\r", Foreign::Ply),
    (b"Kaydara FBX", Foreign::Program),
    (b"BLENDER", Foreign::Program),
    (b"glTF", Foreign::Gltf),
    (b"PK\x03\x04", Foreign::Packed),
    (b"\x1F\x8B", Foreign::Packed),
    (b"7z\xBC\xAF", Foreign::Packed),
    (b"\xFD7zXZ", Foreign::Packed),
];

/// The content of a text file that is no JSON, without the byte order mark.
///
/// Errors: `TooLong`, `Foreign`.
pub(crate) fn text(bytes: &[u8]) -> Result<&[u8], MeshError> {
    check_length(bytes.len())?;
    known(bytes)?;
    let text = without_mark(bytes);
    if text.trim_ascii_start().starts_with(b"{") {
        return Err(Foreign::Gltf.into());
    }
    Ok(text)
}

/// The content without the byte order mark.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK).unwrap_or(bytes)
}

/// Refuses what is known to be no text of ours.
pub(crate) fn known(bytes: &[u8]) -> Result<(), Foreign> {
    let text = without_mark(bytes).trim_ascii_start();
    let begins = |beginning: &[u8]| bytes.starts_with(beginning) || text.starts_with(beginning);
    if let Some(&(_, kind)) = BEGINNINGS.iter().find(|(beginning, _)| begins(beginning)) {
        return Err(kind);
    }
    match text.first() {
        None => Err(Foreign::Empty),
        Some(b'<') => Err(Foreign::WebPage),
        _ if is_stl(bytes) => Err(Foreign::Stl),
        _ if !bytes.contains(&0) => Ok(()),
        _ if is_wide(bytes) => Err(Foreign::Wide),
        _ => Err(Foreign::Binary),
    }
}

/// Refuses what servers and Git have in place of binary data.
pub(crate) fn stand_in(bytes: &[u8]) -> Result<(), Foreign> {
    let lower = bytes
        .get(..BEGINNING)
        .unwrap_or(bytes)
        .trim_ascii_start()
        .to_ascii_lowercase();
    let begins = |beginning: &str| lower.starts_with(beginning.as_bytes());
    if begins("version https://git-lfs") {
        Err(Foreign::LfsPointer)
    } else if begins("<!doctype") || begins("<html") || begins("<?xml") {
        Err(Foreign::WebPage)
    } else {
        Ok(())
    }
}

/// Whether the length is that of a binary STL file with as many triangles as it says.
fn is_stl(bytes: &[u8]) -> bool {
    let count = bytes.get(80..).and_then(|rest| rest.first_chunk::<4>());
    count.is_some_and(|&count| 84 + 50 * u64::from(u32::from_le_bytes(count)) == bytes.len() as u64)
}

/// Whether about every other byte at the beginning is zero, as in UTF-16 text without a mark.
fn is_wide(bytes: &[u8]) -> bool {
    let beginning = bytes.get(..BEGINNING).unwrap_or(bytes);
    let zeros = |odd: usize| beginning.iter().skip(odd).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    even.max(odd) * 5 >= beginning.len() * 2 && even.min(odd) * 20 <= beginning.len()
}
