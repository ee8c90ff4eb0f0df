//! 200,000 workers: what a draw and a change of priority read.

use crate::{
    Column, LeafOwners, Members, Profile, Trees,
    mock::*,
    types::{Levels, Member, Weights, Worker},
};
use agora_math::fenwick::{Fenwick, NodeStore};
use agora_primitives::participants::{Specialisation, Specialisations};
use sp_core::H256;
use sp_io::hashing::blake2_256;
use std::cell::Cell;

const WORKERS: u32 = 200_000;
/// ⌊log₂ 200,000⌋ + 1.
const DEPTH: u32 = 18;

/// Counts the nodes that one tree reads and writes.
struct Counting<'a> {
    storage: Column<'a, Test>,
    reads: Cell<u32>,
    writes: Cell<u32>,
}

impl NodeStore for Counting<'_> {
    fn leaf_count(&self) -> u32 {
        self.storage.leaf_count()
    }
    fn set_leaf_count(&mut self, count: u32) {
        self.storage.set_leaf_count(count);
    }
    fn node(&self, index: u32) -> u128 {
        self.reads.set(self.reads.get() + 1);
        self.storage.node(index)
    }
    fn set_node(&mut self, index: u32, sum: u128) {
        self.writes.set(self.writes.get() + 1);
        self.storage.set_node(index, sum);
    }
}

fn used(tree: &Fenwick<Counting<'_>>) -> (u32, u32) {
    (tree.nodes().reads.take(), tree.nodes().writes.take())
}

fn account(leaf: u32) -> AccountId {
    10_000 + AccountId::from(leaf)
}

/// Registers them as `register` does, but for the bond and the event.
fn register_all(tree: &mut Fenwick<Counting<'_>>) -> u32 {
    let mut most = 0;
    for leaf in 0..WORKERS {
        let specialisations = Specialisations::from_iter([Specialisation::Synthetic, Specialisation::Inference]);
        let profile = Profile {
            specialisations,
            slots: 1 + leaf % MAX_SLOTS,
            capability: 1 + leaf % MAX_CAPABILITY,
        };
        let worker = Worker::new(profile, Levels::default(), u32::MAX, leaf);
        let weight = worker.priority(Specialisation::Synthetic);
        assert_eq!(tree.push(weight), Ok(leaf));
        most = most.max(used(tree).0);
        let who = account(leaf);
        LeafOwners::<Test>::insert(leaf, who);
        Members::<Test>::insert(
            who,
            Member {
                worker: Some(worker),
                ..Member::new(System::block_number())
            },
        );
    }
    most
}

#[test]
fn a_draw_and_a_change_of_priority_read_a_logarithm() {
    ExtBuilder::default().build().execute_with(|| {
        // No bonds were paid.
        WorkerMinimum::set(0);
        let trees = Trees::<Test>::load();
        let mut tree = Fenwick::new(Counting {
            storage: trees.of(Specialisation::Synthetic).into_nodes(),
            reads: Cell::default(),
            writes: Cell::default(),
        });
        let most_for_push = register_all(&mut tree);
        assert_eq!(tree.leaf_count(), WORKERS);

        let (mut draws, mut most_for_draw, mut sum_for_draw) = (0, 0, 0);
        for number in 0..500u32 {
            let count = 1 + number % 4;
            let seed = H256::from(blake2_256(&number.to_le_bytes()));
            let drawn = Registry::draw_from(&tree, seed, Specialisation::Synthetic, count, &[]).unwrap();
            assert_eq!((drawn.workers.len() as u32, drawn.inactive.len()), (count, 0));
            let (reads, writes) = used(&tree);
            assert!(reads <= DEPTH * (1 + count), "{reads} reads for {count} workers");
            assert_eq!(writes, 0);
            most_for_draw = most_for_draw.max(reads.div_ceil(1 + count));
            sum_for_draw += reads;
            draws += count;
        }

        let (mut most_reads, mut most_writes) = (0, 0);
        for number in 0..2_000u32 {
            // The first leaves have the most nodes above them, those before a power of two the most below.
            let leaf = if number < 100 {
                number
            } else {
                number.wrapping_mul(2_654_435_761) % WORKERS
            };
            tree.set(leaf, u64::from(number) + 7).unwrap();
            let (reads, writes) = used(&tree);
            assert!(reads <= DEPTH && writes <= DEPTH);
            most_reads = most_reads.max(reads);
            most_writes = most_writes.max(writes);
        }
        tree.set((1 << 17) - 1, 1).unwrap();
        assert!(used(&tree).0 <= DEPTH);

        let mut most_for_removal = 0;
        for leaf in [0, 1, 77, (1 << 17) - 1, 199_000] {
            tree.swap_remove(leaf).unwrap();
            most_for_removal = most_for_removal.max(used(&tree).0);
        }
        assert!(most_for_push <= DEPTH && most_for_removal <= 2 * DEPTH);

        println!("{WORKERS} workers, log2 rounded up: {DEPTH}. Nodes read in storage, at most:");
        println!(
            "  draw: {most_for_draw} per worker drawn and once more for the total (average of {draws} draws: {:.1})",
            f64::from(sum_for_draw) / f64::from(draws)
        );
        println!("  change of priority: {most_reads} (and {most_writes} written)");
        println!("  registration: {most_for_push} (and 1 written); removal: {most_for_removal}");
    });
}

/// A worker that declares everything costs no more nodes than one that declares one kind of work: they are kept together.
#[test]
fn a_change_in_all_trees_touches_the_nodes_of_one() {
    ExtBuilder::default().build().execute_with(|| {
        crate::WorkerCount::<Test>::put(WORKERS);
        let touched = |change: &dyn Fn(&Trees<Test>)| {
            let trees = Trees::<Test>::load();
            change(&trees);
            let touched = trees.touched();
            trees.save();
            touched
        };
        let weights: Weights = core::array::from_fn(|index| 1_000 + index as u64);
        for leaf in [0, 1, 77, (1 << 17) - 1, 199_000, WORKERS - 1] {
            let (read, changed) = touched(&|trees| trees.set(leaf, weights).unwrap());
            assert!(
                read <= DEPTH as usize && changed <= DEPTH as usize,
                "{read} read, {changed} changed"
            );
            // What does not change is not written.
            assert_eq!(touched(&|trees| trees.set(leaf, weights).unwrap()).1, 0);
        }
        let (read, changed) = touched(&|trees| assert_eq!(trees.push(weights), Ok(WORKERS)));
        assert!(read <= DEPTH as usize && changed == 1, "{read} read, {changed} changed");
        let (read, changed) = touched(&|trees| assert_eq!(trees.swap_remove(1), Ok(Some(WORKERS))));
        assert!(
            read <= 2 * DEPTH as usize && changed <= DEPTH as usize + 1,
            "{read} read, {changed} changed"
        );
        assert_eq!(workers(), WORKERS);
    });
}
