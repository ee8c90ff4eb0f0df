//! The engine on graphics processors: integer shaders through wgpu.

mod adapters;
pub(crate) mod batch;
pub(crate) mod context;
pub(crate) mod gemm;
pub(crate) mod pool;
mod tuning;

use super::{CancelFlag, Computation, Engine, Progress};
use crate::{
    error::EngineError,
    inputs::Inputs,
    kinds::{self, Run},
};
use agora_primitives::job::JobSpec;
use context::Context;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tuning::Tiles;

pub use gemm::Tile;

pub use adapters::{DeviceInfo, DeviceLimits, DeviceType, devices, find_device};

/// How often a job goes on on a device that was lost and opened again.
const MAX_LOSSES: u32 = 3;

/// Settings of a [`GpuEngine`]. None need be made: what is `None` follows from the device.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GpuOptions {
    /// The largest buffer to use, in bytes, if less than the device allows.
    pub max_buffer_bytes: Option<u64>,
    /// Workgroups per dimension of a dispatch, if fewer than the device allows.
    pub max_workgroups: Option<u32>,
    /// The most multiply–add operations of one submission.
    pub max_work: Option<u64>,
    /// How products are divided, where this tile can be used at all.
    pub tile: Option<Tile>,
    /// The file in which the fastest tiles of each device are remembered.
    pub tuning_cache: Option<PathBuf>,
}

/// Computes on one graphics adapter. Open several for several adapters. Jobs on one share it: while one is uploaded or
/// read back, another is computed.
pub struct GpuEngine {
    info: DeviceInfo,
    options: GpuOptions,
    tiles: Tiles,
    /// `None` after a fault, until the next job opens the device again.
    context: Mutex<Option<Arc<Context>>>,
}

impl GpuEngine {
    /// Opens `device`. Unless `options` name a tile or a file that remembers them, the fastest tiles are found by trying
    /// them, which takes a few seconds; a software adapter, on which they would have to be compiled for longer, gets those
    /// that are usually best.
    ///
    /// Errors: `Open` if the driver refuses, `UnknownDevice` or `NoAdapter` if it is gone.
    pub fn open(device: &DeviceInfo, options: &GpuOptions) -> Result<Self, EngineError> {
        let cache = options.tuning_cache.as_deref();
        let usual = Tiles::usual(device.device_type);
        let tiles = match options.tile {
            Some(tile) => Tiles::only(tile),
            None if device.device_type == DeviceType::Software => usual,
            None => match cache.and_then(|path| tuning::remembered(path, device)) {
                Some(tiles) => tiles,
                None => {
                    let tiles = Tiles::fastest(&Context::open(device, options, usual)?, device)?;
                    if let Some(path) = cache {
                        tuning::remember(path, device, tiles);
                    }
                    tiles
                }
            },
        };
        let context = Context::open(device, options, tiles)?;
        Ok(Self {
            info: device.clone(),
            options: options.clone(),
            tiles,
            context: Mutex::new(Some(Arc::new(context))),
        })
    }

    /// The adapter.
    pub fn device(&self) -> &DeviceInfo {
        &self.info
    }

    /// Runs `work` on the opened device. When the device is lost, it is opened again and `work` is called again: what it
    /// has done until then it keeps in what it captures. Works of several threads go side by side.
    ///
    /// Errors: those of `work`, and `Open`, `UnknownDevice` or `NoAdapter` if the device cannot be opened again.
    pub(crate) fn on_device<T>(
        &self,
        mut work: impl FnMut(&Context) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let mut losses = 0;
        loop {
            let mut lease = Lease {
                engine: self,
                context: self.context()?,
                in_order: false,
            };
            match work(&lease.context) {
                Err(EngineError::DeviceLost { device, reason }) if losses < MAX_LOSSES => {
                    losses += 1;
                    tracing::warn!(device, reason, "The device was lost and is opened again.");
                }
                Err(error) if error.is_device_fault() => return Err(error),
                result => {
                    lease.in_order = true;
                    return result;
                }
            }
        }
    }

    /// The open device, opened again if it was given up.
    fn context(&self) -> Result<Arc<Context>, EngineError> {
        let mut slot = self.slot();
        if let Some(context) = &*slot {
            return Ok(Arc::clone(context));
        }
        let context = Arc::new(Context::open(&self.info, &self.options, self.tiles)?);
        *slot = Some(Arc::clone(&context));
        Ok(context)
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<Context>>> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A work's use of the open device.
struct Lease<'a> {
    engine: &'a GpuEngine,
    context: Arc<Context>,
    in_order: bool,
}

impl Drop for Lease<'_> {
    /// Gives the device up after a fault or a panic, unless another work has done so before.
    fn drop(&mut self) {
        let mut slot = self.engine.slot();
        if !self.in_order && slot.as_ref().is_some_and(|open| Arc::ptr_eq(open, &self.context)) {
            *slot = None;
        }
    }
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
        kinds::of(job).on_gpu(self, &run)
    }
}

#[cfg(test)]
mod tests;
