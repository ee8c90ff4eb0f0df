//! What anybody can send, decoded and checked: mutations of valid encodings, and bytes of no sense at all.
//!
//! Runs for five seconds, or as many as the environment variable `AGORA_FUZZ_SECONDS` says. A failure prints the smallest
//! input that proptest could find, which is then kept beside this file and tried first the next time.

mod chunks;
mod jobs;
mod mutation;
mod proofs;
mod rounds;
