//! The kinds of jobs, a module each: what a kind's jobs are, and how they are computed on the processor (`cpu`) and on
//! graphics devices (`gpu`), checked (`check`) and measured (`workload`).
//!
//! Everything that a kind does is its [`Kind`]. Other modules ask [`of`] for the kind of a job, and need not know which
//! kinds there are. A new kind is a module, a line in [`of`] and a line in [`workloads`].

mod check;
mod error;
mod inference;
mod matmul;
pub mod program;
pub(crate) mod rendering;
pub mod synthetic;
pub mod training;
mod verdict;
mod workload;

pub(crate) use check::{Drawn, On};
pub use error::EngineError;
pub use inference::{ItemsError, encode_items};
pub use verdict::{Place, Verdict};
pub(crate) use workload::{Sample, Unit, Workload};

use crate::{
    computation::Computation,
    device::{Bounds, Needs},
    inputs::Inputs,
    kernels::gpu::Gpu,
    run::Run,
};
use agora_math::{field::Generator, merkle::Hash};
use agora_primitives::job::{H256, JobKind, JobSpec};

/// Everything that a kind does with one of its jobs. The job is within its limits.
pub(crate) trait Kind {
    /// The job's result, which `agora-reference` defines, on the processor.
    fn on_cpu(&self, run: &Run<'_>) -> Result<Computation, EngineError>;

    /// The same bytes, on a graphics device.
    fn on_gpu(&self, gpu: &Gpu, run: &Run<'_>) -> Result<Computation, EngineError>;

    /// What a device with these `bounds` needs for the job, at most, whatever its inputs hold. If it is more than `bounds`
    /// allow, the job cannot be cut so small.
    fn needs(&self, bounds: &Bounds) -> Needs;

    /// Whether every engine computes the job on the processor.
    fn is_for_processor(&self) -> bool {
        false
    }

    /// The multiply–adds that could be done in the time that the job takes, if that is more than its work: because it leaves a part of the processor
    /// idle that the kind is measured with.
    fn load(&self) -> Option<u128> {
        None
    }

    /// Whether it may end long before its work is done. Then how long it takes says nothing about others.
    fn may_end_early(&self) -> bool {
        false
    }

    /// Reads the inputs, and refuses what the engines refuse.
    ///
    /// Errors: [unusable](EngineError::is_unusable) if the job has no output, `Input` if one is missing.
    fn ensure_usable(&self, inputs: &dyn Inputs) -> Result<(), EngineError>;

    /// Whether `output` is right, as far as a check with `seed` can tell. What is computed again is computed `on` a
    /// device, or all on the processor: the verdict is the same.
    ///
    /// Errors: those of the inputs, and `Device` if the device fails or computes wrong.
    fn check(&self, on: On<'_>, inputs: &dyn Inputs, output: &[u8], seed: &[u8; 32]) -> Result<Verdict, EngineError>;

    /// Whether `output` and the digests of the states before it, of which `states_root` is the root, are right: of kinds whose check computes
    /// everything again. `None`: [`Self::check`] tells.
    ///
    /// Errors: those of the inputs.
    fn check_all(
        &self,
        inputs: &dyn Inputs,
        output: &[u8],
        states_root: &H256,
    ) -> Result<Option<Verdict>, EngineError> {
        let _ = (inputs, output, states_root);
        Ok(None)
    }

    /// The digests of the states before `output`, which has its length, if they follow from it. `None`: they do not.
    fn states_in(&self, output: &[u8]) -> Option<Vec<Hash>> {
        let _ = output;
        None
    }
}

/// The [`Kind`] of `job`.
pub(crate) fn of(job: &JobSpec) -> &dyn Kind {
    let JobSpec::V2(kind) = job;
    match kind {
        JobKind::Synthetic(job) => job,
        JobKind::Matmul(job) => job,
        JobKind::Inference(job) => job,
        JobKind::Training(job) => job,
        JobKind::Rendering(job) => job,
        JobKind::Program(job) => job,
    }
}

/// What engines are measured with.
///
/// Errors: none but those of sizes beyond the limits of jobs.
pub(crate) fn workloads() -> Result<Vec<Box<dyn Workload>>, EngineError> {
    Ok(vec![
        Box::new(synthetic::Chains),
        Box::new(matmul::Products::new()?),
        Box::new(inference::Embedding::new()?),
        Box::new(inference::Classification::new()?),
        Box::new(training::Steps::new()?),
        Box::new(rendering::Pictures::new()?),
        Box::new(program::Instructions),
    ])
}

/// The `index`-th number that is drawn below `limit`, which is not zero. It is made from the first two words of the
/// block.
pub(crate) fn draw_below(generator: &Generator, index: u64, limit: u64) -> u64 {
    let [low, high, ..] = generator.words(index);
    (u64::from(low) | (u64::from(high) << 32)) % limit
}
