//! Somebody who defends a wrong output as far as that is possible: for demonstrations and tests. Compiled only with the feature
//! `fault-injection`.

use crate::Arbiter;
use agora_disputes::{
    Game, Move, Side, Terms,
    player::{Player, ShownList, Traced, Tracer},
};
use agora_jobs::{H256, blob};
use agora_machine::run_tree::{Children, RunTree};
use agora_reference::{Inputs, Output, Step, UnitRun};

/// Plays by an arbiter whose truth is wrong: what it says of the runs is made up to fit.
pub struct Liar<'a, I>(pub &'a Arbiter<I>);

/// A run that is said to come to what the liar says.
struct Lied {
    end: (Vec<u8>, Vec<u8>),
    tree: RunTree,
}

impl<I: Inputs> Liar<'_, I> {
    /// The moves to make now: see [`Player::moves`].
    pub fn moves<A: Clone + Ord>(&self, side: Side, game: &Game<A>, terms: &Terms) -> Vec<Move> {
        let player = Player {
            truth: self.0.truth(),
            tracer: self,
            side,
        };
        player.moves(game, &self.0.rules(terms))
    }

    /// What the unit of `run` comes to, according to the liar.
    fn wanted(&self, run: &UnitRun) -> Option<Vec<u8>> {
        let Step::State(state) = run.step else { return None };
        let Output::Part { offset, size } = agora_reference::of(self.0.spec()).unit(run.step, run.unit)?.output else {
            return None;
        };
        let bytes = self.0.truth().states.get(usize::try_from(state).ok()?)?;
        let from = usize::try_from(offset).ok()?;
        let bytes = bytes.get(from..)?;
        Some(bytes.get(..usize::try_from(size).ok()?)?.to_vec())
    }
}

impl<I: Inputs> Tracer for Liar<'_, I> {
    fn trace(&self, run: &UnitRun, shown: Option<&ShownList<'_>>) -> Option<Box<dyn Traced + '_>> {
        let record = self.0.record(run, shown)?;
        let mut states: Vec<_> = (0..record.segments).map(|number| record.tree.node(0, number)).collect();
        let (mut end, mut output) = (record.end.clone(), record.output.clone());
        if let Some(wanted) = self
            .wanted(run)
            .filter(|wanted| *wanted != output && wanted.len() <= blob::CHUNK_BYTES)
        {
            // A state ends with its output: here 32 bytes for the hash of the only chunk, and a list with one more.
            let at = end.len().checked_sub(65)?;
            end.get_mut(at..)?
                .get_mut(..32)?
                .copy_from_slice(&blob::hash(&wanted).0);
            output = wanted;
            // Right at the beginning, made up from the middle on.
            let middle = states.len() / 2;
            states.iter_mut().skip(middle).for_each(|state| state.0[0] ^= 1);
            let mut hasher = blake3::Hasher::new();
            hasher.update(b"agora/machine/state/1").update(&end);
            *states.last_mut()? = H256(*hasher.finalize().as_bytes());
        }
        Some(Box::new(Lied {
            end: (end, output),
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
