//! Chains of products, and single ones.

use super::Contents;
use agora_compute::{
    BlobRef, CancelFlag, Engine as _, EngineError, JobKind, JobSpec, MatmulJob, NoInputs, NoProgress, SyntheticJob,
};
use agora_primitives::job::Claim;
use proptest::prelude::*;

/// Rows far beyond those that 32 bits of bytes, or of rows, count: nothing may wrap.
#[test]
fn the_last_rows_of_a_matrix_of_more_rows_than_32_bits_count_are_valid() {
    let job = MatmulJob {
        matrix: BlobRef {
            size: (1 << 32) + 10,
            ..BlobRef::to(&[])
        },
        columns: 1,
        first_row: u32::MAX,
        rows: 5,
        input: BlobRef::to(&[1]),
        vectors: 1,
    };
    let spec = JobSpec::V2(JobKind::Matmul(job));
    assert_eq!(spec.validate(), Ok(()));
    let missing = super::opened::CPU.run(&spec, &NoInputs, &NoProgress, &CancelFlag::new());
    assert!(matches!(missing, Err(EngineError::Input(_))));
}

proptest! {
    #![proptest_config(agora_test_support::cases(24))]

    #[test]
    fn chains_are_those_of_the_reference(seed: [u8; 32], matrix_size in 1u32..70, iterations in 1u32..6) {
        let job = SyntheticJob { seed, matrix_size, iterations };
        let outcome = Contents::default().compute(JobKind::Synthetic(job)).unwrap();
        prop_assert_eq!(outcome.states.len(), iterations as usize);
    }

    #[test]
    fn products_are_those_of_the_reference(
        seed: u8, columns in 1u32..200, first_row in 0u32..5, rows in 1u32..60, vectors in 1u32..20,
    ) {
        let byte = |at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8 ^ seed;
        let bytes = |lines: u32| (0..lines * columns).map(byte).collect::<Vec<u8>>();
        let mut contents = Contents::default();
        let job = MatmulJob {
            matrix: contents.insert(bytes(first_row + rows + 3)),
            columns,
            first_row,
            rows,
            input: contents.insert(bytes(vectors)),
            vectors,
        };
        let outcome = contents.compute(JobKind::Matmul(job)).unwrap();
        prop_assert!(outcome.claim != Claim::Unusable && outcome.states.is_empty());
    }
}

#[test]
fn content_of_another_length_than_its_reference_says_is_as_good_as_missing() {
    let mut contents = Contents::default();
    let matrix = contents.insert(vec![1; 12]);
    let job = |matrix| MatmulJob {
        matrix,
        columns: 3,
        first_row: 0,
        rows: 4,
        input: BlobRef::to(&[1; 3]),
        vectors: 1,
    };
    contents.insert(vec![1; 3]);
    assert!(contents.compute(JobKind::Matmul(job(matrix))).is_some());
    let spec = JobSpec::V2(JobKind::Matmul(job(BlobRef { size: 15, ..matrix })));
    for engine in super::opened::engines() {
        let error = engine
            .run(&spec, &contents.engine, &NoProgress, &CancelFlag::new())
            .unwrap_err();
        assert!(
            matches!(error, EngineError::Input(_)) && !error.is_unusable(),
            "{error}"
        );
    }
}
