//! Rays: what they hit first. The search is specified to the step, so that steps run out at the same one on every engine.

use super::{
    fixed::{Vector, add, dot, sub},
    geometry::{Geometry, InfinitePlane, Primitive, TRIANGLE},
    scene::{MAX_DEPTH, Node},
};

/// The farthest that a ray reaches.
pub(crate) const MAX_DISTANCE: u32 = 1 << 28;
/// Planes end at this coordinate.
const PLANE_END: i32 = 1 << 26;
/// Components of a direction up to this are as good as zero in the test against boxes.
const PARALLEL: u32 = 1 << 15;
/// By how much boxes are larger along such an axis: more than a ray can move along it.
const PARALLEL_SLACK: i32 = 1 << 14;
/// Steps that trying a primitive takes; trying a box takes one.
const PRIMITIVE_STEPS: u32 = 2;

/// Where a ray hits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Hit {
    /// How far along the ray.
    pub distance: u32,
    /// Which primitive, or, from their number on, which plane: the lower one counts of two that are equally far.
    pub place: u32,
}

impl Hit {
    /// No hit up to `distance`, exclusively.
    const fn none(distance: u32) -> Self {
        Self { distance, place: 0 }
    }
}

/// A path has no steps left: it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OutOfSteps;

/// A ray, with what is computed once for all boxes.
pub(crate) struct Ray {
    origin: Vector,
    direction: Vector,
    /// By axis: ⌊2⁴⁶ / |component|⌋, less than 2³¹.
    inverse: [i64; 3],
    slack: Vector,
}

impl Ray {
    pub fn new(origin: Vector, direction: Vector) -> Self {
        let size = direction.map(i32::unsigned_abs);
        Self {
            origin,
            direction,
            inverse: size.map(|size| {
                let inverse = (1u64 << 46).checked_div(size.into()).unwrap_or(u64::MAX);
                inverse.min((1 << 31) - 1) as i64
            }),
            slack: size.map(|size| if size <= PARALLEL { PARALLEL_SLACK } else { 0 }),
        }
    }

    /// Whether the ray may meet something in the box of `node` that is not farther than `distance`.
    ///
    /// Specified to the bit. The distance to the nearer side is rounded down, that to the farther side up, so that it is
    /// never wrongly no.
    #[inline(always)]
    fn meets(&self, node: &Node, distance: u32) -> bool {
        let (mut near, mut far, mut signs) = (0, i64::from(distance), 0);
        for i in 0..3 {
            let low = i64::from(node.low[i] - self.slack[i] - self.origin[i]);
            let high = i64::from(node.high[i] + self.slack[i] - self.origin[i]);
            let (first, last) = if self.direction[i] < 0 {
                (-high, -low)
            } else {
                (low, high)
            };
            near = near.max((first * self.inverse[i]) >> 16);
            far = far.min(((last * (self.inverse[i] + 1)) >> 16) + 1);
            signs |= last;
        }
        // A box behind the origin is not met, whatever the rounding.
        near <= far && signs >= 0
    }

    /// The point at `distance`.
    #[inline(always)]
    pub fn at(&self, distance: u32) -> Vector {
        let along = self
            .direction
            .map(|c| ((i64::from(c) * i64::from(distance)) >> 30) as i32);
        add(self.origin, along)
    }

    /// The distance to a plane given by unit normal and offset, if it is above 0 and not too far.
    #[inline(always)]
    fn to_plane(&self, [x, y, z, offset]: [i32; 4]) -> Option<u32> {
        let height = offset - dot([x, y, z], self.origin);
        let speed = dot([x, y, z], self.direction);
        if height == 0 || speed == 0 || (height < 0) != (speed < 0) {
            return None;
        }
        let distance = (u64::from(height.unsigned_abs()) << 30) / u64::from(speed.unsigned_abs());
        (1..=u64::from(MAX_DISTANCE))
            .contains(&distance)
            .then_some(distance as u32)
    }

    #[inline(always)]
    fn to_triangle(&self, triangle: &Primitive) -> Option<u32> {
        let distance = self.to_plane(triangle.planes[0])?;
        let point = self.at(distance);
        let in_box = (0..3).all(|i| (triangle.low[i]..=triangle.high[i]).contains(&point[i]));
        let inside = |&[x, y, z, offset]: &[i32; 4]| dot([x, y, z], point) >= offset;
        (in_box && triangle.planes[1..].iter().all(inside)).then_some(distance)
    }

