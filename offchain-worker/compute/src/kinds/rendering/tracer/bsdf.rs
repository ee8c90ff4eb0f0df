//! Surfaces where rays hit them, and how paths go on from there: the bidirectional scattering distribution functions.

use super::{
    fixed::{FRACTION, ONE, Vector, dot, fraction, mul, mul_saturating, negate, normalise, on_sphere, scale},
    prepared::{PreparedMaterial, towards_one},
    scene::Surface,
};

/// If the sum of a normal and a random direction is shorter than this, it counts as having no direction.
const LEAST_SUM: i32 = 1 << 10;

/// The surface where a ray hits it.
pub(super) struct SurfaceHit {
    pub position: Vector,
    /// The surface's normal, towards the ray.
    pub normal: Vector,
    /// The shading normal: `normal`, or the interpolated normal of the vertices.
    pub shading: Vector,
    pub side: Side,
    pub material: PreparedMaterial,
    pub shape: Shape,
}

/// Where a ray comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Outside,
    Inside,
}

/// What a ray hits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Sphere,
    Other,
}

/// Through which lobe of a surface a path came to its present place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lobe {
    /// By a reflection or refraction, or from the camera: a light that it hits counts.
    Specular,
    /// Scattered: lights that are sampled directly count already.
    Diffuse,
}

/// How a path goes on from a surface.
pub(super) struct BsdfSample {
    pub direction: Vector,
    /// Away from the surface, on the side to which the path goes.
    pub outgoing_normal: Vector,
    pub colour: [u32; 3],
    pub lobe: Lobe,
}

impl SurfaceHit {
    /// Samples how a path that comes in `direction` goes on. `words`: two for a direction, one for a choice.
    pub fn sample_bsdf(&self, direction: Vector, words: [u32; 4]) -> BsdfSample {
        let random = on_sphere(words[0], words[1]);
        let choice = words[2] >> 17;
        let material = &self.material;
        let colour = material.colour_at(self.position);
        let cosine = (-dot(direction, self.shading)).clamp(0, ONE);
        if material.is(Surface::Glass) {
            return self.through_glass(direction, cosine, choice);
        }
        if material.is(Surface::Metal) {
            let blurred = scale(random, material.roughness);
            let reflected = self.mirrored(direction);
            let direction = normalise([0, 1, 2].map(|i| reflected[i] + blurred[i]));
            let colour = colour.map(|channel| towards_one(channel, fraction(cosine)));
            return self.reflection(direction, colour, Lobe::Specular);
        }
        if material.is(Surface::Coated) && choice < material.reflected(fraction(cosine)) {
            return self.reflection(self.mirrored(direction), [FRACTION; 3], Lobe::Specular);
        }
        let sum = [0, 1, 2].map(|i| self.shading[i] + random[i]);
        let direction = if sum.iter().all(|c| c.abs() < LEAST_SUM) {
            self.shading
        } else {
            normalise(sum)
        };
        self.reflection(direction, colour, Lobe::Diffuse)
    }

    /// The mirror image of `direction`.
    fn mirrored(&self, direction: Vector) -> Vector {
        let along = scale(self.shading, dot(direction, self.shading));
        [0, 1, 2].map(|i| direction[i] - along[i] - along[i])
    }

    /// A sample on the side that the ray came from.
    fn reflection(&self, direction: Vector, colour: [u32; 3], lobe: Lobe) -> BsdfSample {
        BsdfSample {
            direction,
            outgoing_normal: self.normal,
            colour,
            lobe,
        }
    }

    /// Reflection or refraction, by Fresnel's parts of the light.
    fn through_glass(&self, direction: Vector, cosine: i32, choice: u32) -> BsdfSample {
        let bending = self.material.bending[self.side as usize];
        let squared = mul_saturating(bending as u32, bending as u32, 28);
        let sine = mul_saturating(squared, (ONE - mul(cosine, cosine, 30)) as u32, 28);
        let mirror = || self.reflection(self.mirrored(direction), [FRACTION; 3], Lobe::Specular);
        if sine >= ONE as u32 {
            return mirror();
        }
        // The square of the cosine behind the surface, and the cosine.
        let behind = (u64::from(ONE as u32 - sine) << 30).isqrt() as i32;
        let flatter = if self.side == Side::Outside { cosine } else { behind };
        if choice < self.material.reflected(fraction(flatter)) {
            return mirror();
        }
        let along = mul(bending, cosine, 30) - (behind >> 2);
        let bent = [0, 1, 2].map(|i| mul(bending, direction[i], 30) + mul(along, self.shading[i], 30));
        BsdfSample {
            direction: normalise(bent),
            outgoing_normal: negate(self.normal),
            colour: self.material.colour,
            lobe: Lobe::Specular,
        }
    }
}
