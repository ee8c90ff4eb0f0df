//! Jobs that are large enough to fill a device, of sizes that no tile divides, and a mid-size job of every kind.

use crate::{case::Case, error::CheckError, golden};
use agora_compute::{Benchmark, JobKind, JobSpec, MatmulJob, MemoryInputs, Region, RenderingJob, SyntheticJob};

/// Multiply–adds of a mid-size job: it takes a software device seconds.
const WORK: u128 = 1 << 28;
/// Rows, columns and vectors of the large product: near a thousand, and multiples of no tile.
const PRODUCT: [u32; 3] = [1000, 1040, 1100];
/// Side and number of the matrices of the large chain.
const CHAIN: (u32, u32) = (1031, 2);
/// Width, height and paths per pixel of the large picture.
const PICTURE: [u32; 3] = [120, 75, 4];

/// All large jobs.
///
/// Errors: `Vectors`, `Engine`, both only through a defect of this program.
pub fn cases() -> Result<Vec<Case>, CheckError> {
    let mut cases = vec![chain(), product()];
    cases.extend(picture()?);
    for benchmark in Benchmark::all()? {
        let (spec, inputs) = benchmark.job(WORK)?;
        cases.push(Case::new(benchmark.name(), "of medium size", spec, inputs));
    }
    Ok(cases)
}

/// The large product: the job on which kernel configurations are compared, too.
pub fn product() -> Case {
    let [rows, columns, vectors] = PRODUCT;
    let mut inputs = MemoryInputs::new();
    let job = MatmulJob {
        matrix: inputs.insert(bytes(rows * columns, 1)),
        columns,
        first_row: 0,
        rows,
        input: inputs.insert(bytes(vectors * columns, 2)),
        vectors,
    };
    let name = format!("{rows}×{columns} times {columns}×{vectors}");
    Case::new("matmul", name, JobSpec::V2(JobKind::Matmul(job)), inputs)
}

fn chain() -> Case {
    let (matrix_size, iterations) = CHAIN;
    let job = SyntheticJob {
        seed: [7; 32],
        matrix_size,
        iterations,
    };
    let name = format!("{iterations} products of {matrix_size}×{matrix_size}");
    Case::new(
        "synthetic",
        name,
        JobSpec::V2(JobKind::Synthetic(job)),
        MemoryInputs::new(),
    )
}

/// The still life of the golden vectors, larger than there: every surface and shape.
fn picture() -> Result<Option<Case>, CheckError> {
    let [width, height, samples] = PICTURE;
    let case = |scene: Vec<u8>| {
        let mut inputs = MemoryInputs::new();
        let job = RenderingJob {
            scene: inputs.insert(scene),
            seed: [7; 32],
            width,
            height,
            region: Region {
                x: 0,
                y: 0,
                width,
                height,
            },
            first_frame: 0,
            frames: 1,
            samples,
            max_bounces: 6,
            max_steps: 1024,
        };
        let name = format!("still life, {width}×{height}");
        Case::new("rendering", name, JobSpec::V2(JobKind::Rendering(job)), inputs)
    };
    Ok(golden::still_life()?.map(case))
}

/// So many bytes that look random: others with each `seed`.
pub fn bytes(count: u32, seed: u32) -> Vec<u8> {
    let byte = |i: u32| (i.wrapping_add(seed).wrapping_mul(2_654_435_761) >> 24) as u8;
    (0..count).map(byte).collect()
}
