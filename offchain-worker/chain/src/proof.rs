//! Verifying settled results with a header alone.

use crate::{AccountId, BlockRef, ChainError, Client, H256};
use agora_math::merkle::VerifyError;
use agora_primitives::{
    TaskId,
    results::{ResultLeaf, ResultProof, compute_root},
};
use codec::{DecodeAll, Encode};
use sp_runtime::{
    generic,
    traits::{BlakeTwo256, Header as _},
};

/// A block header whose hash was checked.
#[derive(Clone, Debug)]
pub struct Header {
    /// The block that it is of.
    pub block: BlockRef,
    header: generic::Header<u32, BlakeTwo256>,
}

impl Header {
    /// Decodes the header with this hash.
    ///
    /// Errors: it is no header, or has another hash.
    fn checked(mut encoded: &[u8], hash: H256) -> Result<Self, ChainError> {
        let header = generic::Header::<u32, BlakeTwo256>::decode_all(&mut encoded)
            .map_err(|error| ChainError::Incompatible(format!("its headers are of another form: {error}")))?;
        if header.hash() != hash {
            return Err(ChainError::Node(format!(
                "it answered with another header than {hash:?}"
            )));
        }
        Ok(Self {
            block: BlockRef {
                number: *header.number(),
                hash,
            },
            header,
        })
    }

    /// The root over all results settled before this block.
    pub fn compute_root(&self) -> Option<H256> {
        compute_root(&self.header.digest)
    }
}

/// What a proof shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedResult {
    /// The result.
    pub leaf: ResultLeaf<AccountId>,
    /// The root that it was verified against.
    pub compute_root: H256,
}

/// Why a proof is not accepted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unverified {
    /// The header carries no root.
    #[error("the header has no compute root: it is not of an Agora chain")]
    NoRoot,
    /// The proof is for another task.
    #[error("the proof is for task {0}")]
    OtherTask(TaskId),
    /// The proof does not lead to the header's root.
    #[error("the proof does not lead to the header's compute root: {0}")]
    Wrong(VerifyError),
}

/// Verifies that `task` was settled with the result that `proof` names, trusting `header` alone.
pub fn verify_result(
    header: &Header,
    task: TaskId,
    proof: &ResultProof<AccountId>,
) -> Result<VerifiedResult, Unverified> {
    let compute_root = header.compute_root().ok_or(Unverified::NoRoot)?;
    if proof.leaf.task != task {
        return Err(Unverified::OtherTask(proof.leaf.task));
    }
    proof.verify(compute_root).map_err(Unverified::Wrong)?;
    Ok(VerifiedResult {
        leaf: proof.leaf.clone(),
        compute_root,
    })
}

impl Client {
    /// The header with this hash. The hash is computed again, so that the node cannot give another header.
    pub async fn header(&self, hash: H256) -> Result<Header, ChainError> {
        let header = self.legacy.chain_get_header(Some(hash)).await?;
        let header = header.ok_or_else(|| ChainError::NotFound(format!("the node has no block {hash:?}")))?;
        Header::checked(&header.encode(), hash)
    }

    /// The newest finalised header.
    pub async fn finalised_header(&self) -> Result<Header, ChainError> {
        let hash = self.legacy.chain_get_finalized_head().await?;
        self.header(hash).await
    }

    /// Asks the node to prove the result of `task` to the holder of the header of block `at`. Do not trust the
    /// answer before [`verify_result`] accepts it.
    pub async fn result_proof(&self, task: TaskId, at: H256) -> Result<ResultProof<AccountId>, ChainError> {
        self.rpc("agora_resultProof", subxt::rpcs::rpc_params![task.0, at])
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded() -> (Vec<u8>, H256) {
        let header = generic::Header::<u32, BlakeTwo256>::new(
            7,
            H256::repeat_byte(1),
            H256::repeat_byte(2),
            H256::repeat_byte(3),
            generic::Digest::default(),
        );
        (header.encode(), header.hash())
    }

    #[test]
    fn a_header_is_taken_by_its_own_hash_only() {
        let (encoded, hash) = encoded();
        let header = Header::checked(&encoded, hash).expect("its own hash");
        assert_eq!(header.block, BlockRef { number: 7, hash });
        assert_eq!(header.compute_root(), None);
        let refused = Header::checked(&encoded, H256::repeat_byte(9));
        assert!(
            matches!(refused, Err(ChainError::Node(_))),
            "a node can give any header: {refused:?}"
        );
    }

    #[test]
    fn bytes_after_a_header_are_refused() {
        let (mut encoded, hash) = encoded();
        encoded.push(0);
        assert!(matches!(
            Header::checked(&encoded, hash),
            Err(ChainError::Incompatible(_))
        ));
    }
}
