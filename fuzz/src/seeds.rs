//! The golden vectors, and what else is valid, as inputs for the targets.

use crate::{
    float_model::{self, MODELS},
    lines::{ENCODINGS, check_text},
    meshes::{binary, check_description, check_gltf, check_obj},
    models::check_import,
    networks::{check_checkpoint, check_data, check_network},
    packages,
    proofs::{Account, Unknown, check_merkle, check_result},
    scenes::check_scene,
    texts::{SCENE_WORDS, apply},
    transformers::check_model,
};
use agora_compute::transformer::{Shape, sample};
use agora_math::merkle::{Hash, MountainProof, Proof};
use agora_primitives::results::{BlockResults, ResultLeaf, ResultProof};
use codec::{DecodeAll, Encode};
use serde::Deserialize;
use sp_core::H256;
use sp_runtime::{Digest, DigestItem};
use std::{env, fs, path::PathBuf};

const SYNTHETIC: &str = include_str!("../../tests/vectors/synthetic.json");
const SELF_TEST: &str = include_str!("../../tests/vectors/self_test.json");
const RENDERING: &str = include_str!("../../tests/vectors/rendering.json");
const INCLUSION: &str = include_str!("../../tests/vectors/inclusion.json");

#[derive(Deserialize)]
struct Synthetic {
    job_spec_scale: String,
    job_source_inline_scale: String,
    job_source_stored_scale: String,
}

/// A small job of some kind.
#[derive(Deserialize)]
struct Job {
    job: String,
    inputs: Vec<String>,
}

#[derive(Deserialize)]
struct Rendering {
    scene: String,
}

#[derive(Deserialize)]
struct Inclusion {
    result_leaf_scale: String,
    index: u32,
    siblings: Vec<String>,
    block_leaf_scale: String,
    leaf_index: u64,
    leaf_count: u64,
    items: Vec<String>,
    compute_root: String,
    digest_item_scale: String,
}

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).expect("the vectors are hexadecimal")
}

fn decode<T: DecodeAll>(hex: &str) -> T {
    T::decode_all(&mut &bytes(hex)[..]).expect("the vectors are of these types")
}

fn hash(hex: &str) -> Hash {
    decode(hex)
}

/// Writes what `seeds` returns into the folder that the environment variable `AGORA_FUZZ_SEEDS` names, a file each; does
/// nothing without it. For a target to call before the fuzzer reads its corpus.
pub fn plant(seeds: impl FnOnce() -> Vec<Vec<u8>>) {
    let Some(folder) = env::var_os("AGORA_FUZZ_SEEDS").map(PathBuf::from) else {
        return;
    };
    for (number, seed) in seeds().iter().enumerate() {
        let file = folder.join(format!("golden-{number}"));
        fs::write(&file, seed).unwrap_or_else(|error| panic!("{} cannot be written: {error}", file.display()));
    }
}

fn synthetic() -> Vec<Synthetic> {
    serde_json::from_str(SYNTHETIC).expect("the vectors are of this form")
}

fn inclusion() -> Vec<Inclusion> {
    serde_json::from_str(INCLUSION).expect("the vectors are of this form")
}

fn small_jobs() -> Vec<Job> {
    serde_json::from_str(SELF_TEST).expect("the vectors are of this form")
}

/// Returns job specifications of every kind.
pub fn job_specs() -> Vec<Vec<u8>> {
    let synthetic = synthetic().into_iter().map(|vector| vector.job_spec_scale);
    let others = small_jobs().into_iter().map(|vector| vector.job);
    synthetic.chain(others).map(|hex| bytes(&hex)).collect()
}

/// Returns the job sources of both kinds.
pub fn job_sources() -> Vec<Vec<u8>> {
    let both = |vector: Synthetic| [vector.job_source_inline_scale, vector.job_source_stored_scale];
    let inline = |vector: Job| format!("00{}", vector.job);
    let small = small_jobs().into_iter().map(inline);
    let sources = synthetic().into_iter().flat_map(both).chain(small);
    sources.map(|hex| bytes(&hex)).collect()
}

