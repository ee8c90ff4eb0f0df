//! Extensions of glTF, skins, and vertices that are shared.

use crate::{
    document::{BYTE, CORNERS, Document, FLOAT, INDICES, SHORT, UNSIGNED_BYTE, UNSIGNED_SHORT, floats, integers},
    gltf_files::{good, is_cube},
    measure::{agreement, assert_measure, of_mesh},
};
use agora_scenes::MeshWarning;
use serde_json::json;

#[test]
fn quantised_positions_are_read_normalised_or_not() {
    for (component, most) in [
        (BYTE, 127),
        (UNSIGNED_BYTE, 255),
        (SHORT, 32767),
        (UNSIGNED_SHORT, 65535),
    ] {
        for normalised in [true, false] {
            let mut document = Document::new();
            let corner = |corner: &[f64; 3]| corner.map(|c| c as i64 * most).into_iter().chain([99]);
            let bytes = integers(component, CORNERS.iter().flat_map(corner));
            document.accessor(component, "VEC3", 8, &bytes);
            document.json["bufferViews"][0]["byteStride"] = (bytes.len() / 8).into();
            document.json["accessors"][0]["normalized"] = normalised.into();
            document.indices(UNSIGNED_SHORT, &INDICES);
            document.primitive(json!({ "attributes": { "POSITION": 0 }, "indices": 1 }));
            document.json["extensionsRequired"] = json!(["KHR_mesh_quantization"]);
            let scale = if normalised { 2.0 } else { 2.0 / most as f64 };
            document.json["nodes"][0]["scale"] = json!([scale, scale, scale]);
            assert_measure(&good(document.read()), 12, 24.0, 8.0);
        }
    }
}

#[test]
fn quantised_normals_are_read() {
    for (component, most) in [(BYTE, 127.0), (SHORT, 32767.0)] {
        let mut document = Document::cube();
        let outward = |corner: &[f64; 3]| corner.map(|c| ((c - 0.5) * most) as i64).into_iter().chain([0]);
        let bytes = integers(component, CORNERS.iter().flat_map(outward));
        let normals = document.accessor(component, "VEC3", 8, &bytes);
        document.json["bufferViews"][2]["byteStride"] = (bytes.len() / 8).into();
        document.json["accessors"][normals]["normalized"] = true.into();
        document.json["meshes"][0]["primitives"][0]["attributes"]["NORMAL"] = normals.into();
        assert!(agreement(&is_cube(document.read())) > 0.5);
    }
}

#[test]
fn instances_are_drawn_where_their_attributes_say() {
    let mut document = Document::cube();
    let places = document.vectors(&CORNERS.map(|corner| corner.map(|c| 3.0 * c)));
    let scales = document.vectors(&[[2.0, 2.0, -2.0]; 8]);
    let turns = floats([0.0, 0.0, 0.5f64.sqrt(), 0.5f64.sqrt()].repeat(8));
    let turns = document.accessor(FLOAT, "VEC4", 8, &turns);
    document.json["extensionsRequired"] = json!(["EXT_mesh_gpu_instancing"]);
    let mut with = |attributes: serde_json::Value| {
        document.json["nodes"][0]["extensions"]["EXT_mesh_gpu_instancing"]["attributes"] = attributes;
        document.read()
    };
    let mesh = good(with(json!({ "TRANSLATION": places })));
    assert_measure(&mesh, 96, 48.0, 8.0);
    assert_eq!(mesh.vertices.iter().flatten().copied().fold(0.0, f64::max), 4.0);
    assert_measure(
        &good(with(
            json!({ "TRANSLATION": places, "SCALE": scales, "ROTATION": turns, "_ID": 1 }),
        )),
        96,
        192.0,
        64.0,
    );
    assert_measure(&good(with(json!({ "ROTATION": turns }))), 96, 48.0, 8.0);
    let error = with(json!({ "TRANSLATION": places, "SCALE": 1 }))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("nodes[0].extensions.EXT_mesh_gpu_instancing") || error.contains("accessors[1]"),
        "{error}"
    );
}

#[test]
fn instances_are_counted_before_memory_is_used() {
    let mut document = Document::cube();
    let many = document.push(
        "accessors",
        json!({ "componentType": FLOAT, "count": 1_000_000, "type": "VEC3" }),
    );
    document.json["nodes"][0]["extensions"]["EXT_mesh_gpu_instancing"]["attributes"]["TRANSLATION"] = many.into();
    assert!(document.read().unwrap_err().to_string().contains("12000000 triangles"));
    document.json["accessors"][many]["count"] = u64::MAX.into();
    assert!(document.read().unwrap_err().to_string().contains("instances; at most"));
}

