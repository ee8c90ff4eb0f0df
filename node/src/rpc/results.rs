//! `agora_resultProof` and `agora_computeRoot`: proofs of settled results.

use agora_primitives::{
    TaskId,
    results::{ProofError, ResultProof, ResultsApi},
};
use agora_runtime::AccountId;
use jsonrpsee::{
    RpcModule,
    core::{RegisterMethodError, RpcResult},
    types::ErrorObjectOwned,
};
use sp_api::{ApiError, ApiExt, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_core::{
    H256,
    offchain::{OffchainDbExt, OffchainStorage, storage::OffchainDb},
};
use sp_runtime::traits::{Block as BlockT, NumberFor};
use std::{marker::PhantomData, sync::Arc};

/// The first error code; codes of [`ProofError`]'s variants follow in their order.
const PROOF_ERROR: i32 = 7001;
/// The named block is unknown or not on the best chain.
const UNKNOWN_BLOCK: i32 = 7100;
/// The runtime cannot be asked.
const RUNTIME_ERROR: i32 = 7101;

/// Answers from the runtime and from what importing blocks has indexed.
pub struct Results<Client, Block, Storage> {
    client: Arc<Client>,
    offchain: OffchainDb<Storage>,
    _block: PhantomData<Block>,
}

impl<Client, Block, Storage> Results<Client, Block, Storage>
where
    Block: BlockT,
    Client: ProvideRuntimeApi<Block> + HeaderBackend<Block> + Send + Sync + 'static,
    Client::Api: ResultsApi<Block, AccountId, NumberFor<Block>>,
    Storage: OffchainStorage + 'static,
{
    /// Reads `storage`, the node's off-chain storage.
    pub fn new(client: Arc<Client>, storage: Storage) -> Self {
        Self {
            client,
            offchain: OffchainDb::new(storage),
            _block: PhantomData,
        }
    }

    /// Registers the methods. The macro of jsonrpsee is not used: its code does not compile in a crate with debug
    /// assertions when jsonrpsee itself was compiled without them.
    pub fn into_rpc(self) -> Result<RpcModule<Self>, RegisterMethodError> {
        let mut module = RpcModule::new(self);
        module.register_blocking_method("agora_resultProof", |params, results, _| {
            let mut params = params.sequence();
            results.result_proof(params.next()?, params.optional_next()?)
        })?;
        module.register_blocking_method("agora_computeRoot", |params, results, _| {
            results.compute_root(params.sequence().optional_next()?)
        })?;
        Ok(module)
    }

    /// Proves the result of `task` to a client that holds the header of block `at`, or of the best block. A client must
    /// verify the answer and never trust it.
    fn result_proof(&self, task: TaskId, at: Option<Block::Hash>) -> RpcResult<ResultProof<AccountId>> {
        let best = self.client.info().best_hash;
        // The best block's state proves it for every block before: the state of `at` may be pruned.
        let known = at.map(|at| self.number_on_best_chain(at)).transpose()?;
        let mut api = self.client.runtime_api();
        api.register_extension(OffchainDbExt::new(self.offchain.clone()));
        api.result_proof(best, task, known)
            .map_err(runtime_error)?
            .map_err(proof_error)
    }

    /// The compute root in the header of block `at`, or of the best block.
    fn compute_root(&self, at: Option<Block::Hash>) -> RpcResult<H256> {
        let at = at.unwrap_or_else(|| self.client.info().best_hash);
        self.client.runtime_api().compute_root(at).map_err(runtime_error)
    }

    fn number_on_best_chain(&self, hash: Block::Hash) -> RpcResult<NumberFor<Block>> {
        let number = self.client.number(hash).ok().flatten();
        let is_canonical = |number| self.client.hash(number).ok().flatten() == Some(hash);
        number.filter(|number| is_canonical(*number)).ok_or_else(|| {
            error(
                UNKNOWN_BLOCK,
                format!("block {hash} is not on this node's best chain"),
                None,
            )
        })
    }
}

fn proof_error(why: ProofError) -> ErrorObjectOwned {
    let offset = match why {
        ProofError::UnknownTask => 0,
        ProofError::TooRecent => 1,
        ProofError::BlockOutOfRange => 2,
        ProofError::DataMissing => 3,
        ProofError::DataCorrupt => 4,
    };
    error(PROOF_ERROR + offset, why.to_string(), Some(why))
}

fn runtime_error(why: ApiError) -> ErrorObjectOwned {
    error(RUNTIME_ERROR, format!("the runtime cannot be asked: {why}"), None)
}

fn error(code: i32, message: String, data: Option<ProofError>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(code, message, data)
}
