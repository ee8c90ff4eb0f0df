//! OBJ files that are read.

use crate::measure::{agreement, assert_measure};
use agora_scenes::{Mesh, MeshWarning, Place, obj};
use std::time::{Duration, Instant};

pub const VERTICES: &str = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nv 0 0 1\nv 1 0 1\nv 0 1 1\nv 1 1 1\n";
const FACES: [[u32; 4]; 6] = [
    [1, 3, 4, 2],
    [5, 6, 8, 7],
    [1, 2, 6, 5],
    [3, 7, 8, 4],
    [1, 5, 7, 3],
    [2, 4, 8, 6],
];

/// The faces of the cube, with `corner` for each.
pub fn faces(corner: impl Fn(u32) -> String) -> String {
    let line = |face: &[u32; 4]| format!("f {}\n", face.map(&corner).join(" "));
    FACES.iter().map(line).collect()
}

pub fn cube() -> String {
    format!("{VERTICES}{}", faces(|corner| corner.to_string()))
}

#[track_caller]
fn read(bytes: impl AsRef<[u8]>) -> Mesh {
    match obj::read(bytes.as_ref()) {
        Ok(mesh) => mesh,
        Err(error) => panic!("{error}"),
    }
}

/// Reads the unit cube, without a warning.
#[track_caller]
fn is_cube(bytes: impl AsRef<[u8]>) -> Mesh {
    let mesh = read(bytes);
    assert_measure(&mesh, 12, 6.0, 1.0);
    assert_eq!(mesh.warnings, []);
    mesh
}

#[test]
fn plain_cubes_are_read() {
    is_cube(cube());
    is_cube(format!("# plain\n\n  \t\n{}", cube()));
    is_cube(cube().replace("f ", "  f\t"));
    is_cube(cube().trim_end());
}

#[test]
fn concave_faces_are_cut_along_their_inside() {
    let u = "v 1 3 0\nv 0 3 0\nv 0 0 0\nv 3 0 0\nv 3 3 0\nv 2 3 0\nv 2 1 0\nv 1 1 0\nf 1 2 3 4 5 6 7 8\n";
    let mesh = read(u);
    assert_measure(&mesh, 6, 7.0, 0.0);
    assert_eq!(mesh.warnings, []);
    // All triangles look the way of the face, so none overlaps another.
    for (places, _) in &mesh.triangles {
        let [a, b, c] = places.map(|place| mesh.vertices[place as usize]);
        assert!((b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0]));
    }
    // From the other side, in other planes, and with a corner twice.
    assert_measure(&read(u.replace("f 1 2 3 4 5 6 7 8", "f 8 7 6 5 4 3 2 1")), 6, 7.0, 0.0);
    let turned: String = u
        .lines()
        .map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
            ["v", x, y, z] => format!("v {z} {x} {y}\n"),
            _ => line.to_owned(),
        })
        .collect();
    assert_measure(&read(turned), 6, 7.0, 0.0);
    assert_measure(&read(u.replace("f 1 2 3", "f 1 2 2 3")), 6, 7.0, 0.0);
    // A quad whose third corner is inside.
    let arrow = "v 0 0 0\nv 4 0 0\nv 1 1 0\nv 0 4 0\n";
    for face in ["f 1 2 3 4", "f 2 3 4 1", "f 3 4 1 2", "f 4 1 2 3"] {
        assert_measure(&read(format!("{arrow}{face}")), 2, 4.0, 0.0);
    }
}

#[test]
fn holes_that_an_edge_joins_to_the_outline_stay_open() {
    // A square with a square hole, as programs write it that know no holes: the joint is there twice.
    let corners = "v 0 0 0\nv 3 0 0\nv 3 3 0\nv 0 3 0\nv 1 1 0\nv 2 1 0\nv 2 2 0\nv 1 2 0\n";
    let joint = "f 1 2 3 4 1 5 8 7 6 5\n";
    // With corners of their own at the joint too.
    let apart = "v 0 0 0\nv 1 1 0\nf 1 2 3 4 9 10 8 7 6 5\n";
    for face in [joint, apart] {
        let mesh = read(format!("{corners}{face}"));
        assert_measure(&mesh, 8, 8.0, 0.0);
        assert_eq!(mesh.warnings, []);
        let is_in_the_hole = |corners: [[f64; 3]; 3]| {
            let centre = [0, 1].map(|i| corners.iter().map(|corner| corner[i]).sum::<f64>() / 3.0);
            centre.iter().all(|c| (1.0..2.0).contains(c))
        };
        for (places, _) in &mesh.triangles {
            assert!(!is_in_the_hole(places.map(|place| mesh.vertices[place as usize])));
        }
    }
}

