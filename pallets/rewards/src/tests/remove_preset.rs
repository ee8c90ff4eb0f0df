use crate::{Error, Event, Presets, Split, mock::*};
use agora_primitives::money::RewardPlanner as _;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn removes_a_preset() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Rewards::remove_preset(RuntimeOrigin::root(), PEERS));

        assert_eq!(Rewards::split(PEERS), None);
        assert_eq!(Rewards::split(BURN), Some(Split::BURN));
        assert_eq!(Presets::<Test>::count(), 1);
        System::assert_last_event(Event::PresetRemoved { id: PEERS }.into());
    });
}

#[test]
fn fails_without_authority() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Rewards::remove_preset(RuntimeOrigin::signed(1), PEERS),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn fails_if_there_is_none() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Rewards::remove_preset(RuntimeOrigin::root(), 2),
            Error::<Test>::UnknownPreset
        );
    });
}

#[test]
fn fails_while_something_refers_to_it() {
    ExtBuilder::default().build_and_execute(|| {
        Used::set(Some(PEERS));
        assert_noop!(
            Rewards::remove_preset(RuntimeOrigin::root(), PEERS),
            Error::<Test>::PresetInUse
        );
        assert_ok!(Rewards::remove_preset(RuntimeOrigin::root(), BURN));
    });
}
