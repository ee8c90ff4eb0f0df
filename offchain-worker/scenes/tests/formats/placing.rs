//! Meshes at their place in a scene: mirrored, rounded, and within its space.

use crate::{
    document::Memory,
    measure::{Measure, assert_near, cross, dot, minus, of_scene},
    obj_files::{VERTICES, cube, faces},
};
use agora_compute::{
    CancelFlag, GpuOptions, JobKind, JobSpec, MemoryInputs, Region, RenderingJob, open_engine, scene::Scene,
};
use agora_scenes::{Built, Description, DescriptionError, Enlarge, MeshError, MeshWarning, Warning};

fn build(mesh: &str, file: &str) -> Result<Built, DescriptionError> {
    let text = format!(
        r#"{{ "materials": {{ "a": {{ "surface": "glass" }} }}, "meshes": [{{ {mesh}, "material": "a" }}],
              "camera": [{{ "position": [0, 0.6, 5], "target": [0, 0, 0], "field_of_view": 40 }}] }}"#
    );
    Description::parse(&text)?.build(&Memory::default().with("mesh.obj", file))
}

const FILE: &str = r#""shape": { "file": "mesh.obj" }"#;
const BALL: &str = r#""shape": { "icosphere": 2 }"#;

/// The least cosine between the normals of a scene's triangles and their faces.
fn agreement(scene: &Scene) -> f64 {
    let mut least = 1.0f64;
    for triangle in &scene.triangles {
        let [a, b, c] = triangle
            .vertices
            .map(|place| scene.vertices[place as usize].map(f64::from));
        let face = cross(minus(b, a), minus(c, a));
        for place in triangle.normals.into_iter().flatten() {
            let normal = scene.normals[place as usize].map(f64::from);
            least = least.min(dot(face, normal) / (dot(face, face) * dot(normal, normal)).sqrt());
        }
    }
    least
}

#[test]
fn negative_scales_keep_the_outside_outside() {
    let volume = of_scene(&build(BALL, "").expect("built").scene).volume;
    for scale in ["1", "-1", "-0.5", "-2.5"] {
        for more in [
            "",
            r#", "shading": "smooth""#,
            r#", "shading": "flat""#,
            r#", "turn": [20, 40, 60], "position": [1, 2, 3]"#,
        ] {
            let built = build(&format!(r#"{BALL}, "scale": {scale}{more}"#), "").expect("built");
            let factor = scale.parse::<f64>().expect("a number").abs().powi(3);
            let found = of_scene(&built.scene).volume;
            assert!(
                (found - volume * factor).abs() < 1e-3 * found,
                "{scale} {more}: {found}"
            );
            assert!(agreement(&built.scene) > 0.9, "{scale} {more}");
        }
    }
}

/// The mean difference of two pictures of a glass ball.
fn picture(scale: &str, seed: u8) -> Vec<u8> {
    let text = format!(
        r##"{{ "materials": {{ "body": {{ "surface": "glass", "colour": [0.9, 0.95, 0.9] }},
                "floor": {{ "surface": "diffuse", "pattern": {{ "colour": [0.1, 0.1, 0.1], "size": 0.5 }} }} }},
            "planes": [{{ "point": [0, -1.2, 0], "normal": [0, 1, 0], "material": "floor" }}],
            "meshes": [{{ "shape": {{ "icosphere": 3 }}, "material": "body", "shading": "smooth", "scale": {scale} }}],
            "camera": [{{ "position": [0, 0.6, 5], "target": [0, 0, 0], "field_of_view": 40 }}] }}"##
    );
    let scene = Description::parse(&text)
        .expect("a description")
        .build(&Memory::default())
        .expect("a scene")
        .scene;
    let mut inputs = MemoryInputs::new();
    let (width, height) = (64, 48);
    let job = RenderingJob {
        scene: inputs.insert(scene.encode()),
        seed: [seed; 32],
        width,
        height,
        region: Region {
            x: 0,
            y: 0,
            width,
            height,
        },
        first_frame: 0,
        frames: 1,
        samples: 64,
        max_bounces: 8,
        max_steps: 2048,
    };
    let engine = open_engine("cpu", &GpuOptions::default()).expect("the processor");
    let spec = JobSpec::V2(JobKind::Rendering(job));
    engine
        .run(&spec, &inputs, &|_: u32, _: u32| (), &CancelFlag::new())
        .expect("rendered")
        .output
        .to_vec()
}

