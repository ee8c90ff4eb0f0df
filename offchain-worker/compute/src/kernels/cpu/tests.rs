//! Every kernel that this processor has, against a product that is plain to see.

use super::*;
use crate::run::CancelFlag;
use proptest::prelude::*;

/// What this processor has, and what is emulated for the tests.
fn kernels() -> impl Iterator<Item = Kernel> {
    let emulated = [
        #[cfg(target_arch = "x86_64")]
        Kernel(Instructions::Emulated(avx512::Emulated)),
    ];
    Kernel::available().chain(emulated)
}

/// Row by row, column by column, in 64 bits.
fn naive(lhs: &[i8], rhs: &[i8], (m, k, n): (usize, usize, usize)) -> Vec<i32> {
    let mut product = Vec::with_capacity(m * n);
    for row in 0..m {
        for column in 0..n {
            let sum: i64 = (0..k)
                .map(|i| i64::from(lhs[row * k + i]) * i64::from(rhs[i * n + column]))
                .sum();
            product.push(sum.try_into().unwrap());
        }
    }
    product
}

/// Elements with every extreme among them.
fn matrix(rows: usize, columns: usize, seed: u64) -> Vec<i8> {
    let mut state = seed;
    let elements = (0..rows * columns).map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        match state >> 60 {
            0 => i8::MIN,
            1 => i8::MAX,
            _ => (state >> 40) as i8,
        }
    });
    elements.collect()
}

fn transpose(matrix: &[i8], rows: usize, columns: usize) -> Vec<i8> {
    (0..rows * columns)
        .map(|i| matrix[i % rows * columns + i / rows])
        .collect()
}

fn sums(lhs: &PackedLhs, rhs: &PackedRhs) -> Vec<i32> {
    let mut out = vec![0; lhs.rows() * rhs.columns()];
    product(lhs, rhs, &CancelFlag::new(), &mut out, |_, sums, out| {
        out.copy_from_slice(sums)
    })
    .unwrap();
    out
}

fn assert_right(lhs: &[i8], rhs: &[i8], (m, k, n): (usize, usize, usize)) {
    let expected = naive(lhs, rhs, (m, k, n));
    for kernel in kernels() {
        let packed_lhs = PackedLhs::for_kernel(kernel, lhs, m, k).unwrap();
        let packed = PackedRhs::for_kernel(kernel, rhs, k, n).unwrap();
        assert!(sums(&packed_lhs, &packed) == expected, "{} {m}×{k}×{n}", kernel.name());
        let packed = PackedRhs::transposed_for_kernel(kernel, &transpose(rhs, k, n), n, k).unwrap();
        assert!(
            sums(&packed_lhs, &packed) == expected,
            "{} {m}×{k}×{n}, transposed",
            kernel.name()
        );
    }
}

proptest! {
    #![proptest_config(agora_test_support::cases(64))]

    #[test]
    fn every_kernel_computes_every_shape(m in 1usize..50, k in 1usize..90, n in 1usize..90, seed: u64) {
        assert_right(&matrix(m, k, seed), &matrix(k, n, !seed), (m, k, n));
    }
}

proptest! {
    /// Over rows longer than what is added up at a time, with the largest entries and limbs.
    #[test]
    fn every_kernel_multiplies_limbs(length in 0usize..9_000, entry: i8, limb in 0i16..=i16::MAX) {
        let row = vec![if entry > 100 { i8::MIN } else { entry }; length];
        let limbs = [0, 1, 2, 3].map(|i| vec![if i == 3 { i16::MAX } else { limb >> i }; length]);
        let limbs = limbs.each_ref().map(Vec::as_slice);
        let expected = limbs.map(|limb| row.iter().zip(limb).map(|(&x, &y)| i64::from(x) * i64::from(y)).sum::<i64>());
        for kernel in kernels() {
            prop_assert_eq!(kernel.limb_products(&row, limbs), expected);
        }
    }
}

/// Around the sizes of tiles, blocks, and parts along k.
#[test]
fn sizes_around_every_boundary_are_right() {
    for (m, k, n) in [
        (1, 1, 1),
        (1, 2000, 3),
        (97, 513, 33),
        (192, 7, 257),
        (95, 1025, 65),
        (13, 129, 600),
        (300, 512, 31),
        (2, 1024, 1000),
    ] {
        assert_right(&matrix(m, k, 1), &matrix(k, n, 2), (m, k, n));
    }
}

#[test]
fn the_largest_sums_do_not_wrap() {
    for (x, y) in [(-128, -128), (-128, 127), (127, -128), (127, 127)] {
        let (lhs, rhs) = (vec![x; 2 * MAX_DEPTH], vec![y; 3 * MAX_DEPTH]);
        assert_right(&lhs, &rhs, (2, MAX_DEPTH, 3));
    }
}

