//! A small law with all that the real ones have, a small machine, and games between those who know the truth and others.

use crate::{
    Accusation, End, Error, Execution, Game, Move, Player as Seat, Rules, RunMove, Segment, Segments, Side, Terms,
    Time, Verdict,
    player::{Player, ShownList, Traced, Tracer, Truth},
};
use agora_jobs::{BlobRef, Claim, H256, blob, blob::CHUNK_BYTES, program::Ending};
use agora_machine::run_tree::{Children, RunTree};
use agora_reference::{Blobs, Fault, Inputs, Output, Reader, Reference, Source, Step, Unit, UnitRun};
use codec::{Decode, Encode};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// The terms of all tests.
pub const TERMS: Terms = Terms {
    commit: 10,
    reveal: 10,
    clock: 40,
    entry: 20,
    challenge: 20,
    stops: 15,
};

/// Numbers from a seed, one after the other.
pub struct Random(u64);

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

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
}

/// A law: every unit hashes what it reads.
#[derive(Clone, Debug)]
pub struct Toy {
    pub seed: u64,
    pub states: u64,
    pub scans: u64,
    /// Units of a state that keep their output.
    pub kept: u64,
    /// Bytes of a state are below this.
    pub size: u64,
    /// The unit that finds the inputs unusable.
    pub failing: Option<u64>,
}

const SCAN: u64 = 70;
const KEPT: u64 = 1500;
const PART: u64 = 3 * CHUNK_BYTES as u64;

impl Toy {
    /// One with anything that can be: one state or many, lists of more than 16 chunks, none at all.
    pub fn random(random: &mut Random) -> Self {
        let scans = [0, 1, 3, 40, 600][random.below(5) as usize];
        Self {
            seed: random.next(),
            states: [1, 2, 5, 40][random.below(4) as usize],
            scans,
            kept: [0, 1, 5, 50][random.below(4) as usize],
            size: [900, 5000, 40_000][random.below(3) as usize],
            failing: (scans > 0 && random.below(4) == 0).then(|| random.below(scans)),
        }
    }

    fn bytes(&self, read: &[u8], step: Step, unit: u64, size: u64) -> Vec<u8> {
        let mut bytes = vec![0; size as usize];
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(self.seed, step, unit, read).encode());
        hasher.finalize_xof().fill(&mut bytes);
        bytes
    }
}

impl Reference for Toy {
    fn states(&self) -> u64 {
        self.states
    }

    fn state_size(&self, state: u64) -> u64 {
        1 + (self.seed ^ state.wrapping_mul(0x9e37_79b9_7f4a_7c15)) % self.size
    }

    fn units(&self, step: Step) -> u64 {
        match step {
            Step::Inputs => self.scans,
            Step::State(state) if state < self.states => self.kept + self.state_size(state).div_ceil(PART),
            Step::State(_) => 0,
        }
    }

    fn unit(&self, step: Step, unit: u64) -> Option<Unit> {
        if unit >= self.units(step) {
            return None;
        }
        let output = match step {
            Step::Inputs => Output::Kept { size: SCAN },
            Step::State(_) if unit < self.kept => Output::Kept { size: KEPT },
            Step::State(state) => {
                let offset = (unit - self.kept) * PART;
                let size = PART.min(self.state_size(state) - offset);
                Output::Part { offset, size }
            }
        };
        Some(Unit {
            output,
            work: 1,
            chunks: 9,
        })
    }

