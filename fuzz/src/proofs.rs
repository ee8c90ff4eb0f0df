//! What must hold of proofs of settled results and of states, and of the trees that they lead through.
//!
//! There are two oracles. A proof that is known to be true is believed, and nothing else in its place
//! ([`check_inclusion`], [`check_state`]). A proof about which nothing is known is believed exactly if the definitions of
//! [`agora_math::merkle`] say so; they are written down here a second time, from the top of the trees
//! ([`check_merkle`], [`check_result`], [`check_opening`]).

use agora_math::merkle::{
    Accumulator, BlockLeaf, Hash, MAX_MOUNTAIN_LEAVES, MountainProof, Proof, compute_root, leaf_hash, prove, root,
    verify, verify_mountain, verify_result,
};
use agora_primitives::{
    TaskId,
    job::{BlobRef, Claim, StateOpening, states_root},
    results::{self, ResultLeaf, ResultProof},
};
use codec::{Decode, Encode};
use mmr_lib::{MMR, Merge, util::MemStore};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use sp_runtime::Digest;

/// An account as the chain has it.
pub type Account = [u8; 32];
/// All that a client is given beside the header's root: the result, its path, its block's leaf, and the leaf's path.
pub type Inclusion = (ResultLeaf<Account>, Proof, BlockLeaf, MountainProof);

/// The definitions, split from the top as in RFC 6962, where the code under test joins from the leaves.
mod definition {
    use super::*;

    fn node(left: Hash, right: Hash) -> Hash {
        blake2_256(&[&[1], &left[..], &right[..]].concat())
    }

    fn bind(domain: u8, count: u64, top: Hash) -> Hash {
        blake2_256(&[&[domain], &count.to_le_bytes()[..], &top[..]].concat())
    }

    /// The largest power of two below `count`, which is at least 2.
    fn split(count: u64) -> u64 {
        1 << (count - 1).ilog2()
    }

    fn top(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => blake2_256(&[]),
            [one] => *one,
            many => {
                let (left, right) = many.split_at(split(many.len() as u64) as usize);
                node(top(left), top(right))
            }
        }
    }

    /// The top that follows from a leaf and the hashes beside its path, lowest first; nothing if they do not fit.
    fn top_of_path(leaf: Hash, index: u64, count: u64, siblings: &[Hash]) -> Option<Hash> {
        if index >= count {
            return None;
        }
        if count == 1 {
            return siblings.is_empty().then_some(leaf);
        }
        let (beside, below) = siblings.split_last()?;
        let left = split(count);
        if index < left {
            Some(node(top_of_path(leaf, index, left, below)?, *beside))
        } else {
            Some(node(*beside, top_of_path(leaf, index - left, count - left, below)?))
        }
    }

    pub fn list_root(leaves: &[Hash]) -> Hash {
        if leaves.is_empty() {
            return blake2_256(&[]);
        }
        bind(3, leaves.len() as u64, top(leaves))
    }

    pub fn holds(root: &Hash, leaf: Hash, proof: &Proof) -> bool {
        top_of_path(leaf, proof.index, proof.leaf_count, &proof.siblings)
            .is_some_and(|top| bind(3, proof.leaf_count, top) == *root)
    }

    /// The last of the states is the output, the others are the leaves of a list.
    pub fn state_holds(claim: &Claim, states: u64, opening: &StateOpening) -> bool {
        let Claim::Output { output, states_root } = claim else {
            return false;
        };
        if opening.index.checked_add(1) == Some(states) {
            return opening.siblings.is_empty() && opening.digest == output.hash;
        }
        let siblings: Vec<Hash> = opening.siblings.iter().map(|hash| hash.0).collect();
        let Some(count) = states.checked_sub(1) else {
            return false;
        };
        top_of_path(leaf_hash(&opening.digest.0), opening.index, count, &siblings)
            .is_some_and(|top| bind(3, count, top) == states_root.0)
    }

    /// Walks through the mountains from the left, taking the items in order.
    fn range_root(leaf: &[u8], proof: &MountainProof) -> Option<Hash> {
        let join = |left: Hash, right: Hash| blake2_256(&[left, right].concat());
        let mut items = proof.items.iter().copied();
        let mut peaks = Vec::new();
        let (mut start, mut left_over) = (0u64, proof.leaf_count);
        while left_over > 0 {
            let width = 1u64 << left_over.ilog2();
            if proof.leaf_index < start {
                // Those to the right of the leaf's are joined already.
                peaks.push(items.next()?);
                break;
            }
            let within = proof.leaf_index - start;
            if within < width {
                let mut hash = blake2_256(leaf);
                for level in 0..width.ilog2() {
                    let beside = items.next()?;
                    hash = match within >> level & 1 {
                        0 => join(hash, beside),
                        _ => join(beside, hash),
                    };
                }
                peaks.push(hash);
            } else {
                peaks.push(items.next()?);
            }
            start += width;
            left_over -= width;
        }
        let joined = peaks.into_iter().rev().reduce(join);
        items.next().is_none().then_some(joined).flatten()
    }

    pub fn mountain_holds(root: &Hash, leaf: &[u8], proof: &MountainProof) -> bool {
        proof.leaf_index < proof.leaf_count
            && proof.leaf_count <= MAX_MOUNTAIN_LEAVES
            && range_root(leaf, proof).is_some_and(|top| bind(4, proof.leaf_count, top) == *root)
    }

    pub fn result_holds(root: &Hash, result: &[u8], path: &Proof, block: &BlockLeaf, mountain: &MountainProof) -> bool {
        block.version == 1
            && path.leaf_count == u64::from(block.count)
            && holds(&block.results_root, leaf_hash(result), path)
            && mountain_holds(root, &block.encode(), mountain)
    }
}

