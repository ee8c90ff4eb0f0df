//! The image of a crate: `cargo` compiles and links it, as `scripts/build-guests.sh` does for the images of this repository.

use crate::{ImageError, image_of};
use serde::Deserialize;
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What programs are compiled for.
pub const TARGET: &str = "riscv64imac-unknown-none-elf";

/// Where things are in the machine.
const LINK_SCRIPT: &str = include_str!("../../../guests/agora-guest/link.ld");

/// How every program is compiled, whatever its manifest says. With [`flags`], this is what `scripts/build-guests.sh` says: so one target folder has
/// one standard library for both.
const PROFILE: [(&str, &str); 4] = [
    ("LTO", "fat"),
    ("CODEGEN_UNITS", "1"),
    ("PANIC", "abort"),
    ("OPT_LEVEL", "3"),
];

/// An image that was built.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Built {
    /// The name of the program.
    pub name: String,
    /// Its image.
    pub image: Vec<u8>,
    /// The executable that it was made from.
    pub executable: PathBuf,
}

/// Why a crate has no image.
#[derive(thiserror::Error, Debug)]
pub enum BuildError {
    /// There is no crate.
    #[error("{0} has no Cargo.toml: `agora program new` makes a crate to begin with")]
    NoCrate(PathBuf),
    /// A program of the toolchain is not there.
    #[error("{program} cannot be started ({reason}): install Rust, as https://rustup.rs says")]
    NoToolchain {
        /// The program.
        program: String,
        /// Why it was not started.
        reason: io::Error,
    },
    /// The toolchain can compile for this machine alone.
    #[error("the toolchain has no standard library for programs: `rustup target add {TARGET}`, then this again")]
    NoLibrary,
    /// Cargo says something that this crate does not understand.
    #[error("cargo answered something unknown: {0}")]
    Answer(String),
    /// Cargo has said why, to standard error.
    #[error("{0} cannot be compiled: cargo has said why")]
    Failed(PathBuf),
    /// There is no program in the crate, or there are several.
    #[error("the crate has {} programs{}: it must have one, src/main.rs", .0.len(), named(.0))]
    Programs(Vec<String>),
    /// A file could not be read or written.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: io::Error,
    },
    /// The executable cannot be run by the machine.
    #[error(transparent)]
    Image(#[from] ImageError),
}

fn named(programs: &[String]) -> String {
    match programs {
        [] => String::new(),
        names => format!(" ({})", names.join(", ")),
    }
}

/// What cargo says of a workspace.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// A line that cargo prints while it builds.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    target: Option<Target>,
}

/// Where the standard library for programs comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Library {
    /// It is installed.
    Installed,
    /// It is compiled from the toolchain's own sources.
    Sources,
}

/// Builds the crate in `folder`, and makes its executable an image. Cargo's progress and errors go to standard error.
///
/// `cargo` and `rustc` are those of the `PATH`; `cargo_home` is where cargo keeps what it downloads. The same toolchain makes the same image of the
/// same sources, wherever they are.
///
/// Errors: `NoCrate`, `NoToolchain`, `NoLibrary`, `Failed`, `Programs`, `Image`, `File`, `Answer`.
pub fn build(folder: &Path, cargo_home: &Path) -> Result<Built, BuildError> {
    let manifest = folder.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(BuildError::NoCrate(folder.to_owned()));
    }
    let manifest = absolute(&manifest)?;
    let folder = manifest.parent().unwrap_or(folder);
    let sysroot = PathBuf::from(answer("rustc", folder, &["--print", "sysroot"])?.trim_end());
    let library = library(&sysroot)?;
    let metadata = answer("cargo", folder, &["metadata", "--no-deps", "--format-version", "1"])?;
    let metadata: Metadata = serde_json::from_str(&metadata).map_err(|error| BuildError::Answer(error.to_string()))?;
    let name = program(&metadata, &manifest)?;
    let script = metadata.target_directory.join("agora-link.ld");
    write(&script, LINK_SCRIPT)?;
    let sources = sysroot.join("lib/rustlib/src/rust");
    let executable = compile(
        folder,
        &name,
        library,
        &flags(&script, [(cargo_home, "/cargo"), (&sources, "/rust")]),
    )?;
    let elf = fs::read(&executable).map_err(|reason| file(&executable, reason))?;
    let image = image_of(&elf).unwrap_or(Err(ImageError::NotLinked))?;
    Ok(Built {
        name,
        image,
        executable,
    })
}