#[test]
fn hidden_nodes_are_not_drawn() {
    let mut document = Document::cube();
    document.json["nodes"] = json!([{ "mesh": 0, "children": [1] },
        { "mesh": 0, "extensions": { "KHR_node_visibility": { "visible": false } }, "children": [2] }, { "mesh": 0 }]);
    is_cube(document.read());
    document.json["nodes"][1]["extensions"]["KHR_node_visibility"]["visible"] = true.into();
    assert_measure(&good(document.read()), 36, 18.0, 3.0);
}

/// A strip of two squares, whose upper half follows a joint that is moved by (2, 0, 0).
fn skinned(weights: (u32, &[u8]), joints: u32) -> Document {
    let mut document = Document::new();
    let corners = [
        [0.0, 0.0, 0.0],
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [1.0, 1.0, 0.0],
        [0.0, 2.0, 0.0],
        [1.0, 2.0, 0.0],
    ];
    let positions = document.vectors(&corners);
    let indices = document.indices(UNSIGNED_SHORT, &[0, 1, 3, 0, 3, 2, 2, 3, 5, 2, 5, 4]);
    let names = integers(joints, (0..6).flat_map(|i| [i64::from(i >= 4), 0, 0, 0]));
    let names = document.accessor(joints, "VEC4", 6, &names);
    let weights = document.accessor(weights.0, "VEC4", 6, weights.1);
    document.json["accessors"][weights]["normalized"] = true.into();
    let identity = [
        1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0,
    ];
    let inverses = document.accessor(FLOAT, "MAT4", 2, &floats(identity.repeat(2)));
    document.primitive(
        json!({ "attributes": { "POSITION": positions, "JOINTS_0": names, "WEIGHTS_0": weights }, "indices": indices }),
    );
    document.json["skins"] = json!([{ "joints": [1, 2], "inverseBindMatrices": inverses }]);
    // Where the mesh's own node is means nothing.
    document.json["nodes"] = json!([{ "mesh": 0, "skin": 0, "translation": [0, 0, -50] }, { "children": [2] }, { "translation": [2, 0, 0] }]);
    document.json["scenes"] = json!([{ "nodes": [0, 1] }]);
    document
}

fn full_weights() -> Vec<u8> {
    floats([1.0, 0.0, 0.0, 0.0].repeat(6))
}

#[test]
fn skins_are_drawn_with_their_joints_where_they_are() {
    let bytes = [255, 0, 0, 0].repeat(6);
    let shorts = integers(UNSIGNED_SHORT, [65535, 0, 0, 0].repeat(6));
    let floats = full_weights();
    for weights in [
        (FLOAT, &floats[..]),
        (UNSIGNED_BYTE, &bytes[..]),
        (UNSIGNED_SHORT, &shorts[..]),
    ] {
        for joints in [UNSIGNED_BYTE, UNSIGNED_SHORT] {
            let mesh = good(skinned(weights, joints).read());
            assert_measure(&mesh, 4, 2.0, 0.0);
            let [mut low, mut high] = [[9.0f64; 3], [-9.0f64; 3]];
            for vertex in &mesh.vertices {
                low = [0, 1, 2].map(|i| low[i].min(vertex[i]));
                high = [0, 1, 2].map(|i| high[i].max(vertex[i]));
            }
            assert_eq!((low, high), ([0.0; 3], [3.0, 2.0, 0.0]));
        }
    }
}

#[test]
fn skins_undo_the_place_where_they_were_bound() {
    let weights = full_weights();
    let mut document = skinned((FLOAT, &weights), UNSIGNED_BYTE);
    let inverses = document.json["skins"][0]["inverseBindMatrices"]
        .as_u64()
        .expect("an accessor") as usize;
    let view = document.json["accessors"][inverses]["bufferView"]
        .as_u64()
        .expect("a view") as usize;
    let start = document.json["bufferViews"][view]["byteOffset"]
        .as_u64()
        .expect("a place") as usize;
    // The second joint was bound where it is.
    document.bytes[start + 64 + 48..start + 64 + 52].copy_from_slice(&(-2.0f32).to_le_bytes());
    let mesh = good(document.read());
    assert_eq!(mesh.vertices.iter().map(|vertex| vertex[0]).fold(0.0, f64::max), 1.0);
    // Without matrices they are those that change nothing.
    let mut document = skinned((FLOAT, &weights), UNSIGNED_BYTE);
    document.json["skins"] = json!([{ "joints": [1, 2] }]);
    assert_eq!(of_mesh(&good(document.read())).area, 2.0);
    document.json["nodes"][1]["scale"] = json!([2, 2, 2]);
    assert_eq!(of_mesh(&good(document.read())).area, 8.0);
}

