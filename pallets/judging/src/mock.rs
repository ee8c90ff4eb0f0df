//! A chain with real balances and doubles of the other pallets.

use crate as pallet_agora_judging;
use crate::{AppealWindow, AppealWindows, BalanceOf};
use agora_primitives::{
    TaskId,
    judging::{AppealTerms, Attestation, Judge, TaskParties},
    money::{Escrow, Payee, Purpose, Scope},
    participants::{Participants, Role, Specialisation},
    reputation::{Level, Outcome, Reputation, Side},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    traits::{
        VariantCount,
        fungible::{Inspect, InspectHold, MutateHold},
        tokens::{Fortitude, Precision, Restriction},
    },
};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::{BuildStorage, DispatchError, DispatchResult, Permill, traits::IdentityLookup};
use std::collections::BTreeSet;

pub type AccountId = u64;
pub type Balance = u128;

pub const TREASURY: AccountId = 999;
pub const NEWCOMER: AccountId = 500;
pub const BOND: Balance = 1_000;
pub const RICHES: Balance = 1_000_000;
pub const UNTIL: u64 = 20;
pub const TASK: TaskId = TaskId(7);
pub const OTHER_TASK: TaskId = TaskId(8);

/// Accounts 1 to this are funded active verifiers.
pub const VERIFIERS: u64 = 12;

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
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances::Pallet<Test>;
    #[runtime::pallet_index(2)]
    pub type Judging = pallet_agora_judging::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountData = pallet_balances::AccountData<Balance>;
    type Lookup = IdentityLookup<AccountId>;
}

parameter_types! {
    pub const ExistentialDeposit: Balance = 10;
}

/// A hold reason per purpose and scope: what the escrow double needs and no more.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub struct HoldId(Purpose, Scope);

impl VariantCount for HoldId {
    const VARIANT_COUNT: u32 = 1_000;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ExistentialDeposit;
    type AccountStore = System;
    type RuntimeHoldReason = HoldId;
}

/// Moves real money, with the least of rules.
pub struct EscrowDouble;

impl Escrow<AccountId> for EscrowDouble {
    type Balance = Balance;

    fn hold(purpose: Purpose, scope: Scope, who: &AccountId, amount: Balance) -> DispatchResult {
        Balances::hold(&HoldId(purpose, scope), who, amount)
    }

    fn held(purpose: Purpose, scope: Scope, who: &AccountId) -> Balance {
        Balances::balance_on_hold(&HoldId(purpose, scope), who)
    }

    fn release(purpose: Purpose, scope: Scope, who: &AccountId, amount: Balance) -> DispatchResult {
        Balances::release(&HoldId(purpose, scope), who, amount, Precision::Exact).map(drop)
    }

    fn release_all(purpose: Purpose, scope: Scope, who: &AccountId) -> Result<Balance, DispatchError> {
        let held = Self::held(purpose, scope, who);
        Self::release(purpose, scope, who, held).map(|()| held)
    }

    fn pay(
        purpose: Purpose,
        scope: Scope,
        from: &AccountId,
        payee: Payee<AccountId>,
        amount: Balance,
    ) -> DispatchResult {
        let reason = HoldId(purpose, scope);
        let to = match payee {
            Payee::Account(to) => to,
            Payee::Treasury => TREASURY,
            Payee::Burn => {
                return Balances::burn_held(&reason, from, amount, Precision::Exact, Fortitude::Force).map(drop);
            }
        };
        Balances::transfer_on_hold(
            &reason,
            from,
            &to,
            amount,
            Precision::Exact,
            Restriction::Free,
            Fortitude::Force,
        )
        .map(drop)
    }
}

parameter_types! {
    pub static ActiveVerifiers: BTreeSet<AccountId> = (1..=VERIFIERS).collect();
    pub static KnownParties: BTreeSet<(TaskId, AccountId)> = BTreeSet::new();
    pub static Recorded: Vec<(AccountId, Side, Outcome)> = Vec::new();
    pub static MaxAttestations: u32 = 8;
    pub static LoserPenalty: Permill = Permill::one();
    pub static UndecidedPenalty: Permill = Permill::from_percent(10);
}

