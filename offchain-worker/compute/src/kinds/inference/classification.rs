//! Classification: a network applied to a batch of images.

use super::ItemsError;
use crate::{
    inputs::Inputs,
    kernels::gpu::Gpu,
    kinds::EngineError,
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

    /// These images alone, in this order.
    pub fn only(&self, items: &[usize]) -> Self {
        let image = self.pixels.len() / self.items as usize;
        let pixels = items.iter().flat_map(|item| &self.pixels[item * image..][..image]);
        Self {
            package: Arc::clone(&self.package),
            pixels: pixels.copied().collect(),
            // A part of those of a job.
            items: items.len() as u32,
            item_work: self.item_work,
        }
    }

    /// The work of each image.
    pub fn work(&self) -> Vec<u64> {
        vec![self.item_work; self.items as usize]
    }
}
