//! Any solid, written in any dialect, is read with its area, volume and number of triangles.

use crate::{
    gltf_writer,
    measure::{Measure, of_mesh},
    obj_writer,
    solids::{Solid, solids},
};
use agora_scenes::obj;
use proptest::prelude::*;

fn near(found: f64, expected: f64, least: f64) -> bool {
    (found - expected).abs() <= 1e-4 * expected.abs().max(least)
}

proptest! {
    #![proptest_config(agora_test_support::cases(3000))]

    #[test]
    fn obj_files_in_any_dialect_are_read_right(solid in solids(), dialect in obj_writer::dialects()) {
        let written = dialect.write(&solid);
        let mesh = obj::read(&written).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let expected = if dialect.triangles { solid.clone().with_convex_faces().measure() } else { solid.measure() };
        let found = of_mesh(&mesh);
        prop_assert_eq!(found.triangles, expected.triangles);
        prop_assert!(near(found.area, expected.area, 0.1) && near(found.volume, expected.volume, 0.1), "{:?} {:?}", found, expected);
        prop_assert_eq!(mesh.warnings, []);
    }

    #[test]
    fn gltf_files_in_any_dialect_are_read_right(solid in solids(), dialect in gltf_writer::dialects()) {
        let solid = dialect.rounded(solid);
        let mesh = dialect.read(&solid).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let sum = |a: Measure, b: Measure| Measure {
            triangles: a.triangles + b.triangles,
            area: a.area + b.area,
            // A mirror turns the solid inside out, and the reader turns it back.
            volume: a.volume + if dialect.mirrors() { -b.volume } else { b.volume },
        };
        let none = Measure { triangles: 0, area: 0.0, volume: 0.0 };
        let expected = dialect.placed(&solid).iter().map(Solid::measure).fold(none, sum);
        let found = of_mesh(&mesh);
        prop_assert_eq!(found.triangles, expected.triangles);
        prop_assert!(near(found.area, expected.area, 0.1) && near(found.volume, expected.volume, 0.1), "{:?} {:?}", found, expected);
        prop_assert_eq!(mesh.warnings, []);
    }
}

#[test]
fn the_solids_are_what_they_should_be() {
    let near = |found: Measure, area: f64, volume: f64| {
        assert!(
            (found.area - area).abs() < 1e-2 * area && (found.volume - volume).abs() < 1e-2 * volume,
            "{found:?}"
        );
    };
    near(Solid::cube().measure(), 6.0, 1.0);
    // 4π²Rr and 2π²Rr².
    let pi2 = std::f64::consts::PI.powi(2);
    near(
        Solid::torus(200, 100).measure(),
        4.0 * pi2 * 2.0 * 0.75,
        2.0 * pi2 * 2.0 * 0.75 * 0.75,
    );
    let pi = std::f64::consts::PI;
    near(Solid::prism(&[1.0; 200], 2.0).measure(), 6.0 * pi, 2.0 * pi);
    let star = Solid::prism(&[1.0, 0.3, 0.9, 0.2, 0.8, 0.4], 1.0);
    let cut = star.clone().with_convex_faces();
    assert!(
        (star.measure().area - cut.measure().area).abs() < 1e-9
            && (star.measure().volume - cut.measure().volume).abs() < 1e-9
    );
}
