//! Freivalds' check of the product, on all cores.

use super::Operands;
use crate::{
    inputs::Inputs,
    kernels::cpu::Kernel,
    kinds::{EngineError, Place, Verdict},
};
use agora_math::freivalds::{ProductVectors, Projection, add_rows, limb_products_hold, product_bound};
use agora_primitives::job::MatmulJob;
use rayon::prelude::*;
use std::borrow::Cow;

/// Columns that one task adds up: sums of both vectors, and four rows, stay in the caches.
const COLUMNS_PER_TASK: usize = 2048;
/// Vectors that one task compares.
const VECTORS_PER_TASK: usize = 16;

/// Whether `output` is right. A wrong one passes with probability at most 2⁻⁶⁴.
///
/// Complexity: O(rows · columns + vectors · columns + vectors · rows).
pub(super) fn check(
    job: &MatmulJob,
    inputs: &dyn Inputs,
    output: &[u8],
    seed: &[u8; 32],
) -> Result<Verdict, EngineError> {
    let (columns, rows) = (job.columns as usize, job.rows as usize);
    let expected = rows as u64 * u64::from(job.vectors) * 4;
    if output.len() as u64 != expected {
        let found = output.len() as u64;
        return Ok(Verdict::Wrong(Place::Length { expected, found }));
    }
    let operands = Operands::fetch(job, inputs)?;
    let random = ProductVectors::new(seed, job.rows);
    let projection = project(operands.rows(), columns, &random);
    let limbs = projection.limbs();
    let bound = product_bound::<i8, i8>(columns);

    let kernel = Kernel::best();
    let outputs = output.par_chunks(VECTORS_PER_TASK * rows * 4);
    let tasks = outputs.zip(operands.vectors().par_chunks(VECTORS_PER_TASK * columns));
    let wrong = tasks.enumerate().find_map_first(|(task, (outputs, vectors))| {
        let lines = numbers(outputs);
        let mut wrong = None;
        kernel.vectorise(
            #[inline(always)]
            || {
                for (i, (line, vector)) in lines.chunks_exact(rows).zip(vectors.chunks_exact(columns)).enumerate() {
                    let products = [
                        kernel.limb_products(vector, limbs[0]),
                        kernel.limb_products(vector, limbs[1]),
                    ];
                    if !limb_products_hold(products, line, random.vectors(), bound) {
                        wrong = Some(task * VECTORS_PER_TASK + i);
                        break;
                    }
                }
            },
        );
        wrong
    });
    Ok(wrong.map_or(Verdict::Right, |vector| {
        Verdict::Wrong(first_wrong_byte(&operands, (columns, rows), output, vector))
    }))
}

/// `Wᵀ · x` for both random vectors.
fn project(matrix: &[i8], columns: usize, random: &ProductVectors) -> Projection {
    let (mut first, mut second) = (vec![0i64; columns], vec![0i64; columns]);
    let kernel = Kernel::best();
    first
        .par_chunks_mut(COLUMNS_PER_TASK)
        .zip(second.par_chunks_mut(COLUMNS_PER_TASK))
        .enumerate()
        .for_each(|(task, (first, second))| {
            let from = task * COLUMNS_PER_TASK;
            let range = from..from + first.len();
            kernel.vectorise(
                #[inline(always)]
                || add_rows(matrix, columns, range, random.vectors(), [first, second]),
            );
        });
    Projection::new([&first, &second])
}

/// The little-endian numbers in `bytes`; not copied if the processor can read them in place.
fn numbers(bytes: &[u8]) -> Cow<'_, [i32]> {
    match bytemuck::try_cast_slice(bytes) {
        Ok(numbers) if cfg!(target_endian = "little") => Cow::Borrowed(numbers),
        _ => {
            let (words, _) = bytes.as_chunks::<4>();
            words.iter().map(|word| i32::from_le_bytes(*word)).collect()
        }
    }
}

