//! A runtime of System, Balances, the real escrow and rewards, this pallet, and doubles of the judge, the registry, the
//! reputations and the tree of results.

use crate as pallet_agora_tasks;
use crate::{Event, TaskClass, Windows, genesis_classes};
use agora_primitives::{
    ClassId, Reference, TaskId,
    commitment::{Salt, commitment},
    job::{JobKind, JobSource, JobSpec, SyntheticJob},
    money::{Escrow as _, Payee, Purpose, Scope},
    participants::Specialisation,
    reputation::{Outcome, Side},
    task::{Assignment, Difficulty, Phase},
};
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    traits::{Hooks, VariantCountOf},
    weights::Weight,
};
use frame_system::EnsureRoot;
use sp_core::H256;
use sp_runtime::{BuildStorage, Permill};
use std::collections::{BTreeMap, BTreeSet};

pub type AccountId = u64;
pub type Balance = u128;
pub type BlockNumber = u64;
pub type Class = TaskClass<Balance, BlockNumber>;
type Block = frame_system::mocking::MockBlock<Test>;

pub const ED: Balance = 10;
/// What everybody has at genesis.
pub const ENDOWMENT: Balance = 1_000_000;
pub const TREASURY: AccountId = 99;
/// Publishers.
pub const ALICE: AccountId = 1;
pub const BOB: AccountId = 2;
/// Workers are the accounts from here on.
pub const WORKER: AccountId = 10;
pub const WORKERS: u64 = 16;
/// Verifiers are the accounts from here on.
pub const VERIFIER: AccountId = 50;

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
pub const RETENTION: BlockNumber = 30;
pub const SALT: Salt = [7; 32];

mod doubles;
mod story;
pub use doubles::*;
pub use story::*;

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
    pub const ExistentialDeposit: Balance = ED;
    pub const Treasury: AccountId = TREASURY;
    pub const MaxPresets: u32 = 8;
    pub const MaxContributions: u32 = 10;
    pub const MaxTasksPerBlock: u32 = 3;
    pub const MaxLifetime: BlockNumber = 100;
    pub const RetentionPeriod: BlockNumber = RETENTION;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ExistentialDeposit;
    type AccountStore = System;
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
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
    type Rewards = Planner;
    type Judge = Jury;
    type Participants = Registry;
    type Reputation = Fame;
    type Results = Tree;
    type Seed = Dice;
    type ClassOrigin = EnsureRoot<AccountId>;
    type MaxContributions = MaxContributions;
    type MaxTasksPerBlock = MaxTasksPerBlock;
    type MaxLifetime = MaxLifetime;
    type RetentionPeriod = RetentionPeriod;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Helper;
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

    pub fn build(self) -> sp_io::TestExternalities {
        world(|world| *world = World::default());
        let workers = WORKER..WORKER + WORKERS;
        let verifiers = VERIFIER..VERIFIER + 8;
        let balances = [ALICE, BOB, TREASURY]
            .into_iter()
            .chain(workers)
            .chain(verifiers)
            .map(|who| (who, ENDOWMENT))
            .collect();
        let genesis = RuntimeGenesisConfig {
            balances: pallet_balances::GenesisConfig {
                balances,
                ..Default::default()
            },
            tasks: crate::GenesisConfig {
                classes: vec![(CLASS, self.class)],
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
            let initial = Balances::total_issuance();
            test();
            check_state();
            assert_eq!(Balances::total_issuance() + burned(), initial);
        });
    }
}

/// Checks the invariants of the pallets, and that slots in use are those of running rounds.
pub fn check_state() {
    Escrow::do_try_state().unwrap();
    Tasks::do_try_state().unwrap();
    let mut slots = BTreeMap::<AccountId, u32>::new();
    for (task, worker, contribution) in crate::Contributions::<Test>::iter() {
        let progress = progress(task);
        let running = progress.phase != Phase::Appealable;
        if running && contribution.round == progress.round {
            *slots.entry(worker).or_default() += 1;
        }
    }
    let mut used = world(|world| world.slots.clone());
    used.retain(|_, used| *used > 0);
    assert_eq!(used, slots, "slots in use are not those of running rounds");
    let open: BTreeSet<_> = world(|world| world.appeal_windows.keys().copied().collect());
    let chosen: BTreeSet<_> = crate::Results::<Test>::iter_keys()
        .filter(|task| !progress(*task).phase.is_finished())
        .collect();
    assert_eq!(open, chosen, "open appeal windows are not those of chosen results");
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
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Tasks(event) => Some(event),
            _ => None,
        })
        .collect()
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
