//! Files that anybody may have made: they are refused or become a valid mesh, and never a panic.

#[path = "../../../fuzz/src/meshes.rs"]
mod meshes;
#[path = "../../../fuzz/src/running.rs"]
mod running;
#[path = "../../../fuzz/src/scenes.rs"]
mod scenes;

use meshes::{binary, check_description, check_gltf, check_obj};
use proptest::{prelude::*, sample::Index};

const OBJ: &str = "o one\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0.5\nvn 0 0 1\nvn 0 1 0\nf 1//1 2//1 3//2 4//2\ns 1\nf -1 -2 -3\nf 1 2 3\n";

/// A square of two triangles, with its buffer in the text.
const GLTF: &str = r#"{"asset":{"version":"2.0"},"scene":0,"scenes":[{"nodes":[0]}],
"nodes":[{"children":[1]},{"mesh":0,"translation":[1,2,3],"scale":[2,2,-2]}],
"meshes":[{"primitives":[{"attributes":{"POSITION":0},"indices":1}]}],
"accessors":[{"bufferView":0,"componentType":5126,"count":4,"type":"VEC3","min":[0,0,0],"max":[1,1,0]},
{"bufferView":1,"componentType":5123,"count":6,"type":"SCALAR"}],
"bufferViews":[{"buffer":0,"byteOffset":0,"byteLength":48},{"buffer":0,"byteOffset":48,"byteLength":12}],
"buffers":[{"byteLength":60,"uri":"data:application/octet-stream;base64,AAAAAAAAAAAAAAAAAACAPwAAAAAAAAAAAACAPwAAgD8AAAAAAAAAAAAAgD8AAAAAAAABAAIAAAACAAMA"}]}"#;

const DESCRIPTION: &str = r##"{"sky":{"zenith":[0,0.5,1],"horizon":"#80c0ff","ground":[0,0,0]},"exposure":1.5,"clamp":4,
"materials":{"a":{"surface":"glass","colour":"#c0704a","pattern":{"colour":[1,1,1],"size":0.5},"index":1.5}},
"spheres":[{"centre":[0,1,0],"radius":1,"material":"a"}],"planes":[{"point":[0,0,0],"normal":[0,1,0],"material":"a"}],
"meshes":[{"shape":{"icosphere":1},"material":"a","shading":"flat"},{"shape":{"file":"mesh.obj"},"material":"a","scale":2,
"turn":[1,2,3],"position":[1,1,1]}],
"camera":[{"position":[0,2,6],"target":[0,1,0],"field_of_view":40},
{"frame":9,"position":[1,2,6],"target":[0,1,0],"field_of_view":50,"aperture":0.1,"focus":6}]}"##;

fn changed(text: &'static str, words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let change = (
        any::<Index>(),
        0..12usize,
        prop_oneof![
            prop::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 0..4),
        ],
    );
    prop::collection::vec(change, 1..6).prop_map(move |changes| {
        let mut bytes = text.as_bytes().to_vec();
        for (place, length, with) in changes {
            let start = place.index(bytes.len() + 1);
            let end = (start + length).min(bytes.len());
            bytes.splice(start..end, with);
        }
        bytes
    })
}

const WORDS: &[&str] = &[
    "nan",
    "inf",
    "-inf",
    "1e400",
    "-1",
    "0",
    "99999999999999999999",
    "4294967295",
    "-2147483648",
    "1000000000",
    "f ",
    "v ",
    "vn ",
    "\n",
    "/",
    "//",
    "null",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "5121",
    "5125",
    "18446744073709551615",
    "[0]",
    "[1]",
    "\"sparse\":{\"count\":9,\"indices\":{\"bufferView\":0,\"componentType\":5123},\"values\":{\"bufferView\":0}},",
    "\"byteStride\":4,",
    "\"byteOffset\":18446744073709551615,",
    "\"mode\":5,",
    "\"children\":[0],",
    "..",
    "data:,",
    "\\\n",
    "\r",
    "#",
    "l ",
    "f 1 2 3 4 5",
    "\u{feff}",
    "\"mode\":6,",
    "\"skin\":0,",
    "\"weights\":[1,-1],",
    "\"normalized\":true,",
    "5122",
    "1e300",
    "s 1\n",
    "s 2\n",
    "s off\n",
    "1.#QNAN",
    "-nan(ind)",
    "\"byteStride\":0,",
];

