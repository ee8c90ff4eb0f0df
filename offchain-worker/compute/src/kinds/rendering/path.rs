//! Paths of light, followed backwards from the camera: the reference for every engine.

use super::{
    camera::View,
    fixed::{
        FRACTION, ONE, Vector, dot, fraction, mul, mul_saturating, negate, normalise, normalise_with_length, on_sphere,
        scale, sub,
    },
    geometry::SPHERE,
    scene::Surface,
    trace::{Hit, Ray},
    world::{Finish, Light, World, step_along, towards_one},
};
use agora_math::field::Generator;

/// How far from a surface the next ray begins.
const OFFSET: i32 = 16;
/// How far before a light its shadow ray ends.
const LIGHT_MARGIN: u32 = 64;
/// Of a normal and a random direction, a shorter sum than this has no direction.
const LEAST_SUM: i32 = 1 << 10;
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

/// What all paths of a frame have in common.
pub(crate) struct Paths<'a> {
    pub world: &'a World,
    pub view: View,
    pub generator: Generator,
    pub size: [u32; 2],
    pub frame: u32,
    pub max_bounces: u32,
}

/// The surface where a ray meets it.
struct Meeting {
    position: Vector,
    /// The surface's normal, towards the ray.
    normal: Vector,
    /// The normal to shade with: `normal`, or what is between those of the vertices.
    shading: Vector,
    side: Side,
    finish: Finish,
    shape: Shape,
}

/// Where a ray comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Outside,
    Inside,
}

/// What a ray meets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Sphere,
    Other,
}

/// How a path came to where it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arrival {
    /// From the camera, or by a reflection or refraction: lights count.
    Direct,
    /// Scattered: lights that are aimed at count already.
    Scattered,
}

/// How a path goes on.
struct Departure {
    direction: Vector,
    /// Away from the surface, on the side to which the path goes.
    away: Vector,
    colour: [u32; 3],
    arrival: Arrival,
}

/// A path on its way.
struct Walk {
    radiance: [u32; 3],
    throughput: [u32; 3],
    clamp: u32,
}

impl Walk {
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

    /// Ends the path with a probability; if it goes on, it carries more for that. Returns whether it goes on.
    fn survives(&mut self, word: u32) -> bool {
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

impl Paths<'_> {
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
        let mut walk = Walk {
            radiance: [0; 3],
            throughput: [ALL; 3],
            clamp: self.world.clamp,
        };
        let mut arrival = Arrival::Direct;
        for bounce in 0..=self.max_bounces {
            let ray = Ray::new(origin, direction);
            let Some(hit) = self.world.geometry.first_hit(&ray) else {
                walk.add(self.world.sky_towards(direction), walk.throughput, 1 << 24, 1);
                break;
            };
            let meeting = self.meeting(&ray, direction, hit);
            if meeting.finish.is(Surface::Emissive) {
                if arrival == Arrival::Direct || meeting.shape == Shape::Other {
                    walk.add(meeting.finish.emission, walk.throughput, 1 << 24, 1);
                }
                break;
            }
            if bounce == self.max_bounces {
                break;
            }
            let words = self.words(pixel, sample, 1 + 2 * bounce);
            let Some(departure) = meeting.leave(direction, words) else {
                break;
            };
            origin = step_along(meeting.position, departure.away, OFFSET);
            walk.throughput = walk.through(departure.colour);
            if departure.arrival == Arrival::Scattered {
                self.add_light(&mut walk, origin, &meeting, self.words(pixel, sample, 2 + 2 * bounce));
            }
            if dot(departure.direction, departure.away) <= 0 || (bounce >= FIRST_ROULETTE && !walk.survives(words[3])) {
                break;
            }
            (direction, arrival) = (departure.direction, departure.arrival);
        }
        walk.radiance
    }

    /// Adds the light of one of the lights, seen from `origin` at a scattering surface.
    fn add_light(&self, walk: &mut Walk, origin: Vector, meeting: &Meeting, words: [u32; 4]) {
        let count = self.world.lights.len() as u32;
        let chosen = ((u64::from(words[0]) * u64::from(count)) >> 32) as usize;
        let Some(light) = self.world.lights.get(chosen) else {
            return;
        };
        let Some((direction, distance, factor)) = aim(light, origin, meeting, words) else {
            return;
        };
        let ray = Ray::new(origin, direction);
        if !self.world.geometry.is_hit_before(&ray, distance - LIGHT_MARGIN) {
            walk.add(light.emission, walk.throughput, factor, count);
        }
    }