    fn compute(&self, blobs: &dyn Blobs, step: Step, unit: u64) -> Result<Vec<u8>, Fault> {
        let known = self.unit(step, unit).ok_or(Fault::NoUnit)?;
        let mut read = Vec::new();
        let mut take = |source, offset, size| {
            Reader::new(blobs, source)
                .read_vec(offset, size)
                .map(|bytes| read.extend(bytes))
        };
        let (Output::Kept { size } | Output::Part { size, .. }) = known.output;
        match step {
            Step::Inputs => {
                // The one before, and another.
                if unit > 0 {
                    take(Source::Kept(step, unit - 1), 0, 9)?;
                    take(Source::Kept(step, self.seed % unit), 60, 10)?;
                }
                if self.failing == Some(unit) {
                    return Err(Fault::Unusable {
                        reason: "it says so",
                        at: 0,
                    });
                }
            }
            Step::State(state) => {
                if state > 0 {
                    let at = self.state_size(state - 1) - 1;
                    take(Source::State(state - 1), at, 1)?;
                    take(Source::State(unit % state), 0, 1)?;
                }
                if self.scans > 0 {
                    take(Source::Kept(Step::Inputs, unit % self.scans), 3, 50)?;
                }
                let before = unit.min(self.kept);
                if before > 0 {
                    take(Source::Kept(step, before - 1), 1400, 100)?;
                    take(Source::Kept(step, self.seed % before), 0, 100)?;
                }
            }
        }
        Ok(self.bytes(&read, step, unit, size))
    }
}

impl Inputs for Toy {
    fn content(&self, _blob: &BlobRef) -> Option<&[u8]> {
        None
    }
}

/// The state of the small machine.
#[derive(Encode, Decode, Clone, Debug)]
struct State {
    input: BlobRef,
    number: u64,
    last: u64,
    gone: H256,
    end: Option<(u8, BlobRef)>,
}

impl State {
    fn hash(&self) -> H256 {
        blob::hash(&self.encode())
    }
}

type Chunks = BTreeMap<(BlobRef, u64), Vec<u8>>;

/// The small machine: it hashes for a while, and computes the unit in its last segment. It knows all chunks that anybody has published.
pub struct World {
    pub law: Toy,
    chunks: RefCell<Chunks>,
    runs: RefCell<BTreeMap<BlobRef, UnitRun>>,
    ends: RefCell<BTreeMap<BlobRef, (End, Vec<u8>)>>,
}

impl World {
    pub fn new(law: Toy) -> Self {
        Self {
            law,
            chunks: RefCell::default(),
            runs: RefCell::default(),
            ends: RefCell::default(),
        }
    }

    pub const fn rules(&self) -> Rules<'_> {
        Rules {
            law: &self.law,
            job: BlobRef {
                hash: H256::zero(),
                size: 1,
            },
            segments: self,
            terms: &TERMS,
        }
    }

    fn insert(&self, bytes: &[u8]) {
        let blob = BlobRef::to(bytes);
        for (index, chunk) in (0..).zip(bytes.chunks(CHUNK_BYTES)) {
            self.chunks.borrow_mut().insert((blob, index), chunk.to_vec());
        }
    }

    /// Everybody may see what is on the way to the truth.
    fn publish(&self, truth: &Truth) {
        let all = truth
            .scans
            .iter()
            .chain(&truth.states)
            .chain(truth.kept.iter().flatten());
        all.for_each(|content| self.insert(content));
        let list =
            |contents: &[Vec<u8>]| agora_reference::list(&contents.iter().map(|c| blob::hash(c)).collect::<Vec<_>>());
        self.insert(&list(&truth.scans));
        // What defends a claim of unusable inputs is a list of the units before; and so is every accused beginning.
        for state in 0..truth.states.len() {
            self.insert(&list(&truth.states[..state]));
            self.insert(&list(&truth.kept[state]));
        }
    }

    /// How the run on `input` ends: it is computed from chunks alone, once. `None`: a chunk is not published.
    fn outcome(&self, input: &BlobRef) -> Option<(End, Vec<u8>)> {
        if let Some(end) = self.ends.borrow().get(input) {
            return Some(end.clone());
        }
        let run = self.runs.borrow().get(input).cloned()?;
        let listed = Listed { world: self, run: &run };
        let end = match self.law.compute(&listed, run.step, run.unit) {
            Ok(output) => (done(&output), output),
            Err(Fault::Unusable { .. }) => (ended(Ending::Unusable), Vec::new()),
            Err(_) => return None,
        };
        self.ends.borrow_mut().insert(*input, end.clone());
        Some(end)
    }

    const fn segments(&self) -> u64 {
        1 + self.law.seed % 400
    }

    fn after(&self, state: &State) -> Option<State> {
        if state.end.is_some() {
            return Some(state.clone());
        }
        let number = state.number + 1;
        let end = match number == state.last {
            false => None,
            true => Some(coded(self.outcome(&state.input)?.0)),
        };
        Some(State {
            number,
            gone: blob::hash(&state.gone.0),
            end,
            ..state.clone()
        })
    }

    fn first(&self, input: &BlobRef) -> State {
        State {
            input: *input,
            number: 0,
            last: self.segments(),
            gone: H256::zero(),
            end: None,
        }
    }
}

