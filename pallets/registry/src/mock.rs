//! A runtime with the real Balances and Escrow, and a test double for the reputation.

use crate::{
    Members, MinimumBonds, Profile, WorkerCount,
    types::{Member, Worker},
};
use agora_primitives::{
    capability::Capabilities,
    money::{Escrow as _, Payee, Purpose, Scope},
    participants::{Role, Specialisation, Specialisations},
    reputation::{Level, Outcome, Reputation, Side},
};
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    traits::{ConstU64, Hooks},
};
use sp_runtime::BuildStorage;
use std::{cell::RefCell, collections::BTreeMap};

pub type AccountId = u64;
pub type Balance = u128;
pub type BlockNumber = u64;
type Block = frame_system::mocking::MockBlock<Test>;

pub const ED: Balance = 10;
pub const ENDOWMENT: Balance = 100_000;
pub const WORKER_BOND: Balance = 100;
pub const VERIFIER_BOND: Balance = 200;
pub const TIMEOUT: BlockNumber = 10;
pub const COOL_DOWN: BlockNumber = 20;
pub const MAX_SLOTS: u32 = 4;
pub const MAX_CAPABILITY: u32 = 1_000;
pub const MAX_TRIES: u32 = 8;

pub const ALICE: AccountId = 1;
pub const BOB: AccountId = 2;
pub const CAROL: AccountId = 3;
pub const DAVE: AccountId = 4;
/// As many accounts as have money, from 1.
pub const RICH: AccountId = 40;
pub const TREASURY: AccountId = 1_000;
/// An account that does not exist.
pub const NOBODY: AccountId = 9_999;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances::Pallet<Test>;
    #[runtime::pallet_index(2)]
    pub type Escrow = pallet_agora_escrow::Pallet<Test>;
    #[runtime::pallet_index(3)]
    pub type Registry = crate::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountData = pallet_balances::AccountData<Balance>;
}

parameter_types! {
    pub const ExistentialDeposit: Balance = ED;
    pub const Treasury: AccountId = TREASURY;
    pub static WorkerMinimum: Balance = WORKER_BOND;
    pub Bonds: MinimumBonds<Balance> = MinimumBonds {
        worker: Some(WorkerMinimum::get()),
        verifier: Some(VERIFIER_BOND),
        orchestrator: Some(300),
        expert: None,
    };
    pub static HeartbeatTimeout: BlockNumber = TIMEOUT;
    pub static SlotLimit: u32 = MAX_SLOTS;
    pub static CapabilityLimit: u32 = MAX_CAPABILITY;
    pub static TryLimit: u32 = MAX_TRIES;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ExistentialDeposit;
    type AccountStore = System;
}

impl pallet_agora_escrow::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Treasury = Treasury;
    type WeightInfo = ();
}

thread_local! {
    static LEVELS: RefCell<BTreeMap<(AccountId, Specialisation), Level>> = const { RefCell::new(BTreeMap::new()) };
}

/// Knows the levels that [`set_earlier_level`] set.
pub struct KnownLevels;

impl Reputation<AccountId> for KnownLevels {
    fn record(_: &AccountId, _: Side, _: Outcome) {}
    fn confidence(_: &AccountId, _: Specialisation) -> u32 {
        0
    }
    fn level(who: &AccountId, side: Side) -> Level {
        let Side::Worker(one) = side else {
            return Level::Beginner;
        };
        LEVELS.with_borrow(|levels| levels.get(&(*who, one)).copied().unwrap_or_default())
    }
}

/// Sets the level that `who` reached before it registers.
pub fn set_earlier_level(who: AccountId, specialisation: Specialisation, level: Level) {
    LEVELS.with_borrow_mut(|levels| levels.insert((who, specialisation), level));
}

impl crate::Config for Test {
    type Escrow = Escrow;
    type Reputation = KnownLevels;
    type MinimumBonds = Bonds;
    type BanOrigin = frame_system::EnsureRoot<AccountId>;
    type HeartbeatTimeout = HeartbeatTimeout;
    type ExitCoolDown = ConstU64<COOL_DOWN>;
    type MaxSlots = SlotLimit;
    type MaxCapability = CapabilityLimit;
    type MaxDrawTries = TryLimit;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Mint;
}

