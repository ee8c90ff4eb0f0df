//! The networks that jobs apply or train, in integers, on the processor and on graphics devices.
//!
//! This module knows kernels, but no jobs.

pub mod classifier;
pub mod transformer;
