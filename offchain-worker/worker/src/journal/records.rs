//! What a journal holds.

use agora_chain::{Balance, BlockNumber, H256, views::TaskView};
use agora_primitives::{
    job::{BlobRef, Claim, JobSource},
    reputation::Outcome,
};
use codec::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// What a worker has to know to finish a task.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRecord {
    /// How far it has come.
    pub stage: Stage,
    /// The task's round in which it was, or was to be, accepted.
    pub round: u32,
    /// Secret of the commitment. Without it the result cannot be revealed, and the bond is lost.
    #[serde(with = "agora_chain::hex_text")]
    pub salt: [u8; 32],
    /// What the result is claimed to be, once it is computed.
    pub claim: Option<Claim>,
    /// The number of the best block when this was written: a state before it says nothing about this task.
    pub seen_at: BlockNumber,
    /// The bond, in plancks.
    pub bond: Balance,
    /// The BLAKE3 hash of where the chain says that the job is. On another fork the task of this number may be another one.
    pub job: H256,
    /// What came of it so far.
    pub came_to: CameTo,
}

/// What came of a task for an account, by finalised blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CameTo {
    /// What was paid to it, in plancks.
    pub earned: Balance,
    /// What was taken of its bonds, in plancks.
    pub lost: Balance,
    /// How its work was judged; `None`: it was not, or that was not seen.
    pub judged: Option<Judged>,
}

/// How a worker's work was judged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judged {
    /// Right.
    Right,
    /// Wrong, or not revealed.
    Wrong,
    /// Not committed in time.
    Late,
}

impl Judged {
    /// In words, also where it was not judged.
    pub const fn word(judged: Option<Self>) -> &'static str {
        match judged {
            Some(Self::Right) => "right",
            Some(Self::Wrong) => "wrong",
            Some(Self::Late) => "late",
            None => "not judged",
        }
    }
}

impl From<Outcome> for Judged {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Right { .. } => Self::Right,
            Outcome::Wrong => Self::Wrong,
            Outcome::Late => Self::Late,
        }
    }
}

impl TaskRecord {
    /// Of a task that is about to be accepted, as `task` shows it at best block `seen_at`.
    pub fn new(task: &TaskView, salt: [u8; 32], seen_at: BlockNumber) -> Self {
        Self {
            stage: Stage::Accepting,
            round: task.round,
            salt,
            claim: None,
            seen_at,
            bond: task.bond,
            job: hash_of(&task.job),
            came_to: CameTo::default(),
        }
    }

    /// The record of the same task as `task` shows it at best block `now`, to be accepted again. If it is another one now,
    /// as on another fork, nothing of the old one is kept but the salt: the old fork may win again, and what was committed to
    /// there is then revealed with it.
    pub fn renewed(self, task: &TaskView, now: BlockNumber) -> Self {
        if self.job != hash_of(&task.job) {
            return Self::new(task, self.salt, now);
        }
        Self {
            round: task.round,
            bond: task.bond,
            seen_at: now,
            ..self
        }
    }

    /// Whether it is about the job that `task` has.
    pub fn is_about(&self, task: &TaskView) -> bool {
        self.job == hash_of(&task.job)
    }
}

/// What tells one job from another.
fn hash_of(job: &JobSource) -> H256 {
    BlobRef::to(&job.encode()).hash
}

impl std::fmt::Debug for TaskRecord {
    /// Leaves out the salt.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskRecord")
            .field("stage", &self.stage)
            .field("claim", &self.claim)
            .finish()
    }
}

/// How far a worker has come with a task. It is written before the transaction is sent, so the chain is never further
/// than this stage allows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// About to accept, or accepted and not yet computed. The salt is drawn; the claim is not known.
    Accepting,
    /// Computed, and the result kept on this machine: about to commit, or committed.
    Committing,
    /// About to reveal, or revealed.
    Revealing,
    /// Revealed, and the result is where others find it.
    Served,
    /// The task has ended.
    Ended,
}

/// What a verifier has done about a result.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AttestRecord {
    /// The claim that was checked.
    pub claim: Claim,
    /// Whether it was right.
    pub valid: bool,
    /// What this account has come to itself, if it has computed the job.
    #[serde(default)]
    pub own: Option<Claim>,
    /// The keyed root over the output that this account had, and the seed of the window for which it was made.
    #[serde(default)]
    pub root: Option<(H256, H256)>,
}

impl AttestRecord {
    /// The root that was made for the window with this `seed`.
    pub(crate) fn root_in(&self, seed: H256) -> Option<H256> {
        let made = self.root.filter(|(made_for, _)| *made_for == seed);
        made.map(|(_, root)| root)
    }

    /// Of `claim`, where the job was computed and comes to `own`.
    pub(crate) fn computed(claim: Claim, own: Claim) -> Self {
        Self {
            claim,
            valid: own == claim,
            own: Some(own),
            root: None,
        }
    }
}

/// The last accusation of a result in court.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccusationRecord {
    /// The number of the case.
    pub case: u64,
    /// The claim that this account has come to.
    pub own: Option<Claim>,
    /// What the commitment is made with.
    pub salt: [u8; 32],
    /// The accusation, SCALE-encoded.
    pub accusation: Vec<u8>,
}

impl std::fmt::Debug for AccusationRecord {
    /// Leaves out the salt.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccusationRecord")
            .field("case", &self.case)
            .field("own", &self.own)
            .finish()
    }
}

/// What was lost, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Loss {
    /// In seconds since 1970.
    pub at_s: u64,
    /// In plancks.
    pub amount: Balance,
}
