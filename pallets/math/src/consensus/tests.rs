use super::*;
use alloc::{collections::BTreeMap, vec};
use proptest::prelude::*;
use sp_arithmetic::biguint::BigUint;

type TestAnswer = Answer<u64, u8, u32>;

const SEED: [u8; 32] = [7; 32];

fn answer(worker: u64, claim: u8, committed_at: u32, confidence: u32) -> TestAnswer {
    Answer {
        worker,
        claim,
        committed_at,
        confidence,
    }
}

fn unanimous(count: u64, confidence: u32) -> Vec<TestAnswer> {
    (0..count).map(|account| answer(account, 1, 5, confidence)).collect()
}

/// Exact, of any size, and by PoCo's own formula: the claims of all groups that pass.
fn reference(trust: u32, answers: &[TestAnswer]) -> Vec<u8> {
    let big = |n: u64| BigUint::from(n);
    let mut groups = BTreeMap::<u8, BigUint>::new();
    for b in answers {
        let group = groups.entry(b.claim).or_insert_with(|| big(1));
        *group = group.clone().mul(&big(weight(b.confidence).into()));
    }
    let mut total = big(1);
    for group in groups.values() {
        total = total.add(group);
    }
    groups
        .into_iter()
        .filter(|(_, group)| {
            let ours = group.clone().mul(&big(trust.into()));
            ours > total.clone().mul(&big((trust - 1).into()))
        })
        .map(|(claim, _)| claim)
        .collect()
}

fn answers(most: usize, scores: impl Strategy<Value = u32>) -> impl Strategy<Value = Vec<TestAnswer>> {
    proptest::collection::vec((0u8..4, 0u32..4, scores), 0..most).prop_map(|all| {
        let numbered = (0u64..).zip(all);
        numbered
            .map(|(account, (claim, at, confidence))| answer(account, claim, at, confidence))
            .collect()
    })
}

#[test]
fn weights_are_those_of_poco() {
    let golden = [
        (0, 2),
        (1, 2),
        (8, 2),
        (9, 2),
        (11, 2),
        (12, 3),
        (14, 3),
        (15, 4),
        (30, 9),
        (303, 100),
        (u32::MAX, 1_431_655_764),
    ];
    for (score, expected) in golden {
        assert_eq!(weight(score), expected, "score {score}");
    }
}

#[test]
fn trust_of_100_takes_seven_new_workers_three_at_score_30_one_at_score_303() {
    for (confidence, needed) in [(0, 7), (30, 3), (300, 2), (303, 1)] {
        assert_eq!(
            verdict(100, &SEED, &unanimous(needed - 1, confidence)),
            None,
            "{needed} at {confidence}"
        );
        assert!(
            verdict(100, &SEED, &unanimous(needed, confidence)).is_some(),
            "{needed} at {confidence}"
        );
    }
}

#[test]
fn unanimous_new_workers_needed_by_trust() {
    for (trust, needed) in [
        (2, 1),
        (3, 2),
        (4, 2),
        (5, 3),
        (8, 3),
        (9, 4),
        (10, 4),
        (1000, 10),
        (1_000_000, 20),
    ] {
        assert_eq!(verdict(trust, &SEED, &unanimous(needed - 1, 0)), None, "trust {trust}");
        assert!(verdict(trust, &SEED, &unanimous(needed, 0)).is_some(), "trust {trust}");
    }
}

#[test]
fn a_dissenter_is_outvoted_only_by_enough_weight() {
    // 2^n > (1 + 2) · 99 from n = 9 on.
    let mut answers = unanimous(8, 0);
    answers.push(answer(100, 2, 1, 0));
    assert_eq!(verdict(100, &SEED, &answers), None);
    answers.push(answer(101, 1, 6, 0));
    let agreed = verdict(100, &SEED, &answers).unwrap();
    assert_eq!(agreed.claim, 1);
    assert!(agreed.best < 8, "the ninth committed later");
}

#[test]
fn nobody_and_ties_and_discord_agree_on_nothing() {
    assert_eq!(verdict::<u64, u8, u32>(2, &SEED, &[]), None);
    assert_eq!(verdict(2, &SEED, &[answer(1, 1, 1, 0), answer(2, 2, 1, 0)]), None);
    assert_eq!(
        verdict(2, &SEED, &[answer(1, 1, 1, 0), answer(2, 2, 1, 0), answer(3, 3, 1, 0)]),
        None
    );
    let saturated: Vec<_> = (0..20).map(|n| answer(n, (n % 2) as u8, 1, u32::MAX)).collect();
    assert_eq!(verdict(2, &SEED, &saturated), None);
}

