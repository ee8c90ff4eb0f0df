//! The engine for the processor gives what the reference says, and refuses exactly the jobs that are unusable.

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
use opened::CPU;
use std::collections::BTreeMap;

/// Inputs for both.
#[derive(Default)]
struct Contents {
    engine: MemoryInputs,
    reference: BTreeMap<BlobRef, Vec<u8>>,
}

impl Contents {
    fn insert(&mut self, content: Vec<u8>) -> BlobRef {
        let blob = self.engine.insert(content.clone());
        self.reference.insert(blob, content);
        blob
    }

    /// What the job comes to, of which engine and reference say the same. `None`: it is outside of its limits.
    fn compute(&self, job: JobKind) -> Option<Outcome> {
        let job = JobSpec::V2(job);
        if job.validate().is_err() {
            return None;
        }
        let outcome = agora_reference::run(&job, self).unwrap();
        match CPU.run(&job, &self.engine, &NoProgress, &CancelFlag::new()) {
            Ok(computation) => {
                assert!(computation.output == outcome.output, "{job:?}: other outputs");
                assert_eq!(computation.states(), outcome.states, "{job:?}");
                assert_eq!(computation.claim(), outcome.claim, "{job:?}");
            }
            Err(error) if error.is_unusable() => {
                assert_eq!(outcome.claim, Claim::Unusable, "{job:?}: the engine refuses it");
            }
            Err(error) => panic!("{job:?}: {error}"),
        }
        self.check(&job, &outcome);
        Some(outcome)
    }

    /// The check accepts the right claim, and refuses that of the other sort.
    fn check(&self, job: &JobSpec, outcome: &Outcome) {
        let check = |claim: &Claim, output: &[u8]| CPU.check_claim(job, &self.engine, claim, output, &[7; 32]).unwrap();
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
