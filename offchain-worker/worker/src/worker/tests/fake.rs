//! A chain in memory, with the rules that a worker's money depends on, and everything that can go wrong between it and a
//! worker. A call that is sent is in a block at once.

mod chain;
mod rules;

use crate::{Call, Due, News, worker::policy};
use agora_chain::{
    AccountId, Balance, BlockNumber, BlockRef, ChainError, H256,
    views::{Contribution, ContributionState, PaymentView, ResponseView, RoundView, TaskView},
};
use agora_primitives::{
    TaskId,
    commitment::commitment,
    job::Claim,
    money::{Payee, Purpose, Scope},
    reputation::Outcome,
    task::{LATE_STEP_PARTS, Phase},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::mpsc::UnboundedSender;

/// The worker's account.
pub const WORKER: AccountId = AccountId([7; 32]);
/// What identifies the chain.
pub const GENESIS: H256 = H256([3; 32]);
/// What a call costs.
pub const FEE: Balance = 1_000_000;
/// What must stay on an account.
pub const KEPT: Balance = 1_000_000_000;
/// A worker's bond for a task, in plancks.
pub const BOND: Balance = 100_000_000_000;
/// How long may be revealed.
const REVEAL_WINDOW: BlockNumber = 30;
/// How long may be appealed.
const APPEAL_WINDOW: BlockNumber = 10;

/// What happens to the next call that is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mishap {
    /// It gets into a block, and the answer is lost.
    AnswerLost,
    /// It gets nowhere, and nobody says so.
    CallLost,
    /// The pool is full.
    PoolFull,
    /// It gets into a block after so many more, if it is still wanted then, and nobody hears of it.
    Late(BlockNumber),
}

/// A call that a pool has.
struct Pooled {
    call: Call,
    due: Due,
    from: BlockNumber,
}

/// The state after a block.
#[derive(Clone)]
pub struct FakeState {
    pub block: BlockRef,
    pub tasks: BTreeMap<TaskId, TaskView>,
    pub parts: BTreeMap<TaskId, Contribution>,
    pub free: Balance,
    pub slots: u32,
    pub occupied: u32,
    /// What was taken of the worker's bonds.
    pub lost: Balance,
    /// How its tasks were judged.
    pub judged: BTreeMap<TaskId, Outcome>,
    /// How many calls were refused, for a fee.
    pub refused: usize,
    /// Whether the chain takes no step by itself.
    is_stalled: bool,
    /// For how many steps the worker was paid.
    pub paid_steps: u32,
    /// Whether the worker may accept nothing, which no view tells.
    is_banned: bool,
    /// The round of hardware challenges, and this worker's response in it.
    pub round: Option<RoundView>,
    pub response: Option<ResponseView>,
    /// How often the worker has shown that its response is a decoy.
    pub decoys_shown: u32,
    /// What happened in this block.
    changed: Vec<TaskId>,
    /// What was taken of bonds in this block.
    penalties: Vec<(TaskId, Balance)>,
}

/// A chain.
#[derive(Clone)]
pub struct FakeChain(Arc<Mutex<Inner>>);

struct Inner {
    blocks: Vec<FakeState>,
    finalised: usize,
    /// What the node shows instead of the newest block.
    shows: Option<usize>,
    mishaps: VecDeque<Mishap>,
    listeners: Vec<UnboundedSender<Result<News, ChainError>>>,
    settled: Vec<UnboundedSender<Result<News, ChainError>>>,
    forks: u8,
    pool: Vec<Pooled>,
    /// What a call costs now.
    fee: Balance,
    /// By how many milliseconds the chain's clock is ahead of this machine's.
    clock_ahead_ms: i64,
    /// Whether the node says that.
    tells_fees: bool,
    /// Whether it has no court that computes.
    computes_nothing: bool,
    /// How many calls of each kind succeeded, re-orgs not counted.
    pub sent: usize,
    /// How often tasks were read.
    pub reads: usize,
    /// How often the hardware round was read.
    round_reads: usize,
}

