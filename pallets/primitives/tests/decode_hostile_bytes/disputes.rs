//! Disputes about traces: whoever opens its own trace never loses, whatever bytes the other sends.

use crate::{mutation::hostile, rounds};
use agora_math::trace::open;
use codec::Encode;
use proptest::{collection::vec, prelude::*};

#[path = "../../../../fuzz/src/disputes.rs"]
mod properties;

#[test]
fn whoever_opens_its_own_trace_never_loses() {
    let strategy = (vec(0u8..4, 0..40), any::<bool>(), any::<bool>()).prop_flat_map(|(states, lies, first)| {
        let dispute = properties::dispute(&states, lies, first);
        let answers: Vec<_> = (0..states.len())
            .map(|state| {
                let own = open(&properties::CHEAT, &dispute.cheat, state as u32).expect("the state exists");
                prop_oneof![4 => Just(own.encode()), 1 => hostile(Just(own.encode()))]
            })
            .collect();
        (Just(dispute), answers)
    });
    rounds::run(file!(), strategy, |(dispute, answers)| {
        properties::play(&dispute, |own| answers[own.index as usize].clone());
        Ok(())
    });
}
