//! What a worker and a verifier need of a chain, so that tests, and workers of somebody else's making, can put something
//! else in its place. [`Submitter`](agora_chain::Submitter) is the real one.
//!
//! Terms: *best* is the newest block, which a re-org may undo; *finalised* is what nothing undoes.

mod node;

use agora_chain::{
    AccountId, Balance, BlockNumber, BlockRef, ChainError, H256,
    views::{BalanceView, Contribution, ParticipantView, PaymentView, ResponseView, RoundView, TaskView, TermsView},
};
use agora_primitives::{
    ClassId, TaskId,
    job::{ChunkProof, Claim},
    participants::Role,
    reputation::Outcome,
};

/// A chain, and the one account that acts on it.
pub trait Chain: Clone + Send + Sync + 'static {
    /// The state after a block.
    type State: Send + Sync + Clone + 'static;
    /// Blocks as they come.
    type Blocks: Blocks;

    /// The account whose calls are sent: it works, puts up bonds and is paid.
    fn account(&self) -> AccountId;

    /// The account that pays the fees: another one, if the calls are made by a proxy.
    fn payer(&self) -> AccountId {
        self.account()
    }

    /// What identifies the chain.
    fn genesis_hash(&self) -> H256;

    /// The state after the best block.
    fn best(&self) -> impl Future<Output = Result<Self::State, ChainError>> + Send;

    /// The state after the newest finalised block.
    fn finalised(&self) -> impl Future<Output = Result<Self::State, ChainError>> + Send;

    /// The state after `block`, of which it has told.
    ///
    /// Errors: it is not there any more.
    fn after(&self, block: BlockRef) -> impl Future<Output = Result<Self::State, ChainError>> + Send;

    /// The block of a state.
    fn block_of(state: &Self::State) -> BlockRef;

    /// The part that `who` plays in the market as `role`, if any.
    fn participant(
        state: &Self::State,
        who: &AccountId,
        role: Role,
    ) -> impl Future<Output = Result<Option<ParticipantView>, ChainError>> + Send;

    /// Follows the best chain from now on.
    fn follow_best(&self) -> Self::Blocks;

    /// Follows the finalised chain from block `from` on, or from the newest one.
    fn follow_finalised(&self, from: Option<BlockNumber>) -> Self::Blocks;

    /// Sends `call` and waits until it is in a best block, which a re-org may undo. The same call that is due for the same
    /// is sent once, also after a restart.
    ///
    /// Errors: `Refused` and `Failed` when it is in a block and was refused there, for a fee; `Unknown` and whatever else
    /// is recoverable when it may or may not get into a block; others when it does not.
    fn send(&self, call: Call, due: Due) -> impl Future<Output = Result<Receipt, ChainError>> + Send;

    /// Sends `call` no more, which was due for the same before. Returns whether it may still get into a block.
    fn withdraw(&self, call: Call, due: Due) -> impl Future<Output = Result<bool, ChainError>> + Send;

    /// What `call` costs as blocks are now, in plancks.
    fn fee(&self, call: Call) -> impl Future<Output = Result<Balance, ChainError>> + Send;
}

/// The state after a block, as far as a worker asks.
pub trait State: Send + Sync + Clone + 'static {
    /// When the block was made, in milliseconds since 1970.
    fn timestamp_ms(&self) -> impl Future<Output = Result<u64, ChainError>> + Send;

    /// One task; `None`: the chain does not know it (any more).
    fn task(&self, id: TaskId) -> impl Future<Output = Result<Option<TaskView>, ChainError>> + Send;

    /// All tasks that take workers.
    fn tasks_wanting_workers(&self) -> impl Future<Output = Result<Vec<TaskView>, ChainError>> + Send;

    /// All tasks that the chain knows, those that have ended lately among them.
    fn tasks(&self) -> impl Future<Output = Result<Vec<TaskView>, ChainError>> + Send;

    /// The part of `worker` in an unfinished task.
    fn contribution(
        &self,
        task: TaskId,
        worker: &AccountId,
    ) -> impl Future<Output = Result<Option<Contribution>, ChainError>> + Send;

    /// The addresses of those who may have what `task` is made of, but for those of `but`. Anybody can write anything there.
    fn sources(
        &self,
        task: &TaskView,
        but: Option<&AccountId>,
    ) -> impl Future<Output = Result<Vec<String>, ChainError>> + Send;

    /// An account's money.
    fn balance(&self, who: &AccountId) -> impl Future<Output = Result<BalanceView, ChainError>> + Send;

    /// What must stay on an account, which ceases to exist below it.
    fn existential_deposit(&self) -> Result<Balance, ChainError>;

    /// How each class divides its rewards.
    fn terms(&self) -> impl Future<Output = Result<Vec<(ClassId, TermsView)>, ChainError>> + Send;

    /// The round of hardware challenges that was opened last.
    fn hardware_round(&self) -> impl Future<Output = Result<Option<RoundView>, ChainError>> + Send;

    /// What `worker` responded in `round`.
    fn hardware_response(
        &self,
        round: u32,
        worker: &AccountId,
    ) -> impl Future<Output = Result<Option<ResponseView>, ChainError>> + Send;
}

/// Blocks as they come, without end.
pub trait Blocks: Send {
    /// The next block. Dropping the future loses none.
    fn next(&mut self) -> impl Future<Output = Result<News, ChainError>> + Send;
}

/// What happened in a block, as far as anybody here asks. Hints: the state decides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct News {
    /// The block.
    pub block: BlockRef,
    /// The tasks that changed.
    pub changed: Vec<TaskId>,
    /// How workers were judged.
    pub judged: Vec<(TaskId, AccountId, Outcome)>,
    /// What came of the attestations of verifiers.
    pub attested: Vec<(TaskId, AccountId, Attested)>,
    /// What was paid out of holds.
    pub payments: Vec<PaymentView>,
    /// Whether a class, or how rewards are divided, changed.
    pub terms_changed: bool,
}

/// What came of an attestation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attested {
    /// It was right, and is paid.
    Right,
    /// It was wrong, and cost a part of the bond.
    Wrong,
    /// It was not revealed, and cost the bond.
    NotRevealed,
}

/// A transaction, typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Call {
    /// Shows that the account is there.
    Heartbeat,
    /// Accepts a task.
    Accept(TaskId),
    /// Declines the invitation to a task.
    Decline(TaskId),
    /// Commits to a result.
    Commit(TaskId, H256),
    /// Reveals a claim with the salt of its commitment.
    Reveal(TaskId, Claim, [u8; 32]),
    /// Reveals a claim about a task that the chain computes, with the salt of its commitment and the bytes of all inputs of its job.
    RevealExact(TaskId, Claim, [u8; 32], Vec<u8>),
    /// Takes the step of a task that is due.
    Advance(TaskId),
    /// Responds to the account's hardware challenge in a round.
    Respond(u32, H256),
    /// Shows that this response was a decoy: with this secret, and the proof of the mark.
    ShowDecoy(u32, [u8; 32], Box<ChunkProof>),
}

/// What a call is due for, and until when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    /// Which of several calls of one sort it is: the task's round, the hardware round, the block of a heartbeat.
    pub round: u32,
    /// The last block in which it is worth anything.
    pub until: BlockNumber,
    /// The block on whose state it was decided, where the call speaks about more than its words name: on a chain without
    /// this block it is not made. `None`: it says the same on every fork.
    pub decided_at: Option<BlockRef>,
}

/// A call that succeeded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The block that it is in.
    pub block: BlockRef,
    /// What it cost, in plancks.
    pub fee: Balance,
}
