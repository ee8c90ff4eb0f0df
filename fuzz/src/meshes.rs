//! What must hold of files that claim to be a mesh, and of texts that claim to describe a scene.
//!
//! A file is refused, or becomes a mesh whose triangles refer to vertices and normals that exist. A scene with the mesh
//! is refused, or is within the limits of scenes.

use crate::scenes::{check_scene, check_scene_limits};
use agora_scenes::{Description, Files, Mesh, MeshError, ShapeDescription, gltf, obj};

/// The content of every file that a glTF file names.
const BUFFER: [u8; 96] = [0x3f; 96];

/// A folder with one mesh in it; all other files have the same content.
struct Folder<'a>(&'a [u8]);

impl Files for Folder<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, MeshError> {
        let content = if path.starts_with("mesh.") { self.0 } else { &BUFFER };
        Ok(content.to_vec())
    }
}

/// The description of a scene with the mesh in the file `name`.
fn describe(name: &str, shading: &str) -> Description {
    let text = format!(
        r#"{{ "materials": {{ "a": {{ "surface": "diffuse" }} }},
              "meshes": [{{ "shape": {{ "file": "{name}" }}, "material": "a", "shading": "{shading}", "scale": -0.5, "turn": [10, 20, 30] }}],
              "camera": [{{ "position": [0, 2, 6], "target": [0, 1, 0], "field_of_view": 40 }}] }}"#
    );
    Description::parse(&text).expect("it is a description")
}

fn check_mesh(mesh: &Mesh) {
    let [vertices, normals] = [&mesh.vertices, &mesh.normals];
    assert!(vertices.len() <= 1 << 20 && normals.len() <= 1 << 20 && mesh.triangles.len() <= 1 << 20);
    assert!(vertices.iter().chain(normals).flatten().all(|c| c.is_finite()));
    let exist = |places: &[u32; 3], count: usize| places.iter().all(|&place| (place as usize) < count);
    for (corners, at) in &mesh.triangles {
        assert!(exist(corners, vertices.len()) && at.as_ref().is_none_or(|places| exist(places, normals.len())));
    }
}

/// What every description finds in a file called `mesh.obj`.
const TRIANGLE: &[u8] = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n";
/// The most triangles of a mesh that is built into a scene: with more, thousands of tries would take too long.
const MAX_BUILT: usize = 1 << 12;

/// Builds scenes from a file with a mesh.
fn check_built(name: &str, bytes: &[u8], mesh: &Mesh) {
    if mesh.triangles.len() > MAX_BUILT {
        return;
    }
    for shading in ["as-given", "smooth", "flat"] {
        if let Ok(built) = describe(name, shading).build(&Folder(bytes)) {
            let scene = built.scene;
            assert_eq!(scene.triangles.len(), mesh.triangles.len());
            assert!(check_scene(&scene.encode()).is_some());
        }
    }
}

/// Checks bytes as an OBJ file, and returns the mesh if there is one.
pub fn check_obj(bytes: &[u8]) -> Option<Mesh> {
    let mesh = obj::read(bytes).ok()?;
    check_mesh(&mesh);
    let lines = |what: &str| {
        let begins = |line: &&[u8]| {
            let mut words = line.split(|byte| byte.is_ascii_whitespace() || *byte == b'#');
            words.find(|word| !word.is_empty()) == Some(what.as_bytes())
        };
        let is_comment = |line: &&[u8]| line.trim_ascii_start().starts_with(b"#");
        let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
        lines.filter(|line| !is_comment(line)).filter(begins).count()
    };
    // Lines that are continued and byte order marks are left to the reader.
    if !bytes.iter().any(|byte| matches!(byte, b'\\' | 0xef)) {
        assert_eq!(mesh.vertices.len(), lines("v"));
        // Smoothing groups add normals.
        let added = mesh.normals.len().checked_sub(lines("vn"));
        assert!(added.is_some_and(|added| added == 0 || lines("s") > 0));
    }
    check_built("mesh.obj", bytes, &mesh);
    Some(mesh)
}

/// A binary glTF file of `text`, with a buffer as long as those of other files.
pub fn binary(text: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], content: &[u8]| [&(content.len() as u32).to_le_bytes()[..], kind, content].concat();
    let chunks = [chunk(b"JSON", text), chunk(b"BIN\0", &BUFFER)].concat();
    let length = (12 + chunks.len()) as u32;
    [&b"glTF\x02\0\0\0"[..], &length.to_le_bytes(), &chunks].concat()
}

/// Checks bytes as a glTF file, and returns the mesh if there is one.
pub fn check_gltf(bytes: &[u8]) -> Option<Mesh> {
    let mesh = gltf::read(bytes, &Folder(bytes)).ok()?;
    check_mesh(&mesh);
    check_built("mesh.gltf", bytes, &mesh);
    Some(mesh)
}

/// Checks a text as a description of a scene, and returns it if it is one.
pub fn check_description(bytes: &[u8]) -> Option<Description> {
    let description = Description::read(bytes).ok()?;
    let again = serde_json::to_string(&description).expect("it is text that became it");
    let again = Description::parse(&again).expect("what was read is written so that it can be read");
    assert_eq!(again.materials.len(), description.materials.len());
    let triangles = description.meshes.iter().map(|mesh| match mesh.shape {
        ShapeDescription::File(_) => 1,
        ShapeDescription::Icosphere(subdivisions) => 20 << (2 * subdivisions.min(20)),
        ShapeDescription::TorusKnot { segments, sides, .. } => u64::from(segments) * u64::from(sides) * 2,
    });
    // Saturating: there may be any number of huge meshes.
    if triangles.fold(0, u64::saturating_add) > MAX_BUILT as u64 {
        return Some(description);
    }
    if let Ok(built) = description.build(&Folder(TRIANGLE)) {
        check_scene_limits(&built.scene);
        assert!(check_scene(&built.scene.encode()).is_some());
    }
    Some(description)
}
