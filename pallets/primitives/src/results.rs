//! What is proven about a settled result.
//!
//! A result that is settled in block `n` becomes a leaf of that block's tree; block `n + 1` appends the tree's root
//! ([`BlockResults`]) to the mountain range over all blocks, and its header and every later one carry the
//! [`compute_root`] of the range. A [`ResultProof`] leads from the result to one such header, and [`ResultProof::verify`]
//! needs nothing but the two. The trees are described to the byte in [`agora_math::merkle`].

use crate::{ids::TaskId, job::Claim};
use agora_math::merkle::{self, BlockLeaf, MountainProof, VerifyError};
use alloc::vec::Vec;
use codec::{Decode, DecodeAll, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;
use sp_runtime::{ConsensusEngineId, Digest, DigestItem, DispatchResult};

/// The leaf of one settled result. The block's tree hashes its SCALE encoding.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct ResultLeaf<AccountId> {
    /// The task.
    pub task: TaskId,
    /// Hash of the job: see [`crate::job::JobSource::job_hash`].
    pub job: H256,
    /// What the job's result is.
    pub claim: Claim,
    /// The best worker.
    pub winner: AccountId,
}

/// Takes settled results into the tree whose root the block header carries.
pub trait ResultSink<AccountId> {
    /// Appends one result to this block's tree.
    ///
    /// Errors: this block's tree is full; settle in a later block.
    fn append(leaf: ResultLeaf<AccountId>) -> DispatchResult;
}

impl<AccountId> ResultSink<AccountId> for () {
    fn append(_: ResultLeaf<AccountId>) -> DispatchResult {
        Ok(())
    }
}

/// Marks the digest item with the compute root in a header.
pub const ENGINE_ID: ConsensusEngineId = *b"AGRA";

/// What a header tells about results: content of a `DigestItem::Consensus` with [`ENGINE_ID`]. The codec index is the
/// version.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResultsLog {
    /// The compute root (see [`merkle::compute_root`]) over the results of all blocks before this one.
    #[codec(index = 1)]
    ComputeRoot(H256),
}

/// Returns the digest item that carries `root`: `Consensus("AGRA", 0x01 ‖ root)`.
pub fn compute_root_item(root: H256) -> DigestItem {
    DigestItem::Consensus(ENGINE_ID, ResultsLog::ComputeRoot(root).encode())
}

/// Finds the compute root among a header's digest items.
///
/// Only the runtime makes items of this kind, one in each block; every node checks that when it imports the block.
pub fn compute_root(digest: &Digest) -> Option<H256> {
    digest.convert_first(|item| match item {
        DigestItem::Consensus(ENGINE_ID, data) => match ResultsLog::decode_all(&mut data.as_slice()) {
            Ok(ResultsLog::ComputeRoot(root)) => Some(root),
            Err(_) => None,
        },
        _ => None,
    })
}

/// What a block adds to the mountain range: the root of the results that its parent settled. The same bytes as
/// [`BlockLeaf`].
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockResults {
    /// Version of this layout: [`BlockLeaf::VERSION`].
    pub version: u8,
    /// Number of the block that settled the results.
    pub block: u64,
    /// Hash of that block.
    pub block_hash: H256,
    /// Root of the results' tree, in the order of settlement.
    pub results_root: H256,
    /// How many results.
    pub count: u32,
}

impl From<&BlockResults> for BlockLeaf {
    fn from(block: &BlockResults) -> Self {
        Self {
            version: block.version,
            block: block.block,
            block_hash: block.block_hash.0,
            results_root: block.results_root.0,
            count: block.count,
        }
    }
}

/// Shows that a result was settled, to anybody who holds one header of that block's successors.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct ResultProof<AccountId> {
    /// The result.
    pub leaf: ResultLeaf<AccountId>,
    /// Its position among the results of its block.
    pub index: u32,
    /// The hashes beside the path from it to the root of the block's results, lowest first.
    pub siblings: Vec<H256>,
    /// The leaf of the mountain range that holds that root.
    pub block: BlockResults,
    /// That leaf's position in the range.
    pub leaf_index: u64,
    /// How many leaves the range has in the header that the proof is for.
    pub leaf_count: u64,
    /// The hashes from that leaf to the root of the range: see [`MountainProof::items`].
    pub items: Vec<H256>,
}

