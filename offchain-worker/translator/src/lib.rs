//! Runs programs of [the machine](agora_machine) by translating what is hot of them to Wasm, which `wasmtime` compiles: exact as the
//! interpreter, and several times as fast.
//!
//! **What is promised.** A [`Run`] ends as [`agora_machine::Machine`] does with the same bounded program: status, output, gas
//! with its fees, registers and memory are equal, to the bit. Whatever the program does, translated code stays within the memory
//! of its own Wasm instance; a bug here can make a result wrong, but reaches nothing else.
//!
//! **How.** The interpreter runs the program and counts. What was executed often is translated, region by region ([`Policy`]).
//! Translated code knows neither traps nor calls, and ends no segment: it counts instructions and touched pages, and leaves to
//! the interpreter *before* anything happens. The interpreter ([`agora_machine::Stepper`]) executes that one instruction, in the
//! same memory, and goes on up to the next entry. As the end of a segment costs 4096 gas at least, leaving for it costs little.
//!
//! **Terms.** A *block* is instructions of which only the last may jump. A *region* is blocks that become one function. An
//! *entry* is a block where a run may come from elsewhere. A *half* is two bytes of the image.
//!
//! **What it never does.** It records no segments: whoever defends a run in a dispute traces it with the interpreter.

#![deny(missing_docs)]

mod emit;
mod image;
mod layout;
mod module;
mod profile;
mod region;
mod run;

pub use image::{Image, Policy};
pub use run::Run;

use agora_machine::RunError;
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::{Config, Engine, OptLevel};

/// Why a program is not run here.
#[derive(thiserror::Error, Debug)]
pub enum TranslatorError {
    /// The machine cannot run it, or lacks a chunk.
    #[error(transparent)]
    Run(#[from] RunError),
    /// This computer has no compiler for its processor, or not enough address space. Interpret programs instead.
    #[error("programs cannot be translated on this computer: {0:#}")]
    Unsupported(wasmtime::Error),
}

/// Images that are kept, translated, at most.
const MOST_IMAGES: usize = 16;
/// Bytes of all images that are kept but for the last one: decoded, they take eight times as much.
const MOST_BYTES: usize = 16 << 20;
/// Address space behind the memory that traps: offsets up to here need no check.
const GUARD: u64 = 1 << 30;

/// Translates programs, and keeps what it has translated.
pub struct Translator {
    engine: Engine,
    policy: Policy,
    /// The one that was asked for last is the last.
    images: Mutex<Vec<Arc<Image>>>,
}

impl Translator {
    /// A translator that follows `policy`.
    ///
    /// Errors: `Unsupported`.
    pub fn new(policy: Policy) -> Result<Self, TranslatorError> {
        let mut config = Config::new();
        // Compiling happens in the thread that runs the program: others of a pool may be waited for by it.
        config
            .parallel_compilation(false)
            .wasm_wide_arithmetic(true)
            .wasm_backtrace(false)
            .generate_address_map(false)
            .memory_guard_size(GUARD)
            .cranelift_opt_level(OptLevel::Speed);
        Ok(Self {
            engine: Engine::new(&config).map_err(TranslatorError::Unsupported)?,
            policy,
            images: Mutex::default(),
        })
    }

    /// `image`, with what was translated of it before if it is still kept.
    ///
    /// Errors: `Run` (image). Complexity: O(n) in its length.
    pub fn image(&self, image: &Arc<[u8]>) -> Result<Arc<Image>, TranslatorError> {
        if let Some(known) = self.known(image) {
            return Ok(known);
        }
        let new = Arc::new(Image::new(image.clone(), self.engine.clone(), self.policy)?);
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = |images: &[Arc<Image>]| images.iter().map(|image| image.bytes().len()).sum::<usize>();
        while images.len() >= MOST_IMAGES || bytes(&images) > MOST_BYTES {
            images.remove(0);
        }
        images.push(new.clone());
        Ok(new)
    }

    fn known(&self, image: &Arc<[u8]>) -> Option<Arc<Image>> {
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        let is = |known: &Arc<Image>| Arc::ptr_eq(known.bytes(), image) || known.bytes() == image;
        let known = images.iter().position(is)?;
        let known = images.remove(known);
        images.push(known.clone());
        Some(known)
    }
}
