//! Task classes: the terms on which a kind of task is published, set by governance.
//!
//! A task copies the terms of its class when it is published ([`TaskClass::terms`]), so a change to a class never
//! touches a task that is under way.

use crate::{DRAW_DELAY, types::Terms};
use agora_primitives::{
    ClassId,
    judging::JudgeRule,
    money::PresetId,
    participants::Specialisation,
    task::{Assignment, Difficulty},
};
use alloc::{vec, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, traits::ConstU32};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::{
    Permill,
    traits::{AtLeast32BitUnsigned, Bounded},
};

/// The name of a class: UTF-8, 1 to 32 bytes.
pub type ClassName = BoundedVec<u8, ConstU32<32>>;

/// The terms on which a kind of task is published.
///
/// Units: amounts in plancks, windows in blocks. Rates are parts of the reward (bonds, stake) or of the bond
/// (penalties); every product is rounded down.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(rename_all = "camelCase")]
pub struct TaskClass<Balance, BlockNumber> {
    /// What people call it.
    #[serde(with = "name_as_text")]
    pub name: ClassName,
    /// The kind of work; a job of another kind is refused.
    pub specialisation: Specialisation,
    /// The least reward at difficulty ×1.0.
    pub base_reward: Balance,
    /// The fee for publishing at difficulty ×1.0.
    pub publication_fee: Balance,
    /// The least difficulty.
    pub min_difficulty: Difficulty,
    /// The greatest difficulty.
    pub max_difficulty: Difficulty,
    /// How many workers are wanted in the first round, and in the fresh round after an appeal.
    pub replicas: u32,
    /// How many workers there may be before a result is chosen, over all rounds.
    pub max_replicas: u32,
    /// How many unfinished tasks of this class one publisher may have.
    pub max_open_per_publisher: u32,
    /// The publisher's stake, as a part of the reward. An input that is unusable is paid with it as an output would be with
    /// the reward: the lower it is, the less garbage costs its publisher, and the less those get who find it out.
    pub stake_rate: Permill,
    /// A worker's bond, as a part of the reward.
    pub bond_rate: Permill,
    /// An attesting verifier's bond, as a part of the reward.
    pub attest_bond_rate: Permill,
    /// What a wrong answer, or a commitment that is never revealed, costs: a part of the bond.
    pub wrong_penalty: Permill,
    /// What accepting without committing costs: a part of the bond, at most `wrong_penalty`.
    pub late_penalty: Permill,
    /// How the reward is divided.
    pub split: PresetId,
    /// How the answers are judged.
    pub judge: JudgeRule,
    /// How the work is handed out.
    pub assignment: Assignment,
    /// The least time between accepting and committing.
    pub min_thinking: BlockNumber,
    /// How long a worker may take from accepting to committing at difficulty ×1.0 or less, above that in proportion, if
    /// the round lasts so long. Then somebody else may take its slot.
    pub commit_window: BlockNumber,
    /// How long later rounds may be worked on; the first round's end is the publisher's deadline.
    pub work_window: BlockNumber,
    /// How long may be revealed: claims by workers, and attestations by verifiers.
    pub reveal_window: BlockNumber,
    /// How long verifiers may commit to attestations.
    pub appeal_window: BlockNumber,
    /// How long only the drawn workers may accept.
    pub invite_window: BlockNumber,
}

/// Why a class is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClassError {
    /// The name is empty or not UTF-8.
    Name,
    /// The least difficulty is zero or above the greatest.
    Difficulty,
    /// `replicas` is zero, above `max_replicas`, or leaves no room for a fresh round.
    Replicas,
    /// The publisher's cap is zero.
    Cap,
    /// There is no stake, from which those who find an input unusable are paid.
    Stake,
    /// Being late costs more than being wrong.
    Rates,
    /// The judge can never decide.
    Judge,
    /// The chain computes its tasks, and more than one worker is wanted.
    ExactReplicas,
    /// A window is zero, too long, or leaves no time to think.
    Windows,
}

