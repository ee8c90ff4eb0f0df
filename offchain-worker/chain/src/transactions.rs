//! Carries out what [`agora_transactions`] says is due: signs, writes to the log, sends, and tells those who wait.

mod callers;
mod eyes;
mod outcome;

pub use outcome::Included;

use crate::{
    AccountId, Amount, AtBlock, Balance, BlockRef, ChainError, Client, H256, Keypair, api::api, error::pool_answer,
    nodes::Node,
};
use agora_transactions::{
    Action, Answer, Attempt, BlockId, Book, Hash, IntentId, Nonce, Notice, Policy, Reason, TransactionLog,
};
use callers::Waiting;
use eyes::{Brief, Eyes, Sought};
use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use subxt::config::DefaultExtrinsicParamsBuilder;
use tokio::{sync::Notify, time::Instant};

/// How often the chain is looked at while something is in no block.
const EVERY: Duration = Duration::from_millis(200);
/// How often it is looked at while all is in blocks that are not final.
const EVERY_FINAL: Duration = Duration::from_secs(1);
/// How long a node has to answer when a transaction is handed to it.
const ANSWER: Duration = Duration::from_secs(10);
/// How long those who wait are not told of errors that may pass.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often one look may lead to another before the next block.
const LOOKS: usize = 8;

/// How far a transaction must come before its caller goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Until {
    /// It is in a block of the best chain.
    Best,
    /// It is in a final block, or finality stands still and it is in a block of the best chain.
    Settled,
}

/// All transactions of one key.
pub(crate) struct Transactions {
    pub client: Client,
    /// The key's account, which pays the fees.
    pub account: AccountId,
    /// Whose calls they are.
    on_behalf_of: AccountId,
    keypair: Keypair,
    log: Arc<dyn TransactionLog>,
    policy: Policy,
    inner: Mutex<Inner>,
    /// How many answers were lost since the last one that was not.
    lost: AtomicU32,
    /// Wakes up who carries out what is due.
    wake: Notify,
}

struct Inner {
    book: Book,
    waiting: Vec<Waiting>,
}

fn log_error(error: agora_transactions::LogError) -> ChainError {
    ChainError::Log(error.to_string())
}

impl Transactions {
    /// Goes on with what `log` holds.
    pub async fn resume(
        client: Client,
        keypair: Keypair,
        on_behalf_of: AccountId,
        log: Arc<dyn TransactionLog>,
        policy: Policy,
    ) -> Result<Self, ChainError> {
        let finalised = log.finalised().map_err(log_error)?;
        if let Some(BlockId { number, hash }) = finalised {
            let hash = H256(hash);
            client.nodes.expect_final(BlockRef { number, hash }).await;
        }
        let book = Book::restore(log.all().map_err(log_error)?, finalised);
        Ok(Self {
            account: keypair.account(),
            on_behalf_of,
            client,
            keypair,
            log,
            policy,
            inner: Mutex::new(Inner {
                book,
                waiting: Vec::new(),
            }),
            lost: AtomicU32::new(0),
            wake: Notify::new(),
        })
    }