/// Joins hashes as `pallet-mmr` does with `BlakeTwo256`.
struct Blake2Merge;

impl Merge for Blake2Merge {
    type Item = Hash;

    fn merge(left: &Hash, right: &Hash) -> mmr_lib::Result<Hash> {
        Ok(blake2_256(&[*left, *right].concat()))
    }
}

fn result(task: u64) -> ResultLeaf<Account> {
    let hash = |salt: u8| H256(blake2_256(&(task, salt).encode()));
    ResultLeaf {
        task: TaskId(task),
        job: hash(0),
        claim: match task % 4 {
            3 => Claim::Unusable,
            _ => Claim::Output {
                output: BlobRef {
                    hash: hash(1),
                    size: task,
                },
                states_root: hash(2),
            },
        },
        winner: hash(3).0,
    }
}

fn block(number: u64, results: u64) -> (BlockLeaf, Vec<Hash>) {
    let leaves: Vec<Hash> = (0..results)
        .map(|index| leaf_hash(&result(number * 1_000 + index).encode()))
        .collect();
    let leaf = BlockLeaf {
        version: BlockLeaf::VERSION,
        block: number,
        block_hash: blake2_256(&number.encode()),
        results_root: root(&leaves),
        count: results as u32,
    };
    (leaf, leaves)
}

/// The truth about result `index` of block `at` in a chain with `blocks` blocks of `results` results each: the compute
/// root and the proof that leads to it. Panics if there is no such result.
pub fn truth(blocks: u64, results: u64, at: u64, index: u64) -> (Hash, Inclusion) {
    let store = MemStore::default();
    let mut range = MMR::<Hash, Blake2Merge, _>::new(0, &store);
    for number in 0..blocks {
        range
            .push(blake2_256(&block(number, results).0.encode()))
            .expect("the store takes everything");
    }
    let proof = range
        .gen_proof(vec![mmr_lib::leaf_index_to_pos(at)])
        .expect("the leaf exists");
    let mountain = MountainProof {
        leaf_index: at,
        leaf_count: blocks,
        items: proof.proof_items().to_vec(),
    };
    let (leaf, leaves) = block(at, results);
    let path = prove(&leaves, index as usize).expect("the result exists");
    let root = compute_root(blocks, &range.get_root().expect("the range is not empty"));
    (root, (result(at * 1_000 + index), path, leaf, mountain))
}

fn believed(root: &Hash, inclusion: &Inclusion) -> bool {
    let (result, path, block, mountain) = inclusion;
    let believed = verify_result(root, &result.encode(), path, block, mountain).is_ok();
    let defined = definition::result_holds(root, &result.encode(), path, block, mountain);
    assert_eq!(believed, defined, "the definition says otherwise");
    believed
}

/// Checks that the truth is believed, and that `bytes` in its place are believed only if they are the truth.
pub fn check_inclusion(root: &Hash, truth: &Inclusion, bytes: &[u8]) {
    assert!(believed(root, truth), "the truth is not believed");
    if let Ok(inclusion) = Inclusion::decode(&mut &bytes[..]) {
        assert_eq!(
            believed(root, &inclusion),
            inclusion == *truth,
            "only the truth is believed"
        );
    }
}

/// A claim, how many states its job has, and the opening of one of them.
pub type Opened = (Claim, u64, StateOpening);

/// Checks that the opening is believed exactly if the definition says so. Returns whether it is believed.
pub fn check_opening((claim, states, opening): &Opened) -> bool {
    let believed = claim.verify(*states, opening);
    let defined = definition::state_holds(claim, *states, opening);
    assert_eq!(believed, defined, "the definition says otherwise");
    believed
}

