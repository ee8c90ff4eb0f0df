//! `agora`: the one program that workers, verifiers and publishers run.
//!
//! Parses, calls the crates that do the work, and prints. Exit codes are in [`exit`].

mod args;
mod commands;
mod config;
mod context;
mod exit;
mod jobs;
mod output;
mod progress;
mod units;

use args::{Cli, Command};
use commands::court::Side;
use config::Stop;
use context::Context;
use exit::CliError;
use output::Format;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let (format, ended) = match config::parse(&arguments) {
        Ok(cli) => {
            output::start_logging(&cli.global);
            (cli.global.format(), run(cli).await)
        }
        // Help and the version are printed as they are; so is what is wrong, if it is for people.
        Err((format, Stop::Parser(error))) if !error.use_stderr() || format == Format::Table => error.exit(),
        Err((format, Stop::Parser(error))) => (format, Err(CliError::Line(error.render().to_string()))),
        Err((format, Stop::Error(error))) => (format, Err(*error)),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::failure(format, &error);
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
        Command::Addresses(args) => commands::addresses::run(&context, args).await,
        Command::Proxy(args) => commands::proxy::run(&context, args).await,
        Command::Mine(args) => commands::mine::run(&context, args).await,
        Command::VerifyWork(args) => commands::verify_work::run(&context, args).await,
        Command::Publish(args) => commands::publish::run(&context, args).await,
        Command::Cancel(args) => commands::publish::cancel(&context, args).await,
        Command::Tasks(args) => commands::tasks::list(&context, args).await,
        Command::Task(args) => commands::tasks::show(&context, args).await,
        Command::Wait(args) => commands::wait::run(&context, args).await,
        Command::Result(args) => commands::result::run(&context, args).await,
        Command::Disputes(args) => commands::disputes::list(&context, args).await,
        Command::Dispute(args) => commands::disputes::show(&context, args).await,
        Command::Accuse(args) => commands::court::run(&context, args, Side::Accuse).await,
        Command::Defend(args) => commands::court::run(&context, args, Side::Defend).await,
        Command::Verify(args) => commands::verify::run(&context, args).await,
        Command::Blobs(args) => commands::blobs::run(&context, args).await,
        Command::Balance(args) => commands::balance::run(&context, args).await,
        Command::Transfer(args) => commands::balance::transfer(&context, args).await,
        Command::Status(args) => commands::status::run(&context, args).await,
        Command::Earnings(args) => commands::earnings::run(&context, args).await,
        Command::Journal(args) => commands::journal::run(&context, args),
        Command::Doctor(args) => commands::doctor::run(&context, args).await,
        Command::Model(args) => commands::model::run(&context, args),
        Command::Program(args) => commands::program::run(&context, args).await,
        Command::Embed(args) => commands::model::embed(&context, args).await,
        Command::Devices(args) => commands::devices::list(&context, args).await,
        Command::SelfTest(args) => commands::devices::self_test(&context, args).await,
        Command::Completions(args) => {
            commands::generate::completions(args);
            Ok(())
        }
        Command::Man(args) => commands::generate::man(&context, args),
    }
}
