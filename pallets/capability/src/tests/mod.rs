//! One module per call, and what goes beyond one.

mod attacks;
mod collusion;
mod commit_vote;
mod composition;
mod decision;
mod integrity;
mod respond;
mod reveal_vote;
mod rounds;
mod set_schedule;
mod settlement;
mod show_decoy;
mod try_state;
mod validity;
mod weight;
