//! Bytes as texts, one a line: refused, or lines that are read again from each encoding.

#![no_main]

use agora_fuzz::{lines, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::plant(seeds::text_files), |bytes: &[u8]| {
    lines::check_text(bytes);
});
