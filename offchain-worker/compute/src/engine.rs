//! What every engine does, and the two engines.

mod cpu;
mod gpu;

pub use cpu::CpuEngine;
pub(crate) use cpu::StandIn;
pub use gpu::GpuEngine;

use crate::{
    computation::Computation,
    inputs::Inputs,
    kinds::EngineError,
    run::{CancelFlag, Progress},
};
use agora_primitives::job::JobSpec;

/// Computes jobs. Equal jobs give equal bytes, on every engine.
pub trait Engine: Send + Sync {
    /// The engine's name, for people.
    fn name(&self) -> &str;

    /// Why this is the processor although a graphics device was looked for. `None` for an engine that was asked for.
    fn fall_back(&self) -> Option<&str> {
        None
    }

    /// Computes `job` from `inputs`. Blocks until the end; calls on one engine from several threads run side by
    /// side.
    ///
    /// Errors: `Job` when the job is outside of the limits, `Input` when an input is missing, `Cancelled` soon after
    /// `cancel` is set, and `Device` when the device fails. A lost device is opened again and the job goes on, up to
    /// three times; only then its loss is returned.
    fn run(
        &self,
        job: &JobSpec,
        inputs: &dyn Inputs,
        progress: &dyn Progress,
        cancel: &CancelFlag,
    ) -> Result<Computation, EngineError>;
}
