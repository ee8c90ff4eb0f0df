//! The loop that workers and verifiers share. It follows the chain, looks at the newest state after each block, runs at
//! most one step about each matter at a time, and sends heartbeats.
//!
//! Nothing that a node, a disk or a store does ends the loop: what fails is said once, and tried again at later blocks.

mod steps;

pub(crate) use steps::{Matter, Steps};

use crate::{Call, Chain, Due, Metrics, News, WorkerError, chain::Blocks, told::Told};
use agora_chain::{BlockNumber, BlockRef, ChainError};
use agora_primitives::participants::Role;
use std::{collections::VecDeque, time::Duration};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

/// How long one look at the chain may take.
const LOOK_LIMIT: Duration = Duration::from_secs(180);
/// How long the node may be silent before that is said.
const SILENCE: Duration = Duration::from_secs(60);
/// So many blocks are remembered, to be told again after a re-org that undid some of them.
const REMEMBERED: usize = 32;
/// Finality that is so many blocks behind is asked about: it may not have been told.
const LONG_AGO: BlockNumber = 32;
/// Pause before a node that failed is asked again.
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 10 } else { 2000 });

/// What is to be done after each block.
pub(crate) trait Duty<C: Chain> {
    /// The finalised block that was taken note of last.
    fn settled_up_to(&self) -> Option<BlockNumber> {
        None
    }

    /// The newest block that it knows of by other ways: nothing older is to be looked at.
    fn seen_best(&self) -> BlockNumber {
        0
    }

    /// Takes note of a finalised block.
    fn settle(&mut self, news: News) {
        let _ = news;
    }

    /// Looks at the state and starts what is due.
    async fn look(&mut self, heads: &Heads<C::State>, heard: &Heard, steps: &mut Steps) -> Result<Looked, WorkerError>;
}

/// The newest states.
#[derive(Clone)]
pub(crate) struct Heads<S> {
    /// After the best block.
    pub best: S,
    /// After the newest finalised block.
    pub finalised: S,
    /// When they were asked for.
    pub read_at: Instant,
}

/// The blocks since the last look.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    /// In their order. After a re-org, those that it may have undone are told again.
    pub news: Vec<News>,
    /// Whether some are missing: then nothing follows from what is not in them.
    pub has_gap: bool,
}

/// What a look came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Looked {
    /// All is done that is due.
    Well,
    /// Nothing is done until this is over.
    Waiting(String),
}

/// Drives one account in one role.
pub(crate) struct Driver<C: Chain> {
    chain: C,
    role: Role,
    metrics: Metrics,
    heartbeat_every: BlockNumber,
    last_heartbeat: Option<BlockNumber>,
    heartbeat: JoinSet<()>,
    steps: Steps,
    told: Told,
    /// The newest block that was heard of.
    last: Option<BlockNumber>,
    /// The last blocks.
    recent: VecDeque<News>,
    /// The newest finalised block.
    finalised: Option<BlockRef>,
}

impl<C: Chain> Driver<C> {
    /// For the account of `chain`.
    pub fn new(chain: &C, role: Role, metrics: &Metrics, heartbeat_every: BlockNumber) -> Self {
        Self {
            chain: chain.clone(),
            role,
            metrics: metrics.clone(),
            heartbeat_every,
            last_heartbeat: None,
            heartbeat: JoinSet::new(),
            steps: Steps::default(),
            told: Told::default(),
            last: None,
            recent: VecDeque::new(),
            finalised: None,
        }
    }

