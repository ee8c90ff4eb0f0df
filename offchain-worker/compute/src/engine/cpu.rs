//! The engine for the processor. What the result of a job is says `agora-reference`; its tests compare the two.

use super::Engine;
use crate::{
    computation::Computation,
    inputs::Inputs,
    kinds::{self, EngineError},
    run::{CancelFlag, Progress, Run},
};
use agora_primitives::job::JobSpec;

/// Computes on the processor, on all cores.
#[derive(Clone, Copy, Debug, Default)]
pub struct CpuEngine;

impl CpuEngine {
    /// The engine. Works in rayon's global pool.
    pub const fn new() -> Self {
        Self
    }
}

impl Engine for CpuEngine {
    fn name(&self) -> &str {
        "cpu"
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
        kinds::of(job).on_cpu(&run)
    }
}

/// The processor in place of a graphics device.
#[derive(Clone, Debug)]
pub(crate) struct StandIn {
    reason: String,
}

impl StandIn {
    /// Computes because of `reason`.
    pub const fn new(reason: String) -> Self {
        Self { reason }
    }
}

impl Engine for StandIn {
    fn name(&self) -> &str {
        CpuEngine.name()
    }

    fn fall_back(&self) -> Option<&str> {
        Some(&self.reason)
    }

    fn run(
        &self,
        job: &JobSpec,
        inputs: &dyn Inputs,
        progress: &dyn Progress,
        cancel: &CancelFlag,
    ) -> Result<Computation, EngineError> {
        CpuEngine.run(job, inputs, progress, cancel)
    }
}
