//! The path tracer, in fixed-point arithmetic. It defines the colour of a pixel.

mod bsdf;
mod camera;
mod fixed;
mod geometry;
mod path;
mod prepared;
mod tone;
mod trace;

pub(super) use camera::View;
pub(super) use geometry::{InfinitePlane, Primitive, SurfaceData};
pub(super) use path::{PathTracer, generator};
pub(super) use prepared::{Light, PreparedMaterial, PreparedScene};
pub(super) use tone::develop;

use super::scene;
