//! The command line.

/// The whole command line: a subcommand, or how to run the node.
#[derive(Debug, clap::Parser)]
pub struct Cli {
    #[command(subcommand)]
    pub subcommand: Option<Subcommand>,

    #[command(flatten)]
    pub run: sc_cli::RunCmd,
}

/// What the program can do instead of running a node.
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant, reason = "made once, when the program starts")]
pub enum Subcommand {
    /// Make, inspect and store keys.
    #[command(subcommand)]
    Key(sc_cli::KeySubcommand),

    /// Write a chain specification (the older command; `export-chain-spec` is clearer).
    BuildSpec(sc_cli::BuildSpecCmd),

    /// Write a chain specification, readable or raw.
    ExportChainSpec(sc_cli::ExportChainSpecCmd),

    /// Import a block again and check it.
    CheckBlock(sc_cli::CheckBlockCmd),

    /// Write blocks to a file.
    ExportBlocks(sc_cli::ExportBlocksCmd),

    /// Write the state of a block into a chain specification.
    ExportState(sc_cli::ExportStateCmd),

    /// Read blocks from a file.
    ImportBlocks(sc_cli::ImportBlocksCmd),

    /// Delete the chain's data.
    PurgeChain(sc_cli::PurgeChainCmd),

    /// Take back blocks that are not final.
    Revert(sc_cli::RevertCmd),

    /// Say what the database holds.
    ChainInfo(sc_cli::ChainInfoCmd),

    /// Measure weights.
    #[cfg(feature = "benchmark")]
    #[command(subcommand)]
    Benchmark(Benchmark),
}

/// What can be measured.
#[cfg(feature = "benchmark")]
#[derive(Debug, clap::Subcommand)]
pub enum Benchmark {
    /// The calls of a runtime's pallets: give a Wasm built with `runtime-benchmarks` as `--runtime`.
    Pallet(Box<frame_benchmarking_cli::PalletCmd>),
}