/// Returns digests, each with the proof of a result.
pub fn result_proofs() -> Vec<Vec<u8>> {
    let seed = |vector: Inclusion| {
        let hashes = |from: &[String]| from.iter().map(|hex| H256(hash(hex))).collect();
        let digest = Digest {
            logs: vec![decode::<DigestItem>(&vector.digest_item_scale)],
        };
        let proof = ResultProof {
            leaf: decode::<ResultLeaf<Account>>(&vector.result_leaf_scale),
            index: vector.index,
            siblings: hashes(&vector.siblings),
            block: decode::<BlockResults>(&vector.block_leaf_scale),
            leaf_index: vector.leaf_index,
            leaf_count: vector.leaf_count,
            items: hashes(&vector.items),
        };
        assert!(check_result(&digest, &proof), "the vectors are true");
        (digest, proof).encode()
    };
    inclusion().into_iter().map(seed).collect()
}

/// Returns proofs through trees and mountain ranges.
pub fn merkle_proofs() -> Vec<Vec<u8>> {
    let seeds = |vector: Inclusion| {
        let hashes = |from: &[String]| from.iter().map(|hex| hash(hex)).collect();
        let block: BlockResults = decode(&vector.block_leaf_scale);
        let unknown = |root, content| Unknown {
            root,
            path: Proof {
                index: vector.index.into(),
                leaf_count: block.count.into(),
                siblings: hashes(&vector.siblings),
            },
            mountain: MountainProof {
                leaf_index: vector.leaf_index,
                leaf_count: vector.leaf_count,
                items: hashes(&vector.items),
            },
            content,
        };
        let path = unknown(block.results_root.0, bytes(&vector.result_leaf_scale));
        let mountain = unknown(hash(&vector.compute_root), bytes(&vector.block_leaf_scale));
        assert_eq!(check_merkle(&path), [true, false], "the vectors are true");
        assert_eq!(check_merkle(&mountain), [false, true], "the vectors are true");
        [path, mountain].map(|unknown| unknown.encode())
    };
    inclusion().into_iter().flat_map(seeds).collect()
}

/// The inputs of the golden jobs that `is_one` accepts.
fn golden_inputs(is_one: impl Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
    let inputs = small_jobs().into_iter().flat_map(|job| job.inputs);
    let found: Vec<Vec<u8>> = inputs.map(|hex| bytes(&hex)).filter(|input| is_one(input)).collect();
    assert!(!found.is_empty(), "the vectors have jobs of every kind");
    found
}

/// Returns scenes.
pub fn scenes() -> Vec<Vec<u8>> {
    let vectors: Vec<Rendering> = serde_json::from_str(RENDERING).expect("the vectors are of this form");
    let scenes = vectors.into_iter().map(|vector| bytes(&vector.scene));
    let scenes: Vec<Vec<u8>> = scenes.collect();
    assert!(scenes.iter().all(|scene| check_scene(scene).is_some()));
    scenes
}

/// A model of the fewest numbers.
fn smallest_model() -> Vec<u8> {
    let shape = Shape {
        vocabulary: 3,
        positions: 2,
        hidden: 4,
        layers: 1,
        heads: 2,
        key_value_heads: 1,
        head_size: 4,
        intermediate: 8,
        dense: 4,
    };
    sample::package(&[1; 32], shape).encode().expect("it is valid")
}

/// Returns a model without its tables, and these.
pub fn model() -> (Vec<u8>, Vec<u8>) {
    packages::split(&smallest_model())
}

