//! From the game to calls of the chain: moves, what time has ended, and what is settled.

use agora_chain::{
    AccountId, H256,
    calls::{Clocked, Part},
};
use agora_disputes::{Game, Late, Move, RunMove, Time};
use codec::Encode;

/// A move as the chain takes it: parts are named by their hashes.
#[derive(Clone, Debug)]
pub(super) enum Made {
    Show(agora_disputes::Shown),
    Name(u32),
    Defend(agora_disputes::Defence),
    List(H256, agora_disputes::BranchMove),
    Run(H256, H256, agora_disputes::RunEnd),
    Challenge(H256, H256, H256),
    Open(
        H256,
        (H256, H256),
        agora_disputes::Player,
        Box<agora_disputes::Children>,
    ),
    Execute(H256, (H256, H256), agora_disputes::Segment),
}

impl std::fmt::Display for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Show(_) => f.write_str("show what is below a node"),
            Self::Name(child) => write!(f, "name child {child}"),
            Self::Defend(_) => f.write_str("defend the claim"),
            Self::List(_, made) if made.is_accusers() => f.write_str("say what is wrong of a list"),
            Self::List(..) => f.write_str("show what is in a list"),
            Self::Run(_, root, _) => write!(f, "add run {root:?}"),
            Self::Challenge(..) => f.write_str("begin a match between two runs"),
            Self::Open(..) => f.write_str("open a node of a run"),
            Self::Execute(..) => f.write_str("have a segment executed"),
        }
    }
}

impl Made {
    /// Whether a bond is held for it.
    pub const fn has_bond(&self) -> bool {
        matches!(self, Self::Defend(_) | Self::Run(..))
    }

    /// `None`: the move is about a part that is not there, or ends what time has ended.
    pub fn of(game: &Game<AccountId>, made: Move) -> Option<Self> {
        let key = |branch: usize| game.key(branch).map(|key| H256(key.0));
        let root = |branch: usize, run: usize| game.root(branch, run).map(|root| H256(root.0));
        Some(match made {
            Move::Show(shown) => Self::Show(shown),
            Move::Name(child) => Self::Name(child),
            Move::Defend(defence) => Self::Defend(defence),
            Move::Branch(at, made) => Self::List(key(at)?, made),
            Move::Run(at, made) => match *made {
                RunMove::Add(root, end) => Self::Run(key(at)?, H256(root.0), end),
                RunMove::Challenge(one, other) => Self::Challenge(key(at)?, root(at, one)?, root(at, other)?),
                RunMove::Open(number, player, children) => {
                    Self::Open(key(at)?, roots(game, at, number)?, player, children)
                }
                RunMove::Execute(number, segment) => Self::Execute(key(at)?, roots(game, at, number)?, segment),
            },
            Move::Advance => return None,
        })
    }
}

/// The roots of the two runs of a match, as the chain has them.
fn roots(game: &Game<AccountId>, branch: usize, number: usize) -> Option<(H256, H256)> {
    let (one, other) = game.roots(branch, number)?;
    Some((H256(one.0), H256(other.0)))
}

/// What time will have ended at `time`.
pub(super) fn ended(of: &Game<AccountId>, time: Time) -> Vec<Clocked> {
    let key = |branch: usize| of.key(branch).map(|key| H256(key.0));
    let clocked = |late: Late| {
        Some(match late {
            Late::Match(branch, number) => {
                let (one, other) = roots(of, branch, number)?;
                Clocked::Match(key(branch)?, one, other)
            }
            Late::Branch(branch) => Clocked::Defence(key(branch)?),
            Late::Dispute => Clocked::Trial,
        })
    };
    of.late(time).into_iter().filter_map(clocked).collect()
}

/// The parts of a trial that are settled before its accusation.
pub(super) fn parts(game: &Game<AccountId>) -> Vec<Part> {
    let mut all = Vec::new();
    for (at, (branch, runs)) in game.branches.iter().enumerate() {
        let key = H256(branch.defence.id().0);
        let matches = (0..runs.matches.len()).filter_map(|number| roots(game, at, number));
        all.extend(matches.map(|(one, other)| Part::Match(key, one, other)));
        all.extend(runs.runs.iter().map(|run| Part::Run(key, H256(run.root.0))));
        all.push(Part::Defence(key));
    }
    all
}

/// Where a game is: the same until somebody moves.
pub(super) fn position(game: &Game<AccountId>) -> Vec<u8> {
    let parts = game.branches.iter();
    let parts: Vec<_> = parts
        .map(|(branch, runs)| {
            let matches: Vec<_> = runs.matches.iter().map(|(_, game)| game.encode()).collect();
            (branch.encode(), runs.runs.encode(), matches)
        })
        .collect();
    (game.dispute.encode(), parts).encode()
}
