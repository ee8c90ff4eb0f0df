//! The strategy of whoever knows the truth: from the state of a game, the moves to make now.
//!
//! A verifier that has computed the job plays by it. It keeps no memory of its own: everything follows from the game and the
//! truth, so it may be restarted at any time. It never makes a move that could lose.

use crate::{
    Aim, Bench, Branch, BranchMove, BranchPhase, Defence, Execution, Game, List, Move, Phase, Player as Seat, Rules,
    Run, RunEnd, RunMove, Segment, Shown, Side, Target, Turn,
    descent::Descent,
    game::{Openings, Runs},
    tree::{Node, Tree, subtree},
    unit::{Expected, Point},
};
use agora_jobs::{BlobRef, ChunkProof, Claim, H256, StateOpening, blob, blob::CHUNK_BYTES, states_root};
use agora_machine::run_tree::{Children, DEPTH};
use agora_math::merkle;
use agora_reference::{Blobs, Fault, Inputs, Output, Reference, Source, Step};
use alloc::{borrow::Cow, boxed::Box, vec::Vec};

/// Bytes of a chunk.
const CHUNK: u64 = CHUNK_BYTES as u64;

/// What a tree stands over.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// Digests of states.
    Digests(&'a [H256]),
    /// The bytes of a blob.
    Bytes(&'a [u8]),
}

/// The children of `node` in the tree over `content`. What `content` does not have is taken for nothing.
pub fn children(node: &Node, content: Content<'_>) -> Vec<H256> {
    let span = |(first, len): (u64, u64)| match content {
        Content::Bytes(bytes) => subtree(first, within(bytes, first, len)).unwrap_or_default(),
        Content::Digests(digests) => match within(digests, first, len) {
            [digest] => *digest,
            digests => top(digests),
        },
    };
    node.spans().into_iter().map(span).collect()
}

/// The `len` elements from `first` on, as far as there are any.
fn within<T>(all: &[T], first: u64, len: u64) -> &[T] {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let end = place(first.saturating_add(len)).min(all.len());
    all.get(place(first)..end).unwrap_or_default()
}

/// The hash of the node over whole digests, which is not the root.
fn top(digests: &[H256]) -> H256 {
    let mut level: Vec<_> = digests.iter().map(|digest| merkle::leaf_hash(&digest.0)).collect();
    while level.len() > 1 {
        let join = |pair: &[merkle::Hash]| match pair {
            [left, right] => merkle::node_hash(left, right),
            [last, ..] => *last,
            [] => [0; 32],
        };
        level = level.chunks(2).map(join).collect();
    }
    level.first().copied().unwrap_or_default().into()
}

/// What somebody knows who has computed a job: the digests of all that it comes to on the way, and its states by range. Where all that
/// is, in memory or on disk, is for those who know it to say.
pub trait Knowledge {
    /// The digests of what the units of [`Step::Inputs`] kept; those before the one that fails.
    fn scans(&self) -> Cow<'_, [H256]>;

    /// Whether the unit after these finds the inputs unusable.
    fn is_unusable(&self) -> bool;

    /// The digests of the states, the output included; none if the inputs are unusable.
    fn states(&self) -> Cow<'_, [H256]>;

    /// The digests of what the units of `state` kept. `None`: they are not at hand now.
    fn kept(&self, state: u64) -> Option<Cow<'_, [H256]>>;

    /// The chaining value of the `len` bytes of `state` from `first` on, which are a subtree and not the whole. `None`: they are not at
    /// hand now.
    fn subtree(&self, state: u64, first: u64, len: u64) -> Option<H256>;

    /// The `len` bytes of `state` from `first` on, at most a chunk. `None`: they are not at hand now.
    fn bytes(&self, state: u64, first: u64, len: u64) -> Option<Vec<u8>>;

    /// The claim that is right.
    fn claim(&self) -> Claim;

    /// What to accuse `claim` of if nothing of it is published but the claim. `None`: it is right.
    fn target(&self, claim: &Claim) -> Option<Target> {
        target(&self.claim(), claim, self.states().len() as u64)
    }

    /// The digests of a list, where `state` is in dispute. `None`: they are not at hand now.
    fn list(&self, state: Option<u64>, list: List) -> Option<Vec<H256>> {
        Some(match (list, state) {
            (List::Scans, _) => self.scans().into_owned(),
            (List::States, Some(state)) => within(&self.states(), 0, state).to_vec(),
            (List::Kept, Some(state)) => self.kept(state)?.into_owned(),
            (List::States | List::Kept, None) => Vec::new(),
        })
    }

    /// The lists that defend a right claim about a job of `law`. `None`: they are not at hand now.
    fn defence(&self, law: &dyn Reference, aim: &Aim) -> Option<Defence> {
        let of = |list| Some(blob::hash(&agora_reference::list(&self.list(aim.state(), list)?)));
        Some(Defence {
            states: match law.program() {
                Some(_) => {
                    let before = aim.state().and_then(|state| state.checked_sub(1));
                    let before = before.and_then(|before| within(&self.states(), before, 1).first().copied());
                    before.unwrap_or_else(|| blob::hash(&[]))
                }
                None => of(List::States)?,
            },
            scans: of(List::Scans)?,
            kept: of(List::Kept)?,
            failing: match aim {
                Aim::Unusable => self.scans().len() as u64,
                Aim::Chunk { .. } | Aim::Usable => 0,
            },
        })
    }
}

/// What to accuse `claim` of, where `right` is right and the job has so many `states`, the output included. `None`: it is right.
pub fn target(right: &Claim, claim: &Claim, states: u64) -> Option<Target> {
    match (right, claim) {
        (right, claim) if right == claim => None,
        (Claim::Output { states_root: right, .. }, Claim::Output { states_root, .. }) => {
            // A job without states before the output: the claim falls by that at once.
            Some(match right != states_root && states > 1 {
                true => Target::States,
                false => Target::Output,
            })
        }
        _ => Some(Target::Inputs),
    }
}

/// Everything that a job comes to, on the way and in the end, in memory.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Truth {
    /// What the units of [`Step::Inputs`] kept; those before the one that fails.
    pub scans: Vec<Vec<u8>>,
    /// Whether the unit after these finds the inputs unusable.
    pub unusable: bool,
    /// The states, the output included; none if the inputs are unusable.
    pub states: Vec<Vec<u8>>,
    /// What the units of each state kept.
    pub kept: Vec<Vec<Vec<u8>>>,
}

