//! One module per call or trait method, and what goes beyond one.

mod composition;
mod forget;
mod genesis;
mod integrity;
mod record;
mod try_state;
mod weight;
