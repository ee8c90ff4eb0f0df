use super::*;
use proptest::prelude::*;

fn multiply<A: Entry, B: Entry>(a: &[A], b: &[B], ProductShape { m, k, n }: ProductShape) -> Vec<i32> {
    let element = |i: usize| {
        let products = (0..k).map(|j| a[i / n * k + j].into() * b[j * n + i % n].into());
        i32::try_from(products.sum::<i64>()).unwrap()
    };
    (0..m * n).map(element).collect()
}

fn transpose<T: Entry>(matrix: &[T], rows: usize, columns: usize) -> Vec<T> {
    (0..rows * columns)
        .map(|i| matrix[i % rows * columns + i / rows])
        .collect()
}

/// Both ways in which the right factor may lie.
fn wrong_row<A: Entry, B: Entry>(shape: ProductShape, a: &[A], b: &[B], c: &[i32], seed: &[u8; 32]) -> Option<usize> {
    let found = product_wrong_row(shape, a, RightFactor::Rows(b), c, seed).unwrap();
    let transposed = transpose(b, shape.k, shape.n);
    let same = product_wrong_row(shape, a, RightFactor::Columns(&transposed), c, seed).unwrap();
    assert_eq!(found, same);
    found
}

proptest! {
    /// 256 · 40 > 10,000 single wrong entries.
    #[test]
    fn right_products_pass_and_every_single_wrong_entry_is_found(
        seed: [u8; 32], (m, k, n) in (1usize..9, 1usize..20, 1usize..20),
        values in prop::collection::vec(any::<i8>(), 2 * 400),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<i32>()), 40),
    ) {
        let shape = ProductShape { m, k, n };
        let (a, b) = (&values[..m * k], &values[400..400 + k * n]);
        let mut c = multiply(a, b, shape);
        prop_assert_eq!(wrong_row(shape, a, b, &c, &seed), None);
        for (at, change) in changes {
            let at = at.index(m * n);
            let right = c[at];
            c[at] = if change == right { !change } else { change };
            prop_assert_eq!(wrong_row(shape, a, b, &c, &seed), Some(at / n));
            c[at] = right;
        }
    }

    #[test]
    fn wider_factors_are_checked_as_well(
        seed: [u8; 32], (m, k, n) in (1usize..6, 1usize..6, 1usize..6),
        values in prop::collection::vec(-9_000i16..9_000, 2 * 25), at: prop::sample::Index, bit in 0u32..31,
    ) {
        let shape = ProductShape { m, k, n };
        let (a, b) = (&values[..m * k], &values[25..25 + k * n]);
        let mut c = multiply(a, b, shape);
        prop_assert_eq!(wrong_row(shape, a, b, &c, &seed), None);
        let at = at.index(m * n);
        c[at] ^= 1 << bit;
        prop_assert_eq!(wrong_row(shape, a, b, &c, &seed), Some(at / n));
    }
}

/// Sums of the largest size, over rows that are longer than what is added up at a time.
#[test]
fn the_largest_numbers_do_not_wrap() {
    let shape = ProductShape { m: 2, k: 131_071, n: 9 };
    for (x, y) in [(i8::MIN, i8::MIN), (i8::MIN, i8::MAX)] {
        let (a, b) = (vec![x; shape.m * shape.k], vec![y; shape.k * shape.n]);
        let sum = 131_071 * i32::from(x) * i32::from(y);
        let mut c = vec![sum; shape.m * shape.n];
        assert_eq!(wrong_row(shape, &a, &b, &c, &[3; 32]), None);
        c[17] -= 1;
        assert_eq!(wrong_row(shape, &a, &b, &c, &[3; 32]), Some(1));
    }
}

/// Numbers that no product gives are wrong, though the vectors might not tell.
#[test]
fn numbers_that_are_too_large_are_wrong() {
    let shape = ProductShape { m: 1, k: 1, n: 1 };
    for c in [i32::MIN, i32::MAX, 128 * 128 + 1] {
        assert_eq!(wrong_row(shape, &[1i8], &[1i8], &[c], &[0; 32]), Some(0));
    }
}

#[test]
fn vectors_are_words_of_hashes() {
    let vectors = ProductVectors::new(&[7; 32], 6);
    let [first, second] = vectors.vectors();
    assert_eq!((first.len(), second.len()), (6, 6));
    let hash = blake2_256(&[b"agora/freivalds-z/1", [7; 32].as_slice(), &[1, 0, 0, 0]].concat());
    assert_eq!(first[5].to_le_bytes(), hash[8..12]);
    assert_eq!(second[5].to_le_bytes(), hash[12..16]);
    assert_ne!(ProductVectors::new(&[8; 32], 6), vectors);
}

#[test]
fn what_does_not_fit_is_refused() {
    let check = |m, k, n, a: usize, b: usize, c: usize| {
        let shape = ProductShape { m, k, n };
        product_wrong_row(
            shape,
            &vec![1i8; a],
            RightFactor::Rows(&vec![1i8; b]),
            &vec![0; c],
            &[0; 32],
        )
    };
    assert_eq!(check(1, 2, 3, 2, 6, 3), Ok(Some(0)));
    for (m, k, n, a, b, c) in [
        (1, 2, 3, 1, 6, 3),
        (1, 2, 3, 2, 5, 3),
        (1, 2, 3, 2, 6, 4),
        (0, 0, 0, 0, 0, 0),
        (1, usize::MAX, 2, 1, 1, 1),
    ] {
        assert_eq!(check(m, k, n, a, b, c), Err(FreivaldsError::Shape));
    }
    let n = (1 << 20) + 1;
    assert_eq!(check(1, 1, n, 1, n, n), Err(FreivaldsError::TooLarge));
    assert_eq!(check(1, 1, n - 1, 1, n - 1, n - 1), Ok(Some(0)));
}
