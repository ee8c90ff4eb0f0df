//! Programs that publishers write, on their way to a job: a crate to begin with ([`create`]), and its image ([`build`], [`image_of`]).
//!
//! A program is RISC-V code for the machine of `docs/protocol/machine.md`, and its image is the code as it lies in that machine's memory. This
//! crate starts `cargo` and writes files; it prints nothing, and knows no chain.

#![deny(missing_docs)]

mod build;
mod elf;
mod template;

pub use build::{BuildError, Built, TARGET, build};
pub use elf::{ImageError, image_of};
pub use template::{TemplateError, create};