#[test]
fn vertices_without_weights_follow_the_joint_that_they_name_first() {
    let whole = good(skinned((FLOAT, &full_weights()), UNSIGNED_BYTE).read());
    // The vertex in the corner of the second joint, and one of the first.
    let mut weights = full_weights();
    for vertex in [1, 5] {
        weights[16 * vertex..16 * vertex + 4].fill(0);
    }
    let mesh = good(skinned((FLOAT, &weights), UNSIGNED_BYTE).read());
    assert_eq!(mesh.vertices, whole.vertices);
    assert_eq!(mesh.warnings, [MeshWarning::Unweighted(2)]);
    // Weights that cancel are no weights, and are refused.
    for weights in [[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0]] {
        let weights = floats(weights.repeat(6));
        let error = skinned((FLOAT, &weights), UNSIGNED_BYTE).read().expect_err("no weight");
        assert!(error.to_string().contains("zero or less in sum"), "{error}");
    }
    let mut missing = skinned((FLOAT, &weights), UNSIGNED_BYTE);
    missing.json["skins"][0] = json!({ "joints": [1] });
    let error = missing.read().expect_err("a joint is missing").to_string();
    assert!(error.contains("a joint that its skin has not"), "{error}");
}

#[test]
fn skins_without_what_they_need_are_refused() {
    let weights = full_weights();
    let refused = |change: &dyn Fn(&mut serde_json::Value), words: &str| {
        let mut document = skinned((FLOAT, &weights), UNSIGNED_BYTE);
        change(&mut document.json);
        let error = document.read().expect_err("it is damaged").to_string();
        assert!(error.contains(words), "{words:?} is not in {error:?}");
    };
    refused(
        &|json| json["skins"][0]["joints"] = json!([1]),
        "a joint that its skin has not",
    );
    refused(
        &|json| json["skins"][0]["joints"] = json!([1, 9]),
        "skins[0]: it names nodes 9",
    );
    refused(
        &|json| json["skins"][0]["joints"] = json!([1, 2, 1]),
        "fewer inverseBindMatrices",
    );
    refused(&|json| json["nodes"][0]["skin"] = 3.into(), "it names skins 3");
    let attribute = |json: &mut serde_json::Value, name: &str| {
        let all = json["meshes"][0]["primitives"][0]["attributes"]
            .as_object_mut()
            .expect("attributes");
        all.remove(name);
    };
    refused(&|json| attribute(json, "WEIGHTS_0"), "joints without weights");
    refused(
        &|json| {
            attribute(json, "WEIGHTS_0");
            attribute(json, "JOINTS_0");
        },
        "no JOINTS_0",
    );
}

#[test]
fn meshes_are_morphed_before_they_are_bent() {
    let mut document = Document::cube();
    let joints = document.accessor(UNSIGNED_BYTE, "VEC4", 8, &[0; 32]);
    let weights = document.accessor(FLOAT, "VEC4", 8, &floats([1.0, 0.0, 0.0, 0.0].repeat(8)));
    let up = document.vectors(&CORNERS.map(|corner| [0.0, corner[1], 0.0]));
    let outward = document.vectors(&CORNERS.map(|corner| corner.map(|c| c - 0.5)));
    document.json["meshes"][0]["primitives"][0]["attributes"] =
        json!({ "POSITION": 0, "NORMAL": outward, "JOINTS_0": joints, "WEIGHTS_0": weights });
    document.json["meshes"][0]["primitives"][0]["targets"] = json!([{ "POSITION": up }]);
    document.json["meshes"][0]["weights"] = json!([1]);
    document.json["skins"] = json!([{ "joints": [1] }]);
    // Joints may mirror, and then the outside stays outside.
    for scale in [json!([2, 2, 2]), json!([-2, 2, 2])] {
        document.json["nodes"] = json!([{ "mesh": 0, "skin": 0 }, { "scale": scale }]);
        let mesh = good(document.read());
        assert_measure(&mesh, 12, 40.0, 16.0);
        assert!(agreement(&mesh) > 0.3);
    }
}

#[test]
fn primitives_may_share_vertices() {
    let mut document = Document::new();
    let far = (0..100_000).map(|i| [f64::from(i), 0.0, 0.0]);
    let all: Vec<_> = CORNERS.into_iter().chain(far).collect();
    document.vectors(&all);
    for face in INDICES.chunks(6) {
        for _ in 0..20 {
            let indices = document.indices(UNSIGNED_SHORT, face);
            document.primitive(json!({ "attributes": { "POSITION": 0 }, "indices": indices }));
        }
    }
    let mesh = good(document.read());
    assert_measure(&mesh, 240, 120.0, 20.0);
    assert_eq!(mesh.vertices.len(), 20 * 24);
}
