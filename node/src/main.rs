//! The Agora node: keeps the chain, produces and finalises blocks, answers clients.

mod chain_spec;
mod cli;
mod command;
mod rpc;
mod service;

fn main() -> sc_cli::Result<()> {
    command::run()
}
