//! A runtime of System and this pallet.

use crate as pallet_agora_rewards;
use crate::{Split, default_presets};
use agora_primitives::money::{Payroll, PresetId};
use frame_support::{derive_impl, parameter_types, traits::Contains};
use sp_runtime::Permill;

pub use agora_pallet_dev::{AccountId, Balance};

pub const MAX_PRESETS: u32 = 3;
pub const BURN: PresetId = 0;
pub const PEERS: PresetId = 1;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;
    #[runtime::pallet_index(1)]
    pub type Rewards = pallet_agora_rewards::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
}

parameter_types! {
    /// The preset that the rest of the runtime refers to.
    pub static Used: Option<PresetId> = None;
    pub static PresetLimit: u32 = MAX_PRESETS;
}

/// What [`Used`] says.
pub struct InUse;

impl Contains<PresetId> for InUse {
    fn contains(preset: &PresetId) -> bool {
        Used::get() == Some(*preset)
    }
}

impl crate::Config for Test {
    type AdminOrigin = frame_system::EnsureRoot<AccountId>;
    type Balance = Balance;
    type InUse = InUse;
    type MaxPresets = PresetLimit;
    type WeightInfo = ();
}

/// Makes the chain a test starts from.
pub struct ExtBuilder {
    presets: Vec<(PresetId, Split)>,
}

impl Default for ExtBuilder {
    fn default() -> Self {
        Self {
            presets: default_presets(),
        }
    }
}

impl ExtBuilder {
    pub fn presets(mut self, presets: Vec<(PresetId, Split)>) -> Self {
        self.presets = presets;
        self
    }

    pub fn build(self) -> sp_io::TestExternalities {
        let genesis = RuntimeGenesisConfig {
            rewards: crate::GenesisConfig {
                presets: self.presets,
                ..Default::default()
            },
            ..Default::default()
        };
        agora_pallet_dev::state::<Test>(genesis)
    }

    /// Runs `test`, then checks the state.
    pub fn build_and_execute(self, test: impl FnOnce()) {
        self.build().execute_with(|| {
            test();
            Rewards::do_try_state().unwrap();
        });
    }
}

/// A split of parts per million, in the order burn, worker, verifier, expert, treasury, and the best share.
pub fn split(parts: [u32; 5], best_share: u32) -> Split {
    let [burn, worker, verifier, expert, treasury] = parts.map(Permill::from_parts);
    Split {
        burn,
        worker,
        verifier,
        expert,
        treasury,
        best_share: Permill::from_parts(best_share),
    }
}

pub fn payroll(best: AccountId, also_correct: &[AccountId], verifiers: &[AccountId]) -> Payroll<AccountId> {
    Payroll {
        best,
        also_correct: also_correct.to_vec(),
        verifiers: verifiers.to_vec(),
        attested: verifiers.len() as u32,
    }
}
