//! A runtime of System, Balances, the real escrow, rewards and tasks, this pallet, and a double of the tree of results. Everybody may work.

use crate as pallet_agora_exact;
use agora_pallet_dev::{ED, ExistentialDeposit, ReputationDouble, Treasury, assert_issuance, endow, state};
use agora_primitives::{
    ClassId, TaskId,
    commitment::{Salt, commitment},
    job::{Claim, JobKind, JobSource, JobSpec, SyntheticJob},
    judging::JudgeRule,
    money::Payee,
    participants::Specialisation,
    results::{ResultLeaf, ResultSink},
    task::{Difficulty, Phase},
};
use frame_support::{
    assert_ok, derive_impl,
    dispatch::{DispatchResult, DispatchResultWithPostInfo},
    parameter_types,
    traits::Hooks,
    weights::Weight,
};
use frame_system::EnsureRoot;
use pallet_agora_tasks::{TaskClass, Windows, exact_classes};
use sp_runtime::DispatchError;
use std::cell::RefCell;

pub use agora_pallet_dev::{ALICE, AccountId, BOB, Balance, BlockNumber, CAROL, TREASURY};

/// What everybody but the treasury has at genesis.
pub const ENDOWMENT: Balance = 1_000_000;
pub const REWARD: Balance = 10_000;
/// Half of the reward.
pub const STAKE: Balance = 5_000;
/// A fifth of the reward.
pub const BOND: Balance = 2_000;
/// Half of the bond.
pub const WRONG: Balance = 1_000;
pub const FEE: Balance = 20;
pub const SALT: Salt = [7; 32];
/// The most that a job may take in most tests.
pub const MAX_WORK: u64 = 3 << 22;
pub const MAX_EVIDENCE: u32 = 128 * 1024;

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
    pub type Escrow = pallet_agora_escrow::Pallet<Test>;
    #[runtime::pallet_index(3)]
    pub type Rewards = pallet_agora_rewards::Pallet<Test>;
    #[runtime::pallet_index(4)]
    pub type Tasks = pallet_agora_tasks::Pallet<Test>;
    #[runtime::pallet_index(5)]
    pub type Exact = pallet_agora_exact::Pallet<Test>;
}

parameter_types! {
    pub const MaxPresets: u32 = 8;
    pub const MaxContributions: u32 = 6;
    pub const MaxTasksPerBlock: u32 = 8;
    pub const MaxLifetime: BlockNumber = 100;
    pub const RetentionPeriod: BlockNumber = 30;
    pub const AgendaShare: Weight = Weight::MAX;
    pub static WorkLimit: u64 = MAX_WORK;
    pub static EvidenceLimit: u32 = MAX_EVIDENCE;
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

impl pallet_agora_rewards::Config for Test {
    type AdminOrigin = EnsureRoot<AccountId>;
    type Balance = Balance;
    type InUse = Tasks;
    type MaxPresets = MaxPresets;
    type WeightInfo = ();
}

impl pallet_agora_tasks::Config for Test {
    type Escrow = Escrow;
    type Rewards = Rewards;
    type Judge = ();
    type Court = ();
    type Exact = Exact;
    type Participants = ();
    type Reputation = ReputationDouble;
    type Results = ResultsDouble;
    type Seed = ();
    type ClassOrigin = EnsureRoot<AccountId>;
    type MaxContributions = MaxContributions;
    type MaxTasksPerBlock = MaxTasksPerBlock;
    type MaxLifetime = MaxLifetime;
    type RetentionPeriod = RetentionPeriod;
    type MaxAgendaWeight = AgendaShare;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = ();
}

impl crate::Config for Test {
    type Tasks = Tasks;
    type MaxWork = WorkLimit;
    type MaxEvidence = EvidenceLimit;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Helper;
}

/// Publishes, accepts and commits with the accounts of the tests.
#[cfg(feature = "runtime-benchmarks")]
pub struct Helper;

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<AccountId> for Helper {
    fn committed(job: JobSpec, claim: Claim, salt: Salt) -> (TaskId, AccountId) {
        let task = publish(&job);
        accept(BOB, task);
        commit_with(BOB, task, &claim, &salt);
        (task, BOB)
    }
}

thread_local! {
    static LEAVES: RefCell<Vec<ResultLeaf<AccountId>>> = RefCell::default();
    static TREE_IS_FULL: RefCell<bool> = RefCell::default();
}

/// Keeps the leaves, unless it is full.
pub struct ResultsDouble;

impl ResultsDouble {
    pub fn leaves() -> Vec<ResultLeaf<AccountId>> {
        LEAVES.with_borrow(Clone::clone)
    }

    pub fn set_full(is_full: bool) {
        TREE_IS_FULL.set(is_full);
    }
}

impl ResultSink<AccountId> for ResultsDouble {
    fn append(leaf: ResultLeaf<AccountId>) -> DispatchResult {
        if TREE_IS_FULL.with_borrow(|is_full| *is_full) {
            return Err(DispatchError::Exhausted);
        }
        LEAVES.with_borrow_mut(|leaves| leaves.push(leaf));
        Ok(())
    }
}

/// Makes the chain a test starts from: a class for each kind of work, whose jobs the chain computes.
#[derive(Default)]
pub struct ExtBuilder;

/// The class of this kind of work.
fn class_of(specialisation: Specialisation) -> ClassId {
    let place = Specialisation::ALL.iter().position(|other| *other == specialisation);
    ClassId(place.expect("a kind of work") as u16)
}

impl ExtBuilder {
    pub fn build(self) -> sp_io::TestExternalities {
        LEAVES.take();
        ResultsDouble::set_full(false);
        WorkLimit::set(MAX_WORK);
        EvidenceLimit::set(MAX_EVIDENCE);
        let windows = Windows {
            min_thinking: 1,
            commit: 8,
            work: 10,
            reveal: 5,
            appeal: 4,
            invite: 3,
        };
        let (_, class) = exact_classes::<Balance, BlockNumber>(100, windows).remove(0);
        assert_eq!(class.judge, JudgeRule::Exact);
        let classes = Specialisation::ALL.map(|specialisation| {
            let class = TaskClass {
                specialisation,
                ..class.clone()
            };
            (class_of(specialisation), class)
        });
        let genesis = RuntimeGenesisConfig {
            balances: pallet_balances::GenesisConfig {
                balances: endow([ALICE, BOB, CAROL], ENDOWMENT),
                ..Default::default()
            },
            tasks: pallet_agora_tasks::GenesisConfig {
                classes: classes.to_vec(),
            },
            ..Default::default()
        };
        state::<Test>(genesis)
    }

    /// Runs `test`, then checks the state, and that no money appeared or got lost.
    pub fn build_and_execute(self, test: impl FnOnce()) {
        self.build().execute_with(|| {
            let initial = Balances::total_issuance();
            test();
            Escrow::do_try_state().unwrap();
            Tasks::do_try_state().unwrap();
            assert_issuance::<Test>();
            assert_eq!(Balances::total_issuance() + burned(), initial);
        });
    }
}

fn burned() -> Balance {
    let burned = |record: frame_system::EventRecord<_, _>| match record.event {
        RuntimeEvent::Escrow(pallet_agora_escrow::Event::Paid {
            payee: Payee::Burn,
            amount,
            ..
        }) => amount,
        _ => 0,
    };
    System::events().into_iter().map(burned).sum()
}

/// A small job without inputs.
pub fn synthetic() -> JobSpec {
    JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [1; 32],
        matrix_size: 7,
        iterations: 3,
    }))
}

