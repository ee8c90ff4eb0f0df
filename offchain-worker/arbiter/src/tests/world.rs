//! Jobs, liars, and games between one of them and somebody honest.

use crate::{Arbiter, computed::Computed};
use agora_disputes::{
    Accusation, Execution, Game, MAX_STATE_BYTES, MAX_WITNESS_BYTES, Move, Rules, RunMove, Side, Terms, Time, Verdict,
    player::{Player, ShownList, Traced, Tracer, Truth},
};
use agora_jobs::{
    BlobRef, ChunkProof, H256, JobKind, JobSpec, Mode, blob,
    blob::CHUNK_BYTES,
    program::{Ending, read_record},
};
use agora_machine::{
    State, Status, Witness,
    run_tree::{Children, RunTree},
};
use agora_reference::{Inputs, Output, Step, UnitRun, of};
use blake3::hazmat::HasherExt;
use codec::{Decode, Encode};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const TERMS: Terms = Terms {
    commit: 10,
    reveal: 10,
    clock: 40,
    entry: 20,
    challenge: 20,
    stops: 15,
};
pub const HONEST: u32 = 1;
/// The first of them.
pub const LIAR: u32 = 2;

/// Numbers from a seed, one after the other.
pub struct Random(pub u64);

impl Random {
    /// SplitMix64.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub const fn below(&mut self, count: u64) -> u64 {
        self.next() % count
    }

    /// Changes a byte. What has none gets one: its digest is another then, while the length follows from the job.
    pub fn flip(&mut self, bytes: &mut Vec<u8>) {
        let bit = 1 << self.below(8);
        match bytes.len() as u64 {
            0 => bytes.push(bit),
            length => bytes[self.below(length) as usize] ^= bit,
        }
    }
}

#[derive(Clone, Default)]
pub struct Contents(pub BTreeMap<BlobRef, Vec<u8>>);

impl Inputs for Contents {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        self.0.get(blob).map(Vec::as_slice)
    }
}

#[derive(Clone)]
pub struct Job {
    pub name: String,
    pub spec: JobSpec,
    pub inputs: Vec<Vec<u8>>,
}

#[derive(Deserialize)]
struct Vector {
    kind: String,
    name: String,
    job: String,
    inputs: Vec<String>,
}

impl Job {
    /// The jobs of the self-test: some of every kind.
    pub fn all() -> Vec<Self> {
        let vectors: Vec<Vector> =
            serde_json::from_str(include_str!("../../../../tests/vectors/self_test.json")).unwrap();
        let bytes = |text: &String| hex::decode(text).unwrap();
        let job = |vector: Vector| Self {
            name: format!("{}: {}", vector.kind, vector.name),
            spec: JobSpec::decode(&mut bytes(&vector.job).as_slice()).unwrap(),
            inputs: vector.inputs.iter().map(bytes).collect(),
        };
        vectors.into_iter().map(job).collect()
    }

    pub fn named(name: &str) -> Self {
        Self::all().into_iter().find(|job| job.name == name).unwrap()
    }

    pub fn contents(&self) -> Contents {
        Contents(
            self.inputs
                .iter()
                .map(|input| (BlobRef::to(input), input.clone()))
                .collect(),
        )
    }

    pub fn arbiter(&self) -> Arbiter<Contents> {
        Arbiter::compute(self.spec.clone(), self.contents()).unwrap()
    }

    /// Somebody who plays by `truth`.
    pub fn believer(&self, truth: Truth) -> Arbiter<Contents> {
        Arbiter::new(self.spec.clone(), self.contents(), truth)
    }

    /// The same job with a byte of an input changed.
    pub fn with_input(&self, input: usize, at: usize) -> Self {
        let mut changed = self.clone();
        changed.inputs[input][at] ^= 0xff;
        let [old, new] = [self, &changed].map(|job| BlobRef::to(&job.inputs[input]).encode());
        let mut spec = self.spec.encode();
        let place = spec.windows(old.len()).position(|bytes| bytes == old).unwrap();
        spec[place..place + new.len()].copy_from_slice(&new);
        changed.spec = JobSpec::decode(&mut spec.as_slice()).unwrap();
        changed
    }
}

