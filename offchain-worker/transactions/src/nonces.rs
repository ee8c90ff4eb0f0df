//! Which intent gets which nonce.

use crate::{
    Action, Attempt, Book, Intent, IntentId, Nonce, Notice, Policy, Repetition, View,
    book::{is_dead, is_includable},
    step::sign,
};
use std::collections::BTreeSet;

/// The urgency of fillers: more than every intent of a caller has.
pub(crate) const MOST_URGENT: u8 = u8::MAX;

impl Book {
    /// Gives nonces to the intents in `wanting`, in that order, as far as the policy allows. `driven` are the nonces
    /// of the intents that have one and are in no block.
    ///
    /// A nonce that the pool lacks and that nobody sends keeps those after it waiting. The first intent takes it, or,
    /// if there is none, a call that does nothing.
    pub(crate) fn allocate(
        &mut self,
        mut wanting: Vec<IntentId>,
        driven: BTreeSet<Nonce>,
        view: &View,
        policy: &Policy,
        actions: &mut Vec<Action>,
    ) {
        let first = view.pool_nonce.max(view.nonce_at_best);
        let is_free = |nonce: &Nonce| !driven.contains(nonce) && !self.occupied.contains(nonce);
        let has_followers = driven.range(first..).next_back().is_some_and(|last| *last > first);
        let gap = (is_free(&first) && has_followers).then_some(first);
        if let Some(nonce) = gap
            && wanting.is_empty()
        {
            // One that was given up and may still be included goes on: its attempts must not be forgotten.
            let id = IntentId::from(format!("nothing, with nonce {nonce}"));
            if self.is_alive(&id, view) && self.has_nonce(&id, nonce) {
                self.revive(&id);
            } else {
                let id = match self.is_alive(&id, view) {
                    // It came to have another nonce, which it still needs.
                    true => IntentId::from(format!("{id}, after block {}", view.best.number)),
                    false => id,
                };
                wanting.push(self.filler(id, policy));
                actions.push(Action::Tell(Notice::Filled { nonce }));
            }
        }
        let held = self.held(view);
        let free = (first..).filter(|nonce| !held.contains(nonce) && !driven.contains(nonce));
        let free = free.filter(|nonce| !self.occupied.contains(nonce) && Some(*nonce) != gap);
        let places = policy
            .in_flight
            .saturating_sub(driven.len())
            .max(usize::from(gap.is_some()));
        for (id, nonce) in wanting.iter().take(places).zip(gap.into_iter().chain(free)) {
            if let Some(record) = self.records.get(id) {
                actions.push(sign(record, nonce, 0, view, policy));
            }
        }
    }

    /// The nonces of all attempts that may still be included.
    fn held(&self, view: &View) -> BTreeSet<Nonce> {
        let open = self.records.values().filter(|record| !record.is_final());
        let attempts = open.flat_map(|record| &record.attempts);
        attempts
            .filter(|attempt| is_includable(attempt, view))
            .map(|attempt| attempt.nonce)
            .collect()
    }

    /// Whether there is a record of this name that goes on, or has an attempt that may still be included.
    fn is_alive(&self, id: &IntentId, view: &View) -> bool {
        let Some(record) = self.records.get(id) else {
            return false;
        };
        let is_open = |attempt: &Attempt| !is_dead(&self.handling, attempt, view);
        record.end.is_none() || record.attempts.iter().any(is_open)
    }

    fn has_nonce(&self, id: &IntentId, nonce: Nonce) -> bool {
        let record = self.records.get(id);
        record.is_some_and(|record| record.attempts.iter().any(|attempt| attempt.nonce == nonce))
    }

    /// An intent to take a nonce and do nothing.
    fn filler(&mut self, id: IntentId, policy: &Policy) -> IntentId {
        self.insert(Intent {
            id: id.clone(),
            call: policy.filler.clone(),
            deadline: None,
            origin: None,
            urgency: MOST_URGENT,
            repetition: Repetition::Harmless,
        });
        id
    }
}
