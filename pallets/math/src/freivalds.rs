//! Checking matrix products without redoing them.
//!
//! Freivalds (1977): for a wrong product, `D = claimed − true` is not zero, and `D·x = 0` holds for at most one in `p`
//! vectors `x` over a field of `p` elements. The vectors must be drawn *after* the claim was fixed: whoever knows them
//! before can make a wrong claim that passes.
//!
//! - [`chain_wrong_row`] checks a whole chain `R = Aᵏ·M₀` over F_251 at `k` matrix–vector products, without the states
//!   between. Eight independent vectors: a wrong `R` passes with probability at most `(1/251 + 2⁻³²)⁸ < 2⁻⁶³·⁷`.
//! - [`product_holds`] checks one product of integer matrices over F_p with p = 2⁶¹ − 1. Two vectors: a wrong product
//!   passes with probability below 2⁻¹²¹.

use crate::field::{MAX_DOT_LENGTH, dot, symmetric, symmetric_of};
use alloc::vec::Vec;
use core::ops::Range;
use sp_crypto_hashing::blake2_256;

/// How many vectors check a chain over F_251.
pub const CHAIN_VECTORS: usize = 8;

/// Separates the hashes from which vectors over F_251 are drawn from everything else that is hashed.
pub const CHAIN_DOMAIN: &[u8] = b"agora/freivalds-251/1";

/// Separates the hashes from which vectors over F_p are drawn from everything else that is hashed.
pub const PRODUCT_DOMAIN: &[u8] = b"agora/freivalds-p61/1";

/// The prime 2⁶¹ − 1.
pub const P61: u64 = (1 << 61) - 1;

/// Why nothing could be checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FreivaldsError {
    /// A matrix or vector has another number of elements than its rows and columns say, or none.
    Shape,
    /// The numbers are so large that a check modulo the prime would say less than a check over the integers.
    TooLarge,
}

impl core::fmt::Display for FreivaldsError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Shape => "the number of elements does not fit the number of rows and columns",
            Self::TooLarge => "the numbers are too large for the prime that the check is done with",
        })
    }
}

impl core::error::Error for FreivaldsError {}

/// One column vector of symmetric residues.
pub type Vector = Vec<i16>;

/// The vectors over F_251, of length `n`, that `seed` stands for.
///
/// Element `i` of vector `v` is little-endian word `v` of `blake2_256("agora/freivalds-251/1" ‖ seed ‖ i as u32 LE)`,
/// modulo 251: eight words, eight vectors.
pub fn chain_vectors(seed: &[u8; 32], n: u32) -> [Vector; CHAIN_VECTORS] {
    let mut vectors = [const { Vector::new() }; CHAIN_VECTORS];
    for i in 0..n {
        let hash = blake2_256(&[CHAIN_DOMAIN, seed, &i.to_le_bytes()].concat());
        let (words, _) = hash.as_chunks::<4>();
        for (vector, word) in vectors.iter_mut().zip(words) {
            // A remainder modulo 251 fits in a byte.
            vector.push(symmetric((u32::from_le_bytes(*word) % 251) as u8));
        }
    }
    vectors
}

/// A claim that `result = aᵏ · start` over F_251, with `k = iterations`. Square matrices of symmetric residues, row by row.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a> {
    /// Rows and columns of each matrix.
    pub n: usize,
    /// The matrix that is multiplied with, again and again.
    pub a: &'a [i16],
    /// The first state.
    pub start: &'a [i16],
    /// The claimed last state.
    pub result: &'a [i16],
    /// How many products.
    pub iterations: u32,
}

/// The first row of `chain`'s result that is wrong for one of `vectors`; `None` if
/// `result · x = a · (a · (… (start · x)))` for all of them.
///
/// The vectors can be given in parts to several threads; the chain holds if it does for each part.
/// Errors: `Shape`. Complexity: t·(k+2)·n² for t vectors.
pub fn chain_wrong_row(chain: &Chain<'_>, vectors: &[Vector]) -> Result<Option<usize>, FreivaldsError> {
    let Chain {
        n,
        a,
        start,
        result,
        iterations,
    } = *chain;
    let elements = n.checked_mul(n).filter(|&elements| elements > 0 && n <= MAX_DOT_LENGTH);
    let elements = elements.ok_or(FreivaldsError::Shape)?;
    let matrices_fit = [a, start, result].iter().all(|matrix| matrix.len() == elements);
    if !matrices_fit || vectors.iter().any(|vector| vector.len() != n) {
        return Err(FreivaldsError::Shape);
    }
    let mut computed = apply(start, n, vectors);
    for _ in 0..iterations {
        computed = apply(a, n, &computed);
    }
    let claimed = apply(result, n, vectors);
    let wrong_rows = computed.iter().zip(&claimed).filter_map(|(computed, claimed)| {
        computed
            .iter()
            .zip(claimed)
            .position(|(computed, claimed)| computed != claimed)
    });
    Ok(wrong_rows.min())
}

