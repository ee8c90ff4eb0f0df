//! The last phase: runs of the machine against each other.
//!
//! Every run is known by its root, and backed by a bond. Anybody may add one while the window is open, and anybody may make
//! the moves of any run: a move opens a node of that run's own tree, so it is right or refused, and nobody can play a run
//! badly. The run that really happens wins all its matches if somebody makes its moves in time.

use crate::{Clock, End, Error, Execution, Expected, Fault, Point, Running, Segments, Terms, Time};
use agora_jobs::{BlobRef, ChunkProof, H256, ProgramJob, blob, program::Ending};
use agora_machine::run_tree::{ARITY, Children, DEPTH, node_hash};
use agora_reference::Reference;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What a run shows.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stand {
    /// The unit comes to what the claim says.
    For,
    /// It comes to something else.
    Against,
    /// It fails, as no unit should. Either somebody made that up, or the image is broken: nothing is shown. No run of a program does: there
    /// it is a result.
    Failure,
}

impl Stand {
    const fn of(is_expected: bool) -> Self {
        match is_expected {
            true => Self::For,
            false => Self::Against,
        }
    }
}

/// A run that somebody has put a bond on.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run<A> {
    /// Whose bond it is.
    pub by: A,
    /// Its root.
    pub root: H256,
    /// What it shows.
    pub stand: Stand,
    /// How it lost. `None`: it stands.
    pub lost: Option<Fault>,
}

/// Shows how a run ends: the way down the right edge of its tree, the last state, and the chunk in dispute.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunEnd {
    /// Children of the root, of the last of these, and so on: 8 times 16.
    pub path: Vec<Children>,
    /// The last state.
    pub state: Vec<u8>,
    /// The chunk of the output that is in dispute, if one is and the output has it; of a program, if the record takes it.
    pub chunk: Option<ChunkProof>,
}

impl RunEnd {
    /// What the run with this root shows of `point`.
    ///
    /// Errors: `WrongOpening` if a node has other children, the state is another or not the last, or a chunk is not that of the output.
    /// Complexity: 8 nodes, a state, and a chunk.
    pub fn stand(
        &self,
        root: H256,
        point: &Point,
        law: &dyn Reference,
        segments: &dyn Segments,
    ) -> Result<Stand, Error> {
        let leaf = last_leaf(root, DEPTH, &self.path)?;
        let (hash, end) = segments.end(&self.state).ok_or(Error::WrongOpening)?;
        if hash != leaf {
            return Err(Error::WrongOpening);
        }
        if let Some(job) = law.program() {
            return self.stand_of_record(&end, &point.expected, job);
        }
        let is_expected = match (end.ending, point.expected) {
            (Ending::Trapped(_) | Ending::OutOfGas | Ending::TooLong, _) => return Ok(Stand::Failure),
            (Ending::Unusable, expected) => expected == Expected::Unusable,
            (Ending::Done, Expected::Unusable) => false,
            (Ending::Done, _) if Some(end.output.size) != point.size(law) => false,
            (Ending::Done, Expected::Output(digest)) => end.output.hash == digest,
            (Ending::Done, Expected::Chunk { index, hash }) => {
                blob::hash(&self.shown(&end.output, index)?.chunk) == hash
            }
        };
        Ok(Stand::of(is_expected))
    }

    /// What the run of a program shows: however it ends, it has a record.
    ///
    /// Errors: `WrongOpening`; `NoUnit` if no chunk is expected, which is never asked of a program.
    fn stand_of_record(&self, end: &End, expected: &Expected, job: &ProgramJob) -> Result<Stand, Error> {
        let Expected::Chunk { index, hash } = *expected else {
            return Err(Error::NoUnit);
        };
        let shown = match job.takes_output(end.output.size, index) {
            true => self.shown(&end.output, index)?.chunk.as_slice(),
            false => &[],
        };
        let chunk = job.record_chunk(end.ending, end.output.size, index, shown);
        Ok(Stand::of(blob::hash(&chunk.ok_or(Error::NoUnit)?) == hash))
    }

    /// Chunk `index` of `output`, which is shown.
    ///
    /// Errors: `WrongOpening`.
    fn shown(&self, output: &BlobRef, index: u64) -> Result<&ChunkProof, Error> {
        let shown = self.chunk.as_ref().filter(|shown| shown.index == index);
        shown.filter(|shown| output.verify(shown)).ok_or(Error::WrongOpening)
    }
}

/// The last leaf below a node `levels` above the leaves.
///
/// Errors: `WrongOpening`.
fn last_leaf(node: H256, levels: u32, path: &[Children]) -> Result<H256, Error> {
    if path.len() != levels as usize {
        return Err(Error::WrongOpening);
    }
    path.iter()
        .try_fold(node, |node, children| match node_hash(children) == node {
            true => children.last().copied().ok_or(Error::WrongOpening),
            false => Err(Error::WrongOpening),
        })
}