/// Returns inputs for [`packages::read`] that are valid models: one as it is, with edits that change nothing much, and one
/// without its tables.
pub fn models() -> Vec<Vec<u8>> {
    let (rest, tables) = model();
    assert!(packages::join(&rest, &tables) == smallest_model());
    // The first number of the last table, which is a value, and the last bytes of the model.
    let edited = vec![1, 0, 16, 1, 1, 255, 7, 0];
    let seeds = vec![vec![0, 0], edited, [&[255], &rest[..]].concat()];
    assert!(check_model(&packages::read(&seeds[0], &rest, &tables)).is_some());
    assert!(check_model(&packages::read(&seeds[2], &rest, &tables)).is_some());
    seeds
}

/// Returns networks, each behind a pixel.
pub fn networks() -> Vec<Vec<u8>> {
    let networks = golden_inputs(|input| check_network(input, 1).is_some()).into_iter();
    networks.map(|network| [&[1], &network[..]].concat()).collect()
}

/// Returns data sets.
pub fn data_sets() -> Vec<Vec<u8>> {
    golden_inputs(|input| check_data(input).is_some())
}

/// Returns checkpoints, each behind the numbers of its job.
pub fn checkpoints() -> Vec<Vec<u8>> {
    let checkpoint = |hidden: u8| {
        // So many weights for images of four pixels in two classes.
        let weights = 5 * (u32::from(hidden) + 1) + 2 * (u32::from(hidden) + 2);
        let numbers = (0..2 * weights).flat_map(|i| (i.wrapping_mul(12345) % 9999).to_le_bytes());
        let state: Vec<u8> = 7u32.to_le_bytes().into_iter().chain(numbers).collect();
        assert!(check_checkpoint(&state, hidden, 3).is_some());
        [&[hidden, 3], &state[..]].concat()
    };
    [0, 3].map(checkpoint).to_vec()
}

/// Texts of OBJ files.
pub const OBJ: [&str; 4] = [
    "o one\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0.5\nvn 0 0 1\nvn 0 1 0\nf 1//1 2//1 3//2 4//2\nf -1 -2 -3\n",
    "v 1 2 3 1 1 1\nv 4 5 6\nv 7 8 10\nvt 0 0\n# a comment\nf 1/1 2/1 3/1\nvn 1 0 0\nf 1/1/-1 2/1/1 3/1/1\n",
    "\u{feff}v 0 0 0\rv 3 0 0\rv 3 3 0\rv 1 1 0\rv 0 3 \\\r0\rf 1/ 2// 3/1/ \\\r 4 5 # concave\rl 1 2\ro C:\\\r",
    "v 0 0 0\nv 1 0 0\nv 1 1 1\nv 0 1 1\nvn nan 1.#QNAN -nan(ind)\ns 1\nf 1 2 3 4\nf 4 3 2\ns 2\nf 1//1 2//1 3//1\nf 1 2 4\ns off\nf 1 3 4\n",
];

/// Texts of glTF files: a square with its buffer in the text; two nodes with normals, whose buffer is in another file; one
/// whose buffer is the content of a binary file; and one with a skin, a target, instances and sparse elements.
pub const GLTF: [&str; 4] = [
    r#"{"asset":{"version":"2.0"},"scene":0,"scenes":[{"nodes":[0]}],
"nodes":[{"children":[1]},{"mesh":0,"translation":[1,2,3],"scale":[2,2,-2]}],
"meshes":[{"primitives":[{"attributes":{"POSITION":0},"indices":1}]}],
"accessors":[{"bufferView":0,"componentType":5126,"count":4,"type":"VEC3","min":[0,0,0],"max":[1,1,0]},
{"bufferView":1,"componentType":5123,"count":6,"type":"SCALAR"}],
"bufferViews":[{"buffer":0,"byteOffset":0,"byteLength":48},{"buffer":0,"byteOffset":48,"byteLength":12}],
"buffers":[{"byteLength":60,"uri":"data:application/octet-stream;base64,AAAAAAAAAAAAAAAAAACAPwAAAAAAAAAAAACAPwAAgD8AAAAAAAAAAAAAgD8AAAAAAAABAAIAAAACAAMA"}]}"#,
    r#"{"asset":{"version":"2.0"},"scenes":[{"nodes":[0,1]}],