impl Truth {
    /// Computes the job of `law`.
    ///
    /// Errors: `Missing` if an input is not at hand.
    pub fn compute(law: &dyn Reference, inputs: &dyn Inputs) -> Result<Self, Fault> {
        let mut truth = Self::default();
        for unit in 0..law.units(Step::Inputs) {
            match law.compute(&Known(&truth, inputs), Step::Inputs, unit) {
                Err(Fault::Unusable { .. }) => {
                    truth.unusable = true;
                    return Ok(truth);
                }
                scan => truth.scans.push(scan?),
            }
        }
        for state in 0..law.states() {
            let step = Step::State(state);
            truth.kept.push(Vec::new());
            let mut bytes = Vec::new();
            for unit in 0..law.units(step) {
                let known = law.unit(step, unit).ok_or(Fault::NoUnit)?;
                let output = law.compute(&Known(&truth, inputs), step, unit)?;
                match (known.output, truth.kept.last_mut()) {
                    (Output::Kept { .. }, Some(kept)) => kept.push(output),
                    _ => bytes.extend(output),
                }
            }
            truth.states.push(bytes);
        }
        Ok(truth)
    }

    /// The digests of the states, the output included.
    pub fn digests(&self) -> Vec<H256> {
        digests(&self.states)
    }

    /// What to accuse a claim of whose list of digests, and whose state at the first difference, are published. `None`: neither
    /// differs.
    pub fn point(&self, digests: &[H256], state: &[u8]) -> Option<Target> {
        let index = agora_jobs::first_difference(&self.digests(), digests)?;
        let right = self.states.get(usize::try_from(index).ok()?)?;
        let pairs = right.chunks(CHUNK_BYTES).zip(state.chunks(CHUNK_BYTES));
        let chunk = pairs.into_iter().position(|(right, said)| right != said)?;
        let (output, before) = digests.split_last()?;
        let opening = StateOpening::new(before, index).unwrap_or(StateOpening {
            index,
            digest: *output,
            siblings: Vec::new(),
        });
        Some(Target::Chunk {
            state: opening,
            chunk: ChunkProof::new(state, chunk as u64)?,
        })
    }
}

