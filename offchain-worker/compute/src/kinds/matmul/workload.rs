//! Measuring: 1024 rows of 1024 bytes times vectors.

use crate::{
    inputs::MemoryInputs,
    kinds::{
        EngineError, Sample, Unit, Workload,
        workload::{GIGA, bytes},
    },
};
use agora_primitives::job::{BlobRef, JobKind, JobSpec, MatmulJob};

/// Rows, and bytes of each.
const SIZE: u32 = 1024;
/// Vectors of a part.
const VECTORS: u32 = 64;

/// Multiplications and additions of rows times vectors; a part is 64 vectors.
pub(crate) struct Products {
    matrix: BlobRef,
    inputs: MemoryInputs,
}

impl Products {
    /// Makes the matrix.
    pub fn new() -> Result<Self, EngineError> {
        let mut inputs = MemoryInputs::new();
        let matrix = inputs.insert(bytes((SIZE * SIZE) as usize, u8::MAX));
        Ok(Self { matrix, inputs })
    }
}

impl Workload for Products {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn units(&self) -> &'static [Unit] {
        const {
            &[Unit {
                name: "matmul_gops",
                unit: "GOPS",
                amount: GIGA,
            }]
        }
    }

    fn max_parts(&self) -> u32 {
        256
    }

    fn job(&self, parts: u32) -> Result<Sample, EngineError> {
        let vectors = parts * VECTORS;
        let mut inputs = self.inputs.clone();
        let spec = JobSpec::V2(JobKind::Matmul(MatmulJob {
            matrix: self.matrix,
            columns: SIZE,
            first_row: 0,
            rows: SIZE,
            input: inputs.insert(bytes((vectors * SIZE) as usize, u8::MAX)),
            vectors,
        }));
        Ok(Sample {
            amount: 2.0 * spec.work() as f64,
            spec,
            inputs,
        })
    }
}
