//! The camera at one frame, and the rays that it sends through the pixels.

use super::{
    fixed::{ONE, Vector, add, cross, mul, normalise, on_disc, scale, sub},
    scene::Keyframe,
};

/// The camera at one frame, for images of one size. 16 words, as the shader reads them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(crate) struct View {
    pub position: Vector,
    /// How far half a pixel is at distance 1, in 28 fractional bits.
    pub step: i32,
    pub right: Vector,
    /// Radius of the lens.
    pub aperture: i32,
    pub up: Vector,
    /// Radius of the lens as seen from where everything is sharp, in 24 fractional bits.
    pub lens: i32,
    pub forward: Vector,
    pub padding: u32,
}

impl View {
    /// The camera at `frame`, for images `height` pixels high.
    pub fn new(keyframes: &[Keyframe], frame: u32, height: u32) -> Self {
        let Keyframe {
            position,
            target,
            tangent,
            aperture,
            focus,
            ..
        } = at_frame(keyframes, frame);
        let forward = normalise(sub(target, position));
        let right = normalise(cross(forward, [0, ONE, 0]));
        let narrow = |number: u64| number as i32;
        Self {
            position,
            step: narrow((u64::from(tangent) << 12) / u64::from(height.max(1))),
            right,
            aperture: narrow(aperture.into()),
            up: cross(right, forward),
            // Not above 2²⁴: the aperture is at most the focus.
            lens: narrow((u64::from(aperture) << 24) / u64::from(focus.max(1))),
            forward,
            padding: 0,
        }
    }

    /// The ray through pixel (`x`, `y`) of an image with `size`, by random `words`: origin and direction.
    pub fn ray(&self, [x, y]: [u32; 2], [width, height]: [u32; 2], words: [u32; 4]) -> (Vector, Vector) {
        // Half pixels from the middle, in 16 fractional bits.
        let from_middle = |twice: i32, jitter: u32| (twice << 16) + ((jitter >> 16) << 1) as i32;
        let x = from_middle(2 * x as i32 - width as i32, words[0]);
        let y = from_middle(2 * y as i32 - height as i32, words[1]);
        // On the plane at distance 1, in 24 fractional bits.
        let across = scale(self.right, mul(x, self.step, 20));
        let down = scale(self.up, mul(y, self.step, 20));
        let through = sub(add(across, self.forward.map(|c| c >> 6)), down);
        let [u, v] = on_disc(words[2], words[3]);
        let lens = add(scale(self.right, u), scale(self.up, v));
        let direction = normalise(sub(through, scale(lens, self.lens)));
        (add(self.position, scale(lens, self.aperture)), direction)
    }
}

/// The camera at `frame`, interpolated between the keyframes around it; before the first and after the last keyframe,
/// theirs.
fn at_frame(keyframes: &[Keyframe], frame: u32) -> Keyframe {
    let next = keyframes.partition_point(|keyframe| keyframe.frame <= frame);
    let (from, to) = match (next.checked_sub(1).map(|last| keyframes[last]), keyframes.get(next)) {
        (Some(from), Some(&to)) => (from, to),
        (Some(only), None) => (only, only),
        // A valid scene has a keyframe.
        (None, first) => first.map(|&first| (first, first)).unwrap_or((STILL, STILL)),
    };
    let (done, all) = (i64::from(frame.abs_diff(from.frame)), i64::from(to.frame - from.frame));
    if all == 0 {
        return from;
    }
    // Rounded down; the divisor is positive.
    let between = |a: i64, b: i64| a + ((b - a) * done).div_euclid(all);
    let coordinate = |a: i32, b: i32| between(a.into(), b.into()) as i32;
    let length = |a: u32, b: u32| between(a.into(), b.into()) as u32;
    Keyframe {
        frame,
        position: [0, 1, 2].map(|i| coordinate(from.position[i], to.position[i])),
        target: [0, 1, 2].map(|i| coordinate(from.target[i], to.target[i])),
        tangent: length(from.tangent, to.tangent),
        aperture: length(from.aperture, to.aperture),
        focus: length(from.focus, to.focus),
    }
}

/// A camera at the origin that looks along the z axis.
const STILL: Keyframe = Keyframe {
    frame: 0,
    position: [0; 3],
    target: [0, 0, 1],
    tangent: 1 << 16,
    aperture: 0,
    focus: 1 << 16,
};