impl Knowledge for Truth {
    fn scans(&self) -> Cow<'_, [H256]> {
        digests(&self.scans).into()
    }

    fn is_unusable(&self) -> bool {
        self.unusable
    }

    fn states(&self) -> Cow<'_, [H256]> {
        self.digests().into()
    }

    fn kept(&self, state: u64) -> Option<Cow<'_, [H256]>> {
        let kept = within(&self.kept, state, 1).first();
        Some(digests(kept.map(Vec::as_slice).unwrap_or_default()).into())
    }

    fn subtree(&self, state: u64, first: u64, len: u64) -> Option<H256> {
        let state = within(&self.states, state, 1).first()?;
        Some(subtree(first, within(state, first, len)).unwrap_or_default())
    }

    fn bytes(&self, state: u64, first: u64, len: u64) -> Option<Vec<u8>> {
        let bytes = within(within(&self.states, state, 1).first()?, first, len);
        (bytes.len() as u64 == len).then(|| bytes.to_vec())
    }

    fn claim(&self) -> Claim {
        match (self.states.split_last(), self.digests().split_last()) {
            (Some((output, _)), Some((_, before))) => Claim::Output {
                output: BlobRef::to(output),
                states_root: states_root(before),
            },
            _ => Claim::Unusable,
        }
    }
}

fn digests(contents: &[Vec<u8>]) -> Vec<H256> {
    contents.iter().map(|content| blob::hash(content)).collect()
}

/// What is known to a unit while the truth is computed.
struct Known<'a>(&'a Truth, &'a dyn Inputs);

impl Blobs for Known<'_> {
    fn chunk(&self, source: &Source, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        let Self(truth, inputs) = self;
        let at = |number: &u64| usize::try_from(*number).ok();
        let content = match source {
            Source::Input(blob) => inputs.content(blob)?,
            Source::State(state) => truth.states.get(at(state)?)?,
            Source::Kept(Step::Inputs, unit) => truth.scans.get(at(unit)?)?,
            Source::Kept(Step::State(state), unit) => truth.kept.get(at(state)?)?.get(at(unit)?)?,
        };
        let from = usize::try_from(index).ok()?.checked_mul(CHUNK_BYTES)?;
        let bytes = content.get(from..)?;
        let bytes = bytes.get(..bytes.len().min(CHUNK_BYTES))?;
        chunk.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(bytes.len())
    }
}

/// A run that was traced.
pub trait Traced {
    /// Its root.
    fn root(&self) -> H256;

    /// The children of a node of its tree. `None`: there is none.
    fn open(&self, height: u32, number: u64) -> Option<Children>;

    /// The last state, and the output.
    fn end(&self) -> (Vec<u8>, Vec<u8>);

    /// The state before segment `number`, and the witness of it.
    fn segment(&self, number: u64) -> Option<(Vec<u8>, Vec<u8>)>;
}

/// Traces runs.
pub trait Tracer {
    /// The run `run`. Its lists are right, except the one of which an entry was named: of this one `shown` is known, and what
    /// is before the entry is right. `None`: a blob is not at hand.
    fn trace(&self, run: &Execution, shown: Option<&ShownList<'_>>) -> Option<Box<dyn Traced + '_>>;
}

/// What was shown in a branch of the list of which an entry was named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShownList<'a> {
    /// The list's blob.
    pub list: BlobRef,
    /// The nodes on the way to the chunk with the entry.
    pub openings: &'a Openings,
    /// The number of the chunk.
    pub index: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Whoever knows the truth.
pub struct Player<'a> {
    /// What the job comes to.
    pub truth: &'a dyn Knowledge,
    /// Runs the machine.
    pub tracer: &'a dyn Tracer,
    /// The side: the accuser, if the claim is wrong.
    pub side: Side,
}

