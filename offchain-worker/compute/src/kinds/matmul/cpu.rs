//! On the processor, as fast as it can.

use super::Operands;
use crate::{
    computation::Computation,
    digest::output_digest,
    kernels::cpu::{Kernel, PackedLhs, PackedRhs, product},
    kinds::EngineError,
    run::{CancelFlag, Run},
};
use agora_primitives::job::MatmulJob;
use rayon::prelude::*;

/// An `i32`, little endian.
type Sum = [u8; 4];

/// Up to so many vectors are multiplied by unpacked rows: packing the rows would take longer.
const FEW_VECTORS: usize = 8;
/// Bytes of the matrix that are packed and multiplied at a time, so that memory does not grow with the matrix.
const BAND_BYTES: usize = 16 << 20;
/// Bytes of the vectors that are packed at a time.
const BATCH_BYTES: usize = 64 << 20;

pub(super) fn run(job: &MatmulJob, run: &Run<'_>) -> Result<Computation, EngineError> {
    let operands = Operands::fetch(job, run.inputs)?;
    let columns = job.columns as usize;
    let bands = || operands.rows().chunks(lines(BAND_BYTES, columns) * columns);
    let batch = match job.vectors as usize {
        few @ ..=FEW_VECTORS => few,
        _ => lines(BATCH_BYTES, columns),
    };
    let (rows, batches) = (job.rows as usize, operands.vectors().chunks(batch * columns));
    // At most 2²⁰ rows, in a band for each if they are so long; and few batches.
    let total = (bands().len() * batches.len()) as u32;
    let mut done = 0;
    run.progress.update(done, total);

    let mut output: Vec<Sum> = vec![Sum::default(); rows * job.vectors as usize];
    for (vectors, output) in batches.zip(output.chunks_mut(batch * rows)) {
        let lhs = match job.vectors as usize {
            ..=FEW_VECTORS => None,
            _ => Some(PackedLhs::new(vectors, vectors.len() / columns, columns)?),
        };
        let mut first = 0;
        for band in bands() {
            run.cancel.check()?;
            let width = band.len() / columns;
            let sums = match &lhs {
                Some(lhs) => multiply(lhs, band, columns, run.cancel)?,
                None => multiply_few(vectors, band, columns, run.cancel)?,
            };
            let lines = output.par_chunks_exact_mut(rows).zip(sums.par_chunks_exact(width));
            lines.for_each(|(line, sums)| line[first..first + width].copy_from_slice(sums));
            first += width;
            done += 1;
            run.progress.update(done, total);
        }
    }
    let output = output.into_flattened();
    let state_digests = vec![output_digest(&output)];
    Ok(Computation { output, state_digests })
}

/// How many lines of `columns` bytes fit `bytes`, at least one.
fn lines(bytes: usize, columns: usize) -> usize {
    (bytes / columns).max(1)
}

/// The products of all packed vectors and the rows of `band`, vector by vector.
fn multiply(lhs: &PackedLhs, band: &[i8], columns: usize, cancel: &CancelFlag) -> Result<Vec<Sum>, EngineError> {
    let rhs = PackedRhs::transposed(band, band.len() / columns, columns)?;
    let mut output = vec![Sum::default(); lhs.rows() * rhs.columns()];
    product(lhs, &rhs, cancel, &mut output, |_, sums, output| {
        for (output, sum) in output.iter_mut().zip(sums) {
            *output = sum.to_le_bytes();
        }
    })?;
    Ok(output)
}

/// The products of a few vectors and the rows of `band`, vector by vector: each row is read once for all of them.
fn multiply_few(vectors: &[i8], band: &[i8], columns: usize, cancel: &CancelFlag) -> Result<Vec<Sum>, EngineError> {
    let vectors: Vec<Vec<i16>> = vectors
        .chunks_exact(columns)
        .map(|vector| vector.iter().map(|&x| x.into()).collect())
        .collect();
    let kernel = Kernel::best();
    let rows = band.len() / columns;
    let mut by_row = vec![0i32; rows * vectors.len()];
    by_row
        .par_chunks_exact_mut(vectors.len())
        .zip(band.par_chunks_exact(columns))
        .try_for_each(|(sums, row)| {
            cancel.check()?;
            kernel.vectorise(
                #[inline(always)]
                || {
                    for (sum, vector) in sums.iter_mut().zip(&vectors) {
                        *sum = dot(row, vector);
                    }
                },
            );
            Ok::<_, EngineError>(())
        })?;
    let sum = |i: usize| by_row[i % rows * vectors.len() + i / rows].to_le_bytes();
    Ok((0..by_row.len()).into_par_iter().map(sum).collect())
}

/// The sum of the products, which fits: no vector is longer than [`crate::kernels::cpu::MAX_DEPTH`].
#[inline(always)]
fn dot(row: &[i8], vector: &[i16]) -> i32 {
    row.iter().zip(vector).fold(0i32, |sum, (&x, &y)| {
        sum.wrapping_add(i32::from(x).wrapping_mul(y.into()))
    })
}

