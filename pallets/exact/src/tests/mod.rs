//! One module per call or trait method, and what goes beyond one. Nothing that is computed is a double.

mod admits;
mod composition;
mod integrity;
mod jobs;
mod kinds;
mod reveal;
mod weight;
