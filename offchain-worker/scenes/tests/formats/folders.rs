//! Files of a folder: those that a mesh names are beside the mesh, and none is outside of the folder of the description.

use crate::{
    document::{Document, Storage},
    measure::{Measure, assert_near, of_scene},
    obj_files::cube,
};
use agora_scenes::{Description, DescriptionError, Folder, MeshError};
use std::{fs, path::Path};

const CUBE: Measure = Measure {
    triangles: 12,
    area: 6.0,
    volume: 1.0,
};

fn describe(file: &str) -> Description {
    let text = format!(
        r#"{{ "materials": {{ "a": {{ "surface": "diffuse" }} }}, "meshes": [{{ "shape": {{ "file": {file:?} }}, "material": "a" }}],
              "camera": [{{ "position": [0, 2, 6], "target": [0, 1, 0], "field_of_view": 40 }}] }}"#
    );
    Description::parse(&text).expect("a description")
}

#[track_caller]
fn is_cube(folder: &Path, file: &str) {
    match describe(file).build(&Folder::new(folder)) {
        Ok(built) => assert_near(of_scene(&built.scene), CUBE),
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
fn refused(folder: &Path, file: &str) -> MeshError {
    match describe(file).build(&Folder::new(folder)) {
        Err(DescriptionError::Mesh { at, name, source }) => {
            assert_eq!((at.as_str(), name.as_str()), ("meshes[0]", file));
            source
        }
        other => panic!("{other:?}"),
    }
}

/// A glTF file whose buffer is at `uri`.
fn naming(uri: &str) -> String {
    Document::cube().text(Storage::Beside).replace("data/my%20box.bin", uri)
}

#[test]
fn buffers_are_beside_their_file_and_not_beside_the_description() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    fs::create_dir_all(root.join("box/deep")).expect("made");
    let bytes = Document::cube().bytes;
    // Another model's, as long.
    fs::write(root.join("scene.bin"), vec![0; bytes.len()]).expect("written");
    fs::write(root.join("box/scene.bin"), &bytes).expect("written");
    fs::write(root.join("box/scene.gltf"), naming("scene.bin")).expect("written");
    is_cube(root, "box/scene.gltf");
    is_cube(root, "./box/../box/scene.gltf");
    fs::write(root.join("box/deep/scene.gltf"), naming("../scene.bin")).expect("written");
    is_cube(root, "box/deep/scene.gltf");
    fs::write(root.join("box/deep/scene.GLTF"), naming("%2e%2e/scene.bin")).expect("written");
    is_cube(root, "box/deep/scene.GLTF");
    fs::write(root.join("top.glb"), naming("box/deep/.././scene.bin")).expect("written");
    is_cube(root, "top.glb");
    // Without its own file, that of another is not taken.
    fs::remove_file(root.join("box/scene.bin")).expect("removed");
    let error = refused(root, "box/scene.gltf");
    assert!(
        matches!(&error, MeshError::File { path, .. } if path == "box/scene.bin"),
        "{error}"
    );
}

#[test]
fn paths_may_be_written_as_on_windows() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    fs::create_dir_all(root.join("box/data")).expect("made");
    let bytes = Document::cube().bytes;
    fs::write(root.join("box/data/scene.bin"), &bytes).expect("written");
    fs::write(root.join("box/scene.gltf"), naming("data\\\\scene.bin")).expect("written");
    fs::write(root.join("box/cube.obj"), cube()).expect("written");
    // Another model's, as long.
    fs::create_dir_all(root.join("data")).expect("made");
    fs::write(root.join("data/scene.bin"), vec![0; bytes.len()]).expect("written");
    for file in ["box/scene.gltf", "box\\scene.gltf", ".\\box\\cube.obj"] {
        is_cube(root, file);
    }
    fs::write(root.join("box/scene.gltf"), naming("..\\\\..\\\\secret.bin")).expect("written");
    for file in ["box\\scene.gltf", "..\\secret.obj", "\\\\server\\secret.obj"] {
        assert!(matches!(refused(root, file), MeshError::OutsideOfFolder(_)), "{file}");
    }
    let error = refused(root, "box\\other.obj");
    assert!(
        matches!(&error, MeshError::File { path, .. } if path == "box\\other.obj"),
        "{error}"
    );
    // Where the sign is a part of a name, it is.
    if cfg!(unix) {
        fs::write(root.join("box\\other.obj"), cube()).expect("written");
        is_cube(root, "box\\other.obj");
    }
}

#[test]
fn files_outside_of_the_folder_are_refused_on_every_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("scenes");
    fs::create_dir_all(root.join("sub")).expect("made");
    fs::write(folder.path().join("secret.obj"), cube()).expect("written");
    fs::write(folder.path().join("secret.bin"), Document::cube().bytes).expect("written");
    let absolute = folder.path().join("secret.obj").to_str().expect("text").to_owned();
    for file in ["../secret.obj", "sub/../../secret.obj", absolute.as_str()] {
        assert!(matches!(refused(&root, file), MeshError::OutsideOfFolder(_)), "{file}");
    }
    for uri in ["../../secret.bin", "%2e%2e/%2e%2e/secret.bin", "..%2f..%2fsecret.bin"] {
        fs::write(root.join("sub/scene.gltf"), naming(uri)).expect("written");
        assert!(
            matches!(refused(&root, "sub/scene.gltf"), MeshError::OutsideOfFolder(_)),
            "{uri}"
        );
    }
    fs::write(root.join("sub/scene.gltf"), naming("/etc/hostname")).expect("written");
    assert!(matches!(
        refused(&root, "sub/scene.gltf"),
        MeshError::OutsideOfFolder(_)
    ));
}

#[cfg(unix)]
#[test]
fn links_are_followed_within_the_folder_only() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("scenes");
    fs::create_dir_all(&root).expect("made");
    fs::write(folder.path().join("secret.obj"), cube()).expect("written");
    fs::write(root.join("real.obj"), cube()).expect("written");
    symlink("real.obj", root.join("inside.obj")).expect("linked");
    is_cube(&root, "inside.obj");
    symlink("../secret.obj", root.join("outside.obj")).expect("linked");
    symlink(folder.path(), root.join("up")).expect("linked");
    for file in ["outside.obj", "up/secret.obj"] {
        assert!(matches!(refused(&root, file), MeshError::OutsideOfFolder(_)), "{file}");
    }
    // The folder itself may be found through a link.
    symlink(&root, folder.path().join("link")).expect("linked");
    is_cube(&folder.path().join("link"), "real.obj");
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("a.obj")).expect("made");
    for file in ["a.obj", "missing.obj"] {
        assert!(matches!(refused(folder.path(), file), MeshError::File { .. }));
    }
    for file in ["mesh.stl", "mesh", "mesh.obj.zip"] {
        assert!(refused(folder.path(), file).to_string().contains(".obj, .gltf or .glb"));
    }
}
