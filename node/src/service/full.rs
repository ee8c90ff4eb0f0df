//! Starts a node: the network, RPC, and what makes and finalises blocks.

use super::{
    Block, Consensus, FullBabeImport, FullBackend, FullClient, FullGrandpaLink, FullSelectChain, JUSTIFICATION_PERIOD,
    Partial, TransactionPool, inherents, new_partial, sockets,
};
use crate::rpc::{self, GrandpaDependencies};
use futures::FutureExt;
use sc_client_api::{Backend, BlockBackend};
use sc_consensus::DefaultImportQueue;
use sc_consensus_babe::{BabeLink, BabeWorkerHandle, SlotProportion};
use sc_consensus_grandpa::SharedVoterState;
use sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging;
use sc_network::{
    NetworkBackend, NotificationMetrics, NotificationService, ProtocolName, config::FullNetworkConfiguration,
    service::traits::NetworkService,
};
use sc_network_sync::SyncingService;
use sc_service::{
    Configuration, Role, TaskManager, WarpSyncConfig, config::PrometheusConfig, error::Error as ServiceError,
};
use sc_telemetry::{Telemetry, TelemetryHandle};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_keystore::KeystorePtr;
use sp_runtime::traits::Block as BlockT;
use std::{sync::Arc, time::Duration};

/// How long GRANDPA takes a message to reach everybody.
const GOSSIP_DURATION: Duration = Duration::from_millis(333);

type Hash = <Block as BlockT>::Hash;

/// What the parts of a running node share.
struct Node {
    client: Arc<FullClient>,
    backend: Arc<FullBackend>,
    keystore: KeystorePtr,
    select_chain: FullSelectChain,
    transaction_pool: Arc<TransactionPool>,
    role: Role,
    prometheus: Option<PrometheusConfig>,
    telemetry: Option<Telemetry>,
}

/// The network that the node has joined.
struct Network {
    service: Arc<dyn NetworkService>,
    sync: Arc<SyncingService<Block>>,
    grandpa: GrandpaProtocol,
}

/// GRANDPA's part of the network.
struct GrandpaProtocol {
    name: ProtocolName,
    notifications: Box<dyn NotificationService>,
}

/// Builds and starts a node.
pub fn new_full<N: NetworkBackend<Block, Hash>>(config: Configuration) -> Result<TaskManager, ServiceError> {
    let Partial {
        client,
        backend,
        mut task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool,
        other: consensus,
    } = new_partial(&config)?;
    let Consensus {
        block_import,
        babe_link,
        babe_worker,
        grandpa_link,
        telemetry,
    } = consensus;
    let mut node = Node {
        client,
        backend,
        keystore: keystore_container.keystore(),
        select_chain,
        transaction_pool,
        role: config.role,
        prometheus: config.prometheus_config.clone(),
        telemetry,
    };
    let force_authoring = config.force_authoring;
    let voter_name = (!config.disable_grandpa).then(|| config.network.node_name.clone());
    let voter_state = SharedVoterState::empty();

    let rpc = node.rpc_dependencies(babe_worker, &grandpa_link, voter_state.clone());
    let network = node.start_services::<N>(config, &mut task_manager, import_queue, rpc)?;
    if node.role.is_authority() {
        node.start_authoring(&task_manager, &network, block_import, babe_link, force_authoring)?;
    }
    if let Some(name) = voter_name {
        node.start_voting(&task_manager, network, grandpa_link, name, voter_state)?;
    }
    Ok(task_manager)
}

impl Node {
    fn telemetry(&self) -> Option<TelemetryHandle> {
        self.telemetry.as_ref().map(Telemetry::handle)
    }

    fn offchain_transactions(&self) -> OffchainTransactionPoolFactory<Block> {
        OffchainTransactionPoolFactory::new(self.transaction_pool.clone())
    }

    /// What the RPC handlers need.
    fn rpc_dependencies(
        &self,
        babe: BabeWorkerHandle<Block>,
        grandpa: &FullGrandpaLink,
        voter_state: SharedVoterState,
    ) -> rpc::Dependencies {
        let authority_set = grandpa.shared_authority_set().clone();
        rpc::Dependencies {
            client: self.client.clone(),
            backend: self.backend.clone(),
            pool: self.transaction_pool.clone(),
            select_chain: self.select_chain.clone(),
            keystore: self.keystore.clone(),
            babe,
            grandpa: GrandpaDependencies {
                voter_state,
                authority_set: authority_set.clone(),
                justifications: grandpa.justification_stream(),
                finality_proofs: sc_consensus_grandpa::FinalityProofProvider::new_for_service(
                    self.backend.clone(),
                    Some(authority_set),
                ),
            },
        }
    }

