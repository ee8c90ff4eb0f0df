//! One product of integer matrices, checked exactly.
//!
//! `C = A·B` is checked as `C·x = A·(B·x)` with two vectors of 32-bit numbers. Everything is computed over the integers,
//! without a remainder anywhere: a row of `D = C − A·B` that is not zero gives `D·x = 0` for at most one value of one of
//! the elements of `x`, whatever the others are. Two independent vectors: a wrong product passes with probability at
//! most `(2⁻³²)² = 2⁻⁶⁴`. (Remainders modulo a prime would not make it less likely, as the elements of `x` decide, and
//! would take longer. Wrapping sums, that is remainders modulo 2³² or 2⁶⁴, would be wrong: there a half passes.)

use super::FreivaldsError;
use alloc::{vec, vec::Vec};
use core::ops::Range;
use sp_crypto_hashing::blake2_256;

/// Separates the hashes from which vectors are drawn from everything else that is hashed.
pub const PRODUCT_DOMAIN: &[u8] = b"agora/freivalds-z/1";

/// Bits of an element of a vector, without its sign.
const VECTOR_BITS: u32 = 31;
/// Limbs of the numbers in [`Projection`].
pub const LIMBS: usize = 4;
/// Bits of a limb.
const LIMB_BITS: u32 = 15;
/// Sums that are kept apart, so that they are added up in vector registers.
const LANES: usize = 8;
/// The largest number of rows times [`Entry::LARGEST`] that [`add_rows`] adds up: sums are at most 2⁵⁸ in size, so that
/// they fit four limbs.
pub const MAX_ADDED: u64 = 1 << 27;

/// What matrices are made of.
pub trait Entry: Copy + Into<i64> + Send + Sync {
    /// The largest magnitude.
    const LARGEST: u64;

    /// The number without its sign.
    fn magnitude(self) -> u32;

    /// The products of `row` and each of `limbs`. Exact: rows have fewer than 2³² entries.
    fn limb_products(row: &[Self], limbs: [&[i16]; LIMBS]) -> [i64; LIMBS];
}

macro_rules! entries {
    ($($entry:ty, summed in parts of $part:literal as $sum:ty;)*) => {$(
        impl Entry for $entry {
            const LARGEST: u64 = <$entry>::MIN.unsigned_abs() as u64;

            #[inline(always)]
            fn magnitude(self) -> u32 {
                self.unsigned_abs().into()
            }

            #[inline(always)]
            fn limb_products(row: &[Self], [a, b, c, d]: [&[i16]; LIMBS]) -> [i64; LIMBS] {
                let mut products = [0i64; LIMBS];
                let limbs = a.chunks($part).zip(b.chunks($part)).zip(c.chunks($part)).zip(d.chunks($part));
                for (row, (((a, b), c), d)) in row.chunks($part).zip(limbs) {
                    let (mut w, mut x, mut y, mut z): ($sum, $sum, $sum, $sum) = (0, 0, 0, 0);
                    for ((((&entry, &a), &b), &c), &d) in row.iter().zip(a).zip(b).zip(c).zip(d) {
                        // A part of such products fits; checks would keep the loop from being vectorised.
                        w = w.wrapping_add(<$sum>::from(entry).wrapping_mul(a.into()));
                        x = x.wrapping_add(<$sum>::from(entry).wrapping_mul(b.into()));
                        y = y.wrapping_add(<$sum>::from(entry).wrapping_mul(c.into()));
                        z = z.wrapping_add(<$sum>::from(entry).wrapping_mul(d.into()));
                    }
                    for (product, sum) in products.iter_mut().zip([w, x, y, z]) {
                        *product = product.wrapping_add(sum.into());
                    }
                }
                products
            }
        }
    )*};
}