/// `matrix · x` for each of `vectors`, in symmetric residues. Each row is read once for all vectors.
fn apply(matrix: &[i16], n: usize, vectors: &[Vector]) -> Vec<Vector> {
    let mut products: Vec<Vector> = vectors.iter().map(|_| Vector::with_capacity(n)).collect();
    for row in matrix.chunks_exact(n) {
        for (product, vector) in products.iter_mut().zip(vectors) {
            product.push(symmetric_of(dot(row, vector)));
        }
    }
    products
}

/// The sizes of a product: an m×k matrix times a k×n matrix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProductShape {
    /// Rows of the left factor and of the product.
    pub m: usize,
    /// Columns of the left factor and rows of the right one.
    pub k: usize,
    /// Columns of the right factor and of the product.
    pub n: usize,
}

/// Whether the integer matrices fulfil `a · b = c`, checked with two vectors over F_p, p = 2⁶¹ − 1.
///
/// Element `i` of vector `v` (0 or 1) is bytes `8v .. 8v+8` of `blake2_256("agora/freivalds-p61/1" ‖ seed ‖ i as u32
/// LE)`, as a little-endian number modulo p. Exact over the integers, because it is refused where `k · max|a| · max|b| +
/// max|c|` reaches p: below, a difference that is a multiple of p is zero.
///
/// Errors: `Shape`, `TooLarge`. Complexity: O(m·k + k·n + m·n).
pub fn product_holds(
    shape: ProductShape,
    a: &[i64],
    b: &[i64],
    c: &[i64],
    seed: &[u8; 32],
) -> Result<bool, FreivaldsError> {
    let ProductShape { m, k, n } = shape;
    for (matrix, rows, columns) in [(a, m, k), (b, k, n), (c, m, n)] {
        let elements = rows.checked_mul(columns).filter(|&elements| elements > 0);
        if elements != Some(matrix.len()) {
            return Err(FreivaldsError::Shape);
        }
    }
    let columns = u32::try_from(n).map_err(|_| FreivaldsError::Shape)?;
    let largest = |matrix: &[i64]| matrix.iter().map(|x| u128::from(x.unsigned_abs())).max();
    let bound = || {
        let products = largest(a)?.checked_mul(largest(b)?)?.checked_mul(k as u128)?;
        products.checked_add(largest(c)?)
    };
    if bound().is_none_or(|bound| bound >= u128::from(P61)) {
        return Err(FreivaldsError::TooLarge);
    }
    let agree = [0..8usize, 8..16].into_iter().all(|bytes| {
        let vector = p61_vector(seed, columns, bytes);
        let left = p61_apply(a, k, &p61_apply(b, n, &vector));
        left == p61_apply(c, n, &vector)
    });
    Ok(agree)
}

/// The vector over F_p that is made of `bytes` of each hash.
fn p61_vector(seed: &[u8; 32], length: u32, bytes: Range<usize>) -> Vec<u64> {
    let element = |i: u32| {
        let hash = blake2_256(&[PRODUCT_DOMAIN, seed, &i.to_le_bytes()].concat());
        let word = hash.get(bytes.clone()).and_then(|slice| slice.try_into().ok());
        u64::from_le_bytes(word.unwrap_or_default()) % P61
    };
    (0..length).map(element).collect()
}

/// `matrix · vector` over F_p.
fn p61_apply(matrix: &[i64], columns: usize, vector: &[u64]) -> Vec<u64> {
    let row_product = |row: &[i64]| {
        row.iter().zip(vector).fold(0u64, |sum, (&x, &y)| {
            // The remainder is in 0..p, and products of two such numbers plus a third stay below 2¹²³.
            let x = x.rem_euclid(P61 as i64) as u64;
            let next = u128::from(x).wrapping_mul(u128::from(y)).wrapping_add(u128::from(sum));
            p61_reduce(next)
        })
    };
    matrix.chunks_exact(columns).map(row_product).collect()
}

