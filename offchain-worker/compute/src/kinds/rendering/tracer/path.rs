//! Paths of light, followed backwards from the camera: the reference for every engine.

use super::{
    bsdf::{Lobe, Shape, Side, SurfaceHit},
    camera::View,
    fixed::{Vector, dot, fraction, mul_saturating, negate, normalise, normalise_with_length, on_sphere, sub},
    geometry::SPHERE,
    prepared::{Light, PreparedScene, step_along},
    scene::Surface,
    trace::{Hit, OutOfSteps, Ray},
};
use agora_math::field::Generator;

/// How far from a surface the next ray begins.
const OFFSET: i32 = 16;
/// How far before a light its shadow ray ends.
const LIGHT_MARGIN: u32 = 64;
/// The bounce from which on a path may end by chance.
const FIRST_ROULETTE: u32 = 2;
/// Throughput that loses nothing.
const ALL: u32 = 1 << 16;

/// The generator's label.
const LABEL: &[u8] = b"R";

/// The generator of the random words of a job with `seed`.
pub(crate) fn generator(seed: &[u8; 32]) -> Generator {
    Generator::new(seed, LABEL)
}

/// Follows the paths of a frame.
pub(crate) struct PathTracer<'a> {
    pub scene: &'a PreparedScene,
    pub view: View,
    pub generator: Generator,
    pub size: [u32; 2],
    pub frame: u32,
    pub max_bounces: u32,
    pub max_steps: u32,
}

/// A path under way.
struct PathState {
    radiance: [u32; 3],
    throughput: [u32; 3],
    clamp: u32,
    /// The steps that are left for its rays.
    steps: u32,
}

impl PathState {
    /// Adds what `throughput` lets through of `light`, a factor of 24 fractional bits, and a whole factor.
    fn add(&mut self, light: [u32; 3], throughput: [u32; 3], factor: u32, times: u32) {
        for i in 0..3 {
            let part = mul_saturating(throughput[i], factor, 16);
            let more = mul_saturating(mul_saturating(part, light[i], 24), times, 0);
            self.radiance[i] = (self.radiance[i] + more.min(self.clamp)).min(self.clamp);
        }
    }

    /// What is left of the throughput after a surface of `colour`.
    fn through(&self, colour: [u32; 3]) -> [u32; 3] {
        [0, 1, 2].map(|i| (self.throughput[i] * colour[i]) >> 15)
    }

    /// Russian roulette: ends the path with a probability, and otherwise scales it up to make up for those that end.
    /// Returns whether it goes on.
    fn survives_roulette(&mut self, word: u32) -> bool {
        let chance = self.throughput.into_iter().fold(0, u32::max);
        if word >> 16 >= chance {
            return false;
        }
        if chance < ALL {
            self.throughput = self.throughput.map(|part| (part << 16) / chance);
        }
        true
    }
}

