//! What finalised blocks bring an account and take from it, whatever its part: as worker, as verifier, in court.
//!
//! A block is counted once, also after a restart: how far blocks are counted is in the journal, beside what was lost.

use crate::{CameTo, Journal, Loss, Metrics, News, told::Told};
use agora_chain::{AccountId, Balance, BlockNumber, views::PaymentView};
use agora_primitives::money::{Payee, Purpose};
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// After so many finalised blocks without a loss it is written how far they are counted.
const WRITE_EVERY: BlockNumber = 32;

/// Where somebody takes no more risks: after losing so much in so long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StopLoss {
    /// In plancks.
    pub most: Balance,
    /// Before now.
    pub within: Duration,
}

impl StopLoss {
    /// Why nothing more is risked after `losses`, if so.
    pub(crate) fn reached(&self, losses: &mut Losses, now: SystemTime) -> Option<String> {
        let hours = self.within.as_secs() / 3600;
        (losses.within(now, self.within) >= self.most)
            .then(|| format!("too much was lost within {hours} h, see the metrics"))
    }
}

/// Adds what `paid` brought `account` or took from it to `sum`. What it spent as a publisher, on deposits and on fees is not lost, and
/// what it gets back of its own was not earned.
pub(crate) fn count(paid: &PaymentView, account: &AccountId, sum: &mut CameTo) {
    let is_ours = paid.from == *account;
    let is_to_us = paid.payee == Payee::Account(*account);
    let is_bond = match paid.purpose {
        Purpose::TaskBond | Purpose::AppealBond | Purpose::CourtBond | Purpose::RoleBond => true,
        // The fee for publishing pays for steps that the chain was late with, too.
        Purpose::TaskReward | Purpose::PublisherStake | Purpose::PublicationFee | Purpose::ChallengeFee => false,
        Purpose::Prepaid | Purpose::Addresses => return,
    };
    match (is_ours, is_to_us) {
        (false, true) => sum.earned = sum.earned.saturating_add(paid.amount),
        (true, false) if is_bond => sum.lost = sum.lost.saturating_add(paid.amount),
        _ => {}
    }
}

/// What was lost lately, and when, by this machine's clock.
#[derive(Default)]
pub(crate) struct Losses(VecDeque<Loss>);

/// So many losses are remembered; of more, the oldest become one.
const MOST_LOSSES: usize = 1000;

impl Losses {
    /// What is remembered.
    pub fn new(losses: Vec<Loss>) -> Self {
        Self(losses.into())
    }

    /// All of them.
    pub fn all(&self) -> Vec<Loss> {
        self.0.iter().copied().collect()
    }

    /// Something was lost.
    pub fn add(&mut self, now: SystemTime, amount: Balance) {
        if amount == 0 {
            return;
        }
        self.0.push_back(Loss {
            at_s: seconds(now),
            amount,
        });
        if self.0.len() > MOST_LOSSES
            && let Some(oldest) = self.0.pop_front()
            && let Some(next) = self.0.front_mut()
        {
            next.amount = next.amount.saturating_add(oldest.amount);
        }
    }

    /// What was lost in the last `period`. What is older is forgotten.
    pub fn within(&mut self, now: SystemTime, period: Duration) -> Balance {
        let since = seconds(now).saturating_sub(period.as_secs());
        while self.0.front().is_some_and(|loss| loss.at_s < since) {
            self.0.pop_front();
        }
        self.0.iter().fold(0, |sum, loss| sum.saturating_add(loss.amount))
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The money of an account that has no tasks in hand, such as a verifier's.
pub(crate) struct Ledger {
    journal: Journal,
    account: AccountId,
    metrics: Metrics,
    inner: Mutex<Inner>,
    told: Told,
}

struct Inner {
    settled: Option<BlockNumber>,
    written: Option<BlockNumber>,
    losses: Losses,
    /// Whether the journal lacks a loss.
    is_unwritten: bool,
}

impl Ledger {
    /// Goes on with what `journal` holds. What cannot be read is said, and counted from now on.
    pub fn open(journal: Journal, account: AccountId, metrics: Metrics) -> Self {
        let (settled, losses) = match (journal.settled(), journal.losses()) {
            (Ok(settled), Ok(losses)) => (settled, losses),
            (Err(error), _) | (_, Err(error)) => {
                tracing::error!(%error, "The journal does not say what was lost lately: it is counted from now on.");
                (None, Vec::new())
            }
        };
        Self {
            journal,
            account,
            metrics,
            inner: Mutex::new(Inner {
                settled,
                written: settled,
                losses: Losses::new(losses),
                is_unwritten: false,
            }),
            told: Told::default(),
        }
    }

    /// The finalised block that was counted last.
    pub fn settled_up_to(&self) -> Option<BlockNumber> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).settled
    }

