//! Sending transactions.

use crate::{
    AccountId, Balance, BlockNumber, BlockRef, ChainError, Client, Keypair, Payload, ProxyType,
    api::api,
    transactions::{Included, Transactions, Until, filler},
};
use agora_transactions::{BlockId, Intent, IntentId, MemoryLog, Policy, Repetition, TransactionLog};
use futures::{StreamExt, stream};
use std::sync::{Arc, OnceLock};
use subxt::config::DefaultExtrinsicParamsBuilder;
use tokio::{
    sync::{OnceCell, Semaphore},
    task::AbortHandle,
};

/// Life, in blocks, of a transaction that is one of many: it may have to wait for those before it.
const BULK_LIFE: u64 = 1024;
/// How many transactions are handed to the pool at the same time.
const SENT_AT_ONCE: usize = 32;

/// What a transaction is for: its name, until when it is worth anything, and what it costs if it happens twice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intention {
    id: IntentId,
    deadline: Option<BlockNumber>,
    origin: Option<BlockId>,
    urgency: u8,
    repetition: Repetition,
}

impl Intention {
    /// A call that the runtime refuses if it comes twice. The name is the same after a restart, and unique:
    /// `commit of task 7 round 0`. A call of a name that was included is not sent again.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            id: IntentId::from(name),
            deadline: None,
            origin: None,
            urgency: 0,
            repetition: Repetition::Harmless,
        }
    }

    /// A call that may come any number of times, such as a transfer: this one is to come once.
    pub fn once() -> Self {
        Self {
            id: IntentId::from(format!("transaction {:016x}", rand::random::<u64>())),
            deadline: None,
            origin: None,
            urgency: 0,
            repetition: Repetition::Costly,
        }
    }

    /// It is worth nothing after this block.
    pub fn until(mut self, deadline: BlockNumber) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// It was decided on the state after `block`, and speaks about that: on a chain without this block it is not made.
    pub fn decided_at(mut self, block: BlockRef) -> Self {
        self.origin = Some(BlockId {
            number: block.number,
            hash: block.hash.0,
        });
        self
    }

    /// It gets its nonce before those that are less urgent: 0 is the least, 254 the most.
    pub fn urgent(mut self, urgency: u8) -> Self {
        self.urgency = urgency;
        self
    }

    fn of(self, call: Vec<u8>) -> Intent {
        Intent {
            id: self.id,
            call,
            deadline: self.deadline,
            origin: self.origin,
            urgency: self.urgency,
            repetition: self.repetition,
        }
    }
}

/// Sends transactions of one key, for its own account or for one that has made it its proxy. Cheap to clone; clones share
/// the key's nonces.
///
/// What it sends is written to its log first. It answers a lost connection, a restart, a re-org or a full pool by
/// looking at the chain, and never by doing the same thing twice.
#[derive(Clone)]
pub struct Submitter {
    client: Client,
    keypair: Arc<Keypair>,
    /// Whose calls they are.
    account: AccountId,
    /// By which right, if they are not its own.
    proxy_type: Option<ProxyType>,
    log: Arc<dyn TransactionLog>,
    transactions: Arc<OnceCell<Arc<Transactions>>>,
    runner: Arc<Runner>,
    /// Lets one bulk take nonces at a time.
    bulk: Arc<Semaphore>,
}

/// Carries out what is due until the last clone of the submitter is dropped.
#[derive(Default)]
struct Runner(OnceLock<AbortHandle>);

impl Drop for Runner {
    fn drop(&mut self) {
        if let Some(task) = self.0.get() {
            task.abort();
        }
    }
}

impl Submitter {
    /// Sends with `keypair` through `client`. It remembers nothing after its end: for programs that do one thing and
    /// wait for it.
    pub fn new(client: Client, keypair: Keypair) -> Self {
        Self::resume(client, keypair, Arc::new(MemoryLog::default()))
    }

    /// Sends with `keypair` through `client`, remembers in `log`, and goes on with what is there.
    pub fn resume(client: Client, keypair: Keypair, log: Arc<dyn TransactionLog>) -> Self {
        let account = keypair.account();
        Self {
            client,
            keypair: Arc::new(keypair),
            account,
            proxy_type: None,
            log,
            transactions: Arc::default(),
            runner: Arc::default(),
            bulk: Arc::new(Semaphore::new(1)),
        }
    }

    /// The same, with calls that are those of `account`, which has made the key its proxy. The key's own account pays the
    /// fees; whatever else a call moves is `account`'s.
    /// They are made by the right that `proxy_type` names, or by the first that the key has.
    pub fn on_behalf_of(self, account: AccountId, proxy_type: Option<ProxyType>) -> Self {
        Self {
            account,
            proxy_type,
            transactions: Arc::default(),
            runner: Arc::default(),
            ..self
        }
    }

    /// The account whose calls it sends.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The account that signs, and pays the fees.
    pub fn payer(&self) -> AccountId {
        self.keypair.account()
    }

    /// The connection it uses.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Sends `call` once and waits until it is in a block of the best chain and has succeeded there. The block may
    /// still be reverted: look at the state again, or use [`Self::submit_settled`].
    pub async fn submit(&self, call: &impl Payload) -> Result<Included, ChainError> {
        self.submit_as(call, Intention::once()).await
    }

    /// Like [`Self::submit`], for what `intention` says. To call it again with the same name, after an error or a
    /// restart, sends nothing twice.
    pub async fn submit_as(&self, call: &impl Payload, intention: Intention) -> Result<Included, ChainError> {
        let call = self.encode(call).await?;
        self.make(intention.of(call), Until::Best).await
    }

