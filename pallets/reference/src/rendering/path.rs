//! Paths of light, followed backwards from the camera. "Paths" of the page, with its letters.

use super::{
    bsdf::SurfaceHit,
    camera::Camera,
    entries::Surface,
    number::{
        Int, Vector, WHITE, ZERO, abs, add, dot, each, fraction, int, ints, minus, negate, normalise_with_length,
        on_sphere, ratio, sat, scale, sub, took,
    },
    scene::Scene,
    search::{Cut, Found, Shape, Until},
    shapes::{MAX_DISTANCE, Ray, Sphere},
};
use crate::Fault;
use agora_jobs::RenderingJob;
use agora_math::field::Generator;
use alloc::vec::Vec;

/// The generator's label.
const LABEL: &[u8] = b"R";
/// Throughput that loses nothing.
const ALL: Int = core::num::Wrapping(1 << 16);
/// The factor of light that is seen directly.
const SEEN: Int = core::num::Wrapping(1 << 24);
/// How far from a surface the next ray begins.
const OFFSET: Int = core::num::Wrapping(16);
/// How far before a light its ray ends.
const LIGHT_MARGIN: Int = core::num::Wrapping(64);
/// The most of ⌊radius · 2¹⁶ / distance⌋ of a light.
const MAX_LIGHT: Int = core::num::Wrapping(1 << 18);
/// The bounce from which on paths end by chance.
const FIRST_ROULETTE: u32 = 2;

/// Follows the paths of a frame.
pub struct PathTracer<'a, 'j> {
    job: &'j RenderingJob,
    scene: Scene<'a>,
    lights: Vec<(Sphere, Vector)>,
    camera: Camera,
    generator: Generator,
    frame: u32,
}

/// A path under way.
struct PathState {
    radiance: Vector,
    throughput: Vector,
    ray: Ray,
    is_direct: bool,
    /// Steps left.
    left: u32,
}

/// Whether a path goes on.
enum Next {
    On,
    End,
}

impl<'a, 'j> PathTracer<'a, 'j> {
    /// Follows the paths of frame `frame`.
    pub fn new(job: &'j RenderingJob, scene: Scene<'a>, frame: u32) -> Self {
        Self {
            job,
            camera: Camera::of(job, frame, scene.keyframes_around(frame)),
            lights: scene.lights(),
            generator: Generator::new(&job.seed, LABEL),
            scene,
            frame,
        }
    }

    /// The random words of a path of pixel (`x`, `y`).
    fn words(&self, [x, y]: [u32; 2], sample: u32, draw: u32) -> [u32; 4] {
        took(crate::WORD_WORK.saturating_mul(4));
        // The counts that are joined are below 2¹⁶, and 2¹², 2¹² and 2⁸.
        let low = u64::from(x | (y << 16));
        let high = u64::from((self.frame << 20) | (sample << 8) | draw);
        self.generator.words(low | (high << 32))
    }

    /// The radiance of path `sample` of pixel (`x`, `y`).
    ///
    /// Errors: `Missing`.
    pub fn radiance(&mut self, [x, y]: [u32; 2], sample: u32) -> Result<Vector, Fault> {
        let mut path = PathState {
            radiance: [ZERO; 3],
            throughput: [ALL; 3],
            ray: self.camera.ray(x, y, self.words([x, y], sample, 0)),
            is_direct: true,
            left: self.job.max_steps,
        };
        for b in 0..=self.job.max_bounces {
            match self.bounce(&mut path, [x, y], sample, b) {
                Ok(Next::On) => {}
                Ok(Next::End) | Err(Cut::OutOfSteps) => break,
                Err(Cut::Fault(fault)) => return Err(fault),
            }
        }
        Ok(path.radiance)
    }

    /// Bounce `b` of a path.
    fn bounce(&mut self, path: &mut PathState, pixel: [u32; 2], sample: u32, b: u32) -> Result<Next, Cut> {
        let Ray { direction: d, .. } = path.ray;
        let first = self
            .scene
            .search(&path.ray, MAX_DISTANCE + int(1), Until::First, &mut path.left)?;
        let Some(found) = first else {
            let sky = self.sky(d);
            self.receive(path, sky, SEEN, 1);
            return Ok(Next::End);
        };
        let Some((hit, is_sphere)) = self.surface_hit(&path.ray, &found)? else {
            return Ok(Next::End);
        };
        if hit.material.surface == Surface::Emissive {
            if path.is_direct || !is_sphere {
                self.receive(path, hit.material.emission, SEEN, 1);
            }
            return Ok(Next::End);
        }
        if b == self.job.max_bounces {
            return Ok(Next::End);
        }
        // At most 1 + 2 · 64.
        let draw = b.saturating_mul(2).saturating_add(1);
        let words = self.words(pixel, sample, draw);
        let bsdf = hit.sample(words);
        let origin = add(hit.p, scale(bsdf.side, OFFSET));
        took(3);
        path.throughput = each(path.throughput, bsdf.weight, |a, c| (a * c) >> 15);
        path.is_direct = bsdf.is_direct;
        if !path.is_direct {
            let words = self.words(pixel, sample, draw.saturating_add(1));
            self.light(path, &hit, origin, words)?;
        }
        if dot(bsdf.direction, bsdf.side) <= ZERO {
            return Ok(Next::End);
        }
        path.ray = Ray {
            origin,
            direction: bsdf.direction,
        };
        let [.., last] = words;
        Ok(if b >= FIRST_ROULETTE {
            path.roulette(last)
        } else {
            Next::On
        })
    }

