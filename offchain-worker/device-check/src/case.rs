//! The jobs on which devices are compared with the processor.

use crate::{compare::Difference, error::CheckError, golden, large};
use agora_compute::{
    CancelFlag, Computation, CpuEngine, Engine, EngineError, JobSpec, MemoryInputs, NoProgress, output_digest,
};
use codec::Encode;
use std::cell::OnceCell;

/// A job on which devices are compared with the processor, and the processor with what is known.
pub struct Case {
    /// The kind of work.
    pub kind: String,
    /// What the job is called.
    pub name: String,
    /// The job.
    pub spec: JobSpec,
    /// Its inputs.
    pub inputs: MemoryInputs,
    /// What its result must be; `None` where only the processor tells.
    pub golden: Option<Golden>,
    reference: OnceCell<Computation>,
}

/// What a second implementation says about a job's result.
pub struct Golden {
    /// The digest of the output.
    pub digest: Vec<u8>,
    /// The claim, encoded, where the vector has it.
    pub claim: Option<Vec<u8>>,
}

impl Case {
    /// A job called `name`.
    pub fn new(kind: impl Into<String>, name: impl Into<String>, spec: JobSpec, inputs: MemoryInputs) -> Self {
        Self {
            kind: kind.into(),
            name: name.into(),
            spec,
            inputs,
            golden: None,
            reference: OnceCell::new(),
        }
    }

    /// All of them: the golden vectors, then the large jobs.
    ///
    /// Errors: `Vectors`, `Engine`, both only through a defect of this program.
    pub fn all() -> Result<Vec<Self>, CheckError> {
        let mut all = golden::cases()?;
        all.extend(large::cases()?);
        Ok(all)
    }

    /// Its kind and its name.
    pub fn title(&self) -> String {
        format!("{}, {}", self.kind, self.name)
    }

    /// Computes the job on `engine`.
    ///
    /// Errors: what [`Engine::run`] returns.
    pub fn run(&self, engine: &dyn Engine) -> Result<Computation, EngineError> {
        engine.run(&self.spec, &self.inputs, &NoProgress, &CancelFlag::new())
    }

    /// What the processor computes, at the first call, and remembers.
    ///
    /// Errors: what [`Engine::run`] returns.
    pub fn reference(&self) -> Result<&Computation, EngineError> {
        if let Some(computation) = self.reference.get() {
            return Ok(computation);
        }
        let computation = self.run(&CpuEngine::new())?;
        Ok(self.reference.get_or_init(|| computation))
    }

    /// How `computation` differs from what the second implementation says.
    pub fn golden_difference(&self, computation: &Computation) -> Option<Difference> {
        let golden = self.golden.as_ref()?;
        let found = output_digest(&computation.output);
        let digest = Difference::of_hex("the digest of the output", &found, &golden.digest);
        let last = || Difference::of_hex("the digest of the last state", &computation.digest(), &golden.digest);
        let claim = || {
            let claim = golden.claim.as_deref()?;
            Difference::of_hex("the claim", &computation.claim().encode(), claim)
        };
        digest.or_else(last).or_else(claim)
    }
}
