//! What is stored, and when a case is decided.

use crate::Config;
use agora_disputes::{ARITY, Branch, Dispute, Phase, Run, Terms, Time, Verdict};
use agora_primitives::{
    TaskId,
    courts::{Accusers, CaseTerms, CaseView, HowEnded, MAX_SHARERS, Standing},
    job::JobSpec,
    money::Escrow,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, traits::ConstU32};
use frame_system::pallet_prelude::BlockNumberFor;
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::{SaturatedConversion, traits::AtLeast32BitUnsigned};

/// Unit of money.
pub type BalanceOf<T> = <<T as Config>::Escrow as Escrow<<T as frame_system::Config>::AccountId>>::Balance;

/// A case of this runtime.
pub type CaseOf<T> = Case<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

/// A trial of this runtime.
pub type TrialOf<T> = Trial<<T as frame_system::Config>::AccountId, BalanceOf<T>>;

/// A defence of this runtime.
pub type DefendedOf<T> = Defended<<T as frame_system::Config>::AccountId>;

/// A run of this runtime.
pub type RunOf<T> = Run<<T as frame_system::Config>::AccountId>;

/// The most nodes of a list that are shown on the way to an entry: a list has less than 16^7 chunks.
pub const MAX_SHOWN: u32 = 8;

/// Whether a claim about a task is right.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case<AccountId, BlockNumber> {
    /// Its number among all cases: those of one task have different ones.
    pub number: u64,
    /// What it was opened with.
    pub terms: CaseTerms<BlockNumber>,
    /// The lengths of the phases, without the time to compute the job.
    pub phases: Terms,
    /// The block in which it was opened.
    pub opened_at: BlockNumber,
    /// How many blocks were full before that.
    pub full_before: u64,
    /// How many accusations were committed to: the number of the next.
    pub committed: u32,
    /// How many accusations are committed to and not revealed.
    pub hidden: u32,
    /// Who share what is won if the claim falls: those who committed first, of the accusers whose trial is not lost.
    pub accusers: BoundedVec<Accuser<AccountId>, ConstU32<MAX_SHARERS>>,
    /// How many trials are not over.
    pub open: u32,
    /// The last block in which the trials are waited for. Nothing but what ends them is left to do before that, whatever anybody does.
    pub trials_until: BlockNumber,
    /// The image that decides. `None`: the job brings its own.
    pub image: Option<H256>,
    /// How often it had been suspended when the case was opened: once it is again, nothing is decided here any more.
    pub suspensions: u32,
    /// How it was decided against the claim.
    pub decision: Option<Decision<AccountId>>,
    /// Whether nothing can be decided since a time when accusations could still be revealed: then nobody loses by not having revealed one.
    pub is_excused: bool,
    /// Whether a run that failed was left in one of its trials. If nobody brings the claim down in another, nothing is known of it.
    pub has_failed: bool,
}

/// Somebody who has revealed an accusation.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accuser<AccountId> {
    /// Who.
    pub who: AccountId,
    /// How many had committed to an accusation of the claim before.
    pub order: u32,
}

/// What a court found that keeps a claim from standing.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision<AccountId> {
    /// The claim is wrong.
    Fallen {
        /// Whose accusation showed it.
        by: AccountId,
    },
    /// The image is suspended.
    Undecided,
}

/// What is remembered of a closed case that was decided before all its trials were over.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// How it was decided.
    pub how: HowEnded,
    /// How many of its trials that were not over are left.
    pub open: u32,
}

/// Whether an image is trusted.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Suspension {
    /// How often it was suspended.
    pub times: u32,
    /// Whether it is now.
    pub holds: bool,
}

impl Suspension {
    /// Suspends the image. Returns whether that is new.
    pub fn suspend(&mut self) -> bool {
        let is_new = !self.holds;
        if is_new {
            // Saturating: governance does not lift four thousand million suspensions.
            self.times = self.times.saturating_add(1);
            self.holds = true;
        }
        is_new
    }
}

