//! What must hold of proofs of settled results, and of the trees that they lead through.
//!
//! There are two oracles. A proof that is known to be true is believed, and nothing else in its place ([`check_claim`],
//! [`check_chunk`]). A proof about which nothing is known is believed exactly if the definitions of
//! [`agora_math::merkle`] say so; they are written down here a second time, from the top of the trees
//! ([`check_merkle`], [`check_result`]).

use agora_math::merkle::{
    Accumulator, BlockLeaf, Hash, MAX_MOUNTAIN_LEAVES, MountainProof, Proof, chunk_hashes, chunked_root, compute_root,
    leaf_hash, prove, root, root_of_chunks, verify, verify_chunk, verify_mountain, verify_result,
};
use agora_primitives::{
    TaskId,
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
pub type Claim = (ResultLeaf<Account>, Proof, BlockLeaf, MountainProof);

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

    pub fn chunked_root(bytes: &[u8], size: usize) -> Hash {
        let leaves: Vec<Hash> = bytes.chunks(size).map(leaf_hash).collect();
        bind(2, bytes.len() as u64, top(&leaves))
    }

    pub fn holds(root: &Hash, leaf: Hash, proof: &Proof) -> bool {
        top_of_path(leaf, proof.index, proof.leaf_count, &proof.siblings)
            .is_some_and(|top| bind(3, proof.leaf_count, top) == *root)
    }

    pub fn chunk_holds(root: &Hash, length: u64, size: u64, chunk: &[u8], proof: &Proof) -> bool {
        let start = u128::from(proof.index) * u128::from(size);
        let end = (start + u128::from(size)).min(length.into());
        proof.leaf_count == length.div_ceil(size)
            && start + chunk.len() as u128 == end
            && top_of_path(leaf_hash(chunk), proof.index, proof.leaf_count, &proof.siblings)
                .is_some_and(|top| bind(2, length, top) == *root)
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
        digest: hash(1),
        trace_root: hash(2),
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
pub fn truth(blocks: u64, results: u64, at: u64, index: u64) -> (Hash, Claim) {
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

fn believed(root: &Hash, claim: &Claim) -> bool {
    let (result, path, block, mountain) = claim;
    let believed = verify_result(root, &result.encode(), path, block, mountain).is_ok();
    let defined = definition::result_holds(root, &result.encode(), path, block, mountain);
    assert_eq!(believed, defined, "the definition says otherwise");
    believed
}

/// Checks that the truth is believed, and that `bytes` in its place are believed only if they are the truth.
pub fn check_claim(root: &Hash, truth: &Claim, bytes: &[u8]) {
    assert!(believed(root, truth), "the truth is not believed");
    if let Ok(claim) = Claim::decode(&mut &bytes[..]) {
        assert_eq!(believed(root, &claim), claim == *truth, "only the truth is believed");
    }
}

/// Checks that the chunk of `content` at `index` can be proven, and that an edited proof or length is believed only if
/// it is true: the proof of this chunk, or of an equal one. `index` wraps around; empty content has no chunks.
pub fn check_chunk(content: &[u8], chunk_size: usize, index: usize, edit: impl FnOnce((Proof, u64)) -> Vec<u8>) {
    let size = chunk_size.max(1);
    let length = content.len() as u64;
    let hashes = chunk_hashes(content, chunk_size);
    let list = root(&hashes);
    let top = chunked_root(content, chunk_size);
    assert_eq!(list, definition::list_root(&hashes));
    assert_eq!(top, definition::chunked_root(content, size));
    assert_eq!(top, root_of_chunks(length, &hashes));
    let mut grown = Accumulator::default();
    hashes.iter().for_each(|hash| grown.push(*hash));
    assert_eq!((grown.count(), grown.root()), (hashes.len() as u64, list));
    assert_eq!(prove(&hashes, hashes.len()), None);
    let Some(index) = index.checked_rem(hashes.len()) else {
        return;
    };
    let chunk = content.chunks(size).nth(index).expect("there are as many as hashes");
    let truth = prove(&hashes, index).expect("the chunk exists");
    assert!(verify(&list, &hashes[index], &truth), "the truth is not believed");
    assert!(
        verify_chunk(&top, length, chunk_size, chunk, &truth),
        "the truth is not believed"
    );
    let edited = edit((truth, length));
    let Ok((claim, claimed_length)) = <(Proof, u64)>::decode(&mut &edited[..]) else {
        return;
    };
    let claimed_index = usize::try_from(claim.index).unwrap_or(usize::MAX);
    let is_true =
        hashes.get(claimed_index) == Some(&hashes[index]) && prove(&hashes, claimed_index).as_ref() == Some(&claim);
    assert_eq!(
        verify(&list, &hashes[index], &claim),
        is_true,
        "only the truth is believed"
    );
    let believed = verify_chunk(&top, claimed_length, chunk_size, chunk, &claim);
    assert_eq!(
        believed,
        is_true && claimed_length == length,
        "only the truth is believed"
    );
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
    /// Length of the bytes of which `content` is a chunk.
    pub length: u64,
    /// Size of the chunks.
    pub chunk_size: u16,
    /// The content that should be under the root.
    pub content: Vec<u8>,
}

/// Checks that a leaf, a chunk and a leaf of a mountain range are believed exactly if the definition says so. Returns
/// which of the three are believed.
pub fn check_merkle(unknown: &Unknown) -> [bool; 3] {
    let Unknown {
        root,
        path,
        mountain,
        length,
        chunk_size,
        content,
    } = unknown;
    let size = u64::from(*chunk_size).max(1);
    let believed = [
        verify(root, &leaf_hash(content), path),
        verify_chunk(root, *length, usize::from(*chunk_size), content, path),
        verify_mountain(root, content, mountain).is_ok(),
    ];
    let defined = [
        definition::holds(root, leaf_hash(content), path),
        definition::chunk_holds(root, *length, size, content, path),
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
