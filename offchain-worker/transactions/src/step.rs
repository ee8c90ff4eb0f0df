//! What is due.

use crate::{
    Attempt, Balance, BlockId, Book, End, Hash, IntentId, Nonce, Policy, Reason, Record, Repetition, View,
    book::{is_dead, is_includable},
    due::Due,
    nonces::MOST_URGENT,
};
use std::{cmp::Reverse, collections::BTreeSet};

/// What is to be done, in this order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Sign the intent's call, and hand it to [`Book::signed`].
    Sign {
        /// The intent.
        id: IntentId,
        /// The nonce.
        nonce: Nonce,
        /// The block from which it is to be valid.
        anchor: BlockId,
        /// For how many blocks.
        life: u32,
        /// The tip, in plancks.
        tip: Balance,
    },
    /// Write the record to the log, then call [`Book::persisted`].
    Persist(IntentId),
    /// Send the attempt with this hash, and hand what came of it to [`Book::answered`].
    Send(Hash),
    /// Remove the record from the log.
    Forget(IntentId),
    /// Tell the operator.
    Tell(Notice),
}

/// What an operator should know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// Another program signs with the same key: it used this nonce.
    OtherProgram {
        /// The nonce.
        nonce: Nonce,
    },
    /// The tip of an intent is raised, because it waits too long.
    TipRaised {
        /// The intent.
        id: IntentId,
        /// The new tip, in plancks.
        tip: Balance,
    },
    /// What a node shows is not believed: it lacks this block, which was final.
    NotBelieved {
        /// The block.
        lacks: BlockId,
    },
    /// A transaction that does nothing takes a nonce that keeps others waiting.
    Filled {
        /// The nonce.
        nonce: Nonce,
    },
}

impl Book {
    /// Says what is due, given what the chain shows.
    ///
    /// If less is final than in an earlier view, the node must have on its best chain what was final. Then it only
    /// finalises later: transactions go on, and nothing counts as final that it does not show so. Any other node is
    /// not believed: nothing is due but to tell.
    pub fn step(&mut self, view: &View, policy: &Policy) -> Vec<Action> {
        let is_older = view.finalised.number < self.finalised.number;
        let is_other = view.finalised.number == self.finalised.number
            && view.finalised.hash != self.finalised.hash
            && self.finalised != BlockId::default();
        if is_other || (is_older && !view.has_final) {
            let is_told = std::mem::replace(&mut self.told_of_disbelief, true);
            let tell = Action::Tell(Notice::NotBelieved { lacks: self.finalised });
            return (!is_told).then_some(tell).into_iter().collect();
        }
        self.told_of_disbelief = false;
        if view.best != self.best {
            self.occupied.clear();
        }
        self.best = view.best;
        if !is_older {
            self.finalised = view.finalised;
        }
        self.places.clone_from(&view.places);
        let mut actions = self.settle(view, policy);
        let (mut driven, mut wanting) = (BTreeSet::new(), Vec::new());
        for id in self.active() {
            let Some(record) = self.records.get(&id) else { continue };
            if record.place(&view.places).is_some() {
                continue;
            }
            let due = self.due(record, view, policy);
            if self.wants_nonce(&id, &due, view, &mut actions) {
                wanting.push(id);
            } else {
                self.take(id, due, view, policy, &mut driven, &mut actions);
            }
        }
        self.allocate(wanting, driven, view, policy, &mut actions);
        actions
    }

