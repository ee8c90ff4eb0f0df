//! Surfaces where paths meet them, and how paths go on: step 5 of "Paths" of the page, with its letters.

use super::{
    entries::Surface,
    number::{
        Int, ONE, Vector, WHITE, ZERO, abs, add, dot, fraction, int, minus, negate, normalise, on_sphere, ratio, root,
        sat, scale, schlick, sub, took,
    },
    scene::Material,
};

/// A sum of two directions whose components are below this is no direction.
const LEAST_SUM: Int = core::num::Wrapping(1 << 10);

/// Where a path meets a surface.
pub struct SurfaceHit {
    /// The point.
    pub p: Vector,
    /// The direction in which the path came.
    pub d: Vector,
    /// The normal towards where it came from, and the one for shading.
    pub n: Vector,
    pub s: Vector,
    pub is_inside: bool,
    pub material: Material,
}

/// How a path goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BsdfSample {
    /// The new direction.
    pub direction: Vector,
    /// The side to which it goes.
    pub side: Vector,
    pub weight: Vector,
    pub is_direct: bool,
}

impl SurfaceHit {
    pub fn sample(&self, [w0, w1, w2, _]: [u32; 4]) -> BsdfSample {
        let material = &self.material;
        let random = on_sphere(w0, w1);
        let choice = int(w2 >> 17);
        let cosine = minus(dot(self.d, self.s)).clamp(ZERO, ONE);
        let index = material.index;
        took(1);
        let rho = ratio((index - (int(1) << 16)) << 16, index + (int(1) << 16));
        let r0 = (rho * rho) >> 17;
        match material.surface {
            Surface::Glass => return self.through_glass(choice, cosine, r0),
            Surface::Metal => {
                let blurred = add(self.mirror(), scale(random, material.roughness << 15));
                let weight = self.colour().map(|channel| schlick(channel, fraction(cosine)));
                return self.reflected(normalise(blurred), weight);
            }
            Surface::Coated if choice < schlick(r0, fraction(cosine)) => {
                return self.reflected(self.mirror(), [WHITE; 3]);
            }
            // A path ends at what is emissive.
            Surface::Diffuse | Surface::Coated | Surface::Emissive => {}
        }
        let sum = add(self.s, random);
        let is_short = sum.into_iter().all(|c| abs(c) < LEAST_SUM);
        BsdfSample {
            direction: if is_short { self.s } else { normalise(sum) },
            side: self.n,
            weight: self.colour(),
            is_direct: false,
        }
    }

    /// The material's colour at the point.
    fn colour(&self) -> Vector {
        let pattern = usize::from(self.material.pattern);
        let [p0, _, p2] = self.p;
        let field = (p0 >> pattern) + (p2 >> pattern);
        if pattern > 0 && field & int(1) == int(1) {
            self.material.other_colour
        } else {
            self.material.colour
        }
    }

    fn mirror(&self) -> Vector {
        let a = scale(self.s, dot(self.d, self.s));
        sub(sub(self.d, a), a)
    }

    fn reflected(&self, direction: Vector, weight: Vector) -> BsdfSample {
        BsdfSample {
            direction,
            side: self.n,
            weight,
            is_direct: true,
        }
    }

    fn through_glass(&self, choice: Int, cosine: Int, r0: Int) -> BsdfSample {
        took(7);
        let index = self.material.index;
        let beta = if self.is_inside {
            index << 12
        } else {
            ratio(int(1) << 44, index)
        };
        let sigma = sat((((beta * beta) >> 28) * (ONE - ((cosine * cosine) >> 30))) >> 28);
        if sigma >= ONE {
            return self.reflected(self.mirror(), [WHITE; 3]);
        }
        let gamma = root((ONE - sigma) << 30);
        let flatter = if self.is_inside { gamma } else { cosine };
        if choice < schlick(r0, fraction(flatter)) {
            return self.reflected(self.mirror(), [WHITE; 3]);
        }
        let kappa = ((beta * cosine) >> 30) - (gamma >> 2);
        BsdfSample {
            direction: normalise(add(scale(self.d, beta), scale(self.s, kappa))),
            side: negate(self.n),
            weight: self.material.colour,
            is_direct: true,
        }
    }
}

#[cfg(test)]
mod tests;