#[test]
fn faces_that_cross_themselves_are_told() {
    let bowtie = read("v 0 0 0\nv 2 0 0\nv 0 1 0\nv 2 1 0\nv 9 9 9\nf 1 2 3 4\n");
    assert_eq!(bowtie.warnings, [MeshWarning::CrossedFaces { count: 1, line: 6 }]);
    let star: String = (0..5u32)
        .map(|i| f64::from(i * 2) * std::f64::consts::TAU / 5.0)
        .map(|angle| format!("v {} {} 0\n", angle.cos(), angle.sin()))
        .collect();
    let star = read(format!("{star}f 1 2 3 4 5\n"));
    assert_eq!(star.warnings, [MeshWarning::CrossedFaces { count: 1, line: 6 }]);
}

#[test]
fn faces_that_are_folded_are_told() {
    // A square that goes on with a flap, which seen along the normal is a line.
    let square = "v -5 0 5\nv 5 0 5\nv 5 0 -5\nv -5 0 -5\n";
    let folded = read(format!("{square}v 0 5 -5\nf 1 2 3 4 5\n"));
    assert_eq!(folded.warnings, [MeshWarning::CrossedFaces { count: 1, line: 6 }]);
    // A corner on an edge is no flap; nor is one that rounding put beside it.
    for y in ["0", "0.0001"] {
        let concave = read(format!("{square}v 0 {y} -5\nv 0 0 0\nf 1 2 3 5 4 6\n"));
        assert_measure(
            &concave,
            concave.triangles.len(),
            75.0,
            crate::measure::of_mesh(&concave).volume,
        );
        assert_eq!(concave.warnings, []);
    }
}

#[test]
fn faces_that_name_normals_that_are_missing_are_without() {
    for (normals, corner) in [
        ("", "#//1"),
        ("vn 0 0 1\n", "#/1/2"),
        ("vn 0 0 1\n", "#//-2"),
        ("", "#//9999999999"),
    ] {
        let text = format!(
            "{VERTICES}{normals}{}",
            faces(|place| corner.replace('#', &place.to_string()))
        );
        let mesh = read(text);
        assert_measure(&mesh, 12, 6.0, 1.0);
        assert!(mesh.triangles.iter().all(|(_, normals)| normals.is_none()));
        let line = 9 + normals.lines().count();
        assert_eq!(
            mesh.warnings,
            [MeshWarning::MissingNormals { count: 6, line }],
            "{corner}"
        );
    }
    // Without normals of its own, a face is in its smoothing group.
    let smooth = read(format!("s 1\n{VERTICES}{}", faces(|place| format!("{place}//7"))));
    assert_eq!(smooth.normals.len(), 8);
    assert!(agreement(&smooth) > 0.5);
}

#[test]
fn byte_order_marks_are_no_part_of_the_first_vertex() {
    is_cube(format!("\u{feff}{}", cube()));
    is_cube(format!("\u{feff}# a comment\n{}", cube()));
    // Of a file that was put together from two with marks.
    is_cube(format!(
        "\u{feff}{VERTICES}\u{feff}{}",
        faces(|corner| corner.to_string())
    ));
    let spare = read(format!(
        "\u{feff}v 9 9 9\n{VERTICES}{}",
        faces(|corner| (corner + 1).to_string())
    ));
    assert_measure(&spare, 12, 6.0, 1.0);
}

#[test]
fn bytes_of_other_encodings_are_let_be_in_comments_and_names() {
    let cube = cube();
    let mut bytes = b"v 0 0 0 # H\xF6he\n".to_vec();
    bytes.extend(&cube.as_bytes()[8..]);
    is_cube(bytes);
    is_cube(
        [
            b"o W\xFCrfel\ng \xFF\nusemtl Gr\xFCn\nmtllib \xE4.mtl\n",
            cube.as_bytes(),
        ]
        .concat(),
    );
}

#[test]
fn lines_end_with_cr_lf_or_both() {
    is_cube(format!("# saved on an old Mac\r{}", cube().replace('\n', "\r")));
    is_cube(cube().replace('\n', "\r\n"));
    is_cube(cube().replace('\n', "\r\r\n\n"));
    is_cube(cube().replace("f 1", "\rf 1"));
}

