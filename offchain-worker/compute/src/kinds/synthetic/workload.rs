//! Measuring: chains of products of 512 × 512 matrices over F_251.

use crate::{
    inputs::MemoryInputs,
    kinds::{
        EngineError, Sample, Unit, Workload,
        workload::{GIGA, SEED},
    },
};
use agora_primitives::job::{JobKind, JobSpec, SyntheticJob};

const MATRIX_SIZE: u32 = 512;

/// Multiplications and additions of products of matrices; a part is one product.
pub(crate) struct Chains;

impl Workload for Chains {
    fn name(&self) -> &'static str {
        "synthetic"
    }

    fn units(&self) -> &'static [Unit] {
        const {
            &[Unit {
                name: "synthetic_gops",
                unit: "GOPS",
                amount: GIGA,
            }]
        }
    }

    fn max_parts(&self) -> u32 {
        4096
    }

    fn job(&self, parts: u32) -> Result<Sample, EngineError> {
        let spec = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
            seed: SEED,
            matrix_size: MATRIX_SIZE,
            iterations: parts,
        }));
        Ok(Sample {
            amount: 2.0 * spec.work() as f64,
            spec,
            inputs: MemoryInputs::new(),
        })
    }
}