pub fn now() -> BlockNumber {
    System::block_number()
}

/// Publishes Alice's task with this job.
pub fn try_publish(job: JobSource) -> Result<TaskId, DispatchError> {
    let task = pallet_agora_tasks::NextTaskId::<Test>::get();
    let mut reference = [0; 16];
    reference[..8].copy_from_slice(&task.0.to_le_bytes());
    let class = class_of(job.specialisation());
    let published = Tasks::publish(
        RuntimeOrigin::signed(ALICE),
        class,
        job,
        Difficulty::ONE,
        REWARD,
        now() + 20,
        reference,
    );
    published.map(|_| task).map_err(|refused| refused.error)
}

pub fn publish(job: &JobSpec) -> TaskId {
    try_publish(JobSource::Inline(job.clone())).unwrap()
}

/// Has `who` accept, and think.
pub fn accept(who: AccountId, task: TaskId) {
    assert_ok!(Tasks::accept(RuntimeOrigin::signed(who), task));
    run_to(now() + 1);
}

pub fn commit_with(who: AccountId, task: TaskId, claim: &Claim, salt: &Salt) {
    let hash = commitment(System::block_hash(0), task, &who, claim, salt);
    assert_ok!(Tasks::commit(RuntimeOrigin::signed(who), task, hash));
}

/// A task with this job, to whose claim `claim` Bob has committed.
pub fn committed(job: &JobSpec, claim: &Claim) -> TaskId {
    let task = publish(job);
    accept(BOB, task);
    commit_with(BOB, task, claim, &SALT);
    task
}

pub fn reveal(who: AccountId, task: TaskId, claim: Claim, evidence: &[u8]) -> DispatchResultWithPostInfo {
    let evidence = evidence.to_vec().try_into().expect("evidence within its limit");
    Exact::reveal(RuntimeOrigin::signed(who), task, claim, SALT, evidence)
}

pub fn phase(task: TaskId) -> Phase {
    pallet_agora_tasks::Progress::<Test>::get(task).expect("task").phase
}

/// Goes on to `block`, with an idle block's weight in each.
pub fn run_to(block: BlockNumber) {
    while now() < block {
        Tasks::on_idle(now(), Weight::MAX);
        System::set_block_number(now() + 1);
        Tasks::on_initialize(now());
    }
}

/// What `who` gained since genesis, and lost if it is negative.
pub fn gain(who: AccountId) -> i128 {
    let at_genesis = if who == TREASURY { ED } else { ENDOWMENT };
    let all = Balances::free_balance(who) + Balances::reserved_balance(who);
    all as i128 - at_genesis as i128
}
