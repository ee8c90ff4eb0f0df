//! What a ray hits: "Search" of the page, with its letters.

use super::{
    entries::Node,
    number::{Int, Vector, ZERO, abs, int, minus, ratio, took},
    scene::Scene,
    shapes::{Plane, Ray, Sphere, Triangle},
    tables::Table,
};
use crate::{Fault, counts::sum};
use alloc::vec::Vec;

/// Components of a direction up to this count as zero in the test against boxes.
const PARALLEL: Int = core::num::Wrapping(1 << 15);
/// ι and σ of such an axis.
const PARALLEL_INVERSE: Int = core::num::Wrapping((1 << 31) - 1);
const PARALLEL_SLACK: Int = core::num::Wrapping(1 << 14);
/// Steps that a shape of a leaf takes.
const SHAPE_STEPS: u32 = 2;

/// What was hit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    Triangle(Triangle),
    Sphere(Sphere),
    Plane(Plane),
}

/// A found shape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    pub distance: Int,
    pub shape: Shape,
    number: u64,
}

/// When a search ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// When the nearest hit is certain.
    First,
    /// With the plane or the leaf in which anything is hit.
    Any,
}

/// Why a path ends within a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// It has no steps left.
    OutOfSteps,
    /// What it needs is not at hand.
    Fault(Fault),
}

impl From<Fault> for Cut {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// An axis, for boxes.
struct Axis {
    origin: Int,
    is_negative: bool,
    inverse: Int,
    slack: Int,
}

impl Axis {
    fn of(origin: Int, direction: Int) -> Self {
        let size = abs(direction);
        let (inverse, slack) = if size > PARALLEL {
            (ratio(int(1) << 46, size), ZERO)
        } else {
            (PARALLEL_INVERSE, PARALLEL_SLACK)
        };
        Self {
            origin,
            is_negative: direction < ZERO,
            inverse,
            slack,
        }
    }
}

/// Whether the ray with these axes meets `node`.
fn meets(axes: &[Axis; 3], node: &Node, best: Int) -> bool {
    let (mut near, mut far) = (ZERO, best);
    for ((axis, &low), &high) in axes.iter().zip(&node.low).zip(&node.high) {
        let a = int(low) - axis.slack - axis.origin;
        let z = int(high) + axis.slack - axis.origin;
        let (a, z) = if axis.is_negative { (minus(z), minus(a)) } else { (a, z) };
        if z < ZERO {
            return false;
        }
        took(2);
        near = near.max((a * axis.inverse) >> 16);
        far = far.min(((z * (axis.inverse + int(1))) >> 16) + int(1));
    }
    near <= far
}

/// Takes `count` steps.
fn step(left: &mut u32, count: u32) -> Result<(), Cut> {
    *left = left.checked_sub(count).ok_or(Cut::OutOfSteps)?;
    Ok(())
}

/// The best hit so far.
struct Best {
    distance: Int,
    found: Option<Found>,
}

impl Best {
    /// Takes a hit if it is better.
    fn take(&mut self, distance: Option<Int>, number: u64, shape: Shape) {
        let Some(distance) = distance else { return };
        let is_tie = distance == self.distance && self.found.is_some_and(|found| found.number > number);
        if distance < self.distance || is_tie {
            self.distance = distance;
            self.found = Some(Found {
                distance,
                shape,
                number,
            });
        }
    }

    fn is_over(&self, until: Until) -> bool {
        until == Until::Any && self.found.is_some()
    }
}

impl Scene<'_> {
    /// Searches from `ray` up to distance `limit`, exclusively. Takes steps off `left`.
    ///
    /// Errors: `OutOfSteps`; `Missing`.
    pub fn search(&mut self, ray: &Ray, limit: Int, until: Until, left: &mut u32) -> Result<Option<Found>, Cut> {
        let mut best = Best {
            distance: limit,
            found: None,
        };
        for (number, plane) in (self.header.shapes()..).zip(&self.planes) {
            best.take(plane.hit(ray), number, Shape::Plane(*plane));
            if best.is_over(until) {
                return Ok(best.found);
            }
        }
        let axes = axes(ray.origin, ray.direction);
        let mut list = Vec::new();
        if self.header.count(Table::Nodes) > 0 {
            list.push(0);
        }
        // Each turn takes a step, so that the list stays short whatever the nodes are.
        while let Some(number) = list.pop() {
            step(left, 1)?;
            let node = self.node(number)?;
            if !meets(&axes, &node, best.distance) {
                continue;
            }
            if node.count == 0 {
                let (first, second) = (sum([number, 1]), u64::from(node.at));
                let is_negative = axes.get(usize::from(node.axis)).is_some_and(|axis| axis.is_negative);
                list.extend(if is_negative { [first, second] } else { [second, first] });
                continue;
            }
            step(left, SHAPE_STEPS.saturating_mul(node.count.into()))?;
            let at = u64::from(node.at);
            for number in at..sum([at, node.count.into()]) {
                let (distance, shape) = self.try_shape(number, ray)?;
                best.take(distance, number, shape);
            }
            if best.is_over(until) {
                break;
            }
        }
        Ok(best.found)
    }

    /// Where `ray` hits triangle or sphere `number`, and which it is.
    fn try_shape(&mut self, number: u64, ray: &Ray) -> Result<(Option<Int>, Shape), Fault> {
        let sphere = number
            .checked_sub(self.header.count(Table::Triangles))
            .and_then(|sphere| self.spheres.get(usize::try_from(sphere).ok()?));
        if let Some(sphere) = sphere {
            return Ok((sphere.hit(ray), Shape::Sphere(*sphere)));
        }
        let triangle = self.triangle(number)?;
        Ok((triangle.hit(ray), Shape::Triangle(triangle)))
    }
}

fn axes([x, y, z]: Vector, [dx, dy, dz]: Vector) -> [Axis; 3] {
    [Axis::of(x, dx), Axis::of(y, dy), Axis::of(z, dz)]
}

#[cfg(test)]
mod tests;
