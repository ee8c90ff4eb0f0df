//! As many triangles as a scene may have, each as large as the scene: what a job declares bounds what is done for it on
//! every engine, and the reference says the same of its colours.

use super::*;
use crate::{
    device::{Caps, testing::Sabotage},
    kernels::gpu::{Gpu, GpuOptions},
    kinds::rendering::{
        cpu,
        scene::{Keyframe, MAX_COORDINATE, MAX_TRIANGLES, MIN_INDEX, Material, Scene, Sky, Surface, Triangle, WHITE},
        tracer::PathTracer,
    },
    run::NoProgress,
};
use agora_primitives::job::{Limits, STEP_WORK};
use std::sync::atomic::Ordering;

/// Half of the scene's sides. The camera is twice as far from the middle: it sees past the scene, too.
const HALF: i32 = MAX_COORDINATE / 2;
/// Corners of the triangles at three edges of the scene: each triangle has one of each.
const CORNERS: [u32; 3] = [128, 128, 64];
/// Steps of a path: far fewer than there are triangles.
const STEPS: u32 = 500;
/// What a path leaves of its steps at most, where it runs out of them: it cannot pay for a leaf of four.
const REST: u64 = 7;

/// All triangles have the box of the whole scene, so that no hierarchy keeps a ray from any of them.
fn crowd() -> Scene {
    let corners = [
        |i: i32| [-HALF, -HALF + (i << 16), -HALF],
        |i: i32| [HALF, -HALF, -HALF + (i << 16)],
        |i: i32| [(i << 17) - HALF / 4, HALF, HALF],
    ];
    let vertices = corners
        .iter()
        .zip(CORNERS)
        .flat_map(|(corner, count)| (0..count as i32).map(corner));
    let [first, second, third] = CORNERS;
    let triangles = (0..first).flat_map(|a| {
        (0..second).flat_map(move |b| {
            (0..third).map(move |c| Triangle {
                vertices: [a, first + b, first + second + c],
                normals: None,
                material: 0,
            })
        })
    });
    let light = [1 << 16, 1 << 15, 1 << 14];
    Scene {
        sky: Sky {
            zenith: light,
            horizon: light,
            ground: light,
        },
        exposure: 1 << 16,
        clamp: 1 << 19,
        materials: vec![Material {
            surface: Surface::Diffuse,
            pattern: 0,
            roughness: 0,
            colour: [WHITE; 3],
            other_colour: [0; 3],
            index: MIN_INDEX,
            emission: [0; 3],
        }],
        spheres: Vec::new(),
        planes: Vec::new(),
        vertices: vertices.collect(),
        normals: Vec::new(),
        triangles: triangles.collect(),
        keyframes: vec![Keyframe {
            frame: 0,
            position: [0, 0, MAX_COORDINATE],
            target: [0; 3],
            // The image is eleven times as wide as high: twice as wide as the scene.
            tangent: (2 << 16) / 11,
            aperture: 0,
            focus: MAX_COORDINATE as u32,
        }],
        nodes: Vec::new(),
    }
    .arranged()
}

/// An image of two tiles.
fn job_of(scene: BlobRef) -> RenderingJob {
    let (width, height) = (66, 6);
    RenderingJob {
        scene,
        seed: [9; 32],
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
        samples: 1,
        max_bounces: 3,
        max_steps: STEPS,
    }
}

/// How many boxes and triangles were tried for something.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Tried {
    boxes: u64,
    triangles: u64,
}

impl Tried {
    /// What the processor has tried with this scene since the last call.
    fn take(renderer: &Renderer<'_>) -> Self {
        let tried = &renderer.prepared.geometry.tried;
        Self {
            boxes: tried.boxes.swap(0, Ordering::Relaxed),
            triangles: tried.shapes.swap(0, Ordering::Relaxed),
        }
    }

    fn with(self, other: Self) -> Self {
        Self {
            boxes: self.boxes + other.boxes,
            triangles: self.triangles + other.triangles,
        }
    }

    fn steps(self) -> u64 {
        self.boxes + 2 * self.triangles
    }
}

/// Makes the shader count, where they are tried, the boxes and triangles of each pixel, and give the counts instead of red
/// and green.
fn counting(key: &str, mut shader: String) -> String {
    if key != "render" {
        return shader;
    }
    for (line, counted) in [
        (
            "var<private> ran_out: bool;",
            "var<private> ran_out: bool; var<private> boxes: u32; var<private> tried: u32;",
        ),
        (
            "let second = nodes[2u * at + 1u];",
            "let second = nodes[2u * at + 1u]; boxes += 1u;",
        ),
        ("let first = place * 6u;", "let first = place * 6u; tried += 1u;"),
        ("sums[word] += sum.x;", "sums[word] += boxes;"),
        ("sums[word + 1u] += sum.y;", "sums[word + 1u] += tried;"),
    ] {
        assert_eq!(shader.matches(line).count(), 1, "{line}");
        shader = shader.replace(line, counted);
    }
    shader
}