    /// Counts a finalised block, at `now`.
    pub fn settle(&self, news: &News, now: SystemTime) {
        let number = news.block.number;
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.settled.is_some_and(|settled| number <= settled) {
            return;
        }
        let mut sum = CameTo::default();
        for paid in &news.payments {
            count(paid, &self.account, &mut sum);
        }
        self.metrics.came_to(&sum);
        for (_, verifier, ended) in &news.attested {
            if *verifier == self.account {
                self.metrics.attestation_ended(*ended);
            }
        }
        inner.settled = Some(number);
        inner.losses.add(now, sum.lost);
        inner.is_unwritten |= sum.lost > 0;
        let since = number.saturating_sub(inner.written.unwrap_or_default());
        if !inner.is_unwritten && since < WRITE_EVERY {
            return;
        }
        match self.journal.settle(&[], inner.settled, &inner.losses.all()) {
            Ok(()) => {
                inner.written = inner.settled;
                inner.is_unwritten = false;
                if self.told.is_over("disk") {
                    tracing::info!("The disk takes what is written again.");
                }
            }
            Err(error) => {
                if self.told.is_new("disk", &error) {
                    tracing::error!(%error, "What was lost cannot be written to the journal; trying again after each block. Free some room on the disk.");
                }
            }
        }
    }

