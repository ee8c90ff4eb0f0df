//! Bounds, order, and how fast the past fades.

use super::*;
use proptest::prelude::*;

const FADING: Fading = Fading {
    per_outcome: Perbill::from_percent(98),
    half_life_blocks: 201_600,
};

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => Just(Outcome::Confirmed),
        1 => Just(Outcome::Right),
        2 => Just(Outcome::Wrong),
        1 => Just(Outcome::Late),
    ]
}

fn history(length: usize) -> impl Strategy<Value = Vec<(Outcome, u64)>> {
    prop::collection::vec((outcome(), 0u64..400_000), 0..length)
}

fn replay(history: &[(Outcome, u64)], fading: &Fading) -> Score {
    history.iter().fold(Score::default(), |score, (outcome, elapsed)| {
        score.after(*outcome, *elapsed, fading)
    })
}

fn after_all(outcomes: impl IntoIterator<Item = Outcome>) -> Score {
    outcomes
        .into_iter()
        .fold(Score::default(), |score, outcome| score.after(outcome, 0, &FADING))
}

#[test]
fn the_roots_are_the_square_roots_of_each_other() {
    let mut square = u128::from(u64::MAX / 2 + 1);
    for root in ROOTS {
        let squared = (u128::from(root) * u128::from(root)) >> 64;
        assert!(square.abs_diff(squared) <= 2, "{root:x}");
        square = root.into();
    }
}

#[test]
fn a_half_life_halves() {
    let score = Score {
        right: 3 * ONE,
        total: 8 * ONE,
        count: 9,
        confidence: 4,
    };
    assert_eq!(score.faded(0, 100), score);
    assert_eq!(
        score.faded(100, 100),
        Score {
            right: 3 * ONE / 2,
            total: 4 * ONE,
            ..score
        }
    );
    assert_eq!(
        score.faded(300, 100),
        Score {
            right: 3 * ONE / 8,
            total: ONE,
            ..score
        }
    );
    let quarter = score.faded(50, 100).total as f64 / score.total as f64;
    assert!((quarter - 0.5f64.sqrt()).abs() < 1e-8);
    let third = score.faded(7, 21).total as f64 / score.total as f64;
    assert!((third - 2f64.powf(-1.0 / 3.0)).abs() < 1e-8);
}

#[test]
fn time_without_a_half_life_changes_nothing_and_all_time_everything() {
    let score = Score {
        right: u64::MAX,
        total: u64::MAX,
        count: 1,
        confidence: 1,
    };
    assert_eq!(score.faded(u64::MAX, 0), score);
    assert_eq!(
        score.faded(u64::MAX, 1),
        Score {
            right: 0,
            total: 0,
            ..score
        }
    );
    assert_eq!(score.faded(64, 1).total, 0);
    assert_eq!(score.faded(63, 1).total, 1);
}

#[test]
fn the_rate_of_no_history_is_zero() {
    assert_eq!(Score::default().rate(), Perbill::zero());
    assert_eq!(Score::default().level(0), Level::Beginner);
    assert!(Score::default().is_faded());
}

#[test]
fn levels_begin_above_their_rates() {
    let at = |right: u64| Score {
        right: right * ONE,
        total: 100 * ONE,
        count: 10,
        confidence: 0,
    };
    for (right, level) in [
        (0, Level::Beginner),
        (70, Level::Beginner),
        (71, Level::Skilled),
        (85, Level::Skilled),
        (86, Level::Expert),
        (95, Level::Expert),
        (96, Level::Master),
        (100, Level::Master),
    ] {
        assert_eq!(at(right).level(10), level);
        assert_eq!(at(right).level(11), Level::Beginner);
    }
}

#[test]
fn lateness_counts_a_quarter_of_a_failure() {
    let four_late = Score::default().after(Outcome::Late, 0, &FADING);
    assert_eq!(four_late.total, LATE_WEIGHT);
    assert_eq!(four_late.rate(), Perbill::zero());
    let no_decay = Fading {
        per_outcome: Perbill::one(),
        half_life_blocks: 0,
    };
    let base = Score::default().after(Outcome::Right, 0, &no_decay);
    let late = (0..4).fold(base, |score, _| score.after(Outcome::Late, 0, &no_decay));
    assert_eq!(late.rate(), base.after(Outcome::Wrong, 0, &no_decay).rate());
}

#[test]
fn confidence_grows_by_confirmed_successes_and_loses_a_third() {
    let ten = after_all([Outcome::Confirmed; 10]);
    assert_eq!(ten.confidence, 10);
    assert_eq!(ten.after(Outcome::Right, 0, &FADING).confidence, 10);
    assert_eq!(ten.after(Outcome::Late, 0, &FADING).confidence, 10);
    assert_eq!(ten.after(Outcome::Wrong, 0, &FADING).confidence, 6);
    let falls: Vec<_> = core::iter::successors(Some(ten), |score| Some(score.after(Outcome::Wrong, 0, &FADING)))
        .map(|score| score.confidence)
        .take(7)
        .collect();
    assert_eq!(falls, [10, 6, 4, 2, 1, 0, 0]);
    let full = Score {
        confidence: u32::MAX,
        count: u32::MAX,
        ..ten
    };
    assert_eq!(full.after(Outcome::Confirmed, 0, &FADING).confidence, u32::MAX);
    assert_eq!(full.after(Outcome::Confirmed, 0, &FADING).count, u32::MAX);
    assert_eq!(full.after(Outcome::Wrong, 0, &FADING).confidence, u32::MAX / 3 * 2);
}

