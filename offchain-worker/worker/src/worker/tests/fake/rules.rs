//! The rules of the fake chain: what is due by time, and what calls do.

use super::*;
use agora_primitives::{
    job::{BlobRef, JobSource, JobSpec},
    judging::JudgeRule,
};

impl FakeState {
    /// What is due by time.
    pub(super) fn advance(&mut self) {
        if !self.is_stalled {
            self.take_steps(|_| true);
        }
    }

    /// Takes the steps that are due of some tasks.
    fn take_steps(&mut self, of: impl Fn(TaskId) -> bool) {
        let now = self.block.number;
        for task in self.tasks.values_mut().filter(|task| task.until < now && of(task.id)) {
            self.changed.push(task.id);
            let part = self.parts.get(&task.id).map(|part| part.state);
            match task.phase {
                Phase::Working => {
                    task.phase = Phase::Revealing;
                    task.until = now + REVEAL_WINDOW;
                }
                Phase::Revealing => {
                    self.occupied -= u32::from(part.is_some_and(|part| part != ContributionState::Replaced));
                    task.phase = Phase::Appealable;
                    task.until = now + APPEAL_WINDOW;
                }
                Phase::Open => {
                    task.phase = Phase::Expired;
                    task.until = BlockNumber::MAX;
                }
                _ => {
                    task.phase = Phase::Settled;
                    task.until = BlockNumber::MAX;
                    self.parts.remove(&task.id);
                    let Some(part) = part else { continue };
                    let (outcome, penalty) = match part {
                        // It was judged when it was replaced.
                        ContributionState::Replaced => continue,
                        ContributionState::Accepted { .. } => (Outcome::Late, task.bond / 10),
                        ContributionState::Committed { .. } => (Outcome::Wrong, task.bond / 2),
                        ContributionState::Revealed { .. } => (Outcome::Right { confirmed: true }, 0),
                    };
                    self.judged.insert(task.id, outcome);
                    self.lost += penalty;
                    self.penalties.push((task.id, penalty));
                    self.free += task.bond - penalty;
                }
            }
        }
    }

