//! The camera at one frame, and the rays through the pixels. "Camera" of the page.

use super::{
    entries::Keyframe,
    number::{Int, ONE, Vector, ZERO, add, cross30, each, int, ints, normalise, on_disc, ratio, scale, sub, took},
    shapes::Ray,
};
use agora_jobs::RenderingJob;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Camera {
    width: Int,
    height: Int,
    position: Vector,
    forward: Vector,
    right: Vector,
    up: Vector,
    step: Int,
    aperture: Int,
    lens: Int,
}

impl Camera {
    /// At `frame`, with `around` the last keyframe not after it, and the next.
    pub fn of(job: &RenderingJob, frame: u32, around: (Option<Keyframe>, Option<Keyframe>)) -> Self {
        let (a, b) = match around {
            (Some(a), Some(b)) => (a, b),
            (Some(only), None) | (None, Some(only)) => (only, only),
            (None, None) => (STILL, STILL),
        };
        // Before the first and after the last keyframe, the two are the same.
        let between = |a: Int, b: Int, from: u32, to: u32| {
            took(1);
            a + ratio((b - a) * (int(frame) - int(from)), int(to) - int(from))
        };
        let number = |from: Int, to: Int| between(from, to, a.frame, b.frame);
        let position = each(ints(a.position), ints(b.position), number);
        let target = each(ints(a.target), ints(b.target), number);
        let tangent = number(int(a.tangent), int(b.tangent));
        let aperture = number(int(a.aperture), int(b.aperture));
        let focus = number(int(a.focus), int(b.focus));
        let forward = normalise(sub(target, position));
        let right = normalise(cross30(forward, [ZERO, ONE, ZERO]));
        Self {
            width: int(job.width),
            height: int(job.height),
            position,
            forward,
            right,
            up: cross30(right, forward),
            step: ratio(tangent << 12, int(job.height)),
            aperture,
            lens: ratio(aperture << 24, focus),
        }
    }

    /// The ray through pixel (`x`, `y`) of the whole image.
    pub fn ray(&self, x: u32, y: u32, [w0, w1, w2, w3]: [u32; 4]) -> Ray {
        took(4);
        let from_middle =
            |place: u32, size: Int, word: u32| ((int(place) + int(place) - size) << 16) + (int(word >> 16) << 1);
        let across = (from_middle(x, self.width, w0) * self.step) >> 20;
        let down = (from_middle(y, self.height, w1) * self.step) >> 20;
        let through = add(scale(self.right, across), self.forward.map(|c| c >> 6));
        let through = sub(through, scale(self.up, down));
        let [u, v] = on_disc(w2, w3);
        let on_lens = add(scale(self.right, u), scale(self.up, v));
        Ray {
            origin: add(self.position, scale(on_lens, self.aperture)),
            direction: normalise(sub(through, scale(on_lens, self.lens))),
        }
    }
}

/// The camera of a scene without keyframes, which is unusable.
const STILL: Keyframe = Keyframe {
    frame: 0,
    position: [0; 3],
    target: [0, 0, 1],
    tangent: 1,
    aperture: 0,
    focus: 1,
};

#[cfg(test)]
mod tests;
