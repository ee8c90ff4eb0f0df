//! A chain with nothing but this pallet.

use crate as pallet_agora_reputation;
use agora_primitives::{
    participants::Specialisation,
    reputation::{Level, OnLevelChanged, Outcome, Reputation as _, Side},
};
use frame_support::{derive_impl, parameter_types};
use sp_runtime::Perbill;
use std::cell::RefCell;

pub use agora_pallet_dev::{ALICE, AccountId, BOB, BlockNumber};

pub const WORKER: Side = Side::Worker(Specialisation::Synthetic);
pub const CONFIRMED: Outcome = Outcome::Right { confirmed: true };

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;
    #[runtime::pallet_index(1)]
    pub type Reputation = pallet_agora_reputation::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
}

parameter_types! {
    pub static Decay: Perbill = Perbill::from_percent(98);
    pub static HalfLife: BlockNumber = 1000;
    pub static MinimumTasks: u32 = 5;
}

thread_local! {
    static LEVELS: RefCell<Vec<(AccountId, Specialisation, Level)>> = const { RefCell::new(Vec::new()) };
}

/// Remembers what it is told.
pub struct Levels;

impl Levels {
    /// Returns what it was told since it was last asked.
    pub fn take() -> Vec<(AccountId, Specialisation, Level)> {
        LEVELS.take()
    }
}

impl OnLevelChanged<AccountId> for Levels {
    fn on_level_changed(who: &AccountId, specialisation: Specialisation, level: Level) {
        LEVELS.with_borrow_mut(|levels| levels.push((*who, specialisation, level)));
    }
}

impl crate::Config for Test {
    type Decay = Decay;
    type HalfLife = HalfLife;
    type MinimumTasks = MinimumTasks;
    type OnLevelChanged = Levels;
    type WeightInfo = ();
}

/// Records `outcome` `times` times.
pub fn record(who: AccountId, side: Side, outcome: Outcome, times: u32) {
    for _ in 0..times {
        Reputation::record(&who, side, outcome);
    }
}

/// Makes the chain a test starts from.
#[derive(Default)]
pub struct ExtBuilder {
    records: Vec<(AccountId, Side, u32, u32, u32)>,
}

impl ExtBuilder {
    pub fn record(mut self, record: (AccountId, Side, u32, u32, u32)) -> Self {
        self.records.push(record);
        self
    }

    pub fn build(self) -> sp_io::TestExternalities {
        Levels::take();
        agora_pallet_dev::state::<Test>(RuntimeGenesisConfig {
            reputation: crate::GenesisConfig { records: self.records },
            ..Default::default()
        })
    }

    /// Runs `test`, then checks the state.
    pub fn build_and_execute(self, test: impl FnOnce()) {
        self.build().execute_with(|| {
            test();
            Reputation::do_try_state().unwrap();
        });
    }
}
