//! Puts the node together: database, executor, transaction pool, network, BABE, GRANDPA, RPC.

use crate::rpc::{self, GrandpaDependencies};
use agora_runtime::apis::RuntimeApi;
use futures::FutureExt;
use sc_client_api::{Backend, BlockBackend};
use sc_consensus_babe::{BabeBlockImport, BabeLink, BabeWorkerHandle, SlotProportion};
use sc_consensus_grandpa::{GrandpaBlockImport, LinkHalf, SharedVoterState};
use sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging;
use sc_network::NetworkBackend;
use sc_service::{Configuration, TaskManager, WarpSyncConfig, error::Error as ServiceError};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_babe::inherents::BabeCreateInherentDataProviders;
use sp_runtime::{
    OpaqueExtrinsic, generic,
    traits::{Block as BlockT, NumberFor},
};
use std::{sync::Arc, time::Duration};

/// A block whose transactions the node does not look into.
pub type Block = generic::Block<agora_runtime::Header, OpaqueExtrinsic>;
/// Carries out the runtime.
type Executor = sc_executor::WasmExecutor<sp_io::SubstrateHostFunctions>;
/// Database and executor together.
pub type FullClient = sc_service::TFullClient<Block, RuntimeApi, Executor>;
/// The database.
pub type FullBackend = sc_service::TFullBackend<Block>;
/// Builds on the longest chain.
pub type FullSelectChain = sc_consensus::LongestChain<FullBackend, Block>;
/// The transaction pool.
pub type TransactionPool = sc_transaction_pool::TransactionPoolHandle<Block, FullClient>;

type FullGrandpaImport = GrandpaBlockImport<FullBackend, Block, FullClient, FullSelectChain>;
type FullBabeImport =
    BabeBlockImport<Block, FullClient, FullGrandpaImport, BabeCreateInherentDataProviders<Block>, FullSelectChain>;

/// GRANDPA justifications are made at least that often, in blocks: from each of them a client can start.
const JUSTIFICATION_PERIOD: u32 = 512;
/// How long GRANDPA takes a message to reach everybody.
const GOSSIP_DURATION: Duration = Duration::from_millis(333);

/// What consensus needs once the node runs.
pub struct Consensus {
    block_import: FullBabeImport,
    babe_link: BabeLink<Block>,
    babe_worker: BabeWorkerHandle<Block>,
    grandpa_link: LinkHalf<Block, FullClient, FullSelectChain>,
    telemetry: Option<Telemetry>,
}

/// A node without network.
pub type Partial = sc_service::PartialComponents<
    FullClient,
    FullBackend,
    FullSelectChain,
    sc_consensus::DefaultImportQueue<Block>,
    TransactionPool,
    Consensus,
>;

