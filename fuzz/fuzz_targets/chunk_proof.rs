//! Content, and changes to the proof of one of its chunks: the hash is that of a second implementation, the true proof is
//! believed, and a changed proof, hash or length only where the content says the same.
//!
//! The input: length of the content (two bytes, so much of it is taken that a second can try thousands), number of the
//! chunk, length of the script of [`agora_fuzz::edits`], the script, bytes that the content repeats.

#![no_main]

use agora_fuzz::{chunks, edits};
use libfuzzer_sys::fuzz_target;

const MAX_CONTENT: usize = 8_000;

fuzz_target!(|bytes: &[u8]| {
    let [low, high, index, script, rest @ ..] = bytes else {
        return;
    };
    let length = usize::from(u16::from_le_bytes([*low, *high])) % MAX_CONTENT;
    let (script, pattern) = rest.split_at(usize::from(*script).min(rest.len()));
    let content: Vec<u8> = pattern.iter().chain(&[0]).copied().cycle().take(length).collect();
    let edit = |shown| edits::apply(shown, script);
    chunks::check_chunk(&content, (*index).into(), edit);
});
