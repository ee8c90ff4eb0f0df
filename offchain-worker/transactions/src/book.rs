//! The records of one account, and what happened to them.

use crate::{
    Answer, Attempt, BlockId, BlockNumber, End, Hash, Intent, IntentId, Nonce, Reason, Record, Repetition, View,
    nonces::MOST_URGENT,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The intents of one account, with all that was signed for them.
#[derive(Clone, Debug, Default)]
pub struct Book {
    pub(crate) records: BTreeMap<IntentId, Record>,
    pub(crate) handling: HashMap<Hash, Handling>,
    /// The newest finalised block that was seen.
    pub(crate) finalised: BlockId,
    /// The best block of the last view.
    pub(crate) best: BlockId,
    /// In which blocks attempts were in the last view.
    pub(crate) places: BTreeMap<Hash, BlockId>,
    /// Nonces for which pools have transactions of other programs, as far as was learned since `best`.
    pub(crate) occupied: BTreeSet<Nonce>,
    /// Whether the user was told that another program signs with the same key.
    pub(crate) told_of_others: bool,
    /// Whether the user was told that what a node shows is not believed.
    pub(crate) told_of_disbelief: bool,
    next_order: u64,
}

/// What this process knows of an attempt. It is not in the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handling {
    pub is_persisted: bool,
    /// The best block when the log last failed to take it, if it did.
    pub refused_by_log: Option<BlockNumber>,
    /// Whether the intent has another call since.
    pub is_outdated: bool,
    pub fate: Fate,
    /// What came of sending it the last time.
    pub answer: Option<Answer>,
    /// The best block when it was first sent.
    pub first_sent: BlockNumber,
    /// The best block when it was last sent.
    pub last_sent: BlockNumber,
}

/// Whether anybody else may have an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Fate {
    /// It was never sent.
    #[default]
    Unsent,
    /// Every node that it was sent to refused it.
    Refused,
    /// A pool may have it.
    Sent,
}

/// What [`Book::add`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Added {
    /// The intent is new.
    New,
    /// It is known, and goes on.
    Known,
    /// It is final already. Nothing is sent.
    Final,
}

/// Another call has the same name and may still be included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IntentClash {
    /// The name.
    pub id: IntentId,
}

/// How far an intent has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Nothing is known of it.
    Unknown,
    /// It is in no block.
    Pending,
    /// It is in this block of the best chain. A re-org can undo that.
    Included(BlockId),
    /// It is in this block, which is final.
    Finalised(BlockId),
    /// Nothing more is sent for it.
    GivenUp(Reason),
}

impl Book {
    /// Goes on from what a log holds: its records and the newest finalised block that was seen.
    pub fn restore(records: Vec<Record>, finalised: Option<BlockId>) -> Self {
        let mut book = Self {
            finalised: finalised.unwrap_or_default(),
            ..Self::default()
        };
        for record in records {
            for attempt in &record.attempts {
                // It is not known how far it went.
                let handling = Handling {
                    is_persisted: true,
                    fate: Fate::Sent,
                    ..Handling::default()
                };
                book.handling.insert(attempt.hash, handling);
            }
            book.next_order = book.next_order.max(record.order.saturating_add(1));
            book.records.insert(record.intent.id.clone(), record);
        }
        book
    }

    /// Takes an intent. One that was given up goes on; the deadline and the origin of one that is known are those of
    /// `intent` from now on.
    ///
    /// After an upgrade of the runtime the same call may have other bytes. If it is harmless to repeat it, the new ones
    /// are signed from now on, with the nonce that it has.
    ///
    /// Errors: another call has its name, is costly, and may still be included.
    pub fn add(&mut self, mut intent: Intent) -> Result<Added, IntentClash> {
        intent.urgency = intent.urgency.min(MOST_URGENT - 1);
        let Some(record) = self.records.get_mut(&intent.id) else {
            self.insert(intent);
            return Ok(Added::New);
        };
        let is_harmless = [record.intent.repetition, intent.repetition] == [Repetition::Harmless; 2];
        if record.intent.call != intent.call && is_harmless {
            if !record.is_final() {
                for attempt in &record.attempts {
                    self.handling.entry(attempt.hash).or_default().is_outdated = true;
                }
            }
        } else if record.intent.call != intent.call {
            if !record.attempts.is_empty() || matches!(record.end, Some(End::Finalised(_))) {
                return Err(IntentClash { id: intent.id });
            }
            self.insert(intent);
            return Ok(Added::New);
        }
        if matches!(record.end, Some(End::Finalised(_))) {
            return Ok(Added::Final);
        }
        record.intent = intent;
        let id = record.intent.id.clone();
        self.revive(&id);
        Ok(Added::Known)
    }

    /// Goes on with an intent that was given up: the reason may be over.
    pub(crate) fn revive(&mut self, id: &IntentId) {
        let Some(record) = self.records.get_mut(id).filter(|record| !record.is_final()) else {
            return;
        };
        if record.end.take().is_some() {
            for attempt in &record.attempts {
                if let Some(handling) = self.handling.get_mut(&attempt.hash) {
                    handling.answer = None;
                }
            }
        }
    }

    pub(crate) fn insert(&mut self, intent: Intent) {
        let record = Record {
            attempts: Vec::new(),
            end: None,
            order: self.next_order,
            intent,
        };
        self.next_order = self.next_order.saturating_add(1);
        self.records.insert(record.intent.id.clone(), record);
    }

    /// Notes that `attempt` was signed. It is sent after [`Self::persisted`].
    pub fn signed(&mut self, id: &IntentId, attempt: Attempt) {
        if let Some(record) = self.records.get_mut(id) {
            self.handling.insert(attempt.hash, Handling::default());
            record.attempts.push(attempt);
        }
    }

