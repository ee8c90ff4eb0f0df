//! Checking matrix products without redoing them.
//!
//! Freivalds (1977): for a wrong product, `D = claimed − true` is not zero, and `D·x = 0` holds for at most one in `p`
//! vectors `x` over a field of `p` elements. The vectors must be drawn *after* the claim was fixed: with vectors that
//! are known before, one can make a wrong claim that passes.
//!
//! - [`chain_wrong_row`] checks a whole chain `R = A·Dₖ₋₁ · … · A·D₀ · M₀` over F_251, with diagonal `Dᵢ`, at `k`
//!   matrix–vector products, without the states between. Eight independent vectors: a wrong `R` passes with probability at most `(1/251 + 2⁻³²)⁸ < 2⁻⁶³·⁷`.
//! - [`product_wrong_row`] checks one product of integer matrices, over the integers, with two vectors of 32-bit numbers: a
//!   wrong product passes with probability at most 2⁻⁶⁴.

mod product;

pub use product::{
    Entry, LIMBS, MAX_ADDED, PRODUCT_DOMAIN, ProductShape, ProductVectors, Projection, RightFactor, add_rows,
    limb_products_hold, product_bound, product_wrong_row,
};

use crate::field::{dot, symmetric, symmetric_of};
use alloc::vec::Vec;
use sp_crypto_hashing::blake2_256;

/// How many vectors check a chain over F_251.
pub const CHAIN_VECTORS: usize = 8;

/// Separates the hashes from which vectors over F_251 are drawn from everything else that is hashed.
pub const CHAIN_DOMAIN: &[u8] = b"agora/freivalds-251/1";

/// Why nothing could be checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FreivaldsError {
    /// A matrix or vector has another number of elements than its rows and columns say, or none.
    Shape,
    /// The numbers are so large, or so many, that their sums would not fit.
    TooLarge,
}

impl core::fmt::Display for FreivaldsError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Shape => "the number of elements does not fit the number of rows and columns",
            Self::TooLarge => "the sums of so many numbers of this size do not fit; split the product",
        })
    }
}

impl core::error::Error for FreivaldsError {}

/// One column vector of symmetric residues.
pub type Vector = Vec<i16>;

/// The vectors over F_251, of length `n`, that are drawn from `seed`.
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

/// A claim that `result = a · D_(k−1) · … · a · D_0 · start` over F_251, with `k = iterations` and a diagonal matrix `D_i`
/// for each. Square matrices of canonical residues, row by row; a byte above 250 counts as its residue modulo 251.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a> {
    /// Rows and columns of each matrix.
    pub n: usize,
    /// The matrix that is multiplied with, again and again.
    pub a: &'a [u8],
    /// The first state.
    pub start: &'a [u8],
    /// The claimed last state.
    pub result: &'a [u8],
    /// How many products.
    pub iterations: u32,
}

/// The most rows and columns of a matrix in a [`Chain`]: `MAX_CHAIN_SIZE · 255 · 125 < 2³¹`.
pub const MAX_CHAIN_SIZE: usize = 65_536;

/// The first row of `chain`'s result that is wrong for one of `vectors`; `None` if
/// `result · x = a · (D_(k−1) · (… a · (D_0 · (start · x))))` for all of them.
///
/// `diagonal(i)` is the `n` canonical residues of `D_i`; it is asked for each once, in order. `apply` is [`apply`], or
/// does the same on several threads.
/// Errors: `Shape`. Complexity: t·(k+2)·n² for t vectors.
pub fn chain_wrong_row(
    chain: &Chain<'_>,
    vectors: &[Vector],
    diagonal: impl Fn(u32) -> Vec<u8>,
    apply: impl Fn(&[u8], &[Vector]) -> Vec<Vector>,
) -> Result<Option<usize>, FreivaldsError> {
    let Chain {
        n,
        a,
        start,
        result,
        iterations,
    } = *chain;
    let elements = n.checked_mul(n).filter(|&elements| elements > 0 && n <= MAX_CHAIN_SIZE);
    let elements = elements.ok_or(FreivaldsError::Shape)?;
    let matrices_fit = [a, start, result].iter().all(|matrix| matrix.len() == elements);
    if !matrices_fit || vectors.iter().any(|vector| vector.len() != n) {
        return Err(FreivaldsError::Shape);
    }
    let mut computed = apply(start, vectors);
    for i in 0..iterations {
        scale(&mut computed, &diagonal(i))?;
        computed = apply(a, &computed);
    }
    let claimed = apply(result, vectors);
    let wrong_rows = computed.iter().zip(&claimed).filter_map(|(computed, claimed)| {
        computed
            .iter()
            .zip(claimed)
            .position(|(computed, claimed)| computed != claimed)
    });
    Ok(wrong_rows.min())
}

/// Multiplies each element of each of `vectors` by that of `diagonal`.
///
/// Errors: `Shape`. Complexity: t·n for t vectors.
fn scale(vectors: &mut [Vector], diagonal: &[u8]) -> Result<(), FreivaldsError> {
    for vector in vectors {
        if vector.len() != diagonal.len() {
            return Err(FreivaldsError::Shape);
        }
        for (element, &factor) in vector.iter_mut().zip(diagonal) {
            // At most 125² in size.
            *element = symmetric_of(i32::from(*element).wrapping_mul(symmetric(factor).into()));
        }
    }
    Ok(())
}

/// `matrix · x` for each of `vectors`, in symmetric residues: of a whole matrix, or of some of its rows.
///
/// Each row is read once for all vectors, which are as long as the rows and at most [`MAX_CHAIN_SIZE`]. Always inlined: a
/// caller that is compiled for vector instructions gets them here, too.
#[inline(always)]
pub fn apply(rows: &[u8], vectors: &[Vector]) -> Vec<Vector> {
    let n = vectors.first().map_or(1, |vector| vector.len().max(1));
    let mut products: Vec<Vector> = vectors.iter().map(|_| Vector::new()).collect();
    let mut wide = Vector::new();
    for row in rows.chunks_exact(n) {
        wide.clear();
        wide.extend(row.iter().map(|&byte| i16::from(byte)));
        for (product, vector) in products.iter_mut().zip(vectors) {
            product.push(symmetric_of(dot(&wide, vector)));
        }
    }
    products
}

#[cfg(test)]
mod tests;
