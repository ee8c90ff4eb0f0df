//! glTF files that are read.

use crate::{
    document::{
        BESIDE, CORNERS, Document, FLOAT, INDICES, Memory, Storage, UNSIGNED_BYTE, UNSIGNED_INT, UNSIGNED_SHORT,
        binary, floats, integers,
    },
    measure::{agreement, assert_measure},
};
use agora_scenes::{Mesh, MeshError, MeshWarning, NoFiles, Place, gltf};
use serde_json::{Value, json};

#[track_caller]
pub fn good(result: Result<Mesh, MeshError>) -> Mesh {
    match result {
        Ok(mesh) => mesh,
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
pub fn is_cube(result: Result<Mesh, MeshError>) -> Mesh {
    let mesh = good(result);
    assert_measure(&mesh, 12, 6.0, 1.0);
    assert_eq!(mesh.warnings, []);
    mesh
}

/// The cube, of which `change` changes the document.
pub fn changed(change: impl FnOnce(&mut Value)) -> Document {
    let mut document = Document::cube();
    change(&mut document.json);
    document
}

#[test]
fn data_are_in_the_text_the_binary_chunk_or_a_file() {
    let cube = Document::cube();
    is_cube(cube.read());
    is_cube(gltf::read(&cube.file(Storage::Binary), &NoFiles));
    let files = Memory::default().with(BESIDE, cube.bytes.clone());
    is_cube(gltf::read(&cube.file(Storage::Beside), &files));
    // Longer than the document says.
    let longer = Memory::default().with(BESIDE, [&cube.bytes[..], &[7; 100]].concat());
    is_cube(gltf::read(&cube.file(Storage::Beside), &longer));
}

#[test]
fn names_of_files_may_be_encoded_or_not() {
    for (name, uri) in [
        ("my box.bin", "my%20box.bin"),
        ("my box.bin", "my box.bin"),
        ("w\u{fc}rfel.bin", "w%C3%BCrfel.bin"),
        ("w\u{fc}rfel.bin", "w\u{fc}rfel.bin"),
        ("100%.bin", "100%.bin"),
        ("a%20b.bin", "a%20b.bin"),
        ("a%20b.bin", "a%2520b.bin"),
        ("a+b.bin", "a+b.bin"),
        ("sub/box.bin", "./sub/box.bin"),
    ] {
        let cube = Document::cube();
        let text = cube.text(Storage::Beside).replace(&BESIDE.replace(' ', "%20"), uri);
        let memory = Memory::default().with(name.trim_start_matches("./"), cube.bytes.clone());
        let memory = memory.with(&format!("./{name}"), cube.bytes.clone());
        is_cube(gltf::read(text.as_bytes(), &memory));
    }
}

#[test]
fn data_in_the_text_may_be_written_in_all_ways() {
    let cube = Document::cube();
    let text = cube.text(Storage::DataUri);
    let prefix = "data:application/octet-stream;base64,";
    assert!(text.contains(prefix));
    for other in [
        "data:;base64,",
        "data:application/gltf-buffer;base64,",
        "DATA:a/b;charset=x;BASE64,",
    ] {
        is_cube(gltf::read(text.replace(prefix, other).as_bytes(), &NoFiles));
    }
    is_cube(gltf::read(
        text.replace('=', "").replace('+', "%2B").as_bytes(),
        &NoFiles,
    ));
    is_cube(gltf::read(text.replace("AAAAA", "AAA\\nAA").as_bytes(), &NoFiles));
    let hex: String = cube.bytes.iter().map(|byte| format!("%{byte:02x}")).collect();
    let start = text.find(prefix).expect("it is there");
    let end = start + text[start..].find('"').expect("it ends");
    is_cube(gltf::read(
        text.replace(&text[start..end], &format!("data:,{hex}")).as_bytes(),
        &NoFiles,
    ));
}

#[test]
fn marks_and_padding_around_the_text_are_no_part_of_it() {
    let cube = Document::cube();
    let text = cube.text(Storage::DataUri);
    is_cube(gltf::read(format!("\u{feff}{text}").as_bytes(), &NoFiles));
    is_cube(gltf::read(format!("{text}\0\0").as_bytes(), &NoFiles));
    let padded = format!("{}\0\0\0", cube.text(Storage::Binary));
    is_cube(gltf::read(&binary(padded.as_bytes(), &cube.bytes), &NoFiles));
    // Chunks of other kinds, and bytes behind the file.
    let mut file = cube.file(Storage::Binary);
    file.extend(b"\x04\0\0\0MORE1234");
    let length = file.len() as u32;
    file[8..12].copy_from_slice(&length.to_le_bytes());
    file.extend([9; 5]);
    is_cube(gltf::read(&file, &NoFiles));
}

#[test]
fn scenes_may_be_missing() {
    is_cube(
        changed(|json| {
            let _ = json
                .as_object_mut()
                .map(|all| (all.remove("scenes"), all.remove("scene")));
        })
        .read(),
    );
    is_cube(
        changed(|json| {
            json["scenes"] = json!([]);
            json["scene"].take();
            let _ = json.as_object_mut().map(|all| all.remove("scene"));
        })
        .read(),
    );
    // The default one is drawn alone, and one may have no nodes.
    is_cube(changed(|json| json["scenes"] = json!([{ "nodes": [0] }, {}])).read());
    let second = changed(|json| {
        json["scenes"] = json!([{}, { "nodes": [0] }]);
        json["scene"] = 1.into();
    });
    is_cube(second.read());
    let several = changed(|json| {
        json["scenes"] = json!([{ "nodes": [0] }, { "nodes": [1] }]);
        let _ = json.as_object_mut().map(|all| all.remove("scene"));
        json["nodes"] = json!([{ "mesh": 0 }, { "mesh": 0, "scale": [3, 3, 3] }]);
    });
    let mesh = good(several.read());
    assert_measure(&mesh, 12, 6.0, 1.0);
    assert_eq!(mesh.warnings, [MeshWarning::Scenes(2)]);
    let roots = changed(|json| {
        let _ = json
            .as_object_mut()
            .map(|all| (all.remove("scenes"), all.remove("scene")));
        json["nodes"] =
            json!([{ "mesh": 0 }, { "children": [0], "scale": [2, 2, 2] }, { "mesh": 0, "translation": [9, 9, 9] }]);
    });
    assert_measure(&good(roots.read()), 24, 30.0, 9.0);
}

#[test]
fn parts_without_geometry_are_skipped_whatever_is_in_them() {
    is_cube(
        changed(|json| {
            json["animations"] = json!([{ "samplers": [{ "input": 2, "output": 3 }],
            "channels": [{ "sampler": 0, "target": { "path": "rotation" } }] }]);
            json["materials"] = json!([{ "pbrMetallicRoughness": { "baseColorTexture": { "index": 99 } } }]);
            json["textures"] = json!([{ "source": 5 }]);
            json["images"] = json!([{ "uri": "missing.png" }]);
            json["cameras"] = json!([{ "type": "other" }]);
            json["extras"] = json!({ "any": [null, 1.5, "x"] });
            json["extensionsUsed"] = json!(["VENDOR_unknown", "KHR_materials_unlit"]);
            json["asset"] = json!({ "version": "2.1", "minVersion": "2.0", "generator": "x" });
        })
        .read(),
    );
    // Extensions of materials and textures may be required, those of later times too.
    for name in [
        "KHR_materials_volume_scatter",
        "KHR_texture_procedurals",
        "KHR_techniques_webgl",
        "KHR_technique_webgl",
        "KHR_texture_basisu",
    ] {
        is_cube(changed(|json| json["extensionsRequired"] = json!([name])).read());
    }
    // A buffer that nothing of the mesh needs may be missing.
    let mut document = Document::cube();
    document.push("buffers", json!({ "byteLength": 9, "uri": "missing.bin" }));
    document.push("bufferViews", json!({ "buffer": 1, "byteLength": 9 }));
    is_cube(document.read());
}

#[test]
fn nodes_may_be_as_deep_as_there_are_nodes() {
    for depth in [100usize, 60_000] {
        let document = changed(|json| {
            let link = |i: usize| json!({ "translation": [0.001, 0, 0], "children": [i + 1] });
            let mut nodes: Vec<_> = (0..depth).map(link).collect();
            nodes.push(json!({ "mesh": 0 }));
            json["nodes"] = nodes.into();
        });
        let mesh = is_cube(document.read());
        let furthest = mesh.vertices.iter().map(|vertex| vertex[0]).fold(0.0, f64::max);
        assert!((furthest - 1.0 - 0.001 * depth as f64).abs() < 1e-6);
    }
}

#[test]
fn mirrored_nodes_keep_their_outside() {
    let mut document = Document::cube();
    let outward = CORNERS.map(|corner| corner.map(|c| c - 0.5));
    let normals = document.vectors(&outward);
    document.json["meshes"][0]["primitives"][0]["attributes"]["NORMAL"] = normals.into();
    for node in [
        json!({ "mesh": 0, "scale": [-1, 1, 1] }),
        json!({ "mesh": 0, "scale": [-1, -1, -1] }),
        json!({ "mesh": 0, "scale": [-1, -1, 1] }),
        json!({ "mesh": 0, "matrix": [0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 5, 6, 7, 1] }),
        json!({ "mesh": 0, "rotation": [0.5, 0.5, 0.5, 0.5] }),
        // Rounded: still a turn.
        json!({ "mesh": 0, "rotation": [0.501, 0.501, 0.501, 0.501] }),
    ] {
        document.json["nodes"] = json!([node]);
        let mesh = is_cube(document.read());
        assert!(agreement(&mesh) > 0.5, "{node}");
    }
    document.json["nodes"] = json!([{ "mesh": 0, "scale": [2, 1, -3] }]);
    let mesh = good(document.read());
    assert_measure(&mesh, 12, 22.0, 6.0);
    assert!(agreement(&mesh) > 0.2);
}

#[test]
fn strips_and_fans_are_read() {
    let mut document = Document::new();
    let strip = [
        [0.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [1.0, 0.0, 0.0],
        [1.0, 1.0, 0.0],
        [2.0, 0.0, 0.0],
        [2.0, 1.0, 0.0],
    ];
    let rim = [0.0f64, 0.5, 1.0, 1.5, 2.0].map(|angle| [angle.cos(), 2.0 + angle.sin(), 0.0]);
    let fan: Vec<_> = [[0.0, 2.0, 0.0]].into_iter().chain(rim).collect();
    let square = [[3.0, 0.0, 0.0], [4.0, 0.0, 0.0], [4.0, 1.0, 0.0], [3.0, 1.0, 0.0]];
    let (strip, fan, square) = (
        document.vectors(&strip),
        document.vectors(&fan),
        document.vectors(&square),
    );
    let indices = document.indices(UNSIGNED_BYTE, &[0, 1, 2, 0, 2, 3]);
    document.primitive(json!({ "attributes": { "POSITION": strip }, "mode": 5 }));
    document.primitive(json!({ "attributes": { "POSITION": fan }, "mode": 6 }));
    document.primitive(json!({ "attributes": { "POSITION": square }, "indices": indices }));
    let mesh = good(document.read());
    assert_measure(&mesh, 10, 3.0 + 2.0 * 0.5f64.sin(), 0.0);
    assert_eq!(mesh.warnings, []);
    // The strip looks down, the others up: no triangle is turned over.
    let up = |places: [u32; 3]| {
        let [a, b, c] = places.map(|place| mesh.vertices[place as usize]);
        (b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0])
    };
    assert!(
        mesh.triangles
            .iter()
            .enumerate()
            .all(|(i, (places, _))| up(*places) == (i >= 4))
    );
}

#[test]
fn lines_and_points_are_left_out_and_told() {
    let mut document = Document::cube();
    for mode in 0..4 {
        document.primitive(json!({ "attributes": { "POSITION": 0 }, "mode": mode }));
    }
    let mesh = good(document.read());
    assert_measure(&mesh, 12, 6.0, 1.0);
    let first = Place::Path("meshes[0].primitives[1]".to_owned());
    assert_eq!(mesh.warnings, [MeshWarning::LinesAndPoints { count: 4, first }]);
    let mut document = Document::cube();
    document.primitive(json!({ "attributes": { "NORMAL": 0 } }));
    let first = Place::Path("meshes[0].primitives[1]".to_owned());
    assert_eq!(
        good(document.read()).warnings,
        [MeshWarning::NoPositions { count: 1, first }]
    );
    let left_over = changed(|json| json["accessors"][1]["count"] = 35.into());
    let mesh = good(left_over.read());
    assert_eq!(mesh.triangles.len(), 11);
    let first = Place::Path("meshes[0].primitives[0]".to_owned());
    assert_eq!(mesh.warnings, [MeshWarning::Incomplete { count: 1, first }]);
    let lights = changed(|json| json["extensions"] = json!({ "KHR_lights_punctual": { "lights": [] } }));
    assert_eq!(good(lights.read()).warnings, [MeshWarning::Lights]);
    let mut document = Document::cube();
    document.primitive(json!({ "attributes": { "POSITION": 0 }, "indices": 1, "material": 0 }));
    assert_eq!(good(document.read()).warnings, [MeshWarning::Materials(2)]);
}

#[test]
fn indices_are_of_each_size_or_missing() {
    for component in [UNSIGNED_BYTE, UNSIGNED_SHORT, UNSIGNED_INT] {
        let mut document = Document::new();
        document.vectors(&CORNERS);
        document.indices(component, &INDICES);
        document.primitive(json!({ "attributes": { "POSITION": 0 }, "indices": 1 }));
        is_cube(document.read());
    }
    let mut document = Document::new();
    document.vectors(&INDICES.map(|place| CORNERS[place]));
    document.primitive(json!({ "attributes": { "POSITION": 0 } }));
    is_cube(document.read());
}

#[test]
fn elements_may_lie_between_others() {
    let mut document = Document::new();
    let bytes: Vec<u8> = CORNERS
        .iter()
        .flat_map(|corner| floats(corner.iter().copied().chain([7.0, 8.0])))
        .collect();
    let view = document.view(&[&[1; 8][..], &bytes[..bytes.len() - 8]].concat());
    document.json["bufferViews"][view]["byteStride"] = 20.into();
    document.push(
        "accessors",
        json!({ "bufferView": view, "byteOffset": 8, "componentType": FLOAT, "count": 8, "type": "VEC3" }),
    );
    document.indices(UNSIGNED_SHORT, &INDICES);
    document.primitive(json!({ "attributes": { "POSITION": 0 }, "indices": 1 }));
    is_cube(document.read());
}

#[test]
fn elements_that_lie_between_others_may_have_views_of_their_own() {
    // Each view begins at its first element and ends with its last, not with a whole stride.
    let mut document = Document::new();
    let elements = CORNERS
        .iter()
        .flat_map(|corner| corner.iter().copied().chain([0.0, 0.0, 1.0]));
    let bytes = floats(elements);
    let view = document.view(&bytes);
    for (offset, length) in [(0, bytes.len() - 12), (12, bytes.len() - 12)] {
        let view = json!({ "buffer": 0, "byteOffset": offset, "byteLength": length, "byteStride": 24 });
        let view = document.push("bufferViews", view);
        let accessor = json!({ "bufferView": view, "componentType": FLOAT, "count": 8, "type": "VEC3" });
        document.push("accessors", accessor);
    }
    assert_eq!(view, 0);
    let indices = document.indices(UNSIGNED_SHORT, &INDICES);
    document.primitive(json!({ "attributes": { "POSITION": 0, "NORMAL": 1 }, "indices": indices }));
    let mesh = is_cube(document.read());
    assert!(mesh.normals.iter().all(|normal| *normal == [0.0, 0.0, 1.0]));
    assert!(mesh.triangles.iter().all(|(_, normals)| normals.is_some()));
}

#[test]
fn accessors_of_several_counts_may_share_a_view() {
    // The first has the lower face of the cube, the second all corners: none is as long as the view.
    let mut document = Document::new();
    let elements = CORNERS.iter().flat_map(|corner| corner.iter().copied().chain([9.0]));
    let view = document.view(&floats(elements));
    document.json["bufferViews"][view]["byteStride"] = 16.into();
    for count in [4, 8] {
        document.push(
            "accessors",
            json!({ "bufferView": view, "componentType": FLOAT, "count": count, "type": "VEC3" }),
        );
    }
    for (accessor, indices) in [&INDICES[..6], &INDICES[6..]].into_iter().enumerate() {
        let indices = document.indices(UNSIGNED_INT, indices);
        document.primitive(json!({ "attributes": { "POSITION": accessor }, "indices": indices }));
    }
    is_cube(document.read());
}

#[test]
fn the_binary_chunk_may_be_longer_than_its_buffer() {
    let cube = Document::cube();
    for more in [1, 2, 3, 4, 100] {
        let data = [&cube.bytes[..], &vec![7; more]].concat();
        is_cube(gltf::read(
            &binary(cube.text(Storage::Binary).as_bytes(), &data),
            &NoFiles,
        ));
    }
}

#[test]
fn integers_may_have_a_fraction_of_zero() {
    let text = Document::cube().text(Storage::DataUri);
    let written = text
        .replace("\"count\":8", "\"count\":8.0")
        .replace("\"mesh\":0", "\"mesh\":0.00")
        .replace("\"nodes\":[0]", "\"nodes\":[0.0]");
    assert_eq!(written.len(), text.len() + 2 + 3 + 2);
    let mesh = is_cube(gltf::read(written.as_bytes(), &NoFiles));
    assert_eq!(mesh.vertices.len(), 8);
    // Names and numbers are as they were.
    let named = written.replace(
        "\"mesh\":0.00",
        "\"name\":\"1.0 \\\" 2.0\",\"translation\":[1.50,2.0,1.0e1],\"mesh\":0.0",
    );
    let mesh = is_cube(gltf::read(named.as_bytes(), &NoFiles));
    assert_eq!(mesh.vertices[0], [0, 1, 2].map(|i| CORNERS[0][i] + [1.5, 2.0, 10.0][i]));
    for damaged in ["8.5", "8.01", "8.0e-1", "\"8.0\"", "8."] {
        let error = gltf::read(
            text.replace("\"count\":8", &format!("\"count\":{damaged}")).as_bytes(),
            &NoFiles,
        );
        let error = error.expect_err(damaged).to_string();
        assert!(error.contains("no glTF 2.0 file"), "{error}");
    }
}

#[test]
fn a_stride_of_zero_is_none() {
    for view in [0, 1] {
        is_cube(changed(|json| json["bufferViews"][view]["byteStride"] = 0.into()).read());
    }
}

#[test]
fn normals_that_are_no_numbers_have_no_direction() {
    let with_normals = |normals: &[[f64; 3]; 8]| {
        let mut document = Document::cube();
        let accessor = document.vectors(normals);
        document.json["meshes"][0]["primitives"][0]["attributes"]["NORMAL"] = accessor.into();
        is_cube(document.read())
    };
    let mut normals = CORNERS;
    for number in [f64::NAN, f64::INFINITY] {
        normals[3][1] = number;
        let mesh = with_normals(&normals);
        assert_eq!(mesh.normals.len(), 8);
        assert_eq!(
            mesh.normals.iter().filter(|normal| **normal == [0.0; 3]).count(),
            1 + zeros()
        );
    }
}

/// How many corners of the cube are at the origin, whose normals are zero in these tests.
fn zeros() -> usize {
    CORNERS.iter().filter(|corner| **corner == [0.0; 3]).count()
}

/// The cube whose upper corners are a sparse change of those of another.
fn sparse(base: Option<[[f64; 3]; 8]>, component: u32) -> Document {
    let mut document = Document::new();
    match base {
        Some(base) => document.vectors(&base),
        None => document.push(
            "accessors",
            json!({ "componentType": FLOAT, "count": 8, "type": "VEC3" }),
        ),
    };
    document.indices(UNSIGNED_SHORT, &INDICES);
    document.primitive(json!({ "attributes": { "POSITION": 0 }, "indices": 1 }));
    let tall = CORNERS.map(|[x, y, z]| [x, 2.0 * y, z]);
    let places: Vec<usize> = (0..8).filter(|&i| base.unwrap_or_default()[i] != tall[i]).collect();
    let indices = document.view(&integers(component, places.iter().map(|&place| place as i64)));
    let values = document.view(&floats(places.iter().flat_map(|&place| tall[place])));
    document.json["accessors"][0]["sparse"] = json!({
        "count": places.len(),
        "indices": { "bufferView": indices, "componentType": component },
        "values": { "bufferView": values },
    });
    document
}

#[test]
fn sparse_elements_replace_those_of_the_view_or_zeros() {
    for component in [UNSIGNED_BYTE, UNSIGNED_SHORT, UNSIGNED_INT] {
        assert_measure(&good(sparse(Some(CORNERS), component).read()), 12, 10.0, 2.0);
        assert_measure(&good(sparse(None, component).read()), 12, 10.0, 2.0);
    }
    let mut falling = sparse(Some(CORNERS), UNSIGNED_BYTE);
    let view = falling.json["accessors"][0]["sparse"]["indices"]["bufferView"]
        .as_u64()
        .expect("a view") as usize;
    let start = falling.json["bufferViews"][view]["byteOffset"]
        .as_u64()
        .expect("a place") as usize;
    falling.bytes[start..start + 2].copy_from_slice(&[3, 2]);
    let error = falling.read().unwrap_err().to_string();
    assert!(
        error.contains("accessors[0].sparse: its indices do not ascend"),
        "{error}"
    );
}

#[test]
fn morph_targets_count_by_their_weights() {
    let mut document = Document::cube();
    let up = document.vectors(&CORNERS.map(|corner| [0.0, corner[1], 0.0]));
    let wide = document.vectors(&CORNERS.map(|corner| [corner[0], 0.0, 0.0]));
    let mesh = &mut document.json["meshes"][0];
    mesh["primitives"][0]["targets"] = json!([{ "POSITION": up }, { "POSITION": wide }]);
    is_cube(document.read());
    document.json["meshes"][0]["weights"] = json!([1.0, 0.0]);
    assert_measure(&good(document.read()), 12, 10.0, 2.0);
    // Weights of a node come before those of its mesh.
    document.json["nodes"][0]["weights"] = json!([0.5, 2.0]);
    assert_measure(&good(document.read()), 12, 2.0 * (4.5 + 3.0 + 1.5), 4.5);
    document.json["nodes"][0]["weights"] = json!([1.0, 1.0, 1.0]);
    assert!(
        document
            .read()
            .unwrap_err()
            .to_string()
            .contains("more weights than it has targets")
    );
}
