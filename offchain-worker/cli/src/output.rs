//! Printing.

use crate::{args::Global, context::Context};
use serde::Serialize;
use tracing_subscriber::{EnvFilter, fmt};

/// Logs go to standard error, so that standard output holds answers alone.
pub fn start_logging(global: &Global) {
    let level = match global.verbose {
        0 => "warn,agora=info,agora_worker=info,agora_chain=info",
        1 => "warn,agora=debug,agora_worker=debug,agora_chain=debug,agora_compute=info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let builder = fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    if global.json {
        builder.json().init();
    } else {
        builder.init();
    }
}

/// Prints an answer: as JSON, or as `text` writes it.
pub fn answer<Answer: Serialize>(context: &Context, answer: &Answer, text: impl FnOnce(&Answer) -> String) {
    if context.json() {
        match serde_json::to_string(answer) {
            Ok(json) => println!("{json}"),
            Err(error) => unreachable!("answers are plain data: {error}"),
        }
    } else {
        println!("{}", text(answer));
    }
}