#[test]
fn a_threshold_below_two_counts_as_two() {
    for trust in [0, 1, 2] {
        assert!(verdict(trust, &SEED, &unanimous(1, 0)).is_some());
        assert_eq!(verdict(trust, &SEED, &[answer(1, 1, 1, 0), answer(2, 2, 1, 0)]), None);
    }
}

#[test]
fn the_earliest_commit_is_the_best_and_within_a_block_the_lowest_lot() {
    let early = [
        answer(1, 1, 9, 30),
        answer(2, 1, 8, 0),
        answer(3, 1, 9, 0),
        answer(4, 2, 1, 0),
    ];
    let agreed = verdict(2, &SEED, &early).unwrap();
    assert_eq!(agreed.best, 2);

    let same_block: Vec<_> = (1..=5).map(|account| answer(account, 1, 9, 0)).collect();
    for byte in 0..32u8 {
        let seed = [byte; 32];
        let agreed = verdict(2, &seed, &same_block).unwrap();
        let lowest = (1..=5).min_by_key(|worker| lot(&seed, worker));
        assert_eq!(Some(agreed.best), lowest);
    }
}

#[test]
fn the_lot_is_the_hash_of_seed_and_account() {
    let mut bytes = SEED.to_vec();
    bytes.extend_from_slice(&5u64.to_le_bytes());
    assert_eq!(lot(&SEED, &5u64), blake2_256(&bytes));
}

#[test]
fn every_seed_gives_everybody_a_fair_chance() {
    let answers = unanimous(4, 0);
    let mut wins = [0u32; 4];
    for n in 0..4000u32 {
        let best = verdict(2, &blake2_256(&n.to_le_bytes()), &answers).unwrap().best;
        wins[best as usize] += 1;
    }
    assert!(wins.iter().all(|count| (850..1150).contains(count)), "{wins:?}");
}

proptest! {
    #[test]
    fn equals_the_exact_formula_while_nothing_saturates(
        trust in 2u32.., answers in answers(12, 0u32..3000),
    ) {
        // 12 weights below 1000 multiply to less than 2¹²⁰, and trust is only a factor of the right-hand side.
        let exact = reference(trust, &answers);
        let found = verdict(trust, &SEED, &answers).map(|agreed| agreed.claim);
        prop_assert_eq!(found, exact.first().copied());
    }

    #[test]
    fn saturation_never_makes_an_agreement(trust in 2u32.., answers in answers(40, any::<u32>())) {
        if let Some(agreed) = verdict(trust, &SEED, &answers) {
            prop_assert_eq!(reference(trust, &answers), vec![agreed.claim]);
        }
    }

    #[test]
    fn two_groups_never_both_win(trust in 2u32..50, answers in answers(16, 0u32..400)) {
        prop_assert!(reference(trust, &answers).len() <= 1);
        let mut scores = BTreeMap::<u8, Vec<u32>>::new();
        for answer in &answers {
            scores.entry(answer.claim).or_default().push(answer.confidence);
        }
        let groups: Vec<u128> = scores.into_values().map(group_weight).collect();
        let total: u128 = groups.iter().sum();
        prop_assert!(groups.iter().filter(|group| outweighs(**group, total - **group, trust)).count() <= 1);
    }

    #[test]
    fn the_order_of_answers_does_not_matter(
        (answers, shuffled) in answers(16, any::<u32>()).prop_flat_map(|b| (Just(b.clone()), Just(b).prop_shuffle())),
        trust in 0u32..20,
        seed: [u8; 32],
    ) {
        prop_assert_eq!(verdict(trust, &seed, &answers), verdict(trust, &seed, &shuffled));
    }

    #[test]
    fn the_best_has_the_believed_claim_and_nobody_committed_to_it_earlier(
        answers in answers(16, 0u32..400), seed: [u8; 32],
    ) {
        if let Some(agreed) = verdict(2, &seed, &answers) {
            let best = &answers[agreed.best as usize];
            prop_assert_eq!(best.claim, agreed.claim);
            let key = |answer: &TestAnswer| (answer.committed_at, lot(&seed, &answer.worker));
            for answer in answers.iter().filter(|answer| answer.claim == agreed.claim) {
                prop_assert!(key(best) <= key(answer));
            }
        }
    }

    #[test]
    fn one_more_supporter_never_breaks_an_agreement(answers in answers(12, 0u32..400), trust in 2u32..20, score: u32) {
        if let Some(agreed) = verdict(trust, &SEED, &answers) {
            let mut more = answers;
            more.push(answer(1000, agreed.claim, 9, score));
            prop_assert_eq!(verdict(trust, &SEED, &more).map(|a| a.claim), Some(agreed.claim));
        }
    }
}
