//! Before a trial: accusations are committed to and revealed, and defences prepared.

use super::{Shared, jobs::Known, opinion::Opinion};
use crate::{Chain, WorkerError, job::put_states, journal::AccusationRecord, ledger::Losses};
use agora_blobs::BlobKind;
use agora_chain::{AtBlock, BlockNumber, H256, Intention, calls, views::CaseView};
use agora_disputes::{Accusation, commitment, player::Knowledge};
use agora_primitives::job::JobSpec;
use codec::{Decode, Encode};
use std::time::SystemTime;

/// What an account has said so far about the claim of a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// Nothing.
    Nothing,
    /// Its accusation is on disk, and the chain does not have it.
    OnDisk,
    /// The chain has its accusation, which is not revealed.
    Hidden,
}

/// What is due about the claim of a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    /// Nothing now.
    Nothing,
    /// To find out what is wrong of it, and to write the accusation.
    Accusation,
    /// To commit to the accusation that is on disk.
    Commitment,
    /// To reveal it.
    Reveal,
}

impl Due {
    /// After block `now`, in a case in which may be committed until block `until` and revealed until block `reveal_until`: what
    /// is sent now is in the next block at the earliest.
    pub const fn after(now: BlockNumber, until: BlockNumber, reveal_until: BlockNumber, said: Said) -> Self {
        match said {
            Said::Nothing if now < until => Self::Accusation,
            Said::OnDisk if now < until => Self::Commitment,
            Said::Hidden if now >= until && now < reveal_until => Self::Reveal,
            Said::Nothing | Said::OnDisk | Said::Hidden => Self::Nothing,
        }
    }
}

