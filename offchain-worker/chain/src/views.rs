//! What the chain knows, in the form that programs and people want it.

use crate::{AccountId, Balance, BlockNumber, H256, ProxyType};
use agora_disputes::{Game, Terms};
use agora_primitives::{
    ClassId, TaskId,
    capability::{Decision, challenge_job},
    job::{Claim, JobKind, JobSpec},
    judging,
    money::{Payee, Purpose, Scope},
    participants::{Specialisation, Specialisations},
    reputation::Side,
    task::{self, Difficulty},
};
use serde::Serialize;
use sp_runtime::traits::ConstU32;

/// A task, with where it is in its life.
pub type TaskView = task::TaskView<AccountId, Balance, BlockNumber>;

/// Some of the chain's tasks, and where to go on.
pub(crate) type TaskPage = task::TaskPage<AccountId, Balance, BlockNumber>;

/// One worker's part in a task.
pub type Contribution = task::Contribution<BlockNumber>;

/// How far a worker is with a task.
pub type ContributionState = task::ContributionState<BlockNumber>;

/// Who attested what, as many as the chain takes.
pub type Attestations = judging::Attestations<AccountId, ConstU32<{ u32::MAX }>>;

/// One accuser against one claim, with all that was shown.
#[derive(Clone, Debug)]
pub struct TrialView {
    /// The task.
    pub task: TaskId,
    /// The number of the case.
    pub case: u64,
    /// The claim that the accuser makes itself, if it makes one.
    pub own: Option<Claim>,
    /// The lengths of the phases.
    pub terms: Terms,
    /// Who wins if the claim stands.
    pub defender: Option<AccountId>,
    /// Where it is.
    pub game: Game<AccountId>,
}

/// The last blocks in which accusations may be committed to, and revealed, if that is `until` without full blocks and there were `full`
/// since the case was opened: those are no time, up to a bound. A reveal that comes before would be refused.
pub(crate) fn accusing_until(until: BlockNumber, full: u64, phases: &Terms) -> (BlockNumber, BlockNumber) {
    let blocks = |count| BlockNumber::try_from(count).unwrap_or(BlockNumber::MAX);
    let until = until.saturating_add(blocks(full.min(phases.stops)));
    (until, until.saturating_add(blocks(phases.reveal)))
}

/// An open case: a claim that may be accused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseView {
    /// The task.
    pub task: TaskId,
    /// The number of the case.
    pub number: u64,
    /// The claim.
    pub claim: Claim,
    /// The last block in which accusations may be committed to, if no more blocks are full.
    pub until: BlockNumber,
    /// The last block in which they may be revealed; the same holds.
    pub reveal_until: BlockNumber,
    /// Whether it is decided, so that there is nothing left to say.
    pub is_decided: bool,
}

/// An open appeal window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppealWindowView {
    /// The task.
    pub task: TaskId,
    /// The claim that may be appealed.
    pub claim: Claim,
    /// Where checks take their randomness from.
    pub seed: H256,
    /// The last block in which attesting is possible.
    pub until: BlockNumber,
    /// What has been attested.
    pub attestations: Attestations,
}

/// The keys that may act for an account.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProxyView {
    /// Each with what it may do, and the blocks from announcing a call to making it.
    pub proxies: Vec<(AccountId, ProxyType, BlockNumber)>,
    /// What the account deposits for them, in plancks.
    pub deposit: Balance,
}

/// When rounds of hardware challenges are held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct ScheduleView {
    /// Blocks from one round to the next.
    pub period: BlockNumber,
    /// Blocks in which a round takes responses.
    pub window: BlockNumber,
    /// Blocks from the opening of a round in which what it proved counts.
    pub validity: BlockNumber,
    /// How many verifiers must agree on a response.
    pub quorum: u32,
}

impl ScheduleView {
    /// The next block after `now` that opens a round.
    pub fn next_round(&self, now: BlockNumber) -> BlockNumber {
        now.checked_div(self.period)
            .map_or(BlockNumber::MAX, |past| (past + 1).saturating_mul(self.period))
    }
}

/// A round of hardware challenges.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct RoundView {
    /// Its number.
    pub number: u32,
    /// What challenges are made from.
    pub seed: H256,
    /// The first block in which it takes no responses.
    pub closes_at: BlockNumber,
    /// How long it takes responses, in milliseconds.
    pub window_ms: u64,
    /// How many verifiers must agree on a response.
    pub quorum: u32,
}