    /// Closes what is final, and forgets what nobody needs any more.
    fn settle(&mut self, view: &View, policy: &Policy) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut gone = Vec::new();
        for record in self.records.values_mut() {
            let final_place = record
                .place(&view.places)
                .filter(|place| place.number <= view.finalised.number);
            match (&record.end, final_place) {
                (Some(End::Finalised(block)), _) => {
                    if view.finalised.number.saturating_sub(block.number) > policy.remember {
                        gone.push(record.intent.id.clone());
                    }
                }
                (_, Some(place)) => {
                    record.end = Some(End::Finalised(place));
                    for attempt in &mut record.attempts {
                        // Only its nonce is still of use.
                        attempt.bytes = Vec::new();
                    }
                    actions.push(Action::Persist(record.intent.id.clone()));
                }
                (Some(End::GivenUp(_)), None) => {
                    let handling = &self.handling;
                    if record.attempts.iter().all(|attempt| is_dead(handling, attempt, view)) {
                        gone.push(record.intent.id.clone());
                    }
                }
                (None, None) => {}
            }
        }
        for id in gone {
            for attempt in self.records.remove(&id).iter().flat_map(|record| &record.attempts) {
                self.handling.remove(&attempt.hash);
            }
            actions.push(Action::Forget(id));
        }
        actions
    }

    /// The intents that go on, the most urgent first.
    fn active(&self) -> Vec<IntentId> {
        let mut active: Vec<&Record> = self.records.values().filter(|record| record.end.is_none()).collect();
        active.sort_by_key(|record| (Reverse(record.intent.urgency), record.order));
        active.into_iter().map(|record| record.intent.id.clone()).collect()
    }

    /// Whether the intent needs a nonce. What nobody can include any more is dropped from its record then.
    fn wants_nonce(&mut self, id: &IntentId, due: &Due, view: &View, actions: &mut Vec<Action>) -> bool {
        match due {
            Due::Unsigned => {
                let record = self.records.get_mut(id);
                if let Some(record) = record.filter(|record| record.intent.urgency == MOST_URGENT) {
                    // A filler that was not signed while its nonce was free is for no other one.
                    record.end = Some(End::GivenUp(Reason::DeadlineOver));
                    return false;
                }
                return true;
            }
            Due::Occupied(nonce) => {
                self.occupied.insert(*nonce);
                if self
                    .records
                    .get(id)
                    .is_some_and(|record| record.intent.urgency == MOST_URGENT)
                {
                    // A filler: another transaction has its nonce, so nobody waits for one.
                    if let Some(record) = self.records.get_mut(id) {
                        record.end = Some(End::GivenUp(Reason::DeadlineOver));
                    }
                    return false;
                }
            }
            Due::Used(nonce) => {
                if !self.told_of_others && !self.is_ours(*nonce) {
                    self.told_of_others = true;
                    actions.push(Action::Tell(Notice::OtherProgram { nonce: *nonce }));
                }
            }
            _ => return false,
        }
        let Some(record) = self.records.get_mut(id) else {
            return false;
        };
        let handling = &self.handling;
        let is_free = record.intent.repetition == Repetition::Harmless
            || record.attempts.iter().all(|attempt| is_dead(handling, attempt, view));
        if is_free {
            // Some of them may be known to nobody else. They must not be sent after another one was.
            let (dead, alive) = std::mem::take(&mut record.attempts)
                .into_iter()
                .partition::<Vec<_>, _>(|attempt| is_dead(handling, attempt, view));
            record.attempts = alive;
            dead.iter().for_each(|attempt| {
                self.handling.remove(&attempt.hash);
            });
        }
        is_free
    }

    /// Turns what is due about one intent into actions, and notes its nonce in `driven`.
    fn take(
        &mut self,
        id: IntentId,
        due: Due,
        view: &View,
        policy: &Policy,
        driven: &mut BTreeSet<Nonce>,
        actions: &mut Vec<Action>,
    ) {
        let Some(record) = self.records.get_mut(&id) else {
            return;
        };
        if !matches!(due, Due::GiveUp(_)) {
            driven.extend(record.current(view).map(|attempt| attempt.nonce));
        }
        match due {
            Due::Nothing | Due::Unsigned | Due::Used(_) | Due::Occupied(_) => {}
            Due::Persist => actions.push(Action::Persist(id)),
            Due::Send(hash) => actions.push(Action::Send(hash)),
            Due::Renew { nonce, tip, is_raised } => {
                if is_raised {
                    actions.push(Action::Tell(Notice::TipRaised { id, tip }));
                }
                actions.push(sign(record, nonce, tip, view, policy));
            }
            Due::GiveUp(reason) => {
                record.end = Some(End::GivenUp(reason));
                if !record.attempts.is_empty() {
                    actions.push(Action::Persist(id));
                }
            }
        }
    }

    /// Whether the nonce is that of an attempt of ours which is in a block.
    fn is_ours(&self, nonce: Nonce) -> bool {
        let attempts = self
            .records
            .values()
            .flat_map(|record| record.attempts.iter().map(move |one| (record, one)));
        let mut with_nonce = attempts.filter(|(_, attempt)| attempt.nonce == nonce);
        with_nonce.any(|(record, attempt)| record.is_final() || self.places.contains_key(&attempt.hash))
    }
}

/// The action of signing for `nonce`, valid from the best block on.
pub(crate) fn sign(record: &Record, nonce: Nonce, tip: Balance, view: &View, policy: &Policy) -> Action {
    Action::Sign {
        id: record.intent.id.clone(),
        nonce,
        anchor: view.best,
        life: policy.life_until(view.best.number, record.intent.deadline),
        tip,
    }
}

impl Record {
    /// The attempt that is to be sent: of those that can be included, the newest one with the lowest nonce. If none can
    /// be, the newest one.
    pub(crate) fn current(&self, view: &View) -> Option<&Attempt> {
        let includable = self.attempts.iter().filter(|attempt| is_includable(attempt, view));
        includable
            .rev()
            .min_by_key(|attempt| attempt.nonce)
            .or(self.attempts.last())
    }
}
