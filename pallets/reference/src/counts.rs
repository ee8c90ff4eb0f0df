//! Arithmetic of counts. It saturates: no count that is within its bound overflows, and one that is not stays above it.

use agora_jobs::blob::CHUNK_BYTES;

/// The product of counts.
pub fn product<const N: usize>(counts: [u64; N]) -> u64 {
    counts.into_iter().fold(1, u64::saturating_mul)
}

/// The sum of counts.
pub fn sum<const N: usize>(counts: [u64; N]) -> u64 {
    counts.into_iter().fold(0, u64::saturating_add)
}

/// Chunks that `bytes` neighbouring bytes touch at most.
pub fn touched(bytes: u64) -> u64 {
    bytes.div_ceil(CHUNK_BYTES as u64).saturating_add(1)
}
