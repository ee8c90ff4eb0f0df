//! Changes to the proof of a settled result: the true proof is believed, and a changed one is not.
//!
//! The first byte chooses the result, the others are the script of [`agora_fuzz::edits`].

#![no_main]

use agora_fuzz::{
    edits,
    proofs::{self, Inclusion},
};
use agora_math::merkle::Hash;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// Every result of chains of these numbers of blocks and results in each.
static TRUTHS: LazyLock<Vec<(Hash, Inclusion)>> = LazyLock::new(|| {
    let chains = [(1, 1), (2, 3), (3, 2), (7, 5), (11, 8), (19, 1)];
    let results = chains.into_iter().flat_map(|(blocks, results)| {
        (0..blocks * results).map(move |number| proofs::truth(blocks, results, number / results, number % results))
    });
    results.collect()
});

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, script)) = bytes.split_first() else {
        return;
    };
    let (root, truth) = &TRUTHS[usize::from(*choice) % TRUTHS.len()];
    proofs::check_inclusion(root, truth, &edits::apply(truth.clone(), script));
});