impl FakeChain {
    /// With some blocks, and a worker that has so many slots.
    pub fn new(slots: u32) -> Self {
        let genesis = FakeState {
            block: BlockRef {
                number: 1,
                hash: H256([0; 32]),
            },
            tasks: BTreeMap::new(),
            parts: BTreeMap::new(),
            free: 1_000_000_000_000_000,
            slots,
            occupied: 0,
            lost: 0,
            judged: BTreeMap::new(),
            refused: 0,
            is_stalled: false,
            paid_steps: 0,
            is_banned: false,
            round: None,
            response: None,
            decoys_shown: 0,
            changed: Vec::new(),
            penalties: Vec::new(),
        };
        Self(Arc::new(Mutex::new(Inner {
            blocks: vec![genesis],
            finalised: 0,
            shows: None,
            mishaps: VecDeque::new(),
            listeners: Vec::new(),
            settled: Vec::new(),
            forks: 0,
            pool: Vec::new(),
            fee: FEE,
            clock_ahead_ms: 0,
            tells_fees: true,
            computes_nothing: false,
            sent: 0,
            reads: 0,
            round_reads: 0,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no test panics while it holds it")
    }

    /// Publishes a task that is open for so many blocks.
    pub fn publish(&self, id: u64, blocks: BlockNumber) {
        self.publish_as(id, blocks, |_| {});
    }

    /// Publishes a task, changed by `change`.
    pub fn publish_as(&self, id: u64, blocks: BlockNumber, change: impl FnOnce(&mut TaskView)) {
        let mut inner = self.lock();
        inner.next(|state| {
            let mut task = TaskView {
                wanted: 2,
                until: state.block.number + blocks,
                deadline: state.block.number + blocks,
                reward: 1_000_000_000_000,
                stake: 500_000_000_000,
                bond: BOND,
                ..policy::tests::task(id)
            };
            change(&mut task);
            state.changed.push(task.id);
            state.tasks.insert(task.id, task);
        });
    }

    /// The round of hardware challenges is this one from now on.
    pub fn set_round(&self, round: RoundView) {
        self.lock().next(|state| state.round = Some(round));
    }

    /// How often the hardware round was read since the last call.
    pub fn take_round_reads(&self) -> usize {
        std::mem::take(&mut self.lock().round_reads)
    }

    /// The chain forgets the task `id`.
    pub fn forget(&self, id: u64) {
        self.lock().next(|state| _ = state.tasks.remove(&TaskId(id)));
    }

    /// Leaves the worker so much of its money.
    pub fn leave(&self, free: Balance) {
        self.lock().next(|state| state.free = free);
    }

    /// Whether the node says what calls cost.
    pub fn tell_fees(&self, tells: bool) {
        self.lock().tells_fees = tells;
    }

    /// It has no court that computes, from now on.
    pub fn compute_nothing(&self) {
        self.lock().computes_nothing = true;
    }

    /// From now on the worker's acceptances are refused.
    pub fn ban(&self) {
        self.lock().next(|state| state.is_banned = true);
    }

    /// From now on the chain takes no step by itself.
    pub fn stall(&self) {
        self.lock().next(|state| state.is_stalled = true);
    }

    /// Somebody else takes over the worker's slot in the task `id`.
    pub fn replace(&self, id: u64) {
        self.lock().next(|state| state.replace(TaskId(id)));
    }

    /// So many more blocks, and the finalised one `lag` behind.
    pub fn grow(&self, blocks: usize, lag: usize) {
        let mut inner = self.lock();
        for _ in 0..blocks {
            inner.next(|_| {});
        }
        let to = inner.blocks.len().saturating_sub(1 + lag).max(inner.finalised);
        for at in inner.finalised + 1..=to {
            let news = inner.news(at);
            inner.settled.retain(|listener| listener.send(Ok(news.clone())).is_ok());
        }
        inner.finalised = to;
    }

    /// Undoes blocks that are not final, at most `depth`, and what is in them.
    pub fn reorg(&self, depth: usize) {
        let mut inner = self.lock();
        let keep = (inner.blocks.len() - depth.min(inner.blocks.len() - 1)).max(inner.finalised + 1);
        let undone = inner.blocks.len() - keep;
        inner.blocks.truncate(keep);
        inner.forks = inner.forks.wrapping_add(1);
        // The fork that wins is longer. Tasks that were published are published in it too, by others.
        for _ in 0..=undone {
            inner.next(|_| {});
        }
    }

    /// Forgets the blocks that nobody asks for any more, and the tasks that had ended then.
    pub fn forget_old(&self) {
        const KEPT_BLOCKS: usize = 128;
        let mut inner = self.lock();
        let old = inner.blocks.len().saturating_sub(KEPT_BLOCKS).min(inner.finalised);
        if old == 0 {
            return;
        }
        inner.blocks.drain(..old);
        inner.finalised -= old;
        let ended: Vec<_> = inner.blocks[0]
            .tasks
            .iter()
            .filter(|(_, task)| task.phase.is_finished())
            .map(|(id, _)| *id)
            .collect();
        for state in &mut inner.blocks {
            for id in &ended {
                state.tasks.remove(id);
                state.judged.remove(id);
            }
        }
    }

    /// The node shows what was `back` blocks ago, or the newest again.
    pub fn show(&self, back: Option<usize>) {
        let mut inner = self.lock();
        inner.shows = back.map(|back| inner.blocks.len().saturating_sub(1 + back));
    }

    /// The next calls meet these, and no others.
    pub fn mishaps(&self, mishaps: &[Mishap]) {
        self.lock().mishaps = mishaps.iter().copied().collect();
    }

    /// The newest state, whatever the node shows.
    pub fn newest(&self) -> FakeState {
        self.lock().blocks.last().expect("there is genesis").clone()
    }

    /// How many calls wait in a pool.
    pub fn waiting(&self) -> usize {
        self.lock().pool.len()
    }

    /// By how many seconds the chain's clock is ahead of this machine's from now on.
    pub fn set_clock(&self, ahead: i64) {
        self.lock().clock_ahead_ms = 1000 * ahead;
    }

    /// What a call costs from now on.
    pub fn set_fee(&self, fee: Balance) {
        self.lock().fee = fee;
    }

    /// How many calls succeeded, those in forks that lost included.
    pub fn sent(&self) -> usize {
        self.lock().sent
    }

    /// Breaks all streams of blocks with an error that is not recoverable.
    pub fn break_streams(&self) {
        let mut inner = self.lock();
        let error = || Err(ChainError::Node("an event that nobody knows".to_owned()));
        inner.listeners.retain(|listener| listener.send(error()).is_ok());
        inner.settled.retain(|listener| listener.send(error()).is_ok());
    }
}

impl Inner {
    /// Makes a block in which `happens`.
    fn next(&mut self, happens: impl FnOnce(&mut FakeState)) {
        let mut state = self.blocks.last().expect("there is genesis").clone();
        state.block.number += 1;
        state.block.hash = H256([self.forks.wrapping_add(state.block.number as u8); 32]);
        state.changed.clear();
        state.penalties.clear();
        state.advance();
        self.include(&mut state);
        happens(&mut state);
        self.blocks.push(state);
        let news = self.news(self.blocks.len() - 1);
        self.listeners
            .retain(|listener| listener.send(Ok(news.clone())).is_ok());
    }

    /// Puts what waits in the pool into a block, as far as it is valid.
    fn include(&mut self, state: &mut FakeState) {
        let now = state.block.number;
        for pooled in std::mem::take(&mut self.pool) {
            let block = pooled.due.decided_at;
            let has_it = block.is_none_or(|block| self.blocks.iter().any(|here| here.block == block));
            if now > pooled.due.until || !has_it {
                continue;
            }
            if now < pooled.from {
                self.pool.push(pooled);
            } else if state.apply(&pooled.call).is_ok() {
                self.sent += 1;
            } else {
                state.refused += 1;
            }
        }
    }

    fn news(&self, at: usize) -> News {
        let (state, before) = (&self.blocks[at], &self.blocks[at.saturating_sub(1)]);
        let new = state
            .judged
            .iter()
            .filter(|(task, _)| !before.judged.contains_key(task));
        News {
            block: state.block,
            changed: state.changed.clone(),
            judged: new.map(|(task, outcome)| (*task, WORKER, *outcome)).collect(),
            attested: Vec::new(),
            payments: state.penalties.iter().map(rules::penalty).collect(),
            terms_changed: false,
        }
    }

    fn shown(&self) -> usize {
        self.shows.unwrap_or(self.blocks.len() - 1)
    }
}