fn file(path: &Path, reason: io::Error) -> BuildError {
    let path = path.to_owned();
    BuildError::File { path, reason }
}

fn absolute(path: &Path) -> Result<PathBuf, BuildError> {
    fs::canonicalize(path).map_err(|reason| file(path, reason))
}

/// Writes `content` to `path`, unless it is there: cargo compiles anew what depends on a file that is newer.
fn write(path: &Path, content: &str) -> Result<(), BuildError> {
    if fs::read_to_string(path).is_ok_and(|there| there == content) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|reason| file(folder, reason))?;
    fs::write(path, content).map_err(|reason| file(path, reason))
}

/// What `program` prints.
fn answer(program: &str, folder: &Path, arguments: &[&str]) -> Result<String, BuildError> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stderr(Stdio::inherit());
    let output = command.output().map_err(|reason| BuildError::NoToolchain {
        program: program.to_owned(),
        reason,
    })?;
    if !output.status.success() {
        return Err(BuildError::Failed(folder.to_owned()));
    }
    String::from_utf8(output.stdout).map_err(|error| BuildError::Answer(error.to_string()))
}

/// Where the toolchain has the standard library.
///
/// Errors: `NoLibrary`.
fn library(sysroot: &Path) -> Result<Library, BuildError> {
    let rustlib = sysroot.join("lib/rustlib");
    if rustlib.join(TARGET).join("lib").is_dir() {
        return Ok(Library::Installed);
    }
    if rustlib.join("src/rust/library/core").is_dir() {
        return Ok(Library::Sources);
    }
    Err(BuildError::NoLibrary)
}

/// The name of the one program of the crate with this manifest.
///
/// Errors: `Programs`.
fn program(metadata: &Metadata, manifest: &Path) -> Result<String, BuildError> {
    let packages = metadata
        .packages
        .iter()
        .filter(|package| package.manifest_path == manifest);
    let targets = packages.flat_map(|package| &package.targets);
    let programs = targets.filter(|target| target.kind.iter().any(|kind| kind == "bin"));
    let mut names: Vec<String> = programs.map(|target| target.name.clone()).collect();
    match names.pop() {
        Some(name) if names.is_empty() => Ok(name),
        last => Err(BuildError::Programs(names.into_iter().chain(last).collect())),
    }
}

/// What the compiler is told. No path of this machine gets into an image: those that are `known` have other names there, and those of the crate
/// itself begin in its folder.
fn flags(script: &Path, known: [(&Path, &str); 2]) -> OsString {
    let mut flags = OsString::from("-Clink-arg=-T");
    flags.push(script);
    flags.push("\x1f-Crelocation-model=static");
    for (path, name) in known {
        flags.push("\x1f--remap-path-prefix=");
        flags.push(path);
        flags.push("=");
        flags.push(name);
    }
    flags
}

/// Has cargo build the program `name`, and returns its executable.
fn compile(folder: &Path, name: &str, library: Library, flags: &OsString) -> Result<PathBuf, BuildError> {
    let mut command = Command::new("cargo");
    command
        .current_dir(folder)
        .args(["build", "--release", "--target", TARGET, "--bin", name])
        .arg("--message-format=json-render-diagnostics")
        .env_remove("RUSTFLAGS")
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        .stderr(Stdio::inherit());
    for (setting, value) in PROFILE {
        command.env(format!("CARGO_PROFILE_RELEASE_{setting}"), value);
    }
    if library == Library::Sources {
        command.args(["-Z", "build-std=core,alloc"]).env("RUSTC_BOOTSTRAP", "1");
    }
    let output = command.output().map_err(|reason| BuildError::NoToolchain {
        program: "cargo".to_owned(),
        reason,
    })?;
    if !output.status.success() {
        return Err(BuildError::Failed(folder.to_owned()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let mut executables = messages.filter_map(|message| {
        let target = message.target?;
        (target.name == name).then_some(message.executable).flatten()
    });
    executables
        .next_back()
        .ok_or_else(|| BuildError::Answer("it names no executable".to_owned()))
}

#[cfg(test)]
mod tests;
