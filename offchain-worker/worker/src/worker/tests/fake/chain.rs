//! The fake chain as a worker sees it.

use super::{FakeChain, FakeState, GENESIS, KEPT, Mishap, Pooled, WORKER};
use crate::{Blocks, Call, Chain, Due, News, Receipt, State};
use agora_chain::{
    AccountId, Balance, BlockNumber, BlockRef, ChainError, H256,
    views::{BalanceView, Contribution, ParticipantView, ResponseView, RoundView, TaskView, TermsView},
};
use agora_primitives::{
    ClassId, TaskId,
    participants::{Role, Specialisations},
};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

impl Chain for FakeChain {
    type State = FakeView;
    type Blocks = FakeBlocks;

    fn account(&self) -> AccountId {
        WORKER
    }

    fn genesis_hash(&self) -> H256 {
        GENESIS
    }

    async fn best(&self) -> Result<FakeView, ChainError> {
        let inner = self.lock();
        Ok(FakeView(self.clone(), inner.blocks[inner.shown()].clone()))
    }

    async fn finalised(&self) -> Result<FakeView, ChainError> {
        let inner = self.lock();
        let at = inner.finalised.min(inner.shown());
        Ok(FakeView(self.clone(), inner.blocks[at].clone()))
    }

    async fn after(&self, block: BlockRef) -> Result<FakeView, ChainError> {
        let inner = self.lock();
        let state = inner.blocks.iter().find(|state| state.block == block);
        let gone = || ChainError::Disconnected("the block is on no fork that is known".to_owned());
        Ok(FakeView(self.clone(), state.cloned().ok_or_else(gone)?))
    }

    fn block_of(state: &FakeView) -> BlockRef {
        state.1.block
    }

    async fn participant(state: &FakeView, _: &AccountId, _: Role) -> Result<Option<ParticipantView>, ChainError> {
        Ok(Some(ParticipantView {
            specialisations: Specialisations::NONE,
            slots: state.1.slots,
            occupied: state.1.occupied,
            capability: 1,
            proven: None,
            last_heartbeat: 0,
        }))
    }

    fn follow_best(&self) -> FakeBlocks {
        let (sender, receiver) = unbounded_channel();
        self.lock().listeners.push(sender);
        FakeBlocks(receiver)
    }

    fn follow_finalised(&self, from: Option<BlockNumber>) -> FakeBlocks {
        let (sender, receiver) = unbounded_channel();
        let mut inner = self.lock();
        for at in 0..=inner.finalised {
            if from.is_some_and(|from| inner.blocks[at].block.number >= from) {
                let _ = sender.send(Ok(inner.news(at)));
            }
        }
        inner.settled.push(sender);
        drop(inner);
        FakeBlocks(receiver)
    }

    async fn send(&self, call: Call, due: Due) -> Result<Receipt, ChainError> {
        let mut inner = self.lock();
        // The same call is sent once.
        inner.pool.retain(|pooled| pooled.call != call);
        let mishap = inner.mishaps.pop_front();
        match mishap {
            Some(Mishap::CallLost) => return Err(ChainError::Disconnected("a broken pipe".to_owned())),
            Some(Mishap::PoolFull) => return Err(ChainError::Invalid("1016: Immediately Dropped".to_owned())),
            Some(Mishap::Late(blocks)) => {
                let from = inner.blocks.last().expect("there is genesis").block.number + blocks;
                inner.pool.push(Pooled { call, due, from });
                return Err(ChainError::Unknown("it was in no block".to_owned()));
            }
            Some(Mishap::AnswerLost) | None => {}
        }
        let mut done = Ok(());
        inner.next(|state| {
            done = state.apply(&call);
            state.refused += usize::from(done.is_err());
        });
        inner.sent += usize::from(done.is_ok());
        let block = inner.blocks.last().expect("just made").block;
        match (mishap, done) {
            (Some(_), _) => Err(ChainError::Unknown("the answer is lost".to_owned())),
            (None, Ok(())) => Ok(Receipt { block, fee: inner.fee }),
            (None, Err(error)) => Err(ChainError::Refused {
                pallet: "Tasks".to_owned(),
                error: error.to_owned(),
                help: String::new(),
            }),
        }
    }