#[cfg(test)]
pub(super) mod tests {
    use crate::{
        CancelFlag, CpuEngine, Engine, EngineError, JobKind, JobSpec, MemoryInputs, NoProgress, output_digest,
    };
    use agora_primitives::job::MatmulJob;
    use proptest::prelude::*;

    /// A job on made-up inputs, and the inputs.
    pub(crate) fn example(
        (columns, first_row, rows, vectors): (u32, u32, u32, u32),
        further_rows: u32,
        seed: u64,
    ) -> (MatmulJob, MemoryInputs, Vec<u8>, Vec<u8>) {
        let mut state = seed;
        let mut bytes = |count: u32| -> Vec<u8> {
            let next = |_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            };
            (0..count).map(next).collect()
        };
        let matrix = bytes((first_row + rows + further_rows) * columns);
        let input = bytes(vectors * columns);
        let mut inputs = MemoryInputs::new();
        let job = MatmulJob {
            matrix: inputs.insert(matrix.clone()),
            columns,
            first_row,
            rows,
            input: inputs.insert(input.clone()),
            vectors,
        };
        (job, inputs, matrix, input)
    }

    /// The definition of the job: vector by vector, row by row.
    fn plain(job: &MatmulJob, matrix: &[u8], input: &[u8]) -> Vec<u8> {
        let columns = job.columns as usize;
        let mut output = Vec::new();
        for x in input.chunks(columns) {
            for row in matrix
                .chunks(columns)
                .skip(job.first_row as usize)
                .take(job.rows as usize)
            {
                let sum: i64 = row
                    .iter()
                    .zip(x)
                    .map(|(&w, &x)| i64::from(w as i8) * i64::from(x as i8))
                    .sum();
                output.extend(i32::try_from(sum).unwrap().to_le_bytes());
            }
        }
        output
    }

    fn assert_right(shape: (u32, u32, u32, u32), further_rows: u32, seed: u64) {
        let (job, inputs, matrix, input) = example(shape, further_rows, seed);
        let spec = JobSpec::V2(JobKind::Matmul(job));
        let result = CpuEngine::new()
            .run(&spec, &inputs, &NoProgress, &CancelFlag::new())
            .unwrap();
        assert!(result.output == plain(&job, &matrix, &input), "{job:?}");
        assert_eq!(result.output.len() as u64, spec.max_output_bytes());
        assert_eq!(result.state_digests, [output_digest(&result.output)]);
    }

    proptest! {
        #![proptest_config(agora_test_support::cases(64))]

        #[test]
        fn every_shape_gives_the_plain_product(
            columns in 1u32..80, first_row in 0u32..5, rows in 1u32..60, vectors in 1u32..40, further in 0u32..3, seed: u64,
        ) {
            assert_right((columns, first_row, rows, vectors), further, seed);
        }
    }

    /// More than one band of the matrix, with few vectors and with many.
    #[test]
    fn bands_are_put_together() {
        for vectors in [1, 9] {
            assert_right((1 << 16, 3, 300, vectors), 1, 7);
        }
    }

    #[test]
    fn the_longest_rows_do_not_wrap() {
        for vectors in [1, 9] {
            let columns = 131_071;
            let mut inputs = MemoryInputs::new();
            let job = MatmulJob {
                matrix: inputs.insert(vec![0x80; columns]),
                columns: columns as u32,
                first_row: 0,
                rows: 1,
                input: inputs.insert(vec![0x80; vectors * columns]),
                vectors: vectors as u32,
            };
            let spec = JobSpec::V2(JobKind::Matmul(job));
            let result = CpuEngine::new()
                .run(&spec, &inputs, &NoProgress, &CancelFlag::new())
                .unwrap();
            assert_eq!(result.output, (131_071i32 << 14).to_le_bytes().repeat(vectors));
        }
    }

    #[test]
    fn progress_ends_at_its_total_and_a_cancelled_job_stops() {
        let (job, inputs, ..) = example((1 << 16, 0, 600, 1), 0, 1);
        let spec = JobSpec::V2(JobKind::Matmul(job));
        let seen = std::sync::Mutex::new(Vec::new());
        let listen = |done: u32, total: u32| seen.lock().unwrap().push((done, total));
        CpuEngine::new()
            .run(&spec, &inputs, &listen, &CancelFlag::new())
            .unwrap();
        assert_eq!(*seen.lock().unwrap(), [(0, 3), (1, 3), (2, 3), (3, 3)]);

        let cancel = CancelFlag::new();
        let stop = |done: u32, _: u32| {
            assert!(done < 2, "went on after it was cancelled");
            if done == 1 {
                cancel.cancel();
            }
        };
        let result = CpuEngine::new().run(&spec, &inputs, &stop, &cancel);
        assert!(matches!(result, Err(EngineError::Cancelled)));
    }

    #[test]
    fn missing_inputs_are_an_error() {
        let (job, ..) = example((4, 0, 4, 4), 0, 1);
        let spec = JobSpec::V2(JobKind::Matmul(job));
        let result = CpuEngine::new().run(&spec, &MemoryInputs::new(), &NoProgress, &CancelFlag::new());
        assert!(matches!(result, Err(EngineError::Input(_))));
    }
}
