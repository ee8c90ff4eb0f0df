//! One module per call or trait method, and what goes beyond one.

mod collect;
mod commit;
mod composition;
mod full_blocks;
mod games;
mod integrity;
mod moves;
mod programs;
mod random_calls;
mod reveal;
mod segment;
mod set_terms;
mod sharing;
mod standing;
mod suspension;
mod try_state;
mod views;
mod weight;
mod withdraw;
mod world;
