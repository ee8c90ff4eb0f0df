//! What could save products of a chain, and why it does not.

use super::*;
use alloc::collections::BTreeMap;

/// Rows and columns: enough that two diagonals are never the same by chance.
const N: usize = 8;

/// Multiplies matrices, each pair of them once: whoever has computed a product keeps it.
#[derive(Default)]
struct Products {
    known: BTreeMap<(Vec<u8>, Vec<u8>), Vec<u8>>,
}

impl Products {
    fn of(&mut self, left: Vec<u8>, right: Vec<u8>) -> Vec<u8> {
        let product = multiply(&left, &right, N);
        self.known.entry((left, right)).or_insert(product).clone()
    }

    /// The product of `factors`, bracketed by `split`, which says how many of so many factors are on the left.
    fn bracketed(&mut self, factors: &[Vec<u8>], split: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
        match factors {
            [factor] => factor.clone(),
            _ => {
                let (left, right) = factors.split_at(split(factors.len()));
                let (left, right) = (self.bracketed(left, split), self.bracketed(right, split));
                self.of(left, right)
            }
        }
    }

    fn count(&self) -> usize {
        self.known.len()
    }
}

/// `a · D_(k−1), …, a · D_0, start`: all but the products of these is quadratic.
fn factors(a: &[u8], start: &[u8], diagonals: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let scale_columns = |diagonal: &Vec<u8>| {
        let element = |(i, &residue): (usize, &u8)| canonical(i32::from(diagonal[i % N]) * i32::from(residue));
        a.iter().enumerate().map(element).collect()
    };
    let scaled = diagonals.iter().rev().map(scale_columns);
    scaled.chain([start.to_vec()]).collect()
}

proptest! {
    #[test]
    fn no_bracketing_saves_a_product(
        seed: u8, iterations in 1usize..20, splits in prop::collection::vec(any::<prop::sample::Index>(), 20),
    ) {
        let (a, start, diagonals) = (random_matrix(seed, N), random_matrix(!seed, N), random_diagonals(seed, N, iterations));
        let factors = factors(&a, &start, &diagonals);
        let result = chain_result(&a, &start, &diagonals);
        let mut splits = splits.iter();
        let mut random = |count: usize| 1 + splits.next().unwrap().index(count - 1);
        let mut products = Products::default();
        prop_assert_eq!(&products.bracketed(&factors, &mut random), &result);
        prop_assert_eq!(products.count(), iterations);
        // A tree, the bracketing that gains most where factors repeat.
        let mut products = Products::default();
        prop_assert_eq!(&products.bracketed(&factors, &mut |count| count / 2), &result);
        prop_assert_eq!(products.count(), iterations);
    }
}

/// What the test above would find if diagonals repeated.
#[test]
fn a_tree_saves_products_where_diagonals_repeat() {
    let (a, start) = (random_matrix(1, N), random_matrix(2, N));
    let tree = |diagonals: &[Vec<u8>]| {
        let mut products = Products::default();
        let factors = factors(&a, &start, diagonals);
        // The start alone on the right, so that the others are a power of two.
        let split = &mut |count: usize| count - if count % 2 == 1 { 1 } else { count / 2 };
        assert_eq!(products.bracketed(&factors, split), chain_result(&a, &start, diagonals));
        products.count()
    };
    // Squared four times, and multiplied by the start; and two diagonals in turn.
    assert_eq!(tree(&vec![vec![1; N]; 16]), 5);
    assert_eq!(tree(&vec![random_diagonals(3, N, 1).concat(); 16]), 5);
    let in_turn = vec![random_diagonals(3, N, 2); 8].concat();
    assert_eq!(tree(&in_turn), 5);
    assert_eq!(tree(&random_diagonals(3, N, 16)), 16);
}

#[test]
fn the_power_of_a_is_refused() {
    let (a, start, diagonals) = (random_matrix(1, N), random_matrix(2, N), random_diagonals(3, N, 16));
    let power = (0..4).fold(a.clone(), |power, _| multiply(&power, &power, N));
    let squared = multiply(&power, &start, N);
    // It is the chain without diagonals, at 5 products for 16.
    assert!(holds(N, &a, &start, &squared, &vec![vec![1; N]; 16], 4));
    assert!(!holds(N, &a, &start, &squared, &diagonals, 4));
    assert!(holds(
        N,
        &a,
        &start,
        &chain_result(&a, &start, &diagonals),
        &diagonals,
        4
    ));
}

proptest! {
    #[test]
    fn a_wrong_element_of_a_diagonal_is_refused(
        seed: u8, step in 0usize..6, row in 0usize..N, change in 1i32..251,
    ) {
        let (a, start, diagonals) = (random_matrix(seed, N), random_matrix(!seed, N), random_diagonals(seed, N, 6));
        let mut wrong = diagonals.clone();
        wrong[step][row] = canonical(i32::from(wrong[step][row]) + change);
        let result = chain_result(&a, &start, &wrong);
        prop_assert!(holds(N, &a, &start, &result, &wrong, seed));
        prop_assert!(!holds(N, &a, &start, &result, &diagonals, seed));
    }

    #[test]
    fn swapped_diagonals_are_refused(seed: u8, (i, j) in (0usize..5).prop_flat_map(|i| (Just(i), i + 1..6))) {
        let (a, start, diagonals) = (random_matrix(seed, N), random_matrix(!seed, N), random_diagonals(seed, N, 6));
        let mut swapped = diagonals.clone();
        swapped.swap(i, j);
        let result = chain_result(&a, &start, &swapped);
        prop_assert!(!holds(N, &a, &start, &result, &diagonals, seed));
    }
}

/// A step computed from another one needs `D_j − c · D_i` of low rank: the rows in which the quotient is not `c`.
#[test]
fn two_diagonals_agree_in_few_rows_up_to_any_factor() {
    let n = 1024;
    let diagonals = random_diagonals(5, n, 40);
    for (i, first) in diagonals.iter().enumerate() {
        for second in &diagonals[..i] {
            let agreeing = |c: i32| {
                let rows = first.iter().zip(second);
                rows.filter(|&(&x, &y)| canonical(c * i32::from(x)) == y).count()
            };
            // Four are expected.
            let most = (1..251).map(agreeing).max().unwrap();
            assert!(most < n / 32, "{most} rows of {n}");
        }
    }
}
