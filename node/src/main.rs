//! The Agora node: keeps the chain, produces and finalises blocks, answers clients.

#![allow(clippy::result_large_err, reason = "the errors are the SDK's")]

mod chain_spec;
mod cli;
mod command;
mod rpc;
mod service;

fn main() -> sc_cli::Result<()> {
    command::run()
}
