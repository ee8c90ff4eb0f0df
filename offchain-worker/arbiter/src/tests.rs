mod games;
#[cfg(feature = "fault-injection")]
mod lies;
mod lists;
mod programs;
mod runs;
mod world;
