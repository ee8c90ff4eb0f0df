//! Every operation against the plain list of weights.

use super::*;
use core::cell::Cell;
use proptest::prelude::*;
use std::{
    collections::HashSet,
    hash::{BuildHasher, Hasher, RandomState},
};

type Tree = Fenwick<Vec<u128>>;

fn tree_of(weights: &[u64]) -> Tree {
    let mut tree = Tree::default();
    for (leaf, weight) in weights.iter().enumerate() {
        assert_eq!(tree.push(*weight), Ok(leaf as u32));
    }
    tree
}

fn total(weights: &[u64]) -> u128 {
    weights.iter().map(|weight| u128::from(*weight)).sum()
}

/// Walks along the list.
fn naive_find(weights: &[u64], ticket: u128) -> Option<Hit> {
    let mut start = 0u128;
    for (leaf, weight) in weights.iter().enumerate() {
        if ticket < start + u128::from(*weight) {
            return Some(Hit {
                leaf: leaf as u32,
                start,
                weight: *weight,
            });
        }
        start += u128::from(*weight);
    }
    None
}

/// Draws from the list and strikes out what is drawn.
fn naive_draw(weights: &[u64], seed: [u8; 32], count: usize) -> Vec<u32> {
    let mut weights = weights.to_vec();
    let mut tickets = Tickets::new(seed);
    let mut drawn = Vec::new();
    while drawn.len() < count {
        let Some(ticket) = tickets.below(total(&weights)) else {
            break;
        };
        let hit = naive_find(&weights, ticket).expect("the ticket is below the total");
        weights[hit.leaf as usize] = 0;
        drawn.push(hit.leaf);
    }
    drawn
}

fn assert_same(tree: &Tree, weights: &[u64]) {
    assert_eq!(tree.leaf_count() as usize, weights.len());
    assert_eq!(tree.total(), Ok(total(weights)));
    for leaf in 0..weights.len() {
        assert_eq!(tree.weight(leaf as u32), Ok(weights[leaf]));
        assert_eq!(tree.prefix_sum(leaf as u32), Ok(total(&weights[..leaf])));
    }
    // Every node is the sum that it stands for, not just one that fits the others.
    for index in 1..=weights.len() {
        let first = index - (index & index.wrapping_neg());
        assert_eq!(tree.nodes()[index - 1], total(&weights[first..index]));
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push(u64),
    Set(prop::sample::Index, u64),
    Remove(prop::sample::Index),
}

fn weight() -> impl Strategy<Value = u64> {
    prop_oneof![2 => Just(0), 5 => 1..100u64, 1 => any::<u64>(), 1 => Just(u64::MAX)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => weight().prop_map(Step::Push),
        3 => (any::<prop::sample::Index>(), weight()).prop_map(|(leaf, weight)| Step::Set(leaf, weight)),
        2 => any::<prop::sample::Index>().prop_map(Step::Remove),
    ]
}

proptest! {
    #[test]
    fn equals_the_list_after_any_steps(steps in prop::collection::vec(step(), 0..200)) {
        let (mut tree, mut weights) = (Tree::default(), Vec::<u64>::new());
        for step in steps {
            match step {
                Step::Push(weight) => {
                    prop_assert_eq!(tree.push(weight), Ok(weights.len() as u32));
                    weights.push(weight);
                }
                Step::Set(leaf, weight) if !weights.is_empty() => {
                    let leaf = leaf.index(weights.len());
                    prop_assert_eq!(tree.set(leaf as u32, weight), Ok(weights[leaf]));
                    weights[leaf] = weight;
                }
                Step::Remove(leaf) if !weights.is_empty() => {
                    let leaf = leaf.index(weights.len());
                    let last = weights.len() - 1;
                    let moved = (leaf != last).then_some(last as u32);
                    prop_assert_eq!(tree.swap_remove(leaf as u32), Ok(moved));
                    weights.swap_remove(leaf);
                }
                Step::Set(..) => prop_assert_eq!(tree.set(0, 1), Err(FenwickError::OutOfRange)),
                Step::Remove(_) => prop_assert_eq!(tree.swap_remove(0), Err(FenwickError::OutOfRange)),
            }
            assert_same(&tree, &weights);
        }
    }

    #[test]
    fn every_ticket_falls_on_the_same_leaf_as_on_the_list(weights in prop::collection::vec(0..6u64, 0..40)) {
        let tree = tree_of(&weights);
        for ticket in 0..total(&weights) {
            prop_assert_eq!(tree.find(ticket).ok(), naive_find(&weights, ticket));
        }
        prop_assert_eq!(tree.find(total(&weights)), Err(FenwickError::OutOfRange));
        prop_assert_eq!(tree.find(u128::MAX), Err(FenwickError::OutOfRange));
    }

    #[test]
    fn large_weights_are_found_like_small_ones(
        weights in prop::collection::vec(weight(), 1..300),
        ticket in any::<u128>(),
    ) {
        let tree = tree_of(&weights);
        let ticket = ticket.checked_rem(total(&weights)).unwrap_or_default();
        prop_assert_eq!(tree.find(ticket).ok(), naive_find(&weights, ticket));
    }

    #[test]
    fn a_draw_equals_the_naive_draw(
        weights in prop::collection::vec(weight(), 0..120),
        seed in any::<[u8; 32]>(),
        count in 0..130usize,
    ) {
        let tree = tree_of(&weights);
        let drawn: Vec<u32> = tree.draw(seed).unwrap().take(count).map(|hit| hit.leaf).collect();
        prop_assert_eq!(&drawn, &naive_draw(&weights, seed, count));
        let weighted = weights.iter().filter(|weight| **weight > 0).count();
        prop_assert_eq!(drawn.len(), count.min(weighted));
        prop_assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), drawn.len());
    }

    #[test]
    fn tickets_are_below_their_bound(seed in any::<[u8; 32]>(), bound in 1..=MAX_TICKET_BOUND) {
        let mut tickets = Tickets::new(seed);
        for _ in 0..8 {
            prop_assert!(tickets.below(bound).unwrap() < bound);
        }
    }
}

