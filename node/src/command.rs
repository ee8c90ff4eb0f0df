//! Does what the command line says.

use crate::{
    chain_spec,
    cli::{Cli, Subcommand},
    service::{self, Block, Partial},
};
use sc_cli::SubstrateCli;
use sc_network::config::NetworkBackendType;
use sc_service::Configuration;

impl SubstrateCli for Cli {
    fn impl_name() -> String {
        "Agora Node".into()
    }

    fn impl_version() -> String {
        env!("SUBSTRATE_CLI_IMPL_VERSION").into()
    }

    fn description() -> String {
        env!("CARGO_PKG_DESCRIPTION").into()
    }

    fn author() -> String {
        env!("CARGO_PKG_AUTHORS").into()
    }

    fn support_url() -> String {
        env!("CARGO_PKG_REPOSITORY").into()
    }

    fn copyright_start_year() -> i32 {
        2026
    }

    fn load_spec(&self, id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
        Ok(match id {
            "" | "dev" => Box::new(chain_spec::development()?),
            "local" | "local2" => Box::new(chain_spec::local_two()?),
            "local4" => Box::new(chain_spec::local_four()?),
            path => Box::new(chain_spec::ChainSpec::from_json_file(path.into())?),
        })
    }
}

/// Parses the command line and does what it says.
pub fn run() -> sc_cli::Result<()> {
    let cli = Cli::from_args();
    match &cli.subcommand {
        None => run_node(&cli),
        Some(Subcommand::Key(cmd)) => cmd.run(&cli),
        Some(Subcommand::BuildSpec(cmd)) => {
            let runner = cli.create_runner(cmd)?;
            runner.sync_run(|config| cmd.run(config.chain_spec, config.network))
        }
        Some(Subcommand::ExportChainSpec(cmd)) => cmd.run(cli.load_spec(&cmd.chain)?),
        Some(Subcommand::CheckBlock(cmd)) => check_block(&cli, cmd),
        Some(Subcommand::ExportBlocks(cmd)) => export_blocks(&cli, cmd),
        Some(Subcommand::ExportState(cmd)) => export_state(&cli, cmd),
        Some(Subcommand::ImportBlocks(cmd)) => import_blocks(&cli, cmd),
        Some(Subcommand::PurgeChain(cmd)) => {
            let runner = cli.create_runner(cmd)?;
            runner.sync_run(|config| cmd.run(config.database))
        }
        Some(Subcommand::Revert(cmd)) => revert(&cli, cmd),
        Some(Subcommand::ChainInfo(cmd)) => {
            let runner = cli.create_runner(cmd)?;
            runner.sync_run(|config| cmd.run::<Block>(&config))
        }
        #[cfg(feature = "benchmark")]
        Some(Subcommand::Benchmark(cmd)) => benchmark(cmd),
    }
}

fn check_block(cli: &Cli, cmd: &sc_cli::CheckBlockCmd) -> sc_cli::Result<()> {
    cli.create_runner(cmd)?.async_run(|config| {
        let Partial {
            client,
            task_manager,
            import_queue,
            ..
        } = service::new_partial(&prepare(config))?;
        Ok((cmd.run(client, import_queue), task_manager))
    })
}

fn export_blocks(cli: &Cli, cmd: &sc_cli::ExportBlocksCmd) -> sc_cli::Result<()> {
    cli.create_runner(cmd)?.async_run(|config| {
        let Partial {
            client, task_manager, ..
        } = service::new_partial(&config)?;
        Ok((cmd.run(client, config.database), task_manager))
    })
}

fn export_state(cli: &Cli, cmd: &sc_cli::ExportStateCmd) -> sc_cli::Result<()> {
    cli.create_runner(cmd)?.async_run(|config| {
        let Partial {
            client, task_manager, ..
        } = service::new_partial(&config)?;
        Ok((cmd.run(client, config.chain_spec), task_manager))
    })
}

fn import_blocks(cli: &Cli, cmd: &sc_cli::ImportBlocksCmd) -> sc_cli::Result<()> {
    cli.create_runner(cmd)?.async_run(|config| {
        let Partial {
            client,
            task_manager,
            import_queue,
            ..
        } = service::new_partial(&prepare(config))?;
        Ok((cmd.run(client, import_queue), task_manager))
    })
}

fn revert(cli: &Cli, cmd: &sc_cli::RevertCmd) -> sc_cli::Result<()> {
    cli.create_runner(cmd)?.async_run(|config| {
        let Partial {
            client,
            task_manager,
            backend,
            ..
        } = service::new_partial(&config)?;
        let revert = cmd.run(client, backend, Some(Box::new(service::revert_consensus)));
        Ok((revert, task_manager))
    })
}

fn run_node(cli: &Cli) -> sc_cli::Result<()> {
    let runner = cli.create_runner(&cli.run)?;
    runner.run_node_until_exit(|config| async move {
        let config = prepare(config);
        if !matches!(config.network.network_backend, NetworkBackendType::Litep2p) {
            return Err(sc_cli::Error::Input("this node speaks litep2p only".into()));
        }
        service::new_full::<sc_network::Litep2pNetworkBackend>(config).map_err(sc_cli::Error::Service)
    })
}

/// Turns on what the chain cannot do without, whatever the command line says. Proofs of results are made from what
/// importing the blocks wrote to the off-chain index.
fn prepare(mut config: Configuration) -> Configuration {
    config.offchain_worker.indexing_enabled = true;
    config
}

#[cfg(feature = "benchmark")]
fn benchmark(cmd: &crate::cli::Benchmark) -> sc_cli::Result<()> {
    let crate::cli::Benchmark::Pallet(cmd) = cmd;
    sc_cli::LoggerBuilder::new("").init()?;
    // The runtime comes from `--runtime`, because the one in this program has no benchmarks.
    cmd.run_with_spec::<sp_runtime::traits::HashingFor<Block>, ()>(None)
}