/// What a liar has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lie {
    Output,
    State,
    Kept,
    Scan,
    /// It says that the inputs are unusable.
    Unusable,
}

impl Lie {
    pub const ALL: [Self; 5] = [Self::Output, Self::State, Self::Kept, Self::Scan, Self::Unusable];

    /// `truth` with the lie. `None`: there is nothing to change.
    pub fn tell(self, truth: &Truth, random: &mut Random) -> Option<Truth> {
        let mut wrong = truth.clone();
        let (_, before) = truth.states.split_last()?;
        match self {
            Self::Output => random.flip(wrong.states.last_mut()?),
            Self::State if before.is_empty() => return None,
            Self::State => {
                let at = random.below(before.len() as u64) as usize;
                random.flip(&mut wrong.states[at]);
            }
            Self::Kept => {
                // A wrong entry, others after it, and a state that is wrong by it.
                let with: Vec<_> = (0..truth.kept.len())
                    .filter(|&state| !truth.kept[state].is_empty())
                    .collect();
                let state = *with.get(random.below(with.len().max(1) as u64) as usize)?;
                let kept = &mut wrong.kept[state];
                let from = random.below(kept.len() as u64) as usize;
                kept[from..].iter_mut().step_by(3).for_each(|kept| random.flip(kept));
                random.flip(&mut wrong.states[state]);
            }
            Self::Scan => {
                let count = wrong.scans.len() as u64;
                let at = random.below(count.max(1)) as usize;
                random.flip(wrong.scans.get_mut(at)?);
                random.flip(wrong.states.last_mut()?);
            }
            Self::Unusable => {
                wrong.states.clear();
                wrong.kept.clear();
                wrong.unusable = true;
                wrong
                    .scans
                    .truncate(random.below(wrong.scans.len().max(1) as u64) as usize);
                if let Some(scan) = wrong.scans.last_mut().filter(|_| random.below(2) == 0) {
                    random.flip(scan);
                }
            }
        }
        Some(wrong)
    }
}

/// From where on a liar's run is another.
#[derive(Clone, Copy, Debug)]
pub enum From {
    /// From this segment.
    Number(u64),
    /// From the first that reads the list of which an entry was named.
    List,
}

/// Plays by a truth that is none. What others publish it knows, too.
pub struct Liar<'a> {
    pub own: &'a Arbiter<Contents>,
    pub other: &'a Arbiter<Contents>,
    pub from: From,
}