/// The first wrong byte of the output of `vector`, in which there is one.
fn first_wrong_byte(operands: &Operands, (columns, rows): (usize, usize), output: &[u8], vector: usize) -> Place {
    let x = &operands.vectors()[vector * columns..][..columns];
    let from = vector * rows * 4;
    let right = operands.rows().chunks_exact(columns).flat_map(|row| {
        let products = row.iter().zip(x).map(|(&w, &x)| i32::from(w) * i32::from(x));
        products.sum::<i32>().to_le_bytes()
    });
    match right.zip(&output[from..]).position(|(right, &found)| right != found) {
        Some(at) => Place::Byte((from + at) as u64),
        None => Place::Row(vector as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::super::cpu::tests::example;
    use crate::{CancelFlag, CpuEngine, Engine, JobKind, JobSpec, MemoryInputs, NoProgress, Place, Verdict};
    use proptest::prelude::*;

    fn computed(shape: (u32, u32, u32, u32), seed: u64) -> (JobSpec, MemoryInputs, Vec<u8>) {
        let (job, inputs, ..) = example(shape, 1, seed);
        let spec = JobSpec::V2(JobKind::Matmul(job));
        let result = CpuEngine::new()
            .run(&spec, &inputs, &NoProgress, &CancelFlag::new())
            .unwrap();
        (spec, inputs, result.output)
    }

    proptest! {
        #![proptest_config(agora_test_support::cases(64))]

        /// 64 · 160 single wrong bytes, each found where it is.
        #[test]
        fn honest_work_passes_and_every_single_wrong_byte_is_found(
            columns in 1u32..70, first_row in 0u32..3, rows in 1u32..70, vectors in 1u32..40, content: u64, seed: [u8; 32],
            changes in prop::collection::vec((any::<prop::sample::Index>(), 1u8..=255), 160),
        ) {
            let (spec, inputs, output) = computed((columns, first_row, rows, vectors), content);
            prop_assert_eq!(CpuEngine.check_output(&spec, &inputs, &output, &seed).unwrap(), Verdict::Right);
            let mut wrong = output.clone();
            for (at, change) in changes {
                let at = at.index(output.len());
                wrong[at] ^= change;
                let verdict = CpuEngine.check_output(&spec, &inputs, &wrong, &seed).unwrap();
                prop_assert_eq!(verdict, Verdict::Wrong(Place::Byte(at as u64)));
                wrong[at] = output[at];
            }
        }
    }

    #[test]
    fn the_first_of_several_wrong_bytes_is_named() {
        let (spec, inputs, output) = computed((40, 0, 50, 60), 3);
        let mut wrong = output.clone();
        for at in [11_000, 5_000, 11_900] {
            wrong[at] ^= 0x80;
        }
        let verdict = CpuEngine.check_output(&spec, &inputs, &wrong, &[1; 32]).unwrap();
        assert_eq!(verdict, Verdict::Wrong(Place::Byte(5_000)));
    }

    #[test]
    fn other_lengths_and_inputs_are_wrong() {
        let (spec, inputs, output) = computed((8, 0, 5, 6), 4);
        for length in [0, 119, 121] {
            let mut other = output.clone();
            other.resize(length, 0);
            let verdict = CpuEngine.check_output(&spec, &inputs, &other, &[1; 32]).unwrap();
            let (expected, found) = (120, length as u64);
            assert_eq!(verdict, Verdict::Wrong(Place::Length { expected, found }));
        }
        let (other, inputs, _) = computed((8, 0, 5, 6), 5);
        assert!(
            !CpuEngine
                .check_output(&other, &inputs, &output, &[1; 32])
                .unwrap()
                .is_right()
        );
        assert!(
            CpuEngine
                .check_output(&spec, &MemoryInputs::new(), &output, &[1; 32])
                .is_err()
        );
    }

    /// Output that begins at an odd address is read, too.
    #[test]
    fn the_output_may_lie_anywhere() {
        let (spec, inputs, output) = computed((8, 0, 5, 6), 4);
        let shifted = [&[0], output.as_slice()].concat();
        assert!(
            CpuEngine
                .check_output(&spec, &inputs, &shifted[1..], &[1; 32])
                .unwrap()
                .is_right()
        );
    }
}
