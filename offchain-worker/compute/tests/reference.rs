//! Both engines give what the reference says, and refuse exactly the jobs that are unusable.

#[path = "reference/inference.rs"]
mod inference;
#[path = "reference/matrices.rs"]
mod matrices;
mod opened;
#[path = "reference/program.rs"]
mod program;
#[path = "reference/rendering.rs"]
mod rendering;
#[path = "rendering/scenes.rs"]
mod scenes;
#[path = "reference/training.rs"]
mod training;

use agora_compute::{CancelFlag, Engine, JobKind, JobSpec, MemoryInputs, NoProgress, Place, Verdict};
use agora_primitives::job::{BlobRef, Claim, H256, states_root};
use agora_reference::{Inputs, Outcome};
use opened::engines;
use std::collections::BTreeMap;

/// Inputs for the reference and for the engines that are compared with it.
struct Contents {
    engines: Vec<&'static dyn Engine>,
    engine: MemoryInputs,
    reference: BTreeMap<BlobRef, Vec<u8>>,
}

impl Default for Contents {
    fn default() -> Self {
        Self::on(engines().into())
    }
}

impl Contents {
    fn on(engines: Vec<&'static dyn Engine>) -> Self {
        Self {
            engines,
            engine: MemoryInputs::new(),
            reference: BTreeMap::new(),
        }
    }

    fn insert(&mut self, content: Vec<u8>) -> BlobRef {
        let blob = self.engine.insert(content.clone());
        self.reference.insert(blob, content);
        blob
    }

    /// What the job comes to, of which all engines and the reference say the same. `None`: it is outside of its limits.
    fn compute(&self, job: JobKind) -> Option<Outcome> {
        let job = JobSpec::V2(job);
        if job.validate().is_err() {
            return None;
        }
        let outcome = agora_reference::run(&job, self).unwrap();
        for &engine in &self.engines {
            let name = engine.name();
            match engine.run(&job, &self.engine, &NoProgress, &CancelFlag::new()) {
                Ok(computation) => {
                    assert!(computation.output == outcome.output, "{name}: {job:?}: other outputs");
                    assert_eq!(computation.states(), outcome.states, "{name}: {job:?}");
                    assert_eq!(computation.claim(), outcome.claim, "{name}: {job:?}");
                }
                Err(error) if error.is_unusable() => {
                    assert_eq!(outcome.claim, Claim::Unusable, "{name} refuses {job:?}");
                }
                Err(error) => panic!("{name}: {job:?}: {error}"),
            }
            self.check(engine, &job, &outcome);
        }
        Some(outcome)
    }

    /// The check accepts the right claim, and refuses that of the other sort.
    fn check(&self, engine: &dyn Engine, job: &JobSpec, outcome: &Outcome) {
        let check = |claim: &Claim, output: &[u8]| {
            let verdict = engine.check_claim(job, &self.engine, claim, output, &[7; 32]);
            verdict.unwrap_or_else(|error| panic!("{}: {job:?}: {error}", engine.name()))
        };
        assert_eq!(check(&outcome.claim, &outcome.output), Verdict::Right, "{job:?}");
        if let Claim::Output { output, states_root } = outcome.claim {
            let longer = BlobRef {
                size: output.size + 1,
                ..output
            };
            let long = Claim::Output {
                output: longer,
                states_root,
            };
            let wrong = Verdict::Wrong(Place::Length {
                expected: output.size,
                found: output.size + 1,
            });
            assert_eq!(check(&long, &outcome.output), wrong, "{job:?}");
            // Of chains and of training, the states do not follow from the output.
            let other = Claim::Output {
                output,
                states_root: H256::repeat_byte(1),
            };
            if matches!(
                job,
                JobSpec::V2(JobKind::Matmul(_) | JobKind::Inference(_) | JobKind::Rendering(_) | JobKind::Program(_))
            ) {
                assert_eq!(check(&other, &outcome.output), Verdict::Wrong(Place::States), "{job:?}");
            }
        }
        let (other, output) = match outcome.claim {
            Claim::Output { .. } => (Claim::Unusable, Vec::new()),
            Claim::Unusable => {
                let output = vec![0; job.max_output_bytes() as usize];
                let claim = Claim::Output {
                    output: BlobRef::to(&output),
                    states_root: states_root(&[]),
                };
                (claim, output)
            }
        };
        match check(&other, &output) {
            Verdict::Wrong(Place::Inputs) => {}
            // Found even before the inputs are looked at.
            Verdict::Wrong(Place::States) if outcome.claim == Claim::Unusable => {}
            found => panic!("{job:?}: {found:?}"),
        }
    }
}

impl Inputs for Contents {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        self.reference.get(blob).map(Vec::as_slice)
    }
}
