//! What clients may ask over JSON-RPC, besides what every node answers.

mod results;

use crate::service::{Block, FullBackend, FullClient, FullSelectChain, TransactionPool};
use jsonrpsee::RpcModule;
use sc_client_api::Backend;
use sc_consensus_babe::BabeWorkerHandle;
use sc_consensus_grandpa::{FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState};
use sc_rpc::SubscriptionTaskExecutor;
use sp_keystore::KeystorePtr;
use sp_runtime::traits::{Block as BlockT, NumberFor};
use std::sync::Arc;

/// What the handlers need.
#[derive(Clone)]
pub struct Dependencies {
    pub client: Arc<FullClient>,
    pub backend: Arc<FullBackend>,
    pub pool: Arc<TransactionPool>,
    pub select_chain: FullSelectChain,
    pub keystore: KeystorePtr,
    pub babe: BabeWorkerHandle<Block>,
    pub grandpa: GrandpaDependencies,
}

/// What the handlers need of GRANDPA.
#[derive(Clone)]
pub struct GrandpaDependencies {
    pub voter_state: SharedVoterState,
    pub authority_set: SharedAuthoritySet<<Block as BlockT>::Hash, NumberFor<Block>>,
    pub justifications: GrandpaJustificationStream<Block>,
    pub finality_proofs: Arc<FinalityProofProvider<FullBackend, Block>>,
}

/// Puts all handlers together.
pub fn create(
    deps: Dependencies,
    executor: SubscriptionTaskExecutor,
) -> Result<RpcModule<()>, Box<dyn std::error::Error + Send + Sync>> {
    use self::results::Results;
    use mmr_rpc::{Mmr, MmrApiServer};
    use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
    use sc_consensus_babe_rpc::{Babe, BabeApiServer};
    use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
    use substrate_frame_rpc_system::{System, SystemApiServer};

    let Dependencies {
        client,
        backend,
        pool,
        select_chain,
        keystore,
        babe,
        grandpa,
    } = deps;
    let offchain_storage = backend
        .offchain_storage()
        .ok_or("the database has no off-chain storage, without which nothing can be proven")?;

    let mut module = RpcModule::new(());
    module.merge(System::new(client.clone(), pool).into_rpc())?;
    module.merge(TransactionPayment::new(client.clone()).into_rpc())?;
    module.merge(Babe::new(client.clone(), babe, keystore, select_chain).into_rpc())?;
    module.merge(
        Grandpa::new(
            executor,
            grandpa.authority_set,
            grandpa.voter_state,
            grandpa.justifications,
            grandpa.finality_proofs,
        )
        .into_rpc(),
    )?;
    module.merge(Mmr::new(client.clone(), offchain_storage.clone()).into_rpc())?;
    module.merge(Results::<_, Block, _>::new(client, offchain_storage).into_rpc()?)?;
    Ok(module)
}