    #[inline(always)]
    fn to_sphere(&self, [x, y, z, radius]: [i32; 4]) -> Option<u32> {
        let centre = sub([x, y, z], self.origin);
        let middle = dot(centre, self.direction);
        // From the sphere's centre to the middle of the chord.
        let away = [0, 1, 2].map(|i| centre[i] - ((i64::from(middle) * i64::from(self.direction[i])) >> 30) as i32);
        if away.iter().any(|c| c.abs() > radius) {
            return None;
        }
        let square = |c: i32| i64::from(c) * i64::from(c);
        let half = square(radius) - square(away[0]) - square(away[1]) - square(away[2]);
        // At most the radius.
        let half = u64::try_from(half).ok()?.isqrt() as i32;
        let first = if middle > half { middle - half } else { middle + half };
        (1..=MAX_DISTANCE as i32).contains(&first).then_some(first as u32)
    }

    fn to_infinite_plane(&self, plane: &InfinitePlane) -> Option<u32> {
        let distance = self.to_plane(plane.plane)?;
        let near = self.at(distance).iter().all(|c| c.abs() <= PLANE_END);
        near.then_some(distance)
    }

    #[inline(always)]
    fn to_primitive(&self, primitive: &Primitive) -> Option<u32> {
        if primitive.kind == TRIANGLE {
            self.to_triangle(primitive)
        } else {
            self.to_sphere(primitive.planes[0])
        }
    }
}

impl Geometry {
    /// What `ray` hits first. Takes steps off `left`.
    pub fn first_hit(&self, ray: &Ray, left: &mut u32) -> Result<Option<Hit>, OutOfSteps> {
        let mut best = Hit::none(MAX_DISTANCE + 1);
        let planes = (self.primitives.len() as u32..).zip(&self.planes);
        for (place, plane) in planes {
            if let Some(distance) = ray.to_infinite_plane(plane) {
                best = best.min(Hit { distance, place });
            }
        }
        self.visit(ray, best.distance, left, |place, primitive| {
            if let Some(distance) = ray.to_primitive(primitive) {
                best = best.min(Hit { distance, place });
            }
            Some(best.distance)
        })?;
        Ok((best.distance <= MAX_DISTANCE).then_some(best))
    }

    /// Whether `ray` hits anything nearer than `distance`. Takes steps off `left`.
    pub fn is_hit_before(&self, ray: &Ray, distance: u32, left: &mut u32) -> Result<bool, OutOfSteps> {
        let before = |hit: Option<u32>| hit.is_some_and(|hit| hit < distance);
        if self.planes.iter().any(|plane| before(ray.to_infinite_plane(plane))) {
            return Ok(true);
        }
        let mut hit = false;
        self.visit(ray, distance, left, |_, primitive| {
            hit = before(ray.to_primitive(primitive));
            (!hit).then_some(distance)
        })?;
        Ok(hit)
    }

    /// Calls `take` with every primitive that `ray` may hit not farther than `distance`, roughly from near to far.
    /// `take` returns the distance up to which it still looks, or `None` to end. Takes steps off `left`.
    #[inline(always)]
    fn visit(
        &self,
        ray: &Ray,
        mut distance: u32,
        left: &mut u32,
        mut take: impl FnMut(u32, &Primitive) -> Option<u32>,
    ) -> Result<(), OutOfSteps> {
        // The farther children that wait: at most one for each level of the hierarchy.
        let mut stack = [0; MAX_DEPTH];
        let (mut waiting, mut place) = (0, 0);
        while let Some(node) = self.nodes.get(place) {
            *left = left.checked_sub(1).ok_or(OutOfSteps)?;
            #[cfg(test)]
            self.tried.boxes.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if ray.meets(node, distance) {
                if node.count == 0 {
                    let [near, far] = if ray.direction[usize::from(node.axis)] < 0 {
                        [node.at as usize, place + 1]
                    } else {
                        [place + 1, node.at as usize]
                    };
                    stack[waiting] = far;
                    waiting += 1;
                    place = near;
                    continue;
                }
                let count = u32::from(node.count);
                *left = left.checked_sub(PRIMITIVE_STEPS * count).ok_or(OutOfSteps)?;
                for place in node.at..node.at + count {
                    #[cfg(test)]
                    self.tried.shapes.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    match take(place, &self.primitives[place as usize]) {
                        Some(nearer) => distance = nearer,
                        None => return Ok(()),
                    }
                }
            }
            if waiting == 0 {
                break;
            }
            waiting -= 1;
            place = stack[waiting];
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
