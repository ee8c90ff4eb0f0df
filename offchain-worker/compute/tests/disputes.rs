//! Disputes between two who claim different results of one job: the first state in which they differ decides, and the
//! reference says what it is.

use agora_compute::{CancelFlag, CpuEngine, Engine, JobSpec, MemoryInputs, NoProgress, output_digest};
use agora_primitives::job::{BlobRef, Claim, H256, StateOpening, first_difference, states_root};
use codec::DecodeAll;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Vector {
    kind: String,
    name: String,
    job: String,
    inputs: Vec<String>,
}

/// The inputs of a job, for engine and reference.
#[derive(Default)]
struct Contents {
    engine: MemoryInputs,
    reference: BTreeMap<BlobRef, Vec<u8>>,
}

impl agora_reference::Inputs for Contents {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        self.reference.get(blob).map(Vec::as_slice)
    }
}

/// A small job of every kind.
fn jobs() -> Vec<(String, JobSpec, Contents)> {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../../../tests/vectors/self_test.json")).unwrap();
    let jobs = vectors.into_iter().map(|vector| {
        let job = JobSpec::decode_all(&mut &hex::decode(&vector.job).unwrap()[..]).unwrap();
        let mut inputs = Contents::default();
        for input in vector.inputs {
            let content = hex::decode(input).unwrap();
            inputs.reference.insert(inputs.engine.insert(content.clone()), content);
        }
        (format!("{}: {}", vector.kind, vector.name), job, inputs)
    });
    jobs.collect()
}

/// What a party claims, and the digests of all states, of which the output's is the last.
fn claim(digests: &[H256], size: u64) -> Claim {
    let (&hash, before) = digests.split_last().unwrap();
    Claim::Output {
        output: BlobRef { hash, size },
        states_root: states_root(before),
    }
}

/// The digest of state `step` that both can show to be part of a claim.
fn shown(job: &JobSpec, digests: &[H256], size: u64, step: u64) -> H256 {
    let before = &digests[..digests.len() - 1];
    let opening = StateOpening::new(before, step).unwrap_or(StateOpening {
        index: step,
        digest: digests[step as usize],
        siblings: Vec::new(),
    });
    let states = agora_reference::of(job).states();
    assert!(claim(digests, size).verify(states, &opening), "state {step}");
    opening.digest
}

#[test]
fn whatever_state_a_cheat_begins_with_the_reference_names_who_is_right() {
    for (name, job, inputs) in jobs() {
        let run = CpuEngine::new().run(&job, &inputs.engine, &NoProgress, &CancelFlag::new());
        let honest = run.unwrap();
        let size = honest.output.len() as u64;
        let digests: Vec<H256> = honest.state_digests.iter().copied().map(H256).collect();
        let law = agora_reference::run(&job, &inputs).unwrap();
        let right = [&law.states[..], &[H256(output_digest(&law.output))]].concat();
        for step in 0..digests.len() {
            // It goes on from its own wrong state, so that all later ones differ too.
            let mut cheat = digests.clone();
            cheat[step..].iter_mut().for_each(|digest| digest.0[7] ^= 1);
            let disputed = first_difference(&digests, &cheat).unwrap();
            assert_eq!(disputed as usize, step, "{name}");
            assert_eq!(first_difference(&cheat, &digests), Some(disputed), "{name}");
            let [honest, cheat] = [&digests, &cheat].map(|digests| shown(&job, digests, size, disputed));
            assert_eq!(right[step], honest, "{name}, step {step}");
            assert_ne!(right[step], cheat, "{name}, step {step}");
        }
        assert_eq!(first_difference(&digests, &digests), None, "{name}");
    }
}
