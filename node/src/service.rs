//! Puts the node together. Here is what every command needs that touches the database: executor, transaction pool,
//! import of blocks. In `full` is what a running node does besides: network, authoring, voting, RPC.

mod full;
mod sockets;

pub use full::new_full;

use agora_runtime::apis::RuntimeApi;
use sc_consensus::DefaultImportQueue;
use sc_consensus_babe::{BabeBlockImport, BabeLink, BabeWorkerHandle};
use sc_consensus_grandpa::{GrandpaBlockImport, LinkHalf};
use sc_service::{Configuration, TaskManager, error::Error as ServiceError};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_babe::inherents::BabeCreateInherentDataProviders;
use sp_runtime::{OpaqueExtrinsic, generic, traits::NumberFor};
use std::sync::Arc;

/// A block whose transactions the node does not look into.
pub type Block = generic::Block<agora_runtime::Header, OpaqueExtrinsic>;
/// Runs the runtime.
type Executor = sc_executor::WasmExecutor<sp_io::SubstrateHostFunctions>;
/// Database and executor together.
pub type FullClient = sc_service::TFullClient<Block, RuntimeApi, Executor>;
/// The database.
pub type FullBackend = sc_service::TFullBackend<Block>;
/// Builds on the longest chain.
pub type FullSelectChain = sc_consensus::LongestChain<FullBackend, Block>;
/// The transaction pool.
pub type TransactionPool = sc_transaction_pool::TransactionPoolHandle<Block, FullClient>;

type FullGrandpaLink = LinkHalf<Block, FullClient, FullSelectChain>;
type FullGrandpaImport = GrandpaBlockImport<FullBackend, Block, FullClient, FullSelectChain>;
type FullBabeImport =
    BabeBlockImport<Block, FullClient, FullGrandpaImport, BabeCreateInherentDataProviders<Block>, FullSelectChain>;

/// GRANDPA makes a justification at least once in so many blocks. A client can start from each of them.
const JUSTIFICATION_PERIOD: u32 = 512;

/// What consensus needs once the node runs.
pub struct Consensus {
    block_import: FullBabeImport,
    babe_link: BabeLink<Block>,
    babe_worker: BabeWorkerHandle<Block>,
    grandpa_link: FullGrandpaLink,
    telemetry: Option<Telemetry>,
}

/// A node without network.
pub type Partial = sc_service::PartialComponents<
    FullClient,
    FullBackend,
    FullSelectChain,
    DefaultImportQueue<Block>,
    TransactionPool,
    Consensus,
>;

/// Builds what every command needs that touches the database.
pub fn new_partial(config: &Configuration) -> Result<Partial, ServiceError> {
    let telemetry = new_telemetry(config)?;
    let executor = sc_service::new_wasm_executor::<sp_io::SubstrateHostFunctions>(&config.executor);
    let (client, backend, keystore_container, task_manager) = sc_service::new_full_parts::<Block, RuntimeApi, _>(
        config,
        telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
        executor,
        Vec::new(),
    )?;
    let client = Arc::new(client);
    let telemetry = telemetry.map(|(worker, telemetry)| {
        task_manager.spawn_handle().spawn("telemetry", None, worker.run());
        telemetry
    });

    let select_chain = sc_consensus::LongestChain::new(backend.clone());
    let transaction_pool = Arc::from(
        sc_transaction_pool::Builder::new(
            task_manager.spawn_essential_handle(),
            client.clone(),
            config.role.is_authority().into(),
        )
        .with_options(config.transaction_pool.clone())
        .with_prometheus(config.prometheus_registry())
        .build(),
    );
    let (import_queue, consensus) = new_import(
        config,
        &task_manager,
        &client,
        &select_chain,
        &transaction_pool,
        telemetry,
    )?;

    Ok(sc_service::PartialComponents {
        client,
        backend,
        task_manager,
        keystore_container,
        select_chain,
        import_queue,
        transaction_pool,
        other: consensus,
    })
}

/// Telemetry and its worker, if the configuration names a server for it.
fn new_telemetry(config: &Configuration) -> Result<Option<(TelemetryWorker, Telemetry)>, sc_telemetry::Error> {
    config
        .telemetry_endpoints
        .clone()
        .filter(|endpoints| !endpoints.is_empty())
        .map(|endpoints| {
            let worker = TelemetryWorker::new(16)?;
            let telemetry = worker.handle().new_telemetry(endpoints);
            Ok((worker, telemetry))
        })
        .transpose()
}

/// The queue of blocks to be imported: BABE checks who made a block, and GRANDPA what is final.
fn new_import(
    config: &Configuration,
    task_manager: &TaskManager,
    client: &Arc<FullClient>,
    select_chain: &FullSelectChain,
    transaction_pool: &Arc<TransactionPool>,
    telemetry: Option<Telemetry>,
) -> Result<(DefaultImportQueue<Block>, Consensus), ServiceError> {
    let (grandpa_import, grandpa_link) = sc_consensus_grandpa::block_import(
        client.clone(),
        JUSTIFICATION_PERIOD,
        client,
        select_chain.clone(),
        telemetry.as_ref().map(Telemetry::handle),
    )?;
    let babe_configuration = sc_consensus_babe::configuration(&**client)?;
    let slot_duration = babe_configuration.slot_duration();
    let (block_import, babe_link) = sc_consensus_babe::block_import(
        babe_configuration,
        grandpa_import.clone(),
        client.clone(),
        inherents(slot_duration),
        select_chain.clone(),
        OffchainTransactionPoolFactory::new(Arc::clone(transaction_pool)),
    )?;
    let (import_queue, babe_worker) = sc_consensus_babe::import_queue(sc_consensus_babe::ImportQueueParams {
        link: babe_link.clone(),
        block_import: block_import.clone(),
        justification_import: Some(Box::new(grandpa_import)),
        client: client.clone(),
        slot_duration,
        spawner: &task_manager.spawn_essential_handle(),
        registry: config.prometheus_registry(),
        telemetry: telemetry.as_ref().map(Telemetry::handle),
    })?;
    let consensus = Consensus {
        block_import,
        babe_link,
        babe_worker,
        grandpa_link,
        telemetry,
    };
    Ok((import_queue, consensus))
}

/// The inherents of a new block: its time and its slot.
fn inherents(slot_duration: sp_consensus_babe::SlotDuration) -> BabeCreateInherentDataProviders<Block> {
    Arc::new(move |_, ()| async move {
        let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
        let slot = sp_consensus_babe::inherents::InherentDataProvider::from_timestamp_and_slot_duration(
            *timestamp,
            slot_duration,
        );
        Ok((slot, timestamp))
    })
}

/// Removes what BABE and GRANDPA have stored about the last `blocks` blocks.
pub fn revert_consensus(
    client: Arc<FullClient>,
    backend: Arc<FullBackend>,
    blocks: NumberFor<Block>,
) -> sc_cli::Result<()> {
    sc_consensus_babe::revert(client.clone(), backend, blocks)?;
    sc_consensus_grandpa::revert(client, blocks)?;
    Ok(())
}
