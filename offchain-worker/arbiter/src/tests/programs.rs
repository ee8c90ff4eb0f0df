//! Games about publishers' own programs: whatever a run did, whoever says something else loses.

use super::world::*;
use crate::Arbiter;
use agora_disputes::{
    Accusation, BranchMove, BranchPhase, Defence, Found, Game, List, Move, RunMove, Side, Target, Time, Verdict,
    player::Truth,
};
use agora_jobs::{
    BlobRef, Claim, H256, JobKind, JobSpec, Mode, ProgramJob, blob,
    program::{Ending, read_record},
};
use agora_reference::of;
use codec::{Decode, Encode};
use serde::Deserialize;

const SIDES: [Side; 2] = [Side::Accuser, Side::Defence];

#[derive(Deserialize)]
struct Vector {
    name: String,
    job: String,
    contents: Vec<String>,
}

/// The jobs of `tests/vectors/program.py`.
pub fn named(name: &str) -> Job {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../../../../tests/vectors/program.json")).unwrap();
    let vector = vectors.into_iter().find(|vector| vector.name == name).unwrap();
    Job {
        spec: JobSpec::decode(&mut hex::decode(vector.job).unwrap().as_slice()).unwrap(),
        inputs: vector
            .contents
            .iter()
            .map(|bytes| hex::decode(bytes).unwrap())
            .collect(),
        name: vector.name,
    }
}

fn program(job: &Job) -> &ProgramJob {
    match &job.spec {
        JobSpec::V2(JobKind::Program(program)) => program,
        _ => panic!("another kind"),
    }
}

/// The bytes of the record of a run.
fn record<'a>(job: &ProgramJob, truth: &'a mut Truth, item: usize) -> &'a mut [u8] {
    let size = job.record_bytes as usize;
    match job.mode {
        Mode::Map => &mut truth.states[0][item * size..][..size],
        Mode::Fold => &mut truth.states[item],
    }
}

/// Somebody honest against a liar who says that run `item` has the record `said`: on both sides, from the first segment of the run on and
/// from the last. Returns how many segments were executed.
fn decided(job: &Job, honest: &Arbiter<Contents>, item: usize, said: &[u8], hint: &str) -> usize {
    let mut wrong = honest.truth().clone();
    record(program(job), &mut wrong, item).copy_from_slice(said);
    let own = job.believer(wrong);
    let other = job.believer(honest.truth().clone());
    let mut executed = 0;
    for side in SIDES {
        for from in [0, u64::MAX] {
            let liar = Liar {
                own: &own,
                other: &other,
                from: From::Number(from),
            };
            let hint = format!("{}, run {item}, {hint}, honest {side:?}, from {from}", job.name);
            let report = play(honest, side, &[liar], &hint);
            let [(branch, _)] = &report.game.branches[..] else {
                panic!("{hint}: {} branches", report.game.branches.len());
            };
            // A program does nothing by which nothing is decided.
            assert!(!matches!(branch.phase, BranchPhase::Over(Found::Nothing)), "{hint}");
            executed += report.executed;
        }
    }
    executed
}

/// What else a run could have come to, near what it came to.
fn lies(job: &ProgramJob, ending: Ending, output: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut changed = output.to_vec();
        change(&mut changed);
        job.record(ending, &changed)
    };
    let mut found = vec![
        ("nothing was done", job.record(Ending::Done, &[])),
        ("it is done", job.record(Ending::Done, output)),
        ("it is unusable", job.record(Ending::Unusable, output)),
        ("it traps", job.record(Ending::Trapped(0), output)),
        ("it makes another call", job.record(Ending::Trapped(5), output)),
        ("it has no gas", job.record(Ending::OutOfGas, output)),
        ("it is too long", job.record(Ending::Done, &[1; 1 << 18])),
        ("a zero more", with(&|output| output.push(0))),
    ];
    if !output.is_empty() {
        found.push(("the first byte is another", with(&|output| output[0] ^= 1)));
        let last = |output: &mut Vec<u8>| *output.last_mut().unwrap() ^= 0x80;
        found.push(("the last byte is another", with(&last)));
        let shorter = |output: &mut Vec<u8>| _ = output.pop();
        found.push(("a byte less", with(&shorter)));
    }
    found
}

