//! One module per call or trait method, and what goes beyond one.

mod collect;
mod commit;
mod composition;
mod full_blocks;
mod games;
mod integrity;
mod moves;
mod random_calls;
mod reveal;
mod segment;
mod set_terms;
mod standing;
mod try_state;
mod views;
mod weight;
mod withdraw;
mod world;
