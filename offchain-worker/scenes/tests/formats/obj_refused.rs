//! OBJ files that are refused, with the line and what to do.

use crate::obj_files::{VERTICES, cube};
use agora_scenes::{Foreign, MeshError, obj};

#[track_caller]
fn refused(bytes: impl AsRef<[u8]>, words: &[&str]) {
    let error = match obj::read(bytes.as_ref()) {
        Ok(mesh) => panic!("it is read, with {} triangles", mesh.triangles.len()),
        Err(error) => error.to_string(),
    };
    for word in words {
        assert!(error.contains(word), "{word:?} is not in {error:?}");
    }
}

#[test]
fn files_without_faces_are_refused() {
    refused(
        format!("{VERTICES}l 1 2 4 3 1\np 5 6 7 8\n"),
        &["no triangles", "only faces"],
    );
    refused(VERTICES, &["no triangles"]);
    refused("# nothing\n", &["no triangles"]);
    refused(format!("{VERTICES}f 1 2\n"), &["no triangles"]);
    refused("", &["empty"]);
    refused(" \n\r\n", &["empty"]);
    refused("\u{feff}", &["empty"]);
}

#[test]
fn other_files_are_named() {
    let foreign = |bytes: &[u8], kind: Foreign| match obj::read(bytes) {
        Err(MeshError::Foreign(found)) => assert_eq!(found, kind),
        other => panic!("{other:?}"),
    };
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n";
    foreign(pointer.as_bytes(), Foreign::LfsPointer);
    foreign(b"<!DOCTYPE html>\n<html>v 0 0 0\n</html>", Foreign::WebPage);
    foreign(b"  \n<html lang=\"en\">", Foreign::WebPage);
    foreign(b"\n solid cube\n", Foreign::Stl);
    refused("%PDF-1.4\n", &["line 1", "\"%PDF-1.4\" is no statement"]);
    foreign(b"solid cube\nfacet normal 0 0 1\n", Foreign::Stl);
    let stl: Vec<u8> = [&[b'x'; 80][..], &2u32.to_le_bytes(), &[7; 100]].concat();
    foreign(&stl, Foreign::Stl);
    foreign(b"ply\nformat ascii 1.0\n", Foreign::Ply);
    foreign(b" {\"asset\":{}}", Foreign::Gltf);
    foreign(b"glTF\x02\0\0\0", Foreign::Gltf);
    foreign(b"PK\x03\x04", Foreign::Packed);
    foreign(b"Kaydara FBX Binary  \0", Foreign::Program);
    foreign(b"v 0 0 0\nv 1 0 0\n\0\0\0", Foreign::Binary);
    let wide = |to: fn(u16) -> [u8; 2], mark: &str| {
        let text = format!("{mark}{}", cube());
        text.encode_utf16().flat_map(to).collect::<Vec<u8>>()
    };
    for mark in ["\u{feff}", ""] {
        foreign(&wide(u16::to_le_bytes, mark), Foreign::Wide);
        foreign(&wide(u16::to_be_bytes, mark), Foreign::Wide);
    }
    refused(pointer, &["Git LFS", "git lfs pull"]);
}

#[test]
fn statements_that_are_not_read_are_named() {
    for free in [
        "cstype bezier",
        "deg 3",
        "surf 0 1 0 1 1 2 3",
        "curv 0 1 1 2",
        "parm u 0 1",
        "trim 0 1 1",
        "end",
    ] {
        let word = free.split(' ').next().unwrap_or_default();
        refused(
            format!("{}{free}\n", cube()),
            &["line 15", &format!("`{word}`"), "free-form", "polygons"],
        );
    }
    for old in ["fo 1 2 3", "bsp 1", "cdc 1", "res 1 1"] {
        refused(format!("{}{old}\n", cube()), &["line 15", "before version 3.0"]);
    }
    refused(format!("call other.obj\n{}", cube()), &["line 1", "`call`"]);
    refused(format!("csh rm x\n{}", cube()), &["line 1", "`csh`"]);
}

#[test]
fn malformed_numbers_are_named_with_their_line() {
    let changed = |from: &str, to: &str| cube().replacen(from, to, 1);
    refused(changed("v 1 0 0", "v 1 x 0"), &["line 2", "\"x\" is no finite number"]);
    refused(changed("v 1 0 0", "v 1,5 0 0"), &["line 2", "\"1,5\"", "with a point"]);
    for word in ["nan", "-inf", "-nan(ind)", "1.#QNAN", "-1.#INF"] {
        refused(
            changed("v 1 0 0", &format!("v {word} 0 0")),
            &["line 2", &format!("{word:?} is no finite number"), "divided by zero"],
        );
    }
    refused(format!("vn 0 0 nano\n{}", cube()), &["line 1", "\"nano\""]);
    refused(
        format!("vn 0 0 1.#x\nvn 0 1.#QNAN\n{}", cube()),
        &["line 2", "2 coordinates"],
    );
    refused(changed("v 1 0 0", "v 1e400 0 0"), &["line 2", "\"1e400\""]);
    refused(changed("v 1 0 0", "v 1 0 0 red"), &["line 2", "\"red\""]);
    refused(changed("v 1 0 0", "v 1 0"), &["line 2", "2 coordinates"]);
    // What would control a terminal is written out.
    refused(changed("v 1 0 0", "v 1 \u{1b}[2J 0"), &["line 2", "\\u{1b}[2J"]);
}

#[test]
fn malformed_corners_are_named_with_their_line() {
    let face = |face: &str| format!("{VERTICES}{face}\n");
    for corner in ["x", "1.0", "/1", "//", "1/2/3/4", "1/x", "1//x", "1\\2", "\u{fc}"] {
        refused(face(&format!("f 1 2 {corner}")), &["line 9", "is no corner"]);
    }
    refused(face("f"), &["line 9", "without corners"]);
    refused(
        face("f 0 1 2"),
        &["line 9", "vertex 0", "there are 8", "counted from 1"],
    );
    refused(face("f 1 2 9"), &["line 9", "vertex 9", "there are 8"]);
    refused(face("f 1 2 -9"), &["line 9", "vertex -9"]);
    refused(face("f 1 2 99999999999999999999"), &["line 9", "is no corner"]);
    refused(face("f 1 2 4294967297"), &["line 9", "vertex 4294967297"]);
    refused(face("f 1 2 -9223372036854775808"), &["line 9"]);
    // Lines that are continued count as well.
    refused("v 0 0 \\\n0\nv 1 0 0\nv 0 1 0\nf 1 2 4\n", &["line 5", "vertex 4"]);
}

#[test]
fn too_many_are_refused_before_memory_is_used() {
    refused("v 0 0 0\n".repeat((1 << 20) + 1), &["1048577 vertices"]);
    let corners = "1 ".repeat((1 << 20) + 3);
    refused(format!("v 0 0 0\nf {corners}\n"), &["1048577 triangles"]);
}