impl Liar<'_> {
    /// How it wants the run to end, and how long it says that the output is. `None`: no run ends so.
    fn wanted(&self, run: &Execution) -> Option<(Status, Vec<u8>, u64)> {
        match run {
            Execution::Unit(run) => self.wanted_unit(run),
            Execution::Program(run) => self.wanted_record(run.item),
        }
    }

    fn wanted_record(&self, item: u64) -> Option<(Status, Vec<u8>, u64)> {
        let JobSpec::V2(JobKind::Program(job)) = self.own.spec() else {
            panic!("another kind");
        };
        let (states, size) = (&self.own.truth().states, job.record_bytes as usize);
        let record = match job.mode {
            Mode::Map => &states[0][item as usize * size..][..size],
            Mode::Fold => &states[item as usize],
        };
        let (ending, output) = read_record(record)?;
        let status = match ending {
            Ending::Done => Status::Done,
            Ending::Unusable => Status::Unusable,
            Ending::Trapped(trap) => Status::Trapped(Decode::decode(&mut &[trap][..]).unwrap()),
            Ending::OutOfGas => Status::OutOfGas,
            // As much as a run may write.
            Ending::TooLong => return Some((Status::Done, vec![7; 1 << 20], 1 << 20)),
        };
        Some((status, output.to_vec(), output.len() as u64))
    }

    fn wanted_unit(&self, run: &UnitRun) -> Option<(Status, Vec<u8>, u64)> {
        let truth = self.own.truth();
        let at = run.unit as usize;
        let known = of(self.own.spec()).unit(run.step, run.unit)?.output;
        let (Output::Kept { size } | Output::Part { size, .. }) = known;
        let bytes = match (run.step, known) {
            (Step::Inputs, _) => match truth.scans.get(at) {
                None => return truth.unusable.then_some((Status::Unusable, Vec::new(), 0)),
                Some(scan) => scan.clone(),
            },
            (Step::State(state), Output::Kept { .. }) => truth.kept.get(state as usize)?.get(at)?.clone(),
            (Step::State(state), Output::Part { offset, size }) => {
                truth.states.get(state as usize)?[offset as usize..][..size as usize].to_vec()
            }
        };
        Some((Status::Done, bytes, size))
    }

    fn from(&self, base: &dyn Traced, run: &Execution, shown: Option<&ShownList<'_>>) -> u64 {
        // What a program reads first is its arguments.
        let scans = match run {
            Execution::Unit(run) => run.scans,
            Execution::Program(run) => run.input(),
        };
        let reads = |number: &u64| {
            let (_, witness) = base.segment(*number).unwrap();
            let read = Witness::decode(&mut witness.as_slice()).map(|witness| witness.chunks);
            let is_list = |list: BlobRef| read.iter().flatten().any(|read| list.verify(read));
            shown.is_some_and(|shown| is_list(shown.list)) || (shown.is_none() && is_list(scans))
        };
        match self.from {
            From::Number(number) => number,
            From::List => (0..1000)
                .take_while(|&number| !base.segment(number).unwrap().1.is_empty())
                .find(reads)
                .unwrap_or(0),
        }
    }
}

impl Liar<'_> {
    /// Its moves, where somebody honest has `side`. Executing is for others: it would lose by it.
    fn moves(&self, side: Side, game: &Game<u32>, rules: &Rules<'_>) -> Vec<Move> {
        let player = Player {
            truth: self.own.truth(),
            tracer: self,
            side: match side {
                Side::Accuser => Side::Defence,
                Side::Defence => Side::Accuser,
            },
        };
        let executes = |made: &Move| matches!(made, Move::Run(_, made) if matches!(**made, RunMove::Execute(..)));
        let mut moves = player.moves(game, rules);
        moves.retain(|made| !executes(made));
        moves
    }
}

impl Tracer for Liar<'_> {
    fn trace(&self, run: &Execution, shown: Option<&ShownList<'_>>) -> Option<Box<dyn Traced + '_>> {
        let knows = [self.own, self.other]
            .into_iter()
            .find(|arbiter| arbiter.record(run, shown).is_some())?;
        let (record, base) = (knows.record(run, shown)?, knows.trace(run, shown)?);
        let (status, output, size) = self.wanted(run)?;
        let mut end = State::decode(&mut record.end.as_slice()).unwrap();
        if (end.status, &output) == (status, &record.output) {
            return Some(base);
        }
        end.status = status;
        end.output = Decode::decode(&mut hashes(&output, size).as_slice()).unwrap();
        let hash = blob::hash(&output);
        assert_eq!(end.output.blob(), BlobRef { hash, size });
        let mut states: Vec<_> = (0..record.segments).map(|number| record.tree.node(0, number)).collect();
        let last = states.len() - 1;
        let from = self.from(base.as_ref(), run, shown) as usize % states.len();
        states[from..].iter_mut().for_each(|state| state.0[0] ^= 1);
        states[last] = end.hash();
        Some(Box::new(Lied {
            base,
            tree: RunTree::new(states)?,
            end: (end.encode(), output),
        }))
    }
}