impl Player<'_> {
    /// The moves to make now. All of them may be made in one block, in this order; one that is refused does no harm.
    pub fn moves<A: Clone + Ord>(&self, game: &Game<A>, rules: &Rules<'_>) -> Vec<Move> {
        let mut moves = Vec::new();
        match &game.dispute.phase {
            Phase::Over(_) => return moves,
            Phase::States(descent) => {
                let digests = self.truth.states();
                let before = digests.split_last().map(|(_, before)| before).unwrap_or_default();
                moves.extend(self.descend(descent, Right::Content(Content::Digests(before))));
            }
            Phase::Chunks { state, descent } => {
                moves.extend(self.descend(descent, Right::State(self.truth, *state)));
            }
            Phase::Defences { aim, .. } if self.side == Side::Defence => {
                let defence = self.truth.defence(rules.law, aim);
                let is_new = |defence: &Defence| game.branches.iter().all(|(branch, _)| branch.defence != *defence);
                moves.extend(defence.filter(is_new).map(Move::Defend));
            }
            Phase::Defences { .. } => {}
        }
        for (at, (branch, runs)) in game.branches.iter().enumerate() {
            // Another's lists are not for a right claim to defend.
            if self.side == Side::Accuser || self.truth.defence(rules.law, &branch.aim) == Some(branch.defence) {
                self.in_branch(at, branch, runs, rules, &mut moves);
            }
        }
        moves
    }

    fn descend(&self, descent: &Descent, right: Right<'_>) -> Option<Move> {
        match (self.side, &descent.turn) {
            (Side::Defence, Turn::Show) => right.show(&descent.node).map(Move::Show),
            (Side::Accuser, Turn::Name(shown)) => {
                let right = right.children(&descent.node)?;
                let child = right.iter().zip(shown).position(|(right, shown)| right != shown)?;
                Some(Move::Name(child as u32))
            }
            _ => None,
        }
    }

    fn in_branch<A: Clone>(
        &self,
        at: usize,
        branch: &Branch<A>,
        runs: &Runs<A>,
        rules: &Rules<'_>,
        moves: &mut Vec<Move>,
    ) {
        let made = match (&branch.phase, self.side) {
            (BranchPhase::Choose, Side::Accuser) => self.choice(branch, rules).map(BranchMove::Choose),
            (BranchPhase::Entry { list, descent }, Side::Accuser) => self.name(branch, *list, descent, rules),
            (BranchPhase::Entry { list, descent }, Side::Defence) if descent.turn == Turn::Show => {
                let right = self.truth.list(branch.aim.state(), *list);
                let bytes = right.map(|right| agora_reference::list(&right));
                let shown = bytes.and_then(|bytes| Right::Content(Content::Bytes(&bytes)).show(&descent.node));
                shown.map(BranchMove::Show)
            }
            (BranchPhase::Bound { state, .. }, Side::Defence) => {
                let digests = self.truth.states();
                let before = digests.split_last().map(|(_, before)| before).unwrap_or_default();
                StateOpening::new(before, *state).map(BranchMove::Bind)
            }
            (BranchPhase::Runs(bench), _) => {
                let found = self.in_runs(branch, bench, runs, rules).unwrap_or_default();
                moves.extend(found.into_iter().map(|made| Move::Run(at, Box::new(made))));
                None
            }
            _ => None,
        };
        moves.extend(made.map(|made| Move::Branch(at, made)));
    }

    /// The first list that is wrong, in the order in which they build on one another; `Some(None)`: none is. `None`: what is right is not at
    /// hand now.
    fn choice<A>(&self, branch: &Branch<A>, rules: &Rules<'_>) -> Option<Option<List>> {
        if self.truth.is_unusable() && branch.aim == Aim::Usable {
            return Some(Some(List::Scans));
        }
        if branch.aim.before(rules.law, &branch.defence).is_some() {
            let right = self.truth.defence(rules.law, &branch.aim)?;
            return Some((branch.defence.states != right.states).then_some(List::States));
        }
        for list in [List::Scans, List::States, List::Kept] {
            let said = branch.aim.list(rules.law, &branch.defence, list);
            if said.size == 0 {
                continue;
            }
            if said != BlobRef::to(&agora_reference::list(&self.expected(branch, list, rules)?)) {
                return Some(Some(list));
            }
        }
        Some(None)
    }

    /// The right digests, as many as the defence's list has: what there is none of is zero. `None`: they are not at hand now.
    fn expected<A>(&self, branch: &Branch<A>, list: List, rules: &Rules<'_>) -> Option<Vec<H256>> {
        let entries = branch.aim.entries(rules.law, &branch.defence, list);
        let mut right = self.truth.list(branch.aim.state(), list)?;
        right.resize(usize::try_from(entries).unwrap_or_default(), H256::zero());
        Some(right)
    }

    fn name<A>(&self, branch: &Branch<A>, which: List, descent: &Descent, rules: &Rules<'_>) -> Option<BranchMove> {
        let right = self.expected(branch, which, rules)?;
        // No digest is right for the unit that finds the inputs unusable.
        let failing = (which == List::Scans && self.truth.is_unusable()).then(|| self.truth.scans().len());
        let from = usize::try_from(descent.node.first / 32).ok()?;
        match &descent.turn {
            Turn::Show => None,
            Turn::Name(shown) => {
                let bytes = agora_reference::list(&right);
                let right = children(&descent.node, Content::Bytes(&bytes));
                let wrong = right.iter().zip(shown).position(|(right, shown)| right != shown);
                let has_failing = |&(first, len): &(u64, u64)| {
                    let byte = failing
                        .and_then(|failing| failing.checked_mul(32))
                        .map(|byte| byte as u64);
                    byte.is_some_and(|byte| (first..first.saturating_add(len)).contains(&byte))
                };
                let failing = descent.node.spans().iter().position(has_failing);
                Some(BranchMove::Name(earlier(wrong, failing)? as u32))
            }
            Turn::Entry(shown) => {
                let right = right.get(from..).unwrap_or_default();
                let wrong = right.iter().zip(shown).position(|(right, shown)| right != shown);
                let failing = failing
                    .and_then(|failing| failing.checked_sub(from))
                    .filter(|&at| at < right.len());
                Some(BranchMove::Entry(earlier(wrong, failing)? as u32))
            }
        }
    }

    fn in_runs<A: Clone>(
        &self,
        branch: &Branch<A>,
        bench: &Bench,
        runs: &Runs<A>,
        rules: &Rules<'_>,
    ) -> Option<Vec<RunMove>> {
        let point = &bench.point;
        let run = branch.execution(rules).ok()?;
        let shown = branch.shown(rules.law, &runs.openings);
        let traced = self.tracer.trace(&run, shown.as_ref())?;
        let root = traced.root();
        let mut moves = Vec::new();
        let Some(own) = runs.runs.iter().position(|run| run.root == root) else {
            moves.push(RunMove::Add(root, run_end(traced.as_ref(), point)?));
            return Some(moves);
        };
        let stand = runs.runs.get(own)?.stand;
        let faces = |other: usize| {
            move |&((one, two), _): &((u32, u32), _)| {
                let players = (one as usize, two as usize);
                players == (own, other) || players == (other, own)
            }
        };
        let others = runs.runs.iter().enumerate();
        let others = others.filter(|(_, run): &(usize, &Run<A>)| run.stand != stand && run.lost.is_none());
        for (other, _) in others {
            if !runs.matches.iter().any(faces(other)) {
                moves.push(RunMove::Challenge(own, other));
            }
        }
        for (number, ((one, two), game)) in runs.matches.iter().enumerate() {
            let Some(game) = game else { continue };
            let seat = match (*one as usize == own, *two as usize == own) {
                (true, _) => Seat::First,
                (_, true) => Seat::Second,
                _ => continue,
            };
            let (height, node) = game.position();
            if game.is_due(seat) {
                moves.push(RunMove::Open(number, seat, Box::new(traced.open(height, node)?)));
            } else if height == 0 {
                let (state, witness) = traced.segment(node)?;
                moves.push(RunMove::Execute(
                    number,
                    Segment {
                        path: before(traced.as_ref(), game.before(), node)?,
                        state,
                        witness,
                    },
                ));
            }
        }
        Some(moves)
    }
}

