//! Tasks at each point of their life, in the worst case, for the benchmarks; and what they need of the runtime.
//!
//! A file of its own, so that tests can check that each scenario is what it says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::arithmetic_side_effects)]

use crate::{
    AGENDA_PROBES, DRAW_DELAY, MAX_PLACES,
    classes::{ClassName, TaskClass},
    pallet::*,
    types::{BalanceOf, ClassOf},
};
use agora_primitives::{
    ClassId, TaskId,
    commitment::{Salt, commitment},
    exact::ExactTasks,
    job::{BlobRef, Claim, JobKind, JobSource, JobSpec, SyntheticJob},
    judging::JudgeRule,
    money::PresetId,
    participants::Specialisation,
    task::{Assignment, Contribution, ContributionState, Difficulty, RoundKind},
};
use alloc::vec::Vec;
use codec::Decode;
use core::marker::PhantomData;
use frame_support::{BoundedVec, traits::Get};
use frame_system::{RawOrigin, pallet_prelude::BlockNumberFor};
use sp_core::H256;
use sp_runtime::{
    Permill,
    traits::{One, TrailingZeroInput, Zero},
};

/// Makes the accounts that the benchmarks need, in the runtime's real registry, escrow and judging.
///
/// Every account it makes has at least 1000 [`unit`](Self::unit)s of free balance on top of what it has to bond.
pub trait BenchmarkHelper<AccountId, Balance> {
    /// An amount of which a thousandth is well above the existential deposit. Rewards are 100 units.
    fn unit() -> Balance;

    /// A split preset that exists, with a part for everybody, so that planning it costs the most.
    fn preset() -> PresetId;

    /// An account with money, and no role.
    fn publisher() -> AccountId;

    /// The `n`-th worker: registered, active, with `specialisation` and a free slot. Asked for again, the same one.
    fn worker(n: u32, specialisation: Specialisation) -> AccountId;

    /// How many verifiers can attest for, and how many against, one result, if half of the places are taken for each.
    fn max_attesters_per_side() -> u32;

    /// Has `in_favour` active verifiers attest for the result of `task`, whose appeal window is open, and `against`
    /// others against it.
    fn attest(task: TaskId, in_favour: u32, against: u32);

    /// Has as many verifiers as can commit to attestations about the result of `task`, whose appeal window is open, without revealing
    /// them.
    fn hide(task: TaskId);

    /// Sees to it that cases are opened.
    fn open_court();

    /// Has the court not decide the open case of `task`.
    fn keep_undecided(task: TaskId);

    /// Has the court decide that the claim about `task` is wrong, as `by` has shown.
    fn bring_down(task: TaskId, by: AccountId);
}

/// For runtimes whose escrow, registry and judging are no-ops, in which no benchmark with attesters can run.
impl<AccountId: Decode, Balance: From<u32>> BenchmarkHelper<AccountId, Balance> for () {
    fn unit() -> Balance {
        Balance::from(1_000_000_000u32)
    }
    fn preset() -> PresetId {
        0
    }
    fn publisher() -> AccountId {
        numbered(u32::MAX)
    }
    fn worker(n: u32, _: Specialisation) -> AccountId {
        numbered(n)
    }
    fn max_attesters_per_side() -> u32 {
        0
    }
    fn attest(_: TaskId, _: u32, _: u32) {}
    fn hide(_: TaskId) {}
    fn open_court() {}
    fn keep_undecided(_: TaskId) {}
    fn bring_down(_: TaskId, _: AccountId) {}
}

/// The account whose encoding begins with `n`.
fn numbered<AccountId: Decode>(n: u32) -> AccountId {
    let bytes = n.to_le_bytes();
    AccountId::decode(&mut TrailingZeroInput::new(&bytes)).expect("zeroes decode to an account")
}

/// The length of every window except that for invitations.
const WINDOW: u32 = 10;
/// How long only those who are invited may accept.
const INVITE_WINDOW: u32 = 2;
const SALT: Salt = [7; 32];
/// A trust with which no answers are enough.
const NEVER: u32 = 1_000_000_000;
/// A trust with which one answer is enough.
const ALWAYS: u32 = 2;