    /// Joins the network, and starts the off-chain workers, RPC, and what the SDK runs in every node.
    fn start_services<N: NetworkBackend<Block, Hash>>(
        &mut self,
        config: Configuration,
        task_manager: &mut TaskManager,
        import_queue: DefaultImportQueue<Block>,
        rpc: rpc::Dependencies,
    ) -> Result<Network, ServiceError> {
        let metrics = N::register_notification_metrics(config.prometheus_registry());
        let mut net_config =
            FullNetworkConfiguration::<_, _, N>::new(&config.network, config.prometheus_registry().cloned());
        let grandpa = self.add_grandpa_protocol(&config, &mut net_config, metrics.clone())?;
        let warp_sync = Arc::new(sc_consensus_grandpa::warp_proof::NetworkProvider::new(
            self.backend.clone(),
            rpc.grandpa.authority_set.clone(),
            Vec::new(),
        ));
        let (service, system_rpc_tx, tx_handler_controller, sync, _bitswap) =
            sc_service::build_network(sc_service::BuildNetworkParams {
                config: &config,
                net_config,
                client: self.client.clone(),
                transaction_pool: self.transaction_pool.clone(),
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
            self.start_offchain_workers(task_manager, service.clone())?;
        }
        sc_service::spawn_tasks(sc_service::SpawnTasksParams {
            config,
            client: self.client.clone(),
            backend: self.backend.clone(),
            task_manager,
            keystore: self.keystore.clone(),
            transaction_pool: self.transaction_pool.clone(),
            rpc_builder: Box::new(move |executor| {
                rpc::create(rpc.clone(), executor).map_err(ServiceError::Application)
            }),
            network: service.clone(),
            system_rpc_tx,
            tx_handler_controller,
            sync_service: sync.clone(),
            telemetry: self.telemetry.as_mut(),
            tracing_execute_block: None,
        })?;
        if let Err(error) = sockets::answer_at_once() {
            log::debug!("Answers to clients may be held back: {error}");
        }
        Ok(Network { service, sync, grandpa })
    }

    /// Adds GRANDPA's protocol to what the node speaks.
    fn add_grandpa_protocol<N: NetworkBackend<Block, Hash>>(
        &self,
        config: &Configuration,
        net_config: &mut FullNetworkConfiguration<Block, Hash, N>,
        metrics: NotificationMetrics,
    ) -> Result<GrandpaProtocol, ServiceError> {
        let genesis_hash = self.client.block_hash(0).ok().flatten().ok_or_else(|| {
            ServiceError::Other("the database holds no genesis block; purge it and start again".into())
        })?;
        let name = sc_consensus_grandpa::protocol_standard_name(&genesis_hash, &config.chain_spec);
        let (protocol, notifications) = sc_consensus_grandpa::grandpa_peers_set_config::<_, N>(
            name.clone(),
            metrics,
            net_config.peer_store_handle(),
        );
        net_config.add_notification_protocol(protocol);
        Ok(GrandpaProtocol { name, notifications })
    }

    /// Starts what runs the runtime's off-chain workers after each block.
    fn start_offchain_workers(
        &self,
        task_manager: &TaskManager,
        network: Arc<dyn NetworkService>,
    ) -> Result<(), ServiceError> {
        let workers = sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
            runtime_api_provider: self.client.clone(),
            keystore: Some(self.keystore.clone()),
            offchain_db: self.backend.offchain_storage(),
            transaction_pool: Some(self.offchain_transactions()),
            network_provider: Arc::new(network),
            is_validator: self.role.is_authority(),
            enable_http_requests: false,
            custom_extensions: |_| Vec::new(),
        })?;
        task_manager.spawn_handle().spawn(
            "offchain-workers-runner",
            "offchain-worker",
            workers.run(self.client.clone(), task_manager.spawn_handle()).boxed(),
        );
        Ok(())
    }

    /// Starts making blocks.
    fn start_authoring(
        &self,
        task_manager: &TaskManager,
        network: &Network,
        block_import: FullBabeImport,
        babe_link: BabeLink<Block>,
        force_authoring: bool,
    ) -> Result<(), ServiceError> {
        let proposer = sc_basic_authorship::ProposerFactory::new(
            task_manager.spawn_handle(),
            self.client.clone(),
            self.transaction_pool.clone(),
            self.prometheus.as_ref().map(|prometheus| &prometheus.registry),
            self.telemetry(),
        );
        let babe = sc_consensus_babe::start_babe(sc_consensus_babe::BabeParams {
            keystore: self.keystore.clone(),
            client: self.client.clone(),
            select_chain: self.select_chain.clone(),
            env: proposer,
            block_import,
            sync_oracle: network.sync.clone(),
            justification_sync_link: network.sync.clone(),
            create_inherent_data_providers: inherents(babe_link.config().slot_duration()),
            force_authoring,
            backoff_authoring_blocks: Some(BackoffAuthoringOnFinalizedHeadLagging::default()),
            babe_link,
            block_proposal_slot_portion: SlotProportion::new(0.5),
            max_block_proposal_slot_portion: None,
            telemetry: self.telemetry(),
        })?;
        // Essential: a validator that no longer makes blocks should stop and be noticed.
        task_manager
            .spawn_essential_handle()
            .spawn_blocking("babe", Some("block-authoring"), babe);
        Ok(())
    }

    /// Starts finalising blocks. A node that is no authority follows without voting.
    fn start_voting(
        &self,
        task_manager: &TaskManager,
        network: Network,
        link: FullGrandpaLink,
        name: String,
        voter_state: SharedVoterState,
    ) -> Result<(), ServiceError> {
        let voter = sc_consensus_grandpa::run_grandpa_voter(sc_consensus_grandpa::GrandpaParams {
            config: sc_consensus_grandpa::Config {
                gossip_duration: GOSSIP_DURATION,
                justification_generation_period: JUSTIFICATION_PERIOD,
                name: Some(name),
                observer_enabled: false,
                // A node that does not vote needs no keys.
                keystore: self.role.is_authority().then(|| self.keystore.clone()),
                local_role: self.role,
                telemetry: self.telemetry(),
                protocol_name: network.grandpa.name,
            },
            link,
            network: network.service,
            sync: Arc::new(network.sync),
            notification_service: network.grandpa.notifications,
            voting_rule: sc_consensus_grandpa::VotingRulesBuilder::default().build(),
            prometheus_registry: self.prometheus.as_ref().map(|prometheus| prometheus.registry.clone()),
            shared_voter_state: voter_state,
            telemetry: self.telemetry(),
            offchain_tx_pool_factory: self.offchain_transactions(),
        })?;
        // Essential: a validator that no longer votes should stop and be noticed.
        task_manager
            .spawn_essential_handle()
            .spawn_blocking("grandpa-voter", None, voter);
        Ok(())
    }
}