impl<Balance, BlockNumber> TaskClass<Balance, BlockNumber>
where
    Balance: AtLeast32BitUnsigned + Copy,
    BlockNumber: AtLeast32BitUnsigned + Copy,
{
    /// Checks that tasks of this class can run.
    ///
    /// `max_contributions` is the most workers a task can have at all, `max_lifetime` the longest window.
    pub fn validate(&self, max_contributions: u32, max_lifetime: BlockNumber) -> Result<(), ClassError> {
        let ensure = |holds, error| if holds { Ok(()) } else { Err(error) };
        ensure(
            !self.name.is_empty() && core::str::from_utf8(&self.name).is_ok(),
            ClassError::Name,
        )?;
        ensure(
            self.min_difficulty.0 > 0 && self.min_difficulty <= self.max_difficulty,
            ClassError::Difficulty,
        )?;
        // An appeal may ask for a whole fresh round on top.
        let most = self.max_replicas.checked_add(self.replicas);
        ensure(
            self.replicas > 0
                && self.replicas <= self.max_replicas
                && most.is_some_and(|most| most <= max_contributions),
            ClassError::Replicas,
        )?;
        ensure(self.max_open_per_publisher > 0, ClassError::Cap)?;
        ensure(!self.stake_rate.is_zero(), ClassError::Stake)?;
        ensure(self.late_penalty <= self.wrong_penalty, ClassError::Rates)?;
        match self.judge {
            JudgeRule::Replication { trust } => ensure(trust >= agora_math::consensus::MIN_TRUST, ClassError::Judge)?,
            JudgeRule::Exact => ensure(self.max_replicas == 1, ClassError::ExactReplicas)?,
        }
        ensure(self.windows_are_valid(max_lifetime), ClassError::Windows)
    }

    fn windows_are_valid(&self, max_lifetime: BlockNumber) -> bool {
        let windows = [
            self.commit_window,
            self.work_window,
            self.reveal_window,
            self.appeal_window,
        ];
        let before_work = self.before_acceptance().checked_add(&self.min_thinking);
        windows
            .iter()
            .all(|window| !window.is_zero() && *window <= max_lifetime)
            && before_work.is_some_and(|before| before < self.work_window)
            && self.min_thinking < self.commit_window
    }

    /// Blocks from the beginning of a round until anybody may accept: those of the draw, and of the invitation. None, if the
    /// class invites nobody.
    fn before_acceptance(&self) -> BlockNumber {
        match self.invite_window.is_zero() {
            true => BlockNumber::zero(),
            // Saturating: then it is not below any window.
            false => self.invite_window.saturating_add(DRAW_DELAY.into()),
        }
    }

    /// The terms of a task of this class with this `reward`, `difficulty` and `split`; `None` if an amount overflows.
    pub fn terms<Split>(
        &self,
        reward: Balance,
        difficulty: Difficulty,
        split: Split,
    ) -> Option<Terms<Balance, BlockNumber, Split>> {
        Some(Terms {
            reward,
            stake: self.stake_rate.mul_floor(reward),
            fee: difficulty.scale(&self.publication_fee)?,
            bond: self.bond_rate.mul_floor(reward),
            attest_bond: self.attest_bond_rate.mul_floor(reward),
            wrong_penalty: self.wrong_penalty,
            late_penalty: self.late_penalty,
            replicas: self.replicas,
            max_replicas: self.max_replicas,
            split,
            judge: self.judge,
            assignment: self.assignment,
            min_thinking: self.min_thinking,
            // Where this overflows, the round's end comes first.
            commit_window: difficulty
                .max(Difficulty::ONE)
                .scale(&self.commit_window)
                .unwrap_or_else(Bounded::max_value),
            work_window: self.work_window,
            reveal_window: self.reveal_window,
            appeal_window: self.appeal_window,
            invite_window: self.invite_window,
        })
    }

    /// The least reward at `difficulty`; `None` if it overflows.
    pub fn min_reward(&self, difficulty: Difficulty) -> Option<Balance> {
        difficulty.scale(&self.base_reward)
    }

    /// Whether `difficulty` is in the range of this class.
    pub fn takes(&self, difficulty: Difficulty) -> bool {
        (self.min_difficulty..=self.max_difficulty).contains(&difficulty)
    }
}

/// The windows that the classes of [`genesis_classes`] get, in blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Windows<BlockNumber> {
    /// The least thinking time; classes that call for more thought get a multiple, at most four times as much.
    pub min_thinking: BlockNumber,
    /// Time from accepting to committing, more than four times `min_thinking`.
    pub commit: BlockNumber,
    /// Time to work in later rounds; more than `invite` and four times `min_thinking`.
    pub work: BlockNumber,
    /// Time to reveal.
    pub reveal: BlockNumber,
    /// Time to attest for or against a result.
    pub appeal: BlockNumber,
    /// Time in which only drawn workers may accept.
    pub invite: BlockNumber,
}