pub struct ParticipantsDouble;

pub const NOT_ACTIVE: DispatchError = DispatchError::Other("no active verifier");

impl Participants<AccountId> for ParticipantsDouble {
    fn ensure_active(who: &AccountId, role: Role) -> DispatchResult {
        let active = role == Role::Verifier && ActiveVerifiers::get().contains(who);
        active.then_some(()).ok_or(NOT_ACTIVE)
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

pub struct ReputationDouble;

impl Reputation<AccountId> for ReputationDouble {
    fn record(who: &AccountId, side: Side, outcome: Outcome) {
        Recorded::mutate(|all| all.push((*who, side, outcome)));
    }
    fn confidence(_: &AccountId, _: Specialisation) -> u32 {
        0
    }
    fn level(_: &AccountId, _: Side) -> Level {
        Level::Beginner
    }
}

pub struct PartiesDouble;

impl TaskParties<AccountId> for PartiesDouble {
    fn is_party(task: TaskId, who: &AccountId) -> bool {
        KnownParties::get().contains(&(task, *who))
    }
}

// begin: composition
impl pallet_agora_judging::Config for Test {
    type Escrow = EscrowDouble;
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
// end: composition

#[cfg(feature = "runtime-benchmarks")]
pub struct BenchmarkVerifiers;

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<AccountId, Balance> for BenchmarkVerifiers {
    fn prepare_verifier(who: &AccountId, bond: Balance) {
        use frame_support::traits::fungible::Mutate;
        Balances::set_balance(who, bond * 2);
        ActiveVerifiers::mutate(|all| all.insert(*who));
    }
}

pub struct ExtBuilder {
    places: u32,
    penalty: Permill,
}

impl Default for ExtBuilder {
    fn default() -> Self {
        Self {
            places: 8,
            penalty: Permill::one(),
        }
    }
}

impl ExtBuilder {
    pub fn places(self, places: u32) -> Self {
        Self { places, ..self }
    }

    pub fn penalty(self, percent: u32) -> Self {
        Self {
            penalty: Permill::from_percent(percent),
            ..self
        }
    }

    pub fn build(self) -> sp_io::TestExternalities {
        ActiveVerifiers::set((1..=VERIFIERS).collect());
        KnownParties::set(BTreeSet::new());
        Recorded::set(Vec::new());
        MaxAttestations::set(self.places);
        LoserPenalty::set(self.penalty);
        UndecidedPenalty::set(self.penalty / 10);
        let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
        let balances = (1..=VERIFIERS)
            .map(|who| (who, RICHES))
            .chain([(TREASURY, 10)])
            .collect();
        pallet_balances::GenesisConfig::<Test> {
            balances,
            ..Default::default()
        }
        .assimilate_storage(&mut storage)
        .unwrap();
        let mut ext = sp_io::TestExternalities::from(storage);
        ext.execute_with(|| System::set_block_number(1));
        ext
    }

    /// Runs `test`, and checks the state and that no money came or went.
    pub fn build_and_execute(self, test: impl FnOnce()) {
        self.build().execute_with(|| {
            let issuance = Balances::total_issuance();
            test();
            assert_ok!(Judging::do_try_state());
            assert_eq!(sum_of_accounts(), issuance);
        });
    }
}

pub fn sum_of_accounts() -> Balance {
    frame_system::Account::<Test>::iter()
        .map(|(_, a)| a.data.free + a.data.reserved)
        .sum()
}

pub fn terms() -> AppealTerms<u64, BalanceOf<Test>> {
    AppealTerms {
        digest: H256::repeat_byte(1),
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
    EscrowDouble::held(Purpose::AppealBond, Scope::Task(task), &who)
}

/// What of `who`'s money is not held.
pub fn free(who: AccountId) -> Balance {
    Balances::balance(&who)
}

pub fn window(task: TaskId) -> Option<AppealWindow<AccountId, u64, Balance, MaxAttestations>> {
    AppealWindows::<Test>::get(task)
}

/// This pallet's events since the last time.
pub fn events() -> Vec<crate::Event<Test>> {
    let all = System::read_events_for_pallet::<crate::Event<Test>>();
    System::reset_events();
    all
}