fn done(output: &[u8]) -> End {
    End {
        ending: Ending::Done,
        output: BlobRef::to(output),
    }
}

/// The end of a run that has written nothing.
fn ended(ending: Ending) -> End {
    End {
        ending,
        output: BlobRef::to(&[]),
    }
}

const fn coded(end: End) -> (u8, BlobRef) {
    let code = match end.ending {
        Ending::Done => 0,
        Ending::Unusable => 1,
        _ => 2,
    };
    (code, end.output)
}

/// The unit that a run computes: this machine has no programs.
fn unit_of(run: &Execution) -> &UnitRun {
    match run {
        Execution::Unit(run) => run,
        Execution::Program(_) => panic!("no program is run here"),
    }
}

impl Segments for World {
    fn start(&self, run: &Execution) -> H256 {
        self.first(&BlobRef::to(&run.input())).hash()
    }

    fn next(&self, _run: &Execution, mut state: &[u8], witness: &[u8]) -> Option<(H256, H256)> {
        let state = State::decode(&mut state).ok()?;
        if !witness.is_empty() {
            return None;
        }
        Some((state.hash(), self.after(&state)?.hash()))
    }

    fn end(&self, mut state: &[u8]) -> Option<(H256, End)> {
        let state = State::decode(&mut state).ok()?;
        let (code, output) = state.end?;
        let ending = match code {
            0 => Ending::Done,
            1 => Ending::Unusable,
            _ => Ending::OutOfGas,
        };
        Some((state.hash(), End { ending, output }))
    }
}

/// What the lists of a run name, chunk by chunk.
struct Listed<'a> {
    world: &'a World,
    run: &'a UnitRun,
}

impl Listed<'_> {
    fn entry(&self, list: &BlobRef, number: u64) -> Option<H256> {
        let chunks = self.world.chunks.borrow();
        let chunk = chunks.get(&(*list, number / 32))?;
        chunk.as_chunks::<32>().0.get(number as usize % 32).map(H256::from)
    }
}

impl Blobs for Listed<'_> {
    fn chunk(&self, source: &Source, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        let (list, number, size) = match *source {
            Source::State(state) => (&self.run.states, state, self.world.law.state_size(state)),
            Source::Kept(Step::Inputs, unit) => (&self.run.scans, unit, SCAN),
            Source::Kept(_, unit) => (&self.run.kept, unit, KEPT),
            Source::Input(_) => return None,
        };
        let hash = self.entry(list, number)?;
        let chunks = self.world.chunks.borrow();
        let bytes = chunks.get(&(BlobRef { hash, size }, index))?;
        chunk[..bytes.len()].copy_from_slice(bytes);
        Some(bytes.len())
    }
}

/// How a liar's run departs from the real one.
#[derive(Clone, Copy, Debug)]
pub struct Lie {
    /// From this segment on it is another.
    pub from: u64,
    /// And has so many segments more or less.
    pub longer: i64,
    /// How it ends, if not as it does.
    pub end: Option<u8>,
    /// Makes it another than other lies.
    pub salt: u64,
}

