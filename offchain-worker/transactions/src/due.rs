//! What is due about one intent.

use crate::{
    Answer, Attempt, Balance, BlockNumber, Book, Hash, Nonce, Policy, Reason, Record, Repetition, View,
    book::{Handling, is_dead, is_includable},
    nonces::MOST_URGENT,
};

/// What is due about one intent that is in no block.
pub(crate) enum Due {
    /// It waits.
    Nothing,
    /// What was signed last is not in the log yet.
    Persist,
    /// An attempt is to be sent, for the first time or again.
    Send(Hash),
    /// To sign for the nonce that it has.
    Renew {
        nonce: Nonce,
        tip: Balance,
        is_raised: bool,
    },
    /// It has no nonce.
    Unsigned,
    /// Its nonce was used by another transaction.
    Used(Nonce),
    /// A pool has a transaction of another program with its nonce, and nobody has one of ours.
    Occupied(Nonce),
    /// Nothing more is to be sent for it.
    GiveUp(Reason),
}

impl Book {
    /// What is due about an intent that is in no block.
    pub(crate) fn due(&self, record: &Record, view: &View, policy: &Policy) -> Due {
        let now = view.best.number;
        if record.intent.deadline.is_some_and(|deadline| now >= deadline) {
            return Due::GiveUp(Reason::DeadlineOver);
        }
        match record.intent.origin.map(|origin| view.origins.get(&origin)) {
            Some(Some(false)) => return Due::GiveUp(Reason::OtherFork),
            // It is not known which fork this is.
            Some(None) => return Due::Nothing,
            Some(Some(true)) | None => {}
        }
        if self.waits_for_log(record, now) {
            return Due::Persist;
        }
        let Some(attempt) = record.current(view) else {
            return Due::Unsigned;
        };
        let is_affordable = self.handling(attempt).answer != Some(Answer::CannotPay);
        let (nonce, tip) = (attempt.nonce, if is_affordable { attempt.tip } else { 0 });
        let is_unanchored = view.unanchored.contains(&attempt.hash);
        if nonce < view.nonce_at_best {
            if record.intent.urgency == MOST_URGENT {
                // A filler: what it was for is done.
                return Due::GiveUp(Reason::DeadlineOver);
            }
            Due::Used(nonce)
        } else if attempt.is_over(now) || is_unanchored || self.handling(attempt).is_outdated {
            Due::Renew {
                nonce,
                tip,
                is_raised: false,
            }
        } else {
            self.after_answer(record, self.payable(record, attempt, view), view, policy)
        }
    }

    /// Whether an attempt must be written before the intent goes on. If the log takes nothing, what is harmless to repeat
    /// goes on, and the log is asked once a block.
    fn waits_for_log(&self, record: &Record, now: BlockNumber) -> bool {
        let waits = |attempt: &Attempt| match self.handling(attempt) {
            Handling { is_persisted: true, .. } => false,
            Handling {
                refused_by_log: Some(at),
                ..
            } => record.intent.repetition == Repetition::Costly || now > at,
            _ => true,
        };
        record.attempts.iter().any(waits)
    }

    /// In place of an attempt with a tip that the account cannot pay, the dearest one with its nonce that was not
    /// refused for money.
    fn payable<'a>(&self, record: &'a Record, attempt: &'a Attempt, view: &View) -> &'a Attempt {
        let is_refused = |one: &Attempt| self.handling(one).answer == Some(Answer::CannotPay);
        if !is_refused(attempt) {
            return attempt;
        }
        let others = record
            .attempts
            .iter()
            .filter(|one| one.nonce == attempt.nonce && is_includable(one, view));
        let others = others.filter(|one| !is_refused(one) && !self.handling(one).is_outdated);
        others.max_by_key(|one| one.tip).unwrap_or(attempt)
    }

    /// What is due about an attempt that can be included.
    fn after_answer(&self, record: &Record, attempt: &Attempt, view: &View, policy: &Policy) -> Due {
        let now = view.best.number;
        let handling = self.handling(attempt);
        let Some(answer) = &handling.answer else {
            return Due::Send(attempt.hash);
        };
        let nonce = attempt.nonce;
        // At most once a block: the pool may have room again in the next one. What the account could not pay is not
        // tried again.
        let refused = self.unaffordable_tip(record, view);
        let raised = policy
            .raised(attempt.tip)
            .filter(|tip| now > attempt.anchor.number && refused.is_none_or(|refused| *tip < refused))
            .map(|tip| Due::Renew {
                nonce,
                tip,
                is_raised: true,
            });
        let again = |blocks| {
            if now.saturating_sub(handling.last_sent) >= blocks {
                Due::Send(attempt.hash)
            } else {
                Due::Nothing
            }
        };
        let is_stuck = nonce == view.nonce_at_best && now.saturating_sub(handling.first_sent) >= policy.stuck_after;
        match answer {
            Answer::CannotPay if attempt.tip > 0 => Due::Renew {
                nonce,
                tip: 0,
                is_raised: false,
            },
            Answer::CannotPay => Due::GiveUp(Reason::CannotPay),
            Answer::Occupied
                if record
                    .attempts
                    .iter()
                    .all(|attempt| is_dead(&self.handling, attempt, view)) =>
            {
                Due::Occupied(nonce)
            }
            Answer::Full => raised.unwrap_or_else(|| again(1)),
            Answer::Taken | Answer::Occupied | Answer::Stale | Answer::Lost if is_stuck && raised.is_some() => {
                raised.unwrap_or(Due::Nothing)
            }
            Answer::Lost => Due::Send(attempt.hash),
            Answer::Taken => again(policy.resend_after),
            Answer::Occupied | Answer::Stale => again(1),
            Answer::Banned | Answer::Invalid(_) if now == attempt.anchor.number => Due::Nothing,
            Answer::Banned => Due::Renew {
                nonce,
                tip: attempt.tip,
                is_raised: false,
            },
            Answer::Invalid(why) => self.after_invalid(record, attempt, why, policy),
        }
    }

    /// The smallest tip for which the account could not pay, of attempts with the nonce that is used.
    fn unaffordable_tip(&self, record: &Record, view: &View) -> Option<Balance> {
        let refused = record.attempts.iter().filter(|attempt| {
            attempt.nonce >= view.nonce_at_best && self.handling(attempt).answer == Some(Answer::CannotPay)
        });
        refused.map(|attempt| attempt.tip).filter(|tip| *tip > 0).min()
    }

    /// What is due about an attempt that no node finds valid: it was signed for another runtime, or it never will be.
    fn after_invalid(&self, record: &Record, attempt: &Attempt, why: &str, policy: &Policy) -> Due {
        let is_invalid = |attempt: &&Attempt| matches!(self.handling(attempt).answer, Some(Answer::Invalid(_)));
        if record.attempts.iter().filter(is_invalid).count() > policy.renewals as usize {
            return Due::GiveUp(Reason::Invalid(why.to_owned()));
        }
        Due::Renew {
            nonce: attempt.nonce,
            tip: attempt.tip,
            is_raised: false,
        }
    }

    fn handling(&self, attempt: &Attempt) -> Handling {
        self.handling.get(&attempt.hash).cloned().unwrap_or_default()
    }
}