    async fn withdraw(&self, call: Call, _: Due) -> Result<bool, ChainError> {
        let mut inner = self.lock();
        inner.pool.retain(|pooled| pooled.call != call);
        Ok(false)
    }

    async fn fee(&self, call: Call) -> Result<Balance, ChainError> {
        let inner = self.lock();
        if inner.computes_nothing && matches!(call, Call::RevealExact(..)) {
            return Err(ChainError::Incompatible("there is no such pallet".to_owned()));
        }
        match inner.tells_fees {
            true => Ok(inner.fee),
            false => Err(ChainError::Incompatible("nobody knows what calls cost".to_owned())),
        }
    }
}

/// A state, and the chain that counts how often it is read.
#[derive(Clone)]
pub struct FakeView(FakeChain, pub FakeState);

impl State for FakeView {
    async fn timestamp_ms(&self) -> Result<u64, ChainError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set");
        let ahead = self.0.lock().clock_ahead_ms;
        Ok((now.as_millis() as u64).saturating_add_signed(ahead))
    }

    async fn task(&self, id: TaskId) -> Result<Option<TaskView>, ChainError> {
        self.0.lock().reads += 1;
        Ok(self.1.tasks.get(&id).cloned())
    }

    async fn tasks_wanting_workers(&self) -> Result<Vec<TaskView>, ChainError> {
        self.0.lock().reads += self.1.tasks.len();
        let wanting = self
            .1
            .tasks
            .values()
            .filter(|task| task.takes(&WORKER, self.1.block.number));
        Ok(wanting.cloned().collect())
    }

    async fn tasks(&self) -> Result<Vec<TaskView>, ChainError> {
        self.0.lock().reads += self.1.tasks.len();
        Ok(self.1.tasks.values().cloned().collect())
    }

    async fn contribution(&self, task: TaskId, _: &AccountId) -> Result<Option<Contribution>, ChainError> {
        Ok(self.1.parts.get(&task).copied())
    }

    async fn sources(&self, _: &TaskView, _: Option<&AccountId>) -> Result<Vec<String>, ChainError> {
        Ok(Vec::new())
    }

    async fn balance(&self, _: &AccountId) -> Result<BalanceView, ChainError> {
        Ok(BalanceView {
            free: self.1.free,
            held: 0,
        })
    }

    fn existential_deposit(&self) -> Result<Balance, ChainError> {
        Ok(KEPT)
    }

    async fn terms(&self) -> Result<Vec<(ClassId, TermsView)>, ChainError> {
        let terms = TermsView {
            worker: 650_000,
            best_share: 700_000,
            max_replicas: 7,
        };
        Ok(vec![(ClassId(0), terms)])
    }

    async fn hardware_round(&self) -> Result<Option<RoundView>, ChainError> {
        self.0.lock().round_reads += 1;
        Ok(self.1.round)
    }

    async fn hardware_response(&self, _: u32, _: &AccountId) -> Result<Option<ResponseView>, ChainError> {
        Ok(self.1.response.clone())
    }
}

/// Blocks of a fake chain.
pub struct FakeBlocks(UnboundedReceiver<Result<News, ChainError>>);

impl Blocks for FakeBlocks {
    async fn next(&mut self) -> Result<News, ChainError> {
        match self.0.recv().await {
            Some(news) => news,
            None => std::future::pending().await,
        }
    }
}

impl FakeBlocks {
    /// The blocks that are there.
    pub fn ready(mut self) -> Vec<News> {
        std::iter::from_fn(|| self.0.try_recv().ok()?.ok()).collect()
    }
}

impl FakeChain {
    /// How often tasks were read since the last call.
    pub fn take_reads(&self) -> usize {
        std::mem::take(&mut self.lock().reads)
    }
}
