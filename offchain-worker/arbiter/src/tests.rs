mod games;
#[cfg(feature = "fault-injection")]
mod lies;
mod lists;
pub mod programs;
mod runs;
pub mod world;
