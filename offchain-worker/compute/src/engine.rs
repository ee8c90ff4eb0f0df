//! What every engine does, and the two engines.

mod claim;
mod cpu;
mod gpu;

pub use cpu::CpuEngine;
pub(crate) use cpu::StandIn;
pub use gpu::GpuEngine;

use crate::{
    computation::Computation,
    inputs::Inputs,
    kinds::{self, EngineError, On, Verdict},
    run::{CancelFlag, Progress},
};
use agora_primitives::job::{Claim, JobSpec};

/// Computes jobs and checks results. Equal jobs give equal bytes, and equal checks equal verdicts, on every engine.
pub trait Engine: Send + Sync {
    /// The engine's name, for people.
    fn name(&self) -> &str;

    /// Why this is the processor although a graphics device was looked for. `None` for an engine that was asked for.
    fn fall_back(&self) -> Option<&str> {
        None
    }

    /// Whether this engine can hold `job`, whatever its inputs hold; not, if it is outside of the limits. What other programs
    /// on the device need is not known: it shows in the run.
    fn fits(&self, job: &JobSpec) -> bool {
        let _ = job;
        true
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

    /// Checks `output` as a result of `job`, at a small part of the work of computing it.
    ///
    /// `seed` must have been drawn after the output was fixed: with a seed known before, a wrong output that passes can
    /// be made. A right output passes with every seed. A wrong one passes with a probability that the kind's page under
    /// `docs/protocol/` states. The caller compares [`crate::output_digest`] with the digest that was revealed; here
    /// only the bytes count.
    ///
    /// A device says of no output that it is wrong unless the processor, which computes that part again, says so too. It
    /// may pass an output that is wrong in the same way as the device.
    ///
    /// Errors: as [`Self::run`], and `Device` with `Miscomputed` if the device computes something else than the
    /// processor. An error is no verdict.
    fn check_output(
        &self,
        job: &JobSpec,
        inputs: &dyn Inputs,
        output: &[u8],
        seed: &[u8; 32],
    ) -> Result<Verdict, EngineError> {
        job.validate()?;
        kinds::of(job).check(On::Cpu, inputs, output, seed)
    }

    /// Checks `claim` about `job`, with the `output` that it names; that of an unusable job is empty.
    ///
    /// The claim's length is compared, and its states root where the states follow from the output, or are computed again (not for chains of
    /// products and training). The caller has compared the output's hash.
    ///
    /// Errors: those of [`Self::check_output`], but never one that says that the inputs are unusable: then the verdict
    /// tells.
    fn check_claim(
        &self,
        job: &JobSpec,
        inputs: &dyn Inputs,
        claim: &Claim,
        output: &[u8],
        seed: &[u8; 32],
    ) -> Result<Verdict, EngineError> {
        claim::check(job, inputs, claim, output, || {
            self.check_output(job, inputs, output, seed)
        })
    }
}
