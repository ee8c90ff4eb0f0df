//! glTF files that are refused, with the part and what to do.

use crate::{
    document::{BESIDE, CORNERS, Document, FLOAT, Memory, Storage, binary},
    gltf_files::changed,
};
use agora_scenes::{Foreign, MeshError, NoFiles, gltf};
use serde_json::{Value, json};

#[track_caller]
fn refused(file: &[u8], words: &[&str]) {
    refused_with(file, &Memory::default(), words);
}

#[track_caller]
fn refused_with(file: &[u8], files: &Memory, words: &[&str]) {
    let error = match gltf::read(file, files) {
        Ok(mesh) => panic!("it is read, with {} triangles", mesh.triangles.len()),
        Err(error) => error.to_string(),
    };
    for word in words {
        assert!(error.contains(word), "{word:?} is not in {error:?}");
    }
}

/// A cube that `change` damages is refused with `words`.
#[track_caller]
fn damaged(change: impl FnOnce(&mut Value), words: &[&str]) {
    refused(changed(change).text(Storage::DataUri).as_bytes(), words);
}

#[test]
fn other_versions_are_named() {
    let version1 = r#"{"asset":{"version":"1.0"},"scene":"s","scenes":{"s":{"nodes":["n"]}},"nodes":{"n":{"meshes":["m"]}},
        "meshes":{"m":{"primitives":[]}}}"#;
    refused(version1.as_bytes(), &["asset.version", "version 1.0", "2.0"]);
    damaged(|json| json["asset"]["version"] = "3.0".into(), &["version 3.0"]);
    // As files of versions before 1.0 have it.
    for version in [json!(1), json!(0.8)] {
        damaged(
            |json| json["asset"]["version"] = version.clone(),
            &["asset.version", &format!("version {version} of glTF; 2.0 is read")],
        );
    }
    damaged(|json| json["asset"]["version"] = "x".into(), &["version x"]);
    damaged(
        |json| json["asset"]["minVersion"] = "2.1".into(),
        &["asset.minVersion", "2.1"],
    );
    damaged(
        |json| {
            json["asset"].take();
            json["asset"] = json!({});
        },
        &["asset", "no version"],
    );
    refused(b"{}", &["no version"]);
    let mut old = Document::cube().file(Storage::Binary);
    old[4] = 1;
    refused(&old, &["version 1"]);
}

#[test]
fn unknown_extensions_are_named_if_they_are_required() {
    for name in [
        "KHR_draco_mesh_compression",
        "EXT_meshopt_compression",
        "VENDOR_new_geometry",
    ] {
        damaged(
            |json| json["extensionsRequired"] = json!([name]),
            &["extensionsRequired[0]", name, "without it"],
        );
    }
    // Not required, but without it there are no vertices.
    damaged(
        |json| {
            let view = json["accessors"][0].as_object_mut().expect("an accessor");
            view.remove("bufferView");
            json["meshes"][0]["primitives"][0]["extensions"] =
                json!({ "KHR_draco_mesh_compression": { "bufferView": 0 } });
        },
        &["meshes[0].primitives[0]", "KHR_draco_mesh_compression"],
    );
    let mut packed = Document::cube();
    packed.json["bufferViews"][0]["extensions"] = json!({ "EXT_meshopt_compression": { "buffer": 1 } });
    packed.json["bufferViews"][0]["buffer"] = 1.into();
    packed.push("buffers", json!({ "byteLength": 96 }));
    refused(
        packed.text(Storage::DataUri).as_bytes(),
        &["bufferViews[0]", "EXT_meshopt_compression"],
    );
}

#[test]
fn other_files_are_named() {
    let foreign = |bytes: &[u8], kind| match gltf::read(bytes, &NoFiles) {
        Err(MeshError::Foreign(found)) => assert_eq!(found, kind),
        other => panic!("{other:?}"),
    };
    foreign(b"", Foreign::Empty);
    foreign(b"version https://git-lfs.github.com/spec/v1\n", Foreign::LfsPointer);
    foreign(b"<!doctype html>", Foreign::WebPage);
    let text = Document::cube().text(Storage::DataUri);
    foreign(
        &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
        Foreign::Wide,
    );
    refused(b"v 0 0 0\nv 1 0 0\n", &["no glTF 2.0 file", "line 1 column 1"]);
    refused(&text.as_bytes()[..text.len() / 2], &["no glTF 2.0 file", "column"]);
    let file = Document::cube().text(Storage::Beside);
    for (content, words) in [
        ("version https://git-lfs.github.com/spec/v1\noid x", "Git LFS"),
        ("<!DOCTYPE html>", "web page"),
    ] {
        refused_with(
            file.as_bytes(),
            &Memory::default().with(BESIDE, content),
            &[BESIDE, words],
        );
    }
}

