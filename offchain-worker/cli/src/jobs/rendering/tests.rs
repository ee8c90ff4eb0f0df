use super::super::{
    JobArgs, convert, describe,
    tests::{Files, assert_unfit, parse, prepare},
};
use super::*;
use agora_compute::{JobSpec, NoInputs};

const SPHERE: &str = r##"{
    "materials": { "clay": { "surface": "diffuse", "colour": "#c0704a" } },
    "spheres": [{ "centre": [0, 1, 0], "radius": 1, "material": "clay" }],
    "camera": [{ "position": [0, 2, 6], "target": [0, 1, 0], "field_of_view": 40 }]
}"##;

/// What `agora publish rendering` makes of a picture of a sphere.
async fn job(more: &[&str]) -> RenderingJob {
    let files = Files::new();
    let scene = files.write("scene.json", SPHERE);
    let arguments = [&["rendering", "--scene", &scene, "--width", "8", "--height", "4"], more].concat();
    let JobSpec::V2(JobKind::Rendering(job)) = prepare(&arguments).await.expect("a job") else {
        panic!("it is rendering");
    };
    job
}

#[test]
fn a_region_has_four_numbers() {
    let Ok(JobArgs::Rendering(args)) = parse(&["rendering", "--scene", "s", "--region", "1,2,3,4"]) else {
        panic!("it is well formed");
    };
    let region = args.region.expect("it was given");
    assert_eq!((region.x, region.y, region.width, region.height), (1, 2, 3, 4));
    for region in ["1,2,3", "1,2,3,4,5", "1,2,3,x", "-1,2,3,4"] {
        let error = parse(&["rendering", "--scene", "s", &format!("--region={region}")]).expect_err("malformed");
        assert!(error.contains("X,Y,WIDTH,HEIGHT"), "{error}");
    }
    assert!(parse(&["rendering"]).expect_err("no scene").contains("--scene"));
}

#[tokio::test]
async fn without_a_region_the_whole_picture_is_rendered() {
    let whole = job(&[]).await;
    assert_eq!((whole.region.width, whole.region.height), (8, 4));
    assert_eq!((whole.frames, whole.samples), (1, 64));
    assert_eq!((whole.max_bounces, whole.max_steps), (6, 2048));
    let part = job(&["--region", "2,1,3,2", "--samples", "4"]).await;
    assert_eq!((part.width, part.region.x, part.region.width), (8, 2, 3));
    assert_eq!(part.scene, whole.scene);
}

#[tokio::test]
async fn a_stored_scene_is_taken_as_it_is() {
    let files = Files::new();
    let built = scene(Path::new(&files.write("scene.json", SPHERE))).expect("a scene");
    let stored = scene(Path::new(&files.write("scene.bin", &built))).expect("a scene");
    assert_eq!(stored, built);
    for (name, content) in [("no.bin", "no scene"), ("no.json", "{")] {
        let path = files.write(name, content);
        let refused = scene(Path::new(&path)).expect_err("no scene").to_string();
        assert!(refused.starts_with(&path), "{refused}");
    }
}

#[tokio::test]
async fn a_result_becomes_a_picture_of_its_first_frame() {
    let spec = JobSpec::V2(JobKind::Rendering(job(&["--frames", "2"]).await));
    let text = describe(&spec);
    assert!(text.starts_with("rendering of scene 0x"), "{text}");
    assert!(text.ends_with("8×4 pixels, 2 frames, 64 samples"), "{text}");
    let output = vec![9; 2 * 3 * 8 * 4];
    let picture = convert(&spec, &NoInputs, &output, ResultFormat::Png).expect("a picture");
    assert!(picture.starts_with(b"\x89PNG"));
    let short = convert(&spec, &NoInputs, &output[..5], ResultFormat::Png).expect_err("too short");
    assert_eq!(short.code(), 6);
    assert_unfit(
        &spec,
        [ResultFormat::Model, ResultFormat::Checkpoint, ResultFormat::Json],
    );
}
