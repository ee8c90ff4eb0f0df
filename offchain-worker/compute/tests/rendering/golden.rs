use crate::*;
use codec::Encode;
use serde_json::Value;

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

/// The vectors that `tests/vectors/rendering.py` wrote. It was written from the page, not from this code.
fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../../../../tests/vectors/rendering.json")).unwrap()
}

#[test]
fn every_engine_computes_the_golden_vectors() {
    for vector in vectors() {
        let mut inputs = MemoryInputs::new();
        let scene = inputs.insert(bytes(&vector["scene"]));
        assert_eq!(scene.hash.as_bytes(), bytes(&vector["scene_hash"]));
        let [x, y, width, height] = [0, 1, 2, 3].map(|i| number(&vector["region"][i]));
        let job = RenderingJob {
            scene,
            seed: bytes(&vector["seed"]).try_into().unwrap(),
            width: number(&vector["width"]),
            height: number(&vector["height"]),
            region: Region { x, y, width, height },
            first_frame: number(&vector["first_frame"]),
            frames: number(&vector["frames"]),
            samples: number(&vector["samples"]),
            max_bounces: number(&vector["max_bounces"]),
            max_steps: number(&vector["max_steps"]),
        };
        for engine in engines() {
            let what = format!("{} on {}", vector["name"], engine.name());
            let computed = run(engine, job, &inputs).unwrap();
            let right = bytes(&vector["output"]);
            let wrong = computed.output.iter().zip(&right).position(|(a, b)| a != b);
            assert_eq!(wrong, None, "{what}");
            assert_eq!(computed.output.len(), right.len(), "{what}");
            let tiles = vector["tile_digests"].as_array().unwrap().iter();
            let tiles: Vec<[u8; 32]> = tiles.map(|digest| bytes(digest).try_into().unwrap()).collect();
            assert_eq!(computed.state_digests[..tiles.len()], tiles, "{what}");
            assert_eq!(computed.digest().as_slice(), bytes(&vector["digest"]), "{what}");
            assert_eq!(computed.claim().encode(), bytes(&vector["claim_scale"]), "{what}");
        }
    }
}

/// The scene of the first vector: every surface and shape.
pub fn still_life() -> (MemoryInputs, BlobRef) {
    let mut inputs = MemoryInputs::new();
    let scene = inputs.insert(bytes(&vectors()[0]["scene"]));
    (inputs, scene)
}