#[test]
fn backslashes_continue_lines_of_data() {
    is_cube(cube().replace(" 4 2", " \\\n 4 2").replace(" 8 7", "\\\r\n8 \\\n7"));
    is_cube(cube().replace("v 1 0 0", "v\\\n 1 \\\n0 0"));
    // The line below a comment or a name is its own.
    is_cube(format!("# C:\\models\\\n{}", cube()));
    is_cube(format!("mtllib C:\\models\\\n{}", cube()));
    is_cube(cube().replace("v 1 0 0\n", "v 1 0 0 # \\\n"));
}

#[test]
fn corners_are_read_as_exporters_write_them() {
    let normal = "vn 0 0 1\nvt 0 0\n";
    for style in ["#//", "#/", "#/1/", "#/1", "#//0"] {
        is_cube(format!(
            "{VERTICES}{normal}{}",
            faces(|corner| style.replace('#', &corner.to_string()))
        ));
    }
    for style in ["#//1", "#/1/1", "#//-1", "#/-1/-1"] {
        let mesh = is_cube(format!(
            "{VERTICES}{normal}{}",
            faces(|corner| style.replace('#', &corner.to_string()))
        ));
        assert_eq!(mesh.triangles[0].1, Some([0; 3]));
    }
    is_cube(format!(
        "{VERTICES}{}",
        faces(|corner| (i64::from(corner) - 9).to_string())
    ));
}

#[test]
fn comments_may_be_behind_anything() {
    is_cube(cube().replace('\n', " # side\n"));
    is_cube(cube().replace('\n', "#side\n"));
    is_cube(cube().replace('\n', "#f 1 2 3 \\ x\n"));
}

#[test]
fn normals_of_zero_make_flat_faces() {
    let text = format!("{VERTICES}vn 0 0 1\n{}", faces(|corner| format!("{corner}//1")));
    let mesh = read(text.replace("f 1//1", "f 1//0"));
    assert_measure(&mesh, 12, 6.0, 1.0);
    assert_eq!(mesh.warnings, [MeshWarning::SomeNormals { count: 3, line: 10 }]);
    assert_eq!(
        mesh.triangles.iter().filter(|(_, normals)| normals.is_none()).count(),
        6
    );
}

#[test]
fn vertices_may_have_weights_and_colours() {
    is_cube(cube().replace(" 0\n", " 0 1.0\n"));
    is_cube(
        cube()
            .replace(" 0\n", " 0 0.5 0.5 0.5\n")
            .replace("v 1", "v 1e0")
            .replace("f 1e0", "f 1"),
    );
    is_cube(cube().replace("v 0 ", "v -0.0E+0 ").replace("v 1 ", "v +1. "));
}

#[test]
fn what_is_no_face_is_left_out_and_told() {
    let mesh = read(format!("{}l 1 2 4 3 1\np 5 6 7 8\nl -1 -2\n", cube()));
    assert_measure(&mesh, 12, 6.0, 1.0);
    let first = Place::Line(15);
    assert_eq!(mesh.warnings, [MeshWarning::LinesAndPoints { count: 3, first }]);
    let mesh = read(format!("{}f 1 2\n", cube()));
    assert_eq!(mesh.warnings, [MeshWarning::SmallFaces { count: 1, line: 15 }]);
    let mesh = read(format!("{}vw 1 2\nfoo\n", cube()));
    let word = "vw".to_owned();
    assert_eq!(
        mesh.warnings,
        [MeshWarning::UnknownStatements {
            count: 2,
            line: 15,
            word
        }]
    );
    let mesh = read(format!("usemtl a\nusemtl b c\nusemtl b d\nusemtl a\n{}", cube()));
    assert_eq!(mesh.warnings, [MeshWarning::Materials(3)]);
}

/// A roof of two squares at a right angle, in the groups `one` and `other`.
fn roof(one: &str, other: &str) -> Mesh {
    let text =
        format!("v 0 0 0\nv 1 0 0\nv 1 1 1\nv 0 1 1\nv 1 2 0\nv 0 2 0\ns {one}\nf 1 2 3 4\ns {other}\nf 4 3 5 6\n");
    let mesh = read(text);
    assert_eq!(mesh.warnings, []);
    assert_measure(&mesh, 4, 8f64.sqrt(), mesh_volume(&mesh));
    mesh
}

fn mesh_volume(mesh: &Mesh) -> f64 {
    crate::measure::of_mesh(mesh).volume
}

/// The normals at the corners of a face's first triangle, of length 1.
fn normals(mesh: &Mesh, triangle: usize) -> Vec<[f64; 3]> {
    let places = mesh.triangles[triangle].1.expect("it has normals");
    places
        .map(|place| mesh.normals[place as usize])
        .map(|normal| normal.map(|c| c / normal.iter().map(|c| c * c).sum::<f64>().sqrt()))
        .to_vec()
}

