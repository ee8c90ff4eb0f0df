use agora_compute::scene::{
    Keyframe, MAX_COORDINATE, MAX_EMISSION, MAX_INDEX, MAX_NORMAL, MAX_SKY, MAX_TANGENT, MIN_INDEX, Material, Plane,
    Scene, Sky, Sphere, Surface, Triangle, WHITE,
};
use proptest::{prelude::*, sample::Index};

const UNIT: i32 = 1 << 16;

/// Mostly near the origin, sometimes anywhere.
fn position() -> impl Strategy<Value = [i32; 3]> {
    let coordinate = || {
        prop_oneof![
            6 => -3 * UNIT..3 * UNIT,
            2 => (-2..2i32).prop_map(|c| c * UNIT),
            1 => -MAX_COORDINATE..=MAX_COORDINATE,
            1 => prop_oneof![Just(MAX_COORDINATE), Just(-MAX_COORDINATE)],
        ]
    };
    prop::array::uniform3(coordinate())
}

fn material() -> impl Strategy<Value = Material> {
    let surface = prop_oneof![
        3 => Just(Surface::Diffuse),
        2 => Just(Surface::Metal),
        2 => Just(Surface::Glass),
        1 => Just(Surface::Emissive),
        2 => Just(Surface::Coated),
    ];
    let colour = || prop_oneof![4 => prop::array::uniform3(0..=WHITE), 1 => Just([WHITE; 3])];
    let emission = prop_oneof![3 => prop::array::uniform3(0..20u32 << 16), 1 => Just([MAX_EMISSION; 3])];
    let pattern = prop_oneof![Just(0), 1..=25u8];
    (
        surface,
        pattern,
        0..=WHITE,
        colour(),
        colour(),
        MIN_INDEX..=MAX_INDEX,
        emission,
    )
        .prop_map(
            |(surface, pattern, roughness, colour, other_colour, index, emission)| Material {
                surface,
                pattern,
                roughness,
                colour,
                other_colour,
                index,
                emission,
            },
        )
}

fn keyframe(frame: u32) -> impl Strategy<Value = Keyframe> {
    let tangent = prop_oneof![4 => 1u32 << 14..1 << 17, 1 => 1..=MAX_TANGENT];
    let focus = prop_oneof![1u32 << 14..1 << 20, 1..=1u32 << 25];
    (position(), position(), tangent, focus, 0..=256u32).prop_filter_map(
        "looks at where it is",
        move |(position, target, tangent, focus, part)| {
            (position != target).then_some(Keyframe {
                frame,
                position,
                target,
                tangent,
                aperture: (u64::from(focus) * u64::from(part * part) / 65536) as u32,
                focus,
            })
        },
    )
}

/// Scenes of everything, small and valid.
pub fn scene() -> impl Strategy<Value = Scene> {
    let light = || prop::array::uniform3(prop_oneof![4 => 0..2u32 << 16, 1 => 0..=MAX_SKY]);
    let sky = (light(), light(), light()).prop_map(|(zenith, horizon, ground)| Sky {
        zenith,
        horizon,
        ground,
    });
    let radius = prop_oneof![4 => 1000..2 * UNIT as u32, 1 => 1..=MAX_COORDINATE as u32];
    let some = any::<Index>;
    let normal = || prop::array::uniform3(-MAX_NORMAL..=MAX_NORMAL).prop_filter("zero", |normal| *normal != [0; 3]);
    let plane_normal = prop::array::uniform3(-9..9i32).prop_filter("zero", |normal| *normal != [0; 3]);
    let tables = (
        prop::collection::vec(material(), 1..6),
        prop::collection::vec((position(), radius, some()), 0..6),
        prop::collection::vec((position(), plane_normal, some()), 0..3),
        prop::collection::vec(position(), 1..12),
        prop::collection::vec(normal(), 1..6),
        prop::collection::vec(
            (
                [some(), some(), some()],
                [some(), some(), some()],
                any::<bool>(),
                some(),
            ),
            0..24,
        ),
    );
    let keyframes = (keyframe(0), keyframe(2)).prop_map(|(first, last)| vec![first, last]);
    (sky, 1u32 << 12..1 << 18, 1u32 << 14..1 << 20, tables, keyframes).prop_map(
        |(sky, exposure, clamp, (materials, spheres, planes, vertices, normals, triangles), keyframes)| {
            let some_material = |index: Index| index.index(materials.len()) as u32;
            Scene {
                sky,
                exposure,
                clamp,
                spheres: spheres
                    .into_iter()
                    .map(|(centre, radius, material)| Sphere {
                        centre,
                        radius,
                        material: some_material(material),
                    })
                    .collect(),
                planes: planes
                    .into_iter()
                    .map(|(point, normal, material)| Plane {
                        point,
                        normal,
                        material: some_material(material),
                    })
                    .collect(),
                triangles: triangles
                    .into_iter()
                    .map(|(corners, smooth, is_smooth, material)| Triangle {
                        vertices: corners.map(|corner| corner.index(vertices.len()) as u32),
                        normals: is_smooth.then(|| smooth.map(|normal| normal.index(normals.len()) as u32)),
                        material: some_material(material),
                    })
                    .collect(),
                vertices,
                normals,
                keyframes,
                materials,
                nodes: Vec::new(),
            }
            .arranged()
        },
    )
}
