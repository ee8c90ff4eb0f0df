use super::*;
use proptest::{collection::vec, prelude::*};

fn permill(parts: u32) -> Permill {
    Permill::from_parts(parts)
}

#[test]
fn shares_round_down_and_the_remainder_is_returned() {
    assert_eq!(
        split(10, &[1, 1, 1]),
        Ok(Shares {
            shares: vec![3, 3, 3],
            remainder: 1
        })
    );
    assert_eq!(
        split(100, &[60, 25, 10, 0, 5]),
        Ok(Shares {
            shares: vec![60, 25, 10, 0, 5],
            remainder: 0
        })
    );
    assert_eq!(
        split(1, &[1, 1]),
        Ok(Shares {
            shares: vec![0, 0],
            remainder: 1
        })
    );
}

#[test]
fn an_empty_pot_gives_empty_shares() {
    assert_eq!(
        split(0, &[1, 2]),
        Ok(Shares {
            shares: vec![0, 0],
            remainder: 0
        })
    );
}

#[test]
fn the_largest_pot_and_the_largest_weight_fit() {
    assert_eq!(
        split(u128::MAX, &[u128::MAX]),
        Ok(Shares {
            shares: vec![u128::MAX],
            remainder: 0
        })
    );
    let half = u128::MAX / 2;
    assert_eq!(
        split(u128::MAX, &[half, half]),
        Ok(Shares {
            shares: vec![half, half],
            remainder: 1
        })
    );
}

#[test]
fn nobody_to_divide_among_is_refused() {
    assert_eq!(split(1, &[]), Err(SplitError::EmptySet));
    assert_eq!(split(1, &[0, 0]), Err(SplitError::EmptySet));
}

#[test]
fn weights_that_add_up_to_too_much_are_refused() {
    assert_eq!(split(1, &[u128::MAX, 1]), Err(SplitError::Overflow));
}

#[test]
fn parts_must_be_whole() {
    assert_eq!(ensure_whole(&[permill(600_000), permill(400_000)]), Ok(()));
    assert_eq!(
        ensure_whole(&[permill(600_000), permill(399_999)]),
        Err(SplitError::NotWhole)
    );
    assert_eq!(
        ensure_whole(&[permill(600_000), permill(400_001)]),
        Err(SplitError::NotWhole)
    );
    assert_eq!(ensure_whole(&[]), Err(SplitError::NotWhole));
    assert_eq!(split_whole(7, &[permill(999_999)]), Err(SplitError::NotWhole));
    assert_eq!(
        split_whole(
            1_000,
            &[permill(650_000), permill(200_000), permill(75_000), permill(75_000)]
        ),
        Ok(Shares {
            shares: vec![650, 200, 75, 75],
            remainder: 0
        }),
    );
}

#[test]
fn errors_say_what_is_wrong() {
    for error in [SplitError::EmptySet, SplitError::Overflow, SplitError::NotWhole] {
        assert!(!ToString::to_string(&error).is_empty());
    }
}

/// Weights of every magnitude whose sum fits.
fn weights() -> impl Strategy<Value = Vec<u128>> {
    vec((any::<u128>(), 8u32..128), 1..16)
        .prop_map(|drawn| drawn.into_iter().map(|(weight, shift)| weight >> shift).collect())
}

fn pot() -> impl Strategy<Value = u128> {
    (any::<u128>(), 0u32..128).prop_map(|(pot, shift)| pot >> shift)
}

proptest! {
    #[test]
    fn shares_and_remainder_add_up_to_the_pot(pot in pot(), weights in weights()) {
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let Shares { shares, remainder } = split(pot, &weights).unwrap();
        prop_assert_eq!(shares.len(), weights.len());
        let sum = shares.iter().try_fold(remainder, |sum, share| sum.checked_add(*share));
        prop_assert_eq!(sum, Some(pot));
        let heirs = weights.iter().filter(|weight| **weight > 0).count() as u128;
        prop_assert!(remainder < heirs);
    }

    #[test]
    fn a_greater_pot_gives_nobody_less(pot in pot(), more in pot(), weights in weights()) {
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let small = split(pot, &weights).unwrap().shares;
        let large = split(pot.saturating_add(more), &weights).unwrap().shares;
        prop_assert!(small.iter().zip(&large).all(|(small, large)| small <= large));
    }

    #[test]
    fn a_greater_weight_never_gets_less(pot in pot(), weights in weights()) {
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let shares = split(pot, &weights).unwrap().shares;
        let mut order: Vec<usize> = (0..weights.len()).collect();
        order.sort_by_key(|at| weights[*at]);
        prop_assert!(order.windows(2).all(|pair| shares[pair[0]] <= shares[pair[1]]));
        for (weight, share) in weights.iter().zip(&shares) {
            prop_assert!(*weight > 0 || *share == 0);
        }
    }

    #[test]
    fn equal_weights_get_equal_shares(pot in pot(), weight in 1u128..1 << 64, n in 1usize..64) {
        let shares = split(pot, &vec![weight; n]).unwrap().shares;
        prop_assert!(shares.iter().all(|share| *share == pot / n as u128));
    }

    #[test]
    fn small_numbers_agree_with_plain_arithmetic(
        pot in any::<u64>(),
        weights in vec(any::<u32>(), 1..16),
    ) {
        let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        prop_assume!(total > 0);
        let weights: Vec<u128> = weights.into_iter().map(u128::from).collect();
        let expected: Vec<u128> = weights.iter().map(|weight| u128::from(pot) * weight / total).collect();
        prop_assert_eq!(split(u128::from(pot), &weights).unwrap().shares, expected);
    }

    #[test]
    fn parts_cut_at_random_places_are_whole(pot in pot(), mut cuts in vec(0u32..=1_000_000, 0..8)) {
        cuts.push(1_000_000);
        cuts.sort_unstable();
        let mut from = 0;
        let parts: Vec<Permill> =
            cuts.iter().map(|to| permill(to - core::mem::replace(&mut from, *to))).collect();
        let Shares { shares, remainder } = split_whole(pot, &parts).unwrap();
        prop_assert_eq!(shares.iter().sum::<u128>() + remainder, pot);
        for (part, share) in parts.iter().zip(&shares) {
            prop_assert_eq!(*share, part.mul_floor(pot));
        }
    }
}
