use crate::{Presets, Split, mock::*};
use frame_support::assert_err;
use sp_runtime::Permill;

#[test]
fn finds_a_preset_that_is_not_whole() {
    ExtBuilder::default().build().execute_with(|| {
        Presets::<Test>::insert(
            BURN,
            Split {
                burn: Permill::zero(),
                ..Split::BURN
            },
        );
        assert_err!(Rewards::do_try_state(), "a reward preset is not valid");
    });
}

#[test]
fn finds_too_many_presets() {
    ExtBuilder::default().build().execute_with(|| {
        (0..=MAX_PRESETS as u8).for_each(|id| Presets::<Test>::insert(id, Split::BURN));
        assert_err!(Rewards::do_try_state(), "there are too many reward presets");
    });
}

#[test]
fn finds_a_wrong_count() {
    ExtBuilder::default().build().execute_with(|| {
        frame_support::storage::unhashed::kill(&Presets::<Test>::hashed_key_for(BURN));
        assert_err!(Rewards::do_try_state(), "reward presets and their count differ");
    });
}