#[test]
fn a_map_is_decided_whatever_its_runs_do() {
    let job = named("every ending");
    let honest = job.arbiter();
    let mut truth = honest.truth().clone();
    let mut told = 0;
    for item in 0..program(&job).items as usize {
        let right = record(program(&job), &mut truth, item).to_vec();
        let (ending, output) = read_record(&right).unwrap();
        let lies = lies(program(&job), ending, output);
        // Two of them for each run, so that every one is told.
        let some = lies.iter().cycle().skip(2 * item).take(2);
        for (name, said) in some.filter(|(_, said)| *said != right && read_record(said).is_some()) {
            let executed = decided(&job, &honest, item, said, name);
            // Each side lies with a run of its own, from both places.
            assert_eq!(executed, 4, "{item}: {name}");
            told += 1;
        }
    }
    assert!(told >= 20, "{told}");
}

#[test]
fn a_fold_is_decided_at_every_step() {
    let job = named("a fold");
    let honest = job.arbiter();
    let mut truth = honest.truth().clone();
    for item in [0, 1, 3, 4, 5] {
        let right = record(program(&job), &mut truth, item).to_vec();
        let (ending, output) = read_record(&right).unwrap();
        let lies = lies(program(&job), ending, output);
        for (name, said) in lies.iter().skip(item % 3).step_by(3).filter(|(_, said)| *said != right) {
            assert_eq!(decided(&job, &honest, item, said, name), 4, "{item}: {name}");
        }
    }
}

#[test]
fn programs_that_end_at_once_are_decided() {
    for name in [
        "one item",
        "gas for all but the halt",
        "no image of an instruction",
        "a fold of one step",
    ] {
        let job = named(name);
        let honest = job.arbiter();
        let said = program(&job).record(Ending::Unusable, b"!");
        let last = program(&job).items as usize - 1;
        assert_eq!(decided(&job, &honest, last, &said, "another end"), 4);
    }
}

/// Padding, and trailers that nothing has: no run ends so, and whoever says it has none.
#[test]
fn a_record_that_no_run_has_is_beaten() {
    for name in ["every ending", "a fold"] {
        let job = named(name);
        let honest = job.arbiter();
        let mut truth = honest.truth().clone();
        let right = record(program(&job), &mut truth, 0).to_vec();
        let end = right.len();
        for at in [end - 9, end - 7, end - 6, end - 1] {
            let mut said = right.clone();
            said[at] ^= 0x40;
            assert_eq!(read_record(&said), None);
            assert_eq!(decided(&job, &honest, 0, &said, &format!("byte {at}")), 0);
        }
        // Nor is any program job unusable.
        let mut wrong = honest.truth().clone();
        (wrong.unusable, wrong.states, wrong.kept) = (true, Vec::new(), Vec::new());
        let own = job.believer(wrong);
        for side in SIDES {
            let liar = Liar {
                own: &own,
                other: &honest,
                from: From::Number(0),
            };
            let report = play(&honest, side, &[liar], name);
            assert_eq!(report.executed, 0);
        }
    }
}

/// A fold that goes on rightly from what was wrong: its first wrong step is found, and it alone.
#[test]
fn a_fold_that_goes_on_from_a_lie_is_beaten_where_it_began() {
    let job = named("a fold");
    let honest = job.arbiter();
    let law = program(&job);
    let mut wrong = honest.truth().clone();
    // The program adds to what is in the second chunk of the record before.
    wrong.states[1] = law.record(Ending::Done, &[3; 1032]);
    for item in 2..law.items as usize {
        let all = Contents(
            job.inputs
                .iter()
                .map(|input| (BlobRef::to(input), input.clone()))
                .collect(),
        );
        let state = Continued {
            states: &wrong.states,
            inputs: &all,
        };
        let record = of(&job.spec)
            .compute(&state, agora_reference::Step::State(item as u64), 0)
            .unwrap();
        // Step 3 traps, whatever was before.
        assert_eq!(record != honest.truth().states[item], item == 2);
        wrong.states[item] = record;
    }
    let own = job.believer(wrong);
    let other = job.believer(honest.truth().clone());
    for side in SIDES {
        let liar = Liar {
            own: &own,
            other: &other,
            from: From::Number(0),
        };
        let report = play(&honest, side, &[liar], "it goes on");
        assert_eq!(report.executed, 1);
        assert_eq!(report.game.branches[0].0.aim.state(), Some(1));
    }
}

