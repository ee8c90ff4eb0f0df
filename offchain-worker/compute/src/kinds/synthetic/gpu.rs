//! On a graphics device: the states stay there, and so does their hashing, where the device does it.

mod buffers;
mod chain;
mod plan;

use super::Diagonals;
use crate::{computation::Computation, digest::output_digest, kernels::gpu::Gpu, kinds::EngineError, run::Run};
use agora_primitives::job::SyntheticJob;
use chain::Chain;
use plan::Plan;

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