#[test]
fn an_empty_tree_has_nothing() {
    let mut tree = Tree::default();
    assert_eq!(tree.total(), Ok(0));
    assert_eq!(tree.find(0), Err(FenwickError::OutOfRange));
    assert_eq!(tree.weight(0), Err(FenwickError::OutOfRange));
    assert_eq!(tree.prefix_sum(1), Err(FenwickError::OutOfRange));
    assert_eq!(tree.set(u32::MAX, 1), Err(FenwickError::OutOfRange));
    assert_eq!(tree.draw([0; 32]).unwrap().next(), None);
}

#[test]
fn a_full_tree_takes_no_more() {
    struct Full;
    impl NodeStore for Full {
        fn leaf_count(&self) -> u32 {
            u32::MAX
        }
        fn set_leaf_count(&mut self, _: u32) {
            unreachable!("nothing is appended")
        }
        fn node(&self, _: u32) -> u128 {
            0
        }
        fn set_node(&mut self, _: u32, _: u128) {
            unreachable!("nothing is appended")
        }
    }
    assert_eq!(Fenwick::new(Full).push(1), Err(FenwickError::Full));
    // The highest index has no parent that 32 bits could name: the walk up ends.
    assert_eq!(Fenwick::new(Full).set(u32::MAX - 1, 0), Ok(0));
}

