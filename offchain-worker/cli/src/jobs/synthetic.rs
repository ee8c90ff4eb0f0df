//! Synthetic jobs: chains of matrix products over F_251.

use super::{Prepare, Show, prepared::JobInputs};
use crate::{args::ResultFormat, exit::CliError, units::Seed};
use agora_compute::Inputs;
use agora_primitives::job::{JobKind, SyntheticJob};

#[derive(clap::Args, Debug)]
pub struct SyntheticArgs {
    /// Rows and columns of the matrices.
    #[arg(long, default_value_t = 512)]
    matrix_size: u32,
    /// How many products.
    #[arg(long, default_value_t = 64)]
    iterations: u32,
    /// Seed: 64 hex digits; random if left out.
    #[arg(long)]
    seed: Option<Seed>,
}

impl Prepare for SyntheticArgs {
    fn prepare(self, _: &mut JobInputs) -> Result<JobKind, CliError> {
        Ok(JobKind::Synthetic(SyntheticJob {
            seed: self.seed.unwrap_or_else(Seed::random).0,
            matrix_size: self.matrix_size,
            iterations: self.iterations,
        }))
    }
}

impl Show for SyntheticJob {
    fn describe(&self) -> String {
        format!(
            "synthetic, {size}×{size}, {} iterations, seed 0x{}",
            self.iterations,
            hex::encode(self.seed),
            size = self.matrix_size,
        )
    }

    fn convert(&self, _: &dyn Inputs, _: &[u8], _: ResultFormat) -> Result<Option<Vec<u8>>, CliError> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_unfit, parse, prepare};
    use crate::args::ResultFormat;
    use agora_primitives::job::{JobKind, JobSpec, SyntheticJob};

    #[tokio::test]
    async fn arguments_become_a_job() {
        let seed = "ab".repeat(32);
        let job = prepare(&["synthetic", "--matrix-size", "16", "--iterations", "2", "--seed", &seed]).await;
        let expected = SyntheticJob {
            seed: [0xab; 32],
            matrix_size: 16,
            iterations: 2,
        };
        assert_eq!(job.expect("a job"), JobSpec::V2(JobKind::Synthetic(expected)));
    }

    #[tokio::test]
    async fn without_a_seed_every_job_is_another_one() {
        let one = prepare(&["synthetic"]).await.expect("a job");
        assert_ne!(prepare(&["synthetic"]).await.expect("a job"), one);
    }

    #[tokio::test]
    async fn wrong_arguments_are_refused() {
        let seed = parse(&["synthetic", "--seed", "12"]).expect_err("too short");
        assert!(seed.contains("64 hex digits"), "{seed}");
        let zero = prepare(&["synthetic", "--matrix-size", "0"]).await.expect_err("empty");
        assert!(zero.contains("zero"), "{zero}");
    }

    #[test]
    fn a_job_is_described_and_its_result_is_raw_only() {
        let job = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
            seed: [0x0f; 32],
            matrix_size: 512,
            iterations: 64,
        }));
        let seed = "0f".repeat(32);
        let expected = format!("synthetic, 512×512, 64 iterations, seed 0x{seed}");
        assert_eq!(super::super::describe(&job), expected);
        assert_unfit(
            &job,
            [
                ResultFormat::Png,
                ResultFormat::Model,
                ResultFormat::Checkpoint,
                ResultFormat::Json,
            ],
        );
    }
}