/// The class that all scenarios use.
pub const CLASS: ClassId = ClassId(u16::MAX);

/// What a worker answers.
#[derive(Clone, Copy)]
pub enum Answers {
    /// All the same output.
    Same(u8),
    /// Each another output.
    Different,
}

impl Answers {
    /// The claim of the `n`-th worker: an output, which is the longer of the claims, and paid with as many payments.
    fn of(self, n: u32) -> Claim {
        let content = match self {
            Self::Same(byte) => u32::from(byte),
            Self::Different => n,
        };
        Claim::Output {
            output: BlobRef::to(&content.to_le_bytes()),
            states_root: H256::repeat_byte(1),
        }
    }
}

/// Builds tasks with the accounts that `H` makes.
pub struct Scenario<T, H>(PhantomData<(T, H)>);

impl<T: Config, H: BenchmarkHelper<T::AccountId, BalanceOf<T>>> Scenario<T, H> {
    /// Now.
    pub fn now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number()
    }

    /// Lets blocks go by in which nothing happens.
    pub fn wait(blocks: u32) {
        frame_system::Pallet::<T>::set_block_number(Self::now() + blocks.into());
    }

    /// A class with these replicas.
    pub fn class(replicas: u32, max_replicas: u32, trust: u32) -> ClassOf<T> {
        let window = BlockNumberFor::<T>::from(WINDOW);
        TaskClass {
            name: ClassName::truncate_from([b'x'; 32].to_vec()),
            specialisation: Specialisation::Synthetic,
            base_reward: H::unit(),
            publication_fee: H::unit(),
            min_difficulty: Difficulty::ONE,
            max_difficulty: Difficulty(10_000),
            replicas,
            max_replicas,
            max_open_per_publisher: u32::MAX,
            stake_rate: Permill::from_percent(50),
            bond_rate: Permill::from_percent(10),
            attest_bond_rate: Permill::from_percent(10),
            wrong_penalty: Permill::from_percent(50),
            late_penalty: Permill::from_percent(10),
            split: H::preset(),
            judge: JudgeRule::Replication { trust },
            assignment: Assignment::Open,
            min_thinking: Zero::zero(),
            commit_window: window,
            work_window: window,
            reveal_window: window,
            appeal_window: window,
            invite_window: INVITE_WINDOW.into(),
        }
    }

    /// A job of the kind that the class takes.
    pub fn job() -> JobSource {
        JobSource::Inline(JobSpec::V2(JobKind::Synthetic(SyntheticJob {
            seed: [1; 32],
            matrix_size: 64,
            iterations: 4,
        })))
    }

    /// The reward of every task.
    pub fn reward() -> BalanceOf<T> {
        H::unit() * 100u32.into()
    }

    /// The deadline of a task that is published now.
    pub fn deadline() -> BlockNumberFor<T> {
        Self::now() + WINDOW.into()
    }

    /// Publishes a task of a class with these terms. The class's bounds are not checked: they leave room for appeals.
    pub fn publish(replicas: u32, max_replicas: u32, trust: u32) -> TaskId {
        if Self::now().is_zero() {
            Self::wait(1);
        }
        Classes::<T>::insert(CLASS, Self::class(replicas, max_replicas, trust));
        let id = NextTaskId::<T>::get();
        Pallet::<T>::publish(
            RawOrigin::Signed(H::publisher()).into(),
            CLASS,
            Self::job(),
            Difficulty::ONE,
            Self::reward(),
            Self::deadline(),
            [1; 16],
        )
        .expect("publish");
        id
    }

    /// The `n`-th worker.
    pub fn worker(n: u32) -> T::AccountId {
        H::worker(n, Specialisation::Synthetic)
    }

    /// Has workers accept.
    pub fn accept(id: TaskId, workers: core::ops::Range<u32>) {
        for n in workers {
            let origin = RawOrigin::Signed(Self::worker(n)).into();
            Pallet::<T>::accept(origin, id).expect("accept");
        }
    }

    /// What the `n`-th worker commits with.
    pub fn commitment(id: TaskId, n: u32, answers: Answers) -> H256 {
        let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        commitment(genesis, id, &Self::worker(n), &answers.of(n), &SALT)
    }

    /// Has workers commit.
    pub fn commit(id: TaskId, workers: core::ops::Range<u32>, answers: Answers) {
        for n in workers {
            let origin = RawOrigin::Signed(Self::worker(n)).into();
            let commitment = Self::commitment(id, n, answers);
            Pallet::<T>::commit(origin, id, commitment).expect("commit");
        }
    }

    /// Has workers reveal.
    pub fn reveal(id: TaskId, workers: core::ops::Range<u32>, answers: Answers) {
        for n in workers {
            let origin = RawOrigin::Signed(Self::worker(n)).into();
            Pallet::<T>::reveal(origin, id, answers.of(n), SALT).expect("reveal");
        }
    }

    /// The arguments of a reveal.
    pub fn reveal_of(n: u32, answers: Answers) -> (Claim, Salt) {
        (answers.of(n), SALT)
    }

    /// A task with `n` answers of which judging is due, where results are taken to court. With `Answers::Different` no result can be
    /// chosen.
    pub fn to_be_judged(n: u32, max_replicas: u32, answers: Answers) -> TaskId {
        H::open_court();
        let trust = match answers {
            Answers::Same(_) => ALWAYS,
            Answers::Different => NEVER,
        };
        let id = Self::publish(n, max_replicas, trust);
        Self::accept(id, 0..n);
        Self::commit(id, 0..n, answers);
        Self::reveal(id, 0..n, answers);
        Self::serve_hastened(id);
        Self::wait_until_due(id);
        Self::crowd(id, WINDOW.into());
        id
    }

    /// A task that expires with `n` workers who committed and did not reveal.
    pub fn to_expire(n: u32) -> TaskId {
        let id = Self::publish(n, n, ALWAYS);
        Self::accept(id, 0..n);
        Self::commit(id, 0..n, Answers::Same(1));
        Self::serve_hastened(id);
        Self::wait_until_due(id);
        Self::crowd(id, T::RetentionPeriod::get());
        id
    }

    /// A task with one worker that has committed, and another who has not, when the time to work is over.
    pub fn to_start_reveal() -> TaskId {
        let id = Self::publish(2, 2, ALWAYS);
        Self::accept(id, 0..2);
        Self::commit(id, 0..1, Answers::Same(1));
        Self::wait_until_due(id);
        Self::crowd(id, WINDOW.into());
        id
    }

    /// A task with `n` right answers whose appeal window is over and whose case stands, and which was ruled on. All places of attesters are
    /// taken, a half of them against the result: some are paid, and the others pay.
    pub fn to_close(n: u32) -> TaskId {
        let id = Self::to_reopen(n);
        Progress::<T>::mutate(id, |progress| progress.as_mut().expect("task").kind = RoundKind::Appeal);
        id
    }

    /// The same, before it is ruled on.
    pub fn to_reopen(n: u32) -> TaskId {
        let id = Self::to_be_judged(n, n, Answers::Same(1));
        Self::step(id);
        let side = H::max_attesters_per_side();
        H::attest(id, side, side);
        Self::wait_until_due(id);
        Self::crowd(id, T::RetentionPeriod::get());
        Self::crowd(id, WINDOW.into());
        id
    }

    /// A task with `n` answers that are all wrong, which somebody else has shown who has entered another.
    pub fn to_bring_down(n: u32) -> TaskId {
        let id = Self::to_close(n);
        let accuser = Self::worker(T::MaxContributions::get());
        assert!(Self::enter(id, &accuser));
        H::bring_down(id, accuser);
        id
    }

    /// A task with as many workers as there can be, none of whom has what an accuser enters, and all places but one taken.
    pub fn to_enter() -> (TaskId, T::AccountId) {
        let most = T::MaxContributions::get();
        let id = Self::to_close(most);
        for place in 1..MAX_PLACES {
            let claim = Answers::Different.of(200 + place);
            assert!(Pallet::<T>::do_enter(id, &Self::worker(most + place), claim));
        }
        (id, Self::worker(most))
    }

    /// Has `accuser` enter a claim that nobody has.
    pub fn enter(id: TaskId, accuser: &T::AccountId) -> bool {
        Pallet::<T>::do_enter(id, accuser, Answers::Same(9).of(0))
    }

    /// A task that waits for the heaviest: the chunks that its attesters show are to be drawn, and the court has not decided.
    pub fn to_await_court() -> TaskId {
        let id = Self::to_be_judged(1, 1, Answers::Same(1));
        Self::step(id);
        H::hide(id);
        Self::wait_until_due(id);
        // The first step finds that the draw is still to come.
        Self::step(id);
        Self::wait_until_due(id);
        Self::crowd(id, WINDOW.into());
        H::keep_undecided(id);
        id
    }

    /// A task of whose `n` workers all but the last have claims that fell, as many different ones as can, each shown by somebody else.
    pub fn to_settle_fallen(n: u32) -> TaskId {
        let id = Self::to_bring_down(n - 1);
        Self::step(id);
        let wrong = |n: u32| Answers::Different.of(100 + n);
        for k in 0..n - 1 {
            Contributions::<T>::mutate(id, Self::worker(k), |contribution| {
                let state = &mut contribution.as_mut().expect("a worker").state;
                let ContributionState::Revealed { claim, .. } = state else {
                    panic!("a worker that has not revealed");
                };
                *claim = wrong(k);
            });
        }
        let accusers = T::MaxContributions::get();
        let accuser = |k| BoundedVec::truncate_from([Self::worker(accusers + k)].to_vec());
        let fallen = (0..n - 1).map(|k| (wrong(k), accuser(k)));
        Fallen::<T>::insert(id, BoundedVec::truncate_from(fallen.collect()));
        Self::wait_until_due(id);
        Self::crowd(id, T::RetentionPeriod::get());
        id
    }

    /// A task of which an appeal is to be ruled on: `n − 1` fresh answers against one, with the most attesters.
    pub fn to_be_ruled_on(n: u32) -> TaskId {
        let fresh = n.saturating_sub(1).max(1);
        H::open_court();
        let id = Self::publish(fresh, fresh, ALWAYS);
        Self::accept(id, 0..1);
        Self::commit(id, 0..1, Answers::Same(1));
        if fresh > 1 {
            Self::wait_until_due(id);
            Self::step(id);
        }
        Self::reveal(id, 0..1, Answers::Same(1));
        Self::serve_hastened(id);
        Self::wait_until_due(id);
        Self::step(id);
        H::attest(id, H::max_attesters_per_side(), H::max_attesters_per_side());
        Self::wait_until_due(id);
        Self::step(id);
        Self::draw();
        Self::wait(INVITE_WINDOW + 1);
        Self::accept(id, 1..fresh + 1);
        Self::commit(id, 1..fresh + 1, Answers::Same(2));
        Self::reveal(id, 1..fresh + 1, Answers::Same(2));
        Self::serve_hastened(id);
        Self::wait_until_due(id);
        Self::crowd(id, T::RetentionPeriod::get());
        id
    }

    /// A task that the chain computes, whose last of `n` workers has committed; the others were too late, one after the other.
    pub fn to_deliver(n: u32) -> TaskId {
        let id = Self::publish(1, 1, ALWAYS);
        Tasks::<T>::mutate(id, |task| task.as_mut().expect("task").terms.judge = JudgeRule::Exact);
        Progress::<T>::mutate(id, |progress| progress.as_mut().expect("task").kind = RoundKind::Exact);
        Self::accept(id, 0..1);
        // As if each of them had been replaced.
        for late in 1..n {
            let contribution = Contribution {
                round: 0,
                accepted_at: Self::now(),
                state: ContributionState::Replaced,
            };
            Contributions::<T>::insert(id, Self::worker(late), contribution);
        }
        Progress::<T>::mutate(id, |progress| progress.as_mut().expect("task").replaced = n - 1);
        Self::commit(id, 0..1, Answers::Same(1));
        Self::crowd(id, T::RetentionPeriod::get());
        id
    }

    /// Has the chain find that the first worker's claim is right.
    pub fn deliver(id: TaskId) {
        let (claim, salt) = Self::reveal_of(0, Answers::Same(1));
        let who = Self::worker(0);
        Pallet::<T>::revealable(id, &who, &claim, &salt).expect("it may be revealed");
        Pallet::<T>::deliver(id, &who, claim, &salt).expect("deliver");
    }

    /// A finished task whose record need not be kept any more.
    pub fn to_purge() -> TaskId {
        let id = Self::to_close(1);
        Self::step(id);
        Self::wait_until_due(id);
        Self::crowd(id, Zero::zero());
        id
    }

    /// A task that was hastened: it is in the agenda at its deadline, and should be at the end of its time to reveal.
    pub fn to_be_rescheduled() -> TaskId {
        let id = Self::publish(1, 1, ALWAYS);
        Self::accept(id, 0..1);
        Self::wait(1);
        Self::commit(id, 0..1, Answers::Same(1));
        Self::crowd(id, WINDOW.into());
        id
    }

    /// Makes as many workers as two tasks can have at most, for draws.
    pub fn many_workers() -> Vec<T::AccountId> {
        (0..T::MaxContributions::get() * 2).map(Self::worker).collect()
    }

    /// Carries out the draws that were ordered.
    fn draw() {
        Self::wait(DRAW_DELAY);
        Pallet::<T>::serve_draws(Self::now());
    }

    /// Takes the step that is due.
    pub fn step(id: TaskId) {
        Pallet::<T>::take_step(id, Self::now()).expect("a step is due");
    }

    /// Takes a task out of the queue of hastened tasks, as the end of a block does.
    fn serve_hastened(id: TaskId) {
        Hastened::<T>::mutate(|tasks| tasks.retain(|task| *task != id));
    }

    /// Waits until the next step of a task is due.
    pub fn wait_until_due(id: TaskId) {
        let due = Progress::<T>::get(id).expect("task").due;
        frame_system::Pallet::<T>::set_block_number(due);
    }

    /// Fills the agenda so that the task's bucket is full, and all but the last that are tried `after` so many blocks.
    pub fn crowd(id: TaskId, after: BlockNumberFor<T>) {
        if let Some(block) = Progress::<T>::get(id).and_then(|progress| progress.scheduled_at) {
            Self::fill(block, 0);
        }
        let first = Self::now() + after + One::one();
        for probe in 0..AGENDA_PROBES.saturating_sub(1) {
            Self::fill(first + probe.into(), 0);
        }
    }

    /// Fills a bucket with tasks that do not exist, but for `room` places.
    pub fn fill(block: BlockNumberFor<T>, room: u32) {
        let most = T::MaxTasksPerBlock::get().saturating_sub(room) as usize;
        Agenda::<T>::mutate(block, |tasks| {
            let missing = most.saturating_sub(tasks.len());
            for task in Self::nobodys_tasks(missing) {
                tasks.try_push(task).expect("there is room");
            }
        });
    }

    /// Fills the queue of hastened tasks but for one place.
    pub fn fill_hastened() {
        let most = T::MaxTasksPerBlock::get().saturating_sub(1) as usize;
        Hastened::<T>::put(BoundedVec::truncate_from(Self::nobodys_tasks(most)));
    }

    fn nobodys_tasks(count: usize) -> Vec<TaskId> {
        (0..count as u64).map(|n| TaskId(u64::MAX - n)).collect()
    }
}
