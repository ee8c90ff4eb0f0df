//! The trees against an independent definition, golden vectors, and everything that a hostile proof can contain.

use super::{
    mountain::{Blake2Merge, mountain_items},
    *,
};
use mmr_lib::{MMR, util::MemStore};
use proptest::prelude::*;

/// Numbers from an implementation in another language, written from the description of this module alone.
mod golden {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn roots_of_lists() {
        assert_eq!(
            hex(&root(&[])),
            "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"
        );
        assert_eq!(
            hex(&root(&[leaf_hash(b"")])),
            "47f50f8577ed4ea2d1bc8cc2cdb1eb31fd81c0e63563a2e96ac410e223112d4f"
        );
        let three = [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")];
        assert_eq!(
            hex(&root(&three)),
            "8793555fbe68dd195dae427f2e54a7a4fdba37d74fefe977011b0490551e29d3"
        );
    }

    #[test]
    fn compute_roots() {
        assert_eq!(
            hex(&compute_root(5, &[7; 32])),
            "ce8049ad88926fe5b778c3e2e07a65524f2ad20bda90d8dbff84a20c99bf0b45"
        );
    }

    #[test]
    fn a_block_leaf_cannot_be_taken_for_a_node() {
        let leaf = BlockLeaf {
            version: 1,
            block: 2,
            block_hash: [3; 32],
            results_root: [4; 32],
            count: 5,
        };
        let encoded = leaf.encode();
        assert_eq!(encoded.len(), 77);
        assert_eq!(
            encoded,
            [&[1][..], &2u64.to_le_bytes(), &[3; 32], &[4; 32], &5u32.to_le_bytes()].concat()
        );
    }
}

/// RFC 6962's definition: split at the largest power of two below the length.
fn reference_top(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => blake2_256(&[]),
        [one] => *one,
        many => {
            let split = 1 << (many.len() - 1).ilog2();
            node_hash(&reference_top(&many[..split]), &reference_top(&many[split..]))
        }
    }
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&i.to_le_bytes())).collect()
}

/// A mountain range over `contents`: its compute root and the proof for the leaf at `index`.
fn mountain(contents: &[Vec<u8>], index: u64) -> (Hash, MountainProof) {
    let store = MemStore::default();
    let mut range = MMR::<Hash, Blake2Merge, _>::new(0, &store);
    for content in contents {
        range.push(blake2_256(content)).unwrap();
    }
    let items = range
        .gen_proof(vec![mmr_lib::leaf_index_to_pos(index)])
        .unwrap()
        .proof_items()
        .to_vec();
    let leaf_count = contents.len() as u64;
    (
        compute_root(leaf_count, &range.get_root().unwrap()),
        MountainProof {
            leaf_index: index,
            leaf_count,
            items,
        },
    )
}

fn contents(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|i| i.to_le_bytes().to_vec()).collect()
}

/// A complete proof: result `index` of `count` in block `block` of `blocks`.
fn whole(count: u32, index: usize, blocks: u64, block: u64) -> (Hash, Vec<u8>, Proof, BlockLeaf, MountainProof) {
    let result = index.to_le_bytes().to_vec();
    let hashes = leaves(count as usize);
    let leaf = |block, results_root| BlockLeaf {
        version: 1,
        block,
        block_hash: [block as u8; 32],
        results_root,
        count,
    };
    let contents: Vec<_> = (0..blocks)
        .map(|n| leaf(n, if n == block { root(&hashes) } else { [n as u8; 32] }).encode())
        .collect();
    let (compute_root, mountain) = mountain(&contents, block);
    (
        compute_root,
        result,
        prove(&hashes, index).unwrap(),
        leaf(block, root(&hashes)),
        mountain,
    )
}

