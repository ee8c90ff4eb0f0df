//! A process that carries out the actions, one effect at a time, and may be killed between any two.

use crate::{
    chain::{Chain, Transaction},
    random::Random,
};
use agora_transactions::{
    Action, Answer, Attempt, Book, Hash, Intent, IntentId, MemoryLog, Policy, Record, Repetition, Standing,
    TransactionLog, View,
};
use std::collections::{HashMap, VecDeque};

pub struct Process {
    pub book: Book,
    log: MemoryLog,
    due: VecDeque<Action>,
    /// Everything that was ever signed.
    signed: HashMap<Hash, Transaction>,
    /// Whether the disk takes nothing.
    pub is_disk_full: bool,
    /// Whether it ever took something not.
    has_failed: bool,
    /// How often something was sent that is not in the log, by intent.
    pub unlogged: HashMap<IntentId, u32>,
    policy: Policy,
}

fn policy() -> Policy {
    Policy {
        life: 16,
        remember: 32,
        filler: vec![0],
        ..Policy::default()
    }
}

impl Process {
    pub fn new() -> Self {
        Self {
            book: Book::default(),
            log: MemoryLog::default(),
            due: VecDeque::new(),
            signed: HashMap::new(),
            is_disk_full: false,
            has_failed: false,
            unlogged: HashMap::new(),
            policy: policy(),
        }
    }

    /// The process ends, and starts again with what is in its log.
    pub fn kill(&mut self) {
        let records = self.log.all().expect("it can be read");
        self.book = Book::restore(records, self.log.finalised().expect("it can be read"));
        self.due.clear();
    }

    pub fn add(&mut self, intent: &Intent) {
        self.book.add(intent.clone()).expect("names are unique");
    }

    pub fn standing(&self, id: &IntentId) -> Standing {
        self.book.standing(id)
    }

    pub fn is_busy(&self) -> bool {
        !self.due.is_empty()
    }

    /// Looks at the chain.
    pub fn look(&mut self, view: &View) {
        self.due.extend(self.book.step(view, &self.policy));
    }

    fn logged(&self, id: &IntentId) -> Option<Record> {
        self.log
            .all()
            .expect("it can be read")
            .into_iter()
            .find(|record| record.intent.id == *id)
    }

    /// Carries out the next action, if one is due. `trouble` says what goes wrong.
    pub fn act(&mut self, chain: &mut Chain, trouble: &mut Random, is_troubled: bool) {
        let Some(action) = self.due.pop_front() else { return };
        let goes_wrong = |random: &mut Random, chances| is_troubled && random.one_in(chances);
        match action {
            Action::Sign {
                id,
                nonce,
                anchor,
                life,
                tip,
            } => {
                let Some(record) = self.book.record(&id) else { return };
                let logged = self.logged(&id);
                let is_harmless = record.intent.repetition == Repetition::Harmless;
                for attempt in &record.attempts {
                    let is_logged = logged.as_ref().is_some_and(|record| record.attempts.contains(attempt));
                    assert!(
                        is_logged || (is_harmless && self.has_failed),
                        "{id}: signed again before the first one was in the log"
                    );
                }
                assert!(tip <= self.policy.max_tip, "{id}: the tip is above the largest");
                let attempt = Attempt {
                    nonce,
                    anchor,
                    life,
                    tip,
                    hash: chain.hash(),
                    bytes: vec![1],
                };
                self.signed
                    .insert(attempt.hash, chain.transaction(&attempt, &record.intent));
                self.book.signed(&id, attempt);
            }
            Action::Persist(id) => {
                let Some(record) = self.book.record(&id) else { return };
                if self.is_disk_full || goes_wrong(trouble, 20) {
                    self.has_failed = true;
                    self.book.not_persisted(&id);
                } else {
                    self.log.put(record).expect("it can be written");
                    self.book.persisted(&id);
                }
            }
            Action::Send(hash) => {
                let transaction = self.signed[&hash].clone();
                let id = transaction.of.clone().expect("it is ours");
                let Some(record) = self.book.record(&id) else { return };
                let logged = self.logged(&id);
                if !logged.is_some_and(|logged| logged.attempts.iter().any(|one| one.hash == hash)) {
                    let is_harmless = record.intent.repetition == Repetition::Harmless;
                    assert!(is_harmless && self.has_failed, "{id}: sent before it was in the log");
                    *self.unlogged.entry(id).or_default() += 1;
                }
                let answer = match trouble.below(10) {
                    0 if is_troubled => Answer::Lost,
                    1 if is_troubled => {
                        chain.send(transaction);
                        Answer::Lost
                    }
                    2 if goes_wrong(trouble, 4) => Answer::Banned,
                    _ => chain.send(transaction),
                };
                self.book.answered(&hash, answer);
            }
            Action::Forget(id) => self.log.remove(&id).expect("it can be written"),
            Action::Tell(_) => {}
        }
    }
}
