//! A real kind of job in the real machine, with the image that is shipped.

use super::world::{HONEST, TERMS, accusation, player};
use crate::{
    Execution, Fault, Game, MAX_STATE_BYTES, MAX_WITNESS_BYTES, Move, Pinned, Rules, RunMove, Side, Time, Verdict,
    player::{Knowledge, ShownList, Traced, Tracer, Truth},
};
use agora_jobs::{BlobRef, ChunkProof, H256, JobKind, JobSpec, SyntheticJob, blob, blob::CHUNK_BYTES};
use agora_machine::{
    Chunks, Program, Trace,
    run_tree::{Children, RunTree},
    show_segment, trace,
};
use agora_reference::{Inputs, list, of};
use codec::Encode;
use std::{cell::RefCell, collections::BTreeMap};

const IMAGE: &[u8] = include_bytes!("../../../../guests/images/reference.bin");
const GAS: u64 = 1 << 32;

#[derive(Clone, Default)]
struct Blobs(BTreeMap<BlobRef, Vec<u8>>);

impl Blobs {
    fn insert(&mut self, bytes: Vec<u8>) {
        self.0.insert(BlobRef::to(&bytes), bytes);
    }
}

impl Chunks for Blobs {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<()> {
        let bytes = self.0.get(blob)?.chunks(CHUNK_BYTES).nth(index as usize)?;
        chunk[..bytes.len()].copy_from_slice(bytes);
        Some(())
    }

    fn prove(&self, blob: &BlobRef, index: u64) -> Option<ChunkProof> {
        ChunkProof::new(self.0.get(blob)?, index)
    }
}

impl Inputs for Blobs {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        self.0.get(blob).map(Vec::as_slice)
    }
}

/// Traces runs of the image. A liar says that the unit comes to something else, from a segment on.
struct Image {
    blobs: RefCell<Blobs>,
    lie: Option<(usize, Vec<u8>)>,
}

struct Run {
    blobs: Blobs,
    input: BlobRef,
    trace: Trace,
    /// The last state and the output, as they are said to be.
    end: (Vec<u8>, Vec<u8>),
    tree: RunTree,
}

impl Tracer for Image {
    fn trace(&self, run: &Execution, _: Option<&ShownList<'_>>) -> Option<Box<dyn Traced + '_>> {
        let bytes = run.input();
        let input = BlobRef::to(&bytes);
        self.blobs.borrow_mut().insert(bytes);
        let blobs = self.blobs.borrow().clone();
        let trace = trace(
            &Program {
                image: IMAGE,
                input,
                gas: GAS,
                reads: None,
            },
            &blobs,
        )
        .ok()?;
        let mut end = (trace.end.encode(), trace.output.clone());
        let mut states = trace.states.clone();
        if let Some((from, output)) = &self.lie {
            // The state ends with the output: its length, the hash of its only chunk, and one chaining value.
            let at = end.0.len() - 65;
            assert_eq!(end.0[at..at + 32], blob::hash(&end.1).0);
            end.0[at..at + 32].copy_from_slice(&blob::hash(output).0);
            end.1.clone_from(output);
            let last = states.len() - 1;
            states[*from % last.max(1)..]
                .iter_mut()
                .for_each(|state| state.0[0] ^= 1);
            let mut hasher = blake3::Hasher::new();
            hasher.update(b"agora/machine/state/1").update(&end.0);
            states[last] = H256(*hasher.finalize().as_bytes());
        }
        Some(Box::new(Run {
            blobs,
            input,
            trace,
            end,
            tree: RunTree::new(states)?,
        }))
    }
}

impl Traced for Run {
    fn root(&self) -> H256 {
        self.tree.root()
    }

    fn open(&self, height: u32, number: u64) -> Option<Children> {
        self.tree.open(height, number)
    }

    fn end(&self) -> (Vec<u8>, Vec<u8>) {
        self.end.clone()
    }

    fn segment(&self, number: u64) -> Option<(Vec<u8>, Vec<u8>)> {
        if number >= self.trace.states.len() as u64 {
            return Some((self.trace.end.encode(), Vec::new()));
        }
        let program = Program {
            image: IMAGE,
            input: self.input,
            gas: GAS,
            reads: None,
        };
        let (state, witness) = show_segment(&program, &self.blobs, number).ok()?;
        Some((state.encode(), witness.encode()))
    }
}

#[test]
fn the_shipped_image_decides_about_a_real_job() {
    let job = SyntheticJob {
        seed: [7; 32],
        matrix_size: 8,
        iterations: 1,
    };
    let spec = JobSpec::V2(JobKind::Synthetic(job));
    spec.validate().unwrap();
    let law = of(&spec);
    let mut blobs = Blobs::default();
    let truth = Truth::compute(law, &blobs).unwrap();
    let mut wrong = truth.clone();
    wrong.states[1][5] ^= 1;
    blobs.insert(spec.encode());
    blobs.insert(list(&truth.digests()[..1]));
    truth.states.iter().for_each(|state| blobs.insert(state.clone()));
    let (pinned, job) = (
        Pinned {
            image: BlobRef::to(IMAGE),
            gas: GAS,
        },
        BlobRef::to(&spec.encode()),
    );
    let rules = Rules {
        law,
        job,
        segments: &pinned,
        terms: &TERMS,
    };
    let honest_image = Image {
        blobs: RefCell::new(blobs.clone()),
        lie: None,
    };
    // Right almost to the end, or wrong from the first segment on.
    for from in [0, 3] {
        let lying_image = Image {
            blobs: RefCell::new(blobs.clone()),
            lie: Some((from, wrong.states[1].clone())),
        };
        let players = [
            (HONEST, player(&truth, &honest_image, Side::Accuser)),
            (2, player(&wrong, &lying_image, Side::Defence)),
        ];
        let target = truth.target(&wrong.claim()).unwrap();
        let mut now = Time::default();
        let mut game = Game::new(HONEST, &accusation(wrong.claim(), target), &rules, now).unwrap();
        let mut executed = Vec::new();
        while game.verdict().is_none() {
            for (account, player) in &players {
                for made in player.moves(&game, &rules) {
                    if let Move::Run(_, made) = &made
                        && let RunMove::Execute(_, segment) = &**made
                        && *account == HONEST
                    {
                        assert!(segment.state.len() <= MAX_STATE_BYTES && segment.witness.len() <= MAX_WITNESS_BYTES);
                        executed.push(segment.witness.len());
                    }
                    let _ = game.play(account, &made, &rules, now);
                }
            }
            let _ = game.play(&99, &Move::Advance, &rules, now);
            now.block += 1;
            assert!(now.block <= TERMS.bound());
        }
        assert!(matches!(game.verdict(), Some(Verdict::Falls(_))));
        assert_eq!(executed.len(), 1);
        assert!(executed[0] > 1024, "a real segment has pages: {executed:?}");
        assert!(game.losers().contains(&(2, Fault::Fraud)));
        assert!(game.losers().iter().all(|&(who, _)| who == 2));
    }
}
