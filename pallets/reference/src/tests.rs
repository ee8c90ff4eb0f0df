//! What holds for every kind; then kind by kind.

mod hostile;
mod inference;
mod limits;
mod machine;
mod matmul;
#[cfg(feature = "machine")]
mod program;
pub mod rendering;
mod run;
mod synthetic;
mod total_work;
mod training;
mod world;
