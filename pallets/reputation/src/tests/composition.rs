//! The README's runtime: with nothing else.

use agora_pallet_dev::{assert_shows, state};
use agora_primitives::{
    participants::Specialisation,
    reputation::{Level, Outcome, Reputation as _, Side},
};
use composed::{Reputation, Runtime, RuntimeGenesisConfig};
use frame_support::assert_ok;

// As in another crate.
use crate as pallet_agora_reputation;

mod composed {
    use super::pallet_agora_reputation;
    // README: begin
    use frame_support::{derive_impl, parameter_types};
    use sp_runtime::Perbill;

    #[frame_support::runtime]
    mod runtime {
        #[runtime::runtime]
        #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
        pub struct Runtime;

        #[runtime::pallet_index(0)]
        pub type System = frame_system::Pallet<Runtime>;
        #[runtime::pallet_index(1)]
        pub type Reputation = pallet_agora_reputation::Pallet<Runtime>;
    }

    #[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
    impl frame_system::Config for Runtime {
        type Block = frame_system::mocking::MockBlock<Runtime>;
    }

    parameter_types! {
        pub const Decay: Perbill = Perbill::from_percent(98);
        pub const HalfLife: u64 = 864_000;
        pub const MinimumTasks: u32 = 10;
    }

    impl pallet_agora_reputation::Config for Runtime {
        type Decay = Decay;
        type HalfLife = HalfLife;
        type MinimumTasks = MinimumTasks;
        type OnLevelChanged = ();
        type WeightInfo = pallet_agora_reputation::weights::SubstrateWeight<Runtime>;
    }
    // README: end
}

#[test]
fn a_composed_runtime_remembers() {
    state::<Runtime>(RuntimeGenesisConfig::default()).execute_with(|| {
        let side = Side::Worker(Specialisation::Synthetic);
        for _ in 0..10 {
            Reputation::record(&1, side, Outcome::Right { confirmed: true });
        }
        assert_eq!(Reputation::level(&1, side), Level::Master);
        assert_ok!(Reputation::do_try_state());
    });
}

#[test]
fn the_readme_shows_this_runtime() {
    assert_shows(include_str!("../../README.md"), include_str!("composition.rs"));
}