#[test]
fn every_leaf_of_every_small_tree_is_proven() {
    for count in 0..70 {
        let leaves = leaves(count);
        let root = root(&leaves);
        for (index, leaf) in leaves.iter().enumerate() {
            let proof = prove(&leaves, index).unwrap();
            assert_eq!((proof.index, proof.leaf_count), (index as u64, count as u64));
            assert!(verify(&root, leaf, &proof));
        }
        assert_eq!(prove(&leaves, count), None);
    }
}

#[test]
fn positions_and_counts_are_bound() {
    // The same path leads to the last leaf of three and to the second of two: only the root tells them apart.
    let three = leaves(3);
    let proof = prove(&three, 2).unwrap();
    assert!(verify(&root(&three), &three[2], &proof));
    let claimed = Proof {
        index: 1,
        leaf_count: 2,
        ..proof
    };
    assert!(!verify(&root(&three), &three[2], &claimed));
    // Likewise for the fifth of five and the third of three leaves of a range.
    let contents = contents(5);
    let (compute_root, proof) = mountain(&contents, 4);
    assert_eq!(verify_mountain(&compute_root, &contents[4], &proof), Ok(()));
    let claimed = MountainProof {
        leaf_index: 2,
        leaf_count: 3,
        ..proof
    };
    assert_eq!(
        verify_mountain(&compute_root, &contents[4], &claimed),
        Err(VerifyError::NotInMountain)
    );
}

#[test]
fn an_inner_node_is_not_a_leaf() {
    let four = leaves(4);
    let inner = node_hash(&four[0], &four[1]);
    let proof = Proof {
        index: 0,
        leaf_count: 2,
        siblings: vec![node_hash(&four[2], &four[3])],
    };
    assert!(!verify(&root(&four), &inner, &proof));
    assert_ne!(leaf_hash(&[four[0], four[1]].concat()), inner);
}

#[test]
fn every_leaf_of_every_small_range_is_proven() {
    for count in 1..70 {
        let contents = contents(count);
        for index in 0..count {
            let (compute_root, proof) = mountain(&contents, index);
            assert_eq!(proof.items.len(), mountain_items(index, count), "{index} of {count}");
            assert_eq!(
                verify_mountain(&compute_root, &contents[index as usize], &proof),
                Ok(())
            );
        }
    }
}

#[test]
fn each_kind_of_bad_proof_has_its_error() {
    let (compute_root, result, path, block, range) = whole(5, 4, 9, 3);
    let check = |path: &Proof, block: &BlockLeaf, range: &MountainProof| {
        verify_result(&compute_root, &result, path, block, range)
    };
    assert_eq!(check(&path, &block, &range), Ok(()));
    assert_eq!(
        check(&path, &BlockLeaf { version: 2, ..block }, &range),
        Err(VerifyError::Version)
    );
    assert_eq!(
        check(&path, &BlockLeaf { count: 6, ..block }, &range),
        Err(VerifyError::Position)
    );
    assert_eq!(
        check(
            &Proof {
                index: 5,
                ..path.clone()
            },
            &block,
            &range
        ),
        Err(VerifyError::Position)
    );
    assert_eq!(
        check(
            &Proof {
                siblings: vec![],
                ..path.clone()
            },
            &block,
            &range
        ),
        Err(VerifyError::Length)
    );
    assert_eq!(
        check(&prove(&leaves(5), 3).unwrap(), &block, &range),
        Err(VerifyError::NotInBlock)
    );
    assert_eq!(
        check(&path, &BlockLeaf { block: 4, ..block }, &range),
        Err(VerifyError::NotInMountain)
    );
    for claimed in [
        MountainProof {
            leaf_index: 9,
            ..range.clone()
        },
        MountainProof {
            leaf_index: 0,
            leaf_count: 0,
            items: vec![],
        },
        MountainProof {
            leaf_index: 0,
            leaf_count: u64::MAX,
            items: vec![],
        },
        MountainProof {
            leaf_index: u64::MAX,
            leaf_count: u64::MAX,
            items: vec![],
        },
    ] {
        assert_eq!(check(&path, &block, &claimed), Err(VerifyError::Position));
    }
    let longer = MountainProof {
        items: [range.items.as_slice(), &[[0; 32]]].concat(),
        ..range.clone()
    };
    assert_eq!(check(&path, &block, &longer), Err(VerifyError::Length));
    assert_eq!(
        verify_result(&[0; 32], &result, &path, &block, &range),
        Err(VerifyError::NotInMountain)
    );
}