/// Traces runs in the world: truly, or with a lie.
pub struct Traces<'a> {
    pub world: &'a World,
    pub truth: Option<&'a Truth>,
    pub lie: Option<Lie>,
    /// What a liar wants its runs to end with.
    pub wanted: Option<&'a Truth>,
    cache: RefCell<BTreeMap<BlobRef, Rc<Trace>>>,
}

impl<'a> Traces<'a> {
    pub fn new(world: &'a World, truth: Option<&'a Truth>, lie: Option<Lie>) -> Self {
        truth.into_iter().for_each(|truth| world.publish(truth));
        Self {
            world,
            truth,
            lie,
            wanted: None,
            cache: RefCell::default(),
        }
    }

    /// How a liar wants the run to end.
    fn wanted(&self, run: &UnitRun) -> Option<(End, Vec<u8>)> {
        let wanted = self.wanted?;
        let at = run.unit as usize;
        let bytes = match (run.step, self.world.law.unit(run.step, run.unit)?.output) {
            (Step::Inputs, _) => match wanted.scans.get(at) {
                None => return wanted.unusable.then(|| (ended(Ending::Unusable), Vec::new())),
                Some(scan) => scan.clone(),
            },
            (Step::State(state), Output::Kept { .. }) => wanted.kept.get(state as usize)?.get(at)?.clone(),
            (Step::State(state), Output::Part { offset, size }) => {
                wanted.states.get(state as usize)?[offset as usize..][..size as usize].to_vec()
            }
        };
        Some((done(&bytes), bytes))
    }

    fn states(&self, input: &BlobRef, wanted: Option<End>) -> Option<Vec<State>> {
        let mut states = vec![self.world.first(input)];
        let count = self.world.segments();
        for _ in 0..count {
            states.push(self.world.after(states.last()?)?);
        }
        let Some(lie) = self.lie else { return Some(states) };
        // What a liar says of the states after some segment.
        let honest = wanted.map_or(states.last()?.end?, coded);
        let total = count.saturating_add_signed(lie.longer).max(1);
        let from = 1 + lie.from % total.min(count);
        states.truncate(from as usize);
        let mut state = states.last()?.clone();
        while state.number < total {
            state.number += 1;
            state.gone = blob::hash(&(state.gone, lie.salt).encode());
            state.end = (state.number == total).then(|| {
                (
                    lie.end.unwrap_or(honest.0),
                    match lie.end {
                        Some(0) => BlobRef {
                            hash: H256::repeat_byte(lie.salt as u8),
                            ..honest.1
                        },
                        _ => honest.1,
                    },
                )
            });
            states.push(state.clone());
        }
        Some(states)
    }
}

struct Trace {
    tree: RunTree,
    states: Vec<State>,
    output: Vec<u8>,
}

impl Tracer for Traces<'_> {
    fn trace(&self, run: &Execution, shown: Option<&ShownList<'_>>) -> Option<Box<dyn Traced + '_>> {
        let run = unit_of(run);
        let input = BlobRef::to(&run.encode());
        if let Some(trace) = self.cache.borrow().get(&input) {
            return Some(Box::new(Rc::clone(trace)));
        }
        self.world.runs.borrow_mut().insert(input, run.clone());
        if let Some(shown) = shown {
            self.world
                .chunks
                .borrow_mut()
                .insert((shown.list, shown.index), shown.bytes.clone());
            // The chunks before are right: else an entry of them would have been named.
            let truth = self.truth?;
            let digests: Vec<_> = match shown.list == run.scans {
                true => truth.scans.iter().map(|scan| blob::hash(scan)).collect(),
                false => match run.step {
                    Step::State(state) => truth
                        .kept
                        .get(state as usize)?
                        .iter()
                        .map(|kept| blob::hash(kept))
                        .collect(),
                    Step::Inputs => Vec::new(),
                },
            };
            for (index, chunk) in (0..shown.index).zip(agora_reference::list(&digests).chunks(CHUNK_BYTES)) {
                self.world
                    .chunks
                    .borrow_mut()
                    .insert((shown.list, index), chunk.to_vec());
            }
        }
        // Evidence of unusable inputs names a beginning of the list.
        if let Some(truth) = self.truth {
            let digests: Vec<_> = truth.scans.iter().map(|scan| blob::hash(scan)).collect();
            let bytes = agora_reference::list(&digests);
            if let Some(beginning) = bytes
                .get(..run.scans.size as usize)
                .filter(|bytes| BlobRef::to(bytes) == run.scans)
            {
                self.world.insert(beginning);
            }
        }
        let wanted = self.wanted(run);
        let states = self.states(&input, wanted.as_ref().map(|(end, _)| *end))?;
        let trace = Rc::new(Trace {
            tree: RunTree::new(states[1..].iter().map(State::hash).collect())?,
            states,
            output: wanted.or_else(|| self.world.outcome(&input))?.1,
        });
        self.cache.borrow_mut().insert(input, Rc::clone(&trace));
        Some(Box::new(trace))
    }
}

