//! A runtime with the real Balances and Escrow, and doubles of the registry, the reputations and the tasks.

use crate::{AppealWindowOf, AppealWindows, BalanceOf, Event};
use agora_pallet_dev::{assert_issuance, endow, state};
use agora_primitives::{
    TaskId,
    job::{BlobRef, Claim},
    judging::{AppealTerms, Attestation, Judge, TaskParties},
    money::{Escrow as _, Purpose, Scope},
    participants::{Participants, Role, Specialisation},
};
use frame_support::{assert_ok, derive_impl, parameter_types};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult, Permill};
use std::collections::BTreeSet;

pub use agora_pallet_dev::{
    AccountId, Balance, BlockNumber, ED, ExistentialDeposit, ReputationDouble, TREASURY, Treasury,
};

/// Accounts 1 to this are active verifiers, with money.
pub const VERIFIERS: AccountId = 12;
/// What each of them has at genesis.
pub const ENDOWMENT: Balance = 1_000_000;
/// An account that is nothing and has nothing.
pub const NEWCOMER: AccountId = 500;

pub const BOND: Balance = 1_000;
pub const UNTIL: BlockNumber = 20;
pub const TASK: TaskId = TaskId(7);
pub const OTHER_TASK: TaskId = TaskId(8);
pub const PLACES: u32 = 8;

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
    pub type Judging = crate::Pallet<Test>;
}

parameter_types! {
    pub static ActiveVerifiers: BTreeSet<AccountId> = (1..=VERIFIERS).collect();
    pub static KnownParties: BTreeSet<(TaskId, AccountId)> = BTreeSet::new();
    pub static MaxAttestations: u32 = PLACES;
    pub static LoserPenalty: Permill = Permill::one();
    pub static UndecidedPenalty: Permill = Permill::from_percent(10);
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
    type Participants = ParticipantsDouble;
    type Reputation = ReputationDouble;
    type Parties = PartiesDouble;
    type MaxAttestations = MaxAttestations;
    type LoserPenalty = LoserPenalty;
    type UndecidedPenalty = UndecidedPenalty;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = BenchmarkVerifiers;
}

/// Knows the [`ActiveVerifiers`], and is asked for nothing else.
pub struct ParticipantsDouble;

pub const NOT_ACTIVE: DispatchError = DispatchError::Other("no active verifier");

impl Participants<AccountId> for ParticipantsDouble {
    fn ensure_active(who: &AccountId, role: Role) -> DispatchResult {
        let active = role == Role::Verifier && ActiveVerifiers::get().contains(who);
        active.then_some(()).ok_or(NOT_ACTIVE)
    }
    fn ensure_not_banned(_: &AccountId) -> DispatchResult {
        unreachable!("whoever is active is not banned")
    }
    fn ensure_suited(_: &AccountId, _: Specialisation) -> DispatchResult {
        unreachable!("verifiers need not be suited")
    }
    fn occupy_slot(_: &AccountId) -> DispatchResult {
        unreachable!("verifiers have no slots")
    }
    fn free_slot(_: &AccountId) {
        unreachable!("verifiers have no slots")
    }
    fn draw_workers(_: H256, _: Specialisation, _: u32, _: &[AccountId]) -> Vec<AccountId> {
        unreachable!("verifiers are not drawn")
    }
}

/// Knows the [`KnownParties`].
pub struct PartiesDouble;

impl TaskParties<AccountId> for PartiesDouble {
    fn is_party(task: TaskId, who: &AccountId) -> bool {
        KnownParties::get().contains(&(task, *who))
    }
}

/// Makes verifiers, and money out of nothing.
#[cfg(feature = "runtime-benchmarks")]
pub struct BenchmarkVerifiers;

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<AccountId, Balance> for BenchmarkVerifiers {
    fn prepare_verifier(who: &AccountId, bond: Balance) {
        agora_pallet_dev::mint::<Balances>(who, bond);
        ActiveVerifiers::mutate(|all| all.insert(*who));
    }
}

/// Makes the chain a test starts from.
pub struct ExtBuilder {
    places: u32,
    penalty: Permill,
}

impl Default for ExtBuilder {
    fn default() -> Self {
        Self {
            places: PLACES,
            penalty: Permill::one(),
        }
    }
}

impl ExtBuilder {
    /// The most attestations per task.
    pub fn places(self, places: u32) -> Self {
        Self { places, ..self }
    }

    /// What losers lose of their bond; a tenth of it where nobody could decide.
    pub fn penalty(self, percent: u32) -> Self {
        Self {
            penalty: Permill::from_percent(percent),
            ..self
        }
    }

    pub fn build(self) -> sp_io::TestExternalities {
        ActiveVerifiers::set((1..=VERIFIERS).collect());
        KnownParties::set(BTreeSet::new());
        MaxAttestations::set(self.places);
        LoserPenalty::set(self.penalty);
        UndecidedPenalty::set(self.penalty / 10);
        let genesis = RuntimeGenesisConfig {
            balances: pallet_balances::GenesisConfig {
                balances: endow(1..=VERIFIERS, ENDOWMENT),
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

/// Checks the invariants of the appeal windows and of the money that is held.
pub fn check_state() {
    Judging::do_try_state().unwrap();
    Escrow::do_try_state().unwrap();
    assert_issuance::<Test>();
}

pub fn terms() -> AppealTerms<BlockNumber, BalanceOf<Test>> {
    AppealTerms {
        claim: Claim::Output {
            output: BlobRef::to(b"output"),
            states_root: H256::repeat_byte(1),
        },
        seed: H256::repeat_byte(2),
        until: UNTIL,
        bond: BOND,
        specialisation: Specialisation::Synthetic,
    }
}

pub fn open(task: TaskId) {
    assert_ok!(Judging::open_appeal_window(task, terms()));
}

pub fn attest(who: AccountId, task: TaskId, attestation: Attestation) -> DispatchResult {
    Judging::attest(RuntimeOrigin::signed(who), task, attestation)
}

/// Opens an appeal window in which `valid` attest for the result and `invalid` against it.
pub fn contest(task: TaskId, valid: &[AccountId], invalid: &[AccountId]) {
    open(task);
    for who in valid {
        assert_ok!(attest(*who, task, Attestation::Valid));
    }
    for who in invalid {
        assert_ok!(attest(*who, task, Attestation::Invalid));
    }
}

pub fn bond_of(who: AccountId, task: TaskId) -> Balance {
    Escrow::held(Purpose::AppealBond, Scope::Task(task), &who)
}

/// What of `who`'s money is not held.
pub fn free(who: AccountId) -> Balance {
    Balances::free_balance(who)
}

pub fn window(task: TaskId) -> Option<AppealWindowOf<Test>> {
    AppealWindows::<Test>::get(task)
}

/// This pallet's events since the last time.
pub fn events() -> Vec<Event<Test>> {
    let all = System::read_events_for_pallet();
    System::reset_events();
    all
}