impl RoundView {
    /// The job with which `worker` proves `capability` in this round.
    pub fn challenge(&self, worker: &AccountId, capability: u32) -> JobSpec {
        JobSpec::V2(JobKind::Synthetic(challenge_job(
            self.seed,
            &worker.0,
            capability,
            self.window_ms,
        )))
    }
}

/// A worker's response to its hardware challenge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResponseView {
    /// The capability that it proves, in GOPS.
    pub capability: u32,
    /// The digest of the challenge's output.
    pub digest: H256,
    /// What verifiers found.
    pub votes: Attestations,
}

impl ResponseView {
    /// What the votes come to.
    pub fn decision(&self, quorum: u32) -> Decision {
        Decision::of(self.votes.tally(), quorum)
    }
}

/// A task class.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ClassView {
    /// Its number.
    pub id: ClassId,
    /// Its name.
    pub name: String,
    /// The kind of work.
    pub specialisation: Specialisation,
    /// The least reward at difficulty 1.
    #[serde(serialize_with = "as_text")]
    pub base_reward: Balance,
}

/// How the tasks of a class pay their workers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct TermsView {
    /// The workers' part of the reward, in parts per million.
    pub worker: u32,
    /// What the best answer gets of that part where there are other right ones, in parts per million.
    pub best_share: u32,
    /// How many workers a task has at most before a result is chosen.
    pub max_replicas: u32,
}

impl ClassView {
    /// The least reward at `difficulty`; `None` if it overflows.
    pub fn least_reward(&self, difficulty: Difficulty) -> Option<Balance> {
        difficulty.scale(&self.base_reward)
    }
}

/// A participant in one role.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct ParticipantView {
    /// A worker's kinds of work.
    #[serde(skip)]
    pub specialisations: Specialisations,
    /// How many tasks a worker takes at a time.
    pub slots: u32,
    /// How many of a worker's slots are taken: from accepting until its round is judged.
    pub occupied: u32,
    /// A worker's declared speed, in GOPS.
    pub capability: u32,
    /// What it has proven of it, and the first block in which that counts no more.
    pub proven: Option<(u32, BlockNumber)>,
    /// The block in which it was last heard of.
    pub last_heartbeat: BlockNumber,
}

/// An account's money.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct BalanceView {
    /// At its disposal.
    #[serde(serialize_with = "as_text")]
    pub free: Balance,
    /// Set aside.
    #[serde(serialize_with = "as_text")]
    pub held: Balance,
}

/// Money set aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DepositView {
    /// What for.
    pub purpose: Purpose,
    /// What it belongs to.
    pub scope: Scope,
    /// How much.
    pub amount: Balance,
}

/// What is remembered of an account's work on one side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReputationView {
    /// In which capacity.
    pub side: Side,
    /// Confidence score.
    pub confidence: u32,
    /// How many outcomes were counted.
    pub count: u32,
}

/// Amounts are written as decimal strings: they do not fit a JSON number.
fn as_text<S: serde::Serializer>(amount: &Balance, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(amount)
}

/// Money that left a hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaymentView {
    /// What it was held for.
    pub purpose: Purpose,
    /// What it belonged to.
    pub scope: Scope,
    /// Of whom it was held.
    pub from: AccountId,
    /// Who got it.
    pub payee: Payee<AccountId>,
    /// How much, in plancks.
    pub amount: Balance,
}

/// The account that public money goes to and comes from.
pub fn treasury_account() -> AccountId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(b"modl");
    bytes[4..12].copy_from_slice(TREASURY_ID);
    AccountId(bytes)
}

/// The treasury's pallet id.
const TREASURY_ID: &[u8; 8] = b"agora/tr";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_blocks_prolong_accusing_up_to_a_bound() {
        let phases = Terms {
            commit: 1,
            reveal: 5,
            clock: 20,
            entry: 10,
            challenge: 10,
            stops: 3,
        };
        assert_eq!(accusing_until(100, 0, &phases), (100, 105));
        assert_eq!(accusing_until(100, 2, &phases), (102, 107));
        assert_eq!(accusing_until(100, 50, &phases), (103, 108));
        let endless = Terms {
            reveal: u64::MAX,
            ..phases
        };
        assert_eq!(accusing_until(100, 0, &endless).1, BlockNumber::MAX);
    }
}