/// Flips one bit of `bytes`.
fn flip(bytes: &mut [u8], bit: usize) {
    let bit = bit % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}

proptest! {
    #[test]
    fn the_tree_is_the_one_of_rfc_6962(count in 0usize..300) {
        let leaves = leaves(count);
        prop_assert_eq!(top(&leaves), reference_top(&leaves));
        let mut all = Accumulator::default();
        leaves.iter().for_each(|leaf| all.push(*leaf));
        prop_assert_eq!(all.count(), count as u64);
        prop_assert_eq!(all.root(), root(&leaves));
    }

    #[test]
    fn a_flipped_bit_anywhere_makes_the_proof_false(
        (count, index) in (1u32..40).prop_flat_map(|count| (Just(count), 0..count as usize)),
        (blocks, block) in (1u64..40).prop_flat_map(|blocks| (Just(blocks), 0..blocks)),
        part in 0..7,
        bit: usize,
    ) {
        let (mut compute_root, mut result, mut path, mut leaf, mut range) = whole(count, index, blocks, block);
        prop_assert_eq!(verify_result(&compute_root, &result, &path, &leaf, &range), Ok(()));
        match part {
            0 => flip(&mut compute_root, bit),
            1 => flip(&mut result, bit),
            2 if path.siblings.is_empty() => path.siblings.push([0; 32]),
            2 => flip(path.siblings.as_flattened_mut(), bit),
            3 if range.items.is_empty() => range.items.push([0; 32]),
            3 => flip(range.items.as_flattened_mut(), bit),
            4 => {
                let mut position = [path.index.to_le_bytes(), path.leaf_count.to_le_bytes()].concat();
                flip(&mut position, bit);
                path.index = u64::from_le_bytes(position[..8].try_into().unwrap());
                path.leaf_count = u64::from_le_bytes(position[8..].try_into().unwrap());
            }
            5 => {
                let mut position = [range.leaf_index.to_le_bytes(), range.leaf_count.to_le_bytes()].concat();
                flip(&mut position, bit);
                range.leaf_index = u64::from_le_bytes(position[..8].try_into().unwrap());
                range.leaf_count = u64::from_le_bytes(position[8..].try_into().unwrap());
            }
            _ => {
                let mut encoded = leaf.encode();
                flip(&mut encoded, bit);
                leaf = BlockLeaf::decode(&mut &encoded[..]).unwrap();
            }
        }
        prop_assert!(verify_result(&compute_root, &result, &path, &leaf, &range).is_err());
    }

    #[test]
    fn hostile_proofs_never_panic(
        root: Hash,
        leaf: Hash,
        index: u64,
        leaf_count: u64,
        siblings in prop::collection::vec(any::<Hash>(), 0..80),
    ) {
        let path = Proof { index, leaf_count, siblings: siblings.clone() };
        prop_assert!(!verify(&root, &leaf, &path));
        let range = MountainProof { leaf_index: index, leaf_count, items: siblings.clone() };
        prop_assert!(verify_mountain(&root, &leaf, &range).is_err());
        // With counts that are possible, and items of every number.
        for leaf_count in [1, 2, 3, 1 << 20, MAX_MOUNTAIN_LEAVES] {
            let range = MountainProof { leaf_index: index % leaf_count, leaf_count, items: siblings.clone() };
            prop_assert!(verify_mountain(&root, &leaf, &range).is_err());
        }
    }
}