/// The states so far.
struct Continued<'a> {
    states: &'a [Vec<u8>],
    inputs: &'a Contents,
}

impl agora_reference::Blobs for Continued<'_> {
    fn chunk(&self, source: &agora_reference::Source, index: u64, chunk: &mut [u8; 1024]) -> Option<usize> {
        let content = match source {
            agora_reference::Source::Input(blob) => self.inputs.0.get(blob)?,
            agora_reference::Source::State(state) => &self.states[*state as usize],
            agora_reference::Source::Kept(..) => return None,
        };
        let bytes = &content[index as usize * 1024..];
        let bytes = &bytes[..bytes.len().min(1024)];
        chunk[..bytes.len()].copy_from_slice(bytes);
        Some(bytes.len())
    }
}

/// A wrong claim is defended with the record before it as it is, and as it is not: the runs from another record are never looked at, because
/// the claim does not have that record.
#[test]
fn a_defence_with_another_record_before_is_beaten_by_the_claim_itself() {
    let job = named("a fold");
    let honest = job.arbiter();
    let mut claimed = honest.truth().clone();
    claimed.states[4] = program(&job).record(Ending::Done, &[9; 1032]);
    let mut other_before = claimed.clone();
    other_before.states[3] = program(&job).record(Ending::Done, &[9; 1032]);
    let mut first = claimed.clone();
    first.states[3] = claimed.states[0].clone();
    let believers = [claimed, other_before, first].map(|truth| job.believer(truth));
    let other = job.believer(honest.truth().clone());
    let liars = believers.each_ref().map(|own| Liar {
        own,
        other: &other,
        from: From::Number(0),
    });
    let report = play(&honest, Side::Accuser, &liars, "three defences");
    assert_eq!(report.game.branches.len(), 3);
    for (branch, runs) in &report.game.branches {
        let is_right = branch.defence.states == blob::hash(&honest.truth().states[3]);
        // The run that happens, and the liar's: of the others nobody had to run anything.
        assert_eq!(runs.runs.len(), if is_right { 2 } else { 0 });
        assert!(branch.lost().is_some());
    }
    assert_eq!(report.executed, 1);
}

/// A game about the right claim of a fold, in which step 4 is in dispute and defended by whoever knows it.
fn defended(honest: &Arbiter<Contents>) -> Game<u32> {
    let mut wrong = honest.truth().clone();
    wrong.states[4][1500] ^= 1;
    let liar = Arbiter::new(honest.spec().clone(), Contents::default(), wrong);
    let accusation = Accusation {
        accused: honest.claim(),
        target: liar.target(&honest.claim()).unwrap(),
        own: None,
    };
    assert_eq!(accusation.target, Target::States);
    let rules = honest.rules(&TERMS);
    let mut game = Game::new(LIAR, &accusation, &rules, Time::default()).unwrap();
    while game.branches.is_empty() {
        let moves = honest.moves(Side::Defence, &game, &TERMS);
        let by_honest = moves.into_iter().map(|made| (HONEST, made));
        let moves = liar
            .moves(Side::Accuser, &game, &TERMS)
            .into_iter()
            .map(|made| (LIAR, made));
        let made: Vec<_> = by_honest.chain(moves).collect();
        assert!(!made.is_empty());
        for (who, made) in made {
            game.play(&who, &made, &rules, Time::default()).unwrap();
        }
    }
    game
}