impl<BlockNumber: From<u32>> Windows<BlockNumber> {
    /// For a public network with blocks of 3 s: thinking 6 s, from accepting to committing 1 h, work in later rounds 1 h,
    /// reveal 5 min, appeal 15 min, invitation 1 min.
    pub fn standard() -> Self {
        Self {
            min_thinking: 2.into(),
            commit: 1200.into(),
            work: 1200.into(),
            reveal: 100.into(),
            appeal: 300.into(),
            invite: 20.into(),
        }
    }

    /// For development: everything over within a few blocks, but time enough to compute on a slow machine.
    pub fn short() -> Self {
        Self {
            min_thinking: 1.into(),
            commit: 60.into(),
            work: 20.into(),
            reveal: 5.into(),
            appeal: 5.into(),
            invite: 2.into(),
        }
    }
}

/// What tells one of the classes that a chain starts with from another.
struct Kind {
    name: &'static str,
    specialisation: Specialisation,
    /// In units.
    base_reward: u32,
    max_difficulty: u32,
    replicas: u32,
    max_replicas: u32,
    /// Times the least thinking time.
    thinking: u32,
    assignment: Assignment,
    split: PresetId,
    judge: JudgeRule,
}

/// The classes a chain starts with: one per specialisation, its [`ClassId`] the specialisation's place in
/// [`Specialisation::ALL`]. `unit` is one whole coin in plancks.
///
/// | id | class | base reward | difficulty | replicas |
/// | -- | ----- | ----------- | ---------- | -------- |
/// | 0 | synthetic | 10 | ×1.0–10.0 | 5, up to 9 |
/// | 1 | inference | 10 | ×1.0–5.0 | 3, up to 7 |
/// | 2 | embedding | 5 | ×1.0–3.0 | 3, up to 7 |
/// | 3 | training | 100 | ×1.0–10.0 | 3, up to 7 |
/// | 4 | rendering | 20 | ×1.0–5.0 | 3, up to 7 |
/// | 5 | row transform | 5 | ×1.0–3.0 | 3, up to 7 |
/// | 6 | syntax check | 5 | ×1.0–2.0 | 3, up to 7 |
/// | 7 | data statistics | 15 | ×1.0–3.0 | 3, up to 7 |
/// | 8 | security audit | 50 | ×1.0–4.0 | 5, up to 9 |
/// | 9 | algorithm optimisation | 100 | ×1.0–5.0 | 5, up to 9 |
/// | 10 | program | 10 | ×1.0–10.0 | 3, up to 7 |
///
/// All: stake 50 %, worker's bond 20 %, attester's bond 10 % of the reward; a wrong answer costs half of the bond,
/// being late a tenth; a fee of a twentieth of the base reward; trust 3. Split preset 0, and 1 for the two classes in
/// which experts take part. Work that somebody waits for (inference, embedding, row transform) is assigned by priority.
pub fn genesis_classes<Balance, BlockNumber>(
    unit: Balance,
    windows: Windows<BlockNumber>,
) -> Vec<(ClassId, TaskClass<Balance, BlockNumber>)>
where
    Balance: AtLeast32BitUnsigned + Copy,
    BlockNumber: AtLeast32BitUnsigned + Copy,
{
    kinds()
        .into_iter()
        .zip(0u16..)
        .map(|(kind, id)| (ClassId(id), kind.class(unit, windows)))
        .collect()
}

/// The classes of jobs that the chain computes itself, which a chain starts with that has a
/// [court for them](agora_primitives::exact::ExactCourt). Their ids follow those of [`genesis_classes`].
///
/// | id | class | base reward | difficulty |
/// | -- | ----- | ----------- | ---------- |
/// | 11 | exact program | 4 | ×1.0–10.0 |
/// | 12 | exact row transform | 4 | ×1.0–10.0 |
///
/// The rest is as there, but for one worker. What it is paid covers the fee of the call in which the chain computes: see the runtime.
pub fn exact_classes<Balance, BlockNumber>(
    unit: Balance,
    windows: Windows<BlockNumber>,
) -> Vec<(ClassId, TaskClass<Balance, BlockNumber>)>
where
    Balance: AtLeast32BitUnsigned + Copy,
    BlockNumber: AtLeast32BitUnsigned + Copy,
{
    let exact = |name, specialisation| Kind {
        replicas: 1,
        max_replicas: 1,
        judge: JudgeRule::Exact,
        ..kind(name, specialisation, 4, 10_000)
    };
    [
        exact("exact program", Specialisation::Program),
        exact("exact row transform", Specialisation::RowTransform),
    ]
    .into_iter()
    .zip(FIRST_EXACT..)
    .map(|(kind, id)| (ClassId(id), kind.class(unit, windows)))
    .collect()
}