    /// Sends `call` once and waits until it is in a finalised block and has succeeded there. If finality stands still,
    /// it waits for a block of the best chain, and [`Included::is_final`] is `false`.
    pub async fn submit_settled(&self, call: &impl Payload) -> Result<Included, ChainError> {
        let call = self.encode(call).await?;
        self.make(Intention::once().of(call), Until::Settled).await
    }

    /// The bytes of `call` for the runtime as it is now.
    async fn encode(&self, call: &impl Payload) -> Result<Vec<u8>, ChainError> {
        let transactions = self.client.recent().await?.at.tx();
        transactions.validate(call)?;
        Ok(transactions.call_data(call)?)
    }

    async fn make(&self, mut intent: Intent, until: Until) -> Result<Included, ChainError> {
        intent.call = self.in_its_name(intent.call).await?;
        intent.id = self.id_of(intent.id.to_string());
        self.transactions().await?.make(intent, until).await
    }

    /// The encoded `call` as the key sends it: through the proxy pallet, if it is another account's.
    async fn in_its_name(&self, call: Vec<u8>) -> Result<Vec<u8>, ChainError> {
        if self.account == self.payer() {
            return Ok(call);
        }
        let at = self.client.recent().await?;
        let nothing = api::Call::System(api::system::Call::remark { remark: Vec::new() });
        let right = self.proxy_type.map(Into::into);
        let around = api::transactions().proxy().proxy(self.account.into(), right, nothing);
        let mut encoded = at.at.tx().call_data(&around)?;
        // The call is the last argument.
        encoded.truncate(encoded.len().saturating_sub(filler(&at)?.len()));
        encoded.extend(call);
        Ok(encoded)
    }

    /// Those of this account; the first time, what is in the log goes on.
    async fn transactions(&self) -> Result<&Arc<Transactions>, ChainError> {
        let start = || async {
            let at = self.client.best().await?;
            let policy = Policy {
                filler: filler(&at)?,
                ..Policy::default()
            };
            let (client, keypair, log) = (self.client.clone(), (*self.keypair).clone(), Arc::clone(&self.log));
            let transactions = Transactions::resume(client, keypair, self.account, log, policy).await?;
            let transactions = Arc::new(transactions);
            let runner = tokio::spawn(Arc::clone(&transactions).run());
            // It is set once, because this runs once.
            let _ = self.runner.0.set(runner.abort_handle());
            Ok::<_, ChainError>(transactions)
        };
        self.transactions.get_or_try_init(start).await
    }

    /// Goes on with what is in the log, without waiting for the first call. Tells the connection which block was seen
    /// to be final earlier, so that a chain that was purged or restored is not believed.
    pub async fn start(&self) -> Result<(), ChainError> {
        self.transactions().await.map(|_| ())
    }

    /// The fee of `call` as blocks are now, in plancks, without a tip.
    pub async fn estimate(&self, call: &impl Payload) -> Result<Balance, ChainError> {
        let call = self.in_its_name(self.encode(call).await?).await?;
        let transactions = self.client.best().await?.at.tx();
        let call = transactions.from_call_data_bytes(&call)?;
        let params = DefaultExtrinsicParamsBuilder::new().immortal().nonce(u32::MAX.into());
        let mut signable = transactions.create_signable_offline(&call, params.build())?;
        Ok(signable.sign(&*self.keypair)?.partial_fee_estimate().await?)
    }

    /// What the account can spend, in plancks: what is free, less what must stay.
    pub async fn spare(&self) -> Result<Balance, ChainError> {
        let at = self.client.best().await?;
        let free = at.balance(&self.account).await?.free;
        Ok(free.saturating_sub(at.existential_deposit()?))
    }

    /// Sends nothing more for the intent of this name. Returns whether it may still be included: a pool may have a
    /// transaction for it, or a block has.
    pub async fn withdraw(&self, name: impl Into<String>) -> Result<bool, ChainError> {
        self.transactions().await?.withdraw(&self.id_of(name.into())).await
    }

    /// What an intent is called in the key's log: the same for another account is another one.
    fn id_of(&self, name: String) -> IntentId {
        match self.account == self.payer() {
            true => IntentId::from(name),
            false => IntentId::from(format!("{name} for {}", self.account)),
        }
    }

    /// Signs `calls` with consecutive nonces and hands them to the pool, several at a time. It does not wait until
    /// they are included, and writes nothing down: for measurements, by an account that sends nothing else, for itself.
    /// Returns how many the pool took before the first that it refused: those after that one cannot be included.
    pub async fn submit_all(&self, calls: &[impl Payload]) -> Result<usize, ChainError> {
        let _turn = self.bulk.acquire().await;
        let first = self.client.next_nonce(&self.payer()).await?;
        let at = self.client.best().await?;
        let mut signed = Vec::new();
        for (call, nonce) in calls.iter().zip(first..) {
            let params = DefaultExtrinsicParamsBuilder::new().nonce(nonce).mortal_from_unchecked(
                BULK_LIFE,
                at.block.number.into(),
                at.block.hash,
            );
            let mut signable = at.at.tx().create_signable_offline(call, params.build())?;
            signed.push(signable.sign(&*self.keypair)?);
        }
        let mut sent = stream::iter(&signed)
            .map(|transaction| transaction.submit())
            .buffered(SENT_AT_ONCE);
        let mut taken = 0;
        while let Some(answer) = sent.next().await {
            match answer {
                Ok(_) => taken += 1,
                Err(error) if taken == 0 => return Err(ChainError::from(error)),
                Err(_) => break,
            }
        }
        Ok(taken)
    }
}
