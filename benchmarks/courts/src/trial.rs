//! Trials between players: each makes its moves as soon as it sees the state that they answer.

use crate::{
    Failure,
    market::{Market, Receipt},
};
use agora_arbiter::{Arbiter, Held, Liar};
use agora_disputes::{
    BranchPhase, Game, Move, RunMove, Segment, Side, Terms, Verdict,
    player::{Tracer as _, run_end},
};
use agora_jobs::H256;
use agora_machine::run_tree::node_hash;
use agora_runtime::{AccountId, Computation, Runtime, RuntimeCall};
use frame_support::weights::Weight;
use pallet_agora_computation::{Clocked, Trials};
use std::time::Instant;

type Court = pallet_agora_computation::Call<Runtime>;

/// How somebody plays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// By what the machine gives.
    Rightly,
    /// It makes up what the machine does not give.
    Lying,
    /// It adds a run that ends rightly, and that nobody can play.
    Hijacking,
}

/// Somebody who plays.
pub struct Party<'a> {
    /// Whose account.
    pub who: &'a str,
    /// On which side.
    pub side: Side,
    /// What it knows, or says that it knows.
    pub arbiter: &'a Arbiter<Held>,
    /// How it plays.
    pub how: How,
    /// How long it took to find its moves, in seconds.
    pub seconds: f64,
    /// How many of its moves were made.
    pub moves: u32,
}

impl<'a> Party<'a> {
    /// Somebody who plays by what is right.
    pub const fn honest(who: &'a str, side: Side, arbiter: &'a Arbiter<Held>) -> Self {
        Self {
            who,
            side,
            arbiter,
            how: How::Rightly,
            seconds: 0.0,
            moves: 0,
        }
    }

    /// Somebody who does not.
    pub const fn liar(who: &'a str, side: Side, arbiter: &'a Arbiter<Held>) -> Self {
        Self {
            how: How::Lying,
            ..Self::honest(who, side, arbiter)
        }
    }

    /// Somebody who adds, for a side that is right, a run that nobody can play.
    pub const fn hijacker(who: &'a str, side: Side, arbiter: &'a Arbiter<Held>) -> Self {
        Self {
            how: How::Hijacking,
            ..Self::honest(who, side, arbiter)
        }
    }

    fn moves(&mut self, game: &Game<AccountId>, terms: &Terms) -> Vec<Move> {
        let began = Instant::now();
        let moves = match self.how {
            How::Rightly => self.arbiter.moves(self.side, game, terms),
            How::Lying => Liar(self.arbiter).moves(self.side, game, terms),
            How::Hijacking => hijack(self.arbiter, game, terms).into_iter().collect(),
        };
        self.seconds += began.elapsed().as_secs_f64();
        moves
    }
}

/// A segment that was executed.
pub struct Executed {
    /// What the chain was given.
    pub segment: Segment,
    /// Seconds that it took in Wasm, each time that it was tried.
    pub in_wasm: Vec<f64>,
    /// What it weighed.
    pub weight: Weight,
}

/// What a trial came to.
#[derive(Default)]
pub struct Played {
    /// Blocks from the first move to the last.
    pub blocks: u32,
    /// The most that there may be.
    pub bound: u64,
    /// Bytes of all calls.
    pub bytes: usize,
    /// What all transactions weighed, with what every transaction does.
    pub weight: Weight,
    /// The segments that were executed.
    pub executed: Vec<Executed>,
    /// How each trial ended.
    pub verdicts: Vec<Verdict>,
}

impl Played {
    /// Adds transactions that succeeded.
    pub fn count(&mut self, receipts: &[Receipt]) {
        for receipt in receipts.iter().filter(|receipt| receipt.result.is_ok()) {
            self.bytes += receipt.bytes;
            self.weight = self.weight.saturating_add(receipt.weight);
        }
    }
}

/// Where a trial is. `None`: it was collected.
pub fn view(market: &mut Market, trial: u64) -> Option<(Game<AccountId>, Terms)> {
    market.chain.ext.execute_with(|| {
        let terms = Trials::<Runtime>::get(trial)?.terms;
        Some((Computation::game(trial)?, terms))
    })
}