impl Traced for Rc<Trace> {
    fn root(&self) -> H256 {
        self.tree.root()
    }

    fn open(&self, height: u32, number: u64) -> Option<Children> {
        self.tree.open(height, number)
    }

    fn end(&self) -> (Vec<u8>, Vec<u8>) {
        (self.states.last().unwrap().encode(), self.output.clone())
    }

    fn segment(&self, number: u64) -> Option<(Vec<u8>, Vec<u8>)> {
        let last = self.states.len() - 1;
        Some((self.states[last.min(number as usize)].encode(), Vec::new()))
    }
}

/// The account of whoever knows the truth.
pub const HONEST: u32 = 1;

/// Somebody who plays by a truth, right or wrong, and now and then not at all.
pub struct Liar<'a> {
    pub account: u32,
    pub player: Player<'a>,
    /// Of 100 moves so many are made.
    pub zeal: u64,
    pub hijacks: bool,
}

/// How a game went.
pub struct Report {
    pub verdict: Verdict,
    pub game: Game<u32>,
}

/// Plays a game to its end. The honest player moves in every third block at the latest; all others as they like, and before it.
pub fn play(
    world: &World,
    accusation: &Accusation,
    accuser: u32,
    honest: &Player<'_>,
    liars: &[Liar<'_>],
    random: &mut Random,
) -> Result<Report, Error> {
    let rules = world.rules();
    let mut now = Time { block: 1000, full: 0 };
    let mut game = Game::new(accuser, accusation, &rules, now)?;
    let mut idle = 0;
    loop {
        for liar in liars {
            for made in liar.player.moves(&game, &rules) {
                // Whoever hijacks does what others should, but never for them.
                let helps = matches!(made, Move::Run(_, ref made) if matches!(**made, RunMove::Add(..)));
                if random.below(100) < liar.zeal && (!liar.hijacks || helps) {
                    let _ = game.play(&liar.account, &made, &rules, now);
                }
            }
            let made = hostile(random, &game);
            let before = format!("{game:?}");
            if game.play(&liar.account, &made, &rules, now).is_err() {
                assert_eq!(
                    format!("{game:?}"),
                    before,
                    "a refused move changed something: {made:?}"
                );
            }
        }
        idle += 1;
        // Nine moves of a match take 27 blocks at most, less than a clock has.
        if random.below(3) == 0 || idle == 3 {
            idle = 0;
            for made in honest.moves(&game, &rules) {
                if let Err(error) = game.play(&HONEST, &made, &rules, now) {
                    assert!(matches!(error, Error::NotNow), "{error} for {made:?}");
                }
            }
        }
        let _ = game.play(&99, &Move::Advance, &rules, now);
        if let Some(verdict) = game.verdict() {
            return Ok(Report { verdict, game });
        }
        now.full += u64::from(random.below(4) == 0);
        now.block += 1;
        assert!(now.block - 1000 <= TERMS.bound(), "it never ends");
    }
}

/// Something that makes no sense, or little.
fn hostile(random: &mut Random, game: &Game<u32>) -> Move {
    use crate::{BranchMove, Defence, List, RunEnd, Shown};
    let hash = H256::from_low_u64_be(random.below(3));
    let hashes = vec![hash; random.below(20) as usize];
    let shown = match random.below(2) {
        0 => Shown::Children(hashes),
        _ => Shown::Chunk(vec![0; random.below(1100) as usize]),
    };
    let branch = random.below(game.branches.len() as u64 + 1) as usize;
    let at = random.below(4) as usize;
    let other = random.below(4) as usize;
    let child = random.below(20) as u32;
    match random.below(13) {
        0 => Move::Show(shown),
        1 => Move::Name(child),
        2 => Move::Defend(Defence {
            states: hash,
            scans: hash,
            kept: hash,
            failing: random.below(3),
        }),
        3 => Move::Branch(branch, BranchMove::Choose(None)),
        4 => Move::Branch(branch, BranchMove::Choose(Some(List::Kept))),
        5 => Move::Branch(branch, BranchMove::Name(child)),
        6 => Move::Branch(branch, BranchMove::Entry(child)),
        7 => Move::Branch(branch, BranchMove::Show(shown)),
        8 => Move::Branch(
            branch,
            BranchMove::Bind(agora_jobs::StateOpening {
                index: 0,
                digest: hash,
                siblings: vec![],
            }),
        ),
        9 => {
            let end = RunEnd {
                path: vec![[hash; 16]; random.below(10) as usize],
                state: vec![0; 150],
                chunk: None,
            };
            Move::Run(branch, Box::new(RunMove::Add(hash, end)))
        }
        10 => Move::Run(branch, Box::new(RunMove::Challenge(at, other))),
        11 => Move::Run(branch, Box::new(RunMove::Open(at, Seat::Second, Box::new([hash; 16])))),
        _ => {
            let segment = Segment {
                path: vec![[hash; 16]; random.below(3) as usize],
                state: vec![0; 200],
                witness: vec![1],
            };
            Move::Run(branch, Box::new(RunMove::Execute(at, segment)))
        }
    }
}

/// What somebody says who has changed a byte of what a unit comes to, and has gone on from there.
pub fn tampered(truth: &Truth, law: &Toy, random: &mut Random) -> Truth {
    let mut wrong = truth.clone();
    let flip = |bytes: &mut Vec<u8>, random: &mut Random| {
        let at = random.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << random.below(8);
    };
    if truth.unusable {
        // It says that there is an output: everything after the unit that fails is made up.
        let usable = Toy {
            failing: None,
            ..law.clone()
        };
        return Truth::compute(&usable, &usable).unwrap();
    }
    let state = random.below(law.states) as usize;
    match random.below(5) {
        0 if !wrong.scans.is_empty() => {
            let at = random.below(law.scans) as usize;
            flip(&mut wrong.scans[at], random);
            // It goes on truly from there, so that only this one is wrong.
            flip(&mut wrong.states[state], random);
        }
        1 if law.kept > 0 => {
            let at = random.below(law.kept) as usize;
            flip(&mut wrong.kept[state][at], random);
            flip(&mut wrong.states[state], random);
        }
        2 if law.scans > 0 => {
            wrong.states.clear();
            wrong.kept.clear();
            wrong.unusable = true;
            wrong.scans.truncate(random.below(law.scans) as usize);
            if let Some(scan) = wrong.scans.last_mut().filter(|_| random.below(2) == 0) {
                flip(scan, random);
            }
        }
        _ => {
            let after = state..state + 1 + random.below(law.states - state as u64) as usize;
            wrong.states[after].iter_mut().for_each(|state| flip(state, random));
        }
    }
    wrong
}

/// The accusation of `claim` with a target.
pub const fn accusation(accused: Claim, target: crate::Target) -> Accusation {
    Accusation {
        accused,
        target,
        own: None,
    }
}

/// An honest player.
pub const fn player<'a>(truth: &'a Truth, tracer: &'a dyn Tracer, side: Side) -> Player<'a> {
    Player { truth, tracer, side }
}