// Limbs are below 2¹⁵: 2⁷ · 2¹⁵ · 511 < 2³¹, and 2³¹ · 2¹⁵ · 2¹⁶ < 2⁶³.
entries! {
    i8, summed in parts of 504 as i32;
    i16, summed in parts of 65536 as i64;
    i32, summed in parts of 65536 as i64;
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

impl ProductShape {
    /// Whether matrices of so many elements have these sizes.
    fn fits(&self, a: usize, b: usize, c: usize) -> bool {
        let sizes = [(self.m, self.k, a), (self.k, self.n, b), (self.m, self.n, c)];
        let elements = |rows: usize, columns: usize| rows.checked_mul(columns).filter(|&elements| elements > 0);
        sizes
            .into_iter()
            .all(|(rows, columns, found)| elements(rows, columns) == Some(found))
    }
}

/// The two vectors of a check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProductVectors(Vec<i32>, Vec<i32>);

impl ProductVectors {
    /// The vectors of length `n` that are drawn from `seed`.
    ///
    /// Element `i` of vector `v` (0 or 1) is little-endian signed word `2·(i mod 4) + v` of `blake2_256(
    /// "agora/freivalds-z/1" ‖ seed ‖ ⌊i/4⌋ as u32 LE)`.
    pub fn new(seed: &[u8; 32], n: u32) -> Self {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for block in 0..n.div_ceil(4) {
            let hash = blake2_256(&[PRODUCT_DOMAIN, seed, &block.to_le_bytes()].concat());
            let (words, _) = hash.as_chunks::<8>();
            for &[a, b, c, d, e, f, g, h] in words {
                first.push(i32::from_le_bytes([a, b, c, d]));
                second.push(i32::from_le_bytes([e, f, g, h]));
            }
        }
        first.truncate(n as usize);
        second.truncate(n as usize);
        Self(first, second)
    }

    /// Both vectors.
    pub fn vectors(&self) -> [&[i32]; 2] {
        [&self.0, &self.1]
    }
}

/// The right factor of a product, k×n, as it lies in memory.
#[derive(Clone, Copy, Debug)]
pub enum RightFactor<'a, T> {
    /// Row by row.
    Rows(&'a [T]),
    /// Its transpose, n×k, row by row: as weights are kept, and the rows of matmul jobs.
    Columns(&'a [T]),
}

/// The largest magnitude of a sum of `k` products of an `A` and a `B`, or of an `i32` if that is less.
pub fn product_bound<A: Entry, B: Entry>(k: usize) -> u64 {
    let product = A::LARGEST.saturating_mul(B::LARGEST);
    product.saturating_mul(k as u64).min(i32::LARGEST)
}

/// The first row in which `a · b = c` does not hold for the vectors that are drawn from `seed`; `None` if it holds for
/// both in all rows. `a` is m×k, `c` is m×n, row by row.
///
/// Callers with several threads use [`add_rows`] and [`Projection`] themselves.
///
/// Errors: `Shape`; `TooLarge` where `n` times the largest magnitude in `b` is above [`MAX_ADDED`].
/// Complexity: O(m·k + k·n + m·n).
pub fn product_wrong_row<A: Entry, B: Entry>(
    shape: ProductShape,
    a: &[A],
    b: RightFactor<'_, B>,
    c: &[i32],
    seed: &[u8; 32],
) -> Result<Option<usize>, FreivaldsError> {
    let ProductShape { k, n, .. } = shape;
    let (RightFactor::Rows(entries) | RightFactor::Columns(entries)) = b;
    let length = u32::try_from(n)
        .ok()
        .filter(|_| shape.fits(a.len(), entries.len(), c.len()));
    let length = length.ok_or(FreivaldsError::Shape)?;
    if B::LARGEST.saturating_mul(length.into()) > MAX_ADDED {
        return Err(FreivaldsError::TooLarge);
    }
    let random = ProductVectors::new(seed, length);
    let (mut first, mut second) = (vec![0; k], vec![0; k]);
    match b {
        RightFactor::Columns(b) => add_rows(b, k, 0..k, random.vectors(), [&mut first, &mut second]),
        RightFactor::Rows(b) => {
            for ((first, second), row) in first.iter_mut().zip(&mut second).zip(b.chunks_exact(n)) {
                // As `MAX_ADDED` allows, below 2⁵⁹.
                [*first, *second] = dots(row, random.vectors(), B::LARGEST).0.map(|sum| sum as i64);
            }
        }
    }
    let projection = Projection::new([&first, &second]);
    let bound = product_bound::<A, B>(k);
    let mut rows = a.chunks_exact(k).zip(c.chunks_exact(n));
    Ok(rows.position(|(a, c)| !projection.row_holds(a, c, random.vectors(), bound)))
}

/// `B·x` for both vectors, in limbs of 15 bits, the lowest first: what the rows of `A` are multiplied with.
#[derive(Clone, Debug)]
pub struct Projection([[Vec<i16>; LIMBS]; 2]);

impl Projection {
    /// Splits the numbers, which are below 2⁶⁰ in size. The highest limb has the sign.
    pub fn new(sums: [&[i64]; 2]) -> Self {
        const MASK: i64 = (1 << LIMB_BITS) - 1;
        let limb = |sums: &[i64], shift: u32| sums.iter().map(|sum| (sum >> shift & MASK) as i16).collect();
        let highest = |sums: &[i64]| sums.iter().map(|sum| (sum >> (3 * LIMB_BITS)) as i16).collect();
        Self(sums.map(|sums| {
            [
                limb(sums, 0),
                limb(sums, LIMB_BITS),
                limb(sums, 2 * LIMB_BITS),
                highest(sums),
            ]
        }))
    }

    /// The limbs of both numbers of each row of `B`, for callers that multiply by them in their own way.
    pub fn limbs(&self) -> [[&[i16]; LIMBS]; 2] {
        self.0.each_ref().map(|limbs| limbs.each_ref().map(Vec::as_slice))
    }

    /// Whether a row `c` of the product is `a · B`, where `a` is that row of `A`, `self` is `B·x`, and `vectors` are `x`;
    /// entries of `c` are at most `bound` in size if they are right.
    #[inline(always)]
    pub fn row_holds<A: Entry>(&self, a: &[A], c: &[i32], vectors: [&[i32]; 2], bound: u64) -> bool {
        let [first, second] = self.limbs();
        limb_products_hold(
            [A::limb_products(a, first), A::limb_products(a, second)],
            c,
            vectors,
            bound,
        )
    }
}

/// Adds `matrix[i][columns] · vectors[v][i]` to `sums[v]`, for each row `i` of a matrix with rows of `length` entries.
///
/// Exact while the number of rows times [`Entry::LARGEST`] is at most [`MAX_ADDED`]. Complexity: O(rows · columns), in
/// a form that compilers turn into vector instructions.
#[inline(always)]
pub fn add_rows<T: Entry>(
    matrix: &[T],
    length: usize,
    columns: Range<usize>,
    vectors: [&[i32]; 2],
    [first, second]: [&mut [i64]; 2],
) {
    let weights = vectors[0].chunks(4).zip(vectors[1].chunks(4));
    for (rows, weights) in matrix.chunks(length.saturating_mul(4)).zip(weights) {
        let mut lines = rows.chunks_exact(length).filter_map(|row| row.get(columns.clone()));
        if let (&[u, v, w, x], &[p, q, r, s]) = weights
            && let (Some(a), Some(b), Some(c), Some(d)) = (lines.next(), lines.next(), lines.next(), lines.next())
        {
            // Four rows at a time, so that sums are fetched a fourth as often.
            let sums = first.iter_mut().zip(second.iter_mut());
            for (((((first, second), &a), &b), &c), &d) in sums.zip(a).zip(b).zip(c).zip(d) {
                *first = add(add(add(add(*first, a, u), b, v), c, w), d, x);
                *second = add(add(add(add(*second, a, p), b, q), c, r), d, s);
            }
            continue;
        }
        let lines = rows.chunks_exact(length).filter_map(|row| row.get(columns.clone()));
        for ((line, &u), &p) in lines.zip(weights.0).zip(weights.1) {
            for ((first, second), &entry) in first.iter_mut().zip(second.iter_mut()).zip(line) {
                *first = add(*first, entry, u);
                *second = add(*second, entry, p);
            }
        }
    }
}

/// `sum + entry · weight`. Does not wrap where it is called; checks would keep loops from being vectorised.
#[inline(always)]
fn add<T: Entry>(sum: i64, entry: T, weight: i32) -> i64 {
    sum.wrapping_add(entry.into().wrapping_mul(weight.into()))
}

/// Whether a row `c` of the product fits the `products` of that row of `A` and the limbs of a [`Projection`]: as
/// [`Projection::row_holds`], which multiplies itself.
#[inline(always)]
pub fn limb_products_hold(products: [[i64; LIMBS]; 2], c: &[i32], vectors: [&[i32]; 2], bound: u64) -> bool {
    // No closures that might not be compiled for the caller's instructions from here on.
    let [first, second] = products;
    let (sums, largest) = dots(c, vectors, bound);
    u64::from(largest) <= bound && [join(first), join(second)] == sums
}

/// The number that has these products in place of limbs.
#[inline(always)]
fn join([w, x, y, z]: [i64; LIMBS]) -> i128 {
    let mut sum = i128::from(z);
    for product in [y, x, w] {
        // Below 2¹⁰⁸.
        sum = sum.wrapping_shl(LIMB_BITS).wrapping_add(product.into());
    }
    sum
}

/// The products of `row` and both vectors, and the largest magnitude in `row`: the products are wrong if that is above
/// `bound`.
#[inline(always)]
fn dots<T: Entry>(row: &[T], [x, y]: [&[i32]; 2], bound: u64) -> ([i128; 2], u32) {
    // So many products of an element of a vector and `bound` fit in 63 bits, in each lane.
    let fitting = (1u64 << (63 - VECTOR_BITS))
        .checked_div(bound)
        .unwrap_or(u64::MAX)
        .clamp(1, 1 << 16);
    let part = LANES.saturating_mul(fitting as usize);
    let (mut sums, mut largest) = ([0i128; 2], [0u32; LANES]);
    for ((row, x), y) in row.chunks(part).zip(x.chunks(part)).zip(y.chunks(part)) {
        let (mut first, mut second) = ([0i64; LANES], [0i64; LANES]);
        let ((rows, row), (xs, x), (ys, y)) = (row.as_chunks(), x.as_chunks(), y.as_chunks());
        for ((row, x), y) in rows.iter().zip(xs).zip(ys) {
            add_lanes(&mut first, row, x);
            add_lanes(&mut second, row, y);
            largest_lanes(&mut largest, row);
        }
        let lanes = first.iter_mut().zip(&mut second).zip(&mut largest);
        for (((((first, second), largest), &entry), &x), &y) in lanes.zip(row).zip(x).zip(y) {
            *first = add(*first, entry, x);
            *second = add(*second, entry, y);
            *largest = entry.magnitude().max(*largest);
        }
        for (sum, lanes) in sums.iter_mut().zip([first, second]) {
            // Far fewer than 2⁶⁴ numbers below 2⁶³.
            *sum = lanes.iter().fold(*sum, |sum, &lane| sum.wrapping_add(lane.into()));
        }
    }
    (sums, largest.iter().fold(0, |largest, &lane| lane.max(largest)))
}

/// Adds the product of each entry to its lane.
#[inline(always)]
fn add_lanes<T: Entry>(lanes: &mut [i64; LANES], entries: &[T; LANES], vector: &[i32; LANES]) {
    for ((lane, &entry), &x) in lanes.iter_mut().zip(entries).zip(vector) {
        *lane = add(*lane, entry, x);
    }
}

/// Keeps the larger magnitude in each lane.
#[inline(always)]
fn largest_lanes<T: Entry>(lanes: &mut [u32; LANES], entries: &[T; LANES]) {
    for (lane, &entry) in lanes.iter_mut().zip(entries) {
        *lane = entry.magnitude().max(*lane);
    }
}

#[cfg(test)]
mod tests;
