//! On a graphics device: the states stay there, and each is read back while the next ones are computed.

mod buffers;
mod chain;
mod plan;

use crate::{computation::Computation, digest::output_digest, kernels::gpu::Gpu, kinds::EngineError, run::Run};
use agora_primitives::job::SyntheticJob;
use chain::Chain;
use plan::Plan;

pub(super) fn run(job: &SyntheticJob, gpu: &Gpu, run: &Run<'_>) -> Result<Computation, EngineError> {
    let state = super::start(job);
    let mut chain = Chain {
        iterations: job.iterations,
        factor: super::factor(job),
        digests: vec![output_digest(&state)],
        state,
    };
    run.progress.update(0, job.iterations);
    gpu.on_device(|context| {
        let plan = Plan::new(job.matrix_size, &context.bounds)?;
        chain.run(context, gpu.tuning(), &plan, run)
    })?;
    Ok(Computation {
        output: chain.state,
        state_digests: chain.digests,
    })
}
