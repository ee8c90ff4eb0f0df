mod shortcuts;

use super::*;
use crate::field::{Generator, canonical};
use alloc::vec;
use proptest::prelude::*;

fn random_matrix(seed: u8, n: usize) -> Vec<u8> {
    let mut bytes = vec![0; n * n];
    Generator::new(&[seed; 32], b"test").fill(0, &mut bytes);
    bytes
}

fn multiply(a: &[u8], b: &[u8], n: usize) -> Vec<u8> {
    let mut c = vec![0; n * n];
    for r in 0..n {
        for s in 0..n {
            let sum: i32 = (0..n).map(|i| i32::from(a[r * n + i]) * i32::from(b[i * n + s])).sum();
            c[r * n + s] = canonical(sum);
        }
    }
    c
}

/// The diagonals of so many steps, none with a zero.
fn random_diagonals(seed: u8, n: usize, iterations: usize) -> Vec<Vec<u8>> {
    let mut residues = vec![0; n * iterations];
    Generator::new(&[seed; 32], b"diagonals").fill_nonzero(0, &mut residues);
    residues.chunks(n).map(<[u8]>::to_vec).collect()
}

/// `diagonal · matrix`: each row scaled.
fn scale_rows(diagonal: &[u8], matrix: &[u8], n: usize) -> Vec<u8> {
    let element = |(i, &residue): (usize, &u8)| canonical(i32::from(diagonal[i / n]) * i32::from(residue));
    matrix.iter().enumerate().map(element).collect()
}

fn chain_result(a: &[u8], start: &[u8], diagonals: &[Vec<u8>]) -> Vec<u8> {
    diagonals.iter().fold(start.to_vec(), |state, diagonal| {
        let n = diagonal.len();
        multiply(a, &scale_rows(diagonal, &state, n), n)
    })
}

fn holds(n: usize, a: &[u8], start: &[u8], result: &[u8], diagonals: &[Vec<u8>], seed: u8) -> bool {
    let vectors = chain_vectors(&[seed; 32], n as u32);
    let chain = Chain {
        n,
        a,
        start,
        result,
        iterations: diagonals.len() as u32,
    };
    let wrong = chain_wrong_row(&chain, &vectors, |i| diagonals[i as usize].clone(), apply);
    wrong.unwrap().is_none()
}

proptest! {
    #[test]
    fn accepts_every_right_chain_and_no_changed_one(
        seed: u8, n in 1usize..24, iterations in 0usize..6, at: prop::sample::Index, change in 1i32..251,
    ) {
        let (a, start) = (random_matrix(seed, n), random_matrix(!seed, n));
        let diagonals = random_diagonals(seed, n, iterations);
        let mut result = chain_result(&a, &start, &diagonals);
        prop_assert!(holds(n, &a, &start, &result, &diagonals, seed));
        let position = at.index(n * n);
        result[position] = canonical(i32::from(result[position]) + change);
        prop_assert!(!holds(n, &a, &start, &result, &diagonals, seed));
    }
}

#[test]
fn rejects_the_right_result_of_another_number_of_iterations() {
    let (a, start, diagonals) = (random_matrix(1, 16), random_matrix(2, 16), random_diagonals(3, 16, 4));
    let result = chain_result(&a, &start, &diagonals[..3]);
    assert!(holds(16, &a, &start, &result, &diagonals[..3], 0));
    assert!(!holds(16, &a, &start, &result, &diagonals[..2], 0));
    assert!(!holds(16, &a, &start, &result, &diagonals, 0));
}

/// With one vector a wrong answer passes about once in 251 times; with eight, never in a lifetime.
#[test]
fn one_vector_is_fooled_as_rarely_as_theory_says() {
    let (n, a, start) = (4, random_matrix(1, 4), random_matrix(2, 4));
    let diagonals = random_diagonals(3, 4, 2);
    let mut result = chain_result(&a, &start, &diagonals);
    result[5] = canonical(i32::from(result[5]) + 1);
    let chain = Chain {
        n,
        a: &a,
        start: &start,
        result: &result,
        iterations: 2,
    };
    let wrong_row = |vectors: &[Vector]| {
        let wrong = chain_wrong_row(&chain, vectors, |i| diagonals[i as usize].clone(), apply);
        wrong.unwrap()
    };
    let mut fooled = 0;
    for i in 0..5020u32 {
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&i.to_le_bytes());
        let vectors = chain_vectors(&seed, n as u32);
        fooled += u32::from(wrong_row(&vectors[..1]).is_none());
        assert!(wrong_row(&vectors).is_some());
    }
    // Mean 20, standard deviation 4.5.
    assert!((5..40).contains(&fooled), "fooled {fooled} times");
}

#[test]
fn refuses_what_does_not_fit() {
    let matrix = vec![0; 4];
    let vectors = chain_vectors(&[0; 32], 2);
    let good = Chain {
        n: 2,
        a: &matrix,
        start: &matrix,
        result: &matrix,
        iterations: 1,
    };
    let check = |chain: &Chain<'_>, vectors: &[Vector], length: usize| {
        chain_wrong_row(chain, vectors, |_| vec![1; length], apply)
    };
    assert_eq!(check(&good, &vectors, 2), Ok(None));
    let bad = [
        Chain {
            n: 0,
            a: &[],
            start: &[],
            result: &[],
            ..good
        },
        Chain { n: 3, ..good },
        Chain {
            a: &matrix[..3],
            ..good
        },
        Chain {
            start: &matrix[..3],
            ..good
        },
        Chain {
            result: &matrix[..3],
            ..good
        },
    ];
    for chain in bad {
        assert_eq!(check(&chain, &vectors, 2), Err(FreivaldsError::Shape));
    }
    let longer = chain_vectors(&[0; 32], 3);
    assert_eq!(check(&good, &longer, 2), Err(FreivaldsError::Shape));
    for length in [0, 1, 3] {
        assert_eq!(check(&good, &vectors, length), Err(FreivaldsError::Shape));
    }
}