impl Shared {
    /// Accuses the claim of a case, if it is wrong, and reveals that in time.
    pub(super) async fn attend(&self, at: &AtBlock, case: CaseView) -> Result<(), WorkerError> {
        let known = self.journal.accusation(case.task)?;
        let known = known.filter(|record| record.case == case.number);
        let said = match known {
            None => Said::Nothing,
            Some(_) if at.has_accused(case.number, &self.account).await? => Said::Hidden,
            Some(_) => Said::OnDisk,
        };
        // What was lost is read only where something would be accused: most cases are of right results.
        let is_wrong = || -> Result<bool, WorkerError> { Ok(self.opinion(case.task, &case.claim)? == Opinion::Wrong) };
        match (Due::after(at.block.number, case.until, case.reveal_until, said), known) {
            (Due::Reveal, Some(record)) => self.reveal(at, &case, &record).await,
            (Due::Commitment, Some(record)) if !self.has_lost_enough()? => self.commit(at, &case, record).await,
            (Due::Accusation, _) if is_wrong()? && !self.has_lost_enough()? => {
                match self.accusation(at, &case).await? {
                    Some(record) => self.commit(at, &case, record).await,
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Whether nothing more is accused, because too much was lost. Said once.
    fn has_lost_enough(&self) -> Result<bool, WorkerError> {
        let Some(stop_loss) = self.config.stop_loss else {
            return Ok(false);
        };
        // Whoever follows the finalised blocks for this account writes down what it loses.
        let mut losses = Losses::new(self.journal.losses()?);
        let why = stop_loss.reached(&mut losses, SystemTime::now());
        match &why {
            Some(why) if self.told.is_new("stop", "") => {
                tracing::warn!("Nothing more is accused: {why}. Defences and reveals go on.");
            }
            None if self.told.is_over("stop") => tracing::info!("Results are accused again."),
            _ => {}
        }
        Ok(why.is_some())
    }

    /// Commits to an accusation that is on disk.
    async fn commit(&self, at: &AtBlock, case: &CaseView, record: AccusationRecord) -> Result<(), WorkerError> {
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

    /// Computes what the trials of a case take, once somebody has committed to an accusation: when they open, the clocks run. Of a claim that is
    /// right, for its defence; of one that this account has accused, unless that is known.
    pub(super) async fn prepare(&self, at: &AtBlock, case: CaseView) -> Result<(), WorkerError> {
        if self.truths.find(case.task).is_some() {
            return Ok(());
        }
        let accused = self.journal.accusation(case.task)?;
        let has_accused = accused.is_some_and(|record| record.case == case.number);
        if !has_accused && self.opinion(case.task, &case.claim)? != Opinion::Right {
            return Ok(());
        }
        let Some(known) = self.arbiter(at, case.task, case.reveal_until).await? else {
            return Ok(());
        };
        match has_accused {
            true => self.keep_output(&known, &case).await,
            false => {
                tracing::info!(task = %case.task, "Somebody is about to accuse a result that is right: its defence is ready.");
            }
        }
        Ok(())
    }

    /// The accusation of the claim of `case`, in the journal; `None`: it is right after all, or cannot be computed now.
    async fn accusation(&self, at: &AtBlock, case: &CaseView) -> Result<Option<AccusationRecord>, WorkerError> {
        let Some(right) = self.right(at, case).await? else {
            return Ok(None);
        };
        let own = right.claim;
        let Some(target) = right.target(&case.claim) else {
            if self.told.is_new(format!("case {}", case.number), "right") {
                tracing::error!(task = %case.task, "A check, or this machine's own result, says that a result is wrong which the reference, or the processor, says is right.");
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
        self.keep_job(&right.job, case).await;
        self.journal.put_accusation(case.task, &record)?;
        if let Some(known) = &right.known {
            self.keep_output(known, case).await;
        }
        Ok(Some(record))
    }

    /// Keeps the specification of the job: without it the accusation cannot be revealed, and its publisher may not give it once more.
    async fn keep_job(&self, job: &JobSpec, case: &CaseView) {
        if let Err(error) = self.blobs.store().put(BlobKind::Job, job.encode()).await {
            tracing::error!(task = %case.task, %error, "The job's specification cannot be kept: after a restart it has to be fetched again before the accusation is revealed.");
        }
    }

    /// Puts the right result where others find it: it may take the place of what falls, and then it is this account that has it. Until then
    /// nobody knows what to ask for.
    pub(super) async fn keep_output(&self, arbiter: &Known, case: &CaseView) {
        if let Err(error) = self.put_output(arbiter).await {
            tracing::error!(task = %case.task, %error, "The right result cannot be kept: if it is chosen, others will not have it from here.");
        }
    }

    async fn put_output(&self, arbiter: &Known) -> Result<(), WorkerError> {
        let store = self.blobs.store();
        if let Some((_, before)) = arbiter.files().states().split_last() {
            put_states(store, before).await?;
        }
        let known = Known::clone(arbiter);
        let saved = tokio::task::spawn_blocking(move || known.files().save_output()).await;
        let saved = saved.map_err(|panic| WorkerError::Interrupted(panic.to_string()))?;
        let Some(path) = saved.map_err(|trouble| WorkerError::Interrupted(trouble.to_string()))? else {
            return Ok(());
        };
        let put = store.put_file(BlobKind::Output, path.clone()).await;
        // It goes with its folder in any case.
        let _ = std::fs::remove_file(&path);
        put?;
        Ok(())
    }

    async fn reveal(&self, at: &AtBlock, case: &CaseView, record: &AccusationRecord) -> Result<(), WorkerError> {
        let (Some(accusation), Some(view)) = (record.decoded(), at.task(case.task).await?) else {
            return Ok(());
        };
        let job = match self.truths.find(case.task) {
            Some(known) => known.spec().clone(),
            None => self.job(at, &view).await?.1,
        };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accusation_is_committed_to_and_revealed_in_its_time_and_in_no_other() {
        let (until, reveal_until) = (100, 120);
        let due = |now, said| Due::after(now, until, reveal_until, said);
        for now in [0, 99] {
            assert_eq!(due(now, Said::Nothing), Due::Accusation);
            assert_eq!(due(now, Said::OnDisk), Due::Commitment);
            assert_eq!(due(now, Said::Hidden), Due::Nothing, "it waits for its reveal");
        }
        // The next block is the first of those in which is revealed.
        for now in [100, 119] {
            assert_eq!(due(now, Said::Hidden), Due::Reveal);
            assert_eq!(
                due(now, Said::OnDisk),
                Due::Nothing,
                "it cannot be committed to any more"
            );
            assert_eq!(due(now, Said::Nothing), Due::Nothing);
        }
        for said in [Said::Nothing, Said::OnDisk, Said::Hidden] {
            assert_eq!(due(120, said), Due::Nothing, "it would be refused, for a fee");
        }
    }
}
