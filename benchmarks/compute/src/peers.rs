//! Other libraries that do the same work.

pub mod burn;
pub mod gemm;
