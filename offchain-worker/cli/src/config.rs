//! Settings from the environment and from the file with profiles, as defaults of the command line.
//!
//! A setting is the long name of an option. What counts, the most first: the command line, the environment, the profile,
//! the program's own default. The file is checked as a whole: a setting that is misspelt in a profile that is not in use
//! is an error too, with its line.

mod file;

use crate::{args::Cli, context::user_folder, exit::CliError, output::Format};
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches, parser::ValueSource};
use file::Profiles;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Name of the variable that may hold the secret phrase.
pub const KEY_VARIABLE: &str = "AGORA_KEY";
/// Name of the file in the folder of configurations.
const FILE: &str = "config.toml";

/// Reads the command line `arguments`, the program's name first.
///
/// Errors: those of the parser, which are also how `--help` ends, and what is wrong with the file. With each comes how
/// it is to be printed, as far as the arguments tell.
pub fn parse(arguments: &[OsString]) -> Result<Cli, (Format, Stop)> {
    let command = without_empty_variables(Cli::command());
    // What can be read of a line that may be wrong: enough to find the file, and to say what is wrong as was asked for.
    let glance = command.clone().ignore_errors(true).try_get_matches_from(arguments).ok();
    let told = glance.as_ref().map_or(Format::Table, format);
    let configured = configured(command, glance.as_ref()).map_err(|error| (told, Stop::Error(Box::new(error))))?;
    let matches = configured
        .try_get_matches_from(arguments)
        .map_err(|error| (told, Stop::Parser(error)))?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(|error| (told, Stop::Parser(error)))?;
    choose_key(
        &mut cli,
        &matches,
        std::env::var_os(KEY_VARIABLE).is_some_and(|key| !key.is_empty()),
    );
    Ok(cli)
}

/// Why there is no command to run.
pub enum Stop {
    /// The command line is wrong, or asks for help.
    Parser(clap::Error),
    /// The file of settings is wrong.
    Error(Box<CliError>),
}

/// A variable that is empty counts as one that is not set.
fn without_empty_variables(command: Command) -> Command {
    command.mut_args(|arg| {
        let empty = arg
            .get_env()
            .is_some_and(|name| std::env::var_os(name).is_some_and(|value| value.is_empty()));
        if empty { arg.env(None::<&'static str>) } else { arg }
    })
}

fn format(matches: &ArgMatches) -> Format {
    let json = matches
        .try_get_one::<bool>("json")
        .ok()
        .flatten()
        .copied()
        .unwrap_or(false);
    let output = matches.try_get_one::<Format>("output").ok().flatten().copied();
    if json {
        Format::Json
    } else {
        output.unwrap_or(Format::Table)
    }
}

/// `command`, with what the profile says as its defaults.
fn configured(command: Command, glance: Option<&ArgMatches>) -> Result<Command, CliError> {
    let path = |name: &str| glance.and_then(|matches| matches.try_get_one::<PathBuf>(name).ok().flatten().cloned());
    let named = glance.and_then(|matches| matches.try_get_one::<String>("profile").ok().flatten().cloned());
    let (file, asked) = match path("config") {
        Some(file) => (Some(file), true),
        None => (
            user_folder("XDG_CONFIG_HOME", ".config").map(|folder| folder.join(FILE)),
            false,
        ),
    };
    let text = match &file {
        Some(file) => read(file, asked)?,
        None => None,
    };
    match (file, text) {
        (Some(file), Some(text)) => Profiles::read(&file, &text, &command)?.apply(named.as_deref(), command),
        (file, _) => match named {
            None => Ok(command),
            Some(name) => Err(CliError::Usage(format!(
                "there is no profile {name:?}: the file {} does not exist; write it, or leave --profile out",
                file.unwrap_or_else(|| FILE.into()).display()
            ))),
        },
    }
}

/// The text of `file`; `None` if it does not exist and nobody asked for it.
fn read(file: &Path, asked: bool) -> Result<Option<String>, CliError> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !asked => Ok(None),
        Err(error) => Err(CliError::Usage(format!(
            "the settings {} cannot be read: {error}",
            file.display()
        ))),
    }
}

/// Of several keys that are given, that which counts most: the command line, the environment, the profile.
fn choose_key(cli: &mut Cli, matches: &ArgMatches, variable: bool) {
    let rank = |name: &str| match matches.value_source(name) {
        Some(ValueSource::CommandLine) => 2,
        Some(ValueSource::EnvVariable) => 1,
        _ => 0,
    };
    let best = rank("dev").max(rank("key_file")).max(u8::from(variable));
    if rank("dev") < best {
        cli.global.dev = None;
    }
    // A file that the environment names goes before a phrase in it, as before there were profiles.
    if rank("key_file") < best {
        cli.global.key_file = None;
    }
}

#[cfg(test)]
mod tests;
