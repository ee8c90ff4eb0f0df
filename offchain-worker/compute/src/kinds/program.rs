//! Programs: a publisher's own code, run once for each item, or step after step. Specified in `docs/protocol/program.md`, to the byte.
//!
//! Programs are computed on the processor, whatever the engine: what they do follows from no pattern that a graphics device could use.

mod check;
mod cpu;
mod running;
mod runs;
mod workload;

pub use runs::{Blobs, Panic, Ran, in_words};
pub(crate) use workload::Instructions;

use super::{EngineError, Kind, On, Verdict};
use crate::{
    computation::Computation,
    device::{Bounds, Needs},
    inputs::Inputs,
    kernels::gpu::Gpu,
    run::Run,
};
use agora_math::merkle::Hash;
use agora_primitives::job::{H256, Mode, ProgramJob};

impl Kind for ProgramJob {
    fn on_cpu(&self, run: &Run<'_>) -> Result<Computation, EngineError> {
        cpu::run(self, run)
    }

    /// On the processor, which the device leaves free.
    fn on_gpu(&self, _: &Gpu, run: &Run<'_>) -> Result<Computation, EngineError> {
        cpu::run(self, run)
    }

    fn is_for_processor(&self) -> bool {
        true
    }

    /// Nothing: it never sees the job.
    fn needs(&self, _: &Bounds) -> Needs {
        Needs::default()
    }

    /// The runs of a fold use one core, those of a map one each.
    fn load(&self) -> Option<u128> {
        Some(load(self, rayon::current_num_threads()))
    }

    /// Gas is the most that a program may take.
    fn may_end_early(&self) -> bool {
        true
    }

    /// Whatever a program is given, it has a result.
    fn ensure_usable(&self, inputs: &dyn Inputs) -> Result<(), EngineError> {
        Blobs::of(self, inputs).map(drop)
    }

    fn check(&self, _: On<'_>, inputs: &dyn Inputs, output: &[u8], seed: &[u8; 32]) -> Result<Verdict, EngineError> {
        match self.mode {
            Mode::Map => check::map(self, inputs, output, seed),
            Mode::Fold => check::fold(self, inputs, output, None),
        }
    }

    fn check_all(&self, inputs: &dyn Inputs, output: &[u8], root: &H256) -> Result<Option<Verdict>, EngineError> {
        match self.mode {
            Mode::Map => Ok(None),
            Mode::Fold => check::fold(self, inputs, output, Some(root)).map(Some),
        }
    }

    fn states_in(&self, _: &[u8]) -> Option<Vec<Hash>> {
        // A map has no states before its output.
        (self.mode == Mode::Map).then(Vec::new)
    }
}

/// The multiply–adds that so many cores could do in the time that the job takes.
fn load(job: &ProgramJob, cores: usize) -> u128 {
    let cores = u32::try_from(cores).unwrap_or(u32::MAX).max(1);
    let rounds = match job.mode {
        Mode::Fold => job.items,
        // In the last round some may be idle.
        Mode::Map => job.items.div_ceil(cores),
    };
    u128::from(job.run_work()) * u128::from(rounds) * u128::from(cores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_primitives::job::{BlobRef, Limits, ProgramInputs};

    #[test]
    fn what_leaves_cores_idle_takes_as_long_as_more_work() {
        let job = |mode, items| ProgramJob {
            image: BlobRef::to(b"image"),
            inputs: ProgramInputs::default(),
            mode,
            items,
            gas: 1,
            record_bytes: 1024,
        };
        for (items, cores, runs) in [
            (1, 1, 1),
            (1, 8, 8),
            (8, 8, 8),
            (9, 8, 16),
            (800, 8, 800),
            (801, 8, 808),
            (2, 1, 2),
        ] {
            let map = job(Mode::Map, items);
            assert_eq!(
                load(&map, cores),
                u128::from(map.run_work() * runs),
                "{items} items on {cores} cores"
            );
            let fold = job(Mode::Fold, items);
            assert_eq!(load(&fold, cores), fold.work() * cores as u128);
        }
    }
}