    /// Does what a call says, as the tasks pallet does.
    pub(super) fn apply(&mut self, call: &Call) -> Result<(), &'static str> {
        self.free -= FEE;
        match call {
            Call::Respond(_, digest) => {
                self.response = Some(ResponseView {
                    capability: 1,
                    digest: *digest,
                    weight: 0,
                });
            }
            Call::ShowDecoy(..) => self.decoys_shown += 1,
            _ => {}
        }
        let (Call::Accept(id)
        | Call::Decline(id)
        | Call::Advance(id)
        | Call::Commit(id, _)
        | Call::Reveal(id, ..)
        | Call::RevealExact(id, ..)) = *call
        else {
            return Ok(());
        };
        self.changed.push(id);
        match call {
            Call::Accept(_) => self.accept(id),
            Call::Decline(_) => self.decline(id),
            Call::Advance(_) => {
                let task = self.tasks.get(&id).ok_or("UnknownTask")?;
                if task.until >= self.block.number {
                    return Err("NothingDue");
                }
                self.paid_steps += 1;
                self.free += task.fee / Balance::from(LATE_STEP_PARTS);
                self.take_steps(|task| task == id);
                Ok(())
            }
            Call::Commit(_, commitment) => self.commit(id, *commitment),
            Call::Reveal(_, claim, salt) => {
                let task = self.tasks.get(&id).ok_or("UnknownTask")?;
                let part = self.parts.get_mut(&id).ok_or("NotAccepted")?;
                if task.judge == JudgeRule::Exact {
                    return Err("RevealWithEvidence");
                }
                reveal(task, part, claim, salt)
            }
            Call::RevealExact(_, claim, salt, evidence) => self.reveal_exact(id, claim, salt, evidence),
            _ => Ok(()),
        }
    }

    /// The chain computes the job, as the reference does, and settles the task.
    fn reveal_exact(
        &mut self,
        id: TaskId,
        claim: &Claim,
        salt: &[u8; 32],
        evidence: &[u8],
    ) -> Result<(), &'static str> {
        let task = self.tasks.get_mut(&id).ok_or("UnknownTask")?;
        let part = self.parts.get_mut(&id).ok_or("NotAccepted")?;
        let (JudgeRule::Exact, JobSource::Inline(spec)) = (task.judge, &task.job) else {
            return Err("NotExact");
        };
        reveal(task, part, claim, salt)?;
        let shown = Shown::new(spec, evidence).ok_or("EvidenceMismatch")?;
        if agora_reference::run(spec, &shown).map(|outcome| outcome.claim) != Ok(*claim) {
            return Err("OtherClaim");
        }
        task.phase = Phase::Settled;
        task.until = BlockNumber::MAX;
        self.occupied -= 1;
        self.free += task.bond;
        self.parts.remove(&id);
        self.judged.insert(id, Outcome::Right { confirmed: false });
        Ok(())
    }

    fn decline(&mut self, id: TaskId) -> Result<(), &'static str> {
        let task = self.tasks.get_mut(&id).ok_or("UnknownTask")?;
        let invited = task.invited.as_mut().ok_or("NotInvited")?;
        let at = invited.workers.iter().position(|worker| *worker == WORKER);
        invited.workers.remove(at.ok_or("NotInvited")?);
        self.free += FEE;
        Ok(())
    }

    fn accept(&mut self, id: TaskId) -> Result<(), &'static str> {
        let now = self.block.number;
        let task = self.tasks.get_mut(&id).ok_or("UnknownTask")?;
        if self.parts.contains_key(&id) {
            return Err("AlreadyAccepted");
        }
        if !task.takes(&WORKER, now - 1) || now + task.min_thinking > task.until {
            return Err("NotAccepting");
        }
        if self.is_banned {
            return Err("Banned");
        }
        if self.occupied == self.slots {
            return Err("NoFreeSlot");
        }
        self.occupied += 1;
        self.free -= task.bond;
        task.phase = Phase::Working;
        task.accepted += 1;
        let part = Contribution {
            round: task.round,
            accepted_at: now,
            state: ContributionState::Accepted {
                commit_from: now + task.min_thinking,
                commit_by: task.commit_by(now),
            },
        };
        self.parts.insert(id, part);
        Ok(())
    }

    /// Somebody else takes over a slot, because the worker is late with the task `id`.
    pub(super) fn replace(&mut self, id: TaskId) {
        let task = &self.tasks[&id];
        let part = self.parts.get_mut(&id).expect("the worker has accepted");
        let ContributionState::Accepted { commit_by, .. } = part.state else {
            panic!("the worker is not silent: {:?}", part.state);
        };
        assert!(self.block.number > commit_by, "the worker is not late");
        part.state = ContributionState::Replaced;
        let penalty = task.bond / 10;
        self.judged.insert(id, Outcome::Late);
        self.lost += penalty;
        self.penalties.push((id, penalty));
        self.free += task.bond - penalty;
        self.occupied -= 1;
        self.changed.push(id);
    }

    fn commit(&mut self, id: TaskId, commitment: H256) -> Result<(), &'static str> {
        let now = self.block.number;
        let task = self.tasks.get(&id).ok_or("UnknownTask")?;
        let part = self.parts.get_mut(&id).ok_or("NotAccepted")?;
        let ContributionState::Accepted { commit_from, .. } = part.state else {
            return Err("AlreadyCommitted");
        };
        if part.round != task.round {
            return Err("RoundOver");
        }
        if task.phase != Phase::Working || now < commit_from || now > task.until {
            return Err("TooEarlyOrLate");
        }
        part.state = ContributionState::Committed { commitment, at: now };
        Ok(())
    }
}

/// The inputs of a job, as its evidence shows them.
struct Shown(Vec<(BlobRef, Vec<u8>)>);

impl Shown {
    fn new(spec: &JobSpec, evidence: &[u8]) -> Option<Self> {
        let mut rest = evidence;
        let mut inputs = Vec::new();
        for input in spec.inputs() {
            let (content, after) = rest.split_at_checked(input.size as usize)?;
            (BlobRef::to(content) == input).then_some(())?;
            inputs.push((input, content.to_vec()));
            rest = after;
        }
        rest.is_empty().then_some(Self(inputs))
    }
}

impl agora_reference::Inputs for Shown {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        let (_, content) = self.0.iter().find(|(input, _)| input == blob)?;
        Some(content)
    }
}

/// What was taken of the worker's bond.
pub(super) fn penalty((task, amount): &(TaskId, Balance)) -> PaymentView {
    PaymentView {
        purpose: Purpose::TaskBond,
        scope: Scope::Task(*task),
        from: WORKER,
        payee: Payee::Treasury,
        amount: *amount,
    }
}

fn reveal(task: &TaskView, part: &mut Contribution, claim: &Claim, salt: &[u8; 32]) -> Result<(), &'static str> {
    let ContributionState::Committed { commitment: ours, at } = part.state else {
        return Err("NotCommitted");
    };
    if task.phase != Phase::Revealing {
        return Err("NotRevealing");
    }
    if ours != commitment(GENESIS, task.id, &WORKER, claim, salt) {
        return Err("CommitmentMismatch");
    }
    part.state = ContributionState::Revealed {
        claim: *claim,
        committed_at: at,
    };
    Ok(())
}
