//! A runtime of System, Balances, the real escrow and rewards, this pallet, and doubles of the judge, the registry, the
//! reputations and the tree of results.

use crate as pallet_agora_tasks;
use crate::{Event, TaskClass, Windows, genesis_classes};
use agora_pallet_dev::{assert_issuance, endow, state};
use agora_primitives::{
    ClassId, Reference, TaskId,
    commitment::{Salt, commitment},
    job::{BlobRef, Claim, JobKind, JobSource, JobSpec, SyntheticJob},
    judging::JudgeRule,
    money::{Escrow as _, Payee, Purpose, Scope},
    participants::Specialisation,
    reputation::{Outcome, Side},
    task::{Assignment, Difficulty, Phase},
};
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    traits::Hooks,
    weights::{Weight, constants::RocksDbWeight},
};
use frame_system::EnsureRoot;
use sp_core::H256;
use sp_runtime::Permill;
use std::collections::{BTreeMap, BTreeSet};

mod doubles;
mod story;

pub use agora_pallet_dev::{
    ALICE, AccountId, BOB, Balance, BlockNumber, BlockSeed, ED, ExistentialDeposit, ReputationDouble, TREASURY,
    Treasury,
};
pub use doubles::*;
pub use story::*;

pub type Class = TaskClass<Balance, BlockNumber>;

/// What everybody but the treasury has at genesis. [`ALICE`] and [`BOB`] publish.
pub const ENDOWMENT: Balance = 1_000_000;
/// Workers are the accounts from here on.
pub const WORKER: AccountId = 10;
pub const WORKERS: u64 = 16;
/// Verifiers are the accounts from here on.
pub const VERIFIER: AccountId = 50;
pub const VERIFIERS: u64 = 8;

/// The class of most tests: three replicas, at most seven.
pub const CLASS: ClassId = ClassId(0);
pub const REWARD: Balance = 10_000;
/// Half of the reward.
pub const STAKE: Balance = 5_000;
pub const FEE: Balance = 50;
/// A fifth of the reward.
pub const BOND: Balance = 2_000;
/// Half of the bond.
pub const WRONG: Balance = 1_000;
/// A tenth of the bond.
pub const LATE: Balance = 200;
/// How long a worker's slot is its own.
pub const COMMIT_WINDOW: BlockNumber = 8;
pub const RETENTION: BlockNumber = 30;
/// Two more than the class of most tests may need.
pub const MAX_CONTRIBUTIONS: u32 = 12;
pub const MAX_TASKS_PER_BLOCK: u32 = 3;
pub const MAX_LIFETIME: BlockNumber = 100;
pub const SALT: Salt = [7; 32];

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
}