/// The first id of [`exact_classes`].
const FIRST_EXACT: u16 = Specialisation::ALL.len() as u16;

fn kind(name: &'static str, specialisation: Specialisation, base_reward: u32, max_difficulty: u32) -> Kind {
    Kind {
        name,
        specialisation,
        base_reward,
        max_difficulty,
        replicas: 3,
        max_replicas: 7,
        thinking: 1,
        assignment: Assignment::Open,
        split: 0,
        judge: JudgeRule::Replication { trust: 3 },
    }
}

fn kinds() -> Vec<Kind> {
    use Assignment::Priority;
    use Specialisation::*;
    let many = |kind| Kind {
        replicas: 5,
        max_replicas: 9,
        ..kind
    };
    let assigned = |kind| Kind {
        assignment: Priority,
        ..kind
    };
    let thoughtful = |kind| Kind {
        thinking: 4,
        split: 1,
        ..kind
    };
    vec![
        many(kind("synthetic", Synthetic, 10, 10_000)),
        assigned(kind("inference", Inference, 10, 5_000)),
        assigned(kind("embedding", Embedding, 5, 3_000)),
        kind("training", Training, 100, 10_000),
        kind("rendering", Rendering, 20, 5_000),
        assigned(kind("row transform", RowTransform, 5, 3_000)),
        kind("syntax check", SyntaxCheck, 5, 2_000),
        kind("data statistics", DataStatistics, 15, 3_000),
        thoughtful(many(kind("security audit", SecurityAudit, 50, 4_000))),
        thoughtful(many(kind("algorithm optimisation", AlgorithmOptimisation, 100, 5_000))),
        kind("program", Program, 10, 10_000),
    ]
}

impl Kind {
    fn class<Balance, BlockNumber>(
        &self,
        unit: Balance,
        windows: Windows<BlockNumber>,
    ) -> TaskClass<Balance, BlockNumber>
    where
        Balance: AtLeast32BitUnsigned + Copy,
        BlockNumber: AtLeast32BitUnsigned + Copy,
    {
        // Saturating: a unit so large that this saturates is refused by `validate`.
        let base_reward = unit.saturating_mul(self.base_reward.into());
        TaskClass {
            name: ClassName::truncate_from(self.name.as_bytes().to_vec()),
            specialisation: self.specialisation,
            base_reward,
            publication_fee: Permill::from_percent(5).mul_floor(base_reward),
            min_difficulty: Difficulty::ONE,
            max_difficulty: Difficulty(self.max_difficulty),
            replicas: self.replicas,
            max_replicas: self.max_replicas,
            max_open_per_publisher: 1000,
            stake_rate: Permill::from_percent(50),
            bond_rate: Permill::from_percent(20),
            attest_bond_rate: Permill::from_percent(10),
            wrong_penalty: Permill::from_percent(50),
            late_penalty: Permill::from_percent(10),
            split: self.split,
            judge: self.judge,
            assignment: self.assignment,
            min_thinking: windows.min_thinking.saturating_mul(self.thinking.into()),
            commit_window: windows.commit,
            work_window: windows.work,
            reveal_window: windows.reveal,
            appeal_window: windows.appeal,
            invite_window: windows.invite,
        }
    }
}

/// Writes a class's name as text where people read it.
mod name_as_text {
    use super::ClassName;
    use alloc::string::String;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _, ser::Error as _};

    pub fn serialize<S: Serializer>(name: &ClassName, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(core::str::from_utf8(name).map_err(S::Error::custom)?)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ClassName, D::Error> {
        let text = String::deserialize(deserializer)?;
        ClassName::try_from(text.into_bytes()).map_err(|_| D::Error::custom("a class's name is at most 32 bytes"))
    }
}
