//! Checking an image: some pixels, drawn from a secret seed, are rendered again.

use super::{
    Renderer, gpu,
    tiles::{PIXEL, Pixel},
};
use crate::{
    inputs::Inputs,
    kinds::{Drawn, EngineError, On, Place, Verdict, draw_below},
    run::{CancelFlag, NoProgress, Run},
};
use agora_math::field::Generator;
use agora_primitives::job::RenderingJob;
use rayon::prelude::*;

/// The generator's label.
const LABEL: &[u8] = b"render-check";
/// At most this part of the pixels is rendered again, unless that is fewer than [`LEAST`].
const PART: u64 = 64;
const LEAST: u64 = 256;
/// Where fewer pixels of a frame are drawn on average, a device would mostly wait, as it renders frame by frame: the
/// processor renders them.
const LEAST_OF_A_FRAME: usize = 256;

/// Checks the pixels that `seed` draws: the output is cut into strata of pixels as equal as can be, and one pixel of
/// each is drawn.
pub(super) fn check(
    job: &RenderingJob,
    on: On<'_>,
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
    let drawn: Vec<usize> = (0..strata)
        .map(|stratum| draw(&generator, stratum, strata, pixels) as usize)
        .collect();
    let drawn = Drawn {
        output,
        width: PIXEL,
        parts: &drawn,
    };
    let never = CancelFlag::new();
    let run = Run {
        inputs,
        progress: &NoProgress,
        cancel: &never,
    };
    let wrong = drawn.first_wrong(on, |on, numbers| colours(&renderer, on, numbers, &run))?;
    Ok(match wrong {
        Some(at) => Verdict::Wrong(Place::Byte(at as u64)),
        None => Verdict::Right,
    })
}

/// The pixel that is drawn of a stratum.
fn draw(generator: &Generator, stratum: u64, strata: u64, pixels: u64) -> u64 {
    // Fewer than 2²⁷ pixels, so that nothing wraps.
    let [first, end] = [stratum, stratum + 1].map(|i| i * pixels / strata);
    first + draw_below(generator, stratum, end - first)
}

/// The right colours of the output's pixels with these `numbers`.
fn colours(renderer: &Renderer<'_>, on: On<'_>, numbers: &[usize], run: &Run<'_>) -> Result<Vec<u8>, EngineError> {
    let pixels: Vec<Pixel> = numbers.iter().map(|&number| Pixel::of(renderer.job, number)).collect();
    match on {
        On::Gpu(gpu) if pixels.len() / renderer.job.frames as usize >= LEAST_OF_A_FRAME => {
            gpu::render_pixels(gpu, renderer, &pixels, run)
        }
        _ => Ok(pixels
            .into_par_iter()
            .flat_map_iter(|Pixel { frame, place }| renderer.colour(&renderer.tracer(frame), place))
            .collect()),
    }
}
