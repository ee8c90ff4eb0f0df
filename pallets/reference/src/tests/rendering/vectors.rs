//! Outputs are those of the golden vectors, and each unit can be computed by itself.

use crate::{
    Output, Step, of, run,
    tests::world::{Contents, World},
};
use agora_jobs::{JobKind, JobSpec, Region, RenderingJob};
use codec::Encode;
use serde_json::Value;

struct Case {
    name: String,
    job: RenderingJob,
    contents: Contents,
    output: Vec<u8>,
    claim: Vec<u8>,
    tiles: Vec<String>,
}

fn cases() -> Vec<Case> {
    let text = include_str!("../../../../../tests/vectors/rendering.json");
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    assert!(cases.len() >= 9);
    cases.iter().map(of_vector).collect()
}

fn of_vector(case: &Value) -> Case {
    let bytes = |field: &str| hex::decode(case[field].as_str().unwrap()).unwrap();
    let number = |field: &Value| field.as_u64().unwrap() as u32;
    let region = &case["region"];
    let mut contents = Contents::default();
    let tiles = case["tile_digests"].as_array().unwrap();
    Case {
        name: case["name"].to_string(),
        job: RenderingJob {
            scene: contents.insert(bytes("scene")),
            seed: bytes("seed").try_into().unwrap(),
            width: number(&case["width"]),
            height: number(&case["height"]),
            region: Region {
                x: number(&region[0]),
                y: number(&region[1]),
                width: number(&region[2]),
                height: number(&region[3]),
            },
            first_frame: number(&case["first_frame"]),
            frames: number(&case["frames"]),
            samples: number(&case["samples"]),
            max_bounces: number(&case["max_bounces"]),
            max_steps: number(&case["max_steps"]),
        },
        contents,
        output: bytes("output"),
        claim: bytes("claim_scale"),
        tiles: tiles.iter().map(|digest| digest.as_str().unwrap().into()).collect(),
    }
}

#[test]
fn outputs_are_those_of_the_vectors() {
    for case in cases() {
        let job = JobKind::Rendering(case.job);
        let outcome = run(&JobSpec::V2(job.clone()), &case.contents).unwrap();
        assert_eq!(hex::encode(&outcome.output), hex::encode(&case.output), "{}", case.name);
        let states: Vec<String> = outcome.states.iter().map(hex::encode).collect();
        assert_eq!(states, case.tiles, "{}", case.name);
        assert_eq!(outcome.claim.encode(), case.claim, "{}", case.name);
        let world = World::new(job, &case.contents).unwrap();
        assert_eq!(world.output(), case.output);
    }
}

/// With so many steps and samples, a pixel's paths are several units.
#[test]
fn paths_of_a_pixel_that_are_cut_give_the_same() {
    let case = cases().swap_remove(0);
    let job = |samples, max_steps| RenderingJob {
        width: 3,
        height: 2,
        region: Region {
            x: 1,
            y: 0,
            width: 2,
            height: 2,
        },
        samples,
        max_steps,
        ..case.job
    };
    let units = |job: RenderingJob| {
        let job = JobSpec::V2(JobKind::Rendering(job));
        let law = of(&job);
        let last = law.units(Step::State(0)) - 1;
        assert!(matches!(
            law.unit(Step::State(0), last).unwrap().output,
            Output::Part { .. }
        ));
        last
    };
    // The scene needs far fewer steps than a thousand, so that more change nothing but the units.
    let (whole, cut) = (job(5, 1024), job(5, 1 << 13));
    assert_eq!((units(whole), units(cut)), (1, 4 * 3));
    let whole = World::new(JobKind::Rendering(whole), &case.contents).unwrap();
    let cut = World::new(JobKind::Rendering(cut), &case.contents).unwrap();
    assert_eq!(whole.output(), cut.output());
    cut.units_stand_alone(1);
    // Two pixels in a unit, and one in the last.
    let uneven = RenderingJob {
        height: 3,
        region: Region {
            x: 0,
            y: 0,
            width: 3,
            height: 3,
        },
        ..job(3, 2500)
    };
    assert_eq!(units(uneven), 5);
    World::new(JobKind::Rendering(uneven), &case.contents)
        .unwrap()
        .units_stand_alone(3);
}

#[test]
fn units_of_scans_tiles_and_the_output_stand_alone() {
    for case in cases().into_iter().take(3) {
        let job = RenderingJob {
            samples: 1,
            max_steps: 200,
            ..case.job
        };
        World::new(JobKind::Rendering(job), &case.contents)
            .unwrap()
            .units_stand_alone(41);
    }
}
