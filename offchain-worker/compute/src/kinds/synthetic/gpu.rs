//! On a graphics device: the states stay there, and so does their hashing, where the device does it.

mod buffers;
mod chain;
mod plan;

use super::Diagonals;
use crate::{
    computation::Computation,
    device::{Bounds, Needs},
    digest::output_digest,
    kernels::gpu::Gpu,
    kinds::EngineError,
    run::Run,
};
use agora_primitives::job::SyntheticJob;
use chain::Chain;
use plan::Plan;

/// What a chain needs of a device with `bounds`.
pub(super) fn needs(job: &SyntheticJob, bounds: &Bounds) -> Needs {
    let least = Needs::default()
        .buffers(1, Plan::least_bytes(job.matrix_size))
        .workgroups(1);
    Plan::new(job.matrix_size, bounds).map_or(least, |plan| buffers::needs(&plan))
}

pub(super) fn run(job: &SyntheticJob, gpu: &Gpu, run: &Run<'_>) -> Result<Computation, EngineError> {
    let state = super::start(job);
    let mut chain = Chain {
        iterations: job.iterations,
        factor: super::factor(job),
        diagonals: Diagonals::new(job),
        digests: vec![output_digest(&state)],
        state,
        kept: 0,
    };
    run.progress.update(0, job.iterations);
    gpu.on_device(|context| {
        let plan = Plan::new(job.matrix_size, &context.bounds)?;
        chain.run(context, gpu, &plan, run)
    })?;
    Ok(Computation {
        output: chain.state,
        state_digests: chain.digests,
    })
}