/// What a device tries for each pixel of the job of `renderer`, and whether light comes from there.
fn tried_on_a_device(renderer: &Renderer<'_>, run: &Run<'_>) -> Vec<(Tried, bool)> {
    let caps = Caps {
        sabotage: Some(Sabotage(counting)),
        ..Caps::default()
    };
    let gpu = Gpu::open_within(&first_device(), &GpuOptions::default(), caps).unwrap();
    let tiles = tiles(renderer.job);
    let sums = gpu.on_device(|context| {
        let sums = Flight::of_tiles(context, renderer, run)?.render_tiles(&tiles)?;
        Ok::<_, EngineError>(sums)
    });
    let sums = sums.unwrap();
    let (sums, _) = sums.as_chunks::<3>();
    let pixels = tiles
        .iter()
        .zip(sums.chunks_exact(TILE_PIXELS as usize))
        .flat_map(|(tile, sums)| {
            let rows = sums.chunks_exact(64).take(tile.height as usize);
            rows.flat_map(move |row| &row[..tile.width as usize])
        });
    let tried = |&[boxes, triangles, blue]: &[u32; 3]| {
        let tried = Tried {
            boxes: boxes.into(),
            triangles: triangles.into(),
        };
        (tried, blue > 0)
    };
    pixels.map(tried).collect()
}

/// The scene, for the reference.
struct Only<'a>(BlobRef, &'a [u8]);

impl agora_reference::Inputs for Only<'_> {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        (*blob == self.0).then_some(self.1)
    }
}

#[test]
fn declared_work_bounds_what_is_done_for_a_million_triangles_as_large_as_the_scene() {
    let scene = crowd();
    assert_eq!(scene.triangles.len(), MAX_TRIANGLES as usize);
    let corner = scene.nodes[0];
    assert!(
        scene
            .nodes
            .iter()
            .all(|node| (node.low, node.high) == (corner.low, corner.high))
    );
    assert!(scene.nodes.iter().all(|node| node.count <= 4));
    let bytes = scene.encode();
    drop(scene);
    let mut inputs = MemoryInputs::new();
    let job = job_of(inputs.insert(bytes.as_slice()));
    let spec = JobSpec::V2(JobKind::Rendering(job));
    spec.validate().unwrap();
    let cancel = CancelFlag::new();
    let run = Run {
        inputs: &inputs,
        progress: &NoProgress,
        cancel: &cancel,
    };
    let renderer = Renderer::open(&job, &inputs).unwrap();

    // A ray that may try all of it does: nothing but the limit bounds the work.
    let unbounded = PathTracer {
        max_bounces: 0,
        max_steps: u32::MAX,
        ..renderer.tracer(0)
    };
    unbounded.sum([33, 3], 1);
    let all = Tried {
        boxes: renderer.prepared.geometry.nodes.len() as u64,
        triangles: MAX_TRIANGLES.into(),
    };
    assert_eq!(Tried::take(&renderer), all);

    // The same colours from all, and they are those of the reference.
    let computed = cpu::render_all(&renderer, &run).unwrap();
    let on_cpu = Tried::take(&renderer);
    let engine = GpuEngine::open(&first_device(), &GpuOptions::default()).unwrap();
    assert!(engine.fits(&spec));
    assert!(engine.run(&spec, &inputs, &NoProgress, &cancel).unwrap() == computed);
    let law = agora_reference::run(&spec, &Only(job.scene, &bytes)).unwrap();
    assert!(law.output == computed.output);
    assert_eq!(law.claim, computed.claim());

    // A path sees the sky past the scene after one box, or runs out of steps in it and stays dark.
    let pixels = tried_on_a_device(&renderer, &run);
    assert_eq!(pixels.len() as u64, job.pixels());
    let steps = u64::from(STEPS);
    for &(tried, sees_light) in &pixels {
        if sees_light {
            assert_eq!(tried, Tried { boxes: 1, triangles: 0 });
        } else {
            assert!((steps - REST..=steps).contains(&tried.steps()), "{tried:?}");
        }
    }
    let dark = pixels.iter().filter(|(_, sees_light)| !sees_light).count();
    assert!((pixels.len() / 4..pixels.len() * 3 / 4).contains(&dark), "{dark}");
    let is_dark = |colour: &[u8; 3]| *colour == [0; 3];
    assert_eq!(
        computed
            .output
            .as_chunks::<3>()
            .0
            .iter()
            .filter(|colour| is_dark(colour))
            .count(),
        dark
    );

    // Both engines do the same, and less than the job declares.
    let on_device = pixels.iter().fold(Tried::default(), |sum, (tried, _)| sum.with(*tried));
    assert_eq!(on_cpu, on_device);
    assert!(u128::from(on_cpu.steps()) * STEP_WORK <= job.work());
}