/// What is right below a node.
#[derive(Clone, Copy)]
enum Right<'a> {
    /// All of it is in memory.
    Content(Content<'a>),
    /// It is the state of this number.
    State(&'a dyn Knowledge, u64),
}

impl Right<'_> {
    /// The children of `node`. `None`: they are not at hand now.
    fn children(self, node: &Node) -> Option<Vec<H256>> {
        match self {
            Self::Content(content) => Some(children(node, content)),
            Self::State(known, state) => {
                let spans = node.spans().into_iter();
                spans.map(|(first, len)| known.subtree(state, first, len)).collect()
            }
        }
    }

    /// The chunk that `node` stands for. `None`: it stands for none, or that is not at hand now.
    fn chunk(self, node: &Node) -> Option<Vec<u8>> {
        let chunk = match self {
            Self::Content(Content::Digests(_)) => None,
            Self::Content(Content::Bytes(bytes)) => Some(within(bytes, node.first, node.len).to_vec()),
            Self::State(known, state) => known.bytes(state, node.first, node.len),
        };
        chunk.filter(|chunk| node.tree == Tree::Blob && chunk.len() as u64 == node.len)
    }

    fn show(self, node: &Node) -> Option<Shown> {
        match node.is_leaf() {
            true => self.chunk(node).map(Shown::Chunk),
            false => self.children(node).map(Shown::Children),
        }
    }
}