/// Plays trials to their ends. `look` sees each segment's transaction before it is made, and says how long it takes.
///
/// Errors: those of `look`.
pub fn play(
    market: &mut Market,
    trials: &[u64],
    parties: &mut [Party<'_>],
    mut look: impl FnMut(&mut Market, &agora_runtime::UncheckedExtrinsic) -> Result<Vec<f64>, Failure>,
) -> Result<Played, Failure> {
    let began = market.now();
    let mut played = Played::default();
    let mut open = trials.to_vec();
    while !open.is_empty() {
        let mut made = Vec::new();
        for &trial in &open {
            let (game, terms) = view(market, trial).ok_or("a trial is gone before it is over")?;
            played.bound = terms.bound();
            for (number, party) in parties.iter_mut().enumerate() {
                // Whoever accuses plays its own accusation.
                if party.side == Side::Accuser && crate::chain::account(party.who) != game.accuser {
                    continue;
                }
                for one in party.moves(&game, &terms) {
                    made.extend(
                        Court::of_move(trial, &game, one).map(|call| (number, party.who.to_owned(), call.into())),
                    );
                }
            }
            let by = parties.first().ok_or("nobody plays")?.who;
            let late = game.late(market.next_time()).into_iter();
            let ends = late.filter_map(|late| Clocked::of(&game, late));
            made.extend(ends.map(|what| (0, by.to_owned(), Court::advance { trial, what }.into())));
        }
        let mut segments = Vec::new();
        for (_, who, call) in &made {
            if let RuntimeCall::Computation(Court::execute { segment, .. }) = call {
                let extrinsic = market.signed(who, call.clone());
                let in_wasm = look(market, &extrinsic)?;
                segments.push((segment.clone(), in_wasm));
            }
        }
        let calls: Vec<_> = made.iter().map(|(_, who, call)| (who.clone(), call.clone())).collect();
        let receipts = market.block(calls);
        let mut segments = segments.into_iter();
        for ((number, _, call), receipt) in made.iter().zip(&receipts) {
            let is_segment = matches!(call, RuntimeCall::Computation(Court::execute { .. }));
            let segment = is_segment.then(|| segments.next()).flatten();
            if receipt.result.is_err() {
                continue;
            }
            if let Some(party) = parties.get_mut(*number) {
                party.moves += 1;
            }
            if let Some((segment, in_wasm)) = segment {
                played.executed.push(Executed {
                    segment: *segment,
                    in_wasm,
                    weight: receipt.weight,
                });
            }
        }
        played.count(&receipts);
        let mut over = Vec::new();
        for &trial in &open {
            let (game, _) = view(market, trial).ok_or("a trial is gone before it is over")?;
            if let Some(verdict) = game.verdict() {
                played.verdicts.push(verdict);
                over.push(trial);
            }
        }
        let is_decided = played
            .verdicts
            .iter()
            .any(|verdict| matches!(verdict, Verdict::Falls(_)));
        open.retain(|trial| !over.contains(trial) && !is_decided);
    }
    played.blocks = market.now() - began;
    Ok(played)
}

/// A run that ends as the right one does, of whose beginning nothing can be shown. `None`: it was added, or runs cannot be yet.
fn hijack(arbiter: &Arbiter<Held>, game: &Game<AccountId>, terms: &Terms) -> Option<Move> {
    let rules = arbiter.rules(terms);
    for (at, (branch, runs)) in game.branches.iter().enumerate() {
        let BranchPhase::Runs(bench) = &branch.phase else {
            continue;
        };
        let run = branch.execution(&rules).ok()?;
        let traced = arbiter.trace(&run, None)?;
        let mut end = run_end(traced.as_ref(), &bench.point)?;
        let top = end.path.first_mut()?;
        *top.first_mut()? = H256::repeat_byte(9);
        let root = node_hash(top);
        if runs.runs.iter().all(|run| run.root != root) {
            return Some(Move::Run(at, Box::new(RunMove::Add(root, end))));
        }
    }
    None
}