    fn inner<T>(&self, with: impl FnOnce(&mut Inner) -> T) -> T {
        with(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Carries out what is due, without end.
    pub async fn run(self: Arc<Self>) {
        let mut eyes = Eyes::default();
        let mut failing: Option<Instant> = None;
        let mut told = self.client.told.subscribe();
        // Whether the last look, if it was just now, will do.
        let mut may_be_old = false;
        loop {
            let round = AssertUnwindSafe(self.round(&mut eyes, may_be_old)).catch_unwind().await;
            let round = round.unwrap_or_else(|_| {
                // Who waits must not wait for ever.
                self.fail_waiting(|| ChainError::Unknown("a fault of this program".to_owned()));
                eyes = Eyes::default();
                Err(ChainError::Unknown("a fault of this program".to_owned()))
            });
            match round {
                Ok(()) => failing = None,
                // Nobody waits for anything.
                Err(error) if self.inner(|inner| inner.book.is_idle()) => {
                    tracing::debug!(%error, "The chain was not looked at.");
                }
                Err(error) => {
                    let since = *failing.get_or_insert_with(|| {
                        tracing::warn!(%error, "Transactions cannot go on; trying again.");
                        Instant::now()
                    });
                    if !error.is_recoverable() || since.elapsed() > PATIENCE {
                        let text = error.to_string();
                        let is_lasting = !error.is_recoverable();
                        self.fail_waiting(|| match is_lasting {
                            true => ChainError::Incompatible(text.clone()),
                            false => ChainError::Unknown(text.clone()),
                        });
                    }
                }
            }
            let pause = match self.inner(|inner| (inner.book.is_idle(), inner.book.is_waiting())) {
                (true, _) => None,
                // Where nodes answer nothing, more and more seldom.
                (_, true) => Some(EVERY * (1 << self.lost.load(Ordering::Relaxed).min(4))),
                (_, false) => Some(EVERY_FINAL),
            };
            may_be_old = tokio::select! {
                // A new intent: a block that came just now was looked at.
                () = self.wake.notified() => true,
                // Who follows the chain may decide upon each block to send something.
                Ok(()) = told.changed() => false,
                () = after(pause) => false,
            };
        }
    }

    /// Looks at the chain and does what is due, until nothing is.
    async fn round(&self, eyes: &mut Eyes, mut may_be_old: bool) -> Result<(), ChainError> {
        // What was signed is sent on what was seen before: nothing that is new speaks about it.
        let mut seen = None;
        for _ in 0..LOOKS {
            let briefs: Vec<Brief> = self.inner(|inner| inner.book.attempts().map(Brief::of).collect());
            let (known, origins) = self.inner(|inner| (inner.book.finalised(), inner.book.origins()));
            let sought = Sought {
                briefs: &briefs,
                known,
                origins: &origins,
                may_be_old,
            };
            may_be_old = false;
            let (view, is_new) = match seen.take() {
                Some(view) => (view, false),
                None => (eyes.look(&self.client, &self.account, sought).await?, true),
            };
            let actions = self.inner(|inner| inner.book.step(&view, &self.policy));
            let (mut goes_on, mut failed) = (false, None);
            let has_signed = actions.iter().any(|action| matches!(action, Action::Sign { .. }));
            for action in actions {
                // One that fails, as on a full disk, does not hold the others up: each is allowed on its own.
                match self.carry_out(action).await {
                    Ok(more) => goes_on |= more,
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
            self.tell_waiting();
            if let Some(error) = failed {
                return Err(error);
            }
            if !goes_on {
                break;
            }
            seen = (has_signed && is_new).then_some(view);
        }
        // What is not written down is found out anew after a restart.
        if let Err(error) = self.note_final() {
            tracing::debug!(%error, "How far the chain is final could not be written down.");
        }
        Ok(())
    }

    /// Carries out one action. Returns whether more may be due at once.
    async fn carry_out(&self, action: Action) -> Result<bool, ChainError> {
        match action {
            Action::Sign {
                id,
                nonce,
                anchor,
                life,
                tip,
            } => {
                self.sign_for(&id, nonce, anchor, life, tip).await?;
                Ok(true)
            }
            Action::Persist(id) => self.persist(&id).await.map(|()| true),
            Action::Send(hash) => {
                let Some(bytes) = self.inner(|inner| inner.book.attempt(&hash).map(|one| one.bytes.clone())) else {
                    return Ok(false);
                };
                let answer = self.send(&bytes).await;
                let is_refusal = answer.is_refusal();
                match answer {
                    Answer::Lost => self.lost.fetch_add(1, Ordering::Relaxed),
                    _ => self.lost.swap(0, Ordering::Relaxed),
                };
                tracing::debug!(hash = ?H256(hash), ?answer, "Sent a transaction.");
                self.inner(|inner| inner.book.answered(&hash, answer));
                Ok(is_refusal)
            }
            Action::Forget(id) => self.log.remove(&id).map(|()| false).map_err(log_error),
            Action::Tell(notice) => {
                self.tell(notice);
                Ok(false)
            }
        }
    }

    /// Signs for an intent, and writes that down.
    async fn sign_for(
        &self,
        id: &IntentId,
        nonce: Nonce,
        anchor: BlockId,
        life: u32,
        tip: Balance,
    ) -> Result<(), ChainError> {
        let Some(call) = self.inner(|inner| Some(inner.book.record(id)?.intent.call.clone())) else {
            return Ok(());
        };
        let hash = H256(anchor.hash);
        let at = self.client.at(hash).await?;
        let params = DefaultExtrinsicParamsBuilder::new()
            .nonce(nonce)
            .tip(tip)
            .mortal_from_unchecked(life.into(), anchor.number.into(), hash);
        match self.sign(&at, &call, params) {
            Ok((hash, bytes)) => {
                let attempt = Attempt {
                    nonce,
                    anchor,
                    life,
                    tip,
                    hash,
                    bytes,
                };
                self.inner(|inner| inner.book.signed(id, attempt));
                self.persist(id).await
            }
            Err(error) => {
                self.inner(|inner| inner.book.give_up(id, Reason::Invalid(error.to_string())));
                Ok(())
            }
        }
    }

    async fn persist(&self, id: &IntentId) -> Result<(), ChainError> {
        let Some(record) = self.inner(|inner| inner.book.record(id).cloned()) else {
            return Ok(());
        };
        let log = Arc::clone(&self.log);
        // A disk may take its time.
        let written = tokio::task::spawn_blocking(move || log.put(&record)).await;
        let written = written
            .map_err(|error| ChainError::Log(error.to_string()))
            .and_then(|written| written.map_err(log_error));
        self.inner(|inner| match &written {
            Ok(()) => inner.book.persisted(id),
            Err(_) => inner.book.not_persisted(id),
        });
        written
    }

    /// Writes down how far the chain is final, from time to time.
    fn note_final(&self) -> Result<(), ChainError> {
        let known = self.log.finalised().map_err(log_error)?.unwrap_or_default();
        let now = self.inner(|inner| inner.book.finalised());
        if now.number > known.number {
            self.log.put_finalised(now).map_err(log_error)?;
        }
        Ok(())
    }

    /// Signs an encoded call. Returns the transaction's hash and bytes.
    fn sign(
        &self,
        at: &AtBlock,
        call: &[u8],
        params: DefaultExtrinsicParamsBuilder<subxt::PolkadotConfig>,
    ) -> Result<(Hash, Vec<u8>), ChainError> {
        let transactions = at.at.tx();
        let call = transactions.from_call_data_bytes(call)?;
        let mut signable = transactions.create_signable_offline(&call, params.build())?;
        let signed = signable.sign(&self.keypair)?;
        Ok((signed.hash().0, signed.into_encoded()))
    }

    /// Hands a transaction to the nodes that are believed.
    async fn send(&self, bytes: &[u8]) -> Answer {
        let nodes = self.client.nodes.for_sending();
        let mut answers: FuturesUnordered<_> = nodes.iter().map(|node| send_to(node, bytes)).collect();
        let mut refusal = None;
        let mut is_lost = nodes.is_empty();
        while let Some(answer) = answers.next().await {
            match answer {
                // The slower ones are not waited for: it is sent again if it does not come into a block.
                Answer::Taken => return answer,
                Answer::Lost => is_lost = true,
                _ => refusal = Some(answer),
            }
        }
        refusal.filter(|_| !is_lost).unwrap_or(Answer::Lost)
    }

    fn tell(&self, notice: Notice) {
        let account = &self.account;
        match notice {
            Notice::OtherProgram { nonce } => tracing::warn!(
                %account,
                nonce,
                "Another program signs with the same key. Both go on, more slowly; give each a key of its own."
            ),
            Notice::TipRaised { id, tip } => {
                tracing::info!(%account, intent = %id, tip = %Amount(tip), "A transaction waits too long: offering a higher tip.");
            }
            Notice::NotBelieved { lacks } => tracing::warn!(
                %account,
                number = lacks.number,
                "The node that is used lacks a block that was final: no transactions are sent until it has it."
            ),
            Notice::Filled { nonce } => tracing::info!(
                %account,
                nonce,
                "Sending a transaction that does nothing, because those after it would wait for its nonce."
            ),
        }
    }
}

/// Waits for so long; `None`: without end.
async fn after(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}

async fn send_to(node: &Node, bytes: &[u8]) -> Answer {
    match tokio::time::timeout(ANSWER, node.legacy.author_submit_extrinsic(bytes)).await {
        Ok(Ok(_)) => Answer::Taken,
        Ok(Err(error)) => pool_answer(&error),
        Err(_) => Answer::Lost,
    }
}

/// The call that does nothing, encoded.
pub(crate) fn filler(at: &AtBlock) -> Result<Vec<u8>, ChainError> {
    Ok(at.at.tx().call_data(&api::transactions().system().remark(Vec::new()))?)
}
