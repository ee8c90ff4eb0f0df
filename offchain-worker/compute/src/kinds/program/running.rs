//! A machine that runs: by translation where that can be done, else by interpretation.

use super::Blobs;
use agora_machine::{Machine, Program, RunError, Status};
use agora_primitives::job::program::ProgramRun;
use agora_translator::{Image, Policy, Run, Translator, TranslatorError};
use std::sync::{Arc, LazyLock, Once};

/// What was translated serves all runs of this process. `None`: programs cannot be translated here.
static TRANSLATOR: LazyLock<Option<Translator>> = LazyLock::new(|| {
    let translator = Translator::new(Policy::default());
    translator.inspect_err(interpreted).ok()
});

/// Says once that programs are interpreted, and why.
fn interpreted(error: &TranslatorError) {
    static SAID: Once = Once::new();
    SAID.call_once(|| tracing::warn!(%error, "Programs are interpreted, which takes several times as long."));
}

/// `image` with its translation. `None`: it is interpreted.
pub(super) fn translated(image: &Arc<[u8]>) -> Option<Arc<Image>> {
    // An image that cannot be run is refused when it is.
    TRANSLATOR.as_ref()?.image(image).ok()
}

/// A bounded run.
pub(super) enum Running<'a> {
    Translated(Box<Run<'a>>),
    Interpreted(Box<Machine<'a>>),
}

impl<'a> Running<'a> {
    /// `run` of a job, before its first instruction.
    ///
    /// Errors: `Image`, `Gas`.
    pub(super) fn new(
        image: &'a [u8],
        translated: Option<&'a Image>,
        run: &'a ProgramRun,
        blobs: &'a Blobs,
    ) -> Result<Self, RunError> {
        if let Some(translated) = translated {
            match Run::new(translated, run.input(), run.gas, &run.reads, blobs) {
                Ok(run) => return Ok(Self::Translated(Box::new(run))),
                Err(TranslatorError::Run(error)) => return Err(error),
                // There may be too little address space for so many runs.
                Err(error) => interpreted(&error),
            }
        }
        let program = Program {
            image,
            input: run.input(),
            gas: run.gas,
            reads: Some(&run.reads),
        };
        Machine::new(&program, blobs).map(Box::new).map(Self::Interpreted)
    }

    /// Uses about so much gas, and returns how the machine is then.
    pub(super) fn advance(&mut self, gas: u64) -> Result<Status, RunError> {
        match self {
            Self::Translated(run) => run.advance(gas),
            Self::Interpreted(machine) => machine.advance(gas),
        }
    }

    pub(super) fn gas_used(&self) -> u64 {
        match self {
            Self::Translated(run) => run.gas_used(),
            Self::Interpreted(machine) => machine.gas_used(),
        }
    }

    pub(super) fn output(&self) -> &[u8] {
        match self {
            Self::Translated(run) => run.output(),
            Self::Interpreted(machine) => machine.output(),
        }
    }

    pub(super) fn register(&self, number: u8) -> u64 {
        match self {
            Self::Translated(run) => run.register(number),
            Self::Interpreted(machine) => machine.register(number),
        }
    }

    /// `length` bytes from `address` on. `None`: they are not all there.
    pub(super) fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
        match self {
            Self::Translated(run) => run.bytes(address, length),
            Self::Interpreted(machine) => machine.bytes(address, length),
        }
    }
}