    /// The surface that was found, and whether it is that of a sphere. `None`: the scene has no material, and is
    /// unusable.
    fn surface_hit(&mut self, ray: &Ray, found: &Found) -> Result<Option<(SurfaceHit, bool)>, Fault> {
        let p = ray.at(found.distance);
        let d = ray.direction;
        let (outward, material) = match &found.shape {
            Shape::Triangle(triangle) => (triangle.normal, triangle.material),
            Shape::Sphere(sphere) => (sphere.outward(p), sphere.material),
            Shape::Plane(plane) => (plane.normal, plane.material),
        };
        let smooth = match &found.shape {
            Shape::Triangle(triangle) => match triangle.normals {
                Some(normals) => Some(triangle.smooth(p, self.scene.normals(normals)?)),
                None => None,
            },
            Shape::Sphere(_) | Shape::Plane(_) => None,
        };
        let is_inside = dot(outward, d) > ZERO;
        let towards = |normal: Vector| if is_inside { negate(normal) } else { normal };
        let n = towards(outward);
        let s = smooth.map(towards).filter(|&s| dot(s, d) < ZERO).unwrap_or(n);
        Ok(self.scene.material(material).map(|material| {
            let hit = SurfaceHit {
                p,
                d,
                n,
                s,
                is_inside,
                material,
            };
            (hit, matches!(found.shape, Shape::Sphere(_)))
        }))
    }

    /// The sky towards `d`.
    fn sky(&self, d: Vector) -> Vector {
        took(4);
        let [zenith, horizon, ground] = self.scene.header.sky.map(ints);
        let [_, d1, _] = d;
        let q = WHITE - fraction(abs(d1));
        let s = WHITE - ((q * q) >> 15);
        let far = if d1 < ZERO { ground } else { zenith };
        each(horizon, far, |n, f| n + (((f - n) * s) >> 15))
    }

    /// Receives light `l` with factor `g` and count `z`.
    fn receive(&self, path: &mut PathState, l: Vector, g: Int, z: u32) {
        took(9);
        let clamp = int(self.scene.header.clamp);
        let light = each(path.throughput, l, |p, l| {
            let e = sat((p * g) >> 16);
            sat(sat((e * l) >> 24) * int(z))
        });
        path.radiance = each(path.radiance, light, |radiance, e| (radiance + e.min(clamp)).min(clamp));
    }

    /// Step 7: the light of one of the lights, at a surface hit whose next ray begins at `o`.
    fn light(&mut self, path: &mut PathState, hit: &SurfaceHit, o: Vector, words: [u32; 4]) -> Result<(), Cut> {
        let [w0, w1, w2, _] = words;
        // At most 1024.
        let z = self.lights.len() as u32;
        let number = (u64::from(w0).wrapping_mul(z.into()) >> 32) as usize;
        let Some((light, emission)) = self.lights.get(number).copied() else {
            return Ok(());
        };
        let mut q = on_sphere(w1, w2);
        if dot(q, sub(o, light.centre)) < ZERO {
            q = negate(q);
        }
        let e = sub(add(light.centre, scale(q, light.radius)), o);
        let (d, t) = normalise_with_length(e);
        let (here, there) = (dot(d, hit.s), minus(dot(d, q)));
        if t <= LIGHT_MARGIN || here <= ZERO || there <= ZERO || dot(d, hit.n) <= ZERO {
            return Ok(());
        }
        let ray = Ray {
            origin: o,
            direction: d,
        };
        let blocked = self.scene.search(&ray, t - LIGHT_MARGIN, Until::Any, &mut path.left)?;
        if blocked.is_none() {
            took(3);
            let k = ratio(light.radius << 16, t).min(MAX_LIGHT);
            let cosines = (fraction(here) * fraction(there)) >> 15;
            let g = (cosines * ((k * k) >> 8)) >> 14;
            self.receive(path, emission, g, z);
        }
        Ok(())
    }
}

impl PathState {
    /// Step 9: ends the path by chance, or makes up for those that end.
    fn roulette(&mut self, word: u32) -> Next {
        let m = self.throughput.into_iter().fold(ZERO, Int::max);
        if int(word >> 16) >= m {
            return Next::End;
        }
        if m < ALL {
            self.throughput = self.throughput.map(|c| ratio(c << 16, m));
        }
        Next::On
    }
}
