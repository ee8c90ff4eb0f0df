use super::*;
use alloc::vec;
use proptest::prelude::*;

/// The known answers that come with the authors' library Random123.
#[test]
fn philox_gives_the_published_answers() {
    assert_eq!(
        philox4x32_10([0; 4], [0; 2]),
        [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
    );
    assert_eq!(
        philox4x32_10([u32::MAX; 4], [u32::MAX; 2]),
        [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
    );
    assert_eq!(
        philox4x32_10(
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [0xa409_3822, 0x299f_31d0]
        ),
        [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
    );
}

#[test]
fn both_representations_are_the_same_element() {
    for byte in 0..MODULUS {
        let value = symmetric(byte);
        assert!((-MAX_SYMMETRIC..=MAX_SYMMETRIC).contains(&value));
        assert_eq!(canonical(value.into()), byte);
    }
    assert_eq!(symmetric(125), 125);
    assert_eq!(symmetric(126), -125);
}

#[test]
fn the_longest_dot_product_is_exact() {
    let a = vec![MAX_SYMMETRIC; MAX_DOT_LENGTH];
    let b = vec![-MAX_SYMMETRIC; MAX_DOT_LENGTH];
    assert_eq!(i64::from(dot(&a, &a)), 15_625 * MAX_DOT_LENGTH as i64);
    assert_eq!(i64::from(dot(&a, &b)), -15_625 * MAX_DOT_LENGTH as i64);
}

#[test]
fn labels_and_seeds_give_different_elements() {
    let fill = |seed: u8, label: &[u8]| {
        let mut out = [0; 64];
        Generator::new(&[seed; 32], label).fill(0, &mut out);
        out
    };
    assert_ne!(fill(0, b"A"), fill(0, b"M"));
    assert_ne!(fill(0, b"A"), fill(1, b"A"));
}

#[test]
fn residues_are_spread_evenly() {
    let mut out = vec![0; 251 * 1000];
    Generator::new(&[9; 32], b"A").fill(0, &mut out);
    let mut counts = [0i64; 256];
    for byte in out {
        counts[usize::from(byte)] += 1;
    }
    assert_eq!(counts[251..], [0; 5]);
    // Chi-squared with 250 degrees of freedom: mean 250, standard deviation 22.4.
    let chi: i64 = counts[..251].iter().map(|&n| (n - 1000) * (n - 1000)).sum();
    assert!((150_000..350_000).contains(&chi), "chi-squared is {} thousandths", chi);
}

#[test]
fn residues_that_are_not_zero_are_spread_evenly() {
    let mut out = vec![0; 250 * 1000];
    Generator::new(&[9; 32], b"D").fill_nonzero(0, &mut out);
    let mut counts = [0i64; 256];
    for byte in out {
        counts[usize::from(byte)] += 1;
    }
    assert_eq!((counts[0], &counts[251..]), (0, &[0; 5][..]));
    // Chi-squared with 249 degrees of freedom: mean 249, standard deviation 22.3.
    let chi: i64 = counts[1..251].iter().map(|&n| (n - 1000) * (n - 1000)).sum();
    assert!((150_000..350_000).contains(&chi), "chi-squared is {} thousandths", chi);
}

proptest! {
    #[test]
    fn canonical_is_the_euclidean_remainder(value: i32) {
        prop_assert_eq!(i64::from(canonical(value)), i64::from(value).rem_euclid(251));
        prop_assert_eq!((i64::from(symmetric_of(value)) - i64::from(value)) % 251, 0);
    }

    #[test]
    fn filling_from_anywhere_gives_the_same_elements(
        seed: [u8; 32], first in 0u64..1 << 35, length in 0usize..400,
    ) {
        let generator = Generator::new(&seed, b"M");
        let mut out = vec![255; length];
        generator.fill(first, &mut out);
        for (byte, index) in out.iter().zip(first..) {
            prop_assert_eq!(*byte, generator.residue(index));
        }
    }

    #[test]
    fn filling_with_residues_that_are_not_zero_gives_the_same_elements_from_anywhere(
        seed: [u8; 32], first in 0u64..1 << 35, length in 0usize..40,
    ) {
        let generator = Generator::new(&seed, b"D");
        let mut out = vec![0; length];
        generator.fill_nonzero(first, &mut out);
        for (byte, index) in out.iter().zip(first..) {
            let word = generator.words(index / 4)[(index % 4) as usize];
            prop_assert_eq!(u32::from(*byte), 1 + word % 250);
        }
    }

    #[test]
    fn dot_is_the_sum_of_products(pairs in prop::collection::vec((-125i16..=125, -125i16..=125), 0..300)) {
        let (a, b): (Vec<i16>, Vec<i16>) = pairs.iter().copied().unzip();
        let sum: i64 = pairs.iter().map(|&(x, y)| i64::from(x) * i64::from(y)).sum();
        prop_assert_eq!(i64::from(dot(&a, &b)), sum);
    }
}

use alloc::vec::Vec;
