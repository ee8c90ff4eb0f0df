//! A transformer on a graphics device: the same bits as on the processor.

mod operators;
mod shaders;

pub(crate) use operators::{Operators, needs, row_bytes};
