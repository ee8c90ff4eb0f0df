use super::*;
use alloc::{collections::BTreeMap, vec};
use proptest::prelude::*;
use sp_arithmetic::biguint::BigUint;

type TestBallot = Ballot<u64, u8, u32>;

const SEED: [u8; 32] = [7; 32];

fn ballot(account: u64, digest: u8, committed_at: u32, confidence: u32) -> TestBallot {
    Ballot {
        account,
        digest,
        committed_at,
        confidence,
    }
}

fn unanimous(count: u64, confidence: u32) -> Vec<TestBallot> {
    (0..count).map(|account| ballot(account, 1, 5, confidence)).collect()
}

/// Exact, of any size, and by PoCo's own formula: the digests of all groups that pass.
fn reference(trust: u32, ballots: &[TestBallot]) -> Vec<u8> {
    let big = |n: u64| BigUint::from(n);
    let mut groups = BTreeMap::<u8, BigUint>::new();
    for b in ballots {
        let group = groups.entry(b.digest).or_insert_with(|| big(1));
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
        .map(|(digest, _)| digest)
        .collect()
}

fn ballots(most: usize, scores: impl Strategy<Value = u32>) -> impl Strategy<Value = Vec<TestBallot>> {
    proptest::collection::vec((0u8..4, 0u32..4, scores), 0..most).prop_map(|all| {
        let numbered = (0u64..).zip(all);
        numbered
            .map(|(account, (digest, at, confidence))| ballot(account, digest, at, confidence))
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
            agreement(100, &SEED, &unanimous(needed - 1, confidence)),
            None,
            "{needed} at {confidence}"
        );
        assert!(
            agreement(100, &SEED, &unanimous(needed, confidence)).is_some(),
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
        assert_eq!(
            agreement(trust, &SEED, &unanimous(needed - 1, 0)),
            None,
            "trust {trust}"
        );
        assert!(
            agreement(trust, &SEED, &unanimous(needed, 0)).is_some(),
            "trust {trust}"
        );
    }
}

#[test]
fn a_dissenter_is_outvoted_only_by_enough_weight() {
    // 2^n > (1 + 2) · 99 from n = 9 on.
    let mut votes = unanimous(8, 0);
    votes.push(ballot(100, 2, 1, 0));
    assert_eq!(agreement(100, &SEED, &votes), None);
    votes.push(ballot(101, 1, 6, 0));
    let agreed = agreement(100, &SEED, &votes).unwrap();
    assert_eq!((agreed.digest, agreed.wrong), (1, vec![100]));
    assert_eq!(agreed.also_correct.len(), 8);
}

#[test]
fn nobody_and_ties_and_discord_agree_on_nothing() {
    assert_eq!(agreement::<u64, u8, u32>(2, &SEED, &[]), None);
    assert_eq!(agreement(2, &SEED, &[ballot(1, 1, 1, 0), ballot(2, 2, 1, 0)]), None);
    assert_eq!(
        agreement(2, &SEED, &[ballot(1, 1, 1, 0), ballot(2, 2, 1, 0), ballot(3, 3, 1, 0)]),
        None
    );
    let saturated: Vec<_> = (0..20).map(|n| ballot(n, (n % 2) as u8, 1, u32::MAX)).collect();
    assert_eq!(agreement(2, &SEED, &saturated), None);
}

#[test]
fn a_threshold_below_two_counts_as_two() {
    for trust in [0, 1, 2] {
        assert!(agreement(trust, &SEED, &unanimous(1, 0)).is_some());
        assert_eq!(agreement(trust, &SEED, &[ballot(1, 1, 1, 0), ballot(2, 2, 1, 0)]), None);
    }
}

#[test]
fn the_earliest_commit_is_the_best_and_within_a_block_the_lowest_lot() {
    let early = [
        ballot(1, 1, 9, 30),
        ballot(2, 1, 8, 0),
        ballot(3, 1, 9, 0),
        ballot(4, 2, 1, 0),
    ];
    let agreed = agreement(2, &SEED, &early).unwrap();
    assert_eq!(agreed.best, 2);

    let same_block: Vec<_> = (1..=5).map(|account| ballot(account, 1, 9, 0)).collect();
    for byte in 0..32u8 {
        let seed = [byte; 32];
        let agreed = agreement(2, &seed, &same_block).unwrap();
        let mut by_lot: Vec<u64> = (1..=5).collect();
        by_lot.sort_by_key(|account| lot(&seed, account));
        assert_eq!(agreed.best, by_lot[0]);
        assert_eq!(agreed.also_correct, by_lot[1..]);
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
    let votes = unanimous(4, 0);
    let mut wins = [0u32; 4];
    for n in 0..4000u32 {
        let best = agreement(2, &blake2_256(&n.to_le_bytes()), &votes).unwrap().best;
        wins[best as usize] += 1;
    }
    assert!(wins.iter().all(|count| (850..1150).contains(count)), "{wins:?}");
}

proptest! {
    #[test]
    fn equals_the_exact_formula_while_nothing_saturates(
        trust in 2u32.., votes in ballots(12, 0u32..3000),
    ) {
        // 12 weights below 1000 multiply to less than 2¹²⁰, and trust is only a factor of the right-hand side.
        let exact = reference(trust, &votes);
        let found = agreement(trust, &SEED, &votes).map(|agreed| agreed.digest);
        prop_assert_eq!(found, exact.first().copied());
    }

    #[test]
    fn saturation_never_makes_an_agreement(trust in 2u32.., votes in ballots(40, any::<u32>())) {
        if let Some(agreed) = agreement(trust, &SEED, &votes) {
            prop_assert_eq!(reference(trust, &votes), vec![agreed.digest]);
        }
    }

    #[test]
    fn two_groups_never_both_win(trust in 2u32..50, votes in ballots(16, 0u32..400)) {
        prop_assert!(reference(trust, &votes).len() <= 1);
        let mut scores = BTreeMap::<u8, Vec<u32>>::new();
        for vote in &votes {
            scores.entry(vote.digest).or_default().push(vote.confidence);
        }
        let groups: Vec<u128> = scores.into_values().map(group_weight).collect();
        let total: u128 = groups.iter().sum();
        prop_assert!(groups.iter().filter(|group| outweighs(**group, total - **group, trust)).count() <= 1);
    }

    #[test]
    fn the_order_of_ballots_does_not_matter(
        (votes, shuffled) in ballots(16, any::<u32>()).prop_flat_map(|b| (Just(b.clone()), Just(b).prop_shuffle())),
        trust in 0u32..20,
        seed: [u8; 32],
    ) {
        prop_assert_eq!(agreement(trust, &seed, &votes), agreement(trust, &seed, &shuffled));
    }

    #[test]
    fn everybody_who_voted_is_named_once(votes in ballots(16, 0u32..400), seed: [u8; 32]) {
        if let Some(agreed) = agreement(2, &seed, &votes) {
            let mut named = vec![agreed.best];
            named.extend(&agreed.also_correct);
            for account in &named {
                prop_assert_eq!(votes[*account as usize].digest, agreed.digest);
            }
            for account in &agreed.wrong {
                prop_assert!(votes[*account as usize].digest != agreed.digest);
            }
            named.extend(&agreed.wrong);
            named.sort_unstable();
            prop_assert_eq!(named, (0..votes.len() as u64).collect::<Vec<_>>());
        }
    }

    #[test]
    fn one_more_supporter_never_breaks_an_agreement(votes in ballots(12, 0u32..400), trust in 2u32..20, score: u32) {
        if let Some(agreed) = agreement(trust, &SEED, &votes) {
            let mut more = votes;
            more.push(ballot(1000, agreed.digest, 9, score));
            prop_assert_eq!(agreement(trust, &SEED, &more).map(|a| a.digest), Some(agreed.digest));
        }
    }
}