/// Which of the two runs of a match.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Player {
    /// The first.
    First,
    /// The second.
    Second,
}

/// One run of a match.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
struct Seat {
    /// The node at which it is.
    node: H256,
    /// Its children, once they are shown.
    shown: Option<Children>,
    /// Runs while it has a move to make.
    clock: Clock,
}

/// Two runs against each other, until one segment is left of which they say different things.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Match {
    seats: [Seat; 2],
    /// How far above the leaves the nodes are.
    height: u32,
    /// The number of the nodes among those of their height.
    number: u64,
    /// The last node before, which both runs have: how far above the leaves it is, and its hash.
    before: (u32, H256),
}

/// The segment that is left.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// The way from the node before it down to the state before it.
    pub path: Vec<Children>,
    /// The state before it.
    pub state: Vec<u8>,
    /// The witness of [`Segments::next`].
    pub witness: Vec<u8>,
}

/// How a match ended: how each of the two lost, if it did. At least one has.
pub type Losses = [Option<Fault>; 2];

impl Match {
    /// Two runs with these roots, on the program whose first state has the hash `start`.
    pub const fn new(roots: [H256; 2], start: H256, terms: &Terms, now: Time) -> Self {
        let [first, second] = roots;
        Self {
            seats: [Seat::new(first, terms, now), Seat::new(second, terms, now)],
            height: DEPTH,
            number: 0,
            before: (0, start),
        }
    }

    /// Where it is: how far above the leaves, and which node of that height.
    pub const fn position(&self) -> (u32, u64) {
        (self.height, self.number)
    }

    /// How far above the leaves the last node is that both runs have before the position.
    pub const fn before(&self) -> u32 {
        self.before.0
    }

    /// Blocks that are left of each clock that runs.
    pub fn left(&self, now: Time) -> [Option<u64>; 2] {
        self.seats.each_ref().map(|seat| seat.clock.left(now))
    }

    /// Whether `player` has a node to open.
    pub fn is_due(&self, player: Player) -> bool {
        let [first, second] = &self.seats;
        let seat = match player {
            Player::First => first,
            Player::Second => second,
        };
        self.height > 0 && seat.shown.is_none()
    }

    /// Opens the node of `player`. When both are open, the match goes down to the first child that differs.
    ///
    /// Errors: `NotNow` if there is nothing to open, or its time is over; `WrongOpening`.
    pub fn open(&mut self, player: Player, children: &Children, now: Time) -> Result<(), Error> {
        if !self.is_due(player) {
            return Err(Error::NotNow);
        }
        let [first, second] = &mut self.seats;
        let seat = match player {
            Player::First => first,
            Player::Second => second,
        };
        if seat.clock.expired(now) {
            return Err(Error::NotNow);
        }
        if node_hash(children) != seat.node {
            return Err(Error::WrongOpening);
        }
        seat.clock.stop(now);
        seat.shown = Some(*children);
        self.descend(now);
        Ok(())
    }

    fn descend(&mut self, now: Time) {
        let [first, second] = &mut self.seats;
        let (Some(one), Some(other)) = (first.shown, second.shown) else {
            return;
        };
        // Nodes that differ have a child that differs: else they would have the same hash.
        let differ = |(number, (one, other)): (u64, (&H256, &H256))| (one != other).then_some((number, *one, *other));
        let mut pairs = (0u64..).zip(one.iter().zip(&other));
        let Some((child, one, other)) = pairs.find_map(differ) else {
            return;
        };
        let below = self.height.saturating_sub(1);
        if let Some(before) = child.checked_sub(1).and_then(|before| usize::try_from(before).ok()) {
            let before = first.shown.as_ref().and_then(|children| children.get(before));
            self.before = (below, before.copied().unwrap_or_default());
        }
        self.height = below;
        self.number = self.number.saturating_mul(ARITY as u64).saturating_add(child);
        for (seat, node) in [(first, one), (second, other)] {
            seat.node = node;
            seat.shown = None;
            seat.clock.start(now);
        }
    }

    /// Executes the segment of `run` that is left, and says who has lost.
    ///
    /// Errors: `NotNow` if nodes are still to be opened, or the time of both is over; `WrongOpening`, `WrongSegment`. Complexity:
    /// 7 nodes and a segment.
    pub fn execute(
        &self,
        segment: &Segment,
        run: &Execution,
        segments: &dyn Segments,
        now: Time,
    ) -> Result<Losses, Error> {
        if self.height > 0 || self.seats.iter().all(|seat| seat.clock.expired(now)) {
            return Err(Error::NotNow);
        }
        let before = last_leaf(self.before.1, self.before.0, &segment.path)?;
        let (is, after) = segments
            .next(run, &segment.state, &segment.witness)
            .ok_or(Error::WrongSegment)?;
        if is != before {
            return Err(Error::WrongSegment);
        }
        Ok(self
            .seats
            .each_ref()
            .map(|seat| (seat.node != after).then_some(Fault::Fraud)))
    }