#[test]
fn contradicting_nodes_are_noticed() {
    // Node 2 sums leaves 0 and 1 but is below node 1, which is leaf 0.
    let mut tree = Fenwick::new(vec![5u128, 3]);
    assert_eq!(tree.weight(1), Err(FenwickError::Corrupt));
    assert_eq!(tree.set(0, 9).and_then(|_| tree.set(1, 1)), Err(FenwickError::Corrupt));
    // A leaf above 64 bits, and a sum above 128.
    assert_eq!(Fenwick::new(vec![u128::MAX]).weight(0), Err(FenwickError::Corrupt));
    assert_eq!(Fenwick::new(vec![u128::MAX]).find(0), Err(FenwickError::Corrupt));
    assert_eq!(
        Fenwick::new(vec![1, u128::MAX, u128::MAX]).total(),
        Err(FenwickError::Corrupt)
    );
    assert!(Fenwick::new(vec![1, u128::MAX, u128::MAX]).draw([0; 32]).is_err());
}

/// Fixes the bytes: whoever draws again from the same seed must get the same.
#[test]
fn tickets_and_draws_are_what_they_were() {
    let mut tickets = Tickets::new([7; 32]);
    let drawn: Vec<u128> = (0..3).map(|_| tickets.below(MAX_TICKET_BOUND).unwrap()).collect();
    // The last 96 bits of blake2_256("agora/draw/1" ‖ 07…07 ‖ i).
    let hashed: Vec<u128> = (0u32..3)
        .map(|i| {
            let hash = blake2_256(&[TICKET_DOMAIN, &[7; 32], &i.to_le_bytes()].concat());
            u128::from_be_bytes(hash[16..].try_into().unwrap()) % MAX_TICKET_BOUND
        })
        .collect();
    assert_eq!(drawn, hashed);
    assert_eq!(drawn[0], GOLDEN_TICKET);

    let tree = tree_of(&[1, 0, 10, 100, 7, 7, 7, 50]);
    let leaves: Vec<u32> = tree.draw([7; 32]).unwrap().map(|hit| hit.leaf).collect();
    assert_eq!(leaves, GOLDEN_DRAW);
}

/// Worked out by another program, from the documentation.
const GOLDEN_TICKET: u128 = 73_641_737_987_872_114_244_168_525_502;
const GOLDEN_DRAW: [u32; 7] = [3, 7, 6, 5, 4, 0, 2];

#[test]
fn tickets_need_a_bound_that_they_can_keep() {
    let mut tickets = Tickets::new([1; 32]);
    assert_eq!(tickets.below(0), None);
    assert_eq!(tickets.below(MAX_TICKET_BOUND + 1), None);
    // A refused bound uses up no number.
    assert_eq!(tickets, Tickets::new([1; 32]));
    assert_eq!(
        Tickets {
            seed: [1; 32],
            counter: u32::MAX
        }
        .below(5),
        None
    );
}

/// Modulo by limbs equals modulo of the whole: (a·2¹²⁸ + b) mod m, worked out by doubling.
#[test]
fn long_division_equals_doubling() {
    for (i, bound) in [1u128, 2, 3, 97, (1 << 64) - 59, (1 << 96) - 17, 1 << 96]
        .into_iter()
        .enumerate()
    {
        let seed = [i as u8; 32];
        let hash = blake2_256(&[TICKET_DOMAIN, &seed, &0u32.to_le_bytes()].concat());
        let mut expected = 0u128;
        for byte in hash {
            for bit in (0..8).rev() {
                expected = (expected * 2 + u128::from(byte >> bit & 1)) % bound;
            }
        }
        assert_eq!(Tickets::new(seed).below(bound), Some(expected));
    }
}

fn fresh_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn seed_of(run: u64, round: u64) -> [u8; 32] {
    blake2_256(&[run.to_le_bytes(), round.to_le_bytes()].concat())
}

/// Σ (seen − expected)² / expected.
fn chi_squared(seen: &[u64], expected: &[f64]) -> f64 {
    seen.iter()
        .zip(expected)
        .map(|(seen, expected)| (*seen as f64 - expected).powi(2) / expected)
        .sum()
}