/// The truth about state `index` of a job of which `digests` are the states, the output last; `index` wraps around.
/// Nothing: there is no state.
pub fn opened(digests: &[H256], index: usize) -> Option<Opened> {
    let (output, before) = digests.split_last()?;
    let index = (index % digests.len()) as u64;
    let claim = Claim::Output {
        output: BlobRef { hash: *output, size: 1 },
        states_root: states_root(before),
    };
    let of_output = StateOpening {
        index,
        digest: *output,
        siblings: Vec::new(),
    };
    let opening = StateOpening::new(before, index).unwrap_or(of_output);
    Some((claim, digests.len() as u64, opening))
}

/// Checks that any state can be opened, and that an edited opening is believed only if it is a true one of that claim. The
/// claim that a job is unusable has no states.
pub fn check_state(digests: &[H256], index: usize, edit: impl FnOnce(Opened) -> Vec<u8>) {
    let Some(truth) = opened(digests, index) else {
        return;
    };
    assert!(check_opening(&truth), "the truth is not believed");
    check_list(&digests[..digests.len() - 1]);
    let edited = edit(truth.clone());
    let Ok(changed) = Opened::decode(&mut &edited[..]) else {
        return;
    };
    let believed = check_opening(&changed);
    let (claim, states, opening) = &changed;
    if (claim, states) == (&truth.0, &truth.1) {
        let own = usize::try_from(opening.index).ok().filter(|own| *own < digests.len());
        let is_true = own.and_then(|own| opened(digests, own)).as_ref() == Some(&changed);
        assert_eq!(believed, is_true, "only the truth is believed");
    }
    let unusable = (Claim::Unusable, *states, opening.clone());
    assert!(!check_opening(&unusable), "there is nothing to be believed");
}

/// Checks that a list's root is the same however it is computed, and that each of its leaves can be proven.
fn check_list(digests: &[H256]) {
    let leaves: Vec<Hash> = digests.iter().map(|digest| leaf_hash(&digest.0)).collect();
    let list = root(&leaves);
    assert_eq!(list, definition::list_root(&leaves));
    assert_eq!(list, states_root(digests).0);
    let mut grown = Accumulator::default();
    leaves.iter().for_each(|hash| grown.push(*hash));
    assert_eq!((grown.count(), grown.root()), (leaves.len() as u64, list));
    assert_eq!(prove(&leaves, leaves.len()), None);
}

/// Proofs about which nothing is known.
#[derive(Encode, Decode, Clone, Debug)]
pub struct Unknown {
    /// The root to which all of them should lead.
    pub root: Hash,
    /// A proof through a tree.
    pub path: Proof,
    /// A proof through a mountain range.
    pub mountain: MountainProof,
    /// The content that should be under the root.
    pub content: Vec<u8>,
}

/// Checks that a leaf and a leaf of a mountain range are believed exactly if the definition says so. Returns which of the
/// two are believed.
pub fn check_merkle(unknown: &Unknown) -> [bool; 2] {
    let Unknown {
        root,
        path,
        mountain,
        content,
    } = unknown;
    let believed = [
        verify(root, &leaf_hash(content), path),
        verify_mountain(root, content, mountain).is_ok(),
    ];
    let defined = [
        definition::holds(root, leaf_hash(content), path),
        definition::mountain_holds(root, content, mountain),
    ];
    assert_eq!(believed, defined, "the definition says otherwise");
    believed
}

/// Checks what a client does with a header's digest and a proof: it finds the first compute root in the digest, and
/// believes the proof exactly if the definition says so. Returns whether it believes the proof.
pub fn check_result(digest: &Digest, proof: &ResultProof<Account>) -> bool {
    let encoded = proof.encode();
    assert_eq!(ResultProof::decode(&mut &encoded[..]).as_ref(), Ok(proof));
    let root = results::compute_root(digest);
    let defined = digest.logs.iter().find_map(|item| {
        let bytes = item.encode();
        let root = bytes.strip_prefix(b"\x04AGRA\x84\x01")?;
        Some(H256(root.try_into().expect("the prefix says its length")))
    });
    assert_eq!(root, defined, "the definition finds another root");
    let Some(root) = root else {
        return false;
    };
    let hashes = |from: &[H256]| from.iter().map(|hash| hash.0).collect();
    let path = Proof {
        index: proof.index.into(),
        leaf_count: proof.block.count.into(),
        siblings: hashes(&proof.siblings),
    };
    let mountain = MountainProof {
        leaf_index: proof.leaf_index,
        leaf_count: proof.leaf_count,
        items: hashes(&proof.items),
    };
    let block = BlockLeaf::decode(&mut &proof.block.encode()[..]).expect("the same bytes");
    let defined = definition::result_holds(&root.0, &proof.leaf.encode(), &path, &block, &mountain);
    assert_eq!(proof.verify(root).is_ok(), defined, "the definition says otherwise");
    defined
}
