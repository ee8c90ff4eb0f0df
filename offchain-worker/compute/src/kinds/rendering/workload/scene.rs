//! The scene that engines are measured with.

use crate::kinds::rendering::scene::{
    Keyframe, MIN_INDEX, Material, Plane, Scene, Sky, Sphere, Surface, Triangle, WHITE,
};

/// 1 in 16 fractional bits.
const ONE: i32 = 1 << 16;
/// Pyramids along each side of the field.
const PYRAMIDS: u32 = 16;
/// Side of a pyramid's base, and its height.
const SIDE: i32 = ONE / 2;

/// 1024 triangles in a field of pyramids, under three spheres and a lamp, on a chequered floor in daylight.
pub fn daylight() -> Scene {
    let (vertices, triangles) = pyramids();
    let sphere = |centre: [i32; 3], material| Sphere {
        centre: centre.map(|coordinate| coordinate * ONE),
        radius: ONE as u32,
        material,
    };
    Scene {
        sky: Sky {
            zenith: [1 << 14, 1 << 15, 1 << 16],
            horizon: [1 << 16; 3],
            ground: [1 << 14; 3],
        },
        exposure: 1 << 16,
        clamp: 1 << 19,
        materials: vec![
            Material {
                pattern: 16,
                ..material(Surface::Diffuse)
            },
            material(Surface::Coated),
            material(Surface::Metal),
            material(Surface::Glass),
            material(Surface::Emissive),
        ],
        spheres: vec![
            sphere([-2, 2, 0], 1),
            sphere([0, 2, -2], 2),
            sphere([2, 2, 0], 3),
            sphere([0, 6, 0], 4),
        ],
        planes: vec![Plane {
            point: [0; 3],
            normal: [0, ONE, 0],
            material: 0,
        }],
        vertices,
        normals: Vec::new(),
        triangles,
        keyframes: vec![Keyframe {
            frame: 0,
            position: [0, 3 * ONE, 8 * ONE],
            target: [0, ONE, 0],
            tangent: 1 << 15,
            aperture: 0,
            focus: 8 << 16,
        }],
        nodes: Vec::new(),
    }
    .arranged()
}

fn material(surface: Surface) -> Material {
    Material {
        surface,
        pattern: 0,
        roughness: WHITE / 16,
        colour: [WHITE / 4 * 3, WHITE / 2, WHITE / 4],
        other_colour: [WHITE / 4 * 3; 3],
        index: MIN_INDEX / 2 * 3,
        emission: [8 << 16; 3],
    }
}

/// A square field around the origin: vertices, and four flat triangles for each pyramid.
fn pyramids() -> (Vec<[i32; 3]>, Vec<Triangle>) {
    let places = (0..PYRAMIDS).flat_map(|z| (0..PYRAMIDS).map(move |x| (x as i32, z as i32)));
    let half = PYRAMIDS as i32 / 2;
    let vertices = places.flat_map(|(x, z)| {
        let corner = |dx: i32, dz: i32| [(x + dx - half) * SIDE, 0, (z + dz - half) * SIDE];
        let [left, _, back] = corner(0, 0);
        let top = [left + SIDE / 2, SIDE, back + SIDE / 2];
        // Counter-clockwise, seen from above.
        [corner(0, 0), corner(0, 1), corner(1, 1), corner(1, 0), top]
    });
    let triangles = (0..PYRAMIDS * PYRAMIDS).flat_map(|pyramid| {
        (0..4).map(move |side| Triangle {
            vertices: [side, (side + 1) % 4, 4].map(|vertex| 5 * pyramid + vertex),
            normals: None,
            material: 1,
        })
    });
    (vertices.collect(), triangles.collect())
}