    fn meeting(&self, ray: &Ray, direction: Vector, hit: Hit) -> Meeting {
        let geometry = &self.world.geometry;
        let position = ray.at(hit.distance);
        let place = hit.place as usize;
        let (outward, shape, material) = match geometry.primitives.get(place) {
            Some(primitive) if primitive.kind == SPHERE => {
                let [x, y, z, _] = primitive.planes[0];
                (
                    normalise(sub(position, [x, y, z])),
                    Shape::Sphere,
                    geometry.skins[place].material,
                )
            }
            Some(primitive) => {
                let [x, y, z, _] = primitive.planes[0];
                ([x, y, z], Shape::Other, geometry.skins[place].material)
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
        Meeting {
            position,
            normal,
            shading,
            side,
            finish: self.world.finishes[material as usize],
            shape,
        }
    }
}

/// Where to look from `origin` for a point of `light`, how far it is, and what part of its radiance arrives (24 fractional
/// bits); `None` if none does.
fn aim(light: &Light, origin: Vector, meeting: &Meeting, words: [u32; 4]) -> Option<(Vector, u32, u32)> {
    let mut outward = on_sphere(words[1], words[2]);
    if dot(outward, sub(origin, light.centre)) < 0 {
        outward = negate(outward);
    }
    let point = step_along(light.centre, outward, light.radius as i32);
    let (direction, distance) = normalise_with_length(sub(point, origin));
    let [here, there] = [dot(direction, meeting.shading), -dot(direction, outward)];
    if distance <= LIGHT_MARGIN || here <= 0 || there <= 0 || dot(direction, meeting.normal) <= 0 {
        return None;
    }
    // Twice radius² / distance² · cosine · cosine.
    let ratio = ((u64::from(light.radius) << 16) / u64::from(distance)).min(1 << 18);
    let squared = (ratio * ratio) >> 8;
    let cosines = (fraction(here) * fraction(there)) >> 15;
    let factor = (u64::from(cosines) * squared) >> 14;
    Some((direction, distance, factor as u32))
}

impl Meeting {
    /// How a path goes on that comes in `direction`; `None` if it ends. `words`: two for a direction, one for a choice.
    fn leave(&self, direction: Vector, words: [u32; 4]) -> Option<Departure> {
        let random = on_sphere(words[0], words[1]);
        let choice = words[2] >> 17;
        let finish = &self.finish;
        let colour = finish.colour_at(self.position);
        let cosine = (-dot(direction, self.shading)).clamp(0, ONE);
        if finish.is(Surface::Glass) {
            return Some(self.through_glass(direction, cosine, choice));
        }
        if finish.is(Surface::Metal) {
            let blurred = scale(random, finish.roughness);
            let reflected = self.reflected(direction);
            let direction = normalise([0, 1, 2].map(|i| reflected[i] + blurred[i]));
            let colour = colour.map(|channel| towards_one(channel, fraction(cosine)));
            return Some(self.depart(direction, colour, Arrival::Direct));
        }
        if finish.is(Surface::Coated) && choice < finish.reflected(fraction(cosine)) {
            return Some(self.depart(self.reflected(direction), [FRACTION; 3], Arrival::Direct));
        }
        let sum = [0, 1, 2].map(|i| self.shading[i] + random[i]);
        let direction = if sum.iter().all(|c| c.abs() < LEAST_SUM) {
            self.shading
        } else {
            normalise(sum)
        };
        Some(self.depart(direction, colour, Arrival::Scattered))
    }

    /// The mirror image of `direction`.
    fn reflected(&self, direction: Vector) -> Vector {
        let along = scale(self.shading, dot(direction, self.shading));
        [0, 1, 2].map(|i| direction[i] - along[i] - along[i])
    }

    fn depart(&self, direction: Vector, colour: [u32; 3], arrival: Arrival) -> Departure {
        Departure {
            direction,
            away: self.normal,
            colour,
            arrival,
        }
    }

    /// Reflection or refraction, by Fresnel's parts of the light.
    fn through_glass(&self, direction: Vector, cosine: i32, choice: u32) -> Departure {
        let bending = self.finish.bending[self.side as usize];
        let squared = mul_saturating(bending as u32, bending as u32, 28);
        let sine = mul_saturating(squared, (ONE - mul(cosine, cosine, 30)) as u32, 28);
        let mirror = || self.depart(self.reflected(direction), [FRACTION; 3], Arrival::Direct);
        if sine >= ONE as u32 {
            return mirror();
        }
        // The square of the cosine behind the surface, and the cosine.
        let behind = (u64::from(ONE as u32 - sine) << 30).isqrt() as i32;
        let flatter = if self.side == Side::Outside { cosine } else { behind };
        if choice < self.finish.reflected(fraction(flatter)) {
            return mirror();
        }
        let along = mul(bending, cosine, 30) - (behind >> 2);
        let bent = [0, 1, 2].map(|i| mul(bending, direction[i], 30) + mul(along, self.shading[i], 30));
        Departure {
            direction: normalise(bent),
            away: negate(self.normal),
            colour: self.finish.colour,
            arrival: Arrival::Direct,
        }
    }
}
