//! Disputes between two who claim different results of one job: the first state in which they differ, and that one step
//! computed again.

use agora_compute::{
    CancelFlag, Computation, CpuEngine, Engine, EngineError, JobKind, JobSpec, JudgeError, MemoryInputs, NetworkShape,
    NoInputs, NoProgress, Place, SyntheticJob, TrainingJob, Verdict, judge_outputs, judge_step, output_digest,
    state_before, trace_length, training::Dataset,
};
use agora_math::merkle::Hash;
use agora_primitives::job::{H256, StateOpening, first_difference};
use codec::DecodeAll;
use proptest::{prelude::*, sample::Index};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    kind: String,
    name: String,
    job: String,
    inputs: Vec<String>,
}

/// A small job of every kind.
fn jobs() -> Vec<(String, JobSpec, MemoryInputs)> {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../../../tests/vectors/self_test.json")).unwrap();
    let jobs = vectors.into_iter().map(|vector| {
        let job = JobSpec::decode_all(&mut &hex::decode(&vector.job).unwrap()[..]).unwrap();
        let mut inputs = MemoryInputs::new();
        for input in vector.inputs {
            inputs.insert(hex::decode(input).unwrap());
        }
        (format!("{}: {}", vector.kind, vector.name), job, inputs)
    });
    jobs.collect()
}

/// The kinds whose outputs are joined from parts.
fn kinds_of_parts() -> Vec<String> {
    let names = jobs().into_iter().map(|(name, ..)| name);
    let mut kinds: Vec<String> = names
        .filter_map(|name| Some(name.split_once(':')?.0.to_owned()))
        .collect();
    kinds.retain(|kind| kind != "synthetic");
    kinds
}

fn job_of(kind: &str) -> (JobSpec, MemoryInputs) {
    let (_, job, inputs) = jobs().into_iter().find(|(name, ..)| name.starts_with(kind)).unwrap();
    (job, inputs)
}

fn run(job: &JobSpec, inputs: &MemoryInputs) -> Computation {
    CpuEngine::new()
        .run(job, inputs, &NoProgress, &CancelFlag::new())
        .unwrap()
}

/// The first state in which two results differ, and its digests in both.
#[derive(Debug)]
struct Disputed {
    step: u32,
    claims: [Hash; 2],
}

impl Disputed {
    /// Who has the `right` digest.
    fn settle(&self, right: &Hash) -> [bool; 2] {
        self.claims.each_ref().map(|claim| claim == right)
    }
}

/// Finds where two results of `job` differ first. Both lists of digests are published, and borne out by the claims.
fn dispute(job: &JobSpec, parties: [&Computation; 2]) -> Disputed {
    let states = trace_length(job).unwrap().into();
    let lists = parties.map(|party| party.state_digests.iter().copied().map(H256).collect::<Vec<_>>());
    let step = first_difference(&lists[0], &lists[1]).expect("they differ");
    let claims = [0, 1].map(|i| {
        let (claim, before) = (parties[i].claim(), parties[i].states());
        let opening = StateOpening::new(&before, step).unwrap_or(StateOpening {
            index: step,
            digest: lists[i][step as usize],
            siblings: Vec::new(),
        });
        assert!(claim.verify(states, &opening), "what was computed is what was claimed");
        opening.digest.0
    });
    Disputed {
        step: step as u32,
        claims,
    }
}

#[test]
fn each_state_of_each_kind_is_judged_as_the_engine_computed_it() {
    for (name, job, inputs) in jobs() {
        let digests = run(&job, &inputs).state_digests;
        assert_eq!(trace_length(&job).unwrap() as usize, digests.len(), "{name}");
        for (step, digest) in (0..).zip(&digests) {
            let before = state_before(&job, &inputs, step).unwrap();
            if let Some(agreed) = (step as usize).checked_sub(1).filter(|_| !before.is_empty()) {
                assert_eq!(output_digest(&before), digests[agreed], "{name}, before step {step}");
            }
            match judge_step(&job, &inputs, step, &before) {
                Ok(right) => assert_eq!(right, *digest, "{name}, step {step}"),
                Err(JudgeError::Joined) => {
                    assert_eq!(step as usize, digests.len() - 1, "{name}");
                    assert!(!name.starts_with("synthetic"), "{name}");
                }
                Err(error) => panic!("{name}, step {step}: {error}"),
            }
        }
        let beyond = digests.len() as u32;
        let error = judge_step(&job, &inputs, beyond, &[]).unwrap_err();
        assert!(
            matches!(error, JudgeError::NoStep { step, states } if step == beyond && states == beyond),
            "{name}: {error}"
        );
    }
}