impl<AccountId: Encode> ResultProof<AccountId> {
    /// Checks the proof against the compute root of the header that it is for (see [`compute_root`]).
    ///
    /// Never panics, whatever the proof contains. Errors: [`VerifyError`]. Complexity: O(log n).
    pub fn verify(&self, compute_root: H256) -> Result<(), VerifyError> {
        let bytes = |hashes: &[H256]| hashes.iter().map(|hash| hash.0).collect();
        let path = merkle::Proof {
            index: self.index.into(),
            leaf_count: self.block.count.into(),
            siblings: bytes(&self.siblings),
        };
        let mountain = MountainProof {
            leaf_index: self.leaf_index,
            leaf_count: self.leaf_count,
            items: bytes(&self.items),
        };
        let block = BlockLeaf::from(&self.block);
        merkle::verify_result(&compute_root.0, &self.leaf.encode(), &path, &block, &mountain)
    }
}

/// Why a node cannot prove a result.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum ProofError {
    /// No result of this task is known: it is not settled on this chain, or the node does not index results.
    UnknownTask,
    /// The result was settled in the newest block: the next one can prove it.
    TooRecent,
    /// The block for which the proof was asked is above the best one, or not above the one that settled the result.
    BlockOutOfRange,
    /// The node lacks the data: it ran without off-chain indexing when the result was settled.
    DataMissing,
    /// What the node has stored does not fit the chain.
    DataCorrupt,
}

impl core::fmt::Display for ProofError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::UnknownTask => "no settled result of this task is known to this node",
            Self::TooRecent => "the result was settled in the newest block; ask again after the next one",
            Self::BlockOutOfRange => "the block must be above the one that settled the result, and not above the best",
            Self::DataMissing => "the node has no proof data; it must run with off-chain indexing from the start",
            Self::DataCorrupt => "the node's proof data does not fit the chain",
        })
    }
}

impl core::error::Error for ProofError {}

sp_api::decl_runtime_apis! {
    /// Proofs of settled results.
    pub trait ResultsApi<AccountId: codec::Codec, BlockNumber: codec::Codec> {
        /// Proves the result of `task` to the holder of the header of block `best_known_block`, or of the block at which
        /// this is called. Reads the node's off-chain storage.
        fn result_proof(
            task: TaskId,
            best_known_block: Option<BlockNumber>,
        ) -> Result<ResultProof<AccountId>, ProofError>;

        /// The compute root that the block's header carries.
        fn compute_root() -> H256;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block_results() -> BlockResults {
        BlockResults {
            version: 1,
            block: 77,
            block_hash: H256::repeat_byte(2),
            results_root: H256::repeat_byte(3),
            count: 4,
        }
    }

    #[test]
    fn the_leaf_has_the_same_bytes_here_and_where_it_is_verified() {
        let block = block_results();
        assert_eq!(block.encode(), BlockLeaf::from(&block).encode());
    }

    #[test]
    fn the_compute_root_is_found_in_a_digest() {
        let root = H256::repeat_byte(9);
        let mut digest = Digest {
            logs: vec![DigestItem::Other(vec![1]), DigestItem::Consensus(*b"BABE", vec![2])],
        };
        assert_eq!(compute_root(&digest), None);
        digest.push(DigestItem::Consensus(ENGINE_ID, vec![1, 2]));
        assert_eq!(compute_root(&digest), None);
        digest.push(compute_root_item(root));
        assert_eq!(compute_root(&digest), Some(root));
        assert_eq!(
            digest.logs.last(),
            Some(&DigestItem::Consensus(*b"AGRA", [&[1][..], &[9; 32]].concat()))
        );
    }

    proptest! {
        #[test]
        fn bytes_that_are_no_proof_never_panic(bytes: Vec<u8>, root: [u8; 32]) {
            if let Ok(proof) = ResultProof::<[u8; 32]>::decode(&mut bytes.as_slice()) {
                prop_assert!(proof.verify(root.into()).is_err());
            }
        }

        #[test]
        fn made_up_proofs_never_panic(
            index: u32,
            count: u32,
            leaf_index: u64,
            leaf_count: u64,
            siblings in prop::collection::vec(any::<[u8; 32]>(), 0..40),
            root: [u8; 32],
        ) {
            let hash = H256::zero();
            let claim = Claim::Unusable;
            let siblings: Vec<H256> = siblings.into_iter().map(H256).collect();
            let leaf = ResultLeaf { task: TaskId(1), job: hash, claim, winner: [0u8; 32] };
            let block = BlockResults { count, ..block_results() };
            let proof = ResultProof {
                leaf, index, siblings: siblings.clone(), block, leaf_index, leaf_count, items: siblings,
            };
            prop_assert!(proof.verify(root.into()).is_err());
            prop_assert_eq!(ResultProof::decode(&mut proof.encode().as_slice()), Ok(proof));
        }
    }
}
