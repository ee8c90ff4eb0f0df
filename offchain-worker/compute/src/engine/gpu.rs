//! The engine on graphics processors: integer shaders through wgpu.

mod adapters;
mod buffers;
mod chain;
pub(crate) mod context;
pub mod kernel;
mod plan;

use super::{CancelFlag, Computation, Engine, Progress};
use crate::{
    digest::output_digest,
    error::EngineError,
    inputs::Inputs,
    kinds::{self, Run, synthetic},
};
use agora_primitives::job::{JobSpec, SyntheticJob};
use chain::Chain;
use context::Context;
use kernel::Tile;
use plan::Plan;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

pub use adapters::{DeviceInfo, DeviceLimits, DeviceType, devices, find_device};

/// How often a job goes on on a device that was lost and opened again.
const MAX_LOSSES: u32 = 3;

/// Rows and columns of the product with which tiles are tried.
const TUNING_SIZE: u32 = 1024;

/// Settings of a [`GpuEngine`]. None need be made: what is `None` follows from the device.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GpuOptions {
    /// The largest buffer to use, in bytes, if less than the device allows.
    pub max_buffer_bytes: Option<u64>,
    /// Workgroups per dimension of a dispatch, if fewer than the device allows.
    pub max_workgroups: Option<u32>,
    /// The most multiply–add operations of one submission.
    pub max_work: Option<u64>,
    /// How the shader divides its work.
    pub tile: Option<Tile>,
}

/// Computes on one graphics adapter. Open several for several adapters; jobs on one run one after the other.
pub struct GpuEngine {
    info: DeviceInfo,
    options: GpuOptions,
    tile: Tile,
    /// `None` after a fault, until the next job opens the device again.
    context: Mutex<Option<Context>>,
}

impl GpuEngine {
    /// Opens `device`. Unless `options` name a tile, the fastest one is found by trying them, which takes about a
    /// second; a software adapter is not tried.
    ///
    /// Errors: `Open` if the driver refuses, `UnknownDevice` or `NoAdapter` if it is gone.
    pub fn open(device: &DeviceInfo, options: &GpuOptions) -> Result<Self, EngineError> {
        let tile = match (options.tile, device.device_type) {
            (Some(tile), _) => tile,
            (None, DeviceType::Software) => Tile::LARGE,
            (None, _) => fastest_tile(device, options)?,
        };
        let context = Context::open(device, options, tile)?;
        Ok(Self {
            info: device.clone(),
            options: options.clone(),
            tile,
            context: Mutex::new(Some(context)),
        })
    }

    /// The adapter.
    pub fn device(&self) -> &DeviceInfo {
        &self.info
    }

    /// Runs `work` on the opened device. When the device is lost, it is opened again and `work` is called again: what it
    /// has done until then it keeps in what it captures.
    ///
    /// Errors: those of `work`, and `Open`, `UnknownDevice` or `NoAdapter` if the device cannot be opened again.
    pub(crate) fn on_device<T>(
        &self,
        mut work: impl FnMut(&Context) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let mut slot = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        let mut losses = 0;
        loop {
            // Taken out, so that a context with a fault, or in an unknown state after a panic, is not used again.
            let context = match slot.take() {
                Some(context) => context,
                None => Context::open(&self.info, &self.options, self.tile)?,
            };
            match work(&context) {
                Err(EngineError::DeviceLost { device, reason }) if losses < MAX_LOSSES => {
                    losses += 1;
                    tracing::warn!(device, reason, "The device was lost and is opened again.");
                }
                Err(error) if error.is_device_fault() => return Err(error),
                result => {
                    *slot = Some(context);
                    return result;
                }
            }
        }
    }

    pub(crate) fn run_synthetic(&self, job: &SyntheticJob, run: &Run<'_>) -> Result<Computation, EngineError> {
        let state = synthetic::start(job);
        let mut chain = Chain {
            iterations: job.iterations,
            factor: synthetic::factor(job),
            digests: vec![output_digest(&state)],
            state,
        };
        run.progress.update(0, job.iterations);
        self.on_device(|context| {
            let plan = Plan::new(job.matrix_size, context.tile, context.bounds)?;
            chain.run(context, &plan, run.progress, run.cancel)
        })?;
        Ok(Computation {
            output: chain.state,
            state_digests: chain.digests,
        })
    }
}

/// The tile with which `device` is fastest.
///
/// Errors: as [`GpuEngine::open`].
fn fastest_tile(device: &DeviceInfo, options: &GpuOptions) -> Result<Tile, EngineError> {
    let mut best = (Tile::SMALL, Duration::MAX);
    for tile in Tile::ALL.into_iter().filter(|tile| tile.fits(&device.limits)) {
        let context = Context::open(device, options, tile)?;
        let plan = Plan::new(TUNING_SIZE, tile, context.bounds)?;
        let time = chain::time_product(&context, &plan)?;
        tracing::debug!(device = device.name, ?tile, ?time, "A tile was tried.");
        if time < best.1 {
            best = (tile, time);
        }
    }
    Ok(best.0)
}

impl Engine for GpuEngine {
    fn name(&self) -> &str {
        &self.info.name
    }

    fn run(
        &self,
        job: &JobSpec,
        inputs: &dyn Inputs,
        progress: &dyn Progress,
        cancel: &CancelFlag,
    ) -> Result<Computation, EngineError> {
        job.validate()?;
        let run = Run {
            inputs,
            progress,
            cancel,
        };
        kinds::of(job)?.on_gpu(self, &run)
    }
}

#[cfg(test)]
mod tests;