/// A network that learns digits.
fn digits_job(steps: [u32; 3]) -> (TrainingJob, MemoryInputs) {
    let digits = Dataset::decode(include_bytes!("../../../tests/data/digits/digits.agds")).unwrap();
    let mut inputs = MemoryInputs::new();
    let [segments, segment_steps, trace_interval] = steps;
    let job = TrainingJob {
        data: inputs.insert(digits.encode().unwrap()),
        width: 8,
        height: 8,
        classes: 10,
        network: NetworkShape::Perceptron { hidden: 12 },
        seed: [1; 32],
        batch: 16,
        segments,
        segment_steps,
        trace_interval,
        rate_shift: 5,
        halve_after: 0,
        momentum_shift: 3,
        start: None,
    };
    (job, inputs)
}

fn spec(job: TrainingJob) -> JobSpec {
    JobSpec::V2(JobKind::Training(job))
}

/// Trains rightly up to state `wrong` of the trace, which is not the last, changes a weight in it, and goes on rightly.
fn cheat(job: &TrainingJob, inputs: &mut MemoryInputs, right: &Computation, wrong: u32, change: i32) -> Computation {
    let mut state = state_before(&spec(*job), inputs, wrong + 1).unwrap();
    let weight = state[4..].first_chunk_mut::<4>().unwrap();
    *weight = (i32::from_le_bytes(*weight) ^ change).to_le_bytes();
    let (mut state_digests, mut output) = (right.state_digests[..wrong as usize].to_vec(), Vec::new());
    state_digests.push(output_digest(&state));
    state.truncate(job.state_bytes() as usize);
    let steps = wrong * job.trace_interval;
    let (segment, within) = (steps / job.segment_steps, steps % job.segment_steps);
    // The segments before are right, and so are the losses of the wrong segment up to the cheat.
    let length = job.segment_bytes() as usize;
    output.extend(&right.output[..segment as usize * length]);
    let losses = &right.output[output.len()..];
    let mut losses = match within {
        0 => Vec::new(),
        _ => losses[job.state_bytes() as usize..][..4 * within as usize].to_vec(),
    };
    let mut left = job.steps() - steps;
    let mut count = job.segment_steps - within;
    while left > 0 {
        let start = inputs.insert(state);
        let part = run(
            &spec(TrainingJob {
                segments: 1,
                segment_steps: count,
                start: Some(start),
                ..*job
            }),
            inputs,
        );
        let (checkpoint, more) = part.output.split_at(job.state_bytes() as usize);
        losses.extend(more);
        output.extend(checkpoint);
        output.append(&mut losses);
        state_digests.extend(&part.state_digests[1..part.state_digests.len() - 1]);
        state = checkpoint.to_vec();
        left -= count;
        count = job.segment_steps;
    }
    state_digests.push(output_digest(&output));
    Computation { output, state_digests }
}

