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

/// The bytes of a scene without warnings.
fn quietly(path: &str) -> Result<Vec<u8>, CliError> {
    let mut warnings = Vec::new();
    let scene = scene(Path::new(path), &mut warnings);
    assert_eq!(warnings, [""; 0]);
    scene.map(|(bytes, _)| bytes)
}

#[test]
fn a_scene_is_known_by_its_content() {
    let files = Files::new();
    let built = quietly(&files.write("scene.json", SPHERE)).expect("a scene");
    for name in ["scene.bin", "stored.json", "scene"] {
        assert_eq!(quietly(&files.write(name, &built)).expect("a scene"), built);
    }
    for name in ["scene.JSON", "scene.txt", "described"] {
        assert_eq!(quietly(&files.write(name, SPHERE)).expect("a scene"), built);
        assert_eq!(
            quietly(&files.write(name, format!("\u{feff}{SPHERE}"))).expect("a scene"),
            built
        );
    }
    for (name, content) in [
        ("no.bin", "no scene"),
        ("no.json", "{"),
        ("cut.bin", "AGSC"),
        ("empty.json", ""),
    ] {
        let path = files.write(name, content);
        let refused = quietly(&path).expect_err("no scene").to_string();
        assert!(refused.starts_with(&path), "{refused}");
    }
}

#[test]
fn refusals_and_warnings_name_all_files_on_the_way() {
    let files = Files::new();
    let mesh = r#""meshes": [{ "shape": { "file": "mesh.obj" }, "material": "clay" }], "spheres""#;
    let path = files.write("scene.json", SPHERE.replace("\"spheres\"", mesh));
    files.write("mesh.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 x\n");
    let refused = quietly(&path).expect_err("no mesh").to_string();
    assert!(
        refused.contains("scene.json: meshes[0] (mesh.obj): line 4: \"x\""),
        "{refused}"
    );
    files.write("mesh.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\nl 1 2\n");
    let mut warnings = Vec::new();
    scene(Path::new(&path), &mut warnings).expect("a scene");
    let [warning] = &warnings[..] else {
        panic!("{warnings:?}")
    };
    assert!(
        warning.contains("scene.json: meshes[0] (mesh.obj): 1 lines or points"),
        "{warning}"
    );
}

#[test]
fn what_is_probably_not_meant_is_told_of_with_the_job() {
    let files = Files::new();
    let black = r##""sky": { "zenith": "#000000", "horizon": "#000000", "ground": "#000000" }, "spheres""##;
    let path = files.write("scene.json", SPHERE.replace("\"spheres\"", black));
    let args = parse(&["rendering", "--scene", &path]).expect("well formed");
    let prepared = args.prepare().expect("a job");
    let [warning] = prepared.warnings() else {
        panic!("{:?}", prepared.warnings())
    };
    assert!(warning.contains("nothing gives light"), "{warning}");
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

/// What `agora publish rendering` warns of, for a ball in the dark with a lamp at a height, seen from a position.
async fn warnings(lamp: f64, emission: f64, position: &str) -> Vec<String> {
    let files = Files::new();
    let scene = format!(
        r#"{{ "sky": {{ "zenith": [0, 0, 0], "horizon": [0, 0, 0], "ground": [0, 0, 0] }},
              "materials": {{ "clay": {{ "surface": "diffuse" }}, "lamp": {{ "surface": "emissive", "emission": [{emission}, 0, 0] }} }},
              "spheres": [{{ "centre": [0, 0, 0], "radius": 1, "material": "clay" }},
                          {{ "centre": [0, {lamp}, 0], "radius": 0.5, "material": "lamp" }}],
              "camera": [{{ "position": {position}, "target": [0, 0, 0], "field_of_view": 40 }}] }}"#
    );
    let path = files.write("scene.json", scene);
    let arguments = parse(&["rendering", "--scene", &path, "--width", "1920", "--height", "1080"]);
    let prepared = arguments.expect("well formed").prepare().expect("a job");
    let warnings = prepared.warnings().to_vec();
    assert!(
        warnings.iter().all(|warning| warning.starts_with(&path)),
        "{warnings:?}"
    );
    warnings
}

#[tokio::test]
async fn pictures_that_will_be_black_are_told_of() {
    assert_eq!(warnings(4.0, 9.0, "[0, 2, 6]").await, [""; 0]);
    // The lamp is inside of the ball; the camera is.
    for (lamp, position) in [(0.0, "[0, 2, 6]"), (4.0, "[0, 0, 0.5]")] {
        let [warning] = warnings(lamp, 9.0, position).await.try_into().expect("one warning");
        assert!(warning.contains("a small picture of it"), "{warning}");
    }
    // That there is no light is told once.
    let told = warnings(4.0, 0.0, "[0, 2, 6]").await;
    assert!(
        told.iter().any(|warning| warning.contains("nothing gives light")),
        "{told:?}"
    );
    assert!(
        !told.iter().any(|warning| warning.contains("a small picture of it")),
        "{told:?}"
    );
}
