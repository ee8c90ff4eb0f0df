//! Classification: a network applied to a batch of images.

use super::{ItemsError, check};
use crate::{
    inputs::Inputs,
    kernels::gpu::Gpu,
    kinds::{EngineError, Place, Verdict},
    networks::classifier::{self, Package, check_pixels, classify_on_gpu},
    run::Run,
};
use agora_primitives::job::InferenceJob;
use std::sync::Arc;

/// A network, and the images to which it is applied.
pub(super) struct Images {
    package: Arc<[u8]>,
    pixels: Arc<[u8]>,
    items: u32,
    item_work: u64,
}

impl Images {
    /// Fetches what `job` needs, and compares it with what the job says.
    ///
    /// Errors: `Input`, `Network`, `Items`.
    pub fn read(job: &InferenceJob, inputs: &dyn Inputs) -> Result<Self, EngineError> {
        let package = inputs.get(&job.model)?;
        let network = Package::decode(&package)?;
        if network.network() != job.network {
            return Err(ItemsError::Network.into());
        }
        let pixels = inputs.get(&job.input)?;
        // All of them, whichever are drawn by a check: one that is too bright makes the whole job unusable.
        check_pixels(&pixels, network.maximum)?;
        Ok(Self {
            package,
            pixels,
            items: job.items,
            item_work: job.item_work(),
        })
    }

    /// The logits of all images.
    pub fn on_cpu(&self, run: &Run<'_>) -> Result<Vec<u8>, EngineError> {
        run.progress.update(0, self.items);
        run.cancel.check()?;
        let logits = classifier::classify(&self.package, &self.pixels, self.items)?;
        run.progress.update(self.items, self.items);
        Ok(logits)
    }

    /// The same bytes, on a graphics device.
    pub fn on_gpu(&self, gpu: &Gpu, run: &Run<'_>) -> Result<Vec<u8>, EngineError> {
        run.progress.update(0, self.items);
        let logits = classify_on_gpu(gpu, &self.package, &self.pixels, self.items, run.cancel)?;
        run.progress.update(self.items, self.items);
        Ok(logits)
    }

    /// Classifies again the images that `seed` draws, and returns the first that is wrong in `output`.
    pub fn check(&self, output: &[u8], width: usize, seed: &[u8; 32]) -> Result<Verdict, EngineError> {
        let (expected, found) = (width as u64 * u64::from(self.items), output.len() as u64);
        if found != expected {
            return Ok(Verdict::Wrong(Place::Length { expected, found }));
        }
        let image = self.pixels.len() / self.items as usize;
        for item in check::draw(&vec![self.item_work; self.items as usize], seed) {
            let pixels = &self.pixels[item * image..(item + 1) * image];
            if classifier::classify(&self.package, pixels, 1)? != output[item * width..(item + 1) * width] {
                return Ok(Verdict::Wrong(Place::Unit(item as u64)));
            }
        }
        Ok(Verdict::Right)
    }
}
