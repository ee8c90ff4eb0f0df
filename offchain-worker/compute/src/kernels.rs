//! Exact integer products, on the processor ([`cpu`]) and on graphics devices ([`gpu`]), and the shader snippets that
//! every kernel shares.
//!
//! This module knows devices, but neither networks nor jobs.

pub mod cpu;
pub(crate) mod gpu;

/// Numbers of 64 bits from 32-bit words, in WGSL: the one place for wide arithmetic.
pub(crate) const WIDE_WGSL: &str = include_str!("kernels/wgsl/wide.wgsl");

/// The generator of random words, in WGSL; needs [`WIDE_WGSL`].
pub(crate) const PHILOX_WGSL: &str = include_str!("kernels/wgsl/philox.wgsl");