#[test]
fn one_failure_after_a_long_success_costs_a_master_the_decay() {
    let master = after_all([Outcome::Right; 1000]);
    assert_eq!(master.level(10), Level::Master);
    let fallen = master.after(Outcome::Wrong, 0, &FADING);
    // 49 of 50 in the long run.
    assert!(fallen.rate().deconstruct().abs_diff(980_000_000) < 100);
    let twice = fallen.after(Outcome::Wrong, 0, &FADING);
    assert_eq!(twice.level(10), Level::Master);
    assert_eq!(twice.after(Outcome::Wrong, 0, &FADING).level(10), Level::Expert);
}

proptest! {
    #[test]
    fn scores_stay_within_bounds(history in history(200), percent in 1u32..100, half_life in 0u64..1_000_000) {
        let per_outcome = Perbill::from_percent(percent);
        let score = replay(&history, &Fading { per_outcome, half_life_blocks: half_life });
        prop_assert!(score.right <= score.total);
        prop_assert!(score.total <= Score::heaviest(per_outcome));
        prop_assert!(score.rate() <= Perbill::one());
        prop_assert_eq!(score.count as usize, history.len());
        prop_assert!(score.confidence <= score.count);
    }

    #[test]
    fn a_better_outcome_is_never_worse(history in history(50), elapsed in 0u64..1_000_000) {
        let score = replay(&history, &FADING);
        let after = |outcome| score.after(outcome, elapsed, &FADING);
        let [confirmed, right, late, wrong] =
            [Outcome::Confirmed, Outcome::Right, Outcome::Late, Outcome::Wrong].map(after);
        prop_assert_eq!(confirmed.rate(), right.rate());
        prop_assert!(right.rate() >= late.rate());
        prop_assert!(late.rate() >= wrong.rate());
        prop_assert!(right.level(5) >= late.level(5));
        prop_assert!(late.level(5) >= wrong.level(5));
        prop_assert!(confirmed.confidence >= right.confidence);
        prop_assert!(late.confidence >= wrong.confidence);
    }

    #[test]
    fn success_never_lowers_the_rate_nor_failure_raises_it(history in history(50)) {
        let score = replay(&history, &FADING);
        // One part in a billion for rounding.
        let slack = Perbill::from_parts(1);
        prop_assert!(score.after(Outcome::Right, 0, &FADING).rate() + slack >= score.rate());
        prop_assert!(score.after(Outcome::Wrong, 0, &FADING).rate() <= score.rate() + slack);
        prop_assert!(score.after(Outcome::Late, 0, &FADING).rate() <= score.rate() + slack);
    }

    #[test]
    fn the_past_fades(ancient in history(300), recent in prop::collection::vec(outcome(), 700..720)) {
        // Whatever came before, after 700 outcomes it weighs less than a millionth of all: 0.98^700 · 50 < 1e−4 of ONE.
        let go_on = |score| recent.iter().fold(score, |score: Score, outcome| score.after(*outcome, 0, &FADING));
        let (with, without) = (go_on(replay(&ancient, &FADING)), go_on(Score::default()));
        let difference = with.rate().deconstruct().abs_diff(without.rate().deconstruct());
        prop_assert!(difference <= 2_000, "{difference} parts per billion");
        prop_assert!(with.total.abs_diff(without.total) < ONE / 10_000);
    }

    #[test]
    fn time_fades_the_weight_but_not_the_rate(history in history(100), elapsed in 0u64..2_000_000) {
        let score = replay(&history, &FADING);
        let later = score.faded(elapsed, FADING.half_life_blocks);
        prop_assert!(later.total <= score.total && later.right <= later.total);
        if !later.is_faded() {
            prop_assert!(later.rate().deconstruct().abs_diff(score.rate().deconstruct()) <= 50);
        }
        // In two steps as in one.
        let half = score.faded(elapsed / 2, FADING.half_life_blocks);
        let twice = half.faded(elapsed - elapsed / 2, FADING.half_life_blocks);
        prop_assert!(twice.total.abs_diff(later.total) <= 64 + later.total / 1_000_000);
    }

    #[test]
    fn everything_fades_in_the_end(history in history(300)) {
        let score = replay(&history, &FADING);
        // log2(51 · 64) < 12
        prop_assert!(score.faded(12 * FADING.half_life_blocks, FADING.half_life_blocks).is_faded());
    }

    #[test]
    fn no_number_panics(right: u64, total: u64, count: u32, confidence: u32, elapsed: u64, half_life: u64, parts: u32) {
        let score = Score { right: right.min(total), total, count, confidence };
        let fading = Fading { per_outcome: Perbill::from_parts(parts), half_life_blocks: half_life };
        for outcome in [Outcome::Confirmed, Outcome::Right, Outcome::Late, Outcome::Wrong] {
            let after = score.after(outcome, elapsed, &fading);
            prop_assert!(after.right <= after.total);
            after.level(count);
            after.rate();
        }
        Score::heaviest(fading.per_outcome);
    }
}
