//! `agora completions` and `agora man`

use crate::{
    args::{Cli, CompletionsArgs, ManArgs},
    context::Context,
    exit::CliError,
    output::{answer, print},
};
use clap::CommandFactory;
use serde::Serialize;
use std::path::Path;

/// The name of the program.
const PROGRAM: &str = "agora";

/// The manual pages that were written.
#[derive(Serialize)]
pub struct Pages {
    folder: String,
    pages: usize,
}

/// Prints the script.
pub fn completions(args: CompletionsArgs) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), PROGRAM, &mut script);
    print(String::from_utf8_lossy(&script).trim_end());
}

/// Writes the pages: one for the program, and one for each command.
pub fn man(context: &Context, args: ManArgs) -> Result<(), CliError> {
    let failed = |reason| CliError::File {
        path: args.folder.display().to_string(),
        reason,
    };
    std::fs::create_dir_all(&args.folder).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), &args.folder).map_err(failed)?;
    let pages = Pages {
        folder: args.folder.display().to_string(),
        pages: count(&args.folder).map_err(failed)?,
    };
    answer(context, &pages, |one| {
        format!(
            "{} manual pages are in {}; see `man -l {}/agora.1`.",
            one.pages, one.folder, one.folder
        )
    });
    Ok(())
}

fn count(folder: &Path) -> std::io::Result<usize> {
    let mut pages = 0;
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        pages += usize::from(name.to_string_lossy().ends_with(".1"));
    }
    Ok(pages)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use clap::ValueEnum;

    pub fn example() -> Pages {
        Pages {
            folder: "man".to_owned(),
            pages: 3,
        }
    }

    #[test]
    fn every_shell_is_given_every_command() {
        for shell in clap_complete::Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), PROGRAM, &mut script);
            let script = String::from_utf8(script).expect("it is text");
            for command in Cli::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
        }
    }

    #[test]
    fn every_command_has_a_manual_page() {
        let folder = tempfile::tempdir().expect("a folder");
        clap_mangen::generate_to(Cli::command(), folder.path()).expect("they are written");
        assert!(folder.path().join("agora.1").exists());
        for command in Cli::command().get_subcommands() {
            let page = folder.path().join(format!("agora-{}.1", command.get_name()));
            assert!(page.exists(), "{}", page.display());
        }
    }
}
