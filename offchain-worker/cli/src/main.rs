//! `agora`: the one program that workers, verifiers and publishers run.
//!
//! Parses, calls the crates that do the work, and prints. Exit codes are in [`exit`].

mod args;
mod commands;
mod context;
mod exit;
mod jobs;
mod output;
mod units;

use args::{Cli, Command};
use clap::Parser;
use context::Context;
use exit::CliError;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    output::start_logging(&cli.global);
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("agora: {error}");
            error.code().into()
        }
    }
}

async fn run(cli: Cli) -> Result<(), CliError> {
    let context = Context::new(cli.global);
    match cli.command {
        Command::Keys(args) => commands::keys::run(&context, args),
        Command::Register(args) => commands::register::run(&context, args).await,
        Command::Profile(args) => commands::profile::run(&context, args).await,
        Command::Leave(args) => commands::leave::run(&context, args).await,
        Command::Mine(args) => commands::mine::run(&context, args).await,
        Command::VerifyWork(args) => commands::verify_work::run(&context, args).await,
        Command::Publish(args) => commands::publish::run(&context, args).await,
        Command::Cancel(args) => commands::publish::cancel(&context, args).await,
        Command::Tasks(args) => commands::tasks::list(&context, args).await,
        Command::Task(args) => commands::tasks::show(&context, args).await,
        Command::Result(args) => commands::result::run(&context, args).await,
        Command::Verify(args) => commands::verify::run(&context, args).await,
        Command::Balance(args) => commands::balance::run(&context, args).await,
        Command::Transfer(args) => commands::balance::transfer(&context, args).await,
        Command::Model(args) => commands::model::run(&context, args),
        Command::Embed(args) => commands::model::embed(&context, args).await,
        Command::Devices(args) => commands::devices::list(&context, args).await,
        Command::SelfTest(args) => commands::devices::self_test(&context, args).await,
    }
}
