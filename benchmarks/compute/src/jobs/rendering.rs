//! An image of a room in which no path ends early, so that its rays can be counted.

use super::Subject;
use crate::Failure;
use agora_compute::{
    JobKind, JobSpec, MemoryInputs, Region, RenderingJob,
    scene::{Keyframe, MIN_INDEX, Material, Scene, Sky, Sphere, Surface, Triangle, WHITE},
};
use std::f64::consts::{PI, TAU};

/// 1 in 16 fractional bits.
const ONE: i32 = 1 << 16;
const WIDTH: u32 = 256;
const HEIGHT: u32 = 144;
/// Paths of a pixel.
const SAMPLES: u32 = 4;
/// Surfaces from which a path goes on.
const BOUNCES: u32 = 7;
/// Steps of a path at most: more than any takes.
const STEPS: u32 = 4096;
/// Rings of the mesh, and facets of a ring.
const RINGS: u32 = 96;
const FACETS: u32 = 128;

/// 24,576 triangles, a ball of glass and one of metal in a closed room. Everything is white and nothing gives light: a
/// path leaves as many surfaces as it may, and no ray is sent to a light.
///
/// Errors: none but those of sizes beyond the limits of jobs.
pub fn room() -> Result<Subject, Failure> {
    let scene = scene();
    scene.validate()?;
    let mut inputs = MemoryInputs::new();
    let job = RenderingJob {
        scene: inputs.insert(scene.encode()),
        seed: [0x51; 32],
        width: WIDTH,
        height: HEIGHT,
        region: Region {
            x: 0,
            y: 0,
            width: WIDTH,
            height: HEIGHT,
        },
        first_frame: 0,
        frames: 1,
        samples: SAMPLES,
        max_bounces: BOUNCES,
        max_steps: STEPS,
    };
    let rays = job.pixels() * u64::from(SAMPLES) * u64::from(BOUNCES + 1);
    Ok(Subject {
        name: "rendering 24,576 triangles",
        job: JobSpec::V2(JobKind::Rendering(job)),
        inputs,
        amount: rays as f64 / 1e6,
        unit: "Mrays/s",
        check_goal: None,
    })
}

fn scene() -> Scene {
    let (vertices, triangles) = mesh();
    let ball = |x: i32, radius: i32, material| Sphere {
        centre: [x * ONE, 0, 0],
        radius: (radius * ONE) as u32,
        material,
    };
    Scene {
        sky: Sky {
            zenith: [0; 3],
            horizon: [0; 3],
            ground: [0; 3],
        },
        exposure: 1 << 16,
        clamp: 1 << 19,
        materials: [Surface::Diffuse, Surface::Glass, Surface::Metal].map(white).into(),
        // The first one is the room, seen from inside.
        spheres: vec![ball(0, 20, 0), ball(-3, 1, 1), ball(3, 1, 2)],
        planes: Vec::new(),
        vertices,
        normals: Vec::new(),
        triangles,
        keyframes: vec![Keyframe {
            frame: 0,
            position: [0, 2 * ONE, 8 * ONE],
            target: [0; 3],
            tangent: 1 << 15,
            aperture: 0,
            focus: 8 << 16,
        }],
        nodes: Vec::new(),
    }
    .arranged()
}

fn white(surface: Surface) -> Material {
    Material {
        surface,
        pattern: 0,
        roughness: 0,
        colour: [WHITE; 3],
        other_colour: [WHITE; 3],
        index: MIN_INDEX / 2 * 3,
        emission: [0; 3],
    }
}

/// A ball with dents.
fn mesh() -> (Vec<[i32; 3]>, Vec<Triangle>) {
    let vertex = |ring: u32, facet: u32| {
        let (latitude, longitude) = (
            PI * f64::from(ring) / f64::from(RINGS),
            TAU * f64::from(facet) / f64::from(FACETS),
        );
        let radius = 1.5 + 0.1 * (8.0 * latitude).sin() * (8.0 * longitude).cos();
        let direction = [
            latitude.sin() * longitude.cos(),
            latitude.cos(),
            latitude.sin() * longitude.sin(),
        ];
        direction.map(|part| (part * radius * f64::from(ONE)) as i32)
    };
    let vertices = (0..=RINGS).flat_map(|ring| (0..FACETS).map(move |facet| vertex(ring, facet)));
    let triangles = (0..RINGS).flat_map(|ring| {
        (0..FACETS).flat_map(move |facet| {
            let at = |ring: u32, facet: u32| ring * FACETS + facet % FACETS;
            let (a, b) = (at(ring, facet), at(ring, facet + 1));
            let (c, d) = (at(ring + 1, facet), at(ring + 1, facet + 1));
            [[a, b, c], [b, d, c]].map(|vertices| Triangle {
                vertices,
                normals: None,
                material: 0,
            })
        })
    });
    (vertices.collect(), triangles.collect())
}
