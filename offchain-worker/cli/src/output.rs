//! Printing: answers to standard output, logs and errors to standard error.

mod yaml;

use crate::{args::Global, context::Context, exit::CliError};
use clap::ValueEnum;
use serde::Serialize;
use std::io::{ErrorKind, IsTerminal, Write};
use tracing_subscriber::{EnvFilter, fmt};

/// How answers are printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// One document a line.
    Json,
    /// One document after the other, each behind `---`.
    Yaml,
}

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
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        // That a log cannot be written would be told with a panic, where nobody reads standard error.
        .log_internal_errors(false);
    if global.format() == Format::Json {
        builder.json().init();
    } else {
        builder.init();
    }
}

/// Prints an answer: as JSON or YAML, or as `text` writes it.
pub fn answer<Answer: Serialize>(context: &Context, answer: &Answer, text: impl FnOnce(&Answer) -> String) {
    match context.format() {
        Format::Table => print(&text(answer)),
        format => document(format, answer),
    }
}

/// Prints answers of one kind: a document each, or a table with `header`.
pub fn answers<Answer: Serialize>(
    context: &Context,
    answers: &[Answer],
    header: &str,
    row: impl Fn(&Answer) -> String,
) {
    match context.format() {
        Format::Table => {
            print(header);
            answers.iter().for_each(|one| print(&row(one)));
        }
        format => answers.iter().for_each(|one| document(format, one)),
    }
}

fn document(format: Format, answer: &impl Serialize) {
    print(&written(format, answer));
}

/// `answer` as a document of `format`.
fn written(format: Format, answer: &impl Serialize) -> String {
    let written = match format {
        Format::Table | Format::Json => serde_json::to_string(answer),
        Format::Yaml => serde_json::to_value(answer).map(|value| yaml::document(&value)),
    };
    match written {
        Ok(text) => text,
        Err(error) => unreachable!("answers are plain data: {error}"),
    }
}

/// Prints one or more lines to standard output.
///
/// If nobody reads them any more (`agora tasks | head -1`), the program ends: quietly and with success, as what was
/// wanted was read. If they cannot be written for another reason, such as a full disk, it ends with an error.
pub fn print(lines: &str) {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{lines}").and_then(|()| out.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            note(&format!("agora: the answer cannot be written: {error}"));
            std::process::exit(1);
        }
    }
}

/// Says at the start of what runs for long that this build can misbehave, if it can.
pub fn say_what_it_is() {
    #[cfg(feature = "fault-injection")]
    tracing::warn!(
        "This build has fault injection: it is for tests and demonstrations, and must not be run for money."
    );
}

/// Says to standard error what is good to know, in the form of the logs.
pub fn inform(text: &str) {
    tracing::info!("{text}");
}

/// Says to standard error what is probably not meant, in the form of the logs.
pub fn warn(text: &str) {
    tracing::warn!("{text}");
}

/// Prints a line to standard error, if anybody reads it.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// What is printed of an error.
#[derive(Serialize)]
struct Failure<'a> {
    error: Told<'a>,
}

#[derive(Serialize)]
struct Told<'a> {
    kind: &'a str,
    message: &'a str,
    try_again: bool,
}

/// Prints why the program ends: a line for people, or a document.
pub fn failure(format: Format, error: &CliError) {
    note(&told(format, error));
}

fn told(format: Format, error: &CliError) -> String {
    let message = error.to_string();
    let failure = Failure {
        error: Told {
            kind: error.kind().name(),
            message: message.trim_end(),
            try_again: error.kind().try_again(),
        },
    };
    match format {
        Format::Json | Format::Yaml => written(format, &failure),
        Format::Table if matches!(error, CliError::Line(_)) => message.trim_end().to_owned(),
        Format::Table => format!("agora: {message}"),
    }
}

/// What to say of a block that is not final, after the block's number.
pub fn not_final(is_final: bool) -> &'static str {
    if is_final {
        ""
    } else {
        ", which is not final: finality stands still, and until it goes on this may be undone"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn an_error_is_a_line_or_a_document() {
        let error = CliError::NotFound("there is no \"task\" 7".to_owned());
        assert_eq!(told(Format::Table, &error), "agora: there is no \"task\" 7");
        let document: Value = serde_json::from_str(&told(Format::Json, &error)).expect("it is JSON");
        assert_eq!(
            document,
            serde_json::json!({
                "error": { "kind": "not-found", "message": "there is no \"task\" 7", "try_again": false }
            })
        );
        let yaml = told(Format::Yaml, &error);
        assert!(yaml.starts_with("---\nerror:\n  kind: \"not-found\"\n"), "{yaml}");
    }
}
