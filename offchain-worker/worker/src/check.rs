//! Checking results on the engine that there is.

use crate::WorkerError;
use agora_compute::{CpuEngine, DeviceError, Engine, EngineError, MemoryInputs, Verdict};
use agora_primitives::job::{Claim, JobSpec};
use std::sync::Arc;

/// Checks `claim` about `job`, with the `output` that it names, on `engine`, as [`Engine::check_claim`] says. Where its
/// device fails or computes wrong, that is logged, and the processor checks instead: no verdict comes from a device that
/// errs.
///
/// Errors: `Engine`, `Interrupted`.
pub async fn check_claim(
    engine: Arc<dyn Engine>,
    job: JobSpec,
    inputs: MemoryInputs,
    claim: Claim,
    output: Vec<u8>,
    seed: [u8; 32],
) -> Result<Verdict, WorkerError> {
    let check = move || {
        let check = |engine: &dyn Engine| engine.check_claim(&job, &inputs, &claim, &output, &seed);
        match check(engine.as_ref()) {
            Err(EngineError::Device(error)) => {
                tell(&error);
                check(&CpuEngine::new())
            }
            checked => checked,
        }
    };
    let checked = tokio::task::spawn_blocking(check).await;
    Ok(checked.map_err(|panic| WorkerError::Interrupted(panic.to_string()))??)
}

/// Logs that a device could not check.
fn tell(error: &DeviceError) {
    match error {
        DeviceError::Limit { .. } => {
            tracing::warn!(%error, "The device is too small for this check; the processor makes it.");
        }
        _ => tracing::error!(%error, "The device failed in a check; the processor makes it."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_compute::{CancelFlag, Computation, Inputs, JobKind, NoInputs, NoProgress, Progress};
    use agora_primitives::job::SyntheticJob;

    /// Fails in every check.
    struct Failing(fn() -> EngineError);

    impl Engine for Failing {
        fn name(&self) -> &str {
            "failing"
        }

        fn run(
            &self,
            _: &JobSpec,
            _: &dyn Inputs,
            _: &dyn Progress,
            _: &CancelFlag,
        ) -> Result<Computation, EngineError> {
            Err((self.0)())
        }

        fn check_output(&self, _: &JobSpec, _: &dyn Inputs, _: &[u8], _: &[u8; 32]) -> Result<Verdict, EngineError> {
            Err((self.0)())
        }
    }

    fn checked(error: fn() -> EngineError, change: u8) -> Result<Verdict, WorkerError> {
        let job = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
            seed: [1; 32],
            matrix_size: 8,
            iterations: 2,
        }));
        let right = CpuEngine::new()
            .run(&job, &NoInputs, &NoProgress, &CancelFlag::new())
            .expect("it can be computed");
        let mut output = right.output.clone();
        output[3] ^= change;
        let check = check_claim(
            Arc::new(Failing(error)),
            job,
            MemoryInputs::new(),
            right.claim(),
            output,
            [2; 32],
        );
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime can be built")
            .block_on(check)
    }

    #[test]
    fn the_processor_checks_where_a_device_fails_or_computes_wrong() {
        let errors: [fn() -> EngineError; 3] = [
            || {
                EngineError::Device(DeviceError::Miscomputed {
                    device: "a".into(),
                    what: "b".into(),
                })
            },
            || {
                EngineError::Device(DeviceError::Lost {
                    device: "a".into(),
                    reason: "b".into(),
                })
            },
            || {
                EngineError::Device(DeviceError::Limit {
                    limit: "a",
                    needed: 2,
                    available: 1,
                })
            },
        ];
        for error in errors {
            assert!(checked(error, 0).expect("the processor checks").is_right());
            assert!(!checked(error, 1).expect("the processor checks").is_right());
        }
    }

    #[test]
    fn an_error_that_is_not_of_the_device_gives_no_verdict() {
        let checked = checked(|| EngineError::Cancelled, 0);
        assert!(
            matches!(checked, Err(WorkerError::Engine(EngineError::Cancelled))),
            "{checked:?}"
        );
    }
}
