//! Single pixels, wherever they lie: what a check renders again.

use super::{Flight, Part, compile};
use crate::{
    device::DeviceError,
    kernels::gpu::Gpu,
    kinds::{
        EngineError,
        rendering::{
            Renderer,
            tiles::{PIXEL, Pixel},
        },
    },
    run::Run,
};

/// Pixels of a workgroup.
const GROUP: usize = 64;
/// The most workgroups of a dispatch.
const MAX_GROUPS: usize = 1024;
/// Bytes of a pixel's place on the device, the larger of the two buffers.
const PLACE_BYTES: u64 = 16;

/// The colours of `pixels`, whose frames ascend.
pub(in super::super) fn render_pixels(
    gpu: &Gpu,
    renderer: &Renderer<'_>,
    pixels: &[Pixel],
    run: &Run<'_>,
) -> Result<Vec<u8>, EngineError> {
    let mut colours: Vec<u8> = Vec::with_capacity(pixels.len() * PIXEL);
    let frames = pixels.chunk_by(|a, b| a.frame == b.frame);
    let groups = frames.map(|frame| frame.len().div_ceil(GROUP)).max().unwrap_or(1);
    gpu.on_device(|context| {
        let fitting = context.bounds.buffer_bytes / PLACE_BYTES / GROUP as u64;
        let groups = groups.min(MAX_GROUPS).min(context.bounds.workgroups as usize);
        // At most 1024.
        let most = (groups as u64).min(fitting).max(1) as u32 * GROUP as u32;
        let mut flight = Flight::new(context, renderer, run, compile(context, "render_pixels"), [most, most])?;
        // After the loss of the device, what was read back stays.
        while let Some(list) = flight.next_pixels(&pixels[colours.len() / PIXEL..]) {
            let sums = flight.render_list(list)?;
            colours.extend(sums.as_chunks::<3>().0.iter().flat_map(|&sums| renderer.develop(sums)));
        }
        Ok::<_, EngineError>(())
    })?;
    Ok(colours)
}

impl Flight<'_> {
    /// The first of `pixels` to render next, all of one frame; `None` if there are none.
    fn next_pixels<'p>(&mut self, pixels: &'p [Pixel]) -> Option<&'p [Pixel]> {
        let frame = pixels.chunk_by(|a, b| a.frame == b.frame).next()?;
        self.turn_to(frame.first().map(|pixel| pixel.frame));
        frame.chunks(self.most as usize).next()
    }

    /// The sums of the radiances of all paths of `pixels`, which are of one frame.
    fn render_list(&mut self, pixels: &[Pixel]) -> Result<Vec<u32>, DeviceError> {
        let Some(&last) = pixels.last() else {
            return Ok(Vec::new());
        };
        // The last workgroup repeats the last pixel.
        let list = pixels.len().next_multiple_of(GROUP);
        let places = (0..list).map(|i| pixels.get(i).unwrap_or(&last).place);
        let places: Vec<[u32; 4]> = places.map(|[x, y]| [x, y, 1, 1]).collect();
        self.buffers.begin(self.context, &places);
        let (groups, samples) = ((list / GROUP) as u32, self.renderer.job.samples);
        self.add_paths(last.frame, groups, |done, first, amount| {
            Part::after_of_list(done, first, amount, groups, samples)
        })?;
        self.read(3 * pixels.len())
    }
}