"nodes":[{"mesh":0,"rotation":[0,0,0,1]},{"mesh":0,"matrix":[1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1]}],
"meshes":[{"primitives":[{"attributes":{"POSITION":0,"NORMAL":1},"mode":4}]}],
"accessors":[{"bufferView":0,"byteOffset":12,"componentType":5126,"count":3,"type":"VEC3"},
{"bufferView":1,"componentType":5126,"count":3,"type":"VEC3"},{"bufferView":1,"componentType":5121,"count":6,"type":"SCALAR"}],
"bufferViews":[{"buffer":0,"byteOffset":0,"byteLength":96,"byteStride":16},{"buffer":0,"byteOffset":8,"byteLength":80}],
"buffers":[{"byteLength":96,"uri":"other.bin"}]}"#,
    r#"{"asset":{"version":"2.0"},"scene":0,"scenes":[{"nodes":[0]}],"nodes":[{"mesh":0}],
"meshes":[{"primitives":[{"attributes":{"POSITION":0}}]}],
"accessors":[{"bufferView":0,"componentType":5126,"count":6,"type":"VEC3"}],
"bufferViews":[{"buffer":0,"byteLength":80}],"buffers":[{"byteLength":80}]}"#,
    r#"{"asset":{"version":"2.0"},"nodes":[{"mesh":0,"skin":0},{"children":[0],"translation":[1,0,0]},
{"mesh":1,"weights":[0.5],"extensions":{"EXT_mesh_gpu_instancing":{"attributes":{"TRANSLATION":0}}}}],
"skins":[{"joints":[1]}],"meshes":[{"primitives":[{"attributes":{"POSITION":0,"JOINTS_0":1,"WEIGHTS_0":2},"mode":6}]},
{"primitives":[{"attributes":{"POSITION":3},"mode":5,"targets":[{"POSITION":3}]}]}],
"accessors":[{"bufferView":0,"componentType":5126,"count":4,"type":"VEC3"},
{"componentType":5121,"count":4,"type":"VEC4"},{"bufferView":0,"componentType":5126,"count":4,"type":"VEC4"},
{"componentType":5123,"normalized":true,"count":70,"type":"VEC3",
"sparse":{"count":1,"indices":{"bufferView":0,"componentType":5121},"values":{"bufferView":0}}}],
"bufferViews":[{"buffer":0,"byteLength":96}],"buffers":[{"byteLength":96,"uri":"other.bin"}]}"#,
];

/// Texts of descriptions of scenes.
pub const DESCRIPTIONS: [&str; 2] = [
    r##"{"sky":{"zenith":[0,0.5,1],"horizon":"#80c0ff","ground":[0,0,0]},"exposure":1.5,"clamp":4,
"materials":{"a":{"surface":"diffuse","colour":"#c0704a","pattern":{"colour":[1,1,1],"size":0.5}},
"b":{"surface":"glass","index":1.5,"roughness":0.25},"c":{"surface":"emissive","emission":[9,8,7]}},
"spheres":[{"centre":[0,1,0],"radius":1,"material":"a"},{"centre":[0,3,0],"radius":0.5,"material":"c"}],
"planes":[{"point":[0,0,0],"normal":[0,1,0],"material":"b"}],
"camera":[{"position":[0,2,6],"target":[0,1,0],"field_of_view":40},
{"frame":9,"position":[1,2,6],"target":[0,1,0],"field_of_view":50,"aperture":0.1,"focus":6}]}"##,
    r#"{"materials":{"a":{"surface":"coated"}},"meshes":[{"shape":{"icosphere":1},"material":"a","shading":"flat"},
{"shape":{"torus-knot":{"turns":2,"windings":3,"radius":1,"tube":0.25,"segments":9,"sides":3}},"material":"a","scale":2,
"turn":[1,2,3],"position":[1,1,1]},{"shape":{"file":"mesh.obj"},"material":"a","shading":"smooth"}],
"camera":[{"position":[0,2,6],"target":[0,1,0],"field_of_view":40}]}"#,
];