#[test]
fn files_that_are_cut_off_are_named() {
    let cube = Document::cube();
    let file = cube.file(Storage::Binary);
    refused(&file[..file.len() - 1], &["the container needs", "cut off"]);
    refused(&file[..10], &["needs 12 bytes", "there are 10"]);
    refused(&file[..4], &["needs 12 bytes"]);
    let short = Memory::default().with(BESIDE, &cube.bytes[..100]);
    refused_with(
        &cube.file(Storage::Beside),
        &short,
        &["buffers[0]", "168", "100", "not the one that belongs here"],
    );
    damaged(
        |json| json["accessors"][0]["count"] = 9.into(),
        &["accessors[0]", "needs 108 bytes", "there are 96"],
    );
    damaged(
        |json| json["accessors"][0]["byteOffset"] = u64::MAX.into(),
        &["accessors[0]"],
    );
    damaged(
        |json| json["bufferViews"][1]["byteLength"] = 73.into(),
        &["bufferViews[1]", "169", "168"],
    );
    damaged(
        |json| json["bufferViews"][1]["byteOffset"] = u64::MAX.into(),
        &["bufferViews[1]"],
    );
    let mut header = file.clone();
    header[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
    refused(&header, &["the container needs"]);
    let no_text = [&b"glTF\x02\0\0\0\x18\0\0\0\x04\0\0\0BIN\0"[..], &[0; 4]].concat();
    refused(&no_text, &["first chunk should be its text"]);
}

#[test]
fn references_to_nothing_are_named() {
    damaged(|json| json["scene"] = 7.into(), &["scene", "scenes 7"]);
    damaged(
        |json| json["scenes"][0]["nodes"] = json!([7]),
        &["scenes[0].nodes", "nodes 7"],
    );
    damaged(|json| json["nodes"][0]["mesh"] = 7.into(), &["nodes[0]", "meshes 7"]);
    damaged(
        |json| json["nodes"][0]["children"] = json!([7]),
        &["nodes[0].children", "nodes 7"],
    );
    damaged(
        |json| json["meshes"][0]["primitives"][0]["indices"] = 7.into(),
        &["meshes[0].primitives[0]", "accessors 7"],
    );
    damaged(
        |json| json["accessors"][0]["bufferView"] = 7.into(),
        &["accessors[0]", "bufferViews 7"],
    );
    damaged(
        |json| json["bufferViews"][0]["buffer"] = 7.into(),
        &["bufferViews[0]", "buffers 7"],
    );
    let mut index = Document::cube();
    index.bytes[96] = 8;
    refused(
        index.text(Storage::DataUri).as_bytes(),
        &["meshes[0].primitives[0].indices", "vertex 8"],
    );
    let nothing = binary(Document::cube().text(Storage::Binary).as_bytes(), &[]);
    refused(&nothing, &["buffers[0]", "168"]);
    refused(
        Document::cube().text(Storage::Binary).as_bytes(),
        &["buffers[0]", "neither a uri"],
    );
}

#[test]
fn nodes_that_are_no_trees_are_named() {
    damaged(
        |json| json["nodes"] = json!([{ "mesh": 0, "children": [1] }, { "children": [1] }]),
        &["nodes[1].children", "another parent"],
    );
    damaged(
        |json| json["nodes"] = json!([{ "mesh": 0 }, { "children": [2] }, { "children": [1] }]),
        &["nodes[1]", "within itself"],
    );
    damaged(
        |json| json["nodes"] = json!([{ "mesh": 0, "children": [0] }]),
        &["nodes[0]", "within itself"],
    );
    damaged(
        |json| json["scenes"][0]["nodes"] = json!([0, 0]),
        &["scenes[0].nodes", "twice"],
    );
    damaged(
        |json| json["nodes"] = json!([{ "mesh": 0 }, { "children": [0], "scale": [2, 2, 2] }]),
        &["scenes[0].nodes", "child"],
    );
    let identity = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    damaged(
        |json| json["nodes"][0] = json!({ "matrix": identity, "scale": [2, 1, 1] }),
        &["nodes[0]", "matrix"],
    );
    damaged(
        |json| {
            json["nodes"][0]["matrix"] = json!(identity);
            json["nodes"][0]["matrix"][3] = 1.into();
        },
        &["last row"],
    );
    damaged(
        |json| json["nodes"][0]["rotation"] = json!([0, 0, 0, 0]),
        &["nodes[0]", "length zero"],
    );
}

#[test]
fn elements_of_other_kinds_are_named() {
    damaged(
        |json| json["accessors"][0]["type"] = "VEC2".into(),
        &["accessors[0]", "three floats"],
    );
    damaged(
        |json| json["accessors"][0]["componentType"] = 5125.into(),
        &["accessors[0]", "KHR_mesh_quantization"],
    );
    damaged(
        |json| json["accessors"][1]["componentType"] = 5122.into(),
        &["accessors[1]", "unsigned"],
    );
    damaged(
        |json| json["accessors"][1]["normalized"] = true.into(),
        &["accessors[1]", "normalized"],
    );
    damaged(
        |json| json["bufferViews"][0]["byteStride"] = 8.into(),
        &["bufferViews[0]", "byteStride", "overlap"],
    );
    damaged(
        |json| json["meshes"][0]["primitives"][0]["mode"] = 7.into(),
        &["mode is unknown"],
    );
    damaged(
        |json| json["meshes"][0]["primitives"][0]["attributes"]["NORMAL"] = 1.into(),
        &["accessors[1]"],
    );
    damaged(
        |json| json["accessors"][0]["count"] = json!(-1),
        &["no glTF 2.0 file", "column"],
    );
    let mut nan = Document::cube();
    nan.bytes[4..8].copy_from_slice(&f32::NAN.to_le_bytes());
    refused(
        nan.text(Storage::DataUri).as_bytes(),
        &["accessors[0]: element 0", "not finite"],
    );
    let mut few = Document::cube();
    let normals = few.vectors(&CORNERS[..7]);
    few.json["meshes"][0]["primitives"][0]["attributes"]["NORMAL"] = normals.into();
    refused(
        few.text(Storage::DataUri).as_bytes(),
        &["meshes[0].primitives[0].NORMAL", "fewer elements"],
    );
}

#[test]
fn addresses_that_are_no_files_beside_are_named() {
    for uri in [
        "https://example.org/box.bin",
        "file:///etc/passwd",
        "C:/box.bin",
        "//host/box.bin",
        "a%ffb.bin",
    ] {
        let file = Document::cube()
            .text(Storage::Beside)
            .replace(&BESIDE.replace(' ', "%20"), uri);
        refused(file.as_bytes(), &["buffers[0]", "only files beside"]);
    }
    let text = Document::cube().text(Storage::DataUri);
    refused(
        text.replace("base64,", "base64,*").as_bytes(),
        &["buffers[0]", "base 64"],
    );
    refused(text.replace("base64,", "base64").as_bytes(), &["buffers[0]", "comma"]);
    refused_with(
        &Document::cube().file(Storage::Beside),
        &Memory::default(),
        &["data/my box.bin cannot be read"],
    );
}

#[test]
fn nothing_to_draw_is_told() {
    damaged(|json| json["nodes"] = json!([{}]), &["no triangles"]);
    damaged(|json| json["scenes"] = json!([{}]), &["no triangles"]);
    damaged(
        |json| json["meshes"][0]["primitives"][0]["mode"] = 1.into(),
        &["no triangles"],
    );
}

#[test]
fn lists_are_bounded_before_memory_is_used() {
    let many = format!("[{}{{}}]", "{},".repeat(70_000));
    let file = |list: &str| format!(r#"{{"asset":{{"version":"2.0"}},"{list}":{many}}}"#);
    refused(file("nodes").as_bytes(), &["at most 65536 objects"]);
    let huge = format!(
        r#"{{"asset":{{"version":"2.0"}},"nodes":[{{"children":[{}0]}}]}}"#,
        "0,".repeat(1 << 22)
    );
    refused(huge.as_bytes(), &["values in its text"]);
    damaged(
        |json| {
            json["accessors"][0] = json!({ "componentType": FLOAT, "count": 4_000_000_000u64, "type": "VEC3" });
            let primitive = json["meshes"][0]["primitives"][0].as_object_mut().expect("a primitive");
            primitive.remove("indices");
        },
        &["triangles; at most 1048576"],
    );
    // A small file that refers to the same data again and again.
    damaged(
        |json| {
            let child = json!({ "mesh": 0 });
            json["nodes"] = (0..60_000).map(|_| child.clone()).collect();
            json["scenes"][0]["nodes"] = (0..60_000).collect();
            let line = json!({ "attributes": { "POSITION": 0 }, "mode": 1 });
            json["meshes"][0]["primitives"] = (0..60_000).map(|_| line.clone()).collect();
        },
        &["elements to read"],
    );
}
