//! One module per call, and what goes beyond one.

mod composition;
mod decision;
mod integrity;
mod respond;
mod rounds;
mod set_schedule;
mod try_state;
mod validity;
mod vote;
mod weight;