proptest! {
    #![proptest_config(agora_test_support::cases(12))]

    /// The honest party wins wherever the cheat is, and whether it comes first or second.
    #[test]
    fn a_trainer_who_cheats_in_one_step_is_found_in_that_step(
        steps in prop_oneof![Just([2, 20, 1]), Just([3, 12, 3]), Just([1, 30, 2])],
        wrong: Index, change in 1i32..1 << 20, honest in 0usize..2,
    ) {
        let (job, mut inputs) = digits_job(steps);
        let traced = job.steps() / job.trace_interval;
        let wrong = wrong.index(traced as usize) as u32;
        let right = run(&spec(job), &inputs);
        let cheated = cheat(&job, &mut inputs, &right, wrong, change);
        prop_assert_eq!(cheated.state_digests.len(), right.state_digests.len());
        let mut parties = [&right, &cheated];
        parties.rotate_left(honest);
        let disputed = dispute(&spec(job), parties);
        prop_assert_eq!(disputed.step, wrong);
        let before = state_before(&spec(job), &inputs, wrong).unwrap();
        let digest = judge_step(&spec(job), &inputs, wrong, &before).unwrap();
        let mut expected = [false; 2];
        expected[honest] = true;
        prop_assert_eq!(disputed.settle(&digest), expected);
    }

    /// States are right and the output is not: the segment decides.
    #[test]
    fn a_trainer_who_changes_the_output_alone_is_found_in_the_segment(at: Index, change in 1u8.., honest in 0usize..2) {
        let (job, inputs) = digits_job([3, 6, 2]);
        let right = run(&spec(job), &inputs);
        let mut cheated = right.clone();
        let at = at.index(right.output.len());
        cheated.output[at] ^= change;
        *cheated.state_digests.last_mut().unwrap() = output_digest(&cheated.output);
        let mut parties = [&right, &cheated];
        parties.rotate_left(honest);
        let disputed = dispute(&spec(job), parties);
        prop_assert_eq!(disputed.step, trace_length(&spec(job)).unwrap() - 1);
        prop_assert!(matches!(judge_step(&spec(job), &inputs, disputed.step, &[]), Err(JudgeError::Joined)));
        let verdicts = judge_outputs(&spec(job), &inputs, parties.map(|party| &party.output[..])).unwrap();
        prop_assert_eq!(verdicts[honest], Verdict::Right);
        prop_assert_eq!(verdicts[1 - honest], Verdict::Wrong(Place::Unit((at / job.segment_bytes() as usize) as u64)));
    }

    #[test]
    fn a_chain_that_goes_wrong_is_found_in_that_iteration(seed: [u8; 32], n in 1u32..20, iterations in 1u32..40, wrong: Index, at: Index) {
        let job = JobSpec::V2(JobKind::Synthetic(SyntheticJob { seed, matrix_size: n, iterations }));
        let wrong = wrong.index(iterations as usize + 1) as u32;
        let right = run(&job, &MemoryInputs::new());
        let mut cheated = right.clone();
        // Whatever follows from a wrong state has other digests, and that is all that the search sees.
        for digest in &mut cheated.state_digests[wrong as usize..] {
            digest[at.index(32)] ^= 1;
        }
        let disputed = dispute(&job, [&right, &cheated]);
        prop_assert_eq!(disputed.step, wrong);
        let before = state_before(&job, &NoInputs, wrong).unwrap();
        let digest = judge_step(&job, &NoInputs, wrong, &before).unwrap();
        prop_assert_eq!(disputed.settle(&digest), [true, false]);
        let outputs = [&right.output[..], &[0]];
        if n > 1 {
            let [one, other] = judge_outputs(&job, &NoInputs, outputs).unwrap();
            prop_assert!(one.is_right() && !other.is_right());
        }
    }

    #[test]
    fn a_changed_output_of_parts_is_found_in_the_first_that_differs(
        kind in prop::sample::select(kinds_of_parts()),
        at: Index, change in 1u8..,
    ) {
        let (job, inputs) = job_of(&kind);
        let right = run(&job, &inputs).output;
        let mut wrong = right.clone();
        let at = at.index(right.len());
        wrong[at] ^= change;
        let JobSpec::V2(of_kind) = &job;
        let part = match of_kind {
            JobKind::Matmul(_) => at / 4,
            JobKind::Inference(job) => at / job.item_output() as usize,
            JobKind::Training(job) => at / job.segment_bytes() as usize,
            // The still life has one tile.
            JobKind::Rendering(_) => 0,
            JobKind::Synthetic(_) => unreachable!("its output is no join of parts"),
        };
        let place = Verdict::Wrong(Place::Unit(part as u64));
        prop_assert_eq!(judge_outputs(&job, &inputs, [&right, &wrong]).unwrap(), [Verdict::Right, place]);
        prop_assert_eq!(judge_outputs(&job, &inputs, [&wrong, &right]).unwrap(), [place, Verdict::Right]);
        let mut third = wrong.clone();
        third[at] = right[at] ^ if change == 1 { 2 } else { 1 };
        prop_assert_eq!(judge_outputs(&job, &inputs, [&wrong, &third]).unwrap(), [place; 2]);
    }
}

