//! A runtime with the real Balances and Escrow, and doubles of the registry, the reputations and the tasks.

use crate::{AppealWindowOf, AppealWindows, BalanceOf, Event};
use agora_pallet_dev::{assert_issuance, endow, state};
use agora_primitives::{
    TaskId,
    courts::{Offence, Offences},
    job::{BlobRef, Claim, keyed_hash},
    judging::{
        AppealTerms, Attestation, Judge, Possession, Sealed, TaskParties, attestation_commitment, drawn_chunks,
        possession_key,
    },
    money::{Escrow as _, Purpose, Scope},
    participants::{Participants, Role, Specialisation, Stakes, TotalStake},
};
use frame_support::dispatch::PostDispatchInfo;
use frame_support::{assert_ok, derive_impl, parameter_types};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult, DispatchResultWithInfo, Permill, Weight};
use std::collections::{BTreeMap, BTreeSet};

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
pub const PLACES: u32 = 24;
pub const MANY_SEATS: u32 = 12;
/// Blocks in which may be revealed, after that of the draw.
pub const REVEAL_WINDOW: BlockNumber = 10;
/// The block in which chunks are drawn.
pub const DRAWN_AT: BlockNumber = UNTIL + 2;
pub const REVEAL_UNTIL: BlockNumber = DRAWN_AT + REVEAL_WINDOW;
pub const SEED: H256 = H256::repeat_byte(2);
pub const DRAW: H256 = H256::repeat_byte(8);
pub const SALT: [u8; 32] = [6; 32];

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
    /// What verifiers weigh; those who are not here weigh 1. Since which block, if that matters.
    pub static Weights: BTreeMap<AccountId, (u32, BlockNumber)> = BTreeMap::new();
    pub static Total: TotalStake = TotalStake { verifiers: 0, weight: 0 };
    pub static Offenders: Vec<(AccountId, Offence)> = Vec::new();
    pub static Told: Vec<TaskId> = Vec::new();
    pub static Full: u64 = 0;
    pub static Seats: u32 = MANY_SEATS;
    pub static MaxAttestations: u32 = PLACES;
    pub static LoserPenalty: Permill = Permill::one();
    pub static DisagreedPenalty: Permill = Permill::from_percent(10);
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
    type Offences = OffencesDouble;
    type Parties = PartiesDouble;
    type Seats = Seats;
    type FullBlocks = Full;
    type MaxAttestations = MaxAttestations;
    type LoserPenalty = LoserPenalty;
    type DisagreedPenalty = DisagreedPenalty;
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

impl Stakes<AccountId, BlockNumber> for ParticipantsDouble {
    fn freeze() -> TotalStake {
        Total::get()
    }
    fn stake(who: &AccountId, at: BlockNumber) -> u32 {
        let (weight, since) = Weights::get().get(who).copied().unwrap_or((1, 0));
        if since < at || since == 0 { weight } else { 0 }
    }
}

/// Remembers [`Offenders`].
pub struct OffencesDouble;

impl Offences<AccountId> for OffencesDouble {
    fn report(who: &AccountId, offence: Offence) {
        Offenders::mutate(|all| all.push((*who, offence)));
    }
    fn weight() -> Weight {
        Weight::zero()
    }
}

/// What being told that all is revealed weighs.
pub const TOLD_WEIGHT: Weight = Weight::from_parts(7, 3);

/// Knows the [`KnownParties`], and remembers what it was [`Told`].
pub struct PartiesDouble;