/// Builds what every command needs that touches the database.
pub fn new_partial(config: &Configuration) -> Result<Partial, ServiceError> {
    let telemetry = config
        .telemetry_endpoints
        .clone()
        .filter(|endpoints| !endpoints.is_empty())
        .map(|endpoints| -> Result<_, sc_telemetry::Error> {
            let worker = TelemetryWorker::new(16)?;
            let telemetry = worker.handle().new_telemetry(endpoints);
            Ok((worker, telemetry))
        })
        .transpose()?;

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

    let (grandpa_import, grandpa_link) = sc_consensus_grandpa::block_import(
        client.clone(),
        JUSTIFICATION_PERIOD,
        &client,
        select_chain.clone(),
        telemetry.as_ref().map(Telemetry::handle),
    )?;

    let babe_configuration = sc_consensus_babe::configuration(&*client)?;
    let slot_duration = babe_configuration.slot_duration();
    let (block_import, babe_link) = sc_consensus_babe::block_import(
        babe_configuration,
        grandpa_import.clone(),
        client.clone(),
        inherents(slot_duration),
        select_chain.clone(),
        OffchainTransactionPoolFactory::new(Arc::clone(&transaction_pool)),
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

    Ok(sc_service::PartialComponents {
        client,
        backend,
        task_manager,
        keystore_container,
        select_chain,
        import_queue,
        transaction_pool,
        other: Consensus {
            block_import,
            babe_link,
            babe_worker,
            grandpa_link,
            telemetry,
        },
    })
}

/// What a block says of the time when it was made.
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

/// Takes back what BABE and GRANDPA remember of the last `blocks` blocks.
pub fn revert_consensus(
    client: Arc<FullClient>,
    backend: Arc<FullBackend>,
    blocks: NumberFor<Block>,
) -> sc_cli::Result<()> {
    sc_consensus_babe::revert(client.clone(), backend, blocks)?;
    sc_consensus_grandpa::revert(client, blocks)?;
    Ok(())
}

/// Builds and starts a node.
pub fn new_full<N: NetworkBackend<Block, <Block as BlockT>::Hash>>(
    config: Configuration,
) -> Result<TaskManager, ServiceError> {
    let sc_service::PartialComponents {
        client,
        backend,
        mut task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool,
        other:
            Consensus {
                block_import,
                babe_link,
                babe_worker,
                grandpa_link,
                mut telemetry,
            },
    } = new_partial(&config)?;

    let genesis_hash =
        client.block_hash(0).ok().flatten().ok_or_else(|| {
            ServiceError::Other("the database holds no genesis block; purge it and start again".into())
        })?;
    let prometheus_registry = config.prometheus_registry().cloned();
    let metrics = N::register_notification_metrics(config.prometheus_registry());
    let mut net_config =
        sc_network::config::FullNetworkConfiguration::<_, _, N>::new(&config.network, prometheus_registry.clone());
    let grandpa_protocol = sc_consensus_grandpa::protocol_standard_name(&genesis_hash, &config.chain_spec);
    let (grandpa_protocol_config, grandpa_notifications) = sc_consensus_grandpa::grandpa_peers_set_config::<_, N>(
        grandpa_protocol.clone(),
        metrics.clone(),
        net_config.peer_store_handle(),
    );
    net_config.add_notification_protocol(grandpa_protocol_config);

    let warp_sync = Arc::new(sc_consensus_grandpa::warp_proof::NetworkProvider::new(
        backend.clone(),
        grandpa_link.shared_authority_set().clone(),
        Vec::new(),
    ));
    let (network, system_rpc_tx, tx_handler_controller, sync_service, _bitswap) =
        sc_service::build_network(sc_service::BuildNetworkParams {
            config: &config,
            net_config,
            client: client.clone(),
            transaction_pool: transaction_pool.clone(),
            spawn_handle: task_manager.spawn_handle(),
            spawn_essential_handle: task_manager.spawn_essential_handle(),
            import_queue,
            block_announce_validator_builder: None,
            warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_sync)),
            block_relay: None,
            metrics,
            gap_sync_body_policy: None,
        })?;

    if config.offchain_worker.enabled {
        let workers = sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
            runtime_api_provider: client.clone(),
            keystore: Some(keystore_container.keystore()),
            offchain_db: backend.offchain_storage(),
            transaction_pool: Some(OffchainTransactionPoolFactory::new(transaction_pool.clone())),
            network_provider: Arc::new(network.clone()),
            is_validator: config.role.is_authority(),
            enable_http_requests: false,
            custom_extensions: |_| Vec::new(),
        })?;
        task_manager.spawn_handle().spawn(
            "offchain-workers-runner",
            "offchain-worker",
            workers.run(client.clone(), task_manager.spawn_handle()).boxed(),
        );
    }

    let role = config.role;
    let force_authoring = config.force_authoring;
    let name = config.network.node_name.clone();
    let enable_grandpa = !config.disable_grandpa;
    let slot_duration = babe_link.config().slot_duration();
    let voter_state = SharedVoterState::empty();

    let rpc_dependencies = rpc::Dependencies {
        client: client.clone(),
        backend: backend.clone(),
        pool: transaction_pool.clone(),
        select_chain: select_chain.clone(),
        keystore: keystore_container.keystore(),
        babe: babe_worker,
        grandpa: GrandpaDependencies {
            voter_state: voter_state.clone(),
            authority_set: grandpa_link.shared_authority_set().clone(),
            justifications: grandpa_link.justification_stream(),
            finality_proofs: sc_consensus_grandpa::FinalityProofProvider::new_for_service(
                backend.clone(),
                Some(grandpa_link.shared_authority_set().clone()),
            ),
        },
    };
    sc_service::spawn_tasks(sc_service::SpawnTasksParams {
        config,
        client: client.clone(),
        backend,
        task_manager: &mut task_manager,
        keystore: keystore_container.keystore(),
        transaction_pool: transaction_pool.clone(),
        rpc_builder: Box::new(move |executor| {
            rpc::create(rpc_dependencies.clone(), executor).map_err(ServiceError::Application)
        }),
        network: network.clone(),
        system_rpc_tx,
        tx_handler_controller,
        sync_service: sync_service.clone(),
        telemetry: telemetry.as_mut(),
        tracing_execute_block: None,
    })?;

    if role.is_authority() {
        let proposer = sc_basic_authorship::ProposerFactory::new(
            task_manager.spawn_handle(),
            client.clone(),
            transaction_pool.clone(),
            prometheus_registry.as_ref(),
            telemetry.as_ref().map(Telemetry::handle),
        );
        let babe = sc_consensus_babe::start_babe(sc_consensus_babe::BabeParams {
            keystore: keystore_container.keystore(),
            client,
            select_chain,
            env: proposer,
            block_import,
            sync_oracle: sync_service.clone(),
            justification_sync_link: sync_service.clone(),
            create_inherent_data_providers: inherents(slot_duration),
            force_authoring,
            backoff_authoring_blocks: Some(BackoffAuthoringOnFinalizedHeadLagging::default()),
            babe_link,
            block_proposal_slot_portion: SlotProportion::new(0.5),
            max_block_proposal_slot_portion: None,
            telemetry: telemetry.as_ref().map(Telemetry::handle),
        })?;
        // Essential: a validator that no longer makes blocks should stop and be noticed.
        task_manager
            .spawn_essential_handle()
            .spawn_blocking("babe", Some("block-authoring"), babe);
    }

    if enable_grandpa {
        let voter = sc_consensus_grandpa::run_grandpa_voter(sc_consensus_grandpa::GrandpaParams {
            config: sc_consensus_grandpa::Config {
                gossip_duration: GOSSIP_DURATION,
                justification_generation_period: JUSTIFICATION_PERIOD,
                name: Some(name),
                observer_enabled: false,
                // Who does not vote needs no keys.
                keystore: role.is_authority().then(|| keystore_container.keystore()),
                local_role: role,
                telemetry: telemetry.as_ref().map(Telemetry::handle),
                protocol_name: grandpa_protocol,
            },
            link: grandpa_link,
            network,
            sync: Arc::new(sync_service),
            notification_service: grandpa_notifications,
            voting_rule: sc_consensus_grandpa::VotingRulesBuilder::default().build(),
            prometheus_registry,
            shared_voter_state: voter_state,
            telemetry: telemetry.as_ref().map(Telemetry::handle),
            offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(transaction_pool),
        })?;
        // Essential for the same reason.
        task_manager
            .spawn_essential_handle()
            .spawn_blocking("grandpa-voter", None, voter);
    }

    Ok(task_manager)
}