impl<AccountId: Clone + PartialEq, BlockNumber: AtLeast32BitUnsigned + Copy> Case<AccountId, BlockNumber> {
    /// Takes down somebody whose accusation is revealed. If there are more than may share, those count who committed first, and
    /// who has brought the claim down.
    pub fn join(&mut self, accuser: Accuser<AccountId>) {
        let mut all: Vec<_> = core::mem::take(&mut self.accusers).into_iter().collect();
        let at = all.partition_point(|other| other.order < accuser.order);
        all.insert(at, accuser);
        let has_won = |accuser: &Accuser<AccountId>| matches!(&self.decision, Some(Decision::Fallen { by }) if *by == accuser.who);
        if all.len() > MAX_SHARERS as usize
            && let Some(last) = all.iter().rposition(|accuser| !has_won(accuser))
        {
            all.remove(last);
        }
        self.accusers = BoundedVec::truncate_from(all);
    }

    /// The trial of `who` is lost: it has no part in what is won.
    pub fn leave(&mut self, who: &AccountId) {
        self.accusers.retain(|accuser| accuser.who != *who);
    }

    /// The claim falls, as this accuser has shown.
    pub fn fall(&mut self, by: Accuser<AccountId>) {
        self.decision = Some(Decision::Fallen { by: by.who.clone() });
        self.leave(&by.who);
        self.join(by);
    }

    /// How it stands if its image was suspended so often: if that was since it was opened, nothing is decided any more.
    #[must_use]
    pub fn after_suspensions(mut self, times: u32) -> Self {
        if self.decision.is_none() && self.suspensions != times {
            self.decision = Some(Decision::Undecided);
            self.is_excused = true;
        }
        self
    }

    /// What clients are told of it, which is about `task`, if `full` blocks were full so far.
    pub fn view(&self, task: TaskId, full: u64) -> CaseView<BlockNumber> {
        CaseView {
            task,
            number: self.number,
            claim: self.terms.claim,
            until: self.commit_until(full),
            reveal_until: self.reveal_until(full),
            hidden: self.hidden,
            decided: self.how_ended(),
        }
    }

    /// How it was decided. `None`: it is not.
    pub const fn how_ended(&self) -> Option<HowEnded> {
        match &self.decision {
            Some(Decision::Fallen { .. }) => Some(HowEnded::Fallen),
            Some(Decision::Undecided) => Some(HowEnded::Undecided),
            None => None,
        }
    }

    /// By how many blocks committing and revealing are late: those since the case was opened that were full, up to a bound. Else whoever
    /// fills the blocks of a window would keep everybody from accusing.
    fn late(&self, full: u64) -> u64 {
        full.saturating_sub(self.full_before).min(self.phases.stops)
    }

    /// The last block in which accusations may be committed to, if no more blocks are full than the `full` so far.
    // Saturating: block numbers would have to run out first.
    pub fn commit_until(&self, full: u64) -> BlockNumber {
        self.terms.until.saturating_add(self.late(full).saturated_into())
    }

    /// The last block in which they may be revealed; the same holds.
    pub fn reveal_until(&self, full: u64) -> BlockNumber {
        self.commit_until(full)
            .saturating_add(self.phases.reveal.saturated_into())
    }

    /// When the window began, how long it is, and `now` in it: full blocks are no time.
    pub fn window(&self, now: Time) -> (u64, Terms, Time) {
        let opened = self.opened_at.saturated_into();
        let until: u64 = self.terms.until.saturated_into();
        let commit = until.saturating_sub(opened).saturating_add(1);
        let block = now.block.saturating_sub(self.late(now.full));
        (opened, Terms { commit, ..self.phases }, Time { block, ..now })
    }

    /// Whether somebody who has not revealed an accusation may still do so: also of a claim that has fallen, to share what is won.
    pub fn may_reveal(&self, now: BlockNumber, full: u64) -> bool {
        !matches!(self.decision, Some(Decision::Undecided)) && now <= self.reveal_until(full)
    }

    /// How it stands in block `now`, before which `full` blocks were full. A claim that has fallen waits for those who may still
    /// reveal that they had accused it: else whoever has its own claim fall at once would leave nothing to others.
    pub fn standing(&self, now: BlockNumber, full: u64) -> Standing<AccountId, BlockNumber> {
        let is_open = self.decision.is_none();
        let waits = [
            (is_open, self.commit_until(full)),
            (self.hidden > 0 && self.may_reveal(now, full), self.reveal_until(full)),
            (is_open && self.open > 0, self.trials_until),
        ];
        let latest = waits.into_iter().filter(|&(waits, until)| waits && now <= until);
        match (latest.map(|(_, until)| until).max(), &self.decision) {
            (Some(until), _) => Standing::Pending { until },
            (None, Some(Decision::Fallen { .. })) => Standing::Fallen {
                accusers: self.sharers(),
            },
            (None, Some(Decision::Undecided)) => Standing::Undecided,
            (None, None) if self.has_failed => Standing::Undecided,
            (None, None) => Standing::Stands,
        }
    }

