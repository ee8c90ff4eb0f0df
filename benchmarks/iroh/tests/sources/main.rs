//! What a source of blobs must do, tried with each: our HTTP, `iroh-blobs`, and our HTTP over iroh.
//!
//! The tests are those of `offchain-worker/blobs/tests/http` that say something about a source, whatever is on the wire. Where
//! `iroh-blobs` does something else, `differs` says what it does, so that a version that does better fails there.

mod differs;
mod kits;
mod limits;
mod same;
mod support;
