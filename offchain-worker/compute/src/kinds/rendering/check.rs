//! Checking an image: some pixels, drawn from a secret seed, are rendered again.

use super::{Renderer, tiles::PIXEL};
use crate::{
    inputs::Inputs,
    kinds::{EngineError, Place, Verdict, draw_below},
};
use agora_math::field::Generator;
use agora_primitives::job::RenderingJob;
use rayon::prelude::*;

/// The generator's label.
const LABEL: &[u8] = b"render-check";
/// At most this part of the pixels is rendered again, unless that is fewer than [`LEAST`].
const PART: u64 = 64;
const LEAST: u64 = 256;

/// Checks the pixels that `seed` draws: the output is cut into strata of pixels as equal as can be, and one pixel of
/// each is drawn.
pub(super) fn check(
    job: &RenderingJob,
    inputs: &dyn Inputs,
    output: &[u8],
    seed: &[u8; 32],
) -> Result<Verdict, EngineError> {
    let pixels = job.pixels();
    let (expected, found) = (pixels * PIXEL as u64, output.len() as u64);
    if expected != found {
        return Ok(Verdict::Wrong(Place::Length { expected, found }));
    }
    let renderer = Renderer::open(job, inputs)?;
    let strata = (pixels / PART).max(LEAST).min(pixels);
    let generator = Generator::new(seed, LABEL);
    let wrong = (0..strata).into_par_iter().find_map_first(|stratum| {
        let drawn = draw(&generator, stratum, strata, pixels);
        let start = drawn as usize * PIXEL;
        let right = colour(&renderer, drawn);
        let claimed = &output[start..start + PIXEL];
        let place = claimed
            .iter()
            .zip(&right)
            .position(|(claimed, right)| claimed != right)?;
        Some((start + place) as u64)
    });
    Ok(wrong.map_or(Verdict::Right, |place| Verdict::Wrong(Place::Byte(place))))
}

/// The pixel that is drawn of a stratum.
fn draw(generator: &Generator, stratum: u64, strata: u64, pixels: u64) -> u64 {
    // Fewer than 2²⁷ pixels, so that nothing wraps.
    let [first, end] = [stratum, stratum + 1].map(|i| i * pixels / strata);
    first + draw_below(generator, stratum, end - first)
}

/// The right colour of the output's pixel at `place`.
fn colour(renderer: &Renderer<'_>, place: u64) -> [u8; 3] {
    let region = renderer.job.region;
    let (width, height) = (u64::from(region.width), u64::from(region.height));
    // All are below the job's own numbers.
    let [x, y, frame] = [place % width, place / width % height, place / width / height].map(|n| n as u32);
    let tracer = renderer.tracer(renderer.job.first_frame + frame);
    renderer.colour(&tracer, [region.x + x, region.y + y])
}
