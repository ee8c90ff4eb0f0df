use crate::{Error, Event, Presets, Split, mock::*};
use agora_primitives::money::RewardPlanner as _;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, Permill};

#[test]
fn makes_a_preset() {
    ExtBuilder::default().build_and_execute(|| {
        let split = split([100_000, 500_000, 200_000, 100_000, 100_000], 900_000);
        assert_eq!(Rewards::split(9), None);
        assert_ok!(Rewards::set_preset(RuntimeOrigin::root(), 9, split));

        assert_eq!(Presets::<Test>::get(9), Some(split));
        assert_eq!(Rewards::split(9), Some(split));
        System::assert_last_event(Event::PresetSet { id: 9, split }.into());
    });
}

#[test]
fn changes_a_preset_even_where_there_is_no_room_for_another() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Rewards::set_preset(RuntimeOrigin::root(), 2, Split::PEERS));
        assert_ok!(Rewards::set_preset(RuntimeOrigin::root(), BURN, Split::PEERS));
        assert_eq!(Presets::<Test>::get(BURN), Some(Split::PEERS));
    });
}

#[test]
fn fails_without_authority() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Rewards::set_preset(RuntimeOrigin::signed(1), 2, Split::BURN),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn fails_if_the_parts_are_not_whole() {
    ExtBuilder::default().build_and_execute(|| {
        for worker in [249_999, 250_001] {
            let split = Split {
                worker: Permill::from_parts(worker),
                ..Split::BURN
            };
            assert_noop!(
                Rewards::set_preset(RuntimeOrigin::root(), 2, split),
                Error::<Test>::SplitNotWhole
            );
        }
    });
}

#[test]
fn fails_if_another_answer_could_get_more_than_the_best() {
    ExtBuilder::default().build_and_execute(|| {
        let split = |parts| Split {
            best_share: Permill::from_parts(parts),
            ..Split::BURN
        };
        assert_noop!(
            Rewards::set_preset(RuntimeOrigin::root(), 2, split(499_999)),
            Error::<Test>::BestShareTooSmall
        );
        assert_ok!(Rewards::set_preset(RuntimeOrigin::root(), 2, split(500_000)));
    });
}

#[test]
fn fails_above_the_most_presets() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Rewards::set_preset(RuntimeOrigin::root(), 2, Split::BURN));
        assert_noop!(
            Rewards::set_preset(RuntimeOrigin::root(), 3, Split::BURN),
            Error::<Test>::TooManyPresets
        );
        assert_ok!(Rewards::remove_preset(RuntimeOrigin::root(), 2));
        assert_ok!(Rewards::set_preset(RuntimeOrigin::root(), 3, Split::BURN));
    });
}
