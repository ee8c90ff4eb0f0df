//! Descriptions as files, and what is told of them.

use agora_scenes::{Built, Description, DescriptionError, Foreign, NoFiles, Warning};

fn text(material: &str, more: &str) -> String {
    format!(
        r#"{{ "materials": {{ "a": {material} }}, {more}
              "camera": [{{ "position": [0, 2, 6], "target": [0, 1, 0], "field_of_view": 40 }}] }}"#
    )
}

const CLAY: &str = r#"{ "surface": "diffuse" }"#;
const BALL: &str = r#""spheres": [{ "centre": [0, 0, 0], "radius": 1, "material": "a" }],"#;
const BLACK: &str = r##""sky": { "zenith": [0, 0, 0], "horizon": "#000000", "ground": [0, 0, 0] },"##;

fn build(text: &str) -> Result<Built, DescriptionError> {
    Description::parse(text)?.build(&NoFiles)
}

#[test]
fn marks_before_a_description_are_no_part_of_it() {
    let plain = text(CLAY, BALL);
    let description = Description::read(plain.as_bytes()).expect("a description");
    let marked = Description::read(format!("\u{feff}{plain}").as_bytes()).expect("a description");
    assert_eq!(marked, description);
    let wide: Vec<u8> = format!("\u{feff}{plain}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(matches!(
        Description::read(&wide),
        Err(DescriptionError::Foreign(Foreign::Wide))
    ));
    assert!(matches!(
        Description::read(b""),
        Err(DescriptionError::Foreign(Foreign::Empty))
    ));
    let latin = plain
        .replace("diffuse", "d\u{fc}")
        .chars()
        .map(|c| c as u8)
        .collect::<Vec<_>>();
    let error = Description::read(&latin).unwrap_err().to_string();
    assert!(error.contains("save it as UTF-8"), "{error}");
    let error = Description::read(plain.replace("radius", "radiu").as_bytes())
        .unwrap_err()
        .to_string();
    assert!(error.contains("radiu") && error.contains("line 1"), "{error}");
}

#[test]
fn scenes_without_light_are_told_of() {
    let warned = |text: String| build(&text).expect("a scene").warnings;
    assert_eq!(warned(text(CLAY, BALL)), []);
    assert_eq!(warned(text(CLAY, &format!("{BALL}{BLACK}"))), [Warning::NoLight]);
    let lamp = r#"{ "surface": "emissive", "emission": [5, 5, 5] }"#;
    assert_eq!(warned(text(lamp, &format!("{BALL}{BLACK}"))), []);
    // A lamp that nothing has gives none.
    let unused = text(&format!(r#"{CLAY}, "lamp": {lamp}"#), &format!("{BALL}{BLACK}"));
    assert_eq!(warned(unused), [Warning::NoLight]);
    let name = || "a".to_owned();
    let dark = warned(text(r#"{ "surface": "emissive" }"#, &format!("{BALL}{BLACK}")));
    assert_eq!(dark, [Warning::Dark(name()), Warning::NoLight]);
    let lost = warned(text(r#"{ "surface": "metal", "emission": [5, 5, 5] }"#, BALL));
    assert_eq!(lost, [Warning::Emission(name())]);
    assert_eq!(warned(text(CLAY, "")), [Warning::Nothing]);
    let mesh = r#""meshes": [{ "shape": { "icosphere": 1 }, "material": "a" }],"#;
    assert_eq!(warned(text(lamp, &format!("{mesh}{BLACK}"))), []);
}

#[test]
fn errors_name_the_place_in_the_description() {
    let refused = |text: String, words: &[&str]| {
        let error = build(&text).expect_err("it is wrong").to_string();
        for word in words {
            assert!(error.contains(word), "{word:?} is not in {error:?}");
        }
    };
    let two = r#""spheres": [{ "centre": [0, 0, 0], "radius": 1, "material": "a" },
        { "centre": [0, 0, 0], "radius": 600, "material": "a" }],"#;
    refused(text(CLAY, two), &["spheres[1].radius is 600", "to 512"]);
    refused(
        text(CLAY, &two.replace("600", "1").replacen("[0, 0, 0]", "[0, -513, 0]", 1)),
        &["spheres[0].centre is -513"],
    );
    refused(
        text(CLAY, &BALL.replace("\"a\"", "\"b\"")),
        &["spheres[0].material", "\"b\"", "there are \"a\""],
    );
    let plane = r#""planes": [{ "point": [0, 0, 0], "normal": [0, 0, 0], "material": "a" }],"#;
    refused(text(CLAY, plane), &["planes[0].normal", "no direction"]);
    refused(
        text(r#"{ "surface": "diffuse", "colour": [0, 2, 0] }"#, ""),
        &["materials.a.colour is 2"],
    );
    let pattern = r#"{ "surface": "diffuse", "pattern": { "colour": [1, 1, 1], "size": 0.3 } }"#;
    refused(text(pattern, ""), &["materials.a.pattern.size is 0.3", "power of two"]);
    refused(text(CLAY, "").replace("40", "170"), &["camera[0].field_of_view is 170"]);
    let twice = text(&format!(r#"{CLAY}, "a": {CLAY}"#), BALL);
    refused(twice, &["two are called \"a\"", "line 1"]);
    refused(text(CLAY, r#""exposure": 0,"#), &["exposure is 0"]);
    refused(
        text(
            CLAY,
            r#""sky": { "zenith": [65, 0, 0], "horizon": [0, 0, 0], "ground": [0, 0, 0] },"#,
        ),
        &["sky.zenith is 65"],
    );
    refused(
        text(
            CLAY,
            r#""meshes": [{ "shape": { "file": "x.stl" }, "material": "a" }],"#,
        ),
        &["meshes[0] (x.stl)", ".obj"],
    );
}
