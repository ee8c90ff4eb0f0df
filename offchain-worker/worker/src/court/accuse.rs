//! Before a trial: accusations are committed to and revealed, and defences prepared.

use super::{Shared, jobs::Known, opinion::Opinion};
use crate::{Chain, WorkerError, job::put_output, journal::AccusationRecord};
use agora_chain::{AtBlock, H256, Intention, calls, views::CaseView};
use agora_disputes::{Accusation, commitment};
use codec::{Decode, Encode};

impl Shared {
    /// Accuses the claim of a case, if it is wrong, and reveals that in time.
    pub(super) async fn attend(&self, at: &AtBlock, case: CaseView) -> Result<(), WorkerError> {
        let now = at.block.number;
        let known = self.journal.accusation(case.task)?;
        let known = known.filter(|record| record.case == case.number);
        if now >= case.until {
            return match known {
                Some(record) if now < case.reveal_until && at.has_accused(case.number, &self.account).await? => {
                    self.reveal(at, &case, &record).await
                }
                _ => Ok(()),
            };
        }
        let record = match known {
            // It waits for its reveal.
            Some(_) if at.has_accused(case.number, &self.account).await? => return Ok(()),
            Some(record) => record,
            None if self.opinion(case.task, &case.claim)? != Opinion::Wrong => return Ok(()),
            None => match self.accusation(at, &case).await? {
                Some(record) => record,
                None => return Ok(()),
            },
        };
        let Some(accusation) = record.decoded() else {
            return Ok(());
        };
        let mut purse = self.purse(format!("case {}", case.number), at.court_bond()?).await?;
        if !purse.pay() {
            return Ok(());
        }
        let genesis = self.submitter.genesis_hash();
        let hash = commitment(
            &genesis.0.into(),
            case.number,
            &self.account.0,
            &accusation,
            &record.salt,
        );
        let intention = Intention::named(format!("accusation in case {}", case.number))
            .until(case.until)
            .urgent(2);
        let included = self
            .submitter
            .submit_as(&calls::accuse(case.task, H256(hash.0)), intention)
            .await?;
        tracing::warn!(task = %case.task, claim = %case.claim, block = included.block.number, "Accused a result: it is wrong.");
        Ok(())
    }

    /// Computes what a defence of the claim of a case needs, once somebody has committed to an accusation: when the trial opens, the clock runs.
    pub(super) async fn prepare(&self, at: &AtBlock, case: CaseView) -> Result<(), WorkerError> {
        if self.opinion(case.task, &case.claim)? != Opinion::Right {
            return Ok(());
        }
        let is_known = self.jobs.find(case.task).is_some();
        if self.arbiter(at, case.task, case.reveal_until).await?.is_some() && !is_known {
            tracing::info!(task = %case.task, "Somebody is about to accuse a result that is right: its defence is ready.");
        }
        Ok(())
    }

    /// The accusation of the claim of `case`, in the journal; `None`: it is right after all, or cannot be computed now.
    async fn accusation(&self, at: &AtBlock, case: &CaseView) -> Result<Option<AccusationRecord>, WorkerError> {
        let Some(arbiter) = self.arbiter(at, case.task, case.until).await? else {
            return Ok(None);
        };
        let own = arbiter.claim();
        let Some(target) = arbiter.target(&case.claim) else {
            if self.told.is_new(format!("case {}", case.number), "right") {
                tracing::error!(task = %case.task, "A check, or this machine's own result, says that a result is wrong which the reference says is right.");
            }
            return Ok(None);
        };
        let accusation = Accusation {
            accused: case.claim,
            target,
            own: Some(own),
        };
        let record = AccusationRecord {
            case: case.number,
            own: Some(own),
            salt: rand::random(),
            accusation: accusation.encode(),
        };
        self.journal.put_accusation(case.task, &record)?;
        self.keep_output(&arbiter, case).await;
        Ok(Some(record))
    }

    /// Puts the right result where others find it: it may take the place of what falls, and then it is this account that has it. Until then
    /// nobody knows what to ask for.
    async fn keep_output(&self, arbiter: &Known, case: &CaseView) {
        let truth = arbiter.truth();
        let Some(output) = truth.states.last() else { return };
        let mut states = truth.digests();
        states.pop();
        if let Err(error) = put_output(self.blobs.store(), states, output.clone()).await {
            tracing::error!(task = %case.task, %error, "The right result cannot be kept: if it is chosen, others will not have it from here.");
        }
    }

    async fn reveal(&self, at: &AtBlock, case: &CaseView, record: &AccusationRecord) -> Result<(), WorkerError> {
        let (Some(accusation), Some(view)) = (record.decoded(), at.task(case.task).await?) else {
            return Ok(());
        };
        let (_, job) = self.job(at, &view).await?;
        let call = calls::reveal_accusation(case.task, accusation, record.salt, job);
        let intention = Intention::named(format!("reveal of the accusation in case {}", case.number))
            .until(case.reveal_until)
            .urgent(3);
        self.submitter.submit_as(&call, intention).await?;
        Ok(())
    }
}

impl AccusationRecord {
    /// The accusation. `None`: it cannot be read any more.
    fn decoded(&self) -> Option<Accusation> {
        Accusation::decode(&mut self.accusation.as_slice()).ok()
    }
}
