//! Whoever plays about a job holds little of what it comes to.
//!
//! A program of its own, as the system counts the memory of a process.
#![cfg(target_os = "linux")]

use agora_arbiter::{
    Arbiter, Shared,
    disk::{FileInput, FileInputs, Files, Need, Pages},
};
use agora_disputes::{Accusation, BranchMove, BranchPhase, Game, Move, Phase, Side, Target, Terms, Time, Verdict};
use agora_jobs::{JobKind, JobSpec};
use codec::Decode;
use serde::Deserialize;

/// A figure of this process, in bytes.
fn figure(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the system tells");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim_start_matches(':').trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<u64>().ok()).expect("it is a figure") << 10
}

/// Groups of files that are in memory.
const PAGES: u64 = 4 << 20;
/// What else is held, whatever the states are: what a unit and its run touch of the machine's memory, and digests.
const OTHERS: u64 = 48 << 20;

const TERMS: Terms = Terms {
    commit: 10,
    reveal: 10,
    clock: 40,
    entry: 20,
    challenge: 20,
    stops: 15,
};

#[derive(Deserialize)]
struct Vector {
    name: String,
    job: String,
    contents: Vec<String>,
}

/// A fold of 1024 steps, each with a state of 128 KiB.
fn fold() -> (JobSpec, Vec<Vec<u8>>) {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../../../tests/vectors/program.json")).unwrap();
    let vector = vectors.into_iter().find(|vector| vector.name == "a fold").unwrap();
    let mut job = JobSpec::decode(&mut hex::decode(vector.job).unwrap().as_slice()).unwrap();
    let JobSpec::V2(JobKind::Program(program)) = &mut job else {
        panic!("another kind");
    };
    (program.items, program.record_bytes) = (1024, 1 << 17);
    let contents = vector.contents.iter().map(|bytes| hex::decode(bytes).unwrap());
    (job, contents.collect())
}

/// The moves of somebody who accuses what is right: it names something, as long as it can.
fn accuse(game: &Game<u32>, turn: u32) -> Vec<Move> {
    let mut moves = Vec::new();
    if matches!(game.dispute.phase, Phase::States(_) | Phase::Chunks { .. }) {
        moves.extend([Move::Name(turn % 16), Move::Name(turn % 2), Move::Name(0)]);
    }
    for (at, (branch, _)) in game.branches.iter().enumerate() {
        if matches!(branch.phase, BranchPhase::Choose) {
            moves.push(Move::Branch(at, BranchMove::Choose(None)));
        }
    }
    moves
}

#[test]
fn memory_does_not_grow_with_the_states() {
    let (job, contents) = fold();
    let states = Need::of(&job, u64::MAX).unwrap().least();
    assert!(states > 2 * (PAGES + OTHERS), "else this shows nothing");
    let folder = tempfile::tempdir().unwrap();
    let pages = Pages::new(PAGES as usize);
    let mut inputs = Vec::new();
    for (number, content) in contents.into_iter().enumerate() {
        let path = folder.path().join(format!("input-{number}"));
        std::fs::write(&path, content).unwrap();
        inputs.push(FileInput::open(&pages, path).unwrap());
    }
    let inputs = Shared::new(inputs.into_iter().collect::<FileInputs>());
    let before = figure("VmHWM");
    let path = folder.path().join("job");
    let files = Files::compute(job, inputs, &path, u64::MAX, &pages).unwrap();
    let computing = figure("VmHWM") - before;
    assert!(computing < PAGES + OTHERS, "{computing} bytes were held to compute it");
    let honest = Arbiter::in_files(files);
    let mut executed = 0;
    for turn in 0..4 {
        let rules = honest.rules(&TERMS);
        let accusation = Accusation {
            accused: honest.claim(),
            target: Target::States,
            own: None,
        };
        let mut game = Game::new(2, &accusation, &rules, Time::default()).unwrap();
        let mut block = 0;
        while game.verdict().is_none() {
            let now = Time { block, full: 0 };
            for made in honest.moves(Side::Defence, &game, &TERMS) {
                game.play(&1, &made, &rules, now).unwrap();
                executed += usize::from(matches!(made, Move::Run(..)));
            }
            for made in accuse(&game, turn * 5 + 1) {
                let _ = game.play(&2, &made, &rules, now);
            }
            let _ = game.play(&99, &Move::Advance, &rules, now);
            block += 1;
            assert!(block <= TERMS.bound(), "it never ends");
        }
        assert_eq!(game.verdict(), Some(Verdict::Stands));
    }
    assert!(executed >= 4, "{executed}: each time the run of a step was added");
    assert_eq!(honest.files().take_trouble(), None);
    let playing = figure("VmHWM") - before;
    assert!(playing < PAGES + OTHERS, "{playing} bytes were held to play");
    assert!(pages.bytes_held() as u64 <= PAGES);
}