/// Fresh randomness each time: the limits are passed by a right draw in all but one of 10⁹ runs.
#[test]
fn draws_are_in_proportion_to_weight() {
    const ROUNDS: u64 = 60_000;
    let run = fresh_seed();
    println!("seed of this run: {run:#018x}");
    let weights = [1u64, 2, 3, 40, 0, 5, 5, 9, 11, 24];
    let sum: u64 = weights.iter().sum();
    let tree = tree_of(&weights);
    let mut first = [0u64; 10];
    let mut second = [0u64; 10];
    for round in 0..ROUNDS {
        let mut draw = tree.draw(seed_of(run, round)).unwrap();
        first[draw.next().unwrap().leaf as usize] += 1;
        second[draw.next().unwrap().leaf as usize] += 1;
    }
    assert_eq!((first[4], second[4]), (0, 0), "a leaf without weight was drawn");

    let p = |leaf: usize| weights[leaf] as f64 / sum as f64;
    let some: Vec<usize> = (0..10).filter(|leaf| weights[*leaf] > 0).collect();
    let expected_first: Vec<f64> = some.iter().map(|leaf| p(*leaf) * ROUNDS as f64).collect();
    // The first is some i, then j out of what remains.
    let expected_second: Vec<f64> = some
        .iter()
        .map(|j| {
            some.iter()
                .filter(|i| *i != j)
                .map(|i| p(*i) * p(*j) / (1.0 - p(*i)))
                .sum::<f64>()
                * ROUNDS as f64
        })
        .collect();
    let seen = |counts: &[u64; 10]| some.iter().map(|leaf| counts[*leaf]).collect::<Vec<_>>();
    // Eight degrees of freedom: P(χ² > 60) < 10⁻⁹.
    for (name, counts, expected) in [("first", first, expected_first), ("second", second, expected_second)] {
        let chi = chi_squared(&seen(&counts), &expected);
        println!("{name} draw: chi squared {chi:.2} with 8 degrees of freedom");
        assert!(chi < 60.0, "{name} draw is off: chi squared {chi} (seed {run:#x})");
    }
}

/// Counts the nodes read and written.
#[derive(Default)]
struct Counting {
    nodes: Vec<u128>,
    reads: Cell<u32>,
    writes: Cell<u32>,
}

impl NodeStore for Counting {
    fn leaf_count(&self) -> u32 {
        self.nodes.leaf_count()
    }
    fn set_leaf_count(&mut self, count: u32) {
        self.nodes.set_leaf_count(count);
    }
    fn node(&self, index: u32) -> u128 {
        self.reads.set(self.reads.get() + 1);
        self.nodes.node(index)
    }
    fn set_node(&mut self, index: u32, sum: u128) {
        self.writes.set(self.writes.get() + 1);
        self.nodes.set_node(index, sum);
    }
}

#[test]
fn no_operation_touches_more_nodes_than_documented() {
    for count in [1u32, 2, 3, 7, 8, 9, 255, 256, 257, 1000] {
        let mut tree = Fenwick::new(Counting::default());
        let used = |tree: &Fenwick<Counting>| (tree.nodes().reads.take(), tree.nodes().writes.take());
        for leaf in 0..count {
            tree.push(u64::from(leaf % 5) + 1).unwrap();
            let (reads, writes) = used(&tree);
            assert!(reads <= (leaf + 1).ilog2() + 1 && writes == 1);
        }
        let most = count.ilog2() + 1;
        for leaf in 0..count {
            tree.weight(leaf).unwrap();
            assert!(used(&tree).0 <= most);
            tree.set(leaf, 77).unwrap();
            let (reads, writes) = used(&tree);
            assert!(
                reads <= most && writes <= most,
                "{reads} reads, {writes} writes of {most}"
            );
            tree.find(tree.total().unwrap() * u128::from(leaf) / u128::from(count))
                .unwrap();
            assert!(used(&tree).0 <= 2 * most);
        }
        for leaf in (0..count).rev().map(|leaf| leaf / 2) {
            tree.swap_remove(leaf).unwrap();
            let (reads, writes) = used(&tree);
            assert!(reads <= 2 * most && writes <= most + 1);
        }
        assert_eq!(tree.leaf_count(), 0);
    }
}
