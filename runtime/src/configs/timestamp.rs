//! Wall-clock time, for BABE's slots. Nothing in the market reads it: there, time is block numbers.

use crate::{Babe, Runtime, block_time};

impl pallet_timestamp::Config for Runtime {
    type MinimumPeriod = block_time::MinimumPeriod<Runtime>;
    type Moment = u64;
    type OnTimestampSet = Babe;
    type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}
