//! A runtime with the real Balances and Escrow.

use agora_disputes::{Pinned, Terms};
use agora_pallet_dev::{assert_issuance, endow, state};
use agora_primitives::{
    TaskId,
    courts::{Cases, Offence, Offences},
    job::Claim,
};
use frame_support::{derive_impl, parameter_types, weights::Weight};
use frame_system::EnsureRoot;
use sp_runtime::DispatchResult;

pub use agora_pallet_dev::{ALICE, AccountId, BOB, Balance, BlockNumber, ED, ExistentialDeposit, Treasury};

/// What everybody has at genesis.
pub const ENDOWMENT: Balance = 1_000_000;
/// What each accusation, defence and run puts up.
pub const BOND: Balance = 1_001;
/// Accounts 1 to this have money.
pub const PEOPLE: AccountId = 40;
pub const TASK: TaskId = TaskId(7);
/// The phases of the tests.
pub const TERMS: Terms = Terms {
    commit: 1,
    reveal: 4,
    clock: 40,
    entry: 6,
    challenge: 5,
    stops: 10,
};

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
    pub type Computation = crate::Pallet<Test>;
}

parameter_types! {
    /// The claims that were entered.
    pub static Entered: Vec<(AccountId, Claim)> = Vec::new();
    /// The offences that were reported.
    pub static Reported: Vec<(AccountId, Offence)> = Vec::new();
    /// The tasks that were told to be decided.
    pub static Decided: Vec<TaskId> = Vec::new();
    pub static Machine: Pinned = *agora_arbiter::pinned();
    pub static CurrentBond: Balance = BOND;
    pub static WorkPerBlock: u128 = 1_000_000;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountData = pallet_balances::AccountData<Balance>;
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
    type Cases = CasesDouble;
    type Offences = OffencesDouble;
    type Machine = Machine;
    type Bond = CurrentBond;
    type TermsOrigin = EnsureRoot<AccountId>;
    type WorkPerBlock = WorkPerBlock;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Mint;
}

/// Remembers what it is told.
pub struct CasesDouble;

impl Cases<AccountId> for CasesDouble {
    fn decided(task: TaskId) -> DispatchResult {
        Decided::mutate(|all| all.push(task));
        Ok(())
    }
    fn enter(task: TaskId, who: &AccountId, claim: Claim) -> bool {
        assert_eq!(task, TASK);
        Entered::mutate(|all| all.push((*who, claim)));
        true
    }
    fn weight() -> Weight {
        TELLING
    }
}

/// What telling about a case weighs.
pub const TELLING: Weight = Weight::from_parts(1_000, 10);
/// What reporting an offence weighs.
pub const REPORTING: Weight = Weight::from_parts(100_000, 1_000);

/// Remembers what is reported.
pub struct OffencesDouble;

impl Offences<AccountId> for OffencesDouble {
    fn report(who: &AccountId, offence: Offence) {
        Reported::mutate(|all| all.push((*who, offence)));
    }
    fn weight() -> Weight {
        REPORTING
    }
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

/// The chain a test starts from, with these terms.
pub fn chain(terms: Option<Terms>) -> sp_io::TestExternalities {
    Decided::set(Vec::new());
    Entered::set(Vec::new());
    Reported::set(Vec::new());
    CurrentBond::set(BOND);
    WorkPerBlock::set(1_000_000);
    Machine::set(*agora_arbiter::pinned());
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: endow(1..=PEOPLE, ENDOWMENT),
            ..Default::default()
        },
        computation: crate::GenesisConfig {
            terms,
            ..Default::default()
        },
        ..Default::default()
    };
    state::<Test>(genesis)
}

/// Runs `test` on a chain with [`TERMS`], then checks the state.
pub fn run(test: impl FnOnce()) {
    chain(Some(TERMS)).execute_with(|| {
        test();
        check_state();
    });
}

/// Checks the invariants of the pallets, and that all balances add up to the issuance.
pub fn check_state() {
    Computation::do_try_state().unwrap();
    Escrow::do_try_state().unwrap();
    assert_issuance::<Test>();
}

pub fn now() -> BlockNumber {
    System::block_number()
}

/// Goes on to `block`.
pub fn run_to(block: BlockNumber) {
    System::set_block_number(block);
}

/// This pallet's events so far.
pub fn events() -> Vec<crate::Event<Test>> {
    System::read_events_for_pallet()
}
