//! The README's runtime: with the mountain range.

use agora_pallet_dev::{assert_shows, state};
use agora_primitives::{
    TaskId,
    job::Claim,
    results::{ProofError, ResultLeaf, ResultSink as _},
};
use composed::{Results, Runtime, RuntimeGenesisConfig, compute_root, result_proof};
use frame_support::assert_ok;
use sp_core::H256;

// As in another crate.
use crate as pallet_agora_results;

mod composed {
    use super::pallet_agora_results;
    // README: begin
    use agora_primitives::{
        TaskId,
        results::{ProofError, ResultProof},
    };
    use frame_support::{derive_impl, parameter_types};
    use sp_core::H256;
    use sp_runtime::traits::BlakeTwo256;

    #[frame_support::runtime]
    mod runtime {
        #[runtime::runtime]
        #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
        pub struct Runtime;

        #[runtime::pallet_index(0)]
        pub type System = frame_system::Pallet<Runtime>;
        #[runtime::pallet_index(1)]
        pub type Mmr = pallet_mmr::Pallet<Runtime>;
        #[runtime::pallet_index(2)]
        pub type Results = pallet_agora_results::Pallet<Runtime>;
    }

    parameter_types! {
        pub const BlockHashCount: u64 = 4096;
        pub const MaxResultsPerBlock: u32 = 256;
        pub const Retention: u64 = 2400;
    }

    #[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
    impl frame_system::Config for Runtime {
        type Block = frame_system::mocking::MockBlock<Runtime>;
        type BlockHashCount = BlockHashCount;
    }

    impl pallet_mmr::Config for Runtime {
        const INDEXING_PREFIX: &'static [u8] = sp_mmr_primitives::INDEXING_PREFIX;
        type Hashing = BlakeTwo256;
        type LeafData = Results;
        type OnNewRoot = Results;
        type BlockHashProvider = pallet_agora_results::BlockHashes<Runtime>;
        type WeightInfo = ();
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper = ();
    }

    impl pallet_agora_results::Config for Runtime {
        type MaxResultsPerBlock = MaxResultsPerBlock;
        type Retention = Retention;
        type WeightInfo = pallet_agora_results::weights::SubstrateWeight<Runtime>;
    }

    // The runtime API `ResultsApi` hands over to these two:
    pub fn result_proof(task: TaskId, best_known_block: Option<u64>) -> Result<ResultProof<u64>, ProofError> {
        Results::result_proof(task, best_known_block)
    }
    pub fn compute_root() -> H256 {
        Results::compute_root()
    }
    // README: end
}

#[test]
fn a_composed_runtime_takes_results() {
    state::<Runtime>(RuntimeGenesisConfig::default()).execute_with(|| {
        assert_ne!(compute_root(), H256::zero());
        assert_ok!(Results::append(ResultLeaf {
            task: TaskId(1),
            job: H256::zero(),
            claim: Claim::Unusable,
            winner: 1,
        }));
        assert_eq!(result_proof(TaskId(1), None), Err(ProofError::TooRecent));
        assert_ok!(Results::do_try_state());
    });
}

#[test]
fn the_readme_shows_this_runtime() {
    assert_shows(include_str!("../../README.md"), include_str!("composition.rs"));
}
