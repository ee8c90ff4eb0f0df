//! What others have for the same work.

pub mod burn;
pub mod gemm;
