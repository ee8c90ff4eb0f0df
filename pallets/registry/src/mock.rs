//! A runtime with the real Balances and Escrow, and a double of the reputation.

use crate::{
    Members, MinimumBonds, Profile, Trees, WorkerCount,
    types::{Member, Worker},
};
use agora_pallet_dev::{assert_issuance, endow, state};
use agora_primitives::{
    capability::Capabilities,
    money::{Escrow as _, Payee, Purpose, Scope},
    participants::{Role, Specialisation, Specialisations},
};
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    traits::{ConstU64, ConstU128, Hooks},
};

pub use agora_pallet_dev::{
    ALICE, AccountId, BOB, Balance, BlockNumber, CAROL, DAVE, ED, ExistentialDeposit, NOBODY, ReputationDouble,
    TREASURY, Treasury,
};

pub const ENDOWMENT: Balance = 100_000;
pub const WORKER_BOND: Balance = 100;
pub const VERIFIER_BOND: Balance = 200;
pub const ADDRESS_DEPOSIT: Balance = 7;
pub const TIMEOUT: BlockNumber = 10;
pub const COOL_DOWN: BlockNumber = 20;
pub const MAX_SLOTS: u32 = 4;
pub const MAX_CAPABILITY: u32 = 1_000;
pub const MAX_TRIES: u32 = 8;

/// As many accounts as have money, from 1.
pub const RICH: AccountId = 40;

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
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

parameter_types! {
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

impl crate::Config for Test {
    type Escrow = Escrow;
    type Reputation = ReputationDouble;
    type MinimumBonds = Bonds;
    type AddressDeposit = ConstU128<ADDRESS_DEPOSIT>;
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
        agora_pallet_dev::mint::<Balances>(who, amount);
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
        let genesis = RuntimeGenesisConfig {
            balances: pallet_balances::GenesisConfig {
                balances: endow(1..=RICH, ENDOWMENT),
                ..Default::default()
            },
            registry: crate::GenesisConfig {
                participants: self.participants,
                ..Default::default()
            },
            ..Default::default()
        };
        state::<Test>(genesis)
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
    assert_issuance::<Test>();
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

/// Registers a worker with two slots, both covered by its bond, and the given capability, proven for good.
pub fn register_worker(who: AccountId, capability: u32) {
    register_with(who, 2 * WORKER_BOND, profile(capability));
    prove(who, capability, BlockNumber::MAX);
}

/// Registers a worker that has proven nothing.
pub fn register_with(who: AccountId, bond: Balance, profile: Profile) {
    assert_ok!(Registry::register(signed(who), Role::Worker, bond, profile));
}

/// Has `capability` count for `who` before block `until`.
pub fn prove(who: AccountId, capability: u32, until: BlockNumber) {
    <Registry as Capabilities<_, _>>::prove(&who, capability, until);
}

pub fn member(who: AccountId) -> Member<BlockNumber> {
    Members::<Test>::get(who).unwrap()
}

pub fn worker(who: AccountId) -> Worker<BlockNumber> {
    member(who).worker.unwrap()
}

/// The weight with which `who` is drawn for synthetic jobs.
pub fn weight_of(who: AccountId) -> u64 {
    weight_for(who, Specialisation::Synthetic)
}

/// The weight with which `who` is drawn for jobs of one specialisation.
pub fn weight_for(who: AccountId, specialisation: Specialisation) -> u64 {
    Trees::<Test>::load()
        .of(specialisation)
        .weight(worker(who).leaf)
        .unwrap()
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
