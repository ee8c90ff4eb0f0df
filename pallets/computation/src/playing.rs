//! From a game that is followed off the chain to the calls that play it: the chain knows the parts of a trial by their hashes.

use crate::{Call, Clocked, Config};
use agora_disputes::{Game, Late, Move, RunMove};
use alloc::boxed::Box;

impl<T: Config> Call<T> {
    /// The call that makes a move in `trial`, which stands as `game` says. `None`: the move is about a part that is not there, or ends
    /// what time has ended, which [`Call::advance`] does part by part.
    pub fn of_move(trial: u64, game: &Game<T::AccountId>, made: Move) -> Option<Self> {
        Some(match made {
            Move::Show(shown) => Self::show { trial, shown },
            Move::Name(child) => Self::name_child { trial, child },
            Move::Defend(defence) => Self::defend { trial, defence },
            Move::Branch(at, made) => Self::dispute_list {
                trial,
                defence: game.key(at)?,
                made,
            },
            Move::Run(at, made) => {
                let defence = game.key(at)?;
                match *made {
                    RunMove::Add(root, end) => Self::add_run {
                        trial,
                        defence,
                        root,
                        end: Box::new(end),
                    },
                    RunMove::Challenge(one, other) => Self::challenge {
                        trial,
                        defence,
                        one: game.root(at, one)?,
                        other: game.root(at, other)?,
                    },
                    RunMove::Open(number, player, children) => {
                        let (one, other) = game.roots(at, number)?;
                        Self::open_node {
                            trial,
                            defence,
                            one,
                            other,
                            player,
                            children,
                        }
                    }
                    RunMove::Execute(number, segment) => {
                        let (one, other) = game.roots(at, number)?;
                        Self::execute {
                            trial,
                            defence,
                            one,
                            other,
                            segment: Box::new(segment),
                        }
                    }
                }
            }
            Move::Advance => return None,
        })
    }
}

impl Clocked {
    /// What [`Call::advance`] is to end. `None`: there is no such part.
    pub fn of<A: Clone + Ord>(game: &Game<A>, late: Late) -> Option<Self> {
        Some(match late {
            Late::Match(branch, number) => {
                let (one, other) = game.roots(branch, number)?;
                Self::Match(game.key(branch)?, one, other)
            }
            Late::Branch(branch) => Self::Defence(game.key(branch)?),
            Late::Dispute => Self::Trial,
        })
    }
}
