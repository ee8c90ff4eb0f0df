//! The README's runtime: with nothing else.

use agora_pallet_dev::{assert_shows, state};
use agora_primitives::{TaskId, job::Claim};
use composed::{Exact, Runtime, RuntimeGenesisConfig, RuntimeOrigin};
use frame_support::assert_noop;
use sp_runtime::DispatchError;

// As in another crate.
use crate as pallet_agora_exact;

mod composed {
    use super::pallet_agora_exact;
    // README: begin
    use frame_support::{
        derive_impl,
        traits::{ConstU32, ConstU64},
    };

    #[frame_support::runtime]
    mod runtime {
        #[runtime::runtime]
        #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
        pub struct Runtime;

        #[runtime::pallet_index(0)]
        pub type System = frame_system::Pallet<Runtime>;
        #[runtime::pallet_index(1)]
        pub type Exact = pallet_agora_exact::Pallet<Runtime>;
    }

    #[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
    impl frame_system::Config for Runtime {
        type Block = frame_system::mocking::MockBlock<Runtime>;
    }

    impl pallet_agora_exact::Config for Runtime {
        // With the pallet that keeps them: `Tasks`, whose `Config::Exact` is this pallet.
        type Tasks = ();
        type MaxWork = ConstU64<{ 1 << 24 }>;
        type MaxEvidence = ConstU32<{ 256 * 1024 }>;
        type WeightInfo = pallet_agora_exact::weights::SubstrateWeight<Runtime>;
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper = ();
    }
    // README: end
}

#[test]
fn a_composed_runtime_reveals_nothing_without_tasks() {
    state::<Runtime>(RuntimeGenesisConfig::default()).execute_with(|| {
        let origin = RuntimeOrigin::signed([1; 32].into());
        let call = Exact::reveal(origin, TaskId(0), Claim::Unusable, [0; 32], Default::default());
        assert_noop!(call.map_err(|refused| refused.error), DispatchError::Unavailable);
    });
}

#[test]
fn the_readme_shows_this_runtime() {
    assert_shows(include_str!("../../README.md"), include_str!("composition.rs"));
}
