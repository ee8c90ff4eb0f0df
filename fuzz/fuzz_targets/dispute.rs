//! Two parties dispute a trace, and one of them may send anything: the other never loses. They differ in the step that
//! is found, and agree about the step before.
//!
//! The input: number of states (up to 63) and two flags (the cheat is first; it has revealed another result than its trace
//! ends with), length of the script of [`agora_fuzz::edits`], the script, a byte for each state of the cheat.

#![no_main]

use agora_fuzz::{disputes, edits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let [header, script, rest @ ..] = bytes else {
        return;
    };
    let (script, states) = rest.split_at(usize::from(*script).min(rest.len()));
    let states = &states[..states.len().min(usize::from(*header) % 64)];
    let dispute = disputes::dispute(states, header & 64 != 0, header & 128 != 0);
    // The script's edits are spread over the rounds.
    let mut edits = script.chunks(8);
    disputes::play(&dispute, |opening| {
        edits::apply(opening, edits.next().unwrap_or_default())
    });
});
