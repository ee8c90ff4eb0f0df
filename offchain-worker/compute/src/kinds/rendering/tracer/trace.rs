//! Rays: what they hit first.

use super::{
    bvh::{COUNT_BITS, MAX_DEPTH, Node},
    fixed::{Vector, add, dot, sub},
    geometry::{Geometry, InfinitePlane, Primitive, TRIANGLE},
};

/// The farthest that a ray reaches.
pub(crate) const MAX_DISTANCE: u32 = 1 << 28;
/// Planes end at this coordinate.
const PLANE_END: i32 = 1 << 26;
/// Components of a direction up to this are as good as zero in the test against boxes.
const PARALLEL: u32 = 1 << 15;
/// By how much boxes are larger along such an axis: more than a ray can move along it.
const PARALLEL_SLACK: i32 = 1 << 14;

/// Where a ray hits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Hit {
    /// How far along the ray.
    pub distance: u32,
    /// The lower one counts of two that are equally far.
    pub id: u32,
    /// Which primitive, or, from their number on, which plane.
    pub place: u32,
}

impl Hit {
    /// No hit up to `distance`, exclusively.
    const fn none(distance: u32) -> Self {
        Self {
            distance,
            id: 0,
            place: 0,
        }
    }
}

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
    /// May say yes wrongly, but never no: the distance to the nearer side is rounded down, that to the farther side up.
    #[inline(always)]
    fn meets(&self, node: &Node, distance: u32) -> bool {
        let (mut near, mut far) = (0, i64::from(distance));
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
        }
        near <= far
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
    /// What `ray` hits first.
    pub fn first_hit(&self, ray: &Ray) -> Option<Hit> {
        let mut best = Hit::none(MAX_DISTANCE + 1);
        let planes = (self.primitives.len() as u32..).zip(&self.planes);
        for (place, plane) in planes {
            if let Some(distance) = ray.to_infinite_plane(plane) {
                best = best.min(Hit {
                    distance,
                    id: plane.id,
                    place,
                });
            }
        }
        self.visit(ray, |place, primitive| {
            if let Some(distance) = ray.to_primitive(primitive) {
                best = best.min(Hit {
                    distance,
                    id: primitive.id,
                    place,
                });
            }
            Some(best.distance)
        });
        (best.distance <= MAX_DISTANCE).then_some(best)
    }

    /// Whether `ray` hits anything nearer than `distance`.
    pub fn is_hit_before(&self, ray: &Ray, distance: u32) -> bool {
        let before = |hit: Option<u32>| hit.is_some_and(|hit| hit < distance);
        if self.planes.iter().any(|plane| before(ray.to_infinite_plane(plane))) {
            return true;
        }
        let mut hit = false;
        self.visit(ray, |_, primitive| {
            hit = before(ray.to_primitive(primitive));
            (!hit).then_some(distance)
        });
        hit
    }

    /// Calls `take` with every primitive that `ray` may hit, roughly from near to far. `take` returns the distance up
    /// to which it still looks, or `None` to end.
    #[inline(always)]
    fn visit(&self, ray: &Ray, mut take: impl FnMut(u32, &Primitive) -> Option<u32>) {
        let mut stack = [0; MAX_DEPTH + 2];
        let mut waiting = usize::from(!self.nodes.is_empty());
        let mut distance = MAX_DISTANCE + 1;
        while waiting > 0 {
            waiting -= 1;
            let place = stack[waiting];
            let node = &self.nodes[place];
            if !ray.meets(node, distance) {
                continue;
            }
            let (above, count) = (node.content >> COUNT_BITS, node.content & ((1 << COUNT_BITS) - 1));
            if count == 0 {
                let (lower, upper) = (place + 1, self.nodes[place + 1].skip as usize);
                let children = if ray.direction[above as usize] < 0 {
                    [lower, upper]
                } else {
                    [upper, lower]
                };
                stack[waiting..waiting + 2].copy_from_slice(&children);
                waiting += 2;
            }
            for place in above..above + count {
                match take(place, &self.primitives[place as usize]) {
                    Some(nearer) => distance = nearer,
                    None => return,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