    /// Why nothing more is risked at `now`, if so.
    pub fn stop(&self, stop_loss: Option<StopLoss>, now: SystemTime) -> Option<String> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        stop_loss?.reached(&mut inner.losses, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attested;
    use agora_chain::{BlockRef, H256};
    use agora_primitives::{TaskId, money::Scope, participants::Role};

    const US: AccountId = AccountId([1; 32]);
    const OTHER: AccountId = AccountId([2; 32]);
    const DAY: Duration = Duration::from_secs(86_400);

    fn paid(purpose: Purpose, from: AccountId, payee: Payee<AccountId>, amount: Balance) -> PaymentView {
        PaymentView {
            purpose,
            scope: Scope::Task(TaskId(7)),
            from,
            payee,
            amount,
        }
    }

    fn news(number: BlockNumber, payments: Vec<PaymentView>) -> News {
        News {
            block: BlockRef {
                number,
                hash: H256([number as u8; 32]),
            },
            changed: vec![],
            judged: vec![],
            attested: vec![],
            payments,
            terms_changed: false,
        }
    }

    fn sum(payments: &[PaymentView]) -> (Balance, Balance) {
        let mut sum = CameTo::default();
        payments.iter().for_each(|paid| count(paid, &US, &mut sum));
        (sum.earned, sum.lost)
    }

    #[test]
    fn every_bond_that_is_taken_is_lost_and_what_others_pay_is_earned() {
        for bond in [
            Purpose::TaskBond,
            Purpose::AppealBond,
            Purpose::CourtBond,
            Purpose::RoleBond,
        ] {
            assert_eq!(sum(&[paid(bond, US, Payee::Burn, 5)]), (0, 5), "{bond:?}");
            assert_eq!(sum(&[paid(bond, US, Payee::Treasury, 5)]), (0, 5), "{bond:?}");
            assert_eq!(sum(&[paid(bond, US, Payee::Account(OTHER), 5)]), (0, 5), "{bond:?}");
            assert_eq!(sum(&[paid(bond, OTHER, Payee::Account(US), 5)]), (5, 0), "{bond:?}");
            assert_eq!(sum(&[paid(bond, US, Payee::Account(US), 5)]), (0, 0), "{bond:?}");
            assert_eq!(sum(&[paid(bond, OTHER, Payee::Burn, 5)]), (0, 0), "{bond:?}");
        }
        for pay in [Purpose::TaskReward, Purpose::PublisherStake, Purpose::PublicationFee] {
            assert_eq!(sum(&[paid(pay, OTHER, Payee::Account(US), 5)]), (5, 0), "{pay:?}");
            // Spent on a task of one's own.
            assert_eq!(sum(&[paid(pay, US, Payee::Account(OTHER), 5)]), (0, 0), "{pay:?}");
        }
    }

    #[test]
    fn what_a_verifier_earns_and_loses_is_counted_once_and_remembered() {
        let folder = tempfile::tempdir().expect("a folder");
        let metrics = Metrics::default();
        let journal = || Journal::open(&folder.path().join("journal"), [0; 32], US.0).expect("it opens");
        let open = |metrics: &Metrics| Ledger::open(journal(), US, metrics.clone());
        let now = SystemTime::now();
        let ledger = open(&metrics);
        let vote = PaymentView {
            scope: Scope::Role(Role::Verifier),
            ..paid(Purpose::RoleBond, US, Payee::Burn, 2_000_000_000_000)
        };
        let attestation = paid(Purpose::TaskReward, OTHER, Payee::Account(US), 3_000_000_000_000);
        let mut block = news(7, vec![vote, attestation]);
        block.attested = vec![
            (TaskId(7), US, Attested::Right),
            (TaskId(8), US, Attested::NotRevealed),
            (TaskId(9), OTHER, Attested::Wrong),
        ];
        ledger.settle(&block, now);
        ledger.settle(&block, now);
        assert_eq!(ledger.settled_up_to(), Some(7));
        let text = metrics.render();
        for line in [
            "agora_earned_total 3.0",
            "agora_lost_total 2.0",
            r#"agora_outcomes_total{reason="right"} 1"#,
            r#"agora_outcomes_total{reason="wrong"} 0"#,
            r#"agora_outcomes_total{reason="not revealed"} 1"#,
        ] {
            assert!(text.contains(line), "{line}:\n{text}");
        }
        let stop = |most| Some(StopLoss { most, within: DAY });
        let (enough, more) = (stop(2_000_000_000_000), stop(2_000_000_000_001));
        assert!(ledger.stop(enough, now).is_some());
        assert_eq!(ledger.stop(more, now), None);
        assert_eq!(ledger.stop(None, now), None);
        drop(ledger);
        let again = open(&Metrics::default());
        assert_eq!(again.settled_up_to(), Some(7));
        assert!(again.stop(enough, now).is_some(), "it is remembered");
        assert_eq!(again.stop(enough, now + 2 * DAY), None, "for a while");
    }

    #[test]
    fn a_loss_that_the_disk_does_not_take_is_written_later() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = Journal::open(&folder.path().join("journal"), [0; 32], US.0).expect("it opens");
        let ledger = Ledger::open(journal.clone(), US, Metrics::default());
        journal.is_full.store(true, std::sync::atomic::Ordering::SeqCst);
        let now = SystemTime::now();
        ledger.settle(&news(1, vec![paid(Purpose::CourtBond, US, Payee::Burn, 5)]), now);
        assert!(journal.losses().expect("read").is_empty());
        journal.is_full.store(false, std::sync::atomic::Ordering::SeqCst);
        ledger.settle(&news(2, vec![]), now);
        assert_eq!(journal.losses().expect("read").len(), 1);
        assert_eq!(journal.settled().expect("read"), Some(2));
    }

    #[test]
    fn losses_count_for_a_while() {
        let mut losses = Losses::default();
        let now = SystemTime::now();
        losses.add(now, 5);
        losses.add(now + DAY / 2, 7);
        assert_eq!(losses.within(now + DAY / 2, DAY), 12);
        assert_eq!(losses.within(now + DAY * 5 / 4, DAY), 7);
        for _ in 0..2 * MOST_LOSSES {
            losses.add(now + DAY, 1);
        }
        assert!(losses.all().len() <= MOST_LOSSES);
        assert_eq!(
            losses.within(now + DAY, DAY),
            7 + 2 * MOST_LOSSES as Balance,
            "none is forgotten"
        );
    }
}