#[test]
fn each_segment_is_finished_once_and_where_it_belongs() {
    let (m, k, n) = (130, 5, 300);
    let lhs = PackedLhs::new(&matrix(m, k, 3), m, k).unwrap();
    let rhs = PackedRhs::new(&matrix(k, n, 4), k, n).unwrap();
    let mut out = vec![0usize; m * n];
    product(&lhs, &rhs, &CancelFlag::new(), &mut out, |at, sums, out| {
        assert_eq!(sums.len(), out.len());
        for (i, out) in out.iter_mut().enumerate() {
            *out += 1 + at.row * n + at.column + i;
        }
    })
    .unwrap();
    assert!(out.iter().enumerate().all(|(i, &found)| found == i + 1));
}

#[test]
fn a_packed_factor_is_replaced_in_place() {
    let (m, k, n) = (20, 30, 40);
    for kernel in kernels() {
        let mut lhs = PackedLhs::for_kernel(kernel, &matrix(m, k, 5), m, k).unwrap();
        let mut rhs = PackedRhs::for_kernel(kernel, &matrix(k, n, 6), k, n).unwrap();
        let (other_lhs, other_rhs) = (matrix(m, k, 7), matrix(k, n, 8));
        lhs.replace(&other_lhs).unwrap();
        rhs.replace(&other_rhs).unwrap();
        assert_eq!(sums(&lhs, &rhs), naive(&other_lhs, &other_rhs, (m, k, n)));
        let expected = sums(&lhs, &rhs);
        assert!(matches!(lhs.replace(&[0; 3]), Err(GemmError::Shape { .. })));
        assert!(matches!(rhs.replace(&[]), Err(GemmError::Shape { .. })));
        assert_eq!(sums(&lhs, &rhs), expected);
    }
}

#[test]
fn a_packed_factor_is_mapped_along_k_in_either_order() {
    // Whole panels and parts of them, more than a part along k, and no whole groups.
    for (m, k, n) in [(3, 1, 1), (5, 131, 40), (20, 64, 96)] {
        let (lhs, rhs) = (matrix(m, k, 9), matrix(k, n, 10));
        let scale = |at: usize| move |element: i8| element.wrapping_mul(at as i8).wrapping_add(3);
        let mapped: Vec<i8> = rhs
            .iter()
            .enumerate()
            .map(|(i, &element)| scale(i / n)(element))
            .collect();
        let expected = naive(&lhs, &mapped, (m, k, n));
        for kernel in kernels() {
            let lhs = PackedLhs::for_kernel(kernel, &lhs, m, k).unwrap();
            let mut depths = PackedRhs::for_kernel(kernel, &matrix(k, n, 11), k, n).unwrap();
            depths.replace_mapped(&rhs, scale).unwrap();
            assert_eq!(sums(&lhs, &depths), expected, "{kernel:?} {k} {n}");
            let other = matrix(n, k, 12);
            let mut lanes = PackedRhs::transposed_for_kernel(kernel, &other, n, k).unwrap();
            lanes.replace_mapped(&transpose(&rhs, k, n), scale).unwrap();
            assert_eq!(sums(&lhs, &lanes), expected, "{kernel:?} {k} {n}, transposed");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let deep = vec![0; MAX_DEPTH + 1];
    assert!(matches!(
        PackedLhs::new(&deep, 1, MAX_DEPTH + 1),
        Err(GemmError::TooDeep(_))
    ));
    assert!(matches!(
        PackedRhs::new(&deep, MAX_DEPTH + 1, 1),
        Err(GemmError::TooDeep(_))
    ));
    for (rows, depth) in [(0, 0), (0, 1), (1, 0), (2, 2), (usize::MAX, usize::MAX)] {
        assert!(matches!(
            PackedLhs::new(&[1; 3], rows, depth),
            Err(GemmError::Shape { .. })
        ));
        assert!(matches!(
            PackedRhs::new(&[1; 3], rows, depth),
            Err(GemmError::Shape { .. })
        ));
        assert!(matches!(
            PackedRhs::transposed(&[1; 3], rows, depth),
            Err(GemmError::Shape { .. })
        ));
    }
    let multiply = |lhs: &PackedLhs, rhs: &PackedRhs, out: usize, cancel: &CancelFlag| {
        product(lhs, rhs, cancel, &mut vec![0; out], |_, sums, out| {
            out.copy_from_slice(sums)
        })
        .unwrap_err()
    };
    let lhs = PackedLhs::new(&[1; 6], 2, 3).unwrap();
    let rhs = PackedRhs::new(&[1; 12], 3, 4).unwrap();
    let other = PackedRhs::new(&[1; 12], 4, 3).unwrap();
    let cancel = CancelFlag::new();
    assert!(matches!(multiply(&lhs, &rhs, 7, &cancel), GemmError::Shape { .. }));
    assert_eq!(multiply(&lhs, &other, 6, &cancel), GemmError::Depths { lhs: 3, rhs: 4 });
    if Kernel::available().count() > 1 {
        let portable = Kernel::available().next().unwrap();
        let rhs = PackedRhs::for_kernel(portable, &[1; 12], 3, 4).unwrap();
        assert!(matches!(multiply(&lhs, &rhs, 8, &cancel), GemmError::Kernels { .. }));
    }
    cancel.cancel();
    assert_eq!(multiply(&lhs, &rhs, 8, &cancel), GemmError::Cancelled);
}
