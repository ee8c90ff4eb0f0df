//! Somebody who plays by what is wrong as far as that is possible: for demonstrations, tests and benchmarks. Compiled only with the
//! feature `fault-injection`.

use crate::{
    Arbiter,
    computed::{Computed, Memory},
    contents::Contents,
};
use agora_disputes::{
    Execution, Game, Move, Side, Terms,
    player::{Player, ShownList, Traced, Tracer},
};
use agora_jobs::{
    H256, JobKind, JobSpec, Mode,
    program::{Ending, read_record},
};
use agora_machine::{
    Output as Written, State, Status,
    run_tree::{Children, RunTree},
};
use agora_reference::{Step, UnitRun};
use codec::{Decode, Encode};

/// Plays by an arbiter whose truth is wrong: what it says of the runs is made up to fit.
pub struct Liar<'a, I, C = Memory>(pub &'a Arbiter<I, C>);

/// A run that is said to come to what the liar says.
struct Lied {
    end: (Vec<u8>, Vec<u8>),
    tree: RunTree,
}

impl<I: Contents, C: Computed> Liar<'_, I, C> {
    /// The moves to make now: see [`Player::moves`].
    pub fn moves<A: Clone + Ord>(&self, side: Side, game: &Game<A>, terms: &Terms) -> Vec<Move> {
        let player = Player {
            truth: self.0.computed(),
            tracer: self,
            side,
        };
        player.moves(game, &self.0.rules(terms))
    }

    /// How `run` ends, according to the liar, and what it writes. `None`: it says nothing of it.
    fn wanted(&self, run: &Execution) -> Option<(Status, Vec<u8>)> {
        match run {
            Execution::Unit(run) => self.wanted_of_unit(run),
            Execution::Program(run) => {
                let (state, unit) = match self.0.spec() {
                    JobSpec::V2(JobKind::Program(job)) if job.mode == Mode::Fold => (run.item, 0),
                    _ => (0, run.item),
                };
                match read_record(&self.part(state, unit)?)? {
                    (Ending::Done, output) => Some((Status::Done, output.to_vec())),
                    (Ending::Unusable, output) => Some((Status::Unusable, output.to_vec())),
                    _ => None,
                }
            }
        }
    }

    fn wanted_of_unit(&self, run: &UnitRun) -> Option<(Status, Vec<u8>)> {
        let computed = self.0.computed();
        let law = agora_reference::of(self.0.spec());
        if run.step == Step::Inputs && run.unit >= computed.scans().len() as u64 {
            return computed.is_unusable().then_some((Status::Unusable, Vec::new()));
        }
        Some((Status::Done, computed.output(law, run.step, run.unit)?))
    }

    /// The part of a state that a unit makes.
    fn part(&self, state: u64, unit: u64) -> Option<Vec<u8>> {
        let law = agora_reference::of(self.0.spec());
        self.0.computed().output(law, Step::State(state), unit)
    }
}

impl<I: Contents, C: Computed> Tracer for Liar<'_, I, C> {
    fn trace(&self, run: &Execution, shown: Option<&ShownList<'_>>) -> Option<Box<dyn Traced + '_>> {
        let record = self.0.record(run, shown)?;
        let mut states: Vec<_> = (0..record.segments).map(|number| record.tree.node(0, number)).collect();
        let mut end = State::decode(&mut record.end.as_slice()).ok()?;
        let mut output = record.output.clone();
        if let Some((status, wanted)) = self.wanted(run).filter(|(s, w)| (s, w) != (&end.status, &output)) {
            end.status = status;
            end.output = Written::of(&wanted);
            output = wanted;
            // Right at the beginning, made up from the middle on.
            let middle = states.len() / 2;
            states.iter_mut().skip(middle).for_each(|state| state.0[0] ^= 1);
            *states.last_mut()? = end.hash();
        }
        Some(Box::new(Lied {
            end: (end.encode(), output),
            tree: RunTree::new(states)?,
        }))
    }
}

impl Traced for Lied {
    fn root(&self) -> H256 {
        self.tree.root()
    }

    fn open(&self, height: u32, number: u64) -> Option<Children> {
        self.tree.open(height, number)
    }

    fn end(&self) -> (Vec<u8>, Vec<u8>) {
        self.end.clone()
    }

    fn segment(&self, _: u64) -> Option<(Vec<u8>, Vec<u8>)> {
        // Nothing that it could show would help it.
        None
    }
}