/// Scripts that change nothing, behind the numbers of `texts`, and these texts themselves behind 255.
fn unchanged(texts: &[&str], is_valid: impl Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
    assert!(texts.iter().all(|text| is_valid(text.as_bytes())));
    let scripts = (0..texts.len()).map(|number| vec![number as u8]);
    let texts = texts.iter().map(|text| [&[255], text.as_bytes()].concat());
    scripts.chain(texts).collect()
}

/// Returns inputs for [`OBJ`].
pub fn obj_meshes() -> Vec<Vec<u8>> {
    unchanged(&OBJ, |text| check_obj(text).is_some())
}

/// Returns inputs for [`GLTF`].
pub fn gltf_meshes() -> Vec<Vec<u8>> {
    unchanged(&GLTF, |text| {
        check_gltf(text).or_else(|| check_gltf(&binary(text))).is_some()
    })
}

/// Returns inputs for [`DESCRIPTIONS`].
pub fn descriptions() -> Vec<Vec<u8>> {
    unchanged(&DESCRIPTIONS, |text| check_description(text).is_some())
}

/// The text that an input stands for: behind 255, the rest of it; behind the number of one of `texts`, an edit script
/// ([`crate::texts`]) of that.
pub fn text(input: &[u8], texts: &[&str]) -> Vec<u8> {
    match input {
        [] => Vec::new(),
        [255, text @ ..] => text.to_vec(),
        [number, script @ ..] => {
            let text = texts[usize::from(*number) % texts.len()];
            apply(text.as_bytes(), script, &SCENE_WORDS)
        }
    }
}

/// Returns the float models as they are, and edits of them: of each of their files, and of numbers.
pub fn float_models() -> Vec<Vec<u8>> {
    let models = float_model::models();
    // 0, −1.5, the smallest, and a power of two from which one bit leads to infinity.
    let numbers = [0, 0xbfc0u16, 1, 0x7f00].map(|upper| [&[0, 0, 40, 0][..], &upper.to_le_bytes()].concat());
    let mut seeds = numbers.to_vec();
    for number in 0..MODELS {
        let paths = models[usize::from(number)].paths().len() as u8;
        seeds.push(vec![number, 0]);
        // Another word in the place of one, and one that is left out.
        seeds.extend((0..paths).map(|file| vec![number, 1, file, 1, 2, 9 + file, 0, number]));
        seeds.extend((0..paths).map(|file| vec![number, 1, file, 1, 4, 9 + file, 0, 0]));
        let unchanged = float_model::edited(&models, &[number, 0]);
        check_import(&unchanged.files).expect("all of them are imported");
    }
    seeds
}

/// Returns texts in each encoding, with a mark and without, and ones that are none.
pub fn text_files() -> Vec<Vec<u8>> {
    let text = "Grüße\r\n\r\n漢字\rtext 😀\n\u{2028}\0 end";
    let marked = ENCODINGS.map(|encoding| encoding.encode(text));
    assert!(
        marked
            .iter()
            .all(|bytes| check_text(bytes).is_some_and(|lines| lines.len() == 5))
    );
    let unmarked = ENCODINGS.map(|encoding| encoding.encode(text)[encoding.encode("").len()..].to_vec());
    let others = [
        &b"Caf\xe9\n"[..],
        b"\xff\xfea\0\n\0\x3d\xd8b\0",
        b"\xff\xfe\0\0a\0\0\0\0\0\x11\0",
        b"\n",
        b"",
    ];
    marked
        .into_iter()
        .chain(unmarked)
        .chain(others.map(<[u8]>::to_vec))
        .collect()
}