    /// Notes that the record of `id`, as it is, is in the log.
    pub fn persisted(&mut self, id: &IntentId) {
        for attempt in self.records.get(id).iter().flat_map(|record| &record.attempts) {
            if let Some(handling) = self.handling.get_mut(&attempt.hash) {
                handling.is_persisted = true;
            }
        }
    }

    /// Notes that the log did not take the record of `id`. It is asked again after the next block.
    pub fn not_persisted(&mut self, id: &IntentId) {
        let now = self.best.number;
        for attempt in self.records.get(id).iter().flat_map(|record| &record.attempts) {
            if let Some(handling) = self.handling.get_mut(&attempt.hash)
                && !handling.is_persisted
            {
                handling.refused_by_log = Some(now);
            }
        }
    }

    /// Notes what came of sending an attempt. Of several nodes' answers the first of these counts: taken, lost,
    /// refused.
    pub fn answered(&mut self, hash: &Hash, answer: Answer) {
        let Some(handling) = self.handling.get_mut(hash) else {
            return;
        };
        if handling.answer.is_none() {
            handling.first_sent = self.best.number;
        }
        handling.last_sent = self.best.number;
        handling.fate = match handling.fate {
            Fate::Unsent | Fate::Refused if answer.is_refusal() => Fate::Refused,
            _ => Fate::Sent,
        };
        handling.answer = Some(answer);
    }

    /// Gives up an intent that cannot be signed.
    pub fn give_up(&mut self, id: &IntentId, reason: Reason) {
        if let Some(record) = self.records.get_mut(id)
            && record.end.is_none()
        {
            record.end = Some(End::GivenUp(reason));
        }
    }

    /// Gives up an intent that its caller does not want any more. Returns whether it may still be included. If not, it is
    /// forgotten; else its record stays until that is certain.
    pub fn withdraw(&mut self, id: &IntentId) -> bool {
        self.give_up(id, Reason::Withdrawn);
        let attempts = self
            .records
            .get(id)
            .iter()
            .flat_map(|record| &record.attempts)
            .collect::<Vec<_>>();
        let fate = |attempt: &&Attempt| {
            self.handling
                .get(&attempt.hash)
                .map_or(Fate::Sent, |handling| handling.fate)
        };
        attempts.iter().any(|attempt| fate(attempt) == Fate::Sent)
    }

    /// The record of an intent.
    pub fn record(&self, id: &IntentId) -> Option<&Record> {
        self.records.get(id)
    }

    /// An attempt, by its hash.
    pub fn attempt(&self, hash: &Hash) -> Option<&Attempt> {
        let mut attempts = self.records.values().flat_map(|record| &record.attempts);
        attempts.find(|attempt| attempt.hash == *hash)
    }

    /// All attempts that a view has to tell about.
    pub fn attempts(&self) -> impl Iterator<Item = &Attempt> {
        let open = self.records.values().filter(|record| !record.is_final());
        open.flat_map(|record| &record.attempts)
    }

    /// The origins of the intents that go on: a view has to tell of them.
    pub fn origins(&self) -> BTreeSet<BlockId> {
        let open = self.records.values().filter(|record| record.end.is_none());
        open.filter_map(|record| record.intent.origin).collect()
    }

    /// How far an intent had come in the last view.
    pub fn standing(&self, id: &IntentId) -> Standing {
        let Some(record) = self.records.get(id) else {
            return Standing::Unknown;
        };
        match (&record.end, record.place(&self.places)) {
            (Some(End::Finalised(block)), _) => Standing::Finalised(*block),
            (_, Some(block)) => Standing::Included(block),
            (Some(End::GivenUp(reason)), None) => Standing::GivenUp(reason.clone()),
            (None, None) => Standing::Pending,
        }
    }

    /// Whether there is nothing to look after.
    pub fn is_idle(&self) -> bool {
        self.records.values().all(Record::is_final)
    }

    /// Whether something that goes on was in no block in the last view.
    pub fn is_waiting(&self) -> bool {
        let mut open = self.records.values().filter(|record| record.end.is_none());
        open.any(|record| record.place(&self.places).is_none())
    }

    /// The best block of the last view.
    pub fn best(&self) -> BlockId {
        self.best
    }

    /// The newest finalised block that was seen.
    pub fn finalised(&self) -> BlockId {
        self.finalised
    }
}

impl Record {
    pub(crate) fn is_final(&self) -> bool {
        matches!(self.end, Some(End::Finalised(_)))
    }

    /// The attempt that is in a block, and the block.
    pub(crate) fn place(&self, places: &BTreeMap<Hash, BlockId>) -> Option<BlockId> {
        let mut attempts = self.attempts.iter();
        attempts.find_map(|attempt| places.get(&attempt.hash).copied())
    }
}

/// Whether a block after the best one can include the attempt.
pub(crate) fn is_includable(attempt: &Attempt, view: &View) -> bool {
    attempt.nonce >= view.nonce_at_best
        && !attempt.is_over(view.best.number)
        && !view.unanchored.contains(&attempt.hash)
}

/// Whether the attempt cannot be included on any chain that goes on from the finalised block. It is in no final block.
pub(crate) fn is_dead(handling: &HashMap<Hash, Handling>, attempt: &Attempt, view: &View) -> bool {
    let fate = handling.get(&attempt.hash).map_or(Fate::Sent, |handling| handling.fate);
    let lost_its_anchor = view.unanchored.contains(&attempt.hash) && attempt.anchor.number <= view.finalised.number;
    fate != Fate::Sent
        || lost_its_anchor
        || attempt.is_over(view.finalised.number)
        || attempt.nonce < view.nonce_at_finalised
}