    /// Who has lost because its time is over. `None`: nobody.
    pub fn timeout(&self, now: Time) -> Option<Losses> {
        let late = self
            .seats
            .each_ref()
            .map(|seat| seat.clock.expired(now).then_some(Fault::Wrong));
        late.iter().any(Option::is_some).then_some(late)
    }
}

impl Seat {
    const fn new(root: H256, terms: &Terms, now: Time) -> Self {
        Self {
            node: root,
            shown: None,
            clock: Clock::running(terms.clock, terms.stops, now),
        }
    }
}

/// The runs of one point.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bench {
    /// The unit, and what the claim says of it.
    pub point: Point,
    /// What the runs are given.
    pub input: BlobRef,
    /// The hash of the first state.
    pub start: H256,
    /// Runs may be added until this has run out.
    entry: Clock,
    /// Matches may be begun until this has run out.
    challenge: Clock,
    /// Runs that stand: for the claim, against it, and those that fail.
    standing: [u32; 3],
    /// Matches that are not over.
    matches: u32,
}

/// What a bench has found.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// The unit comes to what the claim says.
    Right,
    /// No run for the claim stands.
    Wrong,
    /// A run stands that fails: nothing is decided in this branch.
    Nothing,
}

impl Bench {
    /// The runs on `input`.
    pub const fn new(point: Point, input: BlobRef, start: H256, terms: &Terms, now: Time) -> Self {
        Self {
            point,
            input,
            start,
            entry: Clock::running(terms.entry, terms.stops, now),
            challenge: Clock::running(terms.entry.saturating_add(terms.challenge), terms.stops, now),
            standing: [0; 3],
            matches: 0,
        }
    }

    /// The time in which runs may be added, and after that the time in which matches may be begun. `None`: both are over.
    pub fn running(&self, now: Time) -> Option<Running> {
        let clocks = [&self.entry, &self.challenge].into_iter();
        clocks
            .filter_map(|clock| clock.running_for(None, now))
            .find(|running| running.left > 0)
    }

    const fn count(&mut self, stand: Stand) -> &mut u32 {
        let [for_, against, failure] = &mut self.standing;
        match stand {
            Stand::For => for_,
            Stand::Against => against,
            Stand::Failure => failure,
        }
    }

    /// Adds a run; that there is none with this root is for the caller to see.
    ///
    /// Errors: `NotNow`, those of [`RunEnd::stand`].
    pub fn add<A>(
        &mut self,
        by: A,
        root: H256,
        end: &RunEnd,
        law: &dyn Reference,
        segments: &dyn Segments,
        now: Time,
    ) -> Result<Run<A>, Error> {
        if self.entry.expired(now) {
            return Err(Error::NotNow);
        }
        let stand = end.stand(root, &self.point, law, segments)?;
        let count = self.count(stand);
        *count = count.checked_add(1).ok_or(Error::TooMany)?;
        Ok(Run {
            by,
            root,
            stand,
            lost: None,
        })
    }

    /// Begins a match; that there is none of these two yet is for the caller to see.
    ///
    /// Errors: `NotNow`; `NoMatch` if they show the same, or one has lost.
    pub fn challenge<A>(&mut self, first: &Run<A>, second: &Run<A>, terms: &Terms, now: Time) -> Result<Match, Error> {
        if self.challenge.expired(now) {
            return Err(Error::NotNow);
        }
        if first.stand == second.stand || first.lost.is_some() || second.lost.is_some() {
            return Err(Error::NoMatch);
        }
        self.matches = self.matches.checked_add(1).ok_or(Error::TooMany)?;
        Ok(Match::new([first.root, second.root], self.start, terms, now))
    }

    /// Takes note that a match is over.
    pub fn close<A>(&mut self, runs: [&mut Run<A>; 2], result: Losses) {
        self.matches = self.matches.saturating_sub(1);
        for (run, fault) in runs.into_iter().zip(result) {
            if run.lost.is_none() && fault.is_some() {
                run.lost = fault;
                let count = self.count(run.stand);
                *count = count.saturating_sub(1);
            }
        }
    }

    /// What is found, once nothing can change it any more.
    ///
    /// A run that stands because nobody began a match against it counts: first those that fail, then those for the claim.
    pub fn found(&self, now: Time) -> Option<Found> {
        let sides = self.standing.iter().filter(|&&count| count > 0).count();
        let is_open = !self.entry.expired(now) || self.matches > 0 || (sides > 1 && !self.challenge.expired(now));
        if is_open {
            return None;
        }
        Some(match self.standing {
            [0, _, 0] => Found::Wrong,
            [_, _, 0] => Found::Right,
            _ => Found::Nothing,
        })
    }
}