/// What a state has of an output of which it says that it has `size` bytes.
fn hashes(output: &[u8], size: u64) -> Vec<u8> {
    let subtree = |first: usize, bytes: &[u8]| {
        let mut hasher = blake3::Hasher::new();
        hasher.set_input_offset(first as u64).update(bytes);
        H256(hasher.finalize_non_root())
    };
    let first = blob::hash(&output[..output.len().min(CHUNK_BYTES)]);
    let (mut at, mut subtrees) = (0, Vec::new());
    let before = output.len().div_ceil(CHUNK_BYTES).saturating_sub(1);
    for bit in (0..usize::BITS).rev().filter(|bit| before >> bit & 1 == 1) {
        let size = CHUNK_BYTES << bit;
        subtrees.push(subtree(at, &output[at..at + size]));
        at += size;
    }
    if at < size as usize {
        subtrees.push(subtree(at, &output[at..]));
    }
    (size, first, subtrees).encode()
}

/// A run that ends as the liar wants.
struct Lied<'a> {
    base: Box<dyn Traced + 'a>,
    tree: RunTree,
    end: (Vec<u8>, Vec<u8>),
}

impl Traced for Lied<'_> {
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
        self.base.segment(number)
    }
}

/// How a game went.
pub struct Report {
    pub game: Game<u32>,
    /// The game at the end of each block.
    pub blocks: Vec<Game<u32>>,
    /// The chunks that were read in the segments that the honest side has executed.
    pub read: Vec<ChunkProof>,
    pub executed: usize,
}

impl Report {
    /// Looks at a move of the honest side.
    fn note(&mut self, made: &Move) {
        if let Move::Run(_, made) = made
            && let RunMove::Execute(_, segment) = &**made
        {
            assert!(segment.state.len() <= MAX_STATE_BYTES && segment.witness.len() <= MAX_WITNESS_BYTES);
            self.executed += 1;
            let witness = Witness::decode(&mut segment.witness.as_slice()).unwrap_or_default();
            self.read.extend(witness.chunks);
        }
    }
}

/// Plays a game to its end, and checks that the honest side wins it and loses nothing. The liars, of whom the first makes the claim or
/// the accusation, move first in every block.
pub fn play<I: crate::Contents, C: Computed>(
    honest: &Arbiter<I, C>,
    side: Side,
    liars: &[Liar<'_>],
    hint: &str,
) -> Report {
    let rules = honest.rules(&TERMS);
    let mut now = Time::default();
    let mut report = Report {
        game: begin(honest, side, &liars[0], hint),
        blocks: Vec::new(),
        read: Vec::new(),
        executed: 0,
    };
    while report.game.verdict().is_none() {
        for (account, liar) in (LIAR..).zip(liars) {
            for made in liar.moves(side, &report.game, &rules) {
                let _ = report.game.play(&account, &made, &rules, now);
            }
        }
        for made in honest.moves(side, &report.game, &TERMS) {
            if let Err(error) = report.game.play(&HONEST, &made, &rules, now) {
                panic!("{hint}: {error} for {made:?}");
            }
            report.note(&made);
        }
        let _ = report.game.play(&99, &Move::Advance, &rules, now);
        report.blocks.push(report.game.clone());
        now.block += 1;
        assert!(now.block <= TERMS.bound(), "{hint}: it never ends");
    }
    match (side, report.game.verdict()) {
        (Side::Accuser, Some(Verdict::Falls(_))) | (Side::Defence, Some(Verdict::Stands)) => {}
        (_, verdict) => panic!("{hint}: {verdict:?}"),
    }
    let losers = report.game.losers();
    assert!(losers.iter().all(|(who, _)| *who != HONEST), "{hint}: {losers:?}");
    report
}

/// The honest side accuses the claim of the liar, or the liar that of the honest side.
fn begin<I: crate::Contents, C: Computed>(
    honest: &Arbiter<I, C>,
    side: Side,
    liar: &Liar<'_>,
    hint: &str,
) -> Game<u32> {
    let (accuser, accused, target) = match side {
        Side::Accuser => (HONEST, liar.own.claim(), honest.target(&liar.own.claim())),
        Side::Defence => (LIAR, honest.claim(), liar.own.target(&honest.claim())),
    };
    let accusation = Accusation {
        accused,
        target: target.unwrap_or_else(|| panic!("{hint}: the claims are the same")),
        own: None,
    };
    Game::new(accuser, &accusation, &honest.rules(&TERMS), Time::default()).unwrap()
}