#[test]
fn a_mirrored_ball_of_glass_looks_like_the_ball() {
    let difference = |a: &[u8], b: &[u8]| {
        let all: u64 = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        all as f64 / a.len() as f64
    };
    let plus = picture("1", 1);
    let noise = difference(&plus, &picture("1", 2));
    let mirrored = difference(&plus, &picture("-1", 2));
    assert!(
        noise > 0.5 && mirrored < noise * 1.15,
        "{mirrored}, where seeds differ by {noise}"
    );
}

/// A ball of 1280 triangles.
fn ball(radius: f64) -> String {
    let mesh = agora_scenes::shapes::icosphere(3).expect("a ball");
    let vertices = mesh
        .vertices
        .iter()
        .map(|v| v.map(|c| c * radius))
        .map(|[x, y, z]| format!("v {x} {y} {z}\n"));
    let faces = mesh
        .triangles
        .iter()
        .map(|(face, _)| face.map(|place| place + 1))
        .map(|[a, b, c]| format!("f {a} {b} {c}\n"));
    vertices.chain(faces).collect()
}

#[test]
fn area_that_is_lost_by_rounding_is_told_with_a_scale_that_helps() {
    let built = build(FILE, &ball(0.0001)).expect("built");
    let [
        Warning::Mesh {
            at,
            name,
            warning:
                MeshWarning::AreaLost {
                    percent,
                    advice: Enlarge(Some(scale)),
                },
        },
    ] = &built.warnings[..]
    else {
        panic!("{:?}", built.warnings);
    };
    assert_eq!((at.as_str(), name.as_str()), ("meshes[0]", "mesh.obj"));
    assert!(*percent > 1.0 && *percent <= 100.0, "{percent}");
    let text = built.warnings[0].to_string();
    assert!(
        text.contains("% of its area") && text.contains(&format!("\"scale\": {scale}")),
        "{text}"
    );
    let larger = build(&format!(r#"{FILE}, "scale": {scale}"#), &ball(0.0001)).expect("built");
    assert_eq!(larger.warnings, []);
    assert_eq!(build(FILE, &ball(1.0)).expect("built").warnings, []);
    // The advice goes on from the scale that there is.
    let negative = build(&format!(r#"{FILE}, "scale": -0.0001"#), &ball(1.0)).expect("built");
    let Some(Warning::Mesh {
        warning: MeshWarning::AreaLost {
            advice: Enlarge(Some(advised)),
            ..
        },
        ..
    }) = negative.warnings.first()
    else {
        panic!("{:?}", negative.warnings);
    };
    assert!((advised + scale * 0.0001).abs() < 1e-9);
}

#[test]
fn meshes_that_vanish_are_refused() {
    let error = build(FILE, &ball(1e-7)).unwrap_err();
    assert!(
        error.to_string().contains("too small") && error.to_string().contains("`scale`"),
        "{error}"
    );
    let line = "v 0 0 0\nv 1 1 1\nv 2 2 2\nf 1 2 3\n";
    let error = build(FILE, line).unwrap_err();
    assert!(
        matches!(
            error,
            DescriptionError::Mesh {
                source: MeshError::NoArea,
                ..
            }
        ),
        "{error}"
    );
    let error = build(&format!(r#"{FILE}, "scale": 0"#), &cube()).unwrap_err();
    assert!(error.to_string().contains("`scale` is 0"), "{error}");
}

#[test]
fn meshes_beyond_the_space_are_refused_with_a_place_where_they_fit() {
    let far = |at: f64, size: f64| {
        let vertex = |line: &str| {
            let numbers: Vec<f64> = line
                .split(' ')
                .skip(1)
                .map(|word| word.parse().expect("a number"))
                .collect();
            format!(
                "v {} {} {}\n",
                at + size * numbers[0],
                size * numbers[1] - at,
                size * numbers[2]
            )
        };
        VERTICES.lines().map(vertex).collect::<String>() + &faces(|corner| corner.to_string())
    };
    for (at, size, scale) in [
        (300_000.0, 10.0, "1"),
        (0.0, 300_000.0, "1"),
        (300_000.0, 5000.0, "1"),
        (600.0, 1.0, "1"),
        (1.0, 1.0, "700"),
        (3.0, 2000.0, "-0.75"),
    ] {
        let text = far(at, size);
        let error = build(&format!(r#"{FILE}, "scale": {scale}"#), &text).unwrap_err();
        let message = error.to_string();
        let DescriptionError::Mesh {
            source: MeshError::Space { advice, .. },
            ..
        } = error
        else {
            panic!("{message}")
        };
        for word in ["meshes[0] (mesh.obj)", "at most 512", "\"scale\": ", "\"position\": ["] {
            assert!(message.contains(word), "{word} is not in {message}");
        }
        let [x, y, z] = advice.position;
        let mended = format!(r#"{FILE}, "scale": {}, "position": [{x}, {y}, {z}]"#, advice.scale);
        let built = build(&mended, &text).expect("the advice is good");
        let side = size * advice.scale.abs();
        let expected = Measure {
            triangles: 12,
            area: 6.0 * side * side,
            volume: side.powi(3),
        };
        let found = of_scene(&built.scene);
        assert!(
            (found.area - expected.area).abs() < 1e-3 * expected.area,
            "{found:?} {expected:?}"
        );
        assert!(found.volume > 0.0);
    }
    for huge in ["1e300", "1.7e308"] {
        let text = format!("v 0 0 0\nv {huge} 0 0\nv 0 -{huge} 0\nf 1 2 3\n");
        assert!(matches!(
            build(FILE, &text),
            Err(DescriptionError::Mesh {
                source: MeshError::Space { .. },
                ..
            })
        ));
    }
}

#[test]
fn normals_of_zero_make_flat_triangles_in_scenes() {
    let text = format!(
        "{VERTICES}vn 0 0 0\nvn 0 1 0\n{}",
        faces(|corner| format!("{corner}//2"))
    );
    let built = build(FILE, &text.replacen("//2", "//1", 1)).expect("built");
    let warning = MeshWarning::ZeroNormals(2);
    assert_eq!(built.warnings.len(), 1);
    assert!(matches!(&built.warnings[0], Warning::Mesh { warning: found, .. } if *found == warning));
    assert_eq!(
        built
            .scene
            .triangles
            .iter()
            .filter(|triangle| triangle.normals.is_none())
            .count(),
        2
    );
}

#[test]
fn a_description_has_the_last_word_on_smoothing_groups() {
    let text = format!("s 1\n{}", cube());
    let normals = |shading: &str| {
        let built = build(&format!("{FILE}{shading}"), &text).expect("built");
        assert_eq!(built.warnings, []);
        built.scene.normals.len()
    };
    assert_eq!(normals(""), 8);
    assert_eq!(normals(r#", "shading": "as-given""#), 8);
    assert_eq!(normals(r#", "shading": "smooth""#), 8);
    assert_eq!(normals(r#", "shading": "flat""#), 0);
}

#[test]
fn smooth_shading_joins_vertices_at_one_place() {
    let separate: String = cube()
        .lines()
        .filter(|line| line.starts_with('f'))
        .flat_map(|face| {
            face.split(' ')
                .skip(1)
                .map(|word| word.parse::<usize>().expect("a place"))
                .collect::<Vec<_>>()
        })
        .map(|place| VERTICES.lines().nth(place - 1).expect("a vertex").to_owned() + "\n")
        .collect();
    let faces: String = (0..6)
        .map(|i| 4 * i + 1)
        .map(|i| format!("f {} {} {} {}\n", i, i + 1, i + 2, i + 3))
        .collect();
    let smooth = |file: &str| {
        build(&format!(r#"{FILE}, "shading": "smooth""#), file)
            .expect("built")
            .scene
    };
    let joined = smooth(&cube());
    let scene = smooth(&format!("{separate}{}", faces));
    let normals = |scene: &Scene| {
        let at = |triangle: &agora_compute::scene::Triangle| {
            let normals = triangle.normals.expect("it is smooth");
            [0, 1, 2].map(|i| {
                (
                    scene.vertices[triangle.vertices[i] as usize],
                    scene.normals[normals[i] as usize],
                )
            })
        };
        let mut all: Vec<_> = scene.triangles.iter().flat_map(at).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(normals(&scene), normals(&joined));
}

#[test]
fn concave_faces_keep_their_outline_in_scenes() {
    let u = "v 1 3 0\nv 0 3 0\nv 0 0 0\nv 3 0 0\nv 3 3 0\nv 2 3 0\nv 2 1 0\nv 1 1 0\nf 1 2 3 4 5 6 7 8\n";
    let built = build(FILE, u).expect("built");
    assert_near(
        of_scene(&built.scene),
        Measure {
            triangles: 6,
            area: 7.0,
            volume: 0.0,
        },
    );
}