    /// Does `duty` after each block until `shutdown`, and returns the steps that are still under way. A step that failed
    /// is taken again after a later block.
    ///
    /// Errors: `NotRegistered`. Everything else may pass, and is waited for.
    pub async fn run(mut self, duty: &mut impl Duty<C>, shutdown: CancellationToken) -> Result<Steps, WorkerError> {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(self.steps),
            registered = self.ensure_registered() => registered?,
        }
        let mut best = self.chain.follow_best();
        let mut finalised = self.chain.follow_finalised(next_to_settle(duty));
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                first = tokio::time::timeout(SILENCE, best.next()) => tokio::select! {
                    () = shutdown.cancelled() => break,
                    () = self.blocks_came(first.ok(), &mut best, duty) => {}
                },
                news = finalised.next() => match news {
                    Ok(news) => {
                        self.saw_final(news.block);
                        duty.settle(news);
                    }
                    Err(error) => {
                        self.say_node_failed("finalised blocks", &error);
                        tokio::time::sleep(PAUSE).await;
                        finalised = self.chain.follow_finalised(next_to_settle(duty));
                    }
                },
                (matter, result) = self.steps.ended() => Steps::report(&self.told, &self.metrics, matter, result),
                Some(_) = self.heartbeat.join_next() => {}
            }
        }
        tracing::info!("Stopping, once the transactions under way have ended.");
        Ok(self.steps)
    }

    /// Waits for a node that answers.
    async fn ensure_registered(&self) -> Result<(), WorkerError> {
        let account = self.chain.account();
        loop {
            let asked = async { C::participant(&self.chain.best().await?, &account, self.role).await };
            match asked.await {
                Ok(Some(_)) => return Ok(()),
                Ok(None) => {
                    return Err(WorkerError::NotRegistered {
                        account: account.to_string(),
                        role: self.role,
                    });
                }
                Err(error) => self.say_node_failed("node", &error),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// A block came, and others that wait behind it; or none for [`SILENCE`]. Only the newest state counts.
    async fn blocks_came(
        &mut self,
        first: Option<Result<News, ChainError>>,
        best: &mut C::Blocks,
        duty: &mut impl Duty<C>,
    ) {
        let Some(first) = first else {
            let reason = format!("the node has sent no new block for {} s", SILENCE.as_secs());
            if self.told.is_new("silence", "") {
                tracing::warn!("{reason}; nothing can be done until it does.");
            }
            self.metrics.health.waiting(reason);
            return;
        };
        let heard = self.hear(first, best).await;
        if heard.news.is_empty() {
            // Only errors: of a node that is away, or of events that this program does not know. The state tells.
            tokio::time::sleep(PAUSE).await;
        }
        if self.told.is_over("silence") {
            tracing::info!("The node sends blocks again.");
        }
        let looked = tokio::time::timeout(LOOK_LIMIT, self.look(&heard, duty)).await;
        let looked = looked.unwrap_or_else(|_| {
            Err(ChainError::Disconnected(format!("no answer within {} s", LOOK_LIMIT.as_secs())).into())
        });
        match looked {
            Ok(Looked::Well) => {
                if self.told.is_over("look") {
                    tracing::info!("All is well again.");
                }
                self.metrics.health.well();
            }
            Ok(Looked::Waiting(reason)) => {
                if self.told.is_new("look", &reason) {
                    tracing::warn!("{reason}");
                }
                self.metrics.health.waiting(reason);
            }
            Err(error) => {
                if self.told.is_new("look", &error) {
                    tracing::warn!(%error, "Could not look at the chain; trying again at later blocks.");
                }
                self.metrics.health.waiting(error.to_string());
            }
        }
    }

    /// `first` and all blocks that wait behind it.
    async fn hear(&mut self, first: Result<News, ChainError>, best: &mut C::Blocks) -> Heard {
        let mut heard = Heard::default();
        let mut next = Some(first);
        while let Some(block) = next {
            match block {
                Ok(news) => {
                    self.remember(&news, &mut heard);
                    heard.news.push(news);
                }
                Err(error) => {
                    self.say_node_failed("blocks", &error);
                    heard.has_gap = true;
                    self.last = None;
                }
            }
            next = tokio::select! {
                biased;
                block = best.next() => Some(block),
                () = std::future::ready(()) => None,
            };
        }
        heard
    }

    fn remember(&mut self, news: &News, heard: &mut Heard) {
        let number = news.block.number;
        match self.last {
            Some(last) if number <= last => heard.news.extend(self.recent.iter().cloned()),
            Some(last) => heard.has_gap |= number - last > 1,
            None => heard.has_gap = true,
        }
        self.last = Some(number);
        self.recent.push_back(news.clone());
        if self.recent.len() > REMEMBERED {
            self.recent.pop_front();
        }
    }

    fn saw_final(&mut self, block: BlockRef) {
        // After a restart those of long ago are told first.
        if self.finalised.is_none_or(|known| known.number < block.number) {
            self.finalised = Some(block);
        }
    }

    /// The newest states. What was told just now is not asked for: a far node takes its time for each answer.
    async fn heads(&mut self, heard: &Heard, duty: &impl Duty<C>) -> Result<Heads<C::State>, ChainError> {
        let read_at = Instant::now();
        let seen_best = duty.seen_best();
        let told = heard.news.last().map(|news| news.block);
        let told = told.filter(|block| !heard.has_gap && block.number >= seen_best);
        let best = async {
            match told {
                // It may be undone meanwhile.
                Some(block) => match self.chain.after(block).await {
                    Ok(state) => Ok(state),
                    Err(_) => self.chain.best().await,
                },
                None => self.chain.best().await,
            }
        };
        let lately = |block: &BlockRef| told.is_some_and(|best| best.number.saturating_sub(block.number) < LONG_AGO);
        let finalised = async {
            match self.finalised.filter(lately) {
                Some(block) => self.chain.after(block).await,
                None => self.chain.finalised().await,
            }
        };
        let (best, finalised) = tokio::try_join!(best, finalised)?;
        self.saw_final(C::block_of(&finalised));
        Ok(Heads {
            best,
            finalised,
            read_at,
        })
    }

    async fn look(&mut self, heard: &Heard, duty: &mut impl Duty<C>) -> Result<Looked, WorkerError> {
        let heads = self.heads(heard, duty).await?;
        self.told.is_over("node");
        let now = C::block_of(&heads.best).number;
        self.metrics.best_block.set(now.into());
        self.metrics
            .finalised_block
            .set(C::block_of(&heads.finalised).number.into());
        let looked = duty.look(&heads, heard, &mut self.steps).await?;
        if looked == Looked::Well {
            self.beat(now);
        }
        Ok(looked)
    }

    fn say_node_failed(&self, asked_for: &str, error: &ChainError) {
        if self.told.is_new(asked_for, error) {
            tracing::warn!(asked_for, %error, "The node failed; asking it again until it answers.");
        }
        self.metrics.health.waiting(error.to_string());
    }

    /// Sends a heartbeat if one is due and the last one has ended.
    fn beat(&mut self, now: BlockNumber) {
        let due = self
            .last_heartbeat
            .is_none_or(|last| now.saturating_sub(last) >= self.heartbeat_every);
        if due && self.heartbeat.is_empty() {
            self.last_heartbeat = Some(now);
            let chain = self.chain.clone();
            let due = Due {
                round: now,
                until: now.saturating_add(self.heartbeat_every),
                decided_at: None,
            };
            self.heartbeat.spawn(async move {
                if let Err(error) = chain.send(Call::Heartbeat, due).await {
                    tracing::warn!(%error, "The heartbeat failed; the next one is sent when it is due.");
                }
            });
        }
    }
}

/// The finalised block to go on with; `None`: the newest one.
fn next_to_settle<C: Chain>(duty: &impl Duty<C>) -> Option<BlockNumber> {
    duty.settled_up_to().map(|last| last.saturating_add(1))
}