#[test]
fn faces_of_a_smoothing_group_are_smoothed_together_and_with_no_other() {
    let half = 0.5f64.sqrt();
    let near = |found: [f64; 3], expected: [f64; 3]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12);
    let (first, second, ridge) = ([0.0, -half, half], [0.0, half, half], [0.0, 0.0, 1.0]);
    // Of the first face the corners 1 and 2 are at its eaves, 3 at the ridge.
    for (one, other) in [
        ("1", "1"),
        ("7", "7"),
        ("on", "on"),
        ("4294967296", "4294967296"),
        ("-2", "2"),
    ] {
        let mesh = roof(one, other);
        let found = normals(&mesh, 0);
        assert!(
            near(found[0], first) && near(found[1], first) && near(found[2], ridge),
            "{found:?}"
        );
        assert!(agreement(&mesh) > 0.7);
        // The ridge's two places have one normal each, which both faces share.
        assert_eq!(mesh.normals.len(), 6);
    }
    let mesh = roof("1", "2");
    assert!(normals(&mesh, 0).into_iter().all(|normal| near(normal, first)));
    assert!(normals(&mesh, 2).into_iter().all(|normal| near(normal, second)));
    assert_eq!(mesh.normals.len(), 8);
    for none in ["off", "0", "OFF", ""] {
        let mesh = roof(none, none);
        assert!(mesh.triangles.iter().all(|(_, normals)| normals.is_none()));
        let mesh = roof("1", none);
        assert!(mesh.triangles[0].1.is_some() && mesh.triangles[2].1.is_none());
    }
}

#[test]
fn smoothing_groups_join_vertices_at_one_place_and_leave_normals_that_are_given() {
    let split = "s 3\nv 0 0 0\nv 1 0 0\nv 1 1 1\nv 0 1 1\nv -0 1 1\nv 1 1 1\nv 1 2 0\nv 0 2 0\nf 1 2 3 4\nf 5 6 7 8\n";
    let mesh = read(split);
    assert_eq!(mesh.normals.len(), 6);
    let given = read(split.replace("f 1 2 3 4", "vn 1 0 0\nf 1//1 2//1 3//1 4//1"));
    assert_eq!(given.triangles[0].1, Some([0; 3]));
    let found = normals(&given, 2);
    // The face that follows is in the group alone.
    assert!(
        found.iter().all(|normal| (normal[1] - 0.5f64.sqrt()).abs() < 1e-12),
        "{found:?}"
    );
    // Normals at some corners are told of, and no group changes that.
    let some = read(split.replace("f 1 2 3 4", "vn 1 0 0\nf 1//1 2 3 4"));
    assert_eq!(some.triangles[0].1, None);
    assert_eq!(some.warnings, [MeshWarning::SomeNormals { count: 1, line: 11 }]);
}

#[test]
fn faces_of_any_size_are_smoothed() {
    for size in ["1e300", "1e-300", "8"] {
        let text = format!("s 1\nv 0 0 0\nv {size} 0 0\nv {size} {size} 0\nv 0 {size} 0\nf 1 2 3\nf 1 3 4\n");
        let mesh = read(text);
        for triangle in 0..2 {
            assert_eq!(normals(&mesh, triangle), [[0.0, 0.0, 1.0]; 3], "{size}");
        }
    }
}

#[test]
fn normals_that_are_no_numbers_have_no_direction() {
    let words = [
        "nan",
        "NaN",
        "-nan",
        "inf",
        "-nan(ind)",
        "nan(ind)",
        "nan(snan)",
        "1.#QNAN",
        "-1.#IND",
        "1.#INF00",
        "-1.#ind0",
    ];
    for word in words {
        let text = format!(
            "{VERTICES}vn 0 {word} 1\nvn 0 0 1\n{}",
            faces(|corner| format!("{corner}//1"))
        );
        let mesh = read(text.replacen("//1", "//2", 4));
        assert_measure(&mesh, 12, 6.0, 1.0);
        assert_eq!(mesh.normals, [[0.0; 3], [0.0, 0.0, 1.0]], "{word}");
        // Behind the three numbers, where colours are.
        is_cube(cube().replace(" 0\n", &format!(" 0 {word} 0 0\n")));
    }
    // Other words with that sign have a comment.
    is_cube(
        cube()
            .replace("v 1 0 0", "v 1 0 0#QNAN")
            .replace("v 0 1 0", "v 0 1 0.#1.#IND"),
    );
    is_cube(cube().replace("v 0 0 1\n", "v 0 0 1.#side\n"));
}