#[test]
fn tiles_of_a_picture_are_judged_one_by_one() {
    let (job, inputs) = job_of("rendering");
    let JobSpec::V2(JobKind::Rendering(mut picture)) = job else {
        panic!("it renders")
    };
    (picture.width, picture.height, picture.samples, picture.frames) = (150, 100, 1, 2);
    let region = &mut picture.region;
    (region.x, region.y, region.width, region.height) = (3, 5, 140, 90);
    let job = JobSpec::V2(JobKind::Rendering(picture));
    let right = run(&job, &inputs);
    assert_eq!(right.state_digests.len(), 13);
    for (step, digest) in (0..12).zip(&right.state_digests) {
        assert_eq!(judge_step(&job, &inputs, step, &[]).unwrap(), *digest, "tile {step}");
    }
    // Frame, row and column of a pixel of each tile.
    for (tile, [frame, y, x]) in [
        [0, 0, 0],
        [0, 63, 64],
        [0, 10, 139],
        [0, 64, 63],
        [0, 89, 127],
        [0, 89, 128],
        [1, 63, 63],
        [1, 0, 127],
        [1, 63, 128],
        [1, 64, 0],
        [1, 65, 100],
        [1, 89, 139],
    ]
    .into_iter()
    .enumerate()
    {
        let mut wrong = right.clone();
        wrong.output[((frame * 90 + y) * 140 + x) * 3 + 2] ^= 1;
        wrong.state_digests[tile][0] ^= 1;
        wrong.state_digests[12] = output_digest(&wrong.output);
        let verdicts = judge_outputs(&job, &inputs, [&wrong.output, &right.output]).unwrap();
        assert_eq!(verdicts, [Verdict::Wrong(Place::Unit(tile as u64)), Verdict::Right]);
        assert_eq!(dispute(&job, [&right, &wrong]).step, tile as u32);
    }
}

#[test]
fn what_cannot_be_judged_says_why() {
    let (job, inputs) = job_of("training");
    let right = run(&job, &inputs).output;
    let step = |before: &[u8]| judge_step(&job, &inputs, 1, before).unwrap_err();
    assert!(matches!(step(&[]), JudgeError::Before));
    let mut before = state_before(&job, &inputs, 1).unwrap();
    before[7] = 0x7f;
    assert!(matches!(step(&before), JudgeError::Before));
    let outputs = |one: &[u8], other: &[u8]| judge_outputs(&job, &inputs, [one, other]);
    assert!(matches!(outputs(&right, &right), Err(JudgeError::EqualOutputs)));
    let (expected, found) = (right.len() as u64, right.len() as u64 - 1);
    let wrong = Verdict::Wrong(Place::Length { expected, found });
    assert_eq!(outputs(&right, &right[1..]).unwrap(), [Verdict::Right, wrong]);

    let (chain, _) = job_of("synthetic: seven");
    let right = run(&chain, &MemoryInputs::new()).output;
    let mut wrong = right.clone();
    wrong[3] ^= 1;
    let error = judge_outputs(&chain, &NoInputs, [&right, &wrong]).unwrap_err();
    assert!(matches!(error, JudgeError::Chained) && !error.is_recoverable());
    let mut before = state_before(&chain, &NoInputs, 2).unwrap();
    before[5] = 251;
    assert!(matches!(
        judge_step(&chain, &NoInputs, 2, &before),
        Err(JudgeError::Before)
    ));
    let missing = judge_step(&job, &NoInputs, 0, &[]).unwrap_err();
    assert!(
        matches!(missing, JudgeError::Engine(EngineError::Input(_))),
        "{missing}"
    );
}
