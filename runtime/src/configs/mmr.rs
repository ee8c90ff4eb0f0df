//! The mountain range over all blocks' result trees, whose root is in each header.

use crate::{Results, Runtime};
use sp_runtime::traits::BlakeTwo256;

impl pallet_mmr::Config for Runtime {
    const INDEXING_PREFIX: &'static [u8] = sp_mmr_primitives::INDEXING_PREFIX;

    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = ();
    /// Knows the hash of every block, so that results can be proven for ever.
    type BlockHashProvider = pallet_agora_results::BlockHashes<Runtime>;
    type Hashing = BlakeTwo256;
    /// What the parent block settled.
    type LeafData = Results;
    /// Puts the root into the header.
    type OnNewRoot = Results;
    type WeightInfo = ();
}
