//! Content, and changes to the proof of one of its chunks: the roots are those of a second implementation, the true
//! proof is believed, and a changed proof or length is not.
//!
//! The input: size of the chunks, number of the chunk, length of the script of [`agora_fuzz::edits`] (a byte each), the
//! script, the content, of which so much is taken that a second can try thousands.

#![no_main]

use agora_fuzz::{edits, proofs};
use libfuzzer_sys::fuzz_target;

const MAX_CONTENT: usize = 300;

fuzz_target!(|bytes: &[u8]| {
    let [chunk_size, index, script, rest @ ..] = bytes else {
        return;
    };
    let (script, content) = rest.split_at(usize::from(*script).min(rest.len()));
    let content = &content[..content.len().min(MAX_CONTENT)];
    let edit = |claim| edits::apply(claim, script);
    proofs::check_chunk(content, (*chunk_size).into(), (*index).into(), edit);
});