/// An OBJ file with lines that are continued, a concave face, and all that is left out.
const WILD: &str =
    "\u{feff}v 0 0 0\rv 3 0 0\rv 3 3 0\rv 1 1 0\rv 0 3 \\\r0\rf 1/ 2// 3/1/ \\\r 4 5 # concave\rl 1 2\ro C:\\\rs 1\n";

/// A skin, a morph target, instances, sparse elements, a strip and a fan; the buffer is in a file.
const RICH: &str = r#"{"asset":{"version":"2.0"},"nodes":[{"mesh":0,"skin":0},{"children":[0],"translation":[1,0,0]},
{"mesh":1,"weights":[0.5],"extensions":{"EXT_mesh_gpu_instancing":{"attributes":{"TRANSLATION":0}}}}],
"skins":[{"joints":[1]}],"meshes":[{"primitives":[{"attributes":{"POSITION":0,"JOINTS_0":1,"WEIGHTS_0":2},"mode":6}]},
{"primitives":[{"attributes":{"POSITION":3},"mode":5,"targets":[{"POSITION":3}]}]}],
"accessors":[{"bufferView":0,"componentType":5126,"count":4,"type":"VEC3"},
{"componentType":5121,"count":4,"type":"VEC4"},{"bufferView":0,"componentType":5126,"count":4,"type":"VEC4"},
{"componentType":5123,"normalized":true,"count":70,"type":"VEC3",
"sparse":{"count":1,"indices":{"bufferView":0,"componentType":5121},"values":{"bufferView":0}}}],
"bufferViews":[{"buffer":0,"byteLength":96}],"buffers":[{"byteLength":96,"uri":"other.bin"}]}"#;

proptest! {
    #![proptest_config(agora_test_support::cases(20_000))]

    #[test]
    fn changed_obj_files_are_refused_or_meshes(bytes in changed(OBJ, WORDS)) {
        check_obj(&bytes);
    }

    #[test]
    fn changed_wild_obj_files_are_refused_or_meshes(bytes in changed(WILD, WORDS)) {
        check_obj(&bytes);
    }

    #[test]
    fn changed_rich_gltf_files_are_refused_or_meshes(bytes in changed(RICH, WORDS)) {
        check_gltf(&bytes);
    }

    #[test]
    fn changed_gltf_files_are_refused_or_meshes(bytes in changed(GLTF, WORDS)) {
        check_gltf(&bytes);
    }

    #[test]
    fn changed_descriptions_are_refused_or_scenes(bytes in changed(DESCRIPTION, WORDS)) {
        check_description(&bytes);
    }

    #[test]
    fn changed_binary_gltf_files_are_refused_or_meshes(
        json in changed(GLTF, WORDS), data in prop::collection::vec(any::<u8>(), 0..80), lengths in prop::array::uniform3(any::<u32>()),
        honest in prop::array::uniform3(prop::bool::weighted(0.9)),
    ) {
        let right = [(12 + 8 + json.len() + 8 + data.len()) as u32, json.len() as u32, data.len() as u32];
        let length = |i: usize| if honest[i] { right[i] } else { lengths[i] };
        let mut bytes = b"glTF\x02\0\0\0".to_vec();
        bytes.extend(length(0).to_le_bytes());
        bytes.extend(length(1).to_le_bytes());
        bytes.extend(b"JSON");
        bytes.extend(&json);
        bytes.extend(length(2).to_le_bytes());
        bytes.extend(b"BIN\0");
        bytes.extend(&data);
        check_gltf(&bytes);
    }
}

#[test]
fn good_files_become_meshes() {
    let mesh = check_obj(OBJ.as_bytes()).unwrap();
    assert_eq!(mesh.triangles.len(), 4);
    assert_eq!(check_obj(WILD.as_bytes()).unwrap().triangles.len(), 3);
    assert_eq!(check_gltf(RICH.as_bytes()).unwrap().triangles.len(), 2 + 4 * 68);
    let mesh = check_gltf(GLTF.as_bytes()).unwrap();
    assert_eq!(mesh.vertices[2], [3.0, 4.0, 3.0]);
    // Mirrored, so turned over.
    assert_eq!(mesh.triangles, [([0, 2, 1], None), ([0, 3, 2], None)]);
    assert_eq!(check_gltf(&binary(GLTF.as_bytes())), Some(mesh));
    assert!(check_description(DESCRIPTION.as_bytes()).is_some());
}