    /// Who share what is won.
    fn sharers(&self) -> Accusers<AccountId> {
        Accusers::truncate_from(self.accusers.iter().map(|accuser| accuser.who.clone()).collect())
    }
}

/// An accusation that is committed to.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hidden<Balance> {
    /// The task.
    pub task: TaskId,
    /// See [`agora_disputes::commitment`].
    pub commitment: agora_disputes::Commitment,
    /// What is held for it.
    pub bond: Balance,
    /// How many had committed to an accusation of the claim before.
    pub order: u32,
}

/// One accuser against one claim.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trial<AccountId, Balance> {
    /// The task.
    pub task: TaskId,
    /// The number of the case.
    pub case: u64,
    /// Who accuses.
    pub accuser: AccountId,
    /// How many had committed to an accusation of the claim before.
    pub order: u32,
    /// What was to be computed.
    pub job: JobSpec,
    /// The lengths of the phases.
    pub terms: Terms,
    /// Where it is.
    pub dispute: Dispute,
    /// What each accusation, defence and run in it puts up.
    pub bond: Balance,
    /// How many defences, runs and matches of it are kept.
    pub parts: u32,
    /// Who wins if the claim stands: whose defence was found right; before there are defences, who showed something last.
    pub defender: Option<AccountId>,
}

impl<AccountId, Balance> Trial<AccountId, Balance> {
    /// How it ended. `None`: it has not.
    pub const fn verdict(&self) -> Option<Verdict> {
        match self.dispute.phase {
            Phase::Over(verdict) => Some(verdict),
            _ => None,
        }
    }
}

/// A defence in a trial.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Defended<AccountId> {
    /// Where it is.
    pub branch: Branch<AccountId>,
    /// What was shown of a list on the way down. Whoever runs the unit in dispute needs it: it is the list of somebody else.
    pub shown: BoundedVec<Opening, ConstU32<MAX_SHOWN>>,
}

/// What was shown of a list: the children of a node.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opening {
    /// The first byte below the node.
    pub first: u64,
    /// How many bytes are below it.
    pub len: u64,
    /// The children.
    pub children: BoundedVec<H256, ConstU32<{ ARITY as u32 }>>,
}

/// What of a trial is kept until its bond is settled.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The accusation itself, after everything else.
    Accusation,
    /// A defence.
    Defence(H256),
    /// A run against or for a defence.
    Run(H256, H256),
    /// A match between two runs, which has no bond.
    Match(H256, H256, H256),
}

/// What time may have ended.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clocked {
    /// The trial.
    Trial,
    /// A defence in it.
    Defence(H256),
    /// A match between two runs.
    Match(H256, H256, H256),
}

/// The two roots of a match, the lower first.
pub fn ordered(one: H256, other: H256) -> (H256, H256) {
    if one <= other { (one, other) } else { (other, one) }
}

/// How many blocks a case waits for a trial with these terms: as many as it takes at most, and then as long as somebody has who adds
/// something, to end it.
pub fn longest(terms: &Terms) -> u64 {
    let late = terms.entry.saturating_add(terms.stops);
    terms.bound().saturating_add(late)
}

/// The terms of a trial about `work` multiply–adds: `base`, with clocks that are longer by the time that somebody takes who
/// computes `per_block` of them in a block, and entries by half of it, as they are half a clock at most: nobody needs to have computed
/// the job before it is accused.
pub fn terms_for(base: Terms, work: u128, per_block: u128) -> Terms {
    let blocks = work.checked_div(per_block).unwrap_or_default();
    // No clock is longer than terms may have.
    let blocks = u64::try_from(blocks).unwrap_or(u64::MAX).min(1 << 31);
    Terms {
        clock: base.clock.saturating_add(blocks),
        entry: base.entry.saturating_add(blocks / 2),
        ..base
    }
}