/// Makes money out of nothing.
#[cfg(feature = "runtime-benchmarks")]
pub struct Mint;

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<AccountId, Balance> for Mint {
    fn fund(who: &AccountId, amount: Balance) {
        use frame_support::traits::fungible::Mutate;
        assert_ok!(Balances::mint_into(who, amount + ED));
    }
}

/// Makes the chain a test starts from.
#[derive(Default)]
pub struct ExtBuilder {
    participants: Vec<crate::GenesisParticipant<AccountId, Balance>>,
}

impl ExtBuilder {
    pub fn participants(mut self, participants: Vec<crate::GenesisParticipant<AccountId, Balance>>) -> Self {
        self.participants = participants;
        self
    }

    pub fn build(self) -> sp_io::TestExternalities {
        LEVELS.with_borrow_mut(BTreeMap::clear);
        let mut balances: Vec<_> = (1..=RICH).map(|who| (who, ENDOWMENT)).collect();
        balances.push((TREASURY, ED));
        let genesis = RuntimeGenesisConfig {
            balances: pallet_balances::GenesisConfig {
                balances,
                ..Default::default()
            },
            registry: crate::GenesisConfig {
                participants: self.participants,
            },
            ..Default::default()
        };
        let mut externalities = sp_io::TestExternalities::new(genesis.build_storage().unwrap());
        externalities.execute_with(|| System::set_block_number(1));
        externalities
    }

    /// Runs `test`, then checks the state, and that no money appeared or got lost.
    pub fn build_and_execute(self, test: impl FnOnce()) {
        self.build().execute_with(|| {
            let issuance = Balances::total_issuance();
            test();
            check_state();
            assert_eq!(Balances::total_issuance(), issuance);
        });
    }
}

/// Checks the invariants of the registry and of the money it has held.
pub fn check_state() {
    Registry::do_try_state().unwrap();
    Escrow::do_try_state().unwrap();
    let accounts: Balance = frame_system::Account::<Test>::iter_values()
        .map(|account| account.data.free + account.data.reserved)
        .sum();
    assert_eq!(accounts, Balances::total_issuance());
}

pub fn run_to(block: BlockNumber) {
    System::run_to_block::<AllPalletsWithSystem>(block);
}

pub fn signed(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

/// One specialisation, two slots.
pub fn profile(capability: u32) -> Profile {
    Profile {
        specialisations: Specialisations::NONE.with(Specialisation::Synthetic),
        slots: 2,
        capability,
    }
}

pub fn register(who: AccountId, role: Role) {
    let bond = Bonds::get().of(role).unwrap();
    assert_ok!(Registry::register(signed(who), role, bond, profile(10)));
}

/// Registers a worker with two slots and the given capability, proven for good.
pub fn register_worker(who: AccountId, capability: u32) {
    assert_ok!(Registry::register(
        signed(who),
        Role::Worker,
        WORKER_BOND,
        profile(capability)
    ));
    prove(who, capability, BlockNumber::MAX);
}

/// Has `capability` count for `who` before block `until`.
pub fn prove(who: AccountId, capability: u32, until: BlockNumber) {
    <Registry as Capabilities<_>>::prove(&who, capability, until);
}

pub fn member(who: AccountId) -> Member<BlockNumber> {
    Members::<Test>::get(who).unwrap()
}

pub fn worker(who: AccountId) -> Worker<BlockNumber> {
    member(who).worker.unwrap()
}

/// The weight with which `who` is drawn.
pub fn weight_of(who: AccountId) -> u64 {
    Registry::tree().weight(worker(who).leaf).unwrap()
}

pub fn workers() -> u32 {
    WorkerCount::<Test>::get()
}

pub fn bond_of(who: AccountId, role: Role) -> Balance {
    Escrow::held(Purpose::RoleBond, Scope::Role(role), &who)
}

/// Takes part of a bond away.
pub fn cut_bond(who: AccountId, role: Role, amount: Balance) {
    assert_ok!(Escrow::pay(
        Purpose::RoleBond,
        Scope::Role(role),
        &who,
        Payee::Treasury,
        amount
    ));
}

pub fn free(who: AccountId) -> Balance {
    Balances::free_balance(who)
}

/// Runs what the runtime runs when it is built.
pub fn integrity_test() {
    <Registry as Hooks<BlockNumber>>::integrity_test();
}
