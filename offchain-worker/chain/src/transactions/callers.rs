//! Those who want something done on chain, and wait for it.

use super::{
    EVERY, Transactions, Until,
    outcome::{self, Included},
};
use crate::{BlockNumber, ChainError, nodes::stands_still};
use agora_transactions::{Added, Hash, Intent, IntentId, Reason, Repetition, Standing};
use tokio::sync::oneshot;

/// How often a call that was refused is sent again if its caller still wants it.
const REPEATS: u32 = 2;
/// Blocks after the refusal before that.
const REPEAT_AFTER: BlockNumber = 8;

/// Somebody who waits for an intent.
pub(super) struct Waiting {
    id: IntentId,
    until: Until,
    tell: oneshot::Sender<Result<Standing, ChainError>>,
}

impl Transactions {
    /// Does `intent` once, and waits for how it went.
    ///
    /// If it was refused in a block, and its caller still wants it some blocks later, it is sent again under another name,
    /// a few times: the refusal may have come from a fork on which it was too early, or money came since.
    pub async fn make(&self, intent: Intent, until: Until) -> Result<Included, ChainError> {
        for number in 0..=REPEATS {
            let id = again(&intent.id, number);
            let before = self.inner(|inner| inner.book.standing(&id));
            let made = self.make_once(Intent { id, ..intent.clone() }, until).await;
            let best = self.inner(|inner| inner.book.best().number);
            if !made.as_ref().is_err_and(is_refusal)
                || number == REPEATS
                || !may_repeat(&before, intent.repetition, best)
            {
                return made;
            }
        }
        Err(ChainError::Unknown("it was refused too often".to_owned()))
    }

