//! Rendering: a region of some frames of a scene from content-addressed storage.

use crate::{BlobRef, JobError, Limits, MAX_OUTPUT, Specialisation, all_within};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The most pixels of an image from left to right, and from top to bottom.
pub const MAX_IMAGE_SIDE: u32 = 8192;
/// An image is at most so many times as wide as high.
pub const MAX_ASPECT: u32 = 16;
/// Frame numbers are below this.
pub const MAX_FRAMES: u32 = 4096;
/// The most samples (paths) per pixel.
pub const MAX_SAMPLES: u32 = 4096;
/// The most bounces of a path.
pub const MAX_BOUNCES: u32 = 64;
/// Pixels along a tile's side. A tile is the unit of an engine's progress and of its trace.
pub const TILE_SIDE: u32 = 64;
/// The most tiles of one job.
pub const MAX_TILES: u64 = 1 << 16;
/// The largest scene, in bytes.
pub const MAX_SCENE_BYTES: u64 = 64 * 1024 * 1024;
/// The most steps of a path that a job can allow. A path is the least that is computed at once: with these steps it reads at most
/// 49,152 chunks of a scene, and fits one unit of the reference.
pub const MAX_STEPS: u32 = 1 << 14;
/// What one segment of a path counts in [`Limits::work`] without the search for hits, in multiply–add operations. A segment is a
/// ray to the next surface and one to a light: square roots, divisions, twenty rounds of the generator, up to 32 planes.
pub const SEGMENT_WORK: u128 = 1 << 12;
/// What a step of the search counts: a box that is tried, or half a triangle or sphere. In a scene of 24,576 triangles a ray takes 36
/// steps on average. With them, it takes as long as 19,000 multiply–add operations of a matrix product on a processor with AVX2, and
/// as 5,000 on llvmpipe; this lies between.
pub const STEP_WORK: u128 = 1 << 8;
/// What a byte of the scene counts: it is decoded, and its triangles are prepared.
pub const SCENE_BYTE_WORK: u128 = 1 << 7;

/// A part of an image.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// Pixels left of it.
    pub x: u32,
    /// Pixels above it.
    pub y: u32,
    /// Its own pixels, from left to right.
    pub width: u32,
    /// Its own pixels, from top to bottom.
    pub height: u32,
}

/// Paths traced through a scene: for each of `frames`, the `region` of the image, three bytes a pixel.
///
/// A pixel's colour depends on the scene, the seed, the image's size, its place and frame, `samples`, `max_bounces` and
/// `max_steps`, and not on region and frames: a large image can be cut into jobs, and their outputs joined.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct RenderingJob {
    /// The scene.
    pub scene: BlobRef,
    /// Key of the generator.
    pub seed: [u8; 32],
    /// Width of the whole image in pixels.
    pub width: u32,
    /// Height of the whole image in pixels.
    pub height: u32,
    /// The part of the image that is wanted.
    pub region: Region,
    /// The first frame.
    pub first_frame: u32,
    /// How many frames.
    pub frames: u32,
    /// Samples (paths) per pixel.
    pub samples: u32,
    /// Bounces of a path at most.
    pub max_bounces: u32,
    /// Steps of a path at most, over all of its rays; then it ends with the light that it has received.
    pub max_steps: u32,
}

impl RenderingJob {
    /// Pixels of the output.
    pub fn pixels(&self) -> u64 {
        [self.region.width, self.region.height, self.frames]
            .into_iter()
            .fold(1, |pixels, count| u64::from(count).saturating_mul(pixels))
    }

    /// Tiles of the output: each frame's region is cut from its upper left corner, row by row.
    pub fn tiles(&self) -> u64 {
        [
            self.region.width.div_ceil(TILE_SIDE),
            self.region.height.div_ceil(TILE_SIDE),
            self.frames,
        ]
        .into_iter()
        .fold(1, |tiles, count| u64::from(count).saturating_mul(tiles))
    }
}

impl Limits for RenderingJob {
    fn validate(&self) -> Result<(), JobError> {
        all_within([(self.scene.size, MAX_SCENE_BYTES)])?;
        all_within([
            (self.width, MAX_IMAGE_SIDE),
            (self.height, MAX_IMAGE_SIDE),
            (self.region.width, MAX_IMAGE_SIDE),
            (self.region.height, MAX_IMAGE_SIDE),
            (self.frames, MAX_FRAMES),
            (self.samples, MAX_SAMPLES),
            (self.max_steps, MAX_STEPS),
        ])?;
        if self.max_bounces > MAX_BOUNCES || self.tiles() > MAX_TILES || self.max_output_bytes() > MAX_OUTPUT {
            return Err(JobError::TooLarge);
        }
        let fits = |first: u32, count: u32, end: u32| first.checked_add(count).is_some_and(|last| last <= end);
        let consistent = fits(self.region.x, self.region.width, self.width)
            && fits(self.region.y, self.region.height, self.height)
            && fits(self.first_frame, self.frames, MAX_FRAMES)
            && self.width <= self.height.saturating_mul(MAX_ASPECT);
        if consistent {
            Ok(())
        } else {
            Err(JobError::Inconsistent)
        }
    }

    fn work(&self) -> u128 {
        let segments = u128::from(self.max_bounces).saturating_add(1);
        let path = segments
            .saturating_mul(SEGMENT_WORK)
            .saturating_add(u128::from(self.max_steps).saturating_mul(STEP_WORK));
        u128::from(self.pixels())
            .saturating_mul(self.samples.into())
            .saturating_mul(path)
            .saturating_add(u128::from(self.scene.size).saturating_mul(SCENE_BYTE_WORK))
    }

    fn max_output_bytes(&self) -> u64 {
        self.pixels().saturating_mul(3)
    }

    fn specialisation(&self) -> Specialisation {
        Specialisation::Rendering
    }

    fn inputs(&self) -> Vec<BlobRef> {
        [self.scene].into()
    }
}