parameter_types! {
    pub const MaxPresets: u32 = 8;
    pub static ContributionLimit: u32 = MAX_CONTRIBUTIONS;
    pub static BucketLimit: u32 = MAX_TASKS_PER_BLOCK;
    pub static LifetimeLimit: BlockNumber = MAX_LIFETIME;
    pub static RetentionPeriod: BlockNumber = RETENTION;
    pub static AgendaShare: Weight = Weight::MAX;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountData = pallet_balances::AccountData<Balance>;
    type DbWeight = RocksDbWeight;
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

impl crate::Config for Test {
    type Escrow = Escrow;
    type Rewards = RewardsDouble;
    type Judge = JudgeDouble;
    type Court = CourtDouble;
    type Exact = ExactDouble;
    type Participants = ParticipantsDouble;
    type Reputation = ReputationDouble;
    type Results = ResultsDouble;
    type Seed = BlockSeed<Test>;
    type ClassOrigin = EnsureRoot<AccountId>;
    type MaxContributions = ContributionLimit;
    type MaxTasksPerBlock = BucketLimit;
    type MaxLifetime = LifetimeLimit;
    type RetentionPeriod = RetentionPeriod;
    type MaxAgendaWeight = AgendaShare;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = BenchmarkAccounts;
}

/// Makes the chain a test starts from.
pub struct ExtBuilder {
    class: Class,
}

impl Default for ExtBuilder {
    fn default() -> Self {
        Self { class: class() }
    }
}

/// The class of most tests.
pub fn class() -> Class {
    let windows = Windows {
        min_thinking: 2,
        commit: COMMIT_WINDOW,
        work: 10,
        reveal: 5,
        appeal: 4,
        invite: 3,
    };
    let (_, class) = genesis_classes::<Balance, BlockNumber>(100, windows).remove(0);
    TaskClass {
        replicas: 3,
        max_replicas: 7,
        max_open_per_publisher: 4,
        attest_bond_rate: Permill::from_percent(10),
        ..class
    }
}

impl ExtBuilder {
    /// Changes the class of the test.
    pub fn with_class(mut self, change: impl FnOnce(&mut Class)) -> Self {
        change(&mut self.class);
        self
    }

    /// The class assigns by priority.
    pub fn priority(self) -> Self {
        self.with_class(|class| class.assignment = Assignment::Priority)
    }

    /// The class wants this many replicas, and no more ever.
    pub fn replicas(self, replicas: u32) -> Self {
        self.with_class(|class| (class.replicas, class.max_replicas) = (replicas, replicas))
    }

    /// The chain computes the jobs of the class.
    pub fn exact(self) -> Self {
        self.replicas(1).with_class(|class| class.judge = JudgeRule::Exact)
    }

    pub fn build(self) -> sp_io::TestExternalities {
        World::reset();
        ContributionLimit::set(MAX_CONTRIBUTIONS);
        BucketLimit::set(MAX_TASKS_PER_BLOCK);
        LifetimeLimit::set(MAX_LIFETIME);
        RetentionPeriod::set(RETENTION);
        AgendaShare::set(Weight::MAX);
        let accounts = [ALICE, BOB]
            .into_iter()
            .chain(WORKER..WORKER + WORKERS)
            .chain(VERIFIER..VERIFIER + VERIFIERS);
        let genesis = RuntimeGenesisConfig {
            balances: pallet_balances::GenesisConfig {
                balances: endow(accounts, ENDOWMENT),
                ..Default::default()
            },
            tasks: crate::GenesisConfig {
                classes: vec![(CLASS, self.class)],
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
            check_state();
            assert_eq!(Balances::total_issuance() + burned(), initial);
        });
    }
}

/// Checks the invariants of the pallets, that all balances add up to the issuance, and that slots in use are those of
/// running rounds.
pub fn check_state() {
    Escrow::do_try_state().unwrap();
    Tasks::do_try_state().unwrap();
    assert_issuance::<Test>();
    let mut slots = BTreeMap::<AccountId, u32>::new();
    for (task, worker, contribution) in crate::Contributions::<Test>::iter() {
        let progress = progress(task);
        let running = progress.phase != Phase::Appealable;
        if running && contribution.round == progress.round && contribution.is_current() {
            *slots.entry(worker).or_default() += 1;
        }
    }
    let mut used = world(|world| world.slots.clone());
    used.retain(|_, used| *used > 0);
    assert_eq!(used, slots, "slots in use are not those of running rounds");
    let open: BTreeSet<_> = AppealWindows::iter_keys().collect();
    let chosen: BTreeSet<_> = crate::Results::<Test>::iter_keys()
        .filter(|task| !progress(*task).phase.is_finished())
        .collect();
    assert_eq!(open, chosen, "open appeal windows are not those of chosen results");
    let in_court = |task| phase(task) == Phase::Appealable;
    assert!(
        OpenCases::iter_keys().all(in_court),
        "a case is open of what is not in court"
    );
}

/// What was burned, according to events.
pub fn burned() -> Balance {
    let burned = |record: frame_system::EventRecord<_, _>| match record.event {
        RuntimeEvent::Escrow(pallet_agora_escrow::Event::Paid {
            payee: Payee::Burn,
            amount,
            ..
        }) => amount,
        RuntimeEvent::Balances(pallet_balances::Event::DustLost { amount, .. }) => amount,
        _ => 0,
    };
    System::events().into_iter().map(burned).sum()
}

/// This pallet's events so far.
pub fn events() -> Vec<Event<Test>> {
    System::read_events_for_pallet()
}

/// The terminal events so far.
pub fn terminal_events() -> Vec<Event<Test>> {
    events().into_iter().filter(is_terminal).collect()
}

/// Whether an event ends a task.
pub fn is_terminal(event: &Event<Test>) -> bool {
    matches!(
        event,
        Event::Settled { .. } | Event::Cancelled { .. } | Event::Expired { .. } | Event::Failed { .. }
    )
}

pub fn now() -> BlockNumber {
    System::block_number()
}

/// Goes on to `block`, with an idle block's weight in each.
pub fn run_to(block: BlockNumber) {
    while now() < block {
        end_block(Weight::MAX);
    }
}

/// Serves the agenda within `limit`, and begins the next block. Events stay.
pub fn end_block(limit: Weight) {
    Tasks::on_idle(now(), limit);
    System::set_block_number(now() + 1);
    Tasks::on_initialize(now());
}

/// Begins the block `block` without serving anything.
pub fn jump_to(block: BlockNumber) {
    System::set_block_number(block);
}
