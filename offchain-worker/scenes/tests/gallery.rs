//! The example: its description makes a scene, and its output a picture.

use agora_compute::scene::Scene;
use agora_scenes::{Description, DescriptionError, Folder, MeshError, NoFiles, png, shapes};

const GALLERY: &str = include_str!("../examples/gallery.json");

#[test]
fn the_example_is_a_scene() {
    let description = Description::parse(GALLERY).unwrap();
    let built = description.build(&NoFiles).unwrap();
    assert_eq!(built.warnings, []);
    let scene = built.scene;
    assert_eq!(Scene::decode(&scene.encode()), Ok(scene.clone()));
    assert_eq!(scene.triangles.len(), 2 * 720 * 48 + 80);
    let again = serde_json::to_string(&description).unwrap();
    assert_eq!(
        Description::parse(&again).unwrap().build(&NoFiles).unwrap().scene,
        scene
    );
}

#[test]
fn shapes_are_closed() {
    let sphere = shapes::icosphere(2).unwrap();
    assert_eq!(sphere.triangles.len(), 20 * 16);
    // Each edge is there once in each direction.
    let mut edges = std::collections::HashSet::new();
    for ([a, b, c], _) in &sphere.triangles {
        for edge in [(*a, *b), (*b, *c), (*c, *a)] {
            assert!(edges.insert(edge));
        }
    }
    assert!(edges.iter().all(|&(a, b)| edges.contains(&(b, a))));
    assert!(matches!(shapes::icosphere(30), Err(MeshError::TooMany { .. })));
}

#[test]
fn files_outside_of_the_folder_are_refused() {
    let text = GALLERY.replace(r#"{ "icosphere": 1 }"#, r#"{ "file": "../secret.obj" }"#);
    let result = Description::parse(&text).unwrap().build(&Folder::new("."));
    let Err(DescriptionError::Mesh { source, .. }) = result else {
        panic!("{result:?}")
    };
    assert!(matches!(source, MeshError::OutsideOfFolder(_)), "{source}");
}

#[test]
fn pictures_hold_the_output() {
    let output: Vec<u8> = (0..5 * 4 * 3).collect();
    let file = png::encode(&output, 5, 4).unwrap();
    let mut reader = ::png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let read = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(
        (read.width, read.height, read.color_type),
        (5, 4, ::png::ColorType::Rgb)
    );
    assert_eq!(pixels, output);
    assert!(png::encode(&output, 4, 4).is_err());
}