#[test]
fn statements_without_geometry_change_nothing() {
    let others = "mtllib a.mtl\no cube\ng a b\nmg 1 2\nusemtl x\nlod 1\nbevel on\nc_interp off\nd_interp off\nvt 0 0\n\
                  vp 0 0\nusemap off\nmaplib a\nshadow_obj a\ntrace_obj a\nctech cparm 1\nstech cparma 1 1\n";
    is_cube(format!("{others}{}", cube()));
}

#[test]
fn faces_may_be_before_their_vertices() {
    is_cube(format!("{}{VERTICES}", faces(|corner| corner.to_string())));
}

#[test]
fn indices_below_zero_count_from_the_vertices_so_far() {
    // Parts one after the other, each with its vertices and then its faces, as programs write that keep no count.
    let below = faces(|corner| (i64::from(corner) - 9).to_string());
    let far = VERTICES
        .replace("v ", "v 3")
        .replace("v 30 ", "v 3 ")
        .replace("v 31 ", "v 4 ");
    let mesh = read(format!("o a\n{VERTICES}{below}o b\n{far}{below}"));
    assert_measure(&mesh, 24, 12.0, 2.0);
    assert_eq!(mesh.warnings, []);
    // Together with ones from the beginning.
    is_cube(format!(
        "{VERTICES}{}",
        faces(|corner| match corner % 2 {
            0 => corner.to_string(),
            _ => (i64::from(corner) - 9).to_string(),
        })
    ));
}

#[test]
fn what_old_programs_put_at_the_end_loses_nothing() {
    // The end of a file for DOS.
    let mesh = read(format!("{}\u{1a}", cube()));
    assert_measure(&mesh, 12, 6.0, 1.0);
    assert!(matches!(
        mesh.warnings[..],
        [MeshWarning::UnknownStatements { count: 1, .. }]
    ));
    is_cube(format!("{}\r\n\r\n", cube().replace('\n', "\r\n")));
}

#[test]
fn normals_are_those_of_their_corners() {
    let text = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvn 0 0 1\nvn 0 0.6 0.8\nvn 0.6 0 0.8\nf 1//1 2//3 3//2\n";
    let mesh = read(text);
    assert_eq!(mesh.triangles, [([0, 1, 2], Some([0, 2, 1]))]);
    assert!(agreement(&mesh) > 0.79);
}

/// A ring of `count` corners, every other one of them further inside.
fn gear(count: u32) -> String {
    let corner = |i: u32| {
        let (angle, radius) = (
            f64::from(i) / f64::from(count) * std::f64::consts::TAU,
            1.0 - 0.1 * f64::from(i % 2),
        );
        format!("v {} {} 0\n", radius * angle.cos(), radius * angle.sin())
    };
    let vertices: String = (0..count).map(corner).collect();
    let places: Vec<_> = (1..=count).map(|place| place.to_string()).collect();
    format!("{vertices}f {}\n", places.join(" "))
}

#[test]
fn large_faces_are_cut_in_time_or_refused() {
    let started = Instant::now();
    let mesh = read(gear(20_000));
    // Each sector has the corners 1 and 0.9.
    let area = 20_000.0 / 2.0 * 0.9 * (std::f64::consts::TAU / 20_000.0).sin();
    assert_measure(&mesh, 19_998, area, 0.0);
    // One more than has a square below 2³¹.
    let error = obj::read(gear(46_341).as_bytes()).unwrap_err().to_string();
    assert!(
        error.contains("line 46342: its concave face of 46341 corners would take too long"),
        "{error}"
    );
    // What all faces of a file cost is added up.
    let (vertices, face) = gear(20_000)
        .rsplit_once("f ")
        .map(|(v, f)| (v.to_owned(), format!("f {f}")))
        .expect("a face");
    assert_eq!(
        read(format!("{vertices}{}", face.repeat(2))).triangles.len(),
        2 * 19_998
    );
    let error = obj::read(format!("{vertices}{}", face.repeat(6)).as_bytes())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("line 20006: its concave face of 20000 corners"),
        "{error}"
    );
    assert!(started.elapsed() < Duration::from_secs(60));
    // A convex face may be of any size.
    let circle = gear(200_000)
        .lines()
        .filter(|line| line.starts_with('v'))
        .step_by(2)
        .map(|line| format!("{line}\n"))
        .collect::<String>();
    let places: Vec<_> = (1..=100_000).map(|place| place.to_string()).collect();
    assert_eq!(read(format!("{circle}f {}", places.join(" "))).triangles.len(), 99_998);
}