#[test]
fn an_accuser_that_denies_the_record_before_is_shown_that_the_claim_has_it() {
    let honest = named("a fold").arbiter();
    let rules = honest.rules(&TERMS);
    let mut game = defended(&honest);
    let choose = |list| Move::Branch(0, BranchMove::Choose(list));
    // There are no other lists.
    for list in [List::Scans, List::Kept] {
        assert!(game.play(&LIAR, &choose(Some(list)), &rules, Time::default()).is_err());
    }
    game.play(&LIAR, &choose(Some(List::States)), &rules, Time::default())
        .unwrap();
    let BranchPhase::Bound { state, digest } = game.branches[0].0.phase else {
        panic!("{:?}", game.branches[0].0.phase)
    };
    assert_eq!((state, digest), (3, blob::hash(&honest.truth().states[3])));
    let moves = honest.moves(Side::Defence, &game, &TERMS);
    assert!(matches!(moves[..], [Move::Branch(0, BranchMove::Bind(_))]));
    // Another state of the claim is not it, though it is one.
    let Move::Branch(_, BranchMove::Bind(right)) = &moves[0] else {
        unreachable!()
    };
    let digests = honest.truth().digests();
    let mut others = vec![agora_jobs::StateOpening::new(&digests[..5], 2).unwrap()];
    others.push(agora_jobs::StateOpening {
        index: 2,
        ..right.clone()
    });
    others.push(agora_jobs::StateOpening {
        digest: digests[2],
        ..right.clone()
    });
    for other in others {
        let made = Move::Branch(0, BranchMove::Bind(other));
        assert!(game.play(&HONEST, &made, &rules, Time::default()).is_err());
    }
    game.play(&HONEST, &moves[0], &rules, Time::default()).unwrap();
    assert_eq!(game.verdict(), Some(Verdict::Stands));
    assert_eq!(game.losers().iter().map(|(who, _)| *who).collect::<Vec<_>>(), [LIAR]);
}

#[test]
fn a_right_claim_stands_though_somebody_defends_it_with_another_record_before() {
    let honest = named("a fold").arbiter();
    let rules = honest.rules(&TERMS);
    let mut game = defended(&honest);
    let nothing = blob::hash(&[]);
    let spoiler = Defence {
        states: H256::repeat_byte(7),
        scans: nothing,
        kept: nothing,
        failing: 0,
    };
    game.play(&3, &Move::Defend(spoiler), &rules, Time::default()).unwrap();
    game.play(
        &LIAR,
        &Move::Branch(1, BranchMove::Choose(Some(List::States))),
        &rules,
        Time::default(),
    )
    .unwrap();
    let late = Time {
        block: TERMS.clock,
        full: 0,
    };
    game.play(
        &LIAR,
        &Move::Branch(0, BranchMove::Choose(None)),
        &rules,
        Time::default(),
    )
    .unwrap();
    for made in honest.moves(Side::Defence, &game, &TERMS) {
        game.play(&HONEST, &made, &rules, Time::default()).unwrap();
    }
    game.play(&99, &Move::Advance, &rules, late).unwrap();
    assert_eq!(game.verdict(), Some(Verdict::Stands));
    let losers: Vec<_> = game.losers().iter().map(|(who, _)| *who).collect();
    assert_eq!(losers, [LIAR, 3]);
}

#[test]
fn lists_that_a_program_does_not_have_are_refused() {
    let honest = named("a fold").arbiter();
    let rules = honest.rules(&TERMS);
    let game = defended(&honest);
    let right = game.branches[0].0.defence;
    let digest = H256::repeat_byte(7);
    for wrong in [
        Defence { scans: digest, ..right },
        Defence { kept: digest, ..right },
        Defence { failing: 1, ..right },
    ] {
        let made = Move::Defend(wrong);
        assert!(
            game.clone().play(&3, &made, &rules, Time::default()).is_err(),
            "{wrong:?}"
        );
    }
    // Of the first step, and of a map, nothing is before.
    let job = named("every ending");
    let honest = job.arbiter();
    let rules = honest.rules(&TERMS);
    let accusation = Accusation {
        accused: honest.claim(),
        target: Target::Output,
        own: None,
    };
    let mut game = Game::new(LIAR, &accusation, &rules, Time::default()).unwrap();
    while game.branches.is_empty() {
        for made in honest.moves(Side::Defence, &game, &TERMS) {
            game.play(&HONEST, &made, &rules, Time::default()).unwrap();
        }
        let _ = game.play(&LIAR, &Move::Name(0), &rules, Time::default());
    }
    let defence = game.branches[0].0.defence;
    assert_eq!(defence.states, blob::hash(&[]));
    let made = Move::Defend(Defence {
        states: digest,
        ..defence
    });
    assert!(game.play(&3, &made, &rules, Time::default()).is_err());
    let made = Move::Branch(0, BranchMove::Choose(Some(List::States)));
    assert!(game.play(&LIAR, &made, &rules, Time::default()).is_err());
}