fn earlier(one: Option<usize>, other: Option<usize>) -> Option<usize> {
    one.into_iter().chain(other).min()
}

/// How a traced run ends.
pub fn run_end(traced: &dyn Traced, point: &Point) -> Option<RunEnd> {
    let (state, output) = traced.end();
    Some(RunEnd {
        path: edge(traced, DEPTH, 0)?,
        state,
        chunk: match point.expected {
            Expected::Chunk { index, .. } => ChunkProof::new(&output, index),
            Expected::Output(_) | Expected::Unusable => None,
        },
    })
}

/// The way down the right edge below a node.
fn edge(traced: &dyn Traced, height: u32, number: u64) -> Option<Vec<Children>> {
    let mut path = Vec::new();
    let mut number = number;
    for height in (1..=height).rev() {
        path.push(traced.open(height, number)?);
        number = number.checked_mul(16)?.checked_add(15)?;
    }
    Some(path)
}

/// The way from the last node before segment `number`, which is `height` above the states, down to the state before it.
pub fn before(traced: &dyn Traced, height: u32, number: u64) -> Option<Vec<Children>> {
    match number.checked_sub(1) {
        None => Some(Vec::new()),
        Some(last) => edge(traced, height, last.checked_shr(height.checked_mul(4)?)?),
    }
}

impl<A> Branch<A> {
    /// What the defence has shown of a list, before the runs.
    fn shown<'a>(&self, law: &dyn Reference, openings: &'a Openings) -> Option<ShownList<'a>> {
        let (list, node, entries) = self.named.as_ref()?;
        let digests = entries.get(..usize::try_from(node.len / 32).ok()?)?;
        Some(ShownList {
            openings,
            list: self.aim.list(law, &self.defence, *list),
            index: node.first / CHUNK,
            bytes: agora_reference::list(digests),
        })
    }
}