/// `value` modulo p, for values below 2¹²³: 2⁶¹ is 1 modulo p, so the two halves are added.
fn p61_reduce(value: u128) -> u64 {
    let low = (value as u64) & P61;
    // Below 2⁶², and the sum below 2⁶³.
    let sum = low.wrapping_add((value >> 61) as u64);
    sum % P61
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Generator;
    use alloc::vec;
    use proptest::prelude::*;

    fn random_matrix(seed: u8, n: usize) -> Vec<i16> {
        let mut bytes = vec![0; n * n];
        Generator::new(&[seed; 32], b"test").fill(0, &mut bytes);
        bytes.into_iter().map(symmetric).collect()
    }

    fn multiply(a: &[i16], b: &[i16], n: usize) -> Vec<i16> {
        let mut c = vec![0; n * n];
        for r in 0..n {
            for s in 0..n {
                let sum: i32 = (0..n).map(|i| i32::from(a[r * n + i]) * i32::from(b[i * n + s])).sum();
                c[r * n + s] = symmetric_of(sum);
            }
        }
        c
    }

    fn chain_result(a: &[i16], start: &[i16], n: usize, iterations: u32) -> Vec<i16> {
        (0..iterations).fold(start.to_vec(), |state, _| multiply(a, &state, n))
    }

    fn holds(n: usize, a: &[i16], start: &[i16], result: &[i16], iterations: u32, seed: u8) -> bool {
        let vectors = chain_vectors(&[seed; 32], n as u32);
        let wrong = chain_wrong_row(
            &Chain {
                n,
                a,
                start,
                result,
                iterations,
            },
            &vectors,
        );
        wrong.unwrap().is_none()
    }

    proptest! {
        #[test]
        fn accepts_every_right_chain_and_no_changed_one(
            seed: u8, n in 1usize..24, iterations in 0u32..6, at: prop::sample::Index, change in 1i32..251,
        ) {
            let (a, start) = (random_matrix(seed, n), random_matrix(!seed, n));
            let mut result = chain_result(&a, &start, n, iterations);
            prop_assert!(holds(n, &a, &start, &result, iterations, seed));
            let position = at.index(n * n);
            result[position] = symmetric_of(i32::from(result[position]) + change);
            prop_assert!(!holds(n, &a, &start, &result, iterations, seed));
        }

        #[test]
        fn accepts_every_right_product_and_no_changed_one(
            seed: [u8; 32], (m, k, n) in (1usize..6, 1usize..6, 1usize..6),
            values in prop::collection::vec(-1_000_000i64..1_000_000, 50), at: prop::sample::Index, change in 1i64..1000,
        ) {
            let (a, b) = (&values[..m * k], &values[25..25 + k * n]);
            let mut c: Vec<i64> = (0..m * n)
                .map(|i| (0..k).map(|j| a[i / n * k + j] * b[j * n + i % n]).sum())
                .collect();
            let shape = ProductShape { m, k, n };
            prop_assert_eq!(product_holds(shape, a, b, &c, &seed), Ok(true));
            c[at.index(m * n)] += change;
            prop_assert_eq!(product_holds(shape, a, b, &c, &seed), Ok(false));
        }

        #[test]
        fn reduces_modulo_the_prime(value in 0u128..1 << 123) {
            prop_assert_eq!(u128::from(p61_reduce(value)), value % u128::from(P61));
        }
    }

    #[test]
    fn rejects_the_right_result_of_another_number_of_iterations() {
        let (a, start) = (random_matrix(1, 16), random_matrix(2, 16));
        let result = chain_result(&a, &start, 16, 3);
        assert!(holds(16, &a, &start, &result, 3, 0));
        assert!(!holds(16, &a, &start, &result, 2, 0));
        assert!(!holds(16, &a, &start, &result, 4, 0));
    }

    /// With one vector a wrong answer passes about once in 251 times; with eight, never in a lifetime.
    #[test]
    fn one_vector_is_fooled_as_rarely_as_theory_says() {
        let (n, a, start) = (4, random_matrix(1, 4), random_matrix(2, 4));
        let mut result = chain_result(&a, &start, n, 2);
        result[5] = symmetric_of(i32::from(result[5]) + 1);
        let chain = Chain {
            n,
            a: &a,
            start: &start,
            result: &result,
            iterations: 2,
        };
        let mut fooled = 0;
        for i in 0..5020u32 {
            let mut seed = [7; 32];
            seed[..4].copy_from_slice(&i.to_le_bytes());
            let vectors = chain_vectors(&seed, n as u32);
            fooled += u32::from(chain_wrong_row(&chain, &vectors[..1]).unwrap().is_none());
            assert!(chain_wrong_row(&chain, &vectors).unwrap().is_some());
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
        assert_eq!(chain_wrong_row(&good, &vectors), Ok(None));
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
            assert_eq!(chain_wrong_row(&chain, &vectors), Err(FreivaldsError::Shape));
        }
        assert_eq!(
            chain_wrong_row(&good, &chain_vectors(&[0; 32], 3)),
            Err(FreivaldsError::Shape)
        );

        let shape = ProductShape { m: 1, k: 1, n: 1 };
        assert_eq!(
            product_holds(shape, &[1], &[1, 2], &[1], &[0; 32]),
            Err(FreivaldsError::Shape)
        );
        let p = P61 as i64;
        assert_eq!(product_holds(shape, &[p - 1], &[1], &[0], &[0; 32]), Ok(false));
        assert_eq!(
            product_holds(shape, &[p - 1], &[1], &[1], &[0; 32]),
            Err(FreivaldsError::TooLarge)
        );
        assert_eq!(
            product_holds(shape, &[i64::MIN], &[i64::MIN], &[0], &[0; 32]),
            Err(FreivaldsError::TooLarge)
        );
        assert_eq!(
            product_holds(ProductShape { m: 0, k: 1, n: 0 }, &[], &[], &[], &[0; 32]),
            Err(FreivaldsError::Shape)
        );
    }
}
