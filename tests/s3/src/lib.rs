//! Nothing: see `tests/bucket.rs`.