/// What ends a run is shown by its chunk where the record takes one, and by the state alone where it does not.
#[test]
fn an_end_is_shown_with_the_chunk_that_the_record_takes() {
    let job = named("every ending");
    let honest = job.arbiter();
    let rules = honest.rules(&TERMS);
    // Chunks 0 and 1 of runs 1 (just fits), 2 (too long), and 12 (nothing written).
    for (item, chunk, needs) in [
        (1, 0, true),
        (1, 1, true),
        (2, 0, false),
        (2, 1, false),
        (12, 0, false),
        (12, 1, false),
    ] {
        let mut wrong = honest.truth().clone();
        record(program(&job), &mut wrong, item)[chunk * 1024 + 1] ^= 1;
        let own = job.believer(wrong);
        let accusation = Accusation {
            accused: own.claim(),
            target: honest.target(&own.claim()).unwrap(),
            own: None,
        };
        let mut game = Game::new(HONEST, &accusation, &rules, Time::default()).unwrap();
        let mut run = None;
        while run.is_none() {
            let moves = honest
                .moves(Side::Accuser, &game, &TERMS)
                .into_iter()
                .map(|made| (HONEST, made));
            let all: Vec<_> = moves
                .chain(
                    own.moves(Side::Defence, &game, &TERMS)
                        .into_iter()
                        .map(|made| (LIAR, made)),
                )
                .collect();
            for (who, made) in all {
                if let Move::Run(0, added) = &made
                    && let RunMove::Add(root, end) = &**added
                {
                    // The liar knows the run that happens, too.
                    if who == HONEST {
                        run = Some((*root, end.clone()));
                    }
                } else {
                    game.play(&who, &made, &rules, Time::default()).unwrap();
                }
            }
        }
        let (root, end) = run.unwrap();
        let bare = agora_disputes::RunEnd {
            chunk: None,
            ..end.clone()
        };
        let add = |end: &agora_disputes::RunEnd| {
            let made = Move::Run(0, Box::new(RunMove::Add(root, end.clone())));
            game.clone().play(&HONEST, &made, &rules, Time::default())
        };
        assert_eq!(add(&bare).is_ok(), !needs, "{item} {chunk}");
        assert_eq!(add(&end), Ok(()));
        if needs {
            let mut wrong = end.clone();
            wrong.chunk.as_mut().unwrap().index ^= 1;
            assert!(add(&wrong).is_err());
            let mut wrong = end.clone();
            wrong.chunk.as_mut().unwrap().chunk[0] ^= 1;
            assert!(add(&wrong).is_err());
            // Another chunk of the output: else whoever is first could add the run that happens, as one that shows something else.
            let record = record(program(&job), &mut honest.truth().clone(), item).to_vec();
            let (_, output) = read_record(&record).unwrap();
            let other = agora_jobs::ChunkProof::new(output, 1 - chunk as u64);
            let other = agora_disputes::RunEnd {
                chunk: Some(other.unwrap()),
                ..end.clone()
            };
            assert!(add(&other).is_err());
        }
    }
}

#[test]
fn what_a_program_reads_must_be_at_hand() {
    let job = named("a fold");
    let whole = job.arbiter();
    for input in 0..job.inputs.len() {
        let mut less = job.clone();
        less.inputs.remove(input);
        let contents = Contents(
            less.inputs
                .iter()
                .map(|input| (BlobRef::to(input), input.clone()))
                .collect(),
        );
        assert!(
            Arbiter::compute(job.spec.clone(), contents.clone())
                .err()
                .unwrap()
                .is_recoverable()
        );
        // Who has the truth without the inputs makes no move that needs them.
        let blind = Arbiter::new(job.spec.clone(), contents, whole.truth().clone());
        let mut game = defended(&whole);
        let choose = Move::Branch(0, BranchMove::Choose(None));
        game.play(&LIAR, &choose, &whole.rules(&TERMS), Time::default())
            .unwrap();
        assert_eq!(blind.moves(Side::Defence, &game, &TERMS), []);
        assert_eq!(whole.moves(Side::Defence, &game, &TERMS).len(), 1);
    }
    assert!(matches!(whole.claim(), Claim::Output { .. }));
    assert_eq!(whole.spec().encode(), job.spec.encode());
}