impl TaskParties<AccountId> for PartiesDouble {
    fn is_party(task: TaskId, who: &AccountId) -> bool {
        KnownParties::get().contains(&(task, *who))
    }
    fn all_revealed(task: TaskId) {
        Told::mutate(|all| all.push(task));
    }
    fn weight() -> Weight {
        TOLD_WEIGHT
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
    /// The most attestations per task; half as many seats.
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
        Seats::set(self.places / 2);
        Weights::set(BTreeMap::new());
        Total::set(TotalStake::default());
        Offenders::set(Vec::new());
        Told::set(Vec::new());
        Full::set(0);
        LoserPenalty::set(self.penalty);
        DisagreedPenalty::set(self.penalty / 10);
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

/// The output that is attested: 40 chunks and a piece of one.
pub fn output() -> Vec<u8> {
    (0..40 * 1024 + 5).map(|i| (i % 251) as u8).collect()
}

pub fn claim() -> Claim {
    Claim::Output {
        output: BlobRef::to(&output()),
        states_root: H256::repeat_byte(1),
    }
}

pub fn terms() -> AppealTerms<BlockNumber, BalanceOf<Test>> {
    AppealTerms {
        claim: claim(),
        seed: SEED,
        until: UNTIL,
        reveal_window: REVEAL_WINDOW,
        bond: BOND,
        specialisation: Specialisation::Synthetic,
    }
}

pub fn open(task: TaskId) {
    assert_ok!(Judging::open_appeal_window(task, terms()));
}

pub fn key(who: AccountId, task: TaskId) -> [u8; 32] {
    possession_key(SEED, task, &who)
}

/// The root that `who` makes if it has these bytes.
pub fn root(who: AccountId, task: TaskId, bytes: &[u8]) -> H256 {
    keyed_hash(&key(who, task), bytes)
}

pub fn commitment_to(who: AccountId, task: TaskId, attestation: Attestation, root: Option<H256>) -> H256 {
    let sealed = Sealed {
        genesis: System::block_hash(0),
        task,
        seed: SEED,
        claim: &claim(),
        verifier: &who,
        attestation,
        root,
    };
    attestation_commitment(&sealed, &SALT)
}

pub fn commit_to(who: AccountId, task: TaskId, commitment: H256) -> DispatchResult {
    Judging::commit_attestation(RuntimeOrigin::signed(who), task, commitment)
}

/// Commits as somebody does who has the output.
pub fn attest(who: AccountId, task: TaskId, attestation: Attestation) -> DispatchResult {
    let root = (attestation == Attestation::Valid).then(|| root(who, task, &output()));
    commit_to(who, task, commitment_to(who, task, attestation, root))
}

/// Goes to the block in which chunks are drawn, and draws them.
pub fn draw(task: TaskId) {
    System::set_block_number(DRAWN_AT.max(System::block_number()));
    Judging::draw_chunks(task, DRAW);
}

pub fn drawn(who: AccountId, task: TaskId) -> Vec<u64> {
    drawn_chunks(DRAW, task, &who, 41)
}

/// What `who` shows that had the output.
pub fn possession(who: AccountId, task: TaskId) -> Possession {
    let output = output();
    Possession::new(&key(who, task), root(who, task, &output), &output, &drawn(who, task)).unwrap()
}

pub fn reveal_with(
    who: AccountId,
    task: TaskId,
    attestation: Attestation,
    possession: Option<Possession>,
) -> DispatchResultWithInfo<PostDispatchInfo> {
    Judging::reveal_attestation(RuntimeOrigin::signed(who), task, attestation, SALT, possession)
}

/// Reveals as somebody does who has had the output.
pub fn reveal(who: AccountId, task: TaskId, attestation: Attestation) -> DispatchResultWithInfo<PostDispatchInfo> {
    let possession = (attestation == Attestation::Valid).then(|| possession(who, task));
    reveal_with(who, task, attestation, possession)
}

/// Opens an appeal window in which `valid` attest for the result and `invalid` against it, and all reveal that. Goes back to the
/// block before.
pub fn contest(task: TaskId, valid: &[AccountId], invalid: &[AccountId]) {
    let now = System::block_number();
    open(task);
    let said = |all: &[AccountId], attestation| all.iter().map(move |who| (*who, attestation)).collect::<Vec<_>>();
    let all = [said(valid, Attestation::Valid), said(invalid, Attestation::Invalid)].concat();
    for (who, attestation) in &all {
        assert_ok!(attest(*who, task, *attestation));
    }
    draw(task);
    for (who, attestation) in &all {
        assert_ok!(reveal(*who, task, *attestation));
    }
    System::set_block_number(now);
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
