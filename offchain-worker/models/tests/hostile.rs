//! Files of models that anybody may have made: they are refused or imported, and never a panic.

#[path = "../../../fuzz/src/float_model.rs"]
mod float_model;
#[path = "../../../fuzz/src/models.rs"]
mod models;
#[path = "../../../fuzz/src/running.rs"]
mod running;
#[path = "../../../fuzz/src/texts.rs"]
#[allow(dead_code, reason = "the words of scenes are for the fuzz targets")]
mod texts;
#[path = "../../../fuzz/src/transformers.rs"]
mod transformers;

use float_model::{MODELS, edited};
use proptest::prelude::*;

/// The numbers of files, with the edits of each.
fn edits() -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec(any::<[u8; 4]>(), 0..4);
    let file = (any::<u8>(), edits).prop_map(|(file, edits)| {
        let count = edits.len() as u8;
        [vec![file, count], edits.concat()].concat()
    });
    prop::collection::vec(file, 0..4).prop_map(|files| {
        let count = files.len() as u8;
        [vec![count], files.concat()].concat()
    })
}

proptest! {
    #![proptest_config(agora_test_support::cases(2000))]

    #[test]
    fn changed_models_are_refused_or_imported(
        number in 0..MODELS, edits in edits(), numbers in prop::collection::vec(any::<[u8; 4]>(), 0..3),
    ) {
        let models = float_model::models();
        let edited = edited(&models, &[vec![number], edits, numbers.concat()].concat());
        let package = models::check_import(&edited.files);
        prop_assert!(package.is_none() || !edited.is_infinite);
    }

    #[test]
    fn tensors_of_any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let models = float_model::models();
        let edited = edited(&models, &[vec![255], bytes].concat());
        prop_assert!(models::check_import(&edited.files).is_none());
    }
}

#[test]
fn all_models_are_imported_as_they_are_and_refused_with_a_number_that_is_not_finite() {
    let models = float_model::models();
    for number in 0..MODELS {
        let unchanged = edited(&models, &[number, 0]);
        assert!(models::check_import(&unchanged.files).is_some(), "{number}");
        assert!(!unchanged.is_infinite);
        let broken = edited(&models, &[number, 0, 77, 0, 0x80, 0x7f]);
        assert!(broken.is_infinite);
        assert!(models::check_import(&broken.files).is_none(), "{number}");
        let paths = models[usize::from(number)].paths();
        assert_eq!(paths.contains(&"modules.json"), number & 8 != 0);
        assert_eq!(paths.contains(&"model.safetensors"), number & 4 == 0);
    }
}