    async fn make_once(&self, intent: Intent, until: Until) -> Result<Included, ChainError> {
        let id = intent.id.clone();
        let deadline = intent.deadline;
        let added = self.inner(|inner| inner.book.add(intent));
        match added {
            Ok(Added::New | Added::Known) => self.wake.notify_one(),
            Ok(Added::Final) => {}
            Err(clash) => {
                let intent = clash.id.to_string();
                return Err(ChainError::IntentInUse { intent });
            }
        }
        let mut failures = 0;
        loop {
            let (block, is_final) = match self.wait(&id, until).await? {
                Standing::Included(block) => (block, false),
                Standing::Finalised(block) => (block, true),
                Standing::GivenUp(reason) => return Err(self.given_up(&id, reason, deadline)),
                Standing::Pending => continue,
                Standing::Unknown => return Err(ChainError::Unknown("nothing is known of it any more".to_owned())),
            };
            let record = self.inner(|inner| inner.book.record(&id).cloned());
            let hashes: Vec<Hash> = record
                .iter()
                .flat_map(|record| &record.attempts)
                .map(|one| one.hash)
                .collect();
            match outcome::of(&self.client, &self.on_behalf_of, block, &hashes).await? {
                Ok(included) => return Ok(Included { is_final, ..included }),
                // The block may be gone after a re-org, or the node.
                Err(error) if error.is_recoverable() && failures < 10 => failures += 1,
                Err(error) => return Err(ChainError::Unknown(error.to_string())),
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Sends nothing more for an intent. Returns whether it may still be included.
    pub async fn withdraw(&self, id: &IntentId) -> Result<bool, ChainError> {
        let all: Vec<_> = (0..=REPEATS).map(|number| again(id, number)).collect();
        let withdraw = |may_be_included, id| self.inner(|inner| inner.book.withdraw(id)) || may_be_included;
        let may_be_included = all.iter().fold(false, withdraw);
        self.tell_waiting();
        self.wake.notify_one();
        for id in &all {
            self.persist(id).await?;
        }
        Ok(may_be_included)
    }

    async fn wait(&self, id: &IntentId, until: Until) -> Result<Standing, ChainError> {
        let (tell, told) = oneshot::channel();
        self.inner(|inner| {
            let id = id.clone();
            inner.waiting.push(Waiting { id, until, tell });
        });
        self.tell_waiting();
        let gone = |_| ChainError::Unknown("nobody looks after it any more".to_owned());
        told.await.map_err(gone)?
    }

    fn given_up(&self, id: &IntentId, reason: Reason, deadline: Option<BlockNumber>) -> ChainError {
        match reason {
            Reason::DeadlineOver => ChainError::DeadlineOver {
                intent: id.to_string(),
                deadline: deadline.unwrap_or_default(),
            },
            Reason::CannotPay => ChainError::CannotPayFee {
                account: self.account.to_string(),
            },
            Reason::Invalid(why) => ChainError::Invalid(why),
            Reason::Withdrawn => ChainError::Invalid("it was withdrawn".to_owned()),
            Reason::OtherFork => ChainError::OtherFork,
        }
    }

    /// Tells those who wait, where it has come as far as they want.
    pub(super) fn tell_waiting(&self) {
        let is_stalled = self.client.finality_stands_still();
        self.inner(|inner| {
            let best = inner.book.best();
            for waiting in std::mem::take(&mut inner.waiting) {
                let standing = inner.book.standing(&waiting.id);
                let is_far_enough = match &standing {
                    Standing::Pending => false,
                    Standing::Included(block) => {
                        let waits_long = stands_still(best.number, block.number);
                        waiting.until == Until::Best || is_stalled || waits_long
                    }
                    Standing::Unknown | Standing::Finalised(_) | Standing::GivenUp(_) => true,
                };
                if is_far_enough {
                    // Who waited may have gone.
                    let _ = waiting.tell.send(Ok(standing));
                } else if !waiting.tell.is_closed() {
                    inner.waiting.push(waiting);
                }
            }
        });
    }

    /// Tells everybody who waits that it cannot go on.
    pub(super) fn fail_waiting(&self, error: impl Fn() -> ChainError) {
        let waiting = self.inner(|inner| std::mem::take(&mut inner.waiting));
        for waiting in waiting {
            let _ = waiting.tell.send(Err(error()));
        }
    }
}

/// The name of an intent that is sent for the `number`th time after refusals.
fn again(id: &IntentId, number: u32) -> IntentId {
    match number {
        0 => id.clone(),
        _ => IntentId::from(format!("{id}, again {number}")),
    }
}

/// Whether the chain included the call and refused it. What it was refused for may pass: it was too early on a fork, or
/// money was short.
fn is_refusal(error: &ChainError) -> bool {
    matches!(
        error,
        ChainError::Refused { .. } | ChainError::Overdraft { .. } | ChainError::Failed(_)
    )
}

/// Whether what was refused may be sent again when `best` is the best block. It need not be final: finality may stand
/// still.
fn may_repeat(before: &Standing, repetition: Repetition, best: BlockNumber) -> bool {
    let (Standing::Included(block) | Standing::Finalised(block)) = before else {
        return false;
    };
    repetition == Repetition::Harmless && best >= block.number.saturating_add(REPEAT_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_transactions::BlockId;

    #[test]
    fn a_refused_call_is_sent_again_under_another_name_and_not_soon() {
        let id = IntentId::from("reveal of task 7 round 0");
        let names: Vec<String> = (0..=REPEATS).map(|number| again(&id, number).to_string()).collect();
        assert_eq!(names[0], id.to_string());
        assert_eq!(names[1], "reveal of task 7 round 0, again 1");
        assert_ne!(names[1], names[2]);
        let block = BlockId {
            number: 10,
            hash: [0; 32],
        };
        for before in [Standing::Included(block), Standing::Finalised(block)] {
            assert!(!may_repeat(&before, Repetition::Harmless, 17), "{before:?}");
            assert!(may_repeat(&before, Repetition::Harmless, 18), "{before:?}");
            assert!(!may_repeat(&before, Repetition::Costly, 99), "{before:?}");
        }
        assert!(!may_repeat(&Standing::Pending, Repetition::Harmless, 99));
        let short = ChainError::Overdraft { free: 1, keep: 1 };
        assert!(is_refusal(&short) && is_refusal(&ChainError::Failed(String::new())));
        assert!(!is_refusal(&ChainError::Disconnected(String::new())));
    }
}