impl PathTracer<'_> {
    /// The random words of a path: `draw` 0 are the camera's, 1 + 2·b and 2 + 2·b those of bounce b.
    fn words(&self, [x, y]: [u32; 2], sample: u32, draw: u32) -> [u32; 4] {
        let low = u64::from(x | (y << 16));
        let high = u64::from((self.frame << 20) | (sample << 8) | draw);
        self.generator.words(low | (high << 32))
    }

    /// The sum of the radiances of the `samples` first paths through pixel `pixel`.
    pub fn sum(&self, pixel: [u32; 2], samples: u32) -> [u32; 3] {
        (0..samples).fold([0; 3], |sum, sample| {
            let radiance = self.radiance(pixel, sample);
            // At most 4096 samples below 2²⁰ each.
            [0, 1, 2].map(|i| sum[i] + radiance[i])
        })
    }

    /// The radiance that comes along one path.
    fn radiance(&self, pixel: [u32; 2], sample: u32) -> [u32; 3] {
        let (mut origin, mut direction) = self.view.ray(pixel, self.size, self.words(pixel, sample, 0));
        let mut path = PathState {
            radiance: [0; 3],
            throughput: [ALL; 3],
            clamp: self.scene.clamp,
            steps: self.max_steps,
        };
        let mut lobe = Lobe::Specular;
        for bounce in 0..=self.max_bounces {
            let ray = Ray::new(origin, direction);
            let Ok(found) = self.scene.geometry.first_hit(&ray, &mut path.steps) else {
                break;
            };
            let Some(hit) = found else {
                path.add(self.scene.sky_towards(direction), path.throughput, 1 << 24, 1);
                break;
            };
            let surface = self.surface_hit(&ray, direction, hit);
            if surface.material.is(Surface::Emissive) {
                if lobe == Lobe::Specular || surface.shape == Shape::Other {
                    path.add(surface.material.emission, path.throughput, 1 << 24, 1);
                }
                break;
            }
            if bounce == self.max_bounces {
                break;
            }
            let words = self.words(pixel, sample, 1 + 2 * bounce);
            let bsdf = surface.sample_bsdf(direction, words);
            origin = step_along(surface.position, bsdf.outgoing_normal, OFFSET);
            path.throughput = path.through(bsdf.colour);
            if bsdf.lobe == Lobe::Diffuse {
                let words = self.words(pixel, sample, 2 + 2 * bounce);
                if self.add_direct_light(&mut path, origin, &surface, words).is_err() {
                    break;
                }
            }
            if dot(bsdf.direction, bsdf.outgoing_normal) <= 0 {
                break;
            }
            if bounce >= FIRST_ROULETTE && !path.survives_roulette(words[3]) {
                break;
            }
            (direction, lobe) = (bsdf.direction, bsdf.lobe);
        }
        path.radiance
    }

    /// Adds the light of one of the lights, seen from `origin` at a scattering surface.
    fn add_direct_light(
        &self,
        path: &mut PathState,
        origin: Vector,
        surface: &SurfaceHit,
        words: [u32; 4],
    ) -> Result<(), OutOfSteps> {
        let count = self.scene.lights.len() as u32;
        let chosen = ((u64::from(words[0]) * u64::from(count)) >> 32) as usize;
        let Some(light) = self.scene.lights.get(chosen) else {
            return Ok(());
        };
        let Some((direction, distance, factor)) = sample_light(light, origin, surface, words) else {
            return Ok(());
        };
        let ray = Ray::new(origin, direction);
        let geometry = &self.scene.geometry;
        if !geometry.is_hit_before(&ray, distance - LIGHT_MARGIN, &mut path.steps)? {
            path.add(light.emission, path.throughput, factor, count);
        }
        Ok(())
    }

    /// The surface at `hit`.
    fn surface_hit(&self, ray: &Ray, direction: Vector, hit: Hit) -> SurfaceHit {
        let geometry = &self.scene.geometry;
        let position = ray.at(hit.distance);
        let place = hit.place as usize;
        let (outward, shape, material) = match geometry.primitives.get(place) {
            Some(primitive) if primitive.kind == SPHERE => {
                let [x, y, z, _] = primitive.planes[0];
                (
                    normalise(sub(position, [x, y, z])),
                    Shape::Sphere,
                    geometry.surfaces[place].material,
                )
            }
            Some(primitive) => {
                let [x, y, z, _] = primitive.planes[0];
                ([x, y, z], Shape::Other, geometry.surfaces[place].material)
            }
            None => {
                let plane = &geometry.planes[place - geometry.primitives.len()];
                let [x, y, z, _] = plane.plane;
                ([x, y, z], Shape::Other, plane.material)
            }
        };
        let side = if dot(outward, direction) > 0 {
            Side::Inside
        } else {
            Side::Outside
        };
        let towards_ray = |normal: Vector| if side == Side::Inside { negate(normal) } else { normal };
        let normal = towards_ray(outward);
        let shading = geometry
            .smooth_normal(place, position)
            .map(towards_ray)
            .filter(|&smooth| dot(smooth, direction) < 0)
            .unwrap_or(normal);
        SurfaceHit {
            position,
            normal,
            shading,
            side,
            material: self.scene.materials[material as usize],
            shape,
        }
    }
}

/// Samples a point of `light` as seen from `origin`: its direction and distance, and what part of its radiance arrives
/// (24 fractional bits); `None` if none does.
fn sample_light(light: &Light, origin: Vector, surface: &SurfaceHit, words: [u32; 4]) -> Option<(Vector, u32, u32)> {
    let mut outward = on_sphere(words[1], words[2]);
    if dot(outward, sub(origin, light.centre)) < 0 {
        outward = negate(outward);
    }
    let point = step_along(light.centre, outward, light.radius as i32);
    let (direction, distance) = normalise_with_length(sub(point, origin));
    let [here, there] = [dot(direction, surface.shading), -dot(direction, outward)];
    if distance <= LIGHT_MARGIN || here <= 0 || there <= 0 || dot(direction, surface.normal) <= 0 {
        return None;
    }
    // Twice radius² / distance² · cosine · cosine.
    let ratio = ((u64::from(light.radius) << 16) / u64::from(distance)).min(1 << 18);
    let squared = (ratio * ratio) >> 8;
    let cosines = (fraction(here) * fraction(there)) >> 15;
    let factor = (u64::from(cosines) * squared) >> 14;
    Some((direction, distance, factor as u32))
}
