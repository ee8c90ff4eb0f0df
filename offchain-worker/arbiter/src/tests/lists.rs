//! What is known of a liar's list.

use super::world::Random;
use crate::list::List;
use agora_disputes::{
    Node, Openings, Tree,
    player::{Content, ShownList, children},
};
use agora_jobs::{BlobRef, ChunkProof, H256, blob::CHUNK_BYTES};
use proptest::prelude::*;

fn digest(random: &mut Random) -> H256 {
    let mut digest = H256::zero();
    let words = digest.0.chunks_mut(8);
    words.for_each(|word| word.copy_from_slice(&random.next().to_le_bytes()));
    digest
}

/// A list of `count` digests that is right before entry `from` (at most `count - 1`, and the length of the right one), and the right one.
fn lists(count: usize, right: usize, from: usize, random: &mut Random) -> (Vec<u8>, Vec<u8>) {
    let right: Vec<_> = (0..right).map(|_| digest(random)).collect();
    let mut wrong: Vec<_> = right.iter().copied().take(count).collect();
    wrong.resize_with(count, || digest(random));
    wrong[from] = digest(random);
    for entry in &mut wrong[from..] {
        if random.below(4) == 0 {
            *entry = digest(random);
        }
    }
    (agora_reference::list(&wrong), agora_reference::list(&right))
}

/// Goes down `list` to the chunk with entry `entry`, as a game does: the nodes on the way, and the number of the chunk.
fn descend(list: &[u8], entry: usize) -> (Openings, u64) {
    let at = entry as u64 * 32;
    let mut node = Node::blob(&BlobRef::to(list));
    let mut openings = Openings::new();
    while !node.is_leaf() {
        let shown = children(&node, Content::Bytes(list));
        assert!(node.opens(&shown));
        let mut spans = node.spans().into_iter().zip(&shown);
        let ((first, len), &hash) = spans
            .find(|((first, len), _)| (*first..first + len).contains(&at))
            .unwrap();
        openings.insert((node.first, node.len), shown);
        node = Node {
            tree: Tree::Blob,
            first,
            len,
            root: false,
            hash,
        };
    }
    (openings, at / CHUNK_BYTES as u64)
}

fn chunk(list: &[u8], index: u64) -> &[u8] {
    list.chunks(CHUNK_BYTES).nth(index as usize).unwrap()
}

/// Whatever is said to be known of `list` is so.
fn knows_nothing_wrong(known: &List, list: &[u8]) -> Result<(), TestCaseError> {
    for index in 0..known.blob.chunks() + 2 {
        if let Some(bytes) = known.chunk(index) {
            prop_assert_eq!(bytes, chunk(list, index));
        }
        if let Some(proof) = known.prove(index) {
            prop_assert_eq!(Some(proof), ChunkProof::new(list, index));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Of a wrong list everything before the entry that is named is known, and can be proven.
    #[test]
    fn every_chunk_up_to_the_named_one_is_proven(
        count in prop_oneof![1usize..200, 500usize..600, 1usize..20_000], other: prop::sample::Index, longer: bool, from: prop::sample::Index, seed: u64,
    ) {
        let mut random = Random(seed);
        let right = if longer { count + other.index(100) } else { count - other.index(count.min(40)) };
        let from = from.index(count.min(right + 1));
        let (list, right) = lists(count, right, from, &mut random);
        let (openings, index) = descend(&list, from);
        let shown = ShownList { list: BlobRef::to(&list), openings: &openings, index, bytes: chunk(&list, index).to_vec() };
        let known = List::new(shown.list, right.clone(), Some(&shown));
        for before in 0..=index {
            prop_assert_eq!(known.chunk(before), Some(chunk(&list, before)), "chunk {} of {}", before, index);
            prop_assert_eq!(known.prove(before), ChunkProof::new(&list, before));
        }
        knows_nothing_wrong(&known, &list)?;
    }

    /// Whatever others say was shown, nothing is believed that is not so.
    #[test]
    fn what_does_not_fit_is_not_believed(
        count in 1usize..3000, from: prop::sample::Index, seed: u64, what in 0..6,
    ) {
        let mut random = Random(seed);
        let from = from.index(count);
        let (list, right) = lists(count, count, from, &mut random);
        let (mut openings, mut index) = descend(&list, from);
        let mut bytes = chunk(&list, index).to_vec();
        let nodes = openings.len().max(1) as u64;
        match what {
            0 => random.flip(&mut bytes),
            1 => index = random.next() >> random.below(64),
            2 => {
                let at = random.below(nodes) as usize;
                openings.values_mut().skip(at).take(1).for_each(|node| node[0].0[random.below(32) as usize] ^= 1);
            }
            3 => {
                let at = random.below(nodes) as usize;
                let key = openings.keys().nth(at).copied();
                key.map(|key| openings.remove(&key));
            }
            4 => bytes.truncate(random.below(1024) as usize),
            _ => openings.values_mut().for_each(|node| node.truncate(random.below(17) as usize)),
        }
        let blob = BlobRef::to(&list);
        let shown = ShownList { list: blob, openings: &openings, index, bytes };
        knows_nothing_wrong(&List::new(blob, right.clone(), Some(&shown)), &list)?;
        // The length of a list is what the job says: it may not be that of any list with this hash.
        let blob = BlobRef { size: random.next() >> random.below(64), ..blob };
        let shown = ShownList { list: blob, ..shown };
        let known = List::new(blob, right.clone(), Some(&shown));
        for index in [0, 1, index, random.next()] {
            if let Some(proof) = known.prove(index) {
                prop_assert!(blob.verify(&proof));
            }
        }
    }
}

#[test]
fn a_right_list_and_a_beginning_of_it_are_known_as_a_whole() {
    let (_, right) = lists(1, 1000, 0, &mut Random(1));
    for count in [0, 1, 31, 32, 33, 512, 513, 999, 1000] {
        let list = &right[..count * 32];
        let known = List::new(BlobRef::to(list), right.clone(), None);
        for index in 0..known.blob.chunks() {
            assert_eq!(known.prove(index), ChunkProof::new(list, index));
            assert_eq!(
                known.chunk(index).unwrap(),
                &list[index as usize * 1024..][..known.blob.chunk_len(index).unwrap()]
            );
        }
    }
}
