//! Programs: examples, and bytes that are none.

use super::Contents;
use agora_compute::{BlobRef, JobKind, ProgramJob};
use agora_primitives::job::{Claim, Mode, ProgramInputs};
use proptest::prelude::*;

const PI: &[u8] = include_bytes!("../../../../guests/images/pi.bin");
const LIFE: &[u8] = include_bytes!("../../../../guests/images/life.bin");

fn images() -> impl Strategy<Value = Vec<u8>> {
    // A word that may be executed is likelier to be followed by another one.
    let word = prop_oneof![Just(0x0015_0513u32), Just(0x0005_3023), Just(0x0000_0073), any::<u32>()];
    let words = prop::collection::vec(word, 1..40);
    prop_oneof![
        words.prop_map(|words| words.into_iter().flat_map(u32::to_le_bytes).collect()),
        prop::collection::vec(any::<u8>(), 1..100),
        Just(PI.to_vec()),
        Just(LIFE.to_vec()),
    ]
}

proptest! {
    #![proptest_config(agora_test_support::cases(24))]

    #[test]
    fn runs_are_those_of_the_reference(
        image in images(), is_fold: bool, items in 1u32..4, gas in prop_oneof![1u64..3000, 100_000u64..1_000_000],
        records in 1u32..3, points in 0u32..40,
    ) {
        let mut contents = Contents::default();
        let (numbers, board) = (format!("{points} {points}"), "##.\n.#.\n...\n".to_owned());
        let inputs = if image == LIFE { [board, points.to_string()] } else { [numbers, board] };
        let inputs: Vec<BlobRef> = inputs.into_iter().map(|input| contents.insert(input.into_bytes())).collect();
        let job = ProgramJob {
            image: contents.insert(image),
            inputs: ProgramInputs::try_from(inputs).unwrap(),
            mode: if is_fold { Mode::Fold } else { Mode::Map },
            items,
            gas,
            record_bytes: 1024 * records,
        };
        let outcome = contents.compute(JobKind::Program(job)).unwrap();
        prop_assert!(outcome.claim != Claim::Unusable);
        prop_assert_eq!(outcome.states.len(), if is_fold { items as usize - 1 } else { 0 });
    }
}
