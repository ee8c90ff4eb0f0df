//! The engine on graphics devices: integer shaders through wgpu.

use super::Engine;
use crate::{
    computation::Computation,
    device::DeviceInfo,
    inputs::Inputs,
    kernels::gpu::{Gpu, GpuOptions},
    kinds::{self, EngineError, On, Verdict},
    run::{CancelFlag, Progress, Run},
};
use agora_primitives::job::JobSpec;

/// Computes on one graphics adapter. Open several for several adapters. Jobs on one share it: while one is uploaded or
/// read back, another is computed.
pub struct GpuEngine(Gpu);

impl GpuEngine {
    /// Opens `device`, and compares the kernel configurations that will be used with the processor, byte for byte, once
    /// in a process: those that differ are not used. Where `options` name neither a configuration nor a file that
    /// remembers the fastest ones, they are found by trying, which takes a few seconds. A software adapter gets those
    /// that are usually best, because it would take longer to compile them all.
    ///
    /// Errors: `Device`, with `Open` if the driver refuses, `UnknownDevice` or `NoAdapter` if the device is gone, and
    /// `Unusable` if it computes something else than the processor.
    pub fn open(device: &DeviceInfo, options: &GpuOptions) -> Result<Self, EngineError> {
        Ok(Self(Gpu::open(device, options)?))
    }

    /// The adapter.
    pub const fn device(&self) -> &DeviceInfo {
        self.0.info()
    }

    /// The device with its kernels.
    pub const fn gpu(&self) -> &Gpu {
        &self.0
    }
}

impl Engine for GpuEngine {
    fn name(&self) -> &str {
        &self.device().name
    }

    fn fits(&self, job: &JobSpec) -> bool {
        let (bounds, memory_bytes) = (self.0.bounds(), self.device().limits.memory_bytes);
        job.validate().is_ok() && kinds::of(job).needs(bounds).fit(bounds, memory_bytes)
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
        kinds::of(job).on_gpu(&self.0, &run)
    }

    fn check_output(
        &self,
        job: &JobSpec,
        inputs: &dyn Inputs,
        output: &[u8],
        seed: &[u8; 32],
    ) -> Result<Verdict, EngineError> {
        job.validate()?;
        kinds::of(job).check(On::Gpu(&self.0), inputs, output, seed)
    }
}

#[cfg(test)]
mod tests;
