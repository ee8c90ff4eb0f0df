//! The command line of `agora program`.

use crate::{jobs::CodeArgs, units::Gas};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Args)]
pub struct ProgramsArgs {
    #[command(subcommand)]
    pub command: ProgramCommand,
}

#[derive(Subcommand)]
pub enum ProgramCommand {
    /// Make a crate to begin with: a program that counts words, with the library that programs use.
    New {
        /// The folder, which is new; the program has its name.
        folder: PathBuf,
    },
    /// Make the image of a program, which is what jobs run: of a crate, or of an executable that another compiler has made.
    Build {
        /// The folder of the crate, or the executable.
        #[arg(default_value = ".")]
        source: PathBuf,
        /// The image that is written; the program's name with .bin, beside the source, if left out.
        #[arg(long)]
        file: Option<PathBuf>,
    },
    /// Run a program on this machine, as workers would: one item, or a fold up to a step.
    Run(TryArgs),
}

#[derive(Args)]
pub struct TryArgs {
    #[command(flatten)]
    pub code: CodeArgs,
    /// The item to run, from 0; of a fold, the step to run up to.
    #[arg(long, default_value_t = 0)]
    pub item: u32,
    /// The most gas of an item, such as 500M or 2G.
    #[arg(long, default_value = "1G")]
    pub gas: Gas,
    /// Write the output to this file.
    #[arg(long)]
    pub file: Option<PathBuf>,
}
